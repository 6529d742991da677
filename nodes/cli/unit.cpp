#include "nodes/cli/unit.hpp"

#include "config/settings_load.hpp"
#include "nodes/host/data_folder.hpp"

#include <cerrno>
#include <filesystem>
#include <grp.h>
#include <pwd.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ; // NOLINT

namespace poseidon::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* usual_data = "/var/lib/poseidon";
constexpr const char* installed_program = "/usr/local/bin/poseidon";

failure failed(std::string what) { return {errc::internal, std::move(what), {}, {}, {}}; }

bool run_command(const std::vector<std::string>& command) {
  std::vector<char*> words;
  for (auto& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  pid_t child = 0;
  if (::posix_spawnp(&child, words[0], nullptr, nullptr, words.data(), environ) != 0) return false;
  int status = 0;
  while (::waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return false;
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

failure run(const unit_place& at, const std::vector<std::string>& command) {
  if (at.run(command)) return {};
  std::string line;
  for (auto& word : command) line += (line.empty() ? "" : " ") + word;
  return failed("this failed: " + line);
}

failure make_user(const unit_place& at, const std::string& user) {
  if (::getpwnam(user.c_str()) == nullptr)
    if (auto wrong = run(at, {"useradd", "--system", "--home-dir", usual_data, "--shell", "/usr/sbin/nologin", user})) return wrong;
  if (::getgrnam("docker") != nullptr) return run(at, {"usermod", "-aG", "docker", user});
  return {};
}

failure copy_program(const unit_place& at) {
  const auto to = at.root + installed_program;
  std::error_code error;
  if (fs::equivalent(at.program, to, error)) return {};
  const auto draft = to + ".new";
  fs::create_directories(fs::path{to}.parent_path(), error);
  // A link would be copied as what it names; the running program can't be written over, but it can be replaced.
  if (!fs::copy_file(at.program, draft, fs::copy_options::overwrite_existing, error)) return failed("cannot write " + draft + ": " + error.message());
  fs::permissions(draft, fs::perms{0755}, error);
  fs::rename(draft, to, error);
  return error ? failed("cannot write " + to + ": " + error.message()) : failure{};
}

failure write_where_missing(const std::string& file, unsigned mode, std::string_view text) {
  std::error_code error;
  return fs::exists(file, error) ? failure{} : write_file(file, mode, text);
}

failure write_settings(const unit_place& at, const config::settings& settings) {
  const auto folder = at.root + "/etc/poseidon";
  std::error_code error;
  fs::create_directories(folder + "/challenges", error);
  if (error) return failed("cannot make " + folder + ": " + error.message());
  const auto file = folder + "/poseidon.yml";
  if (auto wrong = write_where_missing(file, 0640, config::example_file())) return wrong;
  if (const auto* user = ::getpwnam(settings.user.c_str()); user != nullptr && ::geteuid() == 0)
    if (::chown(file.c_str(), static_cast<uid_t>(-1), user->pw_gid) != 0) return failed("cannot hand over " + file);
  return write_where_missing(folder + "/environment", 0644, "POSEIDON_ENGINE=" + settings.engine + "\n");
}

failure write_unit(const unit_place& at, const config::settings& settings) {
  const auto folder = at.root + "/etc/systemd/system";
  std::error_code error;
  fs::create_directories(folder, error);
  if (auto wrong = write_file(folder + "/poseidon.service", 0644, unit_text())) return wrong;
  const auto drop_in = folder + "/poseidon.service.d";
  const auto data = fs::absolute(settings.data).lexically_normal().string();
  if (data == usual_data) return {};
  fs::create_directories(drop_in, error);
  return write_file(drop_in + "/data.conf", 0644, "[Service]\nEnvironment=POSEIDON_DATA=" + data + "\nReadWritePaths=" + data + "\n");
}

} // namespace

unit_place this_machine() { return {{}, "/proc/self/exe", run_command}; }

failure can_install_unit(const unit_place& at) {
  std::error_code error;
  if (!fs::is_directory(at.root + "/run/systemd/system", error))
    return {errc::bad_request, "--unit needs a machine that runs systemd: this one does not; join without it, and start poseidon serve by what starts services here", {}, {}, {}};
  if (at.root.empty() && ::geteuid() != 0) return {errc::bad_request, "--unit installs a service: run it as root", {}, {}, {}};
  return {};
}

failure install_unit(const unit_place& at, const config::settings& settings) {
  if (auto wrong = make_user(at, settings.user)) return wrong;
  if (auto wrong = copy_program(at)) return wrong;
  if (auto wrong = write_settings(at, settings)) return wrong;
  return write_unit(at, settings);
}

failure start_unit(const unit_place& at) {
  for (const auto& command : {std::vector<std::string>{"systemctl", "daemon-reload"}, {"systemctl", "enable", "poseidon"}, {"systemctl", "restart", "poseidon"}})
    if (auto wrong = run(at, command)) return wrong;
  return {};
}

} // namespace poseidon::cli
