// The log's front over a scripted stream that loses what it is told to.

#include "test/actors/log/scripted_stream.hpp"
#include "test/support/actor_fixture.hpp"
#include "test/support/counted_random.hpp"

#include <map>
#include <random>
#include <set>

namespace poseidon::test {
namespace {

struct received {
  std::vector<logged_entry> entries;
  std::map<entry_id, errc> failed;
  std::vector<bool> connections;
};

log_sink spawn_sink(caf::actor_system& system, std::shared_ptr<received> into) {
  return system.spawn([into](log_sink::pointer) -> log_sink::behavior_type {
    return {
        [into](const log_batch& b) { into->entries.insert(into->entries.end(), b.entries->begin(), b.entries->end()); },
        [into](const log_append_failed& f) { into->failed.emplace(f.entry, f.why.code); },
        [into](const log_connection& c) { into->connections.push_back(c.connected); },
    };
  });
}

class jetstream_front_test : public actor_test {
protected:
  jetstream_front_test() {
    auto made = std::make_unique<scripted_transport>(stream, faults);
    transport = made.get();
    log = spawn_jetstream_front(system, {world.timers, &time, &random, options}, std::move(made));
    sink = spawn_sink(system, got);
    run();
    EXPECT_TRUE(follow(0));
  }
  ~jetstream_front_test() override {
    caf::anon_send_exit(log, caf::exit_reason::kill);
    caf::anon_send_exit(sink, caf::exit_reason::kill);
    log = nullptr;
    sink = nullptr;
    run();
  }

  outcome<log_extent> follow(std::uint64_t after) {
    auto answer = *world.answer_now<outcome<log_extent>>(log, follow_log{sink, after});
    run();
    return answer;
  }
  outcome<logged_entry> read(std::uint64_t sequence) { return *world.answer_now<outcome<logged_entry>>(log, read_log{sequence}); }
  entry_ptr make_entry() {
    auto made = std::make_shared<entry>();
    made->id = mint<entry_id>(random);
    made->body = put_setting_entry{"a.setting", "1"};
    return made;
  }
  /// One append message with so many entries.
  std::vector<entry_id> append(std::size_t count) {
    append_to_log m{sink, {}};
    std::vector<entry_id> ids;
    for (std::size_t i = 0; i < count; ++i) {
      m.entries.push_back(make_entry());
      ids.push_back(m.entries.back()->id);
    }
    caf::anon_send(log, m);
    run();
    return ids;
  }
  void consume() { caf::anon_send(log, log_consumed{sink, got->entries.empty() ? 0 : got->entries.back().sequence}); }
  /// Follows anew from what was delivered, as whoever found the log to be the same does.
  void go_on() { ASSERT_TRUE(follow(got->entries.empty() ? 0 : got->entries.back().sequence)); }
  void expect_contiguous(std::size_t count) {
    ASSERT_EQ(got->entries.size(), count);
    for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(got->entries[i].sequence, i + 1);
  }

  jetstream_front_options options;
  std::shared_ptr<scripted_stream> stream = std::make_shared<scripted_stream>();
  std::shared_ptr<stream_faults> faults = std::make_shared<stream_faults>();
  std::shared_ptr<received> got = std::make_shared<received>();
  counted_random random;
  scripted_transport* transport = nullptr;
  log_actor log;
  log_sink sink;
};

TEST_F(jetstream_front_test, several_entries_travel_in_one_message) {
  append(300);
  expect_contiguous(300);
  EXPECT_EQ(transport->published.size(), 1u);
  EXPECT_EQ(stream->messages.size(), 1u);
}

TEST_F(jetstream_front_test, a_lost_acknowledgement_is_made_good_by_the_delivery) {
  faults->lose_acks = 1;
  append(2);
  advance(millis{20'000});
  expect_contiguous(2);
  EXPECT_TRUE(got->failed.empty());
}

TEST_F(jetstream_front_test, what_is_not_acknowledged_in_time_is_unknown_and_never_sent_again) {
  faults->lose_publishes = 1;
  const auto ids = append(2);
  advance(millis{4'900});
  EXPECT_TRUE(got->failed.empty());
  advance(millis{10'000});
  EXPECT_EQ(got->failed, (std::map<entry_id, errc>{{ids[0], errc::unknown_outcome}, {ids[1], errc::unknown_outcome}}));
  EXPECT_EQ(transport->published.size(), 1u);
}

TEST_F(jetstream_front_test, what_the_stream_refuses_is_not_there) {
  faults->refuse = 1;
  const auto ids = append(1);
  EXPECT_EQ(got->failed, (std::map<entry_id, errc>{{ids[0], errc::ledger_unavailable}}));
  append(1);
  expect_contiguous(1);
}

TEST_F(jetstream_front_test, a_gap_is_never_delivered_over) {
  append(3);
  faults->lose_messages = 1;
  append(2);
  append(1); // here the gap shows
  expect_contiguous(3);
  advance(millis{1'000});
  EXPECT_EQ(got->connections, (std::vector<bool>{false, true}));
  expect_contiguous(3); // stands still until it has compared
  go_on();
  expect_contiguous(6);
}

TEST_F(jetstream_front_test, a_repeated_message_counts_once) {
  faults->repeat_messages = 1;
  append(3);
  append(1);
  expect_contiguous(4);
}

TEST_F(jetstream_front_test, a_delivery_that_fell_silent_is_found_out) {
  append(1);
  faults->silent = true;
  append(2);
  expect_contiguous(1);
  faults->silent = false;
  advance(millis{4'000}); // two checks with no progress
  EXPECT_EQ(got->connections, (std::vector<bool>{false, true}));
  go_on();
  expect_contiguous(3);
  EXPECT_TRUE(got->failed.empty());
}

TEST_F(jetstream_front_test, another_leader_makes_everybody_compare) {
  append(1);
  stream->leader = "n2";
  advance(millis{1'500});
  EXPECT_EQ(got->connections, (std::vector<bool>{false, true}));
  append(1);
  expect_contiguous(1);
  go_on();
  expect_contiguous(2);
}

TEST_F(jetstream_front_test, a_stream_that_does_not_answer_is_given_up) {
  faults->fail_checks = 3;
  faults->unreachable = true;
  advance(millis{3'500});
  EXPECT_EQ(got->connections, (std::vector<bool>{false}));
  EXPECT_EQ(read(1).error.code, errc::ledger_unavailable);
  faults->unreachable = false;
  advance(millis{6'000});
  EXPECT_EQ(got->connections, (std::vector<bool>{false, true}));
}

TEST_F(jetstream_front_test, away_means_refused_at_once_and_in_flight_means_unknown) {
  faults->lose_publishes = 1;
  const auto in_flight = append(1);
  faults->unreachable = true;
  transport->disconnect();
  run();
  const auto late = append(1);
  EXPECT_EQ(got->failed, (std::map<entry_id, errc>{{in_flight[0], errc::unknown_outcome}, {late[0], errc::ledger_unavailable}}));
  EXPECT_EQ(follow(0).error.code, errc::ledger_unavailable);
  faults->unreachable = false;
  advance(millis{6'000});
  go_on();
  append(1);
  expect_contiguous(1);
}

TEST_F(jetstream_front_test, an_older_connections_words_change_nothing) {
  append(1);
  transport->disconnect();
  advance(millis{1'000});
  go_on();
  transport->tell(message_came{1, {2, 7, "not from this connection"}});
  transport->tell(publish_refused{1, 2, {errc::internal, "", {}, {}, {}}});
  transport->tell(link_closed{1, {errc::internal, "", {}, {}, {}}});
  run();
  append(1);
  expect_contiguous(2);
  EXPECT_EQ(got->connections, (std::vector<bool>{false, true}));
}

TEST_F(jetstream_front_test, a_wiped_stream_is_another_log) {
  append(5);
  const auto before = follow(5)->log;
  stream->wipe();
  transport->disconnect();
  advance(millis{1'000});
  EXPECT_EQ(read(5).error.code, errc::not_found); // torn, by rule 9
  const auto extent = follow(0);
  EXPECT_NE(extent->log, before);
  EXPECT_EQ(extent->last, 0u);
}

TEST_F(jetstream_front_test, a_rolled_back_stream_shows_another_entry_at_the_own_position) {
  append(1);
  append(1);
  append(1);
  const auto own = got->entries.back();
  stream->roll_back(2);
  transport->disconnect();
  advance(millis{1'000});
  EXPECT_EQ(read(3).error.code, errc::not_found);
  append(1); // another entry takes the position
  const auto other = read(3);
  ASSERT_TRUE(other);
  EXPECT_NE(other->what->id, own.what->id);
  EXPECT_NE(other->logged_at, own.logged_at);
}

TEST_F(jetstream_front_test, the_window_bounds_what_is_in_flight_and_fills_messages_meanwhile) {
  faults->lose_publishes = 1'000; // nothing is ever acknowledged
  for (int i = 0; i < 500; ++i) append(1);
  EXPECT_EQ(transport->published.size(), options.appends.in_flight);
  faults->lose_publishes = 0;
  advance(options.appends.ack_timeout + millis{10});
  EXPECT_EQ(transport->published.size(), options.appends.in_flight + 1); // all that waited went out as one message
  expect_contiguous(500 - options.appends.in_flight);
  EXPECT_EQ(got->failed.size(), options.appends.in_flight);
}

TEST_F(jetstream_front_test, whoever_lags_is_served_from_the_stream) {
  for (int i = 0; i < 50; ++i) append(100);
  expect_contiguous(log_window_entries);
  consume();
  run();
  expect_contiguous(5'000);
  ASSERT_TRUE(follow(10));
  EXPECT_EQ(got->entries[5'000].sequence, 11u);
}

TEST_F(jetstream_front_test, whatever_is_lost_each_stored_entry_comes_once_and_in_order_and_no_failed_one_is_confirmed) {
  std::mt19937 dice{20'26};
  std::set<entry_id> appended;
  for (int round = 0; round < 3'000; ++round) {
    switch (dice() % 14) {
    case 0: faults->lose_acks += dice() % 3; break;
    case 1: faults->lose_messages += dice() % 2; break;
    case 2: faults->lose_publishes += dice() % 2; break;
    case 3: faults->refuse += dice() % 2; break;
    case 4: faults->repeat_messages += dice() % 3; break;
    case 5: faults->fail_checks += dice() % 3; break;
    case 6: faults->silent = dice() % 4 == 0; break;
    case 7: faults->unreachable = dice() % 4 == 0; break;
    case 8:
      if (dice() % 3 == 0) transport->disconnect();
      break;
    case 9: advance(millis{dice() % 3'000}); break;
    default:
      for (auto& id : append(1 + dice() % 5)) appended.insert(id);
    }
    consume();
    run();
    if (!got->connections.empty() && got->connections.back()) {
      got->connections.clear();
      const auto last = got->entries.empty() ? 0 : got->entries.back().sequence;
      follow(last); // may be refused: it is away again
    }
  }
  *faults = {};
  advance(millis{30'000});
  go_on();
  for (int i = 0; i < 10; ++i) {
    consume();
    run();
  }
  std::vector<entry_id> stored;
  for (auto& m : stream->messages)
    for (auto& e : entries_of(m, decode_log_message(m.bytes), 1)) stored.push_back(e.what->id);
  expect_contiguous(stored.size());
  for (std::size_t i = 0; i < stored.size(); ++i) ASSERT_EQ(got->entries[i].what->id, stored[i]);
  const std::set<entry_id> there(stored.begin(), stored.end());
  EXPECT_EQ(there.size(), stored.size()); // nothing was sent twice
  for (const auto& id : appended) {
    const auto failed = got->failed.find(id);
    if (failed == got->failed.end()) {
      EXPECT_TRUE(there.contains(id));
    } else if (failed->second != errc::unknown_outcome) {
      EXPECT_FALSE(there.contains(id));
    }
  }
  EXPECT_GT(got->failed.size(), 10u);
  EXPECT_GT(stored.size(), 500u);
}

} // namespace
} // namespace poseidon::test
