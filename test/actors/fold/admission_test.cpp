// Admission (rule 1): slot, existing, idempotency, unknown and disabled challenges, pause, inline specs, capacity by
// reservations, the queue's bound; cancel (rule 3).

#include "test/actors/fold/world.hpp"

namespace poseidon {
namespace {

TEST(admission, a_start_takes_slot_and_node) {
  one_node w;
  const auto v = w.start("alice");
  EXPECT_EQ(v.kind, verdict_kind::accepted);
  EXPECT_EQ(v.instance.value, "i1");
  const auto& row = w.row("i1");
  EXPECT_EQ(row.phase, ledger_phase::assigned);
  EXPECT_EQ(row.node.value, "n1");
  EXPECT_EQ(row.node_run, w.run_of("n1"));
  EXPECT_EQ(row.epoch.sequence, w.state.at.sequence);
  EXPECT_EQ(row.epoch.entry, w.log.back().what->id);
  EXPECT_EQ(w.node_of("n1").instances, 1u);
  EXPECT_EQ(w.node_of("n1").reserved_memory_bytes, 64u << 20);
  ASSERT_EQ(w.change.instances.size(), 1u);
  EXPECT_EQ(w.change.instances[0]->id.value, "i1");
}

TEST(admission, the_whole_life_frees_everything) {
  one_node w;
  w.start("alice");
  EXPECT_EQ(w.running("i1").kind, verdict_kind::accepted);
  EXPECT_EQ(w.row("i1").phase, ledger_phase::running);
  EXPECT_EQ(w.row("i1").expires_at->ms, 61'000);
  EXPECT_EQ(w.ended("i1", end_reason::expired).kind, verdict_kind::accepted);
  const auto& row = w.row("i1");
  EXPECT_EQ(row.phase, ledger_phase::ended);
  EXPECT_EQ(row.reason, end_reason::expired);
  EXPECT_EQ(api_state(row), instance_state::expired);
  EXPECT_EQ(w.node_of("n1").instances, 0u);
  EXPECT_EQ(w.node_of("n1").reserved_memory_bytes, 0u);
  EXPECT_EQ(w.state.slots, 0u);
  EXPECT_EQ(w.state.owners.size(), 0u);
  EXPECT_EQ(w.start("alice").kind, verdict_kind::accepted);
}

TEST(start, existing_is_answered_with_the_same_instance) {
  one_node w;
  w.start("alice");
  const auto again = w.start("alice");
  EXPECT_EQ(again.kind, verdict_kind::existing);
  EXPECT_EQ(again.instance.value, "i1");
  EXPECT_EQ(w.state.instances.size(), 1u);
  EXPECT_EQ(w.start("bob").kind, verdict_kind::accepted);
}

TEST(start, a_team_is_one_owner) {
  one_node w;
  w.start("alice", "web", "red");
  EXPECT_EQ(w.start("bob", "web", "red").instance.value, "i1");
  EXPECT_EQ(w.start("bob").kind, verdict_kind::accepted);
}

TEST(start, an_instance_id_is_given_once) {
  one_node w;
  auto first = w.start_of("alice"), second = w.start_of("bob");
  second.instance = first.instance;
  w.put(first);
  const auto v = w.put(second);
  EXPECT_EQ(v.kind, verdict_kind::refused);
  EXPECT_EQ(v.why.code, errc::conflict);
}

TEST(start, unknown_or_disabled_challenge_is_refused) {
  one_node w;
  EXPECT_EQ(w.start("alice", "nope").why.code, errc::unknown_challenge);
  w.put(enable_challenge_entry{{"web"}, false});
  EXPECT_EQ(w.start("alice").why.code, errc::challenge_disabled);
  w.put(enable_challenge_entry{{"web"}, true});
  EXPECT_EQ(w.start("alice").kind, verdict_kind::accepted);
}

TEST(start, takes_the_challenge_as_it_is_at_its_position) {
  one_node w;
  w.put(put_challenge_entry{{"web"}, "sha256:newer", {"sha256:web2"}, make_spec(128), "{}", {}});
  auto e = w.start_of("alice");
  e.revision = "sha256:rev-web"; // what the gateway saw
  e.spec = {"sha256:web"};
  w.put(e);
  EXPECT_EQ(w.row("i1").source->revision, "sha256:newer");
  EXPECT_EQ(w.row("i1").spec->reserve.memory_bytes, 128u << 20);
}

TEST(start, an_inline_spec_is_its_own_slot) {
  one_node w;
  auto e = w.start_of("alice");
  e.challenge = {};
  e.spec = {"sha256:inline"};
  EXPECT_EQ(w.put(e).why.code, errc::invalid_spec) << "neither known nor given";
  e.inline_spec = make_spec();
  EXPECT_EQ(w.put(e).kind, verdict_kind::accepted);
  auto again = w.start_of("alice");
  again.challenge = {};
  again.spec = {"sha256:inline"};
  EXPECT_EQ(w.put(again).instance, e.instance);
  auto other = w.start_of("bob");
  other.challenge = {};
  other.spec = {"sha256:inline"}; // known by now: the digest is enough
  EXPECT_EQ(w.put(other).kind, verdict_kind::accepted);
  EXPECT_TRUE(find_live_row(w.state, {"user:alice"}, "sha256:inline"));
}

TEST(start, paused_lets_nothing_new_in) {
  one_node w;
  w.start("alice");
  w.put(set_pause_entry{true, "back at noon"});
  const auto v = w.start("bob");
  EXPECT_EQ(v.why.code, errc::paused);
  EXPECT_EQ(v.why.detail, "back at noon");
  EXPECT_EQ(w.start("alice").kind, verdict_kind::existing);
  w.put(set_pause_entry{false, ""});
  EXPECT_EQ(w.start("bob").kind, verdict_kind::accepted);
}

TEST(idempotency, the_same_key_gives_the_same_instance) {
  one_node w;
  auto e = w.start_of("alice");
  e.idempotency_key = "k1";
  e.body_digest = "d1";
  w.put(e);
  auto again = w.start_of("alice");
  again.idempotency_key = "k1";
  again.body_digest = "d1";
  EXPECT_EQ(w.put(again).kind, verdict_kind::existing);
  EXPECT_EQ(w.put(again).instance, e.instance);
  again.body_digest = "d2";
  EXPECT_EQ(w.put(again).why.code, errc::idempotency_mismatch);
}

TEST(idempotency, a_key_is_bound_by_queued_and_existing_and_after_the_end) {
  one_node w;
  w.start("alice");
  auto e = w.start_of("alice");
  e.idempotency_key = "k1";
  e.body_digest = "d1";
  EXPECT_EQ(w.put(e).kind, verdict_kind::existing);
  w.ended("i1");
  EXPECT_EQ(w.put(e).instance.value, "i1") << "bound to the ended one: no second instance";
  EXPECT_EQ(w.row("i1").phase, ledger_phase::ended);
}

TEST(idempotency, a_refused_start_binds_nothing) {
  one_node w;
  auto e = w.start_of("alice", "nope");
  e.idempotency_key = "k1";
  e.body_digest = "d1";
  w.put(e);
  w.challenge("nope");
  EXPECT_EQ(w.put(e).kind, verdict_kind::accepted);
}

TEST(capacity, what_does_not_fit_is_queued_and_what_never_fits_refused) {
  one_node w;
  w.challenge("half", make_spec(512));
  w.challenge("huge", make_spec(4096));
  EXPECT_EQ(w.start("a", "half").kind, verdict_kind::accepted);
  EXPECT_EQ(w.start("b", "half").kind, verdict_kind::accepted);
  EXPECT_EQ(w.start("c", "half").kind, verdict_kind::queued);
  EXPECT_EQ(w.row("i3").queue_position, 1u);
  const auto v = w.start("d", "huge");
  EXPECT_EQ(v.why.code, errc::capacity_exhausted);
  EXPECT_NE(v.why.detail.find("memory"), std::string::npos) << v.why.detail;
  EXPECT_TRUE(v.why.retry_after_ms);
}

TEST(limits, the_clusters_cost_is_the_sum_over_all_slots) {
  one_node w;
  w.limits([](auto& l) { l.cost_cluster = 5, l.queue = 10; });
  w.challenge("dear", make_spec(64, 100, 3));
  w.challenge("cheap", make_spec(64, 100, 2));
  EXPECT_EQ(w.start("a", "dear").kind, verdict_kind::accepted);
  EXPECT_EQ(w.start("b", "dear").why.code, errc::cluster_limit_reached);
  EXPECT_EQ(w.start("b", "cheap").kind, verdict_kind::accepted);
  EXPECT_EQ(w.state.cost, 5u);
  w.ended("i1");
  EXPECT_EQ(w.state.cost, 2u);
  EXPECT_EQ(w.start("c", "dear").kind, verdict_kind::accepted);
}

TEST(capacity, without_nodes_starts_wait_for_the_first) {
  world w;
  w.challenge("web");
  EXPECT_EQ(w.start("alice").kind, verdict_kind::queued);
  w.node("n1");
  EXPECT_EQ(w.row("i1").phase, ledger_phase::assigned);
}

TEST(capacity, the_queue_is_bounded_and_a_refused_start_leaves_nothing) {
  one_node w;
  w.limits([](auto& l) { l.queue = 1; });
  w.challenge("full", make_spec(1024));
  w.start("a", "full");
  EXPECT_EQ(w.start("b", "full").kind, verdict_kind::queued);
  const auto v = w.start("c", "full");
  EXPECT_EQ(v.why.code, errc::queue_full);
  EXPECT_EQ(w.state.instances.size(), 2u);
  EXPECT_EQ(w.state.slots, 2u);
  EXPECT_TRUE(w.change.instances.empty());
  w.limits([](auto& l) { l.queue = 0; });
  EXPECT_EQ(w.start("d", "full").why.code, errc::capacity_exhausted);
}

TEST(capacity, a_node_holds_at_most_its_number_of_instances) {
  world w;
  w.node("n1", 1024, 4000, 2);
  w.challenge("web");
  w.start("a"), w.start("b");
  EXPECT_EQ(w.start("c").kind, verdict_kind::queued);
  w.limits([](auto& l) { l.per_node = 1; });
  w.ended("i1");
  EXPECT_EQ(w.row("i3").phase, ledger_phase::queued);
  w.ended("i2");
  EXPECT_EQ(w.row("i3").phase, ledger_phase::assigned);
}

TEST(cancel, ends_what_is_queued_at_once) {
  world w;
  w.challenge("web");
  w.start("alice");
  EXPECT_EQ(w.cancel("i1").kind, verdict_kind::accepted);
  EXPECT_EQ(w.row("i1").phase, ledger_phase::ended);
  EXPECT_EQ(w.row("i1").reason, end_reason::stopped);
  EXPECT_EQ(w.row("i1").stopped_by, "key:admin");
  EXPECT_EQ(w.state.waiting, 0u);
  EXPECT_EQ(w.cancel("i1").kind, verdict_kind::without_effect);
  EXPECT_EQ(w.cancel("nope").why.code, errc::unknown_instance);
}

TEST(cancel, marks_what_is_assigned_and_keeps_slot_and_reservation) {
  one_node w;
  w.start("alice");
  w.cancel("i1", end_reason::solved);
  EXPECT_EQ(w.row("i1").stop_mark, end_reason::solved);
  EXPECT_EQ(w.row("i1").phase, ledger_phase::stopping);
  EXPECT_EQ(w.node_of("n1").instances, 1u);
  EXPECT_EQ(w.cancel("i1").kind, verdict_kind::existing);
  w.running("i1"); // it was faster than the mark
  EXPECT_EQ(w.row("i1").phase, ledger_phase::stopping);
  w.ended("i1", end_reason::fenced);
  EXPECT_EQ(w.row("i1").reason, end_reason::solved);
  EXPECT_EQ(w.node_of("n1").instances, 0u);
}

TEST(cancel, a_new_start_waits_behind_the_end) {
  one_node w;
  w.limits([](auto& l) { l.per_owner = 1, l.per_user = 1, l.queue = 0; });
  w.start("alice");
  w.cancel("i1");
  EXPECT_EQ(w.start("alice").kind, verdict_kind::queued);
  EXPECT_EQ(w.start("alice").instance.value, "i2") << "who waits is the existing one";
  EXPECT_EQ(w.row("i2").phase, ledger_phase::queued);
  w.ended("i1");
  EXPECT_EQ(w.row("i2").phase, ledger_phase::assigned);
  EXPECT_EQ(w.state.slots, 1u);
}

TEST(cancel, who_waits_behind_an_end_may_be_cancelled) {
  one_node w;
  w.start("alice");
  w.cancel("i1");
  w.start("alice");
  w.cancel("i2");
  EXPECT_EQ(w.row("i2").phase, ledger_phase::ended);
  w.ended("i1");
  EXPECT_EQ(w.state.slots, 0u);
  EXPECT_EQ(w.state.waiting, 0u);
  EXPECT_EQ(w.start("alice").kind, verdict_kind::accepted);
}

} // namespace
} // namespace poseidon
