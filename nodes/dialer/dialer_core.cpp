#include "nodes/dialer/dialer_core.hpp"

#include <cstring>

namespace poseidon {
namespace {

using dialer_wire::op;
using dialer_wire::request;
using dialer_wire::status;

constexpr std::size_t targets_max = 8192;
constexpr int attempts_max = 3; ///< a handle may be evicted between two packets, but not for ever

failure failed_with(errc code, std::string detail) { return {code, std::move(detail), {}, {}, {}}; }

failure to_failure(const dialer_wire::reply& got) {
  const auto reason = got.error ? std::string{": "} + std::strerror(got.error) : std::string{};
  switch (got.status) {
  case status::ok: return {};
  case status::malformed: return failed_with(errc::bad_request, "the dialer refused the request as malformed");
  case status::unknown_handle: return failed_with(errc::capacity_exhausted, "more instances than the dialer has descriptors for");
  case status::gone: return failed_with(errc::service_died, "the service's process has ended");
  case status::mismatch: return failed_with(errc::service_died, "the service's pid belongs to another process now");
  case status::denied: return failed_with(errc::operation_not_permitted, "the dialer lacks the privilege; start as root" + reason);
  case status::exhausted: return failed_with(errc::capacity_exhausted, "out of descriptors" + reason);
  case status::failed: break;
  }
  if (got.error == ECONNREFUSED) return failed_with(errc::instance_not_running, "nothing listens on the service's port");
  return failed_with(errc::internal, "the dialer failed" + reason);
}

} // namespace

void dialer_client::core::submit(job_ptr asked, millis timeout) {
  active_.emplace(asked.get(), asked);
  if (stopped_) return finish(asked, failed_with(errc::shutting_down, "the dialer's client is stopped"));
  asked->timer.expires_after(timeout);
  asked->timer.async_wait([self = shared_from_this(), asked](boost::system::error_code error) {
    if (!error) self->finish(asked, failed_with(errc::request_timeout, "no answer in time"));
  });
  begin(asked);
}

void dialer_client::core::begin(const job_ptr& asked) {
  if (asked->done) return;
  const auto& where = asked->where;
  if (where.pid == 0 && !where.address.empty() && asked->connected) return begin_by_address(asked);
  if (where.pid <= 1 || where.start_ticks == 0 || where.cgroup.size() > dialer_wire::cgroup_bytes_max ||
      (asked->connected && asked->port == 0))
    return finish(asked, failed_with(errc::bad_request, "not an endpoint that can be reached"));
  if (!socket_.is_open())
    return finish(asked, failed_with(errc::shutting_down, lost_why_.empty() ? "there is no dialer" : lost_why_));
  if (++asked->attempts > attempts_max)
    return finish(asked, failed_with(errc::capacity_exhausted, "more instances in use than the dialer has descriptors for"));
  auto* found = find_or_make(asked);
  if (found->handle != 0) return use(*found, asked);
  found->waiting.push_back(asked);
  if (found->waiting.size() > 1) return;
  request packet;
  packet.what = asked->open;
  packet.id = next_id_++;
  packet.pid = where.pid;
  packet.start_ticks = where.start_ticks;
  packet.cgroup_bytes = static_cast<std::uint16_t>(where.cgroup.size());
  std::memcpy(packet.cgroup, where.cgroup.data(), where.cgroup.size());
  expected_.emplace(packet.id, expected{nullptr, found->key, op::open});
  send(packet);
}

void dialer_client::core::use(target& found, const job_ptr& asked) {
  request packet;
  packet.what = asked->connected ? op::socket : op::signal;
  packet.id = next_id_++;
  packet.handle = found.handle;
  packet.port = asked->port;
  packet.signo = asked->signo;
  expected_.emplace(packet.id, expected{asked, found.key, packet.what});
  send(packet);
}

dialer_client::core::target* dialer_client::core::find_or_make(const job_ptr& asked) {
  const target_key key{asked->where.pid, asked->where.start_ticks};
  if (const auto known = by_key_.find(key); known != by_key_.end()) {
    targets_.splice(targets_.begin(), targets_, known->second);
    // Another control group asked for: what was proved does not answer for it.
    if (known->second->cgroup == asked->where.cgroup || !known->second->waiting.empty()) return &*known->second;
    forget(key);
  }
  targets_.push_front(target{key, asked->where.cgroup, 0, {}});
  by_key_.emplace(key, targets_.begin());
  shrink();
  return &targets_.front();
}

void dialer_client::core::forget(const target_key& key) {
  const auto known = by_key_.find(key);
  if (known == by_key_.end()) return;
  if (known->second->handle != 0) {
    request packet;
    packet.what = op::close;
    packet.id = next_id_++;
    packet.handle = known->second->handle;
    send(packet); // its reply is awaited by nobody
  }
  targets_.erase(known->second);
  by_key_.erase(known);
}

void dialer_client::core::shrink() {
  while (targets_.size() > targets_max && targets_.back().waiting.empty()) forget(targets_.back().key);
}

void dialer_client::core::on_opened(const target_key& key, const dialer_wire::reply& got) {
  const auto known = by_key_.find(key);
  if (known == by_key_.end()) return;
  const auto waiting = std::exchange(known->second->waiting, {});
  if (got.status != status::ok) {
    forget(key);
    for (const auto& asked : waiting) finish(asked, to_failure(got));
    return;
  }
  known->second->handle = got.handle;
  for (const auto& asked : waiting) {
    if (asked->done) continue;
    if (asked->where.cgroup == known->second->cgroup) use(*known->second, asked);
    else finish(asked, failed_with(errc::service_died, "the service's pid belongs to another control group"));
  }
}

void dialer_client::core::on_used(const job_ptr& asked, const expected& what, const dialer_wire::reply& got, unique_fd passed) {
  if (got.status == status::unknown_handle || got.status == status::gone) {
    if (const auto known = by_key_.find(what.key); known != by_key_.end() && known->second->waiting.empty()) {
      known->second->handle = 0;
      if (got.status == status::gone) forget(what.key);
    }
  }
  if (asked->done) return;
  if (got.status == status::unknown_handle) return begin(asked);
  if (got.status != status::ok) return finish(asked, to_failure(got));
  if (what.what == op::signal) return finish(asked, {});
  if (!passed) return finish(asked, failed_with(errc::capacity_exhausted, "this process is out of descriptors"));
  finish_connect(asked, std::move(passed));
}

void dialer_client::core::on_reply(const dialer_wire::reply& got, unique_fd passed) {
  const auto found = expected_.find(got.id);
  if (found == expected_.end()) return;
  const auto what = std::move(found->second);
  expected_.erase(found);
  if (what.what == op::open) on_opened(what.key, got);
  else on_used(what.asker, what, got, std::move(passed));
}

void dialer_client::core::finish(const job_ptr& asked, failure failed, unique_fd fd) {
  if (asked->done) return;
  asked->done = true;
  asked->timer.cancel();
  boost::system::error_code ignored;
  asked->connecting.close(ignored);
  const auto keep = asked; // `asked` may be the map's own copy
  active_.erase(keep.get());
  if (keep->connected) {
    auto done = std::exchange(keep->connected, nullptr);
    if (failed) done(std::move(failed));
    else done(std::move(fd));
  } else if (keep->signalled) {
    std::exchange(keep->signalled, nullptr)(std::move(failed));
  }
}

} // namespace poseidon
