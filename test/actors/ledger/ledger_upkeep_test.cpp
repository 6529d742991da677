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

} // namespace
} // namespace poseidon::test
