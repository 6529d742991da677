#include "nodes/serve.hpp"

#include "nodes/cli/joining.hpp"
#include "nodes/dialer/privilege.hpp"
#include "nodes/edge_link/link_doors.hpp"
#include "nodes/host/data_folder.hpp"
#include "nodes/host/host_clock.hpp"
#include "nodes/host/logging.hpp"
#include "nodes/host/service_manager.hpp"
#include "nodes/process.hpp"

#include <spdlog/spdlog.h>

#include <atomic>
#include <csignal>
#include <iostream>
#include <unistd.h>

namespace poseidon {

namespace {

constexpr int exit_fine = 0, exit_failed = 1, exit_usage = 2;

/// Takes `--join TOKEN` (or --join=TOKEN) out of the flags; empty: not given.
std::string take_join_token(std::vector<std::string>& flags) {
  for (auto at = flags.begin(); at != flags.end(); ++at) {
    if (at->starts_with("--join=")) {
      auto word = at->substr(7);
      flags.erase(at);
      return word;
    }
    if (*at != "--join" || at + 1 == flags.end()) continue;
    auto word = *(at + 1);
    flags.erase(at, at + 2);
    return word;
  }
  return {};
}

/// Nothing, after telling why, when they can't be used.
std::shared_ptr<const config::loaded_settings> read_settings(std::vector<std::string> flags, const std::map<std::string, std::string>& environment) {
  const auto told = [](const std::string& what) {
    std::cerr << "poseidon: " << what << "\n";
    return nullptr;
  };
  const auto word = take_join_token(flags);
  config::settings_input input;
  input.flags = flags;
  input.environment = environment;
  input.host_name = read_host_name();
  if (const auto file = config::settings_file(flags, environment)) {
    auto text = config::read_settings_file(*file);
    if (!text) return told(text.error.detail);
    input.file_text = std::move(*text);
    input.file_name = *file;
  }
  if (!word.empty()) {
    const auto token = config::join_token_from(word);
    if (!token) return told(token.error.detail);
    if (auto failed = cli::write_joined(*token, config::load_settings(input).values)) return told(failed.detail);
  }
  auto loaded = std::make_shared<config::loaded_settings>(cli::load_member_settings(std::move(input)));
  for (auto& problem : loaded->problems) told(problem.path + ": " + problem.detail);
  return loaded->problems.empty() ? loaded : nullptr;
}

std::string registry_logins(const std::map<std::string, std::string>& environment) {
  const auto at = [&](const char* name) {
    const auto found = environment.find(name);
    return found == environment.end() ? std::string{} : found->second;
  };
  if (const auto folder = at("DOCKER_CONFIG"); !folder.empty()) return folder + "/config.json";
  return at("HOME").empty() ? std::string{} : at("HOME") + "/.docker/config.json";
}

/// Signals that end the process are taken by sigwait alone; threads inherit the mask.
sigset_t block_end_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGUSR1); // a root died (told by the process itself)
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  return signals;
}

std::string path_of_socket(const std::string& engine) {
  constexpr std::string_view scheme = "unix://";
  return engine.starts_with(scheme) ? engine.substr(scheme.size()) : std::string{};
}

/// DATA made, privilege dropped, log on.
failure settle_in(const config::settings& settings) {
  if (auto failed = prepare_data_folder(settings.data, settings.user)) return failed;
  for (auto& address : settings.api.listen)
    if (address.is_unix())
      if (auto failed = prepare_socket_folder(address.path, settings.user, "api.listen")) return failed;
  if (settings.has(config::role::edge) && links_with_others(settings)) {
    const auto socket = link_socket(link_folder(settings.edge.link_dir, settings.cluster), settings.node);
    if (auto failed = prepare_socket_folder(socket, settings.user, "edge.link_dir")) return failed;
  }
  const std::vector<std::string> sockets{path_of_socket(settings.engine)};
  auto dropped = drop_privilege(settings.user, sockets);
  if (!dropped) return dropped.error;
  spdlog::info("{}", dropped->explanation);
  raise_descriptor_limit();
  return {};
}

/// Until a signal comes that ends the process. Feeds the service manager's watchdog, where there is one, while the actors answer.
void wait_for_the_end(const sigset_t& signals, const process& running, const std::string& notify, std::optional<millis> watchdog) {
  if (!watchdog) {
    int signal = 0;
    ::sigwait(&signals, &signal);
    return;
  }
  const timespec period{watchdog->count() / 1000, watchdog->count() % 1000 * 1'000'000};
  do {
    if (running.answers(*watchdog)) notify_service_manager(notify, "WATCHDOG=1");
    else spdlog::error("the actors did not answer within {} ms: the watchdog is not fed", watchdog->count());
  } while (::sigtimedwait(&signals, nullptr, &period) < 0);
}

int told(const failure& why) {
  spdlog::error("{}", why.detail);
  return exit_failed;
}

} // namespace

int serve(const std::vector<std::string>& flags, const std::map<std::string, std::string>& environment) {
  const auto settings = read_settings(flags, environment);
  if (!settings) return exit_usage;
  set_up_logging(std::string{to_string(settings->values.log.format)}, std::string{to_string(settings->values.log.level)});
  for (auto& warning : settings->warnings) spdlog::warn("{}", warning);

  const auto signals = block_end_signals();
  dialer_process dialer;
  if (settings->values.has(config::role::node) || settings->values.has(config::role::edge)) {
    auto started = start_dialer({.user = settings->values.user});
    if (!started) return told(started.error);
    dialer = std::move(*started);
  }
  if (auto failed = settle_in(settings->values)) return told(failed);

  std::atomic<bool> died = false;
  const auto main_thread = ::pthread_self();
  process running{{settings, std::move(dialer), registry_logins(environment), [&died, main_thread](const std::string& what) {
                     spdlog::critical("{}; the process ends, its next start takes over what runs", what);
                     died = true;
                     ::pthread_kill(main_thread, SIGUSR1);
                   }}};
  const auto addresses = running.start();
  if (!addresses) return told(addresses.error);
  std::cout << "ready api=" << addresses->api << " edge=" << addresses->edge << " node=" << addresses->node << std::endl;
  const auto found = environment.find("NOTIFY_SOCKET");
  const auto notify = found == environment.end() ? std::string{} : found->second;
  notify_service_manager(notify, "READY=1");

  wait_for_the_end(signals, running, notify, watchdog_period(environment, ::getpid()));
  notify_service_manager(notify, "STOPPING=1");
  spdlog::info("ending");
  running.stop();
  return died ? exit_failed : exit_fine;
}

} // namespace poseidon
