#include "nodes/host/kept_logs.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fcntl.h>
#include <fstream>
#include <sstream>
#include <sys/stat.h>
#include <unistd.h>

namespace poseidon {
namespace {

constexpr std::string_view suffix = ".log";

bool is_file_name(std::string_view id) {
  return !id.empty() && id.front() != '.' && id.size() <= 128 && id.find('/') == std::string_view::npos && id.find('\0') == std::string_view::npos;
}

failure system_failure(const std::string& path) {
  const auto code = errno == ENOSPC || errno == EDQUOT ? errc::no_space : errno == EACCES || errno == EPERM ? errc::operation_not_permitted : errc::internal;
  return {code, path + ": " + std::strerror(errno), {}, {}, {}};
}

failure write_whole(const std::string& path, std::string_view text) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return system_failure(path);
  failure failed;
  while (!text.empty() && !failed) {
    const auto n = ::write(fd, text.data(), text.size());
    if (n > 0) text.remove_prefix(static_cast<std::size_t>(n));
    else if (errno != EINTR) failed = system_failure(path);
  }
  ::close(fd);
  return failed;
}

} // namespace

std::string_view last_part(std::string_view text, std::uint64_t bytes) {
  if (text.size() <= bytes) return text;
  const auto from = text.size() - bytes;
  text.remove_prefix(from - 1); // with the byte before: whether it ends a line
  const auto line = text.find('\n');
  return line == std::string_view::npos || line + 1 == text.size() ? text.substr(1) : text.substr(line + 1);
}

std::string_view last_lines(std::string_view text, std::uint32_t lines) {
  if (lines == 0 || text.empty()) return text;
  auto at = text.back() == '\n' ? text.size() - 1 : text.size();
  for (; lines > 0; --lines) {
    const auto before = at == 0 ? std::string_view::npos : text.rfind('\n', at - 1);
    if (before == std::string_view::npos) return text;
    at = before;
  }
  return text.substr(at + 1);
}

std::vector<std::string> logs_to_forget(std::vector<kept_log_file> files, const kept_log_bounds& bounds, wall_time now) {
  std::sort(files.begin(), files.end(), [](const kept_log_file& a, const kept_log_file& b) {
    return a.written_at != b.written_at ? b.written_at < a.written_at : a.name < b.name;
  });
  std::vector<std::string> names;
  std::uint64_t bytes = 0;
  for (auto& file : files) {
    bytes += file.bytes;
    if (bytes > bounds.bytes_all || now - file.written_at > bounds.keep) names.push_back(std::move(file.name));
  }
  return names;
}

kept_logs::kept_logs(std::string folder, kept_log_bounds bounds) : folder_(std::move(folder)), bounds_(bounds) {}

failure kept_logs::keep(const instance_id& instance, std::string_view text) const {
  if (!is_file_name(instance.value)) return {errc::internal, "no file can have the name of instance " + instance.value, {}, {}, {}};
  if (::mkdir(folder_.c_str(), 0700) != 0 && errno != EEXIST) return system_failure(folder_);
  const auto path = folder_ + "/" + instance.value, temporary = path + ".new";
  auto failed = write_whole(temporary, last_part(text, bounds_.bytes_each));
  if (!failed && ::rename(temporary.c_str(), (path + std::string{suffix}).c_str()) != 0) failed = system_failure(path);
  if (failed) ::unlink(temporary.c_str());
  return failed;
}

outcome<std::string> kept_logs::read(const instance_id& instance, std::uint32_t lines) const {
  const failure none{errc::unknown_instance, "no logs are kept of instance " + instance.value, {}, {}, {}};
  if (!is_file_name(instance.value)) return none;
  std::ifstream file(folder_ + "/" + instance.value + std::string{suffix}, std::ios::binary);
  if (!file) return none;
  std::stringstream text;
  text << file.rdbuf();
  return std::string{last_lines(text.view(), lines)};
}

std::size_t kept_logs::forget(wall_time now) const {
  namespace fs = std::filesystem;
  std::vector<kept_log_file> files;
  std::error_code ignored;
  for (auto& entry : fs::directory_iterator(folder_, ignored)) {
    struct stat info {};
    if (::stat(entry.path().c_str(), &info) != 0 || !S_ISREG(info.st_mode)) continue;
    const auto written_ms = static_cast<std::int64_t>(info.st_mtim.tv_sec) * 1000 + info.st_mtim.tv_nsec / 1'000'000;
    files.push_back({entry.path().filename(), static_cast<std::uint64_t>(info.st_size), {written_ms}});
  }
  const auto names = logs_to_forget(std::move(files), bounds_, now);
  for (auto& name : names)
    if (::unlink((folder_ + "/" + name).c_str()) != 0) spdlog::warn("kept logs: {} was not removed: {}", name, std::strerror(errno));
  return names.size();
}

} // namespace poseidon
