// What a killed engine leaks, and its successor does not know: processes and shims of containers of ours.

#include "nodes/runtime/engine/docker_core.hpp"

#include "nodes/dialer/process_identity.hpp"

#include <charconv>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <unistd.h>

namespace poseidon::engine {

namespace {

namespace fs = std::filesystem;

std::string text_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// Calls `each` with the pid of every process of the machine.
template <class Each> void each_process(Each each) {
  std::error_code error;
  for (fs::directory_iterator entry("/proc", error), end; !error && entry != end; entry.increment(error)) {
    auto name = entry->path().filename().string();
    std::int32_t pid = 0;
    auto [rest, wrong] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (wrong == std::errc() && rest == name.data() + name.size()) each(pid);
  }
}

std::string proc_file(std::int32_t pid, const char* name) { return "/proc/" + std::to_string(pid) + "/" + name; }

/// The shims that serve any of the containers.
std::vector<endpoint> shims_of(const std::set<std::string>& containers) {
  std::vector<endpoint> shims;
  each_process([&](std::int32_t pid) {
    auto command = text_of(proc_file(pid, "cmdline"));
    auto id = std::string(shim_container(command));
    auto ticks = containers.count(id) ? read_start_ticks(pid) : std::nullopt;
    if (!ticks) return;
    endpoint shim;
    shim.container = container_id{id};
    shim.pid = pid;
    shim.start_ticks = *ticks;
    shims.push_back(std::move(shim));
  });
  return shims;
}

} // namespace

/// Sends KILL to a container's process, and waits for its end.
task<void> docker_core::end_process(std::int32_t pid, std::string id, steady_time deadline) {
  auto hold = hold_process(pid, id);
  if (hold.result != hold_result::held) co_return;
  auto process = std::make_shared<tracked_container>();
  process->name = "a leftover of container " + id.substr(0, 12);
  process->id = id;
  process->where.container = container_id{id};
  process->where.pid = pid;
  process->where.start_ticks = hold.start_ticks;
  process->where.cgroup = hold.cgroup;
  process->pidfd = std::make_unique<asio::posix::stream_descriptor>(*io_, hold.pidfd);
  co_await signal_container(process, SIGKILL, deadline);
  asio::steady_timer timer(*io_, deadline);
  timer.async_wait([process](const boost::system::error_code& error) {
    if (!error) process->pidfd->cancel();
  });
  boost::system::error_code ignored;
  co_await process->pidfd->async_wait(asio::posix::stream_descriptor::wait_read,
                                      asio::redirect_error(asio::use_awaitable, ignored));
}

/// Ends what runs in a container without the engine's knowledge.
task<void> docker_core::end_leftovers(std::string id, steady_time deadline) {
  std::vector<std::int32_t> pids;
  each_process([&](std::int32_t pid) {
    if (text_of(proc_file(pid, "cgroup")).find(id) != std::string::npos) pids.push_back(pid);
  });
  for (auto pid : pids)
    co_await end_process(pid, id, deadline);
}

/// Ends the shim of a container that the engine has forgotten or can't begin; containerd cleans up after it.
task<failure> docker_core::end_shim(endpoint shim, steady_time deadline) {
  if (options_.end_shim) {
    auto& send = options_.end_shim;
    auto begin = [&send, shim](std::function<void(failure)> answer) { send(shim, std::move(answer)); };
    auto late = fail(errc::engine_timeout, "the signal was not sent in time");
    auto result = co_await await_callback<failure>(*io_, sooner(deadline, millis(1000)), begin, late);
    co_return result.code == errc::service_died ? failure() : result;
  }
  int pidfd = open_pidfd(shim.pid);
  bool same = pidfd >= 0 && read_start_ticks(shim.pid) == shim.start_ticks;
  auto error = same ? send_signal(pidfd, SIGKILL) : ESRCH;
  if (pidfd >= 0) ::close(pidfd);
  if (error == 0 || error == ESRCH) co_return failure();
  co_return fail(errc::operation_not_permitted, "ending a shim takes privilege");
}

/// Everything of a container that the engine does not know any more.
task<failure> docker_core::end_forgotten(std::string id, steady_time deadline) {
  co_await end_leftovers(id, deadline);
  failure problem;
  for (auto& shim : shims_of({id})) {
    auto one = co_await end_shim(shim, deadline);
    if (one) problem = one;
  }
  co_return problem;
}

/// Shims of containers that were ours and that the engine has forgotten.
std::vector<runtime_object> docker_core::find_shims(const std::set<std::string>& known) const {
  std::map<std::string, std::int64_t> orphans;
  std::set<std::string> ids;
  std::error_code error;
  for (auto& entry : fs::directory_iterator(options_.data_folder + "/containers", error)) {
    auto age = std::chrono::duration_cast<millis>(fs::file_time_type::clock::now() - entry.last_write_time(error));
    auto id = entry.path().filename().string();
    // A young one may have been made after the list.
    if (age < options_.shim_age || known.count(id) || by_id_.count(id)) continue;
    orphans[id] = age.count();
    ids.insert(id);
  }
  std::vector<runtime_object> shims;
  if (orphans.empty()) return shims;
  for (auto& where : shims_of(ids)) {
    runtime_object shim;
    shim.kind = object_kind::shim;
    shim.id = where.container.value;
    shim.name = "shim of " + shim.id.substr(0, 12);
    shim.running = true;
    shim.age_ms = orphans[shim.id];
    // Only ids that this node noted are looked for: the labels say whose they were.
    shim.labels = {{labels::cluster, owner_.cluster}, {labels::node, owner_.node}};
    shim.state.where = where;
    ids.erase(shim.id);
    shims.push_back(std::move(shim));
  }
  for (auto& id : ids)
    forget_container(id);
  return shims;
}

} // namespace poseidon::engine
