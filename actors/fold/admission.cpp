// Admission is the fold of `start` (rule 1); `cancel` is the other end of it (rule 3).

#include "actors/fold/step.hpp"

namespace poseidon::folding {
namespace {

constexpr std::int64_t retry_when_full_ms = 5'000, retry_when_rebuilding_ms = 1'000;

void bind_key(step& st, const start_entry& e, const instance_id& id) {
  if (e.idempotency_key.empty()) return;
  st.state.bound_keys.bind({e.idempotency_key, e.body_digest, id, st.entry.at});
}

verdict existing(step& st, const start_entry& e, row_number n) {
  const auto& id = st.state.instances.at(n).id;
  bind_key(st, e, id);
  return {verdict_kind::existing, {}, id};
}

/// What an earlier start under the same key got; nothing: the key is new.
std::optional<verdict> repeated(const step& st, const start_entry& e) {
  if (e.idempotency_key.empty()) return std::nullopt;
  const auto* bound = st.state.bound_keys.find(e.idempotency_key);
  if (!bound) return std::nullopt;
  if (bound->body_digest != e.body_digest)
    return refuse(errc::idempotency_mismatch, "the idempotency key belongs to another request body");
  return verdict{verdict_kind::existing, {}, bound->instance};
}

/// Revision and spec: the challenge's present ones, or the inline spec. A restored start brings its own: it may run with them already.
std::optional<verdict> resolve(step& st, const start_entry& e, fold_row& row) {
  auto& s = st.state;
  std::string revision;
  spec_digest digest = e.spec;
  spec_ptr body = e.inline_spec;
  if (e.restored) {
    revision = e.revision;
  } else if (!e.challenge.empty()) {
    const auto found = s.challenges.find(e.challenge);
    if (found == s.challenges.end()) return refuse(errc::unknown_challenge, "no challenge " + e.challenge.value);
    if (!found->second->enabled) return refuse(errc::challenge_disabled, "challenge " + e.challenge.value + " is disabled");
    revision = found->second->revision;
    digest = found->second->spec_id;
  }
  if (auto known = s.specs.find(digest)) body = known;
  if (!body || body->services.empty()) return refuse(errc::invalid_spec, "no spec " + digest.value + " is known, and none came with the start");
  row.spec = s.specs.acquire(digest, body);
  row.source = s.specs.source(revision, digest);
  return std::nullopt;
}

fold_row_ptr new_row(const step& st, const start_entry& e) {
  auto row = std::make_shared<fold_row>();
  row->id = e.instance;
  row->owner = e.owner;
  row->key = e.key;
  row->challenge = e.challenge;
  row->host = e.host;
  row->metadata = e.metadata;
  row->flag = e.flag;
  row->created = row->changed = st.entry.at;
  row->created_at = st.entry.what->at;
  return row;
}

/// Queued behind the end of the slot's holder, whatever the queue's length.
verdict wait_behind(step& st, const start_entry& e, fold_row_ptr row, row_number holder) {
  auto& s = st.state;
  const auto id = row->id;
  row->queue_position = 1;
  const auto n = s.instances.add(std::move(row));
  count_slot(s, holder, -1);
  s.instances.set_waiter(holder, n);
  count_slot(s, holder, +1);
  ++s.waiting;
  st.touched.push_back(n);
  bind_key(st, e, id);
  return {verdict_kind::queued, {}, id};
}

/// Undoes an admission that could neither be placed nor queued.
verdict turn_away(step& st, row_number n) {
  auto& s = st.state;
  const auto missing = shortage(ready_nodes(s, {}), *s.instances.at(n).spec, s.admin.limits.per_node);
  dequeue(st, n, false);
  count_slot(s, n, -1);
  s.instances.free_slot(n);
  s.specs.release(s.instances.at(n).source->spec_id);
  s.instances.forget(n);
  std::erase(st.touched, n);
  if (s.admin.limits.queue == 0) return refuse(errc::capacity_exhausted, missing, retry_when_full_ms);
  return refuse(errc::queue_full, std::to_string(s.waiting) + " are queued already; " + missing, retry_when_full_ms);
}

/// Nobody waits: the node that would serve the newcomer if it were queued.
const node_row* at_once(const step& st, row_number n) {
  const auto& s = st.state;
  if (!s.gate_open()) return nullptr;
  const auto& row = s.instances.at(n);
  return place(ready_nodes(s, {}, images_there(st, row.id)), *row.spec, s.admin.limits);
}

verdict take_slot(step& st, const start_entry& e, fold_row_ptr row) {
  auto& s = st.state;
  const auto id = row->id;
  const auto n = s.instances.add(std::move(row));
  s.instances.hold_slot(n);
  count_slot(s, n, +1);
  if (const auto* best = s.queue.empty() ? at_once(st, n) : nullptr) {
    assign(st, n, s.nodes.at(best->name));
    bind_key(st, e, id);
    return accept(id);
  }
  enqueue(st, n);
  serve_queue(st);
  const bool queued = s.instances.at(n).phase == ledger_phase::queued;
  if (queued && s.waiting > s.admin.limits.queue && !e.restored) return turn_away(st, n);
  bind_key(st, e, id);
  return {queued ? verdict_kind::queued : verdict_kind::accepted, {}, id};
}

/// A start that was answered before the log was torn, when its slot or its key has been given to another since: never nothing.
verdict supersede(step& st, fold_row_ptr row) {
  const auto id = row->id;
  row->phase = ledger_phase::ended;
  row->reason = end_reason::superseded;
  row->ended_at = st.entry.what->at;
  st.touched.push_back(st.state.instances.add(std::move(row)));
  return accept(id);
}

row_number holder_of(const step& st, const start_entry& e) {
  return st.state.instances.find_slot(e.key, e.challenge.empty() ? e.spec.value : e.challenge.value);
}

/// It was admitted before the log was torn: whatever the gate and the limits.
verdict admit_again(step& st, const start_entry& e) {
  auto& s = st.state;
  const auto* bound = e.idempotency_key.empty() ? nullptr : s.bound_keys.find(e.idempotency_key);
  const bool key_taken = bound && bound->instance != e.instance;
  if (const auto same = s.instances.find(e.instance); same != no_row)
    return key_taken ? verdict{verdict_kind::existing, {}, e.instance} : existing(st, e, same);
  auto row = new_row(st, e);
  if (auto why = resolve(st, e, *row)) return *why;
  if (key_taken) return supersede(st, std::move(row));
  const auto holder = holder_of(st, e);
  if (holder == no_row) return take_slot(st, e, std::move(row));
  if (s.instances.at(holder).stop_mark && s.instances.waiter(holder) == no_row) return wait_behind(st, e, std::move(row), holder);
  bind_key(st, e, e.instance);
  return supersede(st, std::move(row));
}

} // namespace

verdict judge(step& st, const start_entry& e) {
  auto& s = st.state;
  note_loads(s, e.loads);
  if (e.restored) return admit_again(st, e);
  if (auto before = repeated(st, e)) return *before;
  if (s.instances.find(e.instance) != no_row) return refuse(errc::conflict, "instance id " + e.instance.value + " is taken");
  const auto holder = holder_of(st, e);
  const bool ends = holder != no_row && s.instances.at(holder).stop_mark;
  if (holder != no_row) {
    if (!ends) return existing(st, e, holder);
    if (const auto waiter = s.instances.waiter(holder); waiter != no_row) return existing(st, e, waiter);
  }
  if (!s.gate_open()) return refuse(errc::rebuilding, "the ledger waits for its nodes to register", retry_when_rebuilding_ms);
  if (s.admin.paused) return refuse(errc::paused, s.admin.pause_message.empty() ? "new starts are paused" : s.admin.pause_message);
  auto row = new_row(st, e);
  if (auto why = resolve(st, e, *row)) return *why;
  const auto undo = [&](verdict v) {
    s.specs.release(row->source->spec_id);
    return v;
  };
  if (auto over = over_limit(s, *row, ends ? holder : no_row)) return undo({verdict_kind::refused, *over, {}});
  if (!ends && any_live_node(s) && !could_ever_fit(s, *row->spec, {}))
    return undo(refuse(errc::capacity_exhausted, never_fits(s, *row->spec), retry_when_full_ms));
  return ends ? wait_behind(st, e, std::move(row), holder) : take_slot(st, e, std::move(row));
}

verdict judge(step& st, const cancel_entry& e) {
  const auto n = st.state.instances.find(e.instance);
  if (n == no_row) return refuse(errc::unknown_instance, "no instance " + e.instance.value);
  const auto& row = st.state.instances.at(n);
  if (!is_live(row)) return no_effect(errc::instance_ended, "it has ended", e.instance);
  if (row.stop_mark) return {verdict_kind::existing, {}, e.instance};
  mark_stopped(st, n, e.reason, e.actor);
  return accept(e.instance);
}

} // namespace poseidon::folding
