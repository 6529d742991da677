#include "test/nodes/runtime/private_engine.hpp"

#include "nodes/dialer/process_identity.hpp"
#include "test/support/stopped_process.hpp"

#include <nlohmann/json.hpp>

#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <set>
#include <sstream>
#include <stdexcept>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace poseidon::test {

namespace {

/// A new network namespace with its loopback up; made on a thread that then ends, so that this process stays where it
/// is.
int new_network() {
  int descriptor = -1;
  std::thread maker([&] {
    if (::unshare(CLONE_NEWNET) != 0) return;
    int any = ::socket(AF_INET, SOCK_DGRAM, 0);
    ifreq loopback{};
    std::strcpy(loopback.ifr_name, "lo");
    loopback.ifr_flags = IFF_UP | IFF_RUNNING;
    ::ioctl(any, SIOCSIFFLAGS, &loopback);
    ::close(any);
    descriptor = ::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
  });
  maker.join();
  if (descriptor < 0) throw std::runtime_error("this test needs root: it starts a Docker Engine of its own");
  return descriptor;
}

template <class Condition> bool poll_until(Condition condition, std::chrono::seconds limit) {
  auto end = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20)); // another process gives no other sign
  }
  return true;
}

std::string text_of(const std::string& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// Calls `each` with the pid of every process.
template <class Each> void each_process(Each each) {
  std::error_code ignored;
  for (auto& entry : std::filesystem::directory_iterator("/proc", ignored))
    if (auto name = entry.path().filename().string(); name.find_first_not_of("0123456789") == std::string::npos)
      each(name);
}

std::string last_words(const std::string& path) {
  auto text = text_of(path);
  return text.size() > 2000 ? text.substr(text.size() - 2000) : text;
}

constexpr const char* registry_config = R"(version: 0.1
storage: {filesystem: {rootdirectory: FOLDER/registry}}
http: {addr: "127.0.0.1:5000", secret: test}
auth: {htpasswd: {realm: test, path: FOLDER/htpasswd}}
)";

} // namespace

private_engine::private_engine(bool live_restore) : live_restore_(live_restore), network_(new_network()) { start(); }

private_engine::~private_engine() {
  try {
    stop_registry();
    if (engine_ == 0) start();
    remove_containers();
    stop();
  } catch (const std::exception& error) {
    std::cerr << "clean-up of the private engine: " << error.what() << "\n";
    if (engine_ > 0) ::kill(engine_, SIGKILL);
  }
  end_leftovers();
  ::close(network_);
}

void private_engine::forget(const std::string& container) const {
  std::filesystem::remove_all(folder_.path() + "/data/containers/" + container);
}

std::map<std::string, std::string> private_engine::shim_processes() const {
  std::map<std::string, std::string> found;
  each_process([&](const std::string& pid) {
    auto command = text_of("/proc/" + pid + "/cmdline");
    if (command.find(folder_.path() + "/") == std::string::npos) return;
    auto container = std::string(shim_container(command));
    if (!container.empty()) found[pid] = container;
  });
  return found;
}

std::set<std::string> private_engine::shims() const {
  std::set<std::string> containers;
  for (auto& [pid, container] : shim_processes())
    containers.insert(container);
  return containers;
}

/// What a killed engine leaks: shims, what they run, and mounts.
void private_engine::end_leftovers() {
  auto shims = shim_processes();
  each_process([&](const std::string& pid) {
    std::istringstream status(text_of("/proc/" + pid + "/stat"));
    std::string number, name, state, parent;
    status >> number >> name >> state >> parent;
    if (shims.count(parent)) ::kill(std::stoi(pid), SIGKILL);
  });
  for (auto& [pid, container] : shims)
    ::kill(std::stoi(pid), SIGKILL);
  std::istringstream mounts(text_of("/proc/self/mounts"));
  std::vector<std::string> ours;
  for (std::string device, path, rest; mounts >> device >> path && std::getline(mounts, rest);)
    if (path.starts_with(folder_.path() + "/")) ours.push_back(path);
  for (auto path = ours.rbegin(); path != ours.rend(); ++path)
    ::umount2(path->c_str(), MNT_DETACH);
}

pid_t private_engine::spawn(const std::vector<std::string>& command, const std::string& log) {
  std::vector<char*> arguments;
  for (auto& word : command)
    arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  int in = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  pid_t pid = ::fork();
  if (pid == 0) {
    // Between fork and exec of a program with threads: system calls only.
    ::setns(network_, CLONE_NEWNET);
    ::setsid();
    ::dup2(in, 0);
    ::dup2(out, 1);
    ::dup2(out, 2);
    ::execvp(arguments[0], arguments.data());
    ::_exit(127);
  }
  ::close(out);
  ::close(in);
  if (pid < 0) throw std::runtime_error("fork failed");
  return pid;
}

void private_engine::start() {
  auto& folder = folder_.path();
  std::vector<std::string> command = {"dockerd",        "--data-root", folder + "/data", "--exec-root",
                                      folder + "/exec", "-p",          folder + "/pid",  "-H",
                                      address()};
  if (live_restore_) command.push_back("--live-restore");
  engine_ = spawn(command, folder + "/engine.log");
  auto answers = [&] {
    try {
      unsigned status = 0;
      call("GET", "/_ping", {}, &status);
      return status == 200;
    } catch (const std::exception&) {
      return ::waitpid(engine_, nullptr, WNOHANG) == engine_;
    }
  };
  if (!poll_until(answers, std::chrono::seconds(60)) || ::kill(engine_, 0) != 0)
    throw std::runtime_error("dockerd did not start (is docker.io installed?): " + last_words(folder + "/engine.log"));
  ensure_test_image(socket());
}

void private_engine::kill() {
  ::kill(engine_, SIGKILL);
  ::waitpid(engine_, nullptr, 0);
  engine_ = 0;
  ::unlink((folder_.path() + "/pid").c_str());
  // Its containerd dies with it, but stays a zombie until somebody reaps it: the next dockerd would take it for alive.
  ::unlink((folder_.path() + "/exec/containerd/containerd.pid").c_str());
}

void private_engine::stop() {
  ::kill(engine_, SIGTERM);
  ::waitpid(engine_, nullptr, 0);
  engine_ = 0;
}

void private_engine::pause() { stop_process(engine_); }
void private_engine::go_on() { ::kill(engine_, SIGCONT); }

void private_engine::start_registry() {
  auto& folder = folder_.path();
  std::string config = registry_config;
  for (auto at = config.find("FOLDER"); at != std::string::npos; at = config.find("FOLDER"))
    config.replace(at, 6, folder);
  std::ofstream(folder + "/registry.yml") << config;
  std::ofstream(folder + "/htpasswd") << "player:$2b$04$/gCCkHpv1VCp0Eg.7e/v.e3mHdDmHNuPaRuS52wudD2343jIwMtC.\n";
  registry_ = spawn({"docker-registry", "serve", folder + "/registry.yml"}, folder + "/registry.log");
  // Only the engine is inside: a login tells whether the registry is there.
  auto answers = [&] {
    unsigned status = 0;
    call("POST", "/auth", R"({"username":"player","password":"s3cret","serveraddress":"127.0.0.1:5000"})", &status);
    return status == 200 || ::waitpid(registry_, nullptr, WNOHANG) == registry_;
  };
  if (!poll_until(answers, std::chrono::seconds(30)) || ::kill(registry_, 0) != 0)
    throw std::runtime_error("docker-registry did not start (is it installed?): " +
                             last_words(folder + "/registry.log"));
}

void private_engine::stop_registry() {
  if (registry_ == 0) return;
  ::kill(registry_, SIGTERM);
  ::waitpid(registry_, nullptr, 0);
  registry_ = 0;
}

docker_options private_engine::options(const test_cluster& cluster) const {
  auto options = cluster.options();
  options.engine = address();
  return options;
}

std::string private_engine::call(const std::string& method, const std::string& path, const std::string& body,
                                 unsigned* status, const std::string& content_type,
                                 const std::string& registry_auth) const {
  return call_engine(socket(), method, path, body, status, content_type, registry_auth);
}

void private_engine::remove_containers() {
  auto all = nlohmann::json::parse(call("GET", "/containers/json?all=1"));
  for (auto& one : all)
    call("DELETE", "/containers/" + one["Id"].get<std::string>() + "?force=1&v=1");
}

} // namespace poseidon::test
