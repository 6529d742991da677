// A container's output, as it comes.

#include "nodes/runtime/engine/docker_core.hpp"

#include "nodes/runtime/engine/log_frames.hpp"

namespace poseidon::engine {

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
  http_request ask;
  ask.target = "/containers/" + container->id + "/logs?stdout=1&stderr=1&follow=" + (request.follow ? "1" : "0") +
               "&tail=" + (request.tail_lines < 0 ? std::string("all") : std::to_string(request.tail_lines));
  log_demux demux;
  std::function<bool(std::string_view)> sink = [&](std::string_view bytes) {
    for (auto& piece : demux.feed(bytes)) {
      log_chunk now;
      now.service = container->service;
      now.text = std::move(piece.text);
      now.error_stream = piece.error_stream;
      chunk(now);
    }
    return true;
  };
  auto reply = co_await client_->stream(ask, deadline, millis(0), control, sink);
  if (!control->cancelled && !reply.ok()) co_return reply.why(engine_call::inspect, container->service);
  log_chunk last;
  last.service = container->service;
  last.end = true;
  chunk(last);
  co_return done();
}

} // namespace poseidon::engine
