#include "nodes/host/host_load.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <sstream>
#include <string>

namespace poseidon {

namespace {

std::string read_file(const char* path) {
  std::ifstream in{path};
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::uint64_t number_after(std::string_view text, std::string_view key) {
  auto at = text.find(key);
  if (at == std::string_view::npos) return 0;
  at = text.find_first_of("0123456789", at + key.size());
  if (at == std::string_view::npos) return 0;
  std::uint64_t value = 0;
  std::from_chars(text.data() + at, text.data() + text.size(), value);
  return value;
}

} // namespace

cpu_sample parse_proc_stat(std::string_view text) {
  if (!text.starts_with("cpu ")) return {};
  std::istringstream in{std::string{text.substr(4, text.find('\n') - 4)}};
  cpu_sample sample;
  // user nice system idle iowait irq softirq steal; guest times are part of user already
  std::uint64_t value = 0;
  for (int field = 0; field < 8 && in >> value; ++field) {
    sample.total += value;
    if (field != 3 && field != 4) sample.busy += value;
  }
  return sample;
}

std::uint32_t parse_memory_permille(std::string_view text) {
  const auto total = number_after(text, "MemTotal:"), available = number_after(text, "MemAvailable:");
  if (total == 0) return 0;
  return static_cast<std::uint32_t>((total - std::min(available, total)) * 1000 / total);
}

std::uint32_t cpu_permille_between(cpu_sample before, cpu_sample after) {
  if (after.total <= before.total || after.busy < before.busy) return 0;
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(1000, (after.busy - before.busy) * 1000 / (after.total - before.total)));
}

host_load load_reader::read() {
  const auto now = parse_proc_stat(read_file("/proc/stat"));
  host_load load{cpu_permille_between(last_, now), parse_memory_permille(read_file("/proc/meminfo"))};
  last_ = now;
  return load;
}

} // namespace poseidon
