// A container's output, as it comes.

#include "nodes/runtime/engine/docker_core.hpp"

#include "nodes/runtime/engine/log_frames.hpp"

namespace poseidon::engine {

namespace {

constexpr millis look_again{200}; ///< at a container that has ended: it may be started again

/// Hands over what has come, as few chunks as it takes.
void hand_over(std::vector<log_piece> pieces, const std::string& service, const std::function<void(const log_chunk&)>& chunk,
               stream_control& control) {
  for (std::size_t i = 0; i < pieces.size();) {
    log_chunk now;
    now.service = service;
    now.error_stream = pieces[i].error_stream;
    for (; i < pieces.size() && pieces[i].error_stream == now.error_stream; ++i)
      now.text += pieces[i].text;
    control.spend(now.text.size());
    if (!now.text.empty()) chunk(now);
  }
}

} // namespace

task<outcome<done>> docker_core::logs(log_request request, std::function<void(const log_chunk&)> chunk,
                                      std::shared_ptr<stream_control> control) {
  auto deadline = request.follow ? steady_time::max() : after(millis(30000));
  auto group = group_at(request.key);
  auto problem = co_await find_containers(group, request.key, deadline);
  if (problem) {
    drop_if_idle(request.key);
    co_return problem;
  }
  tracked_ptr container;
  for (auto& [service, one] : group->containers)
    if (request.service.empty() ? one->order == 0 : service == request.service) container = one;
  if (!container) co_return fail(errc::not_found, "the instance has no service " + request.service);
  group.reset(); // it may go meanwhile
  const bool goes_on = request.follow && request.through_restarts;
  std::string range = "&tail=" + (request.tail_lines < 0 ? std::string("all") : std::to_string(request.tail_lines));
  control->started = request.begun;
  for (;;) {
    http_request ask;
    ask.target = "/containers/" + container->id + "/logs?stdout=1&stderr=1&follow=" + (request.follow ? "1" : "0") +
                 (goes_on ? "&timestamps=1" : "") + range;
    log_demux demux(goes_on);
    std::function<bool(std::string_view)> sink = [&](std::string_view bytes) {
      hand_over(demux.feed(bytes), container->service, chunk, *control);
      return true;
    };
    auto reply = co_await client_->stream(ask, deadline, millis(0), control, sink);
    if (control->cancelled) break;
    if (reply.missing() && !control->started) break; // removed since it ended
    if (!reply.ok()) co_return reply.why(engine_call::inspect, container->service);
    control->started = nullptr;
    if (!goes_on) break;
    if (auto since = moment_after(demux.last_stamp()); !since.empty()) range = "&tail=all&since=" + since;
    bool again = co_await runs_again(request.key, container->service, control);
    if (!again) break;
  }
  log_chunk last;
  last.service = container->service;
  last.end = true;
  chunk(last);
  if (goes_on && !control->cancelled)
    co_return fail(errc::instance_ended, "the container is gone: its instance has ended, or was reset");
  co_return done();
}

task<bool> docker_core::runs_again(group_key key, std::string service, std::shared_ptr<stream_control> control) {
  for (;;) {
    co_await control->changed.wait(*io_, after(look_again));
    if (control->cancelled) co_return false;
    auto group = known_group(key);
    if (!group || group->removing || group->enders > 0) co_return false;
    auto found = group->containers.find(service);
    if (found == group->containers.end()) co_return false;
    if (found->second->running) co_return true; // or its end has not been seen yet: then its log ends at once
    if (found->second->expected) co_return false;
  }
}

} // namespace poseidon::engine
