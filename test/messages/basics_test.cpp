#include "messages/envelope.hpp"
#include "messages/errors.hpp"
#include "messages/state.hpp"
#include "messages/subjects.hpp"

#include <gtest/gtest.h>

#include <set>

namespace poseidon {
namespace {

TEST(ids, hex_comes_back_and_malformed_is_refused) {
  run_id id{0x0123456789abcdefu, 0xfedcba9876543210u}, read;
  EXPECT_EQ(to_string(id), "0123456789abcdeffedcba9876543210");
  EXPECT_TRUE(from_hex(to_string(id), read.high, read.low));
  EXPECT_EQ(read, id);
  for (auto* bad : {"", "0123", "0123456789abcdeffedcba987654321g", "0123456789abcdeffedcba98765432100"}) EXPECT_FALSE(from_hex(bad, read.high, read.low));
}

TEST(ids, positions_and_epochs_have_one_spelling) {
  EXPECT_EQ(to_string(position{3, 17}), "3-17");
  EXPECT_EQ(position_from_string("3-17"), (position{3, 17}));
  for (auto* bad : {"", "-", "3", "3-", "-17", "03-17", "3-017", "3-17-1", "+3-17", "3-18446744073709551616", " 3-17"}) EXPECT_FALSE(position_from_string(bad)) << bad;
  epoch e{1, 2, {3, 4}};
  EXPECT_EQ(epoch_from_string(to_string(e)), e);
  EXPECT_FALSE(epoch_from_string("1-2"));
  EXPECT_FALSE(epoch_from_string("1-2-xyz"));
}

TEST(time, rfc3339_is_written_in_utc_with_milliseconds) {
  EXPECT_EQ(to_rfc3339({0}), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(to_rfc3339({1'769'860'800'250}), "2026-01-31T12:00:00.250Z");
  EXPECT_EQ(to_rfc3339({-1}), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(to_rfc3339({std::numeric_limits<std::int64_t>::max()}), "9999-12-31T23:59:59.999Z");
  EXPECT_EQ(to_rfc3339({std::numeric_limits<std::int64_t>::min()}), "0000-01-01T00:00:00.000Z");
}

TEST(time, rfc3339_is_read_in_every_offset) {
  wall_time want{1'769'860'800'250};
  for (auto* text : {"2026-01-31T12:00:00.250Z", "2026-01-31t12:00:00.25z", "2026-01-31T14:30:00.2509999+02:30", "2026-01-31 04:00:00.250-08:00"})
    EXPECT_EQ(from_rfc3339(text), want) << text;
  EXPECT_EQ(from_rfc3339("2016-12-31T23:59:60Z"), from_rfc3339("2017-01-01T00:00:00Z"));
  EXPECT_EQ(from_rfc3339("2024-02-29T00:00:00Z")->ms, 1'709'164'800'000);
  for (auto* bad : {"", "2026-01-31", "2026-01-31T12:00:00", "2026-02-29T12:00:00Z", "2026-13-01T12:00:00Z", "2026-01-31T24:00:00Z",
                    "2026-01-31T12:60:00Z", "2026-01-31T12:00:61Z", "2026-01-31T12:00:00.Z", "2026-01-31T12:00:00Zx", "2026-01-31T12:00:00+2:00",
                    "26-01-31T12:00:00Z", "2026-01-31T12:00:00+24:00"})
    EXPECT_FALSE(from_rfc3339(bad)) << bad;
}

TEST(errors, each_has_words_and_a_status_that_fits) {
  std::set<std::string_view> titles;
  for (auto& row : all_errors()) {
    EXPECT_EQ(&describe(row.code), &row);
    EXPECT_TRUE(titles.insert(row.title).second) << row.title;
    if (row.code == errc::ok) continue;
    EXPECT_FALSE(row.remedy.empty()) << to_string(row.code);
    EXPECT_GE(row.http_status, 400);
    EXPECT_LT(row.http_status, 600);
  }
  EXPECT_EQ(describe(static_cast<errc>(250)).code, errc::internal);
}

TEST(errors, statuses_of_the_interface) {
  EXPECT_EQ(describe(errc::owner_limit_reached).http_status, 409);
  EXPECT_EQ(describe(errc::rate_limited).http_status, 429);
  EXPECT_EQ(describe(errc::idempotency_mismatch).http_status, 422);
  EXPECT_EQ(describe(errc::body_too_large).http_status, 413);
  EXPECT_EQ(describe(errc::header_too_large).http_status, 431);
  for (auto code : {errc::capacity_exhausted, errc::queue_full, errc::rebuilding, errc::paused, errc::draining, errc::ledger_unavailable,
                    errc::engine_unavailable, errc::shutting_down}) {
    EXPECT_EQ(describe(code).http_status, 503);
    EXPECT_TRUE(describe(code).retry);
  }
}

TEST(state, what_the_api_shows) {
  instance_row row;
  auto shown = [&row](ledger_phase phase, end_reason reason = end_reason::none) {
    row.phase = phase;
    row.reason = reason;
    return api_state(row);
  };
  EXPECT_EQ(shown(ledger_phase::queued), instance_state::queued);
  EXPECT_EQ(shown(ledger_phase::assigned), instance_state::pending);
  EXPECT_EQ(shown(ledger_phase::running), instance_state::running);
  EXPECT_EQ(shown(ledger_phase::stopping), instance_state::stopping);
  EXPECT_EQ(shown(ledger_phase::ended, end_reason::expired), instance_state::expired);
  EXPECT_EQ(shown(ledger_phase::ended, end_reason::failed), instance_state::failed);
  EXPECT_EQ(shown(ledger_phase::ended, end_reason::lost), instance_state::lost);
  for (auto reason : {end_reason::stopped, end_reason::solved, end_reason::idle, end_reason::fenced, end_reason::evicted, end_reason::superseded})
    EXPECT_EQ(shown(ledger_phase::ended, reason), instance_state::stopped);
  row.stop_mark = end_reason::stopped;
  for (auto phase : {ledger_phase::queued, ledger_phase::assigned, ledger_phase::running}) EXPECT_EQ(shown(phase), instance_state::stopping);
  EXPECT_EQ(shown(ledger_phase::ended, end_reason::expired), instance_state::expired);
}

TEST(owner, the_team_owns_when_there_is_one) {
  EXPECT_EQ(key_of({"alice", {}, {}, {}}).value, "user:alice");
  EXPECT_EQ(key_of({"alice", "red", {}, {}}).value, "team:red");
  EXPECT_EQ(key_of({"alice", "", {}, {}}).value, "user:alice");
}

TEST(envelope, comes_back_and_garbage_is_refused) {
  envelope e;
  e.kind = "stop_instance";
  e.actor = "key:k";
  e.traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  e.deadline = wall_time{5};
  e.payload.bytes = std::string("\x80\0", 2);
  auto read = decode_envelope(encode(e));
  ASSERT_TRUE(read) << read.error.detail;
  EXPECT_EQ(encode(*read), encode(e));
  e.traceparent = "00-00000000000000000000000000000000-00f067aa0ba902b7-01";
  EXPECT_EQ(decode_envelope(encode(e)).error.code, errc::bad_request);
  e.traceparent.clear();
  e.kind.clear();
  EXPECT_EQ(decode_envelope(encode(e)).error.code, errc::bad_request);
  e.version = 2;
  EXPECT_EQ(decode_envelope(encode(e)).error.code, errc::conflict);
  EXPECT_FALSE(decode_envelope(""));
  EXPECT_FALSE(decode_envelope(std::string(max_frame_bytes + 1, '\x80')));
}

TEST(subjects, names_become_single_tokens_and_come_back) {
  std::set<std::string> seen;
  for (auto* name : {"", "node-1", "a.*>", "Zoë", "alice@uni.de", "=", "=41", "A", " ", "a b", ">", "*", "node-2"}) {
    auto token = subjects::token(name);
    EXPECT_EQ(token.find_first_of(".*> \t\r\n"), token.npos) << token;
    EXPECT_FALSE(token.empty());
    EXPECT_EQ(subjects::name_of(token), name);
    EXPECT_TRUE(seen.insert(token).second);
  }
  for (auto* bad : {"a.b", "=4", "=4g", "=41", "a=", ""}) EXPECT_FALSE(subjects::name_of(bad)) << bad;
  EXPECT_EQ(subjects::node_commands("c", node_name{"n.*"}), "poseidon.c.node.n=2E=2A");
  EXPECT_EQ(subjects::ledger_stream("my.ctf"), "poseidon-my=2Ectf");
}

} // namespace
} // namespace poseidon
