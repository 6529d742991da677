#include "test/actors/log/log_contract.hpp"

#include "actors/log/memory_log.hpp"
#include "actors/log/sqlite_log.hpp"
#include "test/actors/log/jetstream_under_test.hpp"
#include "test/actors/log/log_fixture.hpp"

#include <map>

namespace poseidon::test {
namespace {

/// Goes on after a reconnect: servers that elect a leader may lose a connection at any time.
class steady_follower : public follower {
public:
  steady_follower(caf::actor_system& system, log_actor log) : follower(system, std::move(log)) { follows_anew = true; }
};

class sqlite_under_test : public log_under_test {
public:
  explicit sqlite_under_test(const clock& time) : time_(time) {}
  log_actor open(caf::actor_system& system) override {
    sqlite_log_options options;
    options.path = file();
    options.recent = 1000; // small, so that most of the suite is served from the disk
    auto log = spawn_sqlite_log(system, options, time_);
    if (!log) throw std::runtime_error(log.error.detail);
    return *log;
  }
  /// The files as they are on the disk now, under another name: what kill -9 leaves.
  void crash() override {
    auto before = file();
    ++generation_;
    for (auto* suffix : {"", "-wal"}) std::filesystem::copy_file(before + suffix, file() + suffix);
  }

private:
  std::string file() const { return folder_.file("log" + std::to_string(generation_) + ".sqlite"); }
  const clock& time_;
  temporary_folder folder_;
  int generation_ = 0;
};

class memory_under_test : public log_under_test {
public:
  explicit memory_under_test(const clock& time) : time_(time) {}
  log_actor open(caf::actor_system& system) override { return spawn_memory_log(system, {store_, nullptr, &time_}); }
  void crash() override {} // what is in the store stays, whenever its front dies

private:
  const clock& time_;
  std::shared_ptr<memory_log_store> store_ = std::make_shared<memory_log_store>();
};

class log_contract : public ::testing::TestWithParam<log_kind>, public log_test_base {
protected:
  ~log_contract() override { end(system, log); }
  void reopen() {
    end(system, log);
    log = under_test->open(system);
  }
  std::unique_ptr<log_under_test> under_test = GetParam().make(time);
  log_actor log = under_test->open(system);
};

TEST_P(log_contract, a_new_log_is_empty) {
  steady_follower f(system, log);
  auto extent = f.follow(0);
  ASSERT_TRUE(extent);
  EXPECT_EQ(extent->first, 1u);
  EXPECT_EQ(extent->last, 0u);
  EXPECT_FALSE(extent->log.empty());
}

TEST_P(log_contract, delivers_in_order_without_gaps) {
  steady_follower f(system, log);
  ASSERT_TRUE(f.follow(0));
  auto entries = make_entries(3000);
  for (std::size_t i = 0, size = 1; i < entries.size(); i += size, size = size % 7 + 1)
    f.append({entries.begin() + static_cast<long>(i), entries.begin() + static_cast<long>(std::min(i + size, entries.size()))});
  f.take(3000);
  ASSERT_EQ(f.seen.size(), 3000u);
  expect_contiguous(f.seen, 1);
  for (std::size_t i = 0; i < entries.size(); ++i) EXPECT_EQ(f.seen[i].what->id, entries[i]->id);
  EXPECT_EQ(f.last, 3000u);
  EXPECT_TRUE(f.failed.empty());
}

TEST_P(log_contract, keeps_each_appenders_order_among_several) {
  steady_follower a(system, log), b(system, log);
  ASSERT_TRUE(a.follow(0));
  auto of_a = make_entries(500), of_b = make_entries(500);
  for (std::size_t i = 0; i < 500; ++i) {
    a.append({of_a[i]});
    b.append({of_b[i]});
  }
  a.take(1000);
  expect_contiguous(a.seen, 1);
  std::vector<entry_id> seen_a, seen_b, want_a, want_b;
  std::set<entry_id> ids_a;
  for (auto& e : of_a) ids_a.insert(e->id), want_a.push_back(e->id);
  for (auto& e : of_b) want_b.push_back(e->id);
  for (auto& e : a.seen) (ids_a.contains(e.what->id) ? seen_a : seen_b).push_back(e.what->id);
  EXPECT_EQ(seen_a, want_a);
  EXPECT_EQ(seen_b, want_b);
}

TEST_P(log_contract, delivers_from_any_position_and_again) {
  steady_follower f(system, log);
  f.append(make_entries(2500));
  ASSERT_TRUE(f.follow(0));
  f.take(2500);
  auto first_time = f.seen;
  for (std::uint64_t after : {0u, 1u, 1234u, 2499u, 2500u}) {
    f.seen.clear();
    auto extent = f.follow(after);
    ASSERT_TRUE(extent);
    EXPECT_EQ(extent->last, 2500u);
    f.take(2500 - after);
    ASSERT_EQ(f.seen.size(), 2500 - after);
    expect_contiguous(f.seen, after + 1);
    for (auto& e : f.seen) {
      EXPECT_EQ(e.what->id, first_time[e.sequence - 1].what->id);
      EXPECT_EQ(e.logged_at, first_time[e.sequence - 1].logged_at);
    }
  }
}

TEST_P(log_contract, goes_on_with_new_entries_after_old_ones) {
  steady_follower f(system, log);
  f.append(make_entries(10));
  ASSERT_TRUE(f.follow(0));
  f.take(10);
  f.append(make_entries(10));
  f.take(10);
  expect_contiguous(f.seen, 1);
  EXPECT_EQ(f.seen.size(), 20u);
}

TEST_P(log_contract, refuses_to_follow_from_beyond_its_end) {
  steady_follower f(system, log);
  f.append(make_entries(3));
  ASSERT_TRUE(f.follow(0));
  f.take(3);
  EXPECT_EQ(f.follow(4).error.code, errc::not_found);
}

TEST_P(log_contract, appends_unconditionally) {
  steady_follower f(system, log);
  auto same = make_entry();
  ASSERT_TRUE(f.follow(0));
  f.append({same});
  f.append({same});
  f.take(2);
  ASSERT_EQ(f.seen.size(), 2u);
  EXPECT_EQ(f.seen[0].what->id, f.seen[1].what->id);
}

TEST_P(log_contract, keeps_the_whole_entry) {
  start_entry body;
  body.owner = {"Zoë", "a.*>", std::nullopt, "Team Ü"};
  body.key = key_of(body.owner);
  body.metadata = R"({"x":"\u0000"})";
  body.flag = sealed_secret{std::string("\0\xff\x80", 3)};
  body.loads = {{node_name{"n1"}, 10, 20}};
  auto inline_spec = std::make_shared<instance_spec>();
  inline_spec->services.resize(2);
  body.inline_spec = inline_spec;
  steady_follower f(system, log);
  f.append({make_entry(body)});
  ASSERT_TRUE(f.follow(0));
  f.take(1);
  reopen();
  steady_follower again(system, log);
  auto read = again.ask<logged_entry>(read_log{1});
  ASSERT_TRUE(read);
  auto& got = std::get<start_entry>(read->what->body);
  EXPECT_EQ(got.owner, body.owner);
  EXPECT_EQ(got.metadata, body.metadata);
  EXPECT_EQ(got.flag, body.flag);
  EXPECT_EQ(got.loads, body.loads);
  EXPECT_EQ(*got.inline_spec, *inline_spec);
}

TEST_P(log_contract, reads_one_entry_with_the_logs_own_timestamp) {
  steady_follower f(system, log);
  ASSERT_TRUE(f.follow(0));
  for (auto& e : make_entries(2000)) {
    f.append({e});
    time.advance(millis{1});
  }
  f.take(2000);
  for (std::uint64_t at : {1u, 700u, 2000u}) {
    auto read = f.ask<logged_entry>(read_log{at});
    ASSERT_TRUE(read);
    EXPECT_EQ(read->sequence, at);
    EXPECT_EQ(read->what->id, f.seen[at - 1].what->id);
    EXPECT_EQ(read->logged_at, f.seen[at - 1].logged_at);
  }
  EXPECT_EQ(f.ask<logged_entry>(read_log{0}).error.code, errc::not_found);
  EXPECT_EQ(f.ask<logged_entry>(read_log{2001}).error.code, errc::not_found);
}

TEST_P(log_contract, is_the_same_after_reopening) {
  steady_follower before(system, log);
  before.append(make_entries(1500));
  ASSERT_TRUE(before.follow(0));
  before.take(1500);
  auto extent_before = before.ask<log_extent>(get_log_extent{});
  reopen();
  steady_follower f(system, log);
  auto extent = f.follow(0);
  ASSERT_TRUE(extent);
  EXPECT_EQ(extent->log, extent_before->log);
  EXPECT_EQ(extent->last, 1500u);
  f.take(1500);
  ASSERT_EQ(f.seen.size(), 1500u);
  for (std::size_t i = 0; i < 1500; ++i) {
    EXPECT_EQ(f.seen[i].what->id, before.seen[i].what->id);
    EXPECT_EQ(f.seen[i].logged_at, before.seen[i].logged_at);
  }
  f.append(make_entries(1));
  f.take(1);
  expect_contiguous(f.seen, 1);
}

TEST_P(log_contract, what_was_delivered_survives_a_crash) {
  steady_follower before(system, log);
  ASSERT_TRUE(before.follow(0));
  auto entries = make_entries(400);
  for (auto& e : entries) before.append({e});
  before.take(150);
  under_test->crash();
  auto delivered = before.seen;
  reopen();
  steady_follower f(system, log);
  ASSERT_TRUE(f.follow(0));
  f.take(delivered.size());
  ASSERT_GE(f.seen.size(), delivered.size());
  for (std::size_t i = 0; i < delivered.size(); ++i) EXPECT_EQ(f.seen[i].what->id, delivered[i].what->id);
}

TEST_P(log_contract, holds_large_snapshots) {
  incarnation_entry body;
  body.number = 7;
  body.snapshot.bytes.assign(20u << 20, 'x');
  body.snapshot.bytes[12345] = '\0';
  steady_follower f(system, log);
  ASSERT_TRUE(f.follow(0));
  f.append({make_entry(body), make_entry()});
  f.take(2);
  reopen();
  steady_follower again(system, log);
  ASSERT_TRUE(again.follow(0));
  again.take(2);
  ASSERT_EQ(again.seen.size(), 2u);
  EXPECT_EQ(std::get<incarnation_entry>(again.seen[0].what->body).snapshot, body.snapshot);
}

TEST_P(log_contract, sends_a_bounded_number_ahead) {
  steady_follower f(system, log);
  f.append(make_entries(3 * log_window_entries));
  steady_follower probe(system, log);
  ASSERT_TRUE(probe.follow(0));
  probe.take(3 * log_window_entries); // all are in the log
  ASSERT_TRUE(f.follow(0));
  f.take(log_window_entries, false);
  f.take_rest();
  EXPECT_EQ(f.seen.size(), log_window_entries);
  f.consumed(log_window_entries);
  f.take(2 * log_window_entries);
  ASSERT_EQ(f.seen.size(), 3 * log_window_entries);
  expect_contiguous(f.seen, 1);
}

TEST_P(log_contract, serves_several_followers_each_at_its_own_place) {
  steady_follower a(system, log), b(system, log);
  a.append(make_entries(1200));
  ASSERT_TRUE(a.follow(0));
  a.take(1200);
  ASSERT_TRUE(b.follow(700));
  b.take(500);
  a.append(make_entries(5));
  a.take(5);
  b.take(5);
  expect_contiguous(a.seen, 1);
  expect_contiguous(b.seen, 701);
  EXPECT_EQ(a.seen.size(), 1205u);
  EXPECT_EQ(b.seen.size(), 505u);
}

TEST_P(log_contract, a_follower_that_ended_is_forgotten) {
  {
    steady_follower gone(system, log);
    ASSERT_TRUE(gone.follow(0));
  }
  steady_follower f(system, log);
  ASSERT_TRUE(f.follow(0));
  f.append(make_entries(5));
  f.take(5);
  EXPECT_EQ(f.seen.size(), 5u);
}

TEST_P(log_contract, drops_what_a_snapshot_stands_for) {
  steady_follower f(system, log);
  f.append(make_entries(12'000));
  ASSERT_TRUE(f.follow(0));
  f.take(12'000);
  ASSERT_TRUE(f.ask<done>(trim_log{11'000}));
  auto extent = f.ask<log_extent>(get_log_extent{});
  EXPECT_EQ(extent->first, 11'000u);
  EXPECT_EQ(extent->last, 12'000u);
  EXPECT_EQ(f.ask<logged_entry>(read_log{10'999}).error.code, errc::not_found);
  steady_follower late(system, log);
  EXPECT_EQ(late.follow(10'000).error.code, errc::stale);
  ASSERT_TRUE(late.follow(10'999));
  late.take(1001);
  expect_contiguous(late.seen, 11'000);
}

TEST_P(log_contract, counts_on_after_everything_was_dropped) {
  steady_follower before(system, log);
  before.append(make_entries(10));
  ASSERT_TRUE(before.follow(0));
  before.take(10);
  ASSERT_TRUE(before.ask<done>(trim_log{1000}));
  reopen();
  steady_follower f(system, log);
  ASSERT_TRUE(f.follow(10));
  f.append(make_entries(1));
  f.take(1);
  ASSERT_EQ(f.seen.size(), 1u);
  EXPECT_EQ(f.seen[0].sequence, 11u);
}

template <class Log>
log_kind kind(std::string name) {
  return {std::move(name), [](const clock& source) { return std::make_unique<Log>(source); }};
}
std::string name_of(const ::testing::TestParamInfo<log_kind>& tested) { return tested.param.name; }
log_kind jetstream(std::string name, std::uint32_t replicas) {
  return {std::move(name), [replicas](const clock&) { return std::make_unique<jetstream_under_test>(replicas); }};
}
std::vector<log_kind> kinds() {
  return {kind<sqlite_under_test>("sqlite"), kind<memory_under_test>("memory"), jetstream("jetstream", 1), jetstream("jetstream_replicated", 3)};
}
INSTANTIATE_TEST_SUITE_P(every, log_contract, ::testing::ValuesIn(kinds()), name_of);

} // namespace
} // namespace poseidon::test
