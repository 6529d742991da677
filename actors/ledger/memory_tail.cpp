#include "actors/kit/handlers.hpp"
#include "actors/ledger/tail.hpp"

namespace poseidon {
namespace {

failure away() { return {errc::no_space, "the disk does not answer", {}, {}, {}}; }

struct memory_tail_state {
  static constexpr const char* name = "memory_tail";
  std::shared_ptr<memory_tail_store> store;

  outcome<tail_contents_ptr> load() const {
    if (store->away) return away();
    return tail_contents_ptr{std::make_shared<const tail_contents>(store->contents)};
  }
  outcome<done> append(const append_tail& m) {
    if (store->away) return away();
    auto& entries = store->contents.entries;
    entries.insert(entries.end(), m.entries->begin(), m.entries->end());
    return done{};
  }
  outcome<done> save(const save_tail_snapshot& m) {
    if (store->away) return away();
    store->contents.snapshot = m.snapshot;
    std::erase_if(store->contents.entries, [&](const auto& e) { return e.at <= m.snapshot->at; });
    return done{};
  }
};

tail_actor::behavior_type memory_tail_behavior(tail_actor::stateful_pointer<memory_tail_state> self,
                                               std::shared_ptr<memory_tail_store> store) {
  self->state.store = std::move(store);
  install_handlers(self, memory_tail_state::name);
  return {
      [self](const load_tail&) { return self->state.load(); },
      [self](const append_tail& m) { return self->state.append(m); },
      [self](const save_tail_snapshot& m) { return self->state.save(m); },
  };
}

} // namespace

tail_actor spawn_memory_tail(caf::actor_system& system, std::shared_ptr<memory_tail_store> store) {
  return system.spawn(memory_tail_behavior, std::move(store));
}

} // namespace poseidon
