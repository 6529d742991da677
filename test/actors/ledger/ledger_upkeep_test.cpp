// Forgetting (rule 13): what ended long ago leaves the state, and the log's beginning with it.

#include "test/actors/ledger/ledger_fixture.hpp"

namespace poseidon::test {
namespace {

using compact_test = ledger_test;

start_entry start_of(const std::string& user) {
  auto spec = std::make_shared<instance_spec>();
  spec->services.emplace_back().image = "test";
  start_entry start;
  start.instance = {"i-" + user};
  start.owner.user = user;
  start.key = {"user:" + user};
  start.spec = {"sha256:x"};
  start.inline_spec = spec;
  return start;
}

TEST_F(compact_test, forgets_what_ended_longer_ago_than_events_are_kept) {
  append(start_of("old"));
  append(cancel_entry{{"i-old"}, end_reason::stopped, ""});
  append(start_of("waiting"));
  advance(options.keep_events - options.compact_every);
  append(start_of("new"));
  append(cancel_entry{{"i-new"}, end_reason::stopped, ""});
  auto heard = subscribe();
  advance(2 * options.compact_every);
  EXPECT_FALSE(*world.answer_now<row_ptr>(ledger, get_instance{{"i-old"}}));
  EXPECT_TRUE(*world.answer_now<row_ptr>(ledger, get_instance{{"i-new"}}));
  EXPECT_TRUE(*world.answer_now<row_ptr>(ledger, get_instance{{"i-waiting"}})) << "it lives";
  ASSERT_EQ(heard->changes.size(), 1u) << "one compact entry, not one an hour";
  ASSERT_EQ(heard->changes[0].forgotten.size(), 1u);
  EXPECT_EQ(heard->changes[0].forgotten[0].value, "i-old");
  EXPECT_EQ(log_store->first, 4u) << "the log is trimmed once a snapshot is past it";
  const auto before = status();
  restart();
  EXPECT_EQ(status().digest, before.digest);
  EXPECT_EQ(status().folded.incarnation, 1u);
}

TEST_F(compact_test, a_young_ledger_forgets_nothing) {
  append(start_of("old"));
  append(cancel_entry{{"i-old"}, end_reason::stopped, ""});
  const auto entries = log_store->entries.size();
  advance(options.keep_events / 2);
  EXPECT_EQ(log_store->entries.size(), entries);
}

using snapshot_test = ledger_test;

TEST_F(snapshot_test, is_the_state_at_one_position_while_the_ledger_folds_on) {
  set("a", "1");
  append(start_of("alice"));
  const auto at = status();
  const snapshot_source source{ledger};
  auto asked = world.ask_later<outcome<tail_snapshot_ptr>>(source, take_snapshot{});
  ASSERT_TRUE(*asked && **asked);
  const auto& snapshot = ***asked;
  EXPECT_EQ(snapshot->at, at.folded);
  EXPECT_EQ(snapshot->digest, at.digest);
  set("a", "2");
  const auto state = decode_snapshot(snapshot->bytes, snapshot->digest);
  ASSERT_TRUE(state) << state.error.detail;
  EXPECT_EQ(state->admin.settings.at("a"), "1");
  EXPECT_TRUE(find_row(*state, {"i-alice"}));
}

TEST_F(snapshot_test, begins_a_tail_that_another_member_starts_from_and_the_log_is_opened_anew_with_it) {
  set("a", "1");
  append(start_of("alice"));
  auto taken = world.answer_now<outcome<tail_snapshot_ptr>>(snapshot_source{ledger}, take_snapshot{});
  ASSERT_TRUE(taken && *taken);
  const auto before = status().folded;
  set("a", "forgotten");
  kill();
  log_store = std::make_shared<memory_log_store>(); // another machine: nothing but the backup
  tail_store = std::make_shared<memory_tail_store>();
  tail_store->contents.snapshot = **taken;
  boot();
  EXPECT_EQ(status().folded.incarnation, before.incarnation + 1);
  EXPECT_EQ(setting("a"), "1");
  EXPECT_TRUE(*world.answer_now<row_ptr>(ledger, get_instance{{"i-alice"}}));
}

} // namespace
} // namespace poseidon::test
