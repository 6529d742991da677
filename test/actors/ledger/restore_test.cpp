// What a torn log lost is said again (rule 9): which entries, and until when.

#include "actors/ledger/restore.hpp"
#include "test/actors/fold/world.hpp"

namespace poseidon {
namespace {

/// A member whose log is opened anew by another one, which knows less.
struct torn_world : one_node {
  encoded_snapshot opener;
  ledger_state old;

  /// Where the opener stands.
  void mark() { opener = encode_snapshot(state); }
  void tear() {
    old = state;
    const auto number = state.at.incarnation + 1;
    put(incarnation_entry{number, {number, number}, {opener.bytes}, opener.digest}, {number, 1});
  }
  std::vector<entry_body> missing() const { return missing_entries(old, state); }
  void say() {
    for (auto& body : missing()) put(body);
  }
};

template <class Entry>
const Entry& only(const std::vector<entry_body>& all) {
  static const Entry none{};
  EXPECT_EQ(all.size(), 1u);
  const auto* found = all.empty() ? nullptr : std::get_if<Entry>(&all.front());
  EXPECT_TRUE(found) << "another kind of entry";
  return found ? *found : none;
}

TEST(missing_entries, nothing_when_the_opener_knew_everything) {
  torn_world w;
  w.start("alice");
  w.running("i1");
  w.mark();
  w.tear();
  EXPECT_EQ(lineage_of(w.old, w.state), lineage::goes_on);
  EXPECT_TRUE(w.missing().empty());
}

TEST(missing_entries, nothing_when_the_opener_was_ahead) {
  torn_world w;
  w.start("alice");
  w.running("i1");
  const auto behind = w.state;
  w.cancel("i1");
  w.ended("i1");
  w.put(put_setting_entry{"a", "1"});
  w.mark();
  w.tear();
  EXPECT_TRUE(missing_entries(behind, w.state).empty());
}

TEST(missing_entries, a_start_with_its_id_key_host_and_spec) {
  torn_world w;
  w.mark();
  auto e = w.start_of("alice");
  e.idempotency_key = "k";
  e.body_digest = "d";
  e.metadata = "{\"a\":1}";
  w.put(e);
  w.challenge("web", make_spec(128)); // the next revision is none of its business
  w.tear();
  EXPECT_EQ(lineage_of(w.old, w.state), lineage::behind);
  w.say();
  const auto& row = w.row("i1");
  EXPECT_EQ(row.phase, ledger_phase::queued) << "the gate is closed";
  EXPECT_EQ(row.host, "i1.test");
  EXPECT_EQ(row.metadata, e.metadata);
  EXPECT_EQ(row.owner.user, "alice");
  EXPECT_EQ(row.spec->reserve.memory_bytes, 64u << 20);
  EXPECT_EQ(row.source->revision, "sha256:rev-web");
  auto again = w.start_of("alice");
  again.idempotency_key = "k";
  again.body_digest = "d";
  EXPECT_EQ(w.put(again).instance.value, "i1");
  EXPECT_TRUE(w.missing().empty()) << "said once";
}

TEST(missing_entries, every_key_of_an_instance) {
  torn_world w;
  auto e = w.start_of("alice");
  e.idempotency_key = "k1";
  w.put(e);
  w.mark();
  e.instance = {"i9"};
  e.idempotency_key = "k2";
  EXPECT_EQ(w.put(e).kind, verdict_kind::existing);
  w.tear();
  w.say();
  ASSERT_TRUE(w.state.bound_keys.find("k2"));
  EXPECT_EQ(w.state.bound_keys.find("k2")->instance.value, "i1");
}

TEST(missing_entries, a_stop) {
  torn_world w;
  w.start("alice");
  w.running("i1");
  w.mark();
  w.cancel("i1", end_reason::solved);
  w.tear();
  EXPECT_EQ(only<cancel_entry>(w.missing()).actor, "key:admin");
  w.say();
  EXPECT_EQ(w.row("i1").stop_mark, end_reason::solved);
}

TEST(missing_entries, an_end_as_a_mark_with_its_reason) {
  torn_world w;
  w.start("alice");
  w.running("i1");
  w.mark();
  w.ended("i1", end_reason::expired);
  w.tear();
  w.say();
  EXPECT_EQ(w.row("i1").stop_mark, end_reason::expired);
  w.put(w.node_up("n1"));
  EXPECT_EQ(w.row("i1").reason, end_reason::expired) << "not lost";
}

TEST(missing_entries, what_began_and_ended_since_is_a_tombstone) {
  torn_world w;
  w.mark();
  w.start("alice");
  w.running("i1");
  w.ended("i1", end_reason::solved);
  w.start("alice");
  w.tear();
  w.say();
  EXPECT_EQ(w.row("i1").phase, ledger_phase::ended);
  EXPECT_EQ(w.row("i1").reason, end_reason::solved);
  EXPECT_EQ(w.row("i2").phase, ledger_phase::queued);
}

TEST(missing_entries, what_was_decided_by_administrators) {
  torn_world w;
  w.challenge("pwn"), w.challenge("old");
  w.put(put_key_entry{{"k1"}, "aa", {"read"}, "first", {}});
  w.put(put_setting_entry{"a", "1"});
  w.put(put_setting_entry{"b", "1"});
  w.mark();
  w.put(put_key_entry{{"k2"}, "bb", {"admin"}, "second", {}});
  w.put(drop_key_entry{{"k1"}});
  w.put(put_setting_entry{"a", "2"});
  w.put(put_setting_entry{"b", {}});
  w.put(set_pause_entry{true, "later"});
  w.limits([](auto& l) { l.cluster = 7; });
  w.challenge("crypto");
  w.challenge("web", make_spec(256));
  w.put(put_challenge_entry{{"web"}, "sha256:rev-2", {"sha256:two"}, make_spec(256), "{}", {}});
  w.put(enable_challenge_entry{{"pwn"}, false});
  w.put(drop_challenge_entry{{"old"}});
  w.put(set_node_mode_entry{{"n1"}, node_mode::draining, 5'000, true});
  w.tear();
  w.say();
  const auto& admin = w.state.admin;
  ASSERT_EQ(admin.keys.size(), 1u);
  EXPECT_EQ(admin.keys[0].key.value, "k2");
  EXPECT_EQ(admin.settings, (std::map<std::string, std::string>{{"a", "2"}}));
  EXPECT_TRUE(admin.paused);
  EXPECT_EQ(admin.pause_message, "later");
  EXPECT_EQ(admin.limits.cluster, 7u);
  EXPECT_TRUE(w.state.challenges.contains({"crypto"}));
  EXPECT_FALSE(w.state.challenges.contains({"old"}));
  EXPECT_EQ(w.state.challenges.at({"web"})->revision, "sha256:rev-2");
  EXPECT_EQ(w.state.challenges.at({"web"})->spec->reserve.memory_bytes, 256u << 20);
  EXPECT_FALSE(w.state.challenges.at({"pwn"})->enabled);
  EXPECT_EQ(w.node_of("n1").mode, node_mode::draining);
  EXPECT_EQ(w.node_of("n1").drain_limit_ms, 5'000);
  EXPECT_TRUE(w.node_of("n1").drain_move);
  EXPECT_TRUE(w.missing().empty());
}

TEST(missing_entries, rules_in_force_come_first) {
  torn_world w;
  w.state.newest = 2;
  w.mark();
  w.start("alice");
  w.put(activate_entry{2});
  w.tear();
  const auto missing = w.missing();
  ASSERT_EQ(missing.size(), 2u);
  EXPECT_EQ(std::get<activate_entry>(missing[0]).fold_version, 2u);
}

TEST(missing_entries, of_a_fork_are_what_the_opener_never_heard_of_and_ends) {
  torn_world other; // the opener's line
  other.start("alice", "web");
  other.put(put_setting_entry{"a", "1"});
  auto w = other;
  other.last_entry_id += 1'000;
  other.put(put_setting_entry{"a", "opener's"});
  other.put(put_setting_entry{"b", "opener's"});
  other.mark();
  w.put(put_setting_entry{"a", "own"});
  w.put(put_setting_entry{"c", "own"});
  w.cancel("i1");
  w.start("bob");
  w.opener = other.opener;
  w.tear();
  EXPECT_EQ(lineage_of(w.old, w.state), lineage::forked);
  w.say();
  EXPECT_EQ(w.state.admin.settings, (std::map<std::string, std::string>{{"a", "opener's"}, {"b", "opener's"}, {"c", "own"}}));
  EXPECT_EQ(w.row("i1").stop_mark, end_reason::stopped);
  EXPECT_EQ(w.row("i2").owner.user, "bob");
}

// --- the list ---------------------------------------------------------------------------------------------------------

struct list_test : torn_world {
  restoration list;
  void tear() {
    torn_world::tear();
    list.opened(old, state);
  }
  verdict hear(entry_body body) {
    auto judged = put(std::move(body));
    list.folded(*log.back().what, judged, state);
    return judged;
  }
};

TEST(restoration, is_empty_once_the_log_has_it) {
  list_test w;
  w.mark();
  w.start("alice");
  w.cancel("i1");
  w.put(put_setting_entry{"a", "1"});
  w.tear();
  EXPECT_EQ(w.list.size(), 3u);
  const auto due = w.list.next(w.state, 100);
  EXPECT_FALSE(w.list.may_go_on()) << "not before they are folded";
  for (auto& body : due) w.hear(body);
  EXPECT_TRUE(w.list.empty());
  EXPECT_EQ(w.state.admin.settings.at("a"), "1");
}

TEST(restoration, goes_in_parts) {
  list_test w;
  w.mark();
  for (int i = 0; i < 10; ++i) w.start("u" + std::to_string(i));
  w.tear();
  auto due = w.list.next(w.state, 4);
  ASSERT_EQ(due.size(), 4u);
  for (auto& body : due) {
    EXPECT_FALSE(w.list.may_go_on());
    w.hear(body);
  }
  EXPECT_TRUE(w.list.may_go_on());
  EXPECT_EQ(w.list.next(w.state, 100).size(), 6u);
}

TEST(restoration, another_member_may_have_said_it) {
  list_test w;
  w.mark();
  w.start("alice");
  w.tear();
  const auto due = w.missing();
  w.put(due.front()); // unseen by the list: it was away
  EXPECT_TRUE(w.list.next(w.state, 100).empty());
  EXPECT_TRUE(w.list.empty());
}

TEST(restoration, what_was_decided_since_stands) {
  list_test w;
  w.mark();
  w.put(put_setting_entry{"a", "1"});
  w.put(put_key_entry{{"k"}, "aa", {"admin"}, "", {}});
  w.tear();
  w.hear(put_setting_entry{"a", "2"});
  w.hear(drop_key_entry{{"k"}});
  EXPECT_TRUE(w.list.empty());
  EXPECT_EQ(w.state.admin.settings.at("a"), "2");
}

TEST(restoration, an_end_waits_for_its_start) {
  list_test w;
  w.mark();
  w.start("alice");
  w.cancel("i1");
  w.tear();
  auto due = w.list.next(w.state, 100);
  ASSERT_EQ(due.size(), 2u);
  w.hear(due[1]); // on another way
  EXPECT_EQ(w.list.size(), 2u);
  w.hear(due[0]);
  w.hear(due[1]);
  EXPECT_TRUE(w.list.empty());
  EXPECT_EQ(w.row("i1").reason, end_reason::stopped);
}

TEST(restoration, what_the_fold_refuses_is_not_said_for_ever) {
  list_test w;
  w.mark();
  w.start("alice");
  w.tear();
  auto due = w.list.next(w.state, 100);
  std::get<start_entry>(due[0]).spec = {"sha256:unknown"};
  std::get<start_entry>(due[0]).inline_spec = nullptr;
  EXPECT_EQ(w.hear(due[0]).kind, verdict_kind::refused);
  EXPECT_TRUE(w.list.empty());
}

TEST(restoration, what_was_judged_stale_is_said_again) {
  list_test w;
  w.mark();
  w.start("alice");
  w.tear();
  auto due = w.list.next(w.state, 100);
  w.folded = position{0, 0}; // said by somebody far behind
  EXPECT_EQ(w.hear(due[0]).why.code, errc::stale);
  EXPECT_EQ(w.list.size(), 1u);
}

TEST(restoration, an_end_of_what_nobody_knows_any_more_is_not_said_for_ever) {
  list_test w;
  w.start("alice");
  w.running("i1");
  w.mark();
  w.cancel("i1");
  w.tear();
  auto due = w.list.next(w.state, 100);
  w.put(w.node_up("n1")); // it is not there any more
  w.put(compact_entry{w.state.at});
  EXPECT_EQ(w.hear(due[0]).why.code, errc::unknown_instance);
  EXPECT_TRUE(w.list.empty());
}

TEST(restoration, what_came_back_with_its_node_needs_no_word) {
  list_test w;
  w.mark();
  w.start("alice");
  w.running("i1");
  auto held = w.item("i1");
  held.origin.emplace();
  held.origin->key = w.row("i1").key;
  held.origin->challenge = {"web"};
  held.origin->spec_id = {"sha256:web"};
  held.origin->spec = make_spec();
  w.tear();
  auto up = w.node_up("n1");
  up.inventory = {held};
  w.hear(up);
  EXPECT_TRUE(w.list.empty());
}

TEST(restoration, rules_that_are_in_force_are_not_said_for_ever) {
  list_test w;
  w.state.newest = 2;
  w.mark();
  w.put(activate_entry{2});
  w.tear();
  auto due = w.list.next(w.state, 100);
  ASSERT_EQ(due.size(), 1u);
  w.put(activate_entry{2}); // another member was faster
  EXPECT_EQ(w.hear(due[0]).why.code, errc::stale);
  EXPECT_TRUE(w.list.next(w.state, 100).empty());
  EXPECT_TRUE(w.list.empty());
}

TEST(restoration, keeps_what_was_missing_when_the_log_tears_again) {
  list_test w;
  w.mark();
  w.start("alice");
  w.tear();
  w.hear(w.node_up("n1"));
  w.mark(); // the next opener has not heard it either
  w.start("bob");
  w.tear();
  std::set<std::string> said;
  for (auto& body : w.list.next(w.state, 100)) said.insert(std::get<start_entry>(body).instance.value);
  EXPECT_EQ(said, (std::set<std::string>{"i1", "i2"}));
}

} // namespace
} // namespace poseidon
