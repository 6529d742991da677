#include "actors/log/jetstream/jetstream_log.hpp"

#include "actors/kit/handlers.hpp"
#include "actors/log/jetstream/jetstream_front.hpp"

namespace poseidon {

void jetstream_front::start(std::unique_ptr<log_transport> over) {
  writer = mint<writer_id>(*deps.random);
  window.emplace(writer, deps.options.appends);
  plan.emplace(deps.options.link);
  recent.emplace(deps.options.recent);
  trouble = {errc::ledger_unavailable, "the log is not connected yet", 1'000, {}, {}};
  transport = std::move(over);
  transport->start([to = caf::actor_cast<caf::weak_actor_ptr>(self->ctrl())](transport_event what) {
    if (auto alive = caf::actor_cast<caf::strong_actor_ptr>(to))
      caf::anon_send(caf::actor_cast<jetstream_log_actor>(alive), transport_news{std::move(what)});
  });
  wake();
}

void jetstream_front::append(const append_to_log& m) {
  if (!plan->is_open()) {
    for (const auto& what : m.entries) self->send(m.from, log_append_failed{what->id, trouble});
    return;
  }
  tell_failed(window->push(m));
  pump();
}

void jetstream_front::pump() {
  if (!plan->is_open()) return;
  for (auto& message : window->take(deps.time->boot_now(), order.mark())) transport->publish(plan->link(), std::move(message));
  rearm();
}

void jetstream_front::tell_failed(std::vector<failed_append> failed) {
  for (auto& f : failed) self->send(f.to, std::move(f.what));
}

void jetstream_front::when_decided(std::function<void()> question) {
  if (decided) question();
  else waiting.push_back(std::move(question));
}

caf::result<outcome<log_extent>> jetstream_front::follow(const follow_log& m) {
  auto answer = self->make_response_promise<outcome<log_extent>>();
  when_decided([this, m, answer] { follow_now(m, answer); });
  return answer;
}

void jetstream_front::follow_now(const follow_log& m, caf::typed_response_promise<outcome<log_extent>> answer) {
  const auto refusal = plan->is_open() ? refuse_follow(extent, m.after) : std::optional{trouble};
  if (refusal) {
    answer.deliver(outcome<log_extent>{*refusal});
    return;
  }
  if (!followers.find(m.sink.address())) self->monitor(m.sink);
  answer.deliver(outcome<log_extent>{extent}); // before the first batch
  deliver_to(followers.follow(m.sink, m.after));
}

void jetstream_front::consumed(const log_consumed& m) {
  followers.consumed(m.sink, m.sequence);
  if (auto* follower = followers.find(m.sink.address())) deliver_to(*follower);
}

void jetstream_front::deliver_to(log_follower& follower) {
  if (!plan->is_open()) return;
  if (lost_place(follower, extent)) {
    follower.halted = true;
    return self->send(follower.sink, log_connection{true});
  }
  while (auto count = sendable(follower, extent.last)) {
    if (!recent->holds(follower.sent + 1)) {
      follower.reading = true;
      reads.emplace(next_token, open_read{follower.sink.address(), follower.sent, {}});
      return transport->read(next_token++, follower.sent, count);
    }
    auto batch = std::make_shared<const std::vector<logged_entry>>(recent->copy(follower.sent + 1, count));
    follower.sent += batch->size();
    self->send(follower.sink, log_batch{std::move(batch), extent.last});
  }
}

caf::result<outcome<logged_entry>> jetstream_front::read(const read_log& m) {
  auto answer = self->make_response_promise<outcome<logged_entry>>();
  when_decided([this, sequence = m.sequence, answer] { read_now(sequence, answer); });
  return answer;
}

void jetstream_front::read_now(std::uint64_t sequence, read_promise answer) {
  if (!plan->is_open()) {
    answer.deliver(outcome<logged_entry>{trouble});
  } else if (sequence < extent.first || sequence > extent.last) {
    answer.deliver(outcome<logged_entry>{failure{errc::not_found, "the log has no entry " + std::to_string(sequence), {}, {}, {}}});
  } else if (recent->holds(sequence)) {
    answer.deliver(outcome<logged_entry>{recent->copy(sequence, 1).front()});
  } else {
    reads.emplace(next_token, open_read{{}, sequence - 1, answer});
    transport->read(next_token++, sequence - 1, 1);
  }
}

caf::result<outcome<log_extent>> jetstream_front::get_extent() {
  auto answer = self->make_response_promise<outcome<log_extent>>();
  when_decided([this, answer]() mutable { answer.deliver(plan->is_open() ? outcome<log_extent>{extent} : outcome<log_extent>{trouble}); });
  return answer;
}

caf::result<outcome<done>> jetstream_front::trim(const trim_log& m) {
  auto answer = self->make_response_promise<outcome<done>>();
  const auto before = std::min(m.before, extent.last); // the last one stays: the log goes on after it
  if (!plan->is_open()) return answer.deliver(outcome<done>{trouble}), answer;
  if (before <= extent.first) return answer.deliver(outcome<done>{done{}}), answer;
  trims.emplace(next_token, open_trim{before, answer});
  transport->trim(next_token++, before);
  return answer;
}

namespace {

jetstream_log_actor::behavior_type front_behavior(jetstream_log_actor::stateful_pointer<jetstream_front> self, jetstream_front_deps deps,
                                                  std::shared_ptr<std::unique_ptr<log_transport>> transport) {
  auto& s = self->state;
  s.self = self;
  s.deps = std::move(deps);
  install_handlers(self, jetstream_front::name);
  self->set_down_handler([self](const caf::down_msg& m) { self->state.followers.drop(m.source); });
  s.start(std::move(*transport));
  return {
      [self](const append_to_log& m) { self->state.append(m); },
      [self](const follow_log& m) { return self->state.follow(m); },
      [self](const log_consumed& m) { self->state.consumed(m); },
      [self](const read_log& m) { return self->state.read(m); },
      [self](const get_log_extent&) { return self->state.get_extent(); },
      [self](const trim_log& m) { return self->state.trim(m); },
      [self](const transport_news& m) { std::visit([self](const auto& what) { self->state.on(what); }, m.what); },
      [self](const timer_due&) {
        self->state.armed.reset();
        self->state.wake();
      },
  };
}

} // namespace

log_actor spawn_jetstream_front(caf::actor_system& system, jetstream_front_deps deps, std::unique_ptr<log_transport> transport) {
  return system.spawn(front_behavior, std::move(deps), std::make_shared<std::unique_ptr<log_transport>>(std::move(transport)));
}

} // namespace poseidon
