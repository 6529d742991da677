#include "nodes/runtime/engine/docker_core.hpp"

#include <spdlog/spdlog.h>

namespace poseidon::engine {

void warn(const std::string& words) { spdlog::warn("runtime: {}", words); }

docker_core::docker_core(docker_options options, std::string socket_path)
    : options_(std::move(options)), owner_{options_.cluster, options_.node}, starts_(options_.concurrent_starts),
      removes_(options_.concurrent_removes), pulls_(options_.concurrent_pulls), io_(std::make_unique<asio::io_context>(1)),
      client_(std::make_unique<engine_client>(*io_, std::move(socket_path), 64, options_.call_timeout)) {}

docker_core::~docker_core() {
  // Frames go first (they use everything else), and with them the connections; descriptors must not outlive the
  // context.
  client_->drop_idle();
  for (auto& [id, container] : by_id_)
    container->pidfd.reset();
  for (auto& [key, group] : groups_)
    for (auto& [service, container] : group->containers)
      container->pidfd.reset();
  io_.reset();
}

group_ptr docker_core::group_at(const group_key& key) {
  auto& place = groups_[key];
  if (!place) place = std::make_shared<group_record>();
  return place;
}

group_ptr docker_core::known_group(const group_key& key) const {
  auto found = groups_.find(key);
  return found == groups_.end() ? nullptr : found->second;
}

void docker_core::drop_if_idle(const group_key& key) {
  auto found = groups_.find(key);
  if (found == groups_.end()) return;
  auto& group = *found->second;
  if (group.turn.idle() && group.enders == 0 && group.containers.empty()) groups_.erase(found);
}

task<void> docker_core::pause(millis span, steady_time deadline) {
  asio::steady_timer timer(*io_, sooner(deadline, span));
  boost::system::error_code ignored;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

bool docker_core::ours(const container_info& container, const group_key& key, const std::string& service) const {
  auto found = container.labels.find(labels::service);
  return group_of(owner_, container.labels) == key && found != container.labels.end() && found->second == service;
}

} // namespace poseidon::engine
