// Files of the node: each group's folder (mounted at /run/poseidon), and the ids of containers that we made.

#include "nodes/runtime/engine/docker_core.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

namespace poseidon::engine {

namespace {

namespace fs = std::filesystem;

failure file_failure(const std::string& path) {
  return fail(errno == ENOSPC || errno == EDQUOT ? errc::no_space : errc::internal, path + ": " + std::strerror(errno));
}

failure write_file(const std::string& path, const std::string& text, mode_t mode) {
  int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
  if (file < 0) return file_failure(path);
  bool whole = ::fchmod(file, mode) == 0;
  for (std::size_t done = 0; whole && done < text.size();) {
    auto wrote = ::write(file, text.data() + done, text.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    whole = wrote > 0;
    if (whole) done += std::size_t(wrote);
  }
  failure problem;
  if (!whole) problem = file_failure(path);
  ::close(file);
  return problem;
}

/// Writes beside, then renames: a reader sees the old text or the new one.
failure write_atomically(const std::string& path, const std::string& text, mode_t mode) {
  auto beside = path + ".new";
  auto problem = write_file(beside, text, mode);
  if (!problem && ::rename(beside.c_str(), path.c_str()) != 0) problem = file_failure(path);
  if (problem) ::unlink(beside.c_str());
  return problem;
}

/// In a folder that was made just now nobody reads yet: nothing need be replaced as a whole.
failure write_group_files(const std::string& folder, const launch_plan& plan, bool fresh) {
  const auto write = fresh ? write_file : write_atomically;
  if (auto problem = write(folder + "/instance.json", instance_file(plan), 0644)) return problem;
  if (plan.flag.empty()) return {};
  return write(folder + "/flag", plan.flag.reveal() + "\n", 0644);
}

} // namespace

std::string docker_core::instance_folder(const group_key& key) const {
  return options_.data_folder + "/instances/" + group_name(owner_, key);
}

failure docker_core::write_instance_folder(const launch_plan& plan) const {
  auto folder = instance_folder(plan.key);
  bool fresh = ::mkdir(folder.c_str(), 0755) == 0;
  if (!fresh && errno != EEXIST) { // the first one of all, or a fault
    std::error_code error;
    fs::create_directories(folder, error);
    if (error) return fail(error.value() == ENOSPC ? errc::no_space : errc::internal, folder + ": " + error.message());
  }
  // Whoever the service runs as reads it; on the host, DATA itself keeps others out.
  ::chmod(folder.c_str(), 0755);
  return write_group_files(folder, plan, fresh);
}

void docker_core::remove_instance_folder(const group_key& key) const {
  const auto folder = instance_folder(key);
  ::unlink((folder + "/instance.json").c_str());
  if (::rmdir(folder.c_str()) == 0 || errno == ENOENT) return;
  std::error_code error; // a flag, or what a crash has left
  fs::remove_all(folder, error);
  if (error) warn(folder + ": " + error.message());
}

task<outcome<done>> docker_core::update_instance_file(launch_plan_ptr plan) {
  const auto folder = instance_folder(plan->key);
  std::error_code error;
  if (!fs::is_directory(folder, error))
    co_return fail(errc::unknown_instance, "instance " + plan->key.instance.value + " has no folder on this node");
  if (auto problem = write_group_files(folder, *plan, false)) co_return problem;
  co_return done();
}

void docker_core::remember_container(const std::string& id) const {
  auto folder = options_.data_folder + "/containers";
  const auto make = [path = folder + "/" + id] { return ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600); };
  int file = make();
  if (file < 0 && errno == ENOENT) { // the first one of all
    std::error_code error;
    fs::create_directories(folder, error);
    file = make();
  }
  if (file >= 0) ::close(file);
}

void docker_core::forget_container(const std::string& id) const {
  ::unlink((options_.data_folder + "/containers/" + id).c_str());
}

} // namespace poseidon::engine
