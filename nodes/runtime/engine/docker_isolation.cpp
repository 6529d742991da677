// Beginning: find the engine, agree on a version, and prove that an isolated container has nothing but a live loopback
// and can be reached inside.

#include "nodes/runtime/engine/docker_core.hpp"

#include "nodes/runtime/engine/probe_image.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <array>
#include <unistd.h>

namespace poseidon::engine {

namespace {

constexpr std::uint16_t probe_port = 7411; ///< as in probe.c

std::string joined(const std::set<std::string>& words) {
  std::string text;
  for (auto& word : words)
    text += (text.empty() ? "" : ", ") + word;
  return text.empty() ? "none" : text;
}

/// Reads a socket to its end (bounded), then closes it.
task<std::string> read_all(asio::io_context& io, unique_fd socket, steady_time deadline) {
  asio::posix::stream_descriptor stream(io, socket.release());
  asio::steady_timer timer(io, deadline);
  timer.async_wait([&stream](const boost::system::error_code& error) {
    if (!error) stream.cancel();
  });
  std::string text;
  std::array<char, 4096> piece;
  boost::system::error_code error;
  while (!error && text.size() < 65536) {
    auto got = co_await stream.async_read_some(asio::buffer(piece), asio::redirect_error(asio::use_awaitable, error));
    text.append(piece.data(), got);
  }
  co_return text;
}

} // namespace

/// Version and facts of the engine.
task<failure> docker_core::agree() {
  auto version = co_await client_->negotiate(after(millis(10000)));
  if (!version) co_return version.error;
  auto reply = co_await client_->get("/info", after(millis(10000)));
  auto facts = reply.ok() ? parse_facts(reply.body) : std::nullopt;
  if (!facts) co_return reply.why(engine_call::other, "engine information");
  if (facts->rootless)
    co_return fail(errc::engine_unavailable,
                   "the engine runs rootless: its containers live in a user namespace where they can't be "
                   "reached or bounded; use an engine that runs as root");
  if (!options_.oci_runtime.empty() && !facts->runtimes.count(options_.oci_runtime))
    co_return fail(errc::engine_unavailable, "runtime.oci: the engine has no OCI runtime " + options_.oci_runtime +
                                                 "; it has " + joined(facts->runtimes));
  runtime_info info;
  info.namespace_dial = bool(options_.dial);
  info.pidfd = true;
  info.disk_limits = facts->may_limit_disk();
  info.engine = std::string(facts->podman ? "podman " : "docker ") + facts->version + ", API " + to_string(*version);
  info.memory_bytes = facts->memory_bytes;
  info.cpu_millis = facts->cpus * 1000;
  disk_limits_ = info.disk_limits;
  info_ = info;
  if (!facts->live_restore && !facts->podman)
    warn("live-restore is off: a restart of the engine will stop every instance for a moment");
  co_return failure();
}

task<outcome<runtime_info>> docker_core::start() {
  auto deadline = after(millis(60000));
  if (background_ && info_) co_return *info_;
  auto problem = co_await agree();
  if (!problem) problem = co_await prove_isolation("", deadline);
  if (problem) {
    info_.reset();
    co_return problem;
  }
  if (options_.prove_isolation)
    info_->isolation = "a probe container has nothing but a live loopback, and was reached inside";
  if (!background_) {
    background_ = true;
    asio::co_spawn(*io_, follow_events(), asio::detached);
    asio::co_spawn(*io_, sweep_forever(), asio::detached);
  }
  co_return *info_;
}

/// Once for each OCI runtime.
task<failure> docker_core::prove_isolation(std::string oci_runtime, steady_time deadline) {
  if (!options_.prove_isolation || proved_.count(oci_runtime)) co_return failure();
  if (!options_.dial)
    co_return fail(errc::isolation_unproven, "there is no way to reach into a container: is the dialer running?");
  auto problem = co_await try_probe(oci_runtime, deadline);
  if (problem.detail.find("rlimit") != std::string::npos && open_files_) {
    // An engine without CAP_SYS_RESOURCE can't give more than it has itself.
    warn("the engine can't set the limit of open files for containers: they keep the engine's own");
    open_files_ = 0;
    problem = co_await try_probe(oci_runtime, deadline);
  }
  if (problem) {
    problem.detail =
        "isolation is not proved" + (oci_runtime.empty() ? "" : " for runtime " + oci_runtime) + ": " + problem.detail;
    co_return problem;
  }
  proved_.insert(oci_runtime);
  co_return failure();
}

task<failure> docker_core::try_probe(std::string oci_runtime, steady_time deadline) {
  static std::uint64_t count = 0;
  group_key key;
  key.instance.value = "probe-" + oci_runtime + "-" + std::to_string(++count) + "-" + std::to_string(::getpid());
  auto name = container_name(owner_, key, "probe");
  auto problem = co_await run_probe(name, oci_runtime, deadline);
  // The proof is there already; the removal need not be waited for.
  auto removal = [](docker_core* core, std::string victim) -> task<void> {
    auto trouble = co_await core->remove_container(victim, after(core->options_.call_timeout));
    if (trouble) warn("the probe container can't be removed: " + trouble.detail);
  };
  asio::co_spawn(*io_, removal(this, name), asio::detached);
  co_return problem;
}

/// A container made exactly as an isolated service is; its own report, fetched from inside its namespace, is the proof.
task<failure> docker_core::run_probe(std::string name, std::string oci_runtime, steady_time deadline) {
  service_spec service;
  service.image = probe_image_name();
  service.runtime = oci_runtime;
  service.limits.memory_bytes = 64ull << 20;
  service.limits.pids = 16;
  auto spec = std::make_shared<instance_spec>();
  spec->services.push_back(service);
  launch_plan plan;
  plan.key.instance.value = "probe";
  plan.spec = spec;
  create_options options;
  options.owner = owner_;
  options.open_files = open_files_;
  options.oci_runtime = options_.oci_runtime;
  options.instance_folder = instance_folder(plan.key);
  if (auto problem = write_instance_folder(plan)) co_return problem;
  auto body = create_body(plan, 0, options);
  if (!body) co_return body.error;
  auto created = co_await client_->post("/containers/create?name=" + name, *body, deadline);
  if (created.missing()) {
    auto problem = co_await import_probe(deadline);
    if (problem) co_return problem;
    created = co_await client_->post("/containers/create?name=" + name, *body, deadline);
  }
  if (!created.ok()) co_return created.why(engine_call::create, service.image);
  auto problem = co_await start_container(name, deadline);
  if (problem) co_return problem;
  auto container = co_await look(name, deadline);
  if (!container) co_return container.error;
  if (!container->running) co_return co_await early_exit(*container, deadline);
  auto hold = hold_process(container->pid, container->id);
  if (hold.pidfd >= 0) ::close(hold.pidfd);
  info_->pidfd = hold.result == hold_result::held;
  endpoint where{container_id{container->id}, container->pid, hold.start_ticks, hold.cgroup, {}, probe_port};
  auto& dial = options_.dial;
  failure last = fail(errc::isolation_unproven, "the probe container can't be reached inside");
  // Started is not yet listening: its first instructions race with ours.
  for (int attempt = 0; attempt < 100; ++attempt) {
    auto begin = [&dial, where](answer<unique_fd> connected) {
      dial(where, probe_port, millis(1000), std::move(connected));
    };
    outcome<unique_fd> late(last);
    auto socket =
        co_await await_callback<outcome<unique_fd>>(*io_, sooner(deadline, millis(1500)), begin, std::move(late));
    if (socket) {
      auto report = co_await read_all(*io_, std::move(*socket), sooner(deadline, millis(2000)));
      auto wrong = judge_probe(report);
      co_return wrong.empty() ? failure() : fail(errc::isolation_unproven, "in the probe container, " + wrong);
    }
    last = fail(errc::isolation_unproven, "the probe container can't be reached inside: " + socket.error.detail);
    if (std::chrono::steady_clock::now() >= deadline) break;
    co_await pause(millis(10), deadline);
  }
  co_return last;
}

task<failure> docker_core::import_probe(steady_time deadline) {
  auto image = probe_image_name();
  auto colon = image.find(':');
  http_request request;
  request.method = "POST";
  request.target = "/images/create?fromSrc=-&repo=" + url_encode(image.substr(0, colon)) +
                   "&tag=" + image.substr(colon + 1) + "&changes=" + url_encode("ENTRYPOINT [\"/probe\"]") +
                   "&changes=" + url_encode("EXPOSE 7411");
  request.content_type = "application/x-tar";
  std::vector<tar_file> files(1);
  files[0].name = "probe";
  files[0].content = probe_program();
  files[0].mode = 0755;
  request.body = make_tar(files);
  std::string said;
  std::function<bool(std::string_view)> sink = [&said](std::string_view bytes) {
    said += bytes;
    return true;
  };
  auto control = std::make_shared<stream_control>();
  auto reply = co_await client_->stream(request, deadline, millis(0), control, sink);
  if (!reply.ok()) co_return reply.why(engine_call::other, "import of the probe image");
  if (said.find("\"error\"") != std::string::npos)
    co_return fail(errc::engine_error, "import of the probe image: " + said.substr(0, 500));
  co_return failure();
}

} // namespace poseidon::engine
