#include "nodes/runtime/engine/cgroup_path.hpp"

#include <algorithm>
#include <charconv>

namespace poseidon::engine {

namespace {

bool hex_digit(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

} // namespace

std::string cgroup_part(std::string_view cgroup_text, std::string_view id) {
  if (id.size() < 12) return {};
  return cgroup_text.find(id) == std::string_view::npos ? std::string() : std::string(id);
}

bool names_a_container(std::string_view cgroup_text) {
  std::size_t run = 0;
  for (char c : cgroup_text) {
    run = hex_digit(c) ? run + 1 : 0;
    if (run == 64) return true;
  }
  return false;
}

std::optional<std::uint64_t> start_ticks_of(std::string_view stat_text) {
  auto close = stat_text.rfind(')');
  if (close == std::string_view::npos) return std::nullopt;
  auto rest = stat_text.substr(close + 1);
  // Field 3 follows the name: the start time is the 20th field from here.
  for (int field = 3;; ++field) {
    auto begin = rest.find_first_not_of(" \n");
    if (begin == std::string_view::npos) return std::nullopt;
    rest.remove_prefix(begin);
    auto end = std::min(rest.find_first_of(" \n"), rest.size());
    if (field == 22) {
      std::uint64_t ticks = 0;
      auto [stop, error] = std::from_chars(rest.data(), rest.data() + end, ticks);
      if (error != std::errc() || stop != rest.data() + end) return std::nullopt;
      return ticks;
    }
    rest.remove_prefix(end);
  }
}

} // namespace poseidon::engine
