#include "gateway/json_writer.hpp"

#include <array>
#include <charconv>

namespace poseidon::gateway {

namespace {

/// Length of the valid UTF-8 sequence at the start of `text`, or 0.
std::size_t sequence_length(std::string_view text) {
  auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  auto tail = [&](std::size_t i) { return i < text.size() && (byte(i) & 0xC0) == 0x80; };
  auto first = byte(0);
  if (first >= 0xC2 && first <= 0xDF) return tail(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    if (!tail(1) || !tail(2)) return 0;
    if (first == 0xE0 && byte(1) < 0xA0) return 0; // overlong
    if (first == 0xED && byte(1) > 0x9F) return 0; // surrogate
    return 3;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    if (!tail(1) || !tail(2) || !tail(3)) return 0;
    if (first == 0xF0 && byte(1) < 0x90) return 0;
    if (first == 0xF4 && byte(1) > 0x8F) return 0; // beyond U+10FFFF
    return 4;
  }
  return 0;
}

void escape_control(std::string& out, unsigned char c) {
  constexpr std::string_view digits = "0123456789abcdef";
  switch (c) {
  case '"': out += "\\\""; break;
  case '\\': out += "\\\\"; break;
  case '\n': out += "\\n"; break;
  case '\r': out += "\\r"; break;
  case '\t': out += "\\t"; break;
  default:
    out += "\\u00";
    out += digits[c >> 4];
    out += digits[c & 15];
  }
}

void append_text(std::string& out, std::string_view text) {
  out += '"';
  std::size_t plain = 0, i = 0;
  while (i < text.size()) {
    auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c < 0x7F && c != '"' && c != '\\') {
      ++i;
      continue;
    }
    auto length = c >= 0x80 ? sequence_length(text.substr(i)) : 0;
    if (length > 0) {
      i += length;
      continue;
    }
    out.append(text, plain, i - plain);
    if (c >= 0x80)
      out += "\xEF\xBF\xBD";
    else
      escape_control(out, c);
    plain = ++i;
  }
  out.append(text, plain, i - plain);
  out += '"';
}

template <class Integer>
void append_integer(std::string& out, Integer value) {
  std::array<char, 24> digits;
  auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(digits.data(), end);
}

} // namespace

void json_writer::separate() {
  if (comma_) out_ += ',';
  comma_ = true;
}

json_writer& json_writer::open(char c) {
  separate();
  out_ += c;
  comma_ = false;
  return *this;
}

json_writer& json_writer::close(char c) {
  out_ += c;
  comma_ = true;
  return *this;
}

json_writer& json_writer::key(std::string_view name) {
  separate();
  append_text(out_, name);
  out_ += ':';
  comma_ = false;
  return *this;
}

json_writer& json_writer::text(std::string_view value) {
  separate();
  append_text(out_, value);
  return *this;
}

json_writer& json_writer::number(std::int64_t value) {
  separate();
  append_integer(out_, value);
  return *this;
}

json_writer& json_writer::number(std::uint64_t value) {
  separate();
  append_integer(out_, value);
  return *this;
}

json_writer& json_writer::boolean(bool value) { return raw(value ? "true" : "false"); }
json_writer& json_writer::null() { return raw("null"); }

json_writer& json_writer::raw(std::string_view json) {
  separate();
  out_ += json;
  return *this;
}

json_writer& json_writer::text_or_null(std::string_view name, std::string_view value) {
  return value.empty() ? null(name) : text(name, value);
}

json_writer& json_writer::optional_text(std::string_view name, const std::optional<std::string>& value) {
  return value ? text(name, *value) : null(name);
}

json_writer& json_writer::number_or_null(std::string_view name, std::optional<std::int64_t> value) {
  return value ? number(name, *value) : null(name);
}

json_writer& json_writer::time(std::string_view name, wall_time value) { return text(name, to_rfc3339(value)); }

json_writer& json_writer::time_or_null(std::string_view name, std::optional<wall_time> value) {
  return value ? time(name, *value) : null(name);
}

} // namespace poseidon::gateway
