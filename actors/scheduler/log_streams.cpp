#include "actors/scheduler/log_streams.hpp"

namespace poseidon {

void open_logs(scheduler_state& s, const open_log_stream& request, bounded_promise<stream_opened> promise) {
  ask(
      s.self, s.deps.ledger, s.deps.ledger_timeout, get_instance{request.what.instance},
      [&s, request, promise](row_ptr row) {
        const auto& id = request.what.instance.value;
        if (!row) return promise.answer(failure{errc::unknown_instance, "no instance " + id, {}, {}, {}});
        if (!is_live(*row)) return promise.answer(failure{errc::instance_ended, "instance " + id + " has ended", {}, {}, {}});
        auto node = s.node_of(*row);
        if (!node) return promise.answer(failure{errc::engine_unavailable, "the node of instance " + id + " can't be reached", 2'000, {}, {}});
        ask(
            s.self, node, s.deps.node_timeout, request, [promise](stream_opened opened) { promise.answer(std::move(opened)); },
            [promise](failure why) { promise.answer(std::move(why)); });
      },
      [promise](failure why) { promise.answer(std::move(why)); });
}

} // namespace poseidon
