// The pure parts of the log on JetStream: the window, the marks, the plan of a connection, the versions.

#include "actors/log/jetstream/link_plan.hpp"
#include "actors/log/jetstream/server_version.hpp"
#include "messages/codec.hpp"
#include "test/actors/log/scripted_stream.hpp"
#include "test/support/counted_random.hpp"

#include <gtest/gtest.h>

namespace poseidon::test {
namespace {

entry_ptr make_entry(random_source& random, std::size_t bytes = 1) {
  auto made = std::make_shared<entry>();
  made->id = mint<entry_id>(random);
  made->body = put_setting_entry{"a.setting", std::string(bytes, 'x')};
  return made;
}

append_to_log make_append(random_source& random, std::size_t count, std::size_t bytes = 1) {
  append_to_log m;
  while (m.entries.size() < count) m.entries.push_back(make_entry(random, bytes));
  return m;
}

// --- window ---------------------------------------------------------------------------------------------------------

class append_window_test : public ::testing::Test {
protected:
  std::vector<outgoing_message> take() { return window.take(now, {3, 17, 5}); }
  counted_random random;
  boot_time now{1'000};
  append_limits limits{.in_flight = 3, .message_entries = 10, .message_bytes = 4'000, .queue = 50, .ack_timeout = millis{100}};
  writer_id writer = mint<writer_id>(random);
  append_window window{writer, limits};
};

TEST_F(append_window_test, messages_say_whose_they_are_and_where_the_log_was) {
  window.push(make_append(random, 2));
  const auto sent = take();
  ASSERT_EQ(sent.size(), 1u);
  const auto read = decode_log_message(sent[0].bytes);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->writer, writer);
  EXPECT_EQ(read->number, sent[0].number);
  EXPECT_EQ(read->mark, (log_mark{3, 17, 5}));
  EXPECT_EQ(read->entries.size(), 2u);
}

TEST_F(append_window_test, what_is_beyond_the_queue_comes_back) {
  const auto append = make_append(random, 60);
  const auto beyond = window.push(append);
  ASSERT_EQ(beyond.size(), 10u);
  EXPECT_EQ(beyond[0].what.entry, append.entries[50]->id);
  EXPECT_EQ(beyond[0].what.why.code, errc::ledger_unavailable);
  EXPECT_EQ(take().size(), 3u); // 10 entries each
  EXPECT_EQ(window.waiting(), 20u);
  EXPECT_TRUE(take().empty());
}

TEST_F(append_window_test, a_message_is_no_larger_than_allowed) {
  window.push(make_append(random, 6, 1'500));
  const auto sent = take();
  ASSERT_EQ(sent.size(), 3u);
  for (const auto& message : sent) EXPECT_EQ(decode_log_message(message.bytes)->entries.size(), 2u);
}

TEST_F(append_window_test, a_large_entry_goes_in_parts_and_is_named_only_when_all_are_there) {
  const auto append = make_append(random, 1, 15'000);
  window.push(append);
  window.push(make_append(random, 1));
  auto sent = take();
  ASSERT_EQ(sent.size(), 3u); // 4 parts, a window of 3
  std::string whole;
  std::uint64_t sequence = 100;
  for (int messages = 0; messages < 4; ++messages) {
    ASSERT_EQ(sent.front().what, outgoing_message::kind::part);
    whole += decode_log_message(sent.front().bytes)->part.bytes;
    window.acknowledged(sent.front().number, ++sequence);
    sent.erase(sent.begin());
    for (auto& more : take()) sent.push_back(more);
  }
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_EQ(sent[0].what, outgoing_message::kind::parts);
  EXPECT_EQ(decode_log_message(sent[0].bytes)->parts, (std::vector<std::uint64_t>{101, 102, 103, 104}));
  EXPECT_EQ(sent[1].what, outgoing_message::kind::entries); // what came after it
  logged_entry read;
  complete(read, whole);
  ASSERT_TRUE(read.what);
  EXPECT_EQ(read.what->id, append.entries[0]->id);
}

TEST_F(append_window_test, a_large_entry_whose_part_is_refused_is_not_in_the_log) {
  const auto append = make_append(random, 1, 15'000);
  window.push(append);
  window.push(make_append(random, 1));
  const auto sent = take();
  const auto failed = window.refused(sent[1].number, {errc::ledger_unavailable, "", {}, {}, {}});
  ASSERT_EQ(failed.size(), 1u);
  EXPECT_EQ(failed[0].what.entry, append.entries[0]->id);
  window.acknowledged(sent[0].number, 9); // too late to matter
  const auto next = take();
  ASSERT_EQ(next.size(), 1u);
  EXPECT_EQ(next[0].what, outgoing_message::kind::entries);
}

TEST_F(append_window_test, time_makes_entries_unknown_but_a_parts_entry_certain) {
  window.push(make_append(random, 1));
  window.push(make_append(random, 1, 15'000));
  take();
  EXPECT_EQ(window.next_expiry(), now + millis{100});
  EXPECT_TRUE(window.expire(now + millis{99}).empty());
  const auto failed = window.expire(now + millis{100});
  ASSERT_EQ(failed.size(), 2u);
  EXPECT_EQ(failed[0].what.why.code, errc::unknown_outcome);
  EXPECT_EQ(failed[1].what.why.code, errc::ledger_unavailable); // its last message was never sent
  EXPECT_EQ(window.in_flight(), 0u);
}

TEST_F(append_window_test, a_lost_connection_makes_unknown_what_was_sent_and_certain_what_was_not) {
  window.push(make_append(random, 35));
  take();
  const auto failed = window.lost({errc::ledger_unavailable, "", {}, {}, {}});
  ASSERT_EQ(failed.size(), 35u);
  for (std::size_t i = 0; i < 35; ++i)
    EXPECT_EQ(failed[i].what.why.code, i < 30 ? errc::unknown_outcome : errc::ledger_unavailable);
  EXPECT_FALSE(window.next_expiry());
}

// --- marks ----------------------------------------------------------------------------------------------------------

/// A stream of `count` messages, the nth with n % 4 entries, each marked with the message `lag` before it.
class entry_index_test : public ::testing::Test {
protected:
  void fill(std::uint64_t count, std::uint64_t lag) {
    for (std::uint64_t n = 1; n <= count; ++n) {
      log_message what;
      if (stream.messages.size() > lag) what.mark = marks[stream.messages.size() - 1 - lag];
      for (std::uint64_t i = 0; i < n % 4; ++i) what.entries.push_back({encode(*make_entry(random))});
      const auto& stored = stream.append(encode(what));
      marks.push_back({stored.sequence, next, stored.stored_ns});
      next += n % 4;
    }
  }
  counted_random random;
  scripted_stream stream;
  std::vector<log_mark> marks; ///< of message n at n - 1
  std::uint64_t next = 1;
};

TEST_F(entry_index_test, both_ends_are_found_with_few_questions) {
  fill(5'000, 7);
  log_reader reader{stream};
  const auto found = reader.find();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->first, (log_place{1, 1}));
  EXPECT_EQ(found->end.next, (log_place{5'001, next}));
  EXPECT_EQ(found->end.last, marks.back());
  EXPECT_LT(stream.asked, 20u);
}

TEST_F(entry_index_test, a_log_whose_beginning_was_dropped_counts_on) {
  fill(2'000, 5);
  stream.drop_before(1'500);
  log_reader reader{stream};
  const auto found = reader.find();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->first, (log_place{1'500, marks[1'499].entry}));
  EXPECT_EQ(found->end.next.entry, next);
}

TEST_F(entry_index_test, any_entry_is_found_and_read) {
  fill(2'000, 5);
  stream.drop_before(200);
  const auto first = marks[199].entry;
  log_reader reader{stream};
  ASSERT_TRUE(reader.find());
  for (auto after : {first - 1, first + 3, std::uint64_t{1'234}, next - 2}) {
    stream.asked = 0;
    const auto read = reader.read_after(after, 40, 1u << 20);
    ASSERT_TRUE(read);
    ASSERT_EQ(read->size(), std::min<std::uint64_t>(40, next - 1 - after));
    for (std::size_t i = 0; i < read->size(); ++i) EXPECT_EQ((*read)[i].sequence, after + 1 + i);
    EXPECT_LT(stream.asked, 100u);
  }
  EXPECT_EQ(reader.read_after(first - 2, 1, 1).error.code, errc::not_found);
}

TEST_F(entry_index_test, going_on_asks_for_nothing_twice) {
  fill(400, 5);
  log_reader reader{stream};
  ASSERT_TRUE(reader.find());
  std::uint64_t last = 0;
  ASSERT_EQ(reader.read_after(0, 7, 1u << 20)->size(), 7u);
  stream.asked = 0;
  for (last = 7; last < next - 1;) {
    const auto read = reader.read_after(last, 7, 1u << 20);
    ASSERT_TRUE(read);
    ASSERT_EQ(read->front().sequence, last + 1);
    last = read->back().sequence;
  }
  EXPECT_LE(stream.asked, 400u);
}

TEST_F(entry_index_test, a_mark_from_a_stream_that_is_gone_counts_for_nothing) {
  fill(100, 2);
  log_message stale;
  stale.mark = {60, 7'000, 123}; // another message than the one that is there
  stale.entries.push_back({encode(*make_entry(random))});
  stream.append(encode(stale));
  log_reader reader{stream};
  EXPECT_EQ(reader.find()->end.next, (log_place{102, next + 1}));
}

TEST_F(entry_index_test, what_is_no_message_counts_none_and_a_newer_one_stops_its_reader) {
  fill(3, 1);
  stream.append("rubbish");
  log_message newer;
  newer.version = log_message::current_version + 1;
  stream.append(encode(newer));
  log_reader reader{stream};
  const auto found = reader.find();
  EXPECT_EQ(found->end.next, (log_place{6, next + 1}));
  const auto read = reader.read_after(next - 1, 1, 1);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->front().problem->code, errc::conflict);
}

TEST_F(entry_index_test, an_emptied_stream_begins_anew) {
  fill(10, 1);
  stream.drop_before(11);
  log_reader reader{stream};
  EXPECT_EQ(reader.find()->end.next, (log_place{11, 1}));
}

TEST_F(entry_index_test, an_entry_whose_parts_are_gone_is_damaged_and_still_counts) {
  fill(3, 1);
  log_message named;
  named.mark = marks.back();
  named.parts = {900};
  stream.append(encode(named));
  log_reader reader{stream};
  EXPECT_EQ(reader.find()->end.next, (log_place{5, next + 1}));
  const auto read = reader.read_after(next - 1, 1, 1);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->front().problem->code, errc::bad_request);
}

// --- plan -----------------------------------------------------------------------------------------------------------

TEST(link_plan, waits_longer_after_each_failure_and_never_too_long) {
  const link_limits limits;
  for (std::uint32_t failed = 0; failed < 40; ++failed) {
    const auto whole = std::min(limits.longest_wait.count(), limits.first_wait.count() << std::min(failed, 16u));
    for (std::uint64_t random : {0ull, 1ull, 12'345ull, ~0ull}) {
      const auto wait = back_off(limits, failed, random).count();
      EXPECT_GE(wait, whole / 2);
      EXPECT_LE(wait, whole);
    }
  }
  EXPECT_NE(back_off(limits, 9, 1), back_off(limits, 9, 1'000)); // jitter
}

TEST(link_plan, opens_once_at_a_time_and_checks_what_is_open) {
  link_plan plan{{}};
  boot_time now{0};
  EXPECT_EQ(plan.next(now), link_plan::step::open);
  EXPECT_EQ(plan.link(), 1u);
  EXPECT_EQ(plan.next(now + millis{60'000}), link_plan::step::nothing); // the attempt decides
  plan.opened(now, "n1");
  EXPECT_EQ(plan.next(now), link_plan::step::nothing);
  now = now + millis{1'000};
  EXPECT_EQ(plan.next(now), link_plan::step::check);
  EXPECT_EQ(plan.next(now), link_plan::step::nothing);
  plan.closed(now, 7);
  EXPECT_EQ(plan.next(now), link_plan::step::nothing);
  EXPECT_EQ(plan.next(plan.due()), link_plan::step::open);
  EXPECT_EQ(plan.link(), 2u);
}

TEST(link_plan, a_delivery_that_moves_is_fine_however_far_behind) {
  link_plan plan{{}};
  plan.next({0});
  plan.opened({0}, "");
  using finding = link_plan::finding;
  EXPECT_EQ(plan.checked(stream_check{100, ""}, 10), finding::fine);
  EXPECT_EQ(plan.checked(stream_check{300, ""}, 20), finding::fine);
  EXPECT_EQ(plan.checked(stream_check{900, ""}, 20), finding::silent);
}

TEST(link_plan, an_idle_stream_is_no_silence) {
  link_plan plan{{}};
  plan.next({0});
  plan.opened({0}, "n1");
  for (int i = 0; i < 5; ++i) EXPECT_EQ(plan.checked(stream_check{10, "n1"}, 10), link_plan::finding::fine);
  EXPECT_EQ(plan.checked(stream_check{10, ""}, 10), link_plan::finding::fine); // an election: nobody leads yet
  EXPECT_EQ(plan.checked(stream_check{10, "n2"}, 10), link_plan::finding::new_leader);
}

TEST(link_plan, gives_up_after_some_checks_without_an_answer) {
  link_plan plan{{}};
  plan.next({0});
  plan.opened({0}, "");
  const outcome<stream_check> none{failure{errc::ledger_unavailable, "", {}, {}, {}}};
  EXPECT_EQ(plan.checked(none, 0), link_plan::finding::fine);
  EXPECT_EQ(plan.checked(none, 0), link_plan::finding::fine);
  EXPECT_EQ(plan.checked(stream_check{}, 0), link_plan::finding::fine);
  EXPECT_EQ(plan.checked(none, 0), link_plan::finding::fine);
  EXPECT_EQ(plan.checked(none, 0), link_plan::finding::fine);
  EXPECT_EQ(plan.checked(none, 0), link_plan::finding::gone);
}

// --- versions -------------------------------------------------------------------------------------------------------

TEST(server_version, is_read_from_the_info_line) {
  const auto info = parse_info_line(R"(INFO {"server_id":"X","version":"2.10.27","jetstream":true,"connect_urls":["10.0.0.2:4222"]})");
  ASSERT_TRUE(info);
  EXPECT_EQ(info->version, (server_version{2, 10, 27}));
  EXPECT_TRUE(info->jetstream);
  EXPECT_EQ(info->others, std::vector<std::string>{"10.0.0.2:4222"});
  EXPECT_FALSE(parse_info_line("HTTP/1.1 400 Bad Request"));
  EXPECT_FALSE(parse_info_line("INFO {}"));
  EXPECT_FALSE(parse_info_line("INFO {\"version\":7}"));
  EXPECT_FALSE(parse_info_line("INFO {\"version\":\"2.10"));
  EXPECT_EQ(parse_version("2.12.0-RC.1"), (server_version{2, 12, 0}));
  for (auto* wrong : {"", "2", "2.10", "2.10.", "2.10.x", "2.10.1x", "v2.10.1"}) EXPECT_FALSE(parse_version(wrong)) << wrong;
}

TEST(server_version, one_replica_takes_what_debian_12_has_and_three_do_not) {
  const server_info debian_12{{2, 9, 10}, true, {}};
  EXPECT_FALSE(judge_server("nats://a:4222", debian_12, 1));
  const auto refused = judge_server("nats://a:4222", debian_12, 3);
  EXPECT_EQ(refused.code, errc::conflict);
  for (auto* word : {"nats://a:4222", "2.9.10", "2.10.23", "nats.replicas"}) EXPECT_NE(refused.detail.find(word), std::string::npos) << word;
  EXPECT_TRUE(judge_server("a", {{2, 10, 22}, true, {}}, 3));
  EXPECT_FALSE(judge_server("a", {{2, 10, 23}, true, {}}, 3));
  EXPECT_FALSE(judge_server("a", {{2, 11, 0}, true, {}}, 5));
  EXPECT_TRUE(judge_server("a", {{2, 8, 4}, true, {}}, 1));
  EXPECT_NE(judge_server("a", {{2, 10, 27}, false, {}}, 1).detail.find("JetStream"), std::string::npos);
}

} // namespace
} // namespace poseidon::test
