#include "nodes/host/host_clock.hpp"

#include <fstream>
#include <sched.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <time.h>
#include <unistd.h>

namespace poseidon {

namespace {

std::int64_t read_clock_ms(clockid_t which) {
  timespec t{};
  ::clock_gettime(which, &t);
  return static_cast<std::int64_t>(t.tv_sec) * 1000 + t.tv_nsec / 1'000'000;
}

} // namespace

boot_time host_clock::boot_now() const { return {read_clock_ms(CLOCK_BOOTTIME)}; }
wall_time host_clock::wall_now() const { return {read_clock_ms(CLOCK_REALTIME)}; }

std::string read_boot_id() {
  std::ifstream in{"/proc/sys/kernel/random/boot_id"};
  std::string id;
  std::getline(in, id);
  return id;
}

machine_id read_machine_id() {
  struct stat ns {};
  ::stat("/proc/self/ns/pid", &ns);
  return {read_boot_id() + "/" + std::to_string(ns.st_ino)};
}

std::string read_host_name() {
  char name[256] = {};
  if (::gethostname(name, sizeof name - 1) != 0) return "localhost";
  return name;
}

host_size read_host_size() {
  struct sysinfo info {};
  ::sysinfo(&info);
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  const int cores = ::sched_getaffinity(0, sizeof cpus, &cpus) == 0 ? CPU_COUNT(&cpus) : 1;
  return {static_cast<std::uint64_t>(info.totalram) * info.mem_unit, static_cast<std::uint32_t>(cores) * 1000};
}

} // namespace poseidon
