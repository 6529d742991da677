#include "nodes/edge/request_head.hpp"

#include "actors/router/host_name.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace poseidon {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool equal_no_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

bool is_token_char(char c) {
  if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')) return true;
  return c != '\0' && std::string_view{"!#$%&'*+-.^_`|~"}.find(c) != std::string_view::npos;
}

bool is_token(std::string_view text) { return !text.empty() && std::all_of(text.begin(), text.end(), is_token_char); }

/// Bytes above 0x7f are let through: challenges are about such things, and nobody splits a head at them.
bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }
bool is_target_char(char c) { return !is_control(c) && c != ' '; }

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// Takes the next line off `text`, without its CRLF.
std::string_view next_line(std::string_view& text) {
  const auto end = text.find("\r\n");
  const auto line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 2);
  return line;
}

/// What the header fields say about host and framing.
struct fields_seen {
  std::optional<std::string_view> host, content_length, transfer_encoding;
  bool wants_html = false;
};

std::string_view read_request_line(std::string_view line, request_head& head, std::string_view& version) {
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  if (first == std::string_view::npos || last == first) return "the request line needs method, target and version";
  head.method = line.substr(0, first);
  head.target = line.substr(first + 1, last - first - 1);
  version = line.substr(last + 1);
  if (!is_token(head.method)) return "the method is no token";
  if (head.target.empty() || !std::all_of(head.target.begin(), head.target.end(), is_target_char))
    return "the request target holds bytes that have no place in it";
  return {};
}

std::string_view read_field(std::string_view line, fields_seen& seen) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return "a header line without a colon";
  const auto name = line.substr(0, colon);
  const auto value = trim(line.substr(colon + 1));
  // Also catches a space before the colon, and a line that continues the one before it.
  if (!is_token(name)) return "a header name that is no token";
  if (std::any_of(value.begin(), value.end(), [](char c) { return is_control(c) && c != '\t'; }))
    return "control characters in a header";
  const auto once = [&](std::optional<std::string_view>& field, std::string_view twice) -> std::string_view {
    if (field) return twice;
    field = value;
    return {};
  };
  if (equal_no_case(name, "host")) return once(seen.host, "more than one Host");
  if (equal_no_case(name, "content-length")) return once(seen.content_length, "more than one Content-Length");
  if (equal_no_case(name, "transfer-encoding")) return once(seen.transfer_encoding, "more than one Transfer-Encoding");
  if (equal_no_case(name, "accept")) seen.wants_html |= value.find("text/html") != std::string_view::npos;
  return {};
}

std::string_view check_framing(const fields_seen& seen, std::string_view version) {
  if (seen.content_length && seen.transfer_encoding) return "both Content-Length and Transfer-Encoding";
  if (seen.content_length) {
    const auto text = *seen.content_length;
    std::uint64_t length = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return "Content-Length is no number";
  }
  if (seen.transfer_encoding) {
    if (version == "HTTP/1.0") return "Transfer-Encoding in HTTP/1.0";
    if (!equal_no_case(*seen.transfer_encoding, "chunked")) return "a Transfer-Encoding other than chunked";
  }
  return {};
}

/// The host that an absolute-form target names ("http://name:port/path"); nothing for other forms.
std::string_view authority_of(std::string_view target, bool& absolute) {
  for (const std::string_view scheme : {"http://", "https://", "ws://", "wss://"})
    if (target.size() > scheme.size() && equal_no_case(target.substr(0, scheme.size()), scheme)) {
      absolute = true;
      target.remove_prefix(scheme.size());
      return target.substr(0, target.find_first_of("/?#"));
    }
  return {};
}

std::string_view check_target(request_head& head, std::string_view host_value) {
  const auto host = normal_host(host_value);
  if (!host) return "Host is not a host name";
  head.host = *host;
  if (head.target.starts_with('/')) return {};
  if (head.target == "*") return head.method == "OPTIONS" ? std::string_view{} : "the target * belongs to OPTIONS";
  bool absolute = false;
  const auto authority = authority_of(head.target, absolute);
  if (!absolute) return "the target is neither a path nor an http URL";
  if (normal_host(authority) != host) return "the target names another host than Host";
  return {};
}

} // namespace

head_progress find_head(std::string_view text, std::size_t seen) {
  using state = head_progress::state;
  for (std::size_t i = seen; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\n') {
      if (i == 0 || text[i - 1] != '\r') return {state::refused, 0, "a line that does not end with CR LF"};
      if (i == 1) return {state::refused, 0, "an empty line in place of a request"};
      if (i >= 3 && text[i - 2] == '\n') return {state::complete, i + 1, {}};
    } else if (i > 0 && text[i - 1] == '\r') {
      return {state::refused, 0, "a CR within a line"};
    } else if (is_control(c) && c != '\r' && c != '\t') {
      return {state::refused, 0, "bytes that are not HTTP"};
    }
  }
  return {};
}

request_head read_head(std::string_view text) {
  request_head head;
  const auto refuse = [&](int status, std::string_view why) {
    head.refused_status = status;
    head.why = why;
    return head;
  };
  std::string_view version;
  if (const auto why = read_request_line(next_line(text), head, version); !why.empty()) return refuse(400, why);
  head.is_head = head.method == "HEAD";
  if (version != "HTTP/1.1" && version != "HTTP/1.0") return refuse(505, "only HTTP/1.1 and HTTP/1.0 are spoken here");
  fields_seen seen;
  while (!text.empty()) {
    const auto line = next_line(text);
    if (line.empty()) break;
    if (const auto why = read_field(line, seen); !why.empty()) return refuse(400, why);
  }
  head.wants_html = seen.wants_html && (head.method == "GET" || head.method == "HEAD");
  if (!seen.host) return refuse(400, "no Host: it names the instance");
  if (const auto why = check_target(head, *seen.host); !why.empty()) return refuse(400, why);
  if (const auto why = check_framing(seen, version); !why.empty()) return refuse(400, why);
  return head;
}

} // namespace poseidon
