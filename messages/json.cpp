#include "messages/json.hpp"

#include <algorithm>

namespace poseidon {
namespace {

/// Refuses what is nested too deeply before any of it is built.
bool too_deep(std::string_view text, std::size_t max_depth) {
  std::size_t depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      else if (c == '"') in_string = false;
    } else if (c == '"') in_string = true;
    else if ((c == '[' || c == '{') && ++depth > max_depth) return true;
    else if ((c == ']' || c == '}') && depth > 0) --depth;
  }
  return false;
}

constexpr std::string_view base64_digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::uint32_t byte_at(std::string_view bytes, std::size_t i) {
  return i < bytes.size() ? static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i])) : 0;
}

} // namespace

outcome<nlohmann::json> parse_json(std::string_view text, std::size_t max_depth) {
  if (too_deep(text, max_depth))
    return failure{errc::invalid_json, "nested deeper than " + std::to_string(max_depth) + " levels", {}, {}, {}};
  try {
    return nlohmann::json::parse(text);
  } catch (const nlohmann::json::exception& e) {
    std::string_view what = e.what();
    auto close = what.find("] "); // the library's own prefix, "[json.exception.parse_error.101] "
    return failure{errc::invalid_json, std::string(close == what.npos ? what : what.substr(close + 2)), {}, {}, {}};
  }
}

std::string dump_json(const nlohmann::json& value) {
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string to_base64(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = byte_at(bytes, i) << 16 | byte_at(bytes, i + 1) << 8 | byte_at(bytes, i + 2);
    for (std::size_t k = 0; k < 4; ++k)
      text += i + k > bytes.size() ? '=' : base64_digits[(group >> (18 - 6 * k)) & 63];
  }
  return text;
}

std::optional<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3);
  std::uint32_t group = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto digit = i >= text.size() - padding ? 0 : base64_digits.find(text[i]);
    if (digit == std::string_view::npos) return std::nullopt;
    group = group << 6 | static_cast<std::uint32_t>(digit);
    if (i % 4 != 3) continue;
    for (int shift : {16, 8, 0}) bytes += static_cast<char>(group >> shift & 255);
    group = 0;
  }
  bytes.resize(bytes.size() - padding);
  return bytes;
}

namespace json_detail {

std::string place::text() const {
  std::string before = parent ? parent->text() : std::string();
  if (name.empty()) return parent ? before + '[' + std::to_string(index) + ']' : before;
  return before.empty() ? std::string(name) : before + '.' + std::string(name);
}

std::string mismatch(std::string_view expected, const nlohmann::json& got) {
  return "expected " + std::string(expected) + ", not " + (got.is_null() ? "null" : std::string("a value of type ") + got.type_name());
}

void refuse_unknown(const nlohmann::json& object, const std::vector<std::string_view>& known, const place& at, problems& out) {
  for (auto& [name, item] : object.items())
    if (std::find(known.begin(), known.end(), name) == known.end()) out.add(place{&at, name, 0}, "unknown key");
}

void read_bytes(const nlohmann::json& in, std::string& bytes, const place& at, problems& out) {
  if (!in.is_string()) return out.add(at, mismatch("base64", in));
  auto read = from_base64(in.get_ref<const std::string&>());
  if (read) bytes = std::move(*read);
  else out.add(at, "expected base64");
}

} // namespace json_detail
} // namespace poseidon
