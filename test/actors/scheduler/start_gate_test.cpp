#include "actors/scheduler/start_gate.hpp"

#include <gtest/gtest.h>

namespace poseidon {
namespace {

row_ptr row_of(const std::string& id, const std::string& user, const std::string& challenge, ledger_phase phase = ledger_phase::running) {
  auto r = std::make_shared<instance_row>();
  r->id = {id};
  r->owner.user = user;
  r->key = key_of(r->owner);
  r->challenge = {challenge};
  r->phase = phase;
  r->source = std::make_shared<spec_source>(spec_source{"", {"sha256:" + challenge}});
  return r;
}

start_instance wish(const std::string& user, const std::string& challenge) {
  start_instance s;
  s.owner.user = user;
  s.challenge = {challenge};
  return s;
}

struct start_gate_test : ::testing::Test {
  start_gate gate;
  ledger_image image;
  start_gate_test() {
    image.admin.limits.per_owner = 2;
    for (auto id : {"a", "b", "c"}) {
      auto row = std::make_shared<challenge_row>();
      row->id = {id};
      image.challenges.push_back(row);
    }
  }
  errc refusal(const start_instance& s) {
    auto why = gate.refuse(s, key_of_request(s), s.challenge.value);
    return why ? why->code : errc::ok;
  }
  void change(row_ptr row) {
    ledger_change c;
    c.instances.push_back(std::move(row));
    EXPECT_TRUE(gate.apply(c));
  }
};

TEST_F(start_gate_test, refuses_at_the_owners_limit_and_lets_in_again_after_an_end) {
  image.instances = {row_of("1", "u", "a"), row_of("2", "u", "b")};
  gate.load(image);
  EXPECT_EQ(refusal(wish("u", "c")), errc::owner_limit_reached);
  EXPECT_EQ(refusal(wish("v", "c")), errc::ok);
  change(row_of("2", "u", "b", ledger_phase::ended));
  EXPECT_EQ(refusal(wish("u", "c")), errc::ok);
}

TEST_F(start_gate_test, an_existing_slot_is_never_refused) {
  image.admin.paused = true;
  image.instances = {row_of("1", "u", "a"), row_of("2", "u", "b")};
  gate.load(image);
  EXPECT_EQ(refusal(wish("u", "a")), errc::ok);
  EXPECT_EQ(refusal(wish("u", "c")), errc::paused);
}

TEST_F(start_gate_test, two_in_one_slot_count_once) {
  image.instances = {row_of("1", "u", "a"), row_of("2", "u", "a", ledger_phase::queued)};
  gate.load(image);
  EXPECT_EQ(refusal(wish("u", "c")), errc::ok);
}

TEST_F(start_gate_test, a_bound_key_goes_to_the_fold) {
  image.admin.paused = true;
  gate.load(image);
  auto s = wish("u", "a");
  s.idempotency_key = "k";
  EXPECT_EQ(refusal(s), errc::ok);
}

TEST_F(start_gate_test, follows_pause_limits_and_challenges) {
  gate.load(image);
  ledger_change c;
  c.administration = true;
  auto e = std::make_shared<entry>();
  e->body = set_pause_entry{true, "maintenance"};
  c.cause = e;
  EXPECT_TRUE(gate.apply(c));
  EXPECT_EQ(refusal(wish("u", "a")), errc::paused);
  auto off = std::make_shared<entry>();
  off->body = set_pause_entry{};
  c.cause = off;
  EXPECT_TRUE(gate.apply(c));
  EXPECT_EQ(refusal(wish("u", "a")), errc::ok);
  ledger_change disabled;
  auto row = std::make_shared<challenge_row>();
  row->id = {"a"};
  row->enabled = false;
  disabled.challenges.push_back(row);
  EXPECT_TRUE(gate.apply(disabled));
  EXPECT_EQ(refusal(wish("u", "a")), errc::challenge_disabled);
  ledger_change dropped;
  dropped.dropped_challenges.push_back({"a"});
  EXPECT_TRUE(gate.apply(dropped));
  EXPECT_EQ(gate.challenge({"a"}), nullptr);
  ledger_change limits;
  limits.administration = true;
  auto put = std::make_shared<entry>();
  put_limits_entry none;
  none.limits.per_owner = 0;
  put->body = none;
  limits.cause = put;
  EXPECT_TRUE(gate.apply(limits));
  change(row_of("1", "u", "a"));
  change(row_of("2", "u", "b"));
  EXPECT_EQ(refusal(wish("u", "c")), errc::ok);
}

TEST_F(start_gate_test, wants_a_new_image_when_the_log_began_again) {
  gate.load(image);
  ledger_change c;
  auto e = std::make_shared<entry>();
  e->body = incarnation_entry{2, {1, 2}, {}, {}};
  c.cause = e;
  EXPECT_FALSE(gate.apply(c));
}

TEST_F(start_gate_test, shared_instances_have_no_owners_limit) {
  image.admin.limits.per_owner = 1;
  auto shared = std::make_shared<instance_row>(*row_of("1", "u", "a"));
  shared->key = {"shared"};
  image.instances = {shared};
  gate.load(image);
  auto s = wish("u", "b");
  s.shared = true;
  EXPECT_EQ(refusal(s), errc::ok);
}

} // namespace
} // namespace poseidon
