#include "nodes/probe/probe_answer.hpp"

#include <algorithm>
#include <cctype>

namespace poseidon {

namespace {
constexpr std::size_t longest_status_line = 1024;

failure unhealthy(std::string detail) { return {errc::never_healthy, std::move(detail), {}, {}, {}}; }
} // namespace

std::string probe_request(std::string_view path, std::string_view host) {
  std::string text = "GET ";
  text.append(path).append(" HTTP/1.1\r\nHost: ").append(host).append("\r\nUser-Agent: poseidon-health\r\nConnection: close\r\n\r\n");
  return text;
}

std::optional<failure> judge_probe_answer(std::string_view bytes, std::string_view path) {
  const auto end = bytes.find('\n');
  if (end == std::string_view::npos) {
    if (bytes.size() < longest_status_line) return std::nullopt;
    return unhealthy("the service's answer to GET " + std::string{path} + " has no status line");
  }
  const auto line = bytes.substr(0, end);
  const auto space = line.find(' ');
  const bool http = line.starts_with("HTTP/") && space != std::string_view::npos && line.size() >= space + 4;
  const auto digits = http ? line.substr(space + 1, 3) : std::string_view{};
  if (!http || !std::all_of(digits.begin(), digits.end(), [](unsigned char c) { return std::isdigit(c) != 0; }))
    return unhealthy("the service does not speak HTTP: GET " + std::string{path} + " was answered with something else");
  if (digits[0] == '2' || digits[0] == '3') return failure{};
  return unhealthy("GET " + std::string{path} + " answered " + std::string{digits});
}

} // namespace poseidon
