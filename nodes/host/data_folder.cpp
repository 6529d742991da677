#include "nodes/host/data_folder.hpp"

#include "nodes/dialer/unique_fd.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <grp.h>
#include <iterator>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

namespace poseidon {

namespace {

failure told(errc code, const std::string& what, int error) { return {code, what + ": " + std::strerror(error), {}, {}, {}}; }

errc code_of(int error) {
  if (error == EACCES || error == EPERM || error == EROFS) return errc::operation_not_permitted;
  return error == ENOSPC || error == EDQUOT ? errc::no_space : errc::internal;
}

failure write_synced(const std::string& file, unsigned mode, const std::string& group, std::string_view bytes) {
  const std::string draft = file + ".new";
  const unique_fd fd{::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)};
  if (fd.get() < 0) return told(code_of(errno), "cannot write " + draft, errno);
  const bool written = write_all(fd.get(), bytes);
  if (const auto* entry = group.empty() ? nullptr : ::getgrnam(group.c_str())) {
    if (::fchown(fd.get(), static_cast<uid_t>(-1), entry->gr_gid) != 0 && errno != EPERM) return told(code_of(errno), "cannot hand over " + draft, errno);
  }
  if (!written || ::fchmod(fd.get(), mode) != 0 || ::fsync(fd.get()) != 0 || ::rename(draft.c_str(), file.c_str()) != 0)
    return told(code_of(errno), "cannot write " + file, errno);
  return {};
}

} // namespace

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

failure prepare_socket_folder(const std::string& path, const std::string& user, const std::string& setting) {
  const auto folder = std::filesystem::path{path}.parent_path();
  std::error_code error;
  if (!std::filesystem::create_directories(folder, error)) {
    if (error) return {code_of(error.value()), "cannot make " + folder.string() + " for a socket: " + error.message() + "; set " + setting, {}, {}, {}};
    return {};
  }
  const auto* entry = ::geteuid() == 0 ? ::getpwnam(user.c_str()) : nullptr;
  if (entry != nullptr && ::lchown(folder.c_str(), entry->pw_uid, entry->pw_gid) != 0)
    return told(errc::operation_not_permitted, "cannot hand " + folder.string() + " to user " + user, errno);
  return {};
}

failure write_line(const std::string& file, const std::string& text) { return write_synced(file, 0644, "", text + "\n"); }

failure write_secret(const std::string& file, const secret& text) { return write_synced(file, 0600, "", text.reveal() + "\n"); }

failure write_file(const std::string& file, unsigned mode, std::string_view bytes) { return write_synced(file, mode, "", bytes); }

failure prepare_data_folder(const std::string& path, const std::string& user) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) return {code_of(error.value()), "cannot make the data folder " + path + ": " + error.message() + "; name another with --data", {}, {}, {}};
  if (::access(path.c_str(), R_OK | W_OK | X_OK) != 0) return told(errc::operation_not_permitted, "cannot use the data folder " + path, errno);
  const auto* entry = ::geteuid() == 0 ? ::getpwnam(user.c_str()) : nullptr;
  if (::geteuid() == 0 || ::access(path.c_str(), W_OK) == 0) ::chmod(path.c_str(), 0750);
  if (entry == nullptr) return {};
  const auto hand_over = [&](const std::string& each) { return ::lchown(each.c_str(), entry->pw_uid, entry->pw_gid) == 0; };
  bool handed = hand_over(path);
  for (const auto& each : std::filesystem::directory_iterator{path, error}) handed = hand_over(each.path().string()) && handed;
  if (!handed || error) return told(errc::operation_not_permitted, "cannot hand " + path + " to user " + user, errno);
  return {};
}

outcome<secret> read_or_make_secret(const std::string& file, unsigned mode, const std::string& group, const std::function<std::string()>& make) {
  if (std::ifstream in{file}; in) {
    std::string text{std::istreambuf_iterator<char>{in}, {}};
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
    if (!text.empty()) return secret{std::move(text)};
  } else if (::access(file.c_str(), F_OK) == 0) {
    return told(errc::operation_not_permitted, "cannot read " + file, errno);
  }
  auto text = make();
  if (auto failed = write_synced(file, mode, group, text + "\n")) return failed;
  return secret{std::move(text)};
}

} // namespace poseidon
