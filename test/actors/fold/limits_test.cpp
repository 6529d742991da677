// Limits of every scope, exact, counted by slots (rule 1): owner, user, team, challenge, cluster, cost; shared instances;
// changes of the limits; what waits behind an end.

#include "test/actors/fold/world.hpp"

namespace poseidon {
namespace {

TEST(limits, per_owner) {
  one_node w;
  w.challenge("b"), w.challenge("c");
  w.limits([](auto& l) { l.per_owner = 2; });
  EXPECT_EQ(w.start("alice", "web").kind, verdict_kind::accepted);
  EXPECT_EQ(w.start("alice", "b").kind, verdict_kind::accepted);
  const auto v = w.start("alice", "c");
  EXPECT_EQ(v.why.code, errc::owner_limit_reached);
  EXPECT_EQ(v.why.detail, "user:alice holds 2 of 2");
  EXPECT_EQ(w.start("bob", "c").kind, verdict_kind::accepted);
  w.ended("i1");
  EXPECT_EQ(w.start("alice", "c").kind, verdict_kind::accepted);
}

TEST(limits, queued_and_stopping_ones_count) {
  one_node w;
  w.challenge("full", make_spec(1024)), w.challenge("b");
  w.start("bob", "full");
  w.limits([](auto& l) { l.per_owner = 1; });
  EXPECT_EQ(w.start("alice", "full").kind, verdict_kind::queued);
  EXPECT_EQ(w.start("alice", "b").why.code, errc::owner_limit_reached);
  w.cancel("i1");
  EXPECT_EQ(w.start("bob", "b").why.code, errc::owner_limit_reached);
}

TEST(limits, per_user_counts_across_owner_keys) {
  one_node w;
  w.challenge("b"), w.challenge("c");
  w.limits([](auto& l) { l.per_user = 2; });
  w.start("alice");
  w.start("alice", "b", "red");
  EXPECT_EQ(w.start("alice", "c", "blue").why.code, errc::owner_limit_reached);
  EXPECT_EQ(w.start("bob", "c", "red").kind, verdict_kind::accepted);
  w.ended("i2");
  EXPECT_EQ(w.start("alice", "c", "blue").kind, verdict_kind::accepted);
}

TEST(limits, per_user_is_recounted_when_it_is_set) {
  one_node w;
  w.challenge("b");
  w.start("alice");
  w.limits([](auto& l) { l.per_user = 1; });
  EXPECT_EQ(w.start("alice", "b").why.code, errc::owner_limit_reached);
  w.limits([](auto&) {});
  EXPECT_TRUE(w.state.users.empty());
}

TEST(limits, per_user_counts_who_waits_behind_another) {
  one_node w;
  w.challenge("b");
  w.limits([](auto& l) { l.per_user = 1; });
  w.start("alice", "web", "red");
  w.start("bob", "b");
  w.cancel("i1");
  EXPECT_EQ(w.start("bob", "web", "red").why.code, errc::owner_limit_reached) << "bob holds one already";
  EXPECT_EQ(w.start("carol", "web", "red").kind, verdict_kind::queued);
  EXPECT_EQ(w.start("carol", "b").why.code, errc::owner_limit_reached) << "carol waits for one";
}

TEST(limits, per_team) {
  one_node w;
  w.challenge("b");
  w.limits([](auto& l) { l.per_team = 1; });
  w.start("alice", "web", "red");
  EXPECT_EQ(w.start("bob", "b", "red").why.code, errc::owner_limit_reached);
  EXPECT_EQ(w.start("bob", "b").kind, verdict_kind::accepted) << "no team";
}

TEST(limits, per_challenge_and_cluster) {
  one_node w;
  w.challenge("b");
  w.limits([](auto& l) { l.per_challenge = 2, l.cluster = 3; });
  w.start("a"), w.start("b");
  EXPECT_EQ(w.start("c").why.code, errc::challenge_limit_reached);
  EXPECT_EQ(w.start("c", "b").kind, verdict_kind::accepted);
  EXPECT_EQ(w.start("d", "b").why.code, errc::cluster_limit_reached);
  w.ended("i1");
  EXPECT_EQ(w.start("d", "b").kind, verdict_kind::accepted);
}

TEST(limits, cost_per_owner) {
  one_node w;
  w.challenge("dear", make_spec(64, 100, 3)), w.challenge("cheap", make_spec(64, 100, 1));
  w.limits([](auto& l) { l.cost_per_owner = 4; });
  w.start("alice", "dear");
  EXPECT_EQ(w.start("alice", "cheap").kind, verdict_kind::accepted);
  EXPECT_EQ(w.start("alice").why.code, errc::owner_limit_reached);
  // Behind its end a dearer revision may not exceed the limit either.
  w.cancel("i2");
  w.challenge("cheap", make_spec(64, 100, 2));
  w.put(put_challenge_entry{{"cheap"}, "sha256:2", {"sha256:cheap2"}, make_spec(64, 100, 2), "{}", {}});
  EXPECT_EQ(w.start("alice", "cheap").why.code, errc::owner_limit_reached);
}

TEST(limits, a_shared_instance_belongs_to_no_owner) {
  one_node w;
  w.challenge("b");
  w.limits([](auto& l) { l.per_owner = 1, l.per_user = 1; });
  for (const auto* challenge : {"web", "b"}) {
    auto e = w.start_of("alice", challenge);
    e.key = {"shared"};
    EXPECT_EQ(w.put(e).kind, verdict_kind::accepted);
  }
  auto again = w.start_of("bob");
  again.key = {"shared"};
  EXPECT_EQ(w.put(again).kind, verdict_kind::existing);
  EXPECT_EQ(w.start("alice").kind, verdict_kind::accepted);
}

TEST(limits, lowering_one_ends_nothing) {
  one_node w;
  w.challenge("b");
  w.start("alice"), w.start("alice", "b");
  w.limits([](auto& l) { l.per_owner = 1; });
  EXPECT_EQ(w.row("i2").phase, ledger_phase::assigned);
  w.ended("i1");
  EXPECT_EQ(w.start("alice").why.code, errc::owner_limit_reached);
}

} // namespace
} // namespace poseidon
