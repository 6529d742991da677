#include "actors/journal/journal.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

namespace poseidon {
namespace {

std::string holder(int fd) {
  char text[32] = {};
  auto size = ::pread(fd, text, sizeof text - 1, 0);
  std::string pid(text, size > 0 ? static_cast<std::size_t>(size) : 0);
  if (auto end = pid.find('\n'); end != pid.npos) pid.resize(end);
  return pid.empty() ? "another process" : "process " + pid;
}

void write_pid(int fd) {
  auto pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(fd, 0) == 0) [[maybe_unused]] auto written = ::pwrite(fd, pid.data(), pid.size(), 0); // for people only
}

} // namespace

outcome<std::shared_ptr<data_lock>> data_lock::take(const std::string& folder) {
  auto path = folder + "/lock";
  int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
  if (fd < 0) return failure{errc::internal, path + ": " + std::strerror(errno), {}, {}, {}};
  std::shared_ptr<data_lock> lock(new data_lock(fd));
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0)
    return failure{errc::conflict, folder + " is in use by " + holder(fd) + "; give each process a DATA folder of its own", {}, {}, {}};
  write_pid(fd);
  return lock;
}

data_lock::~data_lock() { ::close(fd_); }

} // namespace poseidon
