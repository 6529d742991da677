// Reading single values of a challenge, with words for everything that can be wrong with one.

#include "config/challenge_fields.hpp"
#include "config/suggest.hpp"
#include "config/yaml.hpp"

#include <algorithm>
#include <cmath>

namespace poseidon::config {
namespace {

using nlohmann::json;

/// The value's text, for the parsers of units: numbers as they print.
std::optional<std::string> as_text(const json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number()) return value.dump();
  return std::nullopt;
}

template <class T>
std::optional<T> read_unit(const place& at, parsed<T> (*parse)(std::string_view), std::string_view kind) {
  auto text = as_text(at.value);
  if (!text) return at.problem("is not " + std::string(kind)), std::nullopt;
  auto result = parse(*text);
  if (!result) return at.problem(result.problem), std::nullopt;
  return result.value;
}

/// What people write from habit, and where it belongs.
std::string habit(std::string_view key) {
  constexpr std::pair<std::string_view, std::string_view> known[] = {
      {"services", "; one container an instance: describe it right below instance"},
      {"env", "; did you mean environment?"},
      {"memory", "; did you mean limits: {memory: …}?"},
      {"cpus", "; did you mean limits: {cpus: …}?"},
      {"cpu", "; did you mean limits: {cpus: …}?"},
      {"port", "; did you mean ports: [{port: …}]?"},
      {"timeout", "; did you mean lifetime?"},
      {"ttl", "; did you mean lifetime?"},
      {"entrypoint", "; the whole command goes into command"},
      {"privileged", "; it is never granted: name what is needed under capabilities"}};
  for (auto& [name, hint] : known)
    if (name == key) return std::string(hint);
  return {};
}

} // namespace

void read_object(const place& at, const field_table& fields, draft& into) {
  if (!at.value.is_object()) return at.problem("is not a mapping");
  std::vector<std::string_view> names;
  for (auto& row : fields)
    names.push_back(row.name);
  for (auto& [key, value] : at.value.items()) {
    auto here = at.item(value, join_path(at.path, key));
    auto row = std::ranges::find(fields, key, &field_row::name);
    if (row == fields.end()) {
      auto hint = habit(key);
      here.problem("unknown key" + (hint.empty() ? did_you_mean(key, names) : hint));
    } else if (value.is_null()) {
      here.problem("has no value; give one or remove the line");
    } else {
      row->read(here, into);
    }
  }
}

json object_schema(const field_table& fields) {
  json properties = json::object();
  for (auto& row : fields) {
    auto schema = row.schema;
    schema["description"] = row.help;
    properties[std::string(row.name)] = std::move(schema);
  }
  return {{"type", "object"}, {"additionalProperties", false}, {"properties", std::move(properties)}};
}

std::optional<millis> read_duration(const place& at, millis min, millis max) {
  auto value = read_unit<millis>(at, parse_duration, "a duration: write it like 30m, 90s or 500ms");
  if (value && (*value < min || max < *value))
    return at.problem(to_text(*value) + " is out of range: " + to_text(min) + " to " + to_text(max)), std::nullopt;
  return value;
}

std::optional<byte_size> read_size(const place& at, byte_size min) {
  auto value = read_unit<byte_size>(at, parse_size, "a size: write it like 512m or 512MiB");
  if (value && *value < min)
    return at.problem(to_text(*value) + " is too little: at least " + to_text(min)), std::nullopt;
  return value;
}

std::optional<cpu_count> read_cpus(const place& at, cpu_count min) {
  auto value = read_unit<cpu_count>(at, parse_cpus, "a number of cores: write it like 0.25 or 2");
  if (value && *value < min)
    return at.problem(to_text(*value) + " is too little: at least " + to_text(min)), std::nullopt;
  return value;
}

std::optional<std::uint32_t> read_percent(const place& at, std::uint32_t min, std::uint32_t max) {
  auto value = read_unit<percent>(at, parse_percent, "a percentage: write it like 50%");
  if (!value) return std::nullopt;
  if (value->value < min || max < value->value)
    return at.problem(to_text(*value) + " is out of range: " + std::to_string(min) + "% to " + std::to_string(max) +
                      "%"),
           std::nullopt;
  return value->value;
}

std::optional<std::uint32_t> read_count(const place& at, std::uint32_t min, std::uint32_t max) {
  auto range = std::to_string(min) + " to " + std::to_string(max);
  if (!at.value.is_number_integer()) return at.problem("is not a whole number from " + range), std::nullopt;
  bool fits = at.value.is_number_unsigned()
                  ? at.value.get<std::uint64_t>() <= max && at.value.get<std::uint64_t>() >= min
                  : at.value.get<std::int64_t>() >= min && at.value.get<std::int64_t>() <= max;
  if (!fits) return at.problem(at.value.dump() + " is out of range: " + range), std::nullopt;
  return at.value.get<std::uint32_t>();
}

std::optional<bool> read_flag(const place& at) {
  if (!at.value.is_boolean()) return at.problem("is neither true nor false"), std::nullopt;
  return at.value.get<bool>();
}

std::optional<std::string> read_text(const place& at, std::size_t max_bytes, bool numbers) {
  if (!at.value.is_string() && !(numbers && at.value.is_number_integer())) {
    bool quotable = at.value.is_primitive();
    return at.problem(quotable ? "is not text: write it in quotes, like \"" + at.value.dump() + "\"" : "is not text"),
           std::nullopt;
  }
  auto text = at.value.is_string() ? at.value.get<std::string>() : at.value.dump();
  if (text.size() > max_bytes)
    return at.problem("is longer than " + std::to_string(max_bytes) + " bytes"), std::nullopt;
  if (text.find('\0') != std::string::npos) return at.problem("contains a NUL byte"), std::nullopt;
  return text;
}

std::optional<std::size_t> read_word(const place& at, const std::vector<std::string_view>& words) {
  std::string all;
  for (auto word : words)
    all += (all.empty() ? "" : ", ") + std::string(word);
  if (!at.value.is_string()) return at.problem("is none of " + all), std::nullopt;
  auto text = at.value.get<std::string>();
  auto found = std::ranges::find(words, text);
  if (found == words.end())
    return at.problem("\"" + text.substr(0, 64) + "\" is none of " + all + did_you_mean(text, words)), std::nullopt;
  return static_cast<std::size_t>(found - words.begin());
}

void read_list(const place& at, std::size_t most, const std::function<void(const place&)>& each) {
  if (!at.value.is_array()) return at.problem("is not a list: write it like [a, b]");
  if (at.value.size() > most) return at.problem("has more than " + std::to_string(most) + " items");
  for (std::size_t i = 0; i < at.value.size(); ++i)
    each(at.item(at.value[i], at.path + "[" + std::to_string(i) + "]"));
}

bool is_made_of(std::string_view text, std::string_view others, bool upper) {
  return std::ranges::all_of(text, [&](char c) {
    return (c >= 'a' && c <= 'z') || (upper && c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           others.find(c) != others.npos;
  });
}

bool is_folder(const place& at, const std::string& path) {
  bool fine = path.size() > 1 && path.front() == '/' && path.find("/../") == std::string::npos &&
              !path.ends_with("/..") && path.find(':') == std::string::npos;
  if (!fine)
    at.problem("\"" + path +
               "\" is not a folder of its own in the container: an absolute path without .. and colon, like /tmp");
  return fine;
}

} // namespace poseidon::config
