#pragma once
// The fields of a challenge, each declared once: name, schema, help, and how it is read. Parser, schema and reference
// all come from these tables, so they can't disagree. Internal to config/.

#include "config/challenge.hpp"

#include <nlohmann/json.hpp>

#include <functional>
#include <optional>

namespace poseidon::config {

/// A spec on its way: what has been read, and what was said explicitly.
struct draft {
  instance_spec spec;
  service_spec service;
  std::string id;
  std::optional<std::uint64_t> reserve_memory_bytes;
  std::optional<std::uint32_t> reserve_cpu_millis;
  std::optional<std::int64_t> extension_max_ms;
  bool has_extension = false, writable_asked = false;
};

/// One value with its path; collects problems.
struct place {
  const nlohmann::json& value;
  std::string path;
  std::vector<field_problem>& problems;
  void problem(std::string detail) const { problems.push_back({path, std::move(detail)}); }
  place item(const nlohmann::json& inner, std::string inner_path) const {
    return {inner, std::move(inner_path), problems};
  }
};

/// One field of an object.
struct field_row {
  std::string_view name, help;
  nlohmann::json schema;
  std::function<void(const place&, draft&)> read;
};
using field_table = std::vector<field_row>;

/// The fields of `instance:`.
const field_table& instance_fields();

/// Reads an object by its table; unknown keys, values that are null and keys that come from elsewhere are problems.
void read_object(const place& at, const field_table& fields, draft& into);
/// The schema of such an object.
nlohmann::json object_schema(const field_table& fields);

// Parts of an instance that are objects or lists of objects: their fields, schemas and readers.
nlohmann::json ports_schema();
void read_ports(const place& at, draft& into);
nlohmann::json health_schema();
void read_health(const place& at, draft& into);
const field_table& limit_fields();
const field_table& reserve_fields();
nlohmann::json extension_schema();
void read_extension(const place& at, draft& into);
const field_table& placement_fields();
nlohmann::json volumes_schema();
void read_volumes(const place& at, draft& into);

// Schemas of single values.
nlohmann::json duration_schema();
nlohmann::json size_schema();
nlohmann::json cpus_schema(double min);
nlohmann::json percent_schema();
nlohmann::json count_schema(std::uint32_t min, std::uint32_t max);
nlohmann::json flag_schema();
nlohmann::json text_schema(std::size_t max_bytes);
nlohmann::json text_or_number_schema(std::size_t max_bytes);
nlohmann::json list_schema(nlohmann::json item, std::size_t most);
nlohmann::json words_schema(const std::vector<std::string>& words);

/// True when `text` is of a-z, 0-9, the characters of `others` and, where `upper` is set, A-Z.
bool is_made_of(std::string_view text, std::string_view others, bool upper);
/// An absolute path of a folder in the container that is not its root; a problem otherwise.
bool is_folder(const place& at, const std::string& path);

// Reading single values: nothing, and a problem, when the value does not serve.
std::optional<millis> read_duration(const place& at, millis min, millis max);
std::optional<byte_size> read_size(const place& at, byte_size min);
std::optional<cpu_count> read_cpus(const place& at, cpu_count min);
std::optional<std::uint32_t> read_percent(const place& at, std::uint32_t min, std::uint32_t max);
std::optional<std::uint32_t> read_count(const place& at, std::uint32_t min, std::uint32_t max);
std::optional<bool> read_flag(const place& at);
/// Text of 1 to `max_bytes` without NUL; whole numbers are taken as text too where `numbers` is set.
std::optional<std::string> read_text(const place& at, std::size_t max_bytes, bool numbers = false);
/// One of `words`; the position in it.
std::optional<std::size_t> read_word(const place& at, const std::vector<std::string_view>& words);
/// Calls `each` for every item of a list of at most `most`.
void read_list(const place& at, std::size_t most, const std::function<void(const place&)>& each);

/// The words of an enum as challenges spell them: dashes for underscores.
template <named_enum E> std::vector<std::string> words_of() {
  std::vector<std::string> out;
  for (auto v : poseidon_enum_values(E{})) {
    out.emplace_back(to_string(v));
    for (auto& c : out.back())
      if (c == '_') c = '-';
  }
  return out;
}
template <named_enum E> std::optional<E> read_enum(const place& at) {
  auto words = words_of<E>();
  auto found = read_word(at, {words.begin(), words.end()});
  return found ? std::optional(poseidon_enum_values(E{})[*found]) : std::nullopt;
}

} // namespace poseidon::config
