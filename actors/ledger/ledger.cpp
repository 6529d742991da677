#include "actors/ledger/ledger.hpp"

#include "actors/kit/handlers.hpp"
#include "actors/ledger/ledger_core.hpp"

namespace poseidon {

ledger_image_ptr ledger_core::subscribe(const ledger_subscriber& sink) {
  const auto known = [&](const auto& s) { return s == sink; };
  if (std::none_of(subscribers.begin(), subscribers.end(), known)) {
    self->monitor(sink);
    subscribers.push_back(sink);
  }
  return image_of(state);
}

ledger_status ledger_core::status(bool with_digest) const {
  ledger_status s;
  s.folded = state.at;
  s.connected = connected;
  s.gate_open = state.gate_open();
  if (with_digest) s.digest = encode_snapshot(state).digest;
  s.entries = folded_entries;
  return s;
}

namespace {

void on_timer(ledger_core& core, const timer_due& m) {
  switch (m.token) {
  case ledger_core::timeouts: return core.time_out();
  case ledger_core::compaction: return core.compact();
  case ledger_core::tail_again: return core.write_tail_again();
  case ledger_core::reconnect: return core.try_again();
  case ledger_core::saying_again: return core.say_missing();
  case ledger_core::asking_again: return core.ask_again();
  default: return;
  }
}

ledger_front::behavior_type ledger_behavior(ledger_front::stateful_pointer<ledger_core> self, ledger_deps deps) {
  auto& core = self->state;
  core.self = self;
  core.deps = std::move(deps);
  install_handlers(self, ledger_core::name);
  self->set_down_handler([self](const caf::down_msg& m) {
    std::erase_if(self->state.subscribers, [&](const auto& s) { return s.address() == m.source; });
  });
  core.start();
  auto* s = &core;
  return {
      [s](append_entry& m) { return s->append(m); },
      [s](const subscribe_ledger& m) { return s->when_ready<ledger_image_ptr>([s, sink = m.sink] { return s->subscribe(sink); }); },
      [s](const get_image&) { return s->when_ready<ledger_image_ptr>([s] { return image_of(s->state); }); },
      [s](const get_instance& m) { return s->when_ready<row_ptr>([s, id = m.instance] { return find_row(s->state, id); }); },
      [s](const find_live& m) { return s->when_ready<row_ptr>([s, m] { return find_live_row(s->state, m.owner, m.challenge); }); },
      [s](const get_ledger_status& m) { return s->status(m.with_digest); },
      [s](const take_snapshot& m) { return s->snapshot_for(m); },
      [s](const log_batch& m) { s->on_batch(m); },
      [s](const log_append_failed& m) { s->failed(m); },
      [s](const log_connection& m) { s->on_connection(m); },
      [s](const timer_due& m) { on_timer(*s, m); },
      [s](const flush_appends&) { s->flush(); },
      [s](const snapshot_made& m) { s->save(m); },
      [s](const state_came& m) { s->state_arrived(m); },
  };
}

} // namespace

full_ledger_actor spawn_ledger(caf::actor_system& system, ledger_deps deps) {
  return system.spawn(ledger_behavior, std::move(deps));
}

} // namespace poseidon
