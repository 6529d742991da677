// Keys, settings, challenges, forgetting, versions (rules 12, 13), and incarnations (rule 9).

#include "test/actors/fold/world.hpp"

namespace poseidon {
namespace {

TEST(administration, keys_are_put_replaced_and_dropped) {
  world w;
  w.put(put_key_entry{{"b"}, "1", {"admin"}, "", {}});
  w.put(put_key_entry{{"a"}, "2", {"read"}, "", {}});
  w.put(put_key_entry{{"b"}, "3", {"read"}, "", {}});
  ASSERT_EQ(w.state.admin.keys.size(), 2u);
  EXPECT_EQ(w.state.admin.keys[0].key.value, "a");
  EXPECT_EQ(w.state.admin.keys[1].sha256, "3");
  EXPECT_TRUE(w.change.administration);
  w.put(drop_key_entry{{"b"}});
  EXPECT_EQ(w.put(drop_key_entry{{"b"}}).why.code, errc::unknown_key);
  EXPECT_EQ(w.state.admin.keys.size(), 1u);
}

TEST(administration, an_empty_setting_goes_back_to_the_configured_one) {
  world w;
  w.put(put_setting_entry{"edge.idle_timeout", "\"5m\""});
  EXPECT_EQ(w.state.admin.settings.at("edge.idle_timeout"), "\"5m\"");
  w.put(put_setting_entry{"edge.idle_timeout", ""});
  EXPECT_TRUE(w.state.admin.settings.empty());
}

TEST(administration, challenges_keep_their_switch_over_revisions) {
  one_node w;
  w.put(enable_challenge_entry{{"web"}, false});
  w.put(put_challenge_entry{{"web"}, "sha256:2", {"sha256:web2"}, make_spec(), "{}", {}});
  EXPECT_FALSE(w.state.challenges.at({"web"})->enabled);
  EXPECT_EQ(w.state.specs.size(), 1u) << "the old spec is used by nobody";
  EXPECT_EQ(w.put(enable_challenge_entry{{"nope"}, true}).why.code, errc::unknown_challenge);
}

TEST(administration, a_dropped_challenge_leaves_its_instances) {
  one_node w;
  w.start("alice");
  w.put(drop_challenge_entry{{"web"}});
  ASSERT_EQ(w.change.dropped_challenges.size(), 1u);
  EXPECT_EQ(w.start("bob").why.code, errc::unknown_challenge);
  EXPECT_EQ(w.running("i1").kind, verdict_kind::accepted);
  EXPECT_EQ(w.start("alice").kind, verdict_kind::existing);
  EXPECT_EQ(w.put(drop_challenge_entry{{"web"}}).why.code, errc::unknown_challenge);
}

TEST(administration, a_challenge_without_its_spec_is_refused) {
  world w;
  EXPECT_EQ(w.put(put_challenge_entry{{"web"}, "r", {"sha256:unknown"}, nullptr, "{}", {}}).why.code, errc::invalid_spec);
}

TEST(compact, forgets_what_ended_at_or_before_and_its_keys) {
  one_node w;
  auto e = w.start_of("alice");
  e.idempotency_key = "k";
  w.put(e);
  w.start("bob");
  w.ended("i1");
  const auto up_to = w.state.at;
  w.ended("i2");
  w.put(compact_entry{up_to});
  ASSERT_EQ(w.change.forgotten.size(), 1u);
  EXPECT_EQ(w.change.forgotten[0].value, "i1");
  EXPECT_EQ(w.state.instances.size(), 1u);
  EXPECT_EQ(w.state.bound_keys.size(), 0u);
  EXPECT_EQ(w.put(e).kind, verdict_kind::accepted) << "the key is free again";
}

TEST(compact, keeps_what_lives_and_the_key_with_it) {
  one_node w;
  auto e = w.start_of("alice");
  e.idempotency_key = "k";
  w.put(e);
  w.put(compact_entry{w.state.at});
  EXPECT_EQ(w.state.instances.size(), 1u);
  EXPECT_EQ(w.state.bound_keys.size(), 1u);
}

TEST(compact, keeps_what_is_still_to_be_fenced) {
  world w;
  w.node("n1"), w.node("n2");
  w.challenge("web");
  w.start("alice");
  const auto old = w.head("i1", 1);
  w.running("i1");
  w.move("i1", move_reason::drain);
  w.ended("i1");
  w.put(compact_entry{w.state.at});
  EXPECT_EQ(w.state.instances.size(), 1u) << "its node has yet to learn of the end";
  w.put(ended_entry{old, end_reason::fenced, {}, {}, ""});
  w.put(compact_entry{w.state.at});
  EXPECT_EQ(w.state.instances.size(), 0u);
  EXPECT_EQ(w.state.specs.size(), 1u);
}

TEST(versions, one_that_this_build_can_not_fold_is_refused) {
  world w;
  EXPECT_EQ(w.put(activate_entry{newest_fold_version}).kind, verdict_kind::without_effect);
  EXPECT_EQ(w.put(activate_entry{newest_fold_version + 1}).kind, verdict_kind::refused);
}

TEST(versions, what_the_holder_can_fold_comes_into_force_and_is_in_the_snapshot) {
  world w;
  w.state.newest = 3;
  EXPECT_EQ(w.put(activate_entry{2}).kind, verdict_kind::accepted);
  EXPECT_EQ(w.put(activate_entry{4}).kind, verdict_kind::refused);
  EXPECT_EQ(w.state.fold_version, 2u);
  const auto snapshot = encode_snapshot(w.state);
  EXPECT_EQ(decode_snapshot(snapshot.bytes, snapshot.digest, 2)->fold_version, 2u);
  const auto too_old = decode_snapshot(snapshot.bytes, snapshot.digest, 1);
  EXPECT_EQ(too_old.error.code, errc::conflict);
  EXPECT_NE(too_old.error.detail.find("version 2"), std::string::npos);
  w.put(incarnation_entry{2, {2, 2}, {snapshot.bytes}, snapshot.digest}, {2, w.next_sequence});
  EXPECT_EQ(w.state.fold_version, 2u);
  EXPECT_EQ(w.state.newest, 3u) << "of whoever folds, not of the snapshot";
}

TEST(incarnation, its_snapshot_is_the_state) {
  one_node w, other;
  w.start("alice");
  other.start("bob"), other.start("carol");
  const auto snapshot = encode_snapshot(other.state);
  EXPECT_EQ(w.put(incarnation_entry{5, {2, 2}, {snapshot.bytes}, snapshot.digest}, {5, 40}).kind, verdict_kind::accepted);
  EXPECT_EQ(w.state.at, (position{5, 40}));
  EXPECT_EQ(w.state.inherited, other.state.at);
  EXPECT_EQ(w.row("i1").owner.user, "bob");
  EXPECT_EQ(w.change.instances.size(), 2u);
  EXPECT_TRUE(w.change.administration);
}

TEST(incarnation, the_first_valid_one_for_a_number_wins) {
  one_node w;
  const auto snapshot = encode_snapshot(w.state);
  w.put(incarnation_entry{2, {2, 2}, {snapshot.bytes}, snapshot.digest}, {2, 1});
  w.put(incarnation_entry{2, {3, 3}, {}, {}}, {2, 2});
  EXPECT_EQ(w.state.nodes.size(), 1u);
  EXPECT_EQ(w.state.at, (position{2, 2}));
  EXPECT_EQ(w.put(incarnation_entry{1, {3, 3}, {}, {}}, {2, 3}).kind, verdict_kind::without_effect);
}

TEST(incarnation, a_damaged_snapshot_is_void) {
  one_node w;
  auto snapshot = encode_snapshot(w.state);
  EXPECT_EQ(w.put(incarnation_entry{2, {2, 2}, {snapshot.bytes}, std::string(64, '0')}, {2, 1}).kind, verdict_kind::without_effect);
  EXPECT_EQ(w.state.at.incarnation, 1u);
  snapshot.bytes.resize(snapshot.bytes.size() / 2);
  EXPECT_FALSE(decode_snapshot(snapshot.bytes, snapshot.digest));
}

TEST(incarnation, entries_before_the_first_and_of_another_are_void) {
  ledger_state fresh;
  ledger_change change;
  auto e = std::make_shared<entry>();
  e->id = {1, 1};
  e->body = put_setting_entry{"a", "1"};
  EXPECT_EQ(fold(fresh, {{0, 1}, {}, e}, change).kind, verdict_kind::without_effect);
  one_node w;
  EXPECT_EQ(fold(w.state, {{3, 1}, {}, e}, change).kind, verdict_kind::without_effect);
  EXPECT_TRUE(w.state.admin.settings.empty());
}

TEST(restored, a_start_comes_back_whatever_the_gate_and_the_limits) {
  one_node w;
  w.limits([](auto& l) { l.cluster = 1; });
  w.start("alice");
  const auto snapshot = encode_snapshot(w.state);
  w.put(incarnation_entry{2, {2, 2}, {snapshot.bytes}, snapshot.digest}, {2, 1});
  auto e = w.start_of("bob");
  e.restored = true;
  e.spec = {"sha256:web"};
  EXPECT_EQ(w.put(e).kind, verdict_kind::queued);
  EXPECT_EQ(w.put(e).kind, verdict_kind::existing) << "every gateway may bring it back";
}

TEST(restored, a_start_whose_slot_is_taken_is_superseded_never_nothing) {
  one_node w;
  w.start("alice");
  auto e = w.start_of("alice");
  e.restored = true;
  e.spec = {"sha256:web"};
  e.idempotency_key = "k";
  w.put(e);
  EXPECT_EQ(w.row("i2").phase, ledger_phase::ended);
  EXPECT_EQ(w.row("i2").reason, end_reason::superseded);
  EXPECT_EQ(w.put(e).instance.value, "i2");
}

TEST(restored, a_start_whose_key_got_another_instance_since_is_superseded) {
  one_node w;
  auto since = w.start_of("alice", "web");
  since.idempotency_key = "k";
  w.put(since);
  w.challenge("pwn");
  auto e = w.start_of("alice", "pwn");
  e.idempotency_key = "k";
  e.restored = true;
  e.spec = {"sha256:pwn"};
  EXPECT_EQ(w.put(e).kind, verdict_kind::accepted);
  EXPECT_EQ(w.row("i2").reason, end_reason::superseded);
  EXPECT_EQ(w.put(e).instance.value, "i2");
  EXPECT_EQ(w.state.bound_keys.find("k")->instance.value, "i1") << "the key stays with whom it was answered last";
}

TEST(restored, a_start_keeps_its_spec) {
  one_node w;
  auto e = w.start_of("alice");
  e.restored = true;
  e.revision = "sha256:older";
  e.spec = {"sha256:older"};
  e.inline_spec = make_spec(32);
  w.put(e);
  EXPECT_EQ(w.row("i1").source->revision, "sha256:older");
  EXPECT_EQ(w.row("i1").spec->reserve.memory_bytes, 32u << 20);
}

} // namespace
} // namespace poseidon
