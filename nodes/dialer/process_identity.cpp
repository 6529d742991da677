#include "nodes/dialer/process_identity.hpp"

#include <algorithm>
#include <charconv>

namespace poseidon {

std::optional<std::uint64_t> start_ticks_of_stat(std::string_view stat) {
  const auto name_end = stat.rfind(')');
  if (name_end == std::string_view::npos) return std::nullopt;
  auto rest = stat.substr(name_end + 1);
  // After the name: field 3 comes first, so the 22nd is the 20th from here.
  for (int field = 3;; ++field) {
    const auto begin = rest.find_first_not_of(' ');
    if (begin == std::string_view::npos) return std::nullopt;
    rest.remove_prefix(begin);
    const auto end = rest.find_first_of(" \n");
    if (end == std::string_view::npos) return std::nullopt; // a cut-off number would be another number
    if (field == 22) {
      std::uint64_t ticks = 0;
      const auto [last, error] = std::from_chars(rest.data(), rest.data() + end, ticks);
      if (error != std::errc{} || last != rest.data() + end) return std::nullopt;
      return ticks;
    }
    rest.remove_prefix(end);
  }
}

bool cgroup_names(std::string_view cgroup_file, std::string_view part) {
  if (part.empty() || part.find('\n') != std::string_view::npos) return false;
  while (!cgroup_file.empty()) {
    const auto line = cgroup_file.substr(0, cgroup_file.find('\n'));
    // "<hierarchy>:<controllers>:<path>"
    const auto first = line.find(':');
    const auto second = first == std::string_view::npos ? first : line.find(':', first + 1);
    if (second != std::string_view::npos && line.substr(second + 1).find(part) != std::string_view::npos) return true;
    if (line.size() == cgroup_file.size()) break;
    cgroup_file.remove_prefix(line.size() + 1);
  }
  return false;
}

std::string_view shim_container(std::string_view command_line) {
  std::string_view before;
  for (bool first = true; !command_line.empty(); first = false) {
    const auto end = std::min(command_line.find('\0'), command_line.size());
    const auto argument = command_line.substr(0, end);
    if (first && argument.find("containerd-shim") == std::string_view::npos) return {};
    if (before == "-id" || before == "--id") return argument;
    before = argument;
    command_line.remove_prefix(std::min(end + 1, command_line.size()));
  }
  return {};
}

} // namespace poseidon
