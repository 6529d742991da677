#include "actors/fold/snapshot.hpp"

#include "actors/fold/step.hpp"
#include "messages/digest.hpp"
#include "messages/msgpack.hpp"

#include <algorithm>

namespace poseidon {
namespace {

constexpr std::uint32_t snapshot_schema = 1;

struct stored_spec {
  spec_digest digest;
  spec_ptr body;
};
POSEIDON_FIELDS(stored_spec, digest, body)

/// A row without its spec: that is stored once, `spec` is its place in the list.
struct stored_row {
  instance_row row;
  std::uint32_t spec = 0;
  std::string revision;
  run_id fact_run;
  std::uint64_t fact_number = 0;
  bool expiring_said = false;
  struct epoch withdrawn; ///< of a queued row: its last assignment
};
POSEIDON_FIELDS(stored_row, row, spec, revision, fact_run, fact_number, expiring_said, withdrawn)

struct stored_challenge {
  challenge_row row;
  std::uint32_t spec = 0;
};
POSEIDON_FIELDS(stored_challenge, row, spec)

struct stored_node {
  node_row row;
  std::uint32_t cpu_permille = 0, memory_permille = 0;
};
POSEIDON_FIELDS(stored_node, row, cpu_permille, memory_permille)

struct stored_copy {
  instance_id instance;
  struct epoch epoch;
  withdrawn_copy copy;
};
POSEIDON_FIELDS(stored_copy, instance, epoch, copy)

struct stored_state {
  std::uint32_t schema = snapshot_schema;
  std::uint32_t fold_version = 1;
  struct position at, inherited;
  std::uint64_t opened_at = 0;
  std::vector<stored_spec> specs;
  std::vector<stored_row> rows;
  std::vector<stored_node> nodes;
  std::vector<stored_challenge> challenges;
  std::vector<bound_key> bound_keys;
  std::uint64_t queue_turn = 0;
  std::map<owner_key, std::uint64_t> lane_turns;
  std::vector<stored_copy> withdrawn;
  std::set<node_name> awaited;
  administration admin;
  std::vector<entry_id> recent;
};
POSEIDON_FIELDS(stored_state, schema, fold_version, at, inherited, opened_at, specs, rows, nodes, challenges, bound_keys,
                queue_turn, lane_turns, withdrawn, awaited, admin, recent)

struct schema_alone {
  std::uint32_t schema = 0;
};
POSEIDON_FIELDS(schema_alone, schema)

using spec_numbers = std::map<spec_digest, std::uint32_t>;

/// Every spec in use, by digest; its place in the list is its number.
spec_numbers store_specs(const ledger_state& state, stored_state& out) {
  std::map<spec_digest, spec_ptr> used;
  state.instances.each([&](row_number, const fold_row& row) { used.emplace(row.source->spec_id, row.spec); });
  for (const auto& [id, challenge] : state.challenges) used.emplace(challenge->spec_id, challenge->spec);
  spec_numbers numbers;
  for (const auto& [digest, body] : used) {
    numbers.emplace(digest, static_cast<std::uint32_t>(out.specs.size()));
    out.specs.push_back({digest, body});
  }
  return numbers;
}

void store_rows(const ledger_state& state, const spec_numbers& numbers, stored_state& out) {
  std::vector<std::pair<const fold_row*, row_number>> rows;
  rows.reserve(state.instances.size());
  state.instances.each([&](row_number n, const fold_row& row) { rows.emplace_back(&row, n); });
  std::sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.first->id < b.first->id; });
  out.rows.reserve(rows.size());
  for (const auto& [row, n] : rows) {
    auto& stored = out.rows.emplace_back(stored_row{*row, numbers.at(row->source->spec_id), row->source->revision, row->fact_run,
                                                    row->fact_number, row->expiring_said != 0, row->epoch.empty() ? last_epoch(state, n) : epoch{}});
    stored.row.spec = nullptr;
    stored.row.source = nullptr;
  }
}

stored_state store(const ledger_state& state) {
  stored_state out;
  out.fold_version = state.fold_version;
  out.at = state.at;
  out.inherited = state.inherited;
  out.opened_at = state.opened_at;
  const auto numbers = store_specs(state, out);
  store_rows(state, numbers, out);
  for (const auto& [name, node] : state.nodes) out.nodes.push_back({*node.row, node.cpu_permille, node.memory_permille});
  for (const auto& [id, challenge] : state.challenges) {
    auto& stored = out.challenges.emplace_back(stored_challenge{*challenge, numbers.at(challenge->spec_id)});
    stored.row.spec = nullptr;
  }
  out.bound_keys = state.bound_keys.sorted();
  out.queue_turn = state.queue.turn();
  out.lane_turns = state.queue.lane_turns();
  for (const auto& [key, copy] : state.withdrawn) out.withdrawn.push_back({key.first, key.second, copy});
  out.awaited = state.awaited;
  out.admin = state.admin;
  out.recent = state.recent.ordered();
  return out;
}

/// Rows into slots and queue: what is assigned holds its slot; what is queued holds it, or waits behind the holder.
void seat_rows(ledger_state& state) {
  std::vector<row_number> queued;
  state.instances.each([&](row_number n, const fold_row& row) {
    if (row.phase == ledger_phase::queued) queued.push_back(n);
    else if (is_live(row)) state.instances.hold_slot(n);
  });
  for (const auto n : queued) {
    const auto& row = state.instances.at(n);
    const auto holder = state.instances.find_slot(row.key, slot_challenge(row));
    if (holder == no_row) {
      state.instances.hold_slot(n);
      state.queue.add(row.key, row.created, row.id, n);
    } else {
      state.instances.set_waiter(holder, n);
    }
    ++state.waiting;
  }
  state.instances.each([&](row_number n, const fold_row& row) {
    if (is_live(row) && state.instances.holds_slot(n)) folding::count_slot(state, n, +1);
  });
}

bool restore_rows(stored_state& in, ledger_state& state) {
  for (auto& stored : in.rows) {
    if (stored.spec >= in.specs.size()) return false;
    const auto& spec = in.specs[stored.spec];
    auto row = std::make_shared<fold_row>();
    static_cast<instance_row&>(*row) = std::move(stored.row);
    row->spec = state.specs.acquire(spec.digest, spec.body);
    row->source = state.specs.source(stored.revision, spec.digest);
    row->fact_run = stored.fact_run;
    row->fact_number = stored.fact_number;
    row->expiring_said = stored.expiring_said;
    const auto n = state.instances.add(std::move(row));
    if (!stored.withdrawn.empty()) state.withdrawn_epochs.emplace(n, stored.withdrawn);
  }
  return true;
}

bool restore(stored_state in, ledger_state& state) {
  state.fold_version = in.fold_version;
  state.at = in.at;
  state.inherited = in.inherited;
  state.opened_at = in.opened_at;
  state.admin = std::move(in.admin);
  for (const auto& spec : in.specs)
    if (!spec.body || spec.body->services.empty()) return false;
  if (!restore_rows(in, state)) return false;
  for (auto& node : in.nodes) {
    const auto name = node.row.name;
    state.nodes.emplace(name, fold_node{std::make_shared<node_row>(std::move(node.row)), node.cpu_permille, node.memory_permille});
  }
  for (auto& challenge : in.challenges) {
    if (challenge.spec >= in.specs.size()) return false;
    const auto& spec = in.specs[challenge.spec];
    challenge.row.spec = state.specs.acquire(spec.digest, spec.body);
    const auto id = challenge.row.id;
    state.challenges.emplace(id, std::make_shared<const challenge_row>(std::move(challenge.row)));
  }
  for (auto& key : in.bound_keys) state.bound_keys.bind(std::move(key));
  for (auto& copy : in.withdrawn) state.withdrawn.emplace(withdrawn_key{copy.instance, copy.epoch}, std::move(copy.copy));
  state.awaited = std::move(in.awaited);
  for (const auto& id : in.recent) state.recent.add(id);
  seat_rows(state);
  state.queue.restore_turns(in.queue_turn, in.lane_turns);
  return true;
}

failure unusable(errc code, std::string why) { return {code, "the snapshot can't be used: " + std::move(why), {}, {}, {}}; }

} // namespace

encoded_snapshot encode_snapshot(const ledger_state& state) {
  encoded_snapshot out;
  out.bytes = pack(store(state));
  out.digest = sha256_hex(out.bytes);
  return out;
}

outcome<ledger_state> decode_snapshot(std::string_view bytes, std::string_view digest, std::uint32_t newest) {
  if (sha256_hex(bytes) != digest) return unusable(errc::bad_request, "its digest differs");
  if (auto head = unpack<schema_alone>(bytes); head && head->schema > snapshot_schema)
    return unusable(errc::conflict, "schema " + std::to_string(head->schema) + " is of a newer Poseidon; this one reads up to " +
                                        std::to_string(snapshot_schema));
  auto stored = unpack<stored_state>(bytes);
  if (!stored) return unusable(errc::bad_request, stored.error.detail);
  if (stored->fold_version > newest)
    return unusable(errc::conflict, "the rules of version " + std::to_string(stored->fold_version) +
                                        " are in force, and this Poseidon folds up to version " + std::to_string(newest) + ": upgrade it");
  outcome<ledger_state> state{ledger_state{}};
  state->newest = newest;
  if (!restore(std::move(*stored), *state)) return unusable(errc::bad_request, "a spec is missing");
  return state;
}

} // namespace poseidon
