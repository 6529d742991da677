// The log on real servers that are killed, wiped, rolled back and frozen.

#include "actors/ledger/recovery.hpp"
#include "test/actors/log/jetstream_under_test.hpp"
#include "test/actors/log/log_fixture.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <thread>

namespace poseidon::test {
namespace {

class jetstream_faults : public ::testing::Test, public log_test_base {
protected:
  void open(std::uint32_t replicas) {
    under_test = std::make_unique<jetstream_under_test>(replicas);
    log = under_test->open(system);
  }
  ~jetstream_faults() override {
    if (log) end(system, log);
  }
  nats_server& server(std::size_t n = 0) { return *under_test->servers.servers.at(n); }
  /// Waits until the follower was told that the log is back, however often it was told that it is away.
  static void await_return(follower& f) {
    while (f.connections.empty() || !f.connections.back())
      if (!f.take_message(follower::limit, true)) return;
  }
  /// What a member finds at its own position (rule 9).
  log_comparison compare(follower& f, const logged_entry& own) {
    const last_entry last{own.what->id, own.logged_at};
    auto found = f.ask<logged_entry>(read_log{own.sequence});
    while (!found && found.error.code == errc::ledger_unavailable) {
      f.take_message(millis{50}, true);
      found = f.ask<logged_entry>(read_log{own.sequence});
    }
    return compare_log(last, found);
  }
  /// The log's entries without a gap or a double; what was refused is not among them.
  static void expect_each_once_or_told(const follower& f) {
    expect_contiguous(f.seen, 1);
    std::set<entry_id> seen;
    for (auto& e : f.seen) EXPECT_TRUE(seen.insert(e.what->id).second) << "an entry is there twice";
    for (auto& e : f.failed)
      EXPECT_FALSE(e.why.code == errc::ledger_unavailable && seen.contains(e.entry)) << e.why.detail;
  }
  /// For a failure's message.
  static std::string where_it_stands(follower& f) {
    const auto extent = f.ask<log_extent>(get_log_extent{});
    return "seen " + std::to_string(f.seen.size()) + ", failed " + std::to_string(f.failed.size()) + ", connections " +
           std::to_string(f.connections.size()) + ", the log: " + (extent ? "up to " + std::to_string(extent->last) : extent.error.detail);
  }
  std::unique_ptr<jetstream_under_test> under_test;
  log_actor log;
};

TEST_F(jetstream_faults, a_killed_server_comes_back_with_what_was_delivered_and_the_log_goes_on) {
  open(1);
  follower f(system, log);
  ASSERT_TRUE(f.follow(0));
  f.append(make_entries(500));
  f.take(500);
  server().kill();
  while (f.connections.empty() && f.take_message(follower::limit, true)) {}
  f.append(make_entries(1));
  while (f.failed.empty() && f.take_message(follower::limit, true)) {}
  ASSERT_EQ(f.failed.size(), 1u); // refused at once: it will not be sent later
  EXPECT_EQ(f.failed[0].why.code, errc::ledger_unavailable);
  server().start();
  await_return(f);
  const auto own = f.seen.back();
  ASSERT_EQ(compare(f, own), log_comparison::goes_on);
  ASSERT_TRUE(f.follow(500));
  f.append(make_entries(20));
  f.take(20);
  ASSERT_EQ(f.seen.size(), 520u);
  expect_contiguous(f.seen, 1);
}

TEST_F(jetstream_faults, killed_under_load_each_append_is_there_once_or_told) {
  open(1);
  follower f(system, log);
  ASSERT_TRUE(f.follow(0));
  auto entries = make_entries(4'000);
  std::size_t sent = 0;
  const auto send = [&](std::size_t count) {
    for (; count > 0 && sent < entries.size(); --count) f.append({entries[sent++]});
  };
  send(2'000);
  f.take(500);
  server().kill();
  send(500);
  server().start();
  await_return(f);
  ASSERT_EQ(compare(f, f.seen.back()), log_comparison::goes_on);
  ASSERT_TRUE(f.follow(f.seen.back().sequence));
  send(1'500);
  std::set<entry_id> told;
  const auto decided = [&] {
    told.clear();
    for (auto& e : f.seen) told.insert(e.what->id);
    for (auto& e : f.failed) told.insert(e.entry);
    return told.size();
  };
  while (decided() < sent && f.take_message(follower::limit, true)) {}
  EXPECT_EQ(decided(), entries.size());
  expect_each_once_or_told(f);
}

TEST_F(jetstream_faults, a_wiped_store_is_found_torn) {
  open(1);
  follower f(system, log);
  const auto before = f.follow(0);
  ASSERT_TRUE(before);
  f.append(make_entries(30));
  f.take(30);
  server().kill();
  server().wipe();
  server().start();
  await_return(f);
  EXPECT_EQ(compare(f, f.seen.back()), log_comparison::torn);
  const auto after = f.follow(0);
  ASSERT_TRUE(after);
  EXPECT_NE(after->log, before->log);
  EXPECT_EQ(after->last, 0u);
}

TEST_F(jetstream_faults, an_older_copy_is_found_torn_even_when_it_has_grown_past_the_own_position) {
  open(1);
  follower f(system, log);
  ASSERT_TRUE(f.follow(0));
  f.append(make_entries(20));
  f.take(20);
  server().kill();
  server().copy_store();
  server().start();
  await_return(f);
  f.connections.clear();
  ASSERT_TRUE(f.follow(20));
  f.append(make_entries(20));
  f.take(20);
  const auto at_20 = f.seen[19], own = f.seen.back();
  server().kill();
  server().restore_copy();
  server().start();
  await_return(f);
  EXPECT_EQ(compare(f, own), log_comparison::torn);     // gone
  EXPECT_EQ(compare(f, at_20), log_comparison::goes_on); // whoever had seen no more is not affected
  ASSERT_TRUE(f.follow(20));
  f.append(make_entries(30));
  f.take(30);
  EXPECT_EQ(compare(f, own), log_comparison::torn); // another entry
}

TEST_F(jetstream_faults, a_frozen_server_is_given_up_and_found_again) {
  open(1);
  follower f(system, log);
  ASSERT_TRUE(f.follow(0));
  f.append(make_entries(5));
  f.take(5);
  server().freeze();
  auto frozen = make_entries(1);
  f.append({frozen[0]});
  while ((f.failed.empty() || f.connections.empty()) && f.take_message(follower::limit, true)) {}
  server().thaw();
  ASSERT_EQ(f.failed.size(), 1u) << where_it_stands(f);
  EXPECT_EQ(f.connections, std::vector<bool>{false});
  EXPECT_EQ(f.failed[0].why.code, errc::unknown_outcome); // and it may well come
  await_return(f);
  ASSERT_EQ(compare(f, f.seen.back()), log_comparison::goes_on);
  ASSERT_TRUE(f.follow(f.seen.back().sequence));
  auto after = make_entries(1);
  f.append({after[0]});
  while (f.seen.back().what->id != after[0]->id && f.take_message(follower::limit, true)) {}
  EXPECT_EQ(f.seen.back().what->id, after[0]->id);
  expect_contiguous(f.seen, 1);
}

TEST_F(jetstream_faults, a_short_pause_only_delays) {
  open(1);
  follower f(system, log);
  ASSERT_TRUE(f.follow(0));
  f.append(make_entries(5));
  f.take(5);
  server().freeze();
  f.append(make_entries(1));
  f.take_message(millis{1'000}, true); // nothing comes
  EXPECT_EQ(f.seen.size(), 5u);
  server().thaw();
  f.take(1);
  f.append(make_entries(1));
  f.take(1);
  EXPECT_EQ(f.seen.size(), 7u);
  expect_contiguous(f.seen, 1);
  EXPECT_TRUE(f.failed.empty());
  EXPECT_TRUE(f.connections.empty());
}

TEST_F(jetstream_faults, two_processes_see_one_log) {
  open(1);
  const auto second = under_test->open(system);
  {
    follower a(system, log), b(system, second);
    ASSERT_TRUE(a.follow(0));
    ASSERT_TRUE(b.follow(0));
    auto of_a = make_entries(700), of_b = make_entries(700);
    for (std::size_t i = 0; i < 700; ++i) {
      a.append({of_a[i]});
      b.append({of_b[i]});
    }
    a.take(1'400);
    b.take(1'400);
    ASSERT_EQ(a.seen.size(), 1'400u);
    ASSERT_EQ(b.seen.size(), 1'400u);
    expect_contiguous(a.seen, 1);
    for (std::size_t i = 0; i < 1'400; ++i) {
      ASSERT_EQ(a.seen[i].what->id, b.seen[i].what->id);
      ASSERT_EQ(a.seen[i].logged_at, b.seen[i].logged_at);
    }
  }
  end(system, second);
}

TEST_F(jetstream_faults, dropping_the_beginning_frees_the_stream_and_keeps_a_large_entrys_parts) {
  under_test = std::make_unique<jetstream_under_test>(1);
  under_test->front.appends.message_entries = 10;
  under_test->front.appends.message_bytes = 8'000;
  log = under_test->open(system);
  follower f(system, log);
  ASSERT_TRUE(f.follow(0));
  put_challenge_entry body;
  body.confidential.bytes.assign(200'000, 'x');
  auto large = make_entry(body);
  f.append(make_entries(1'000));
  f.append({large});
  f.append(make_entries(100));
  f.take(1'101);
  ASSERT_TRUE(f.ask<done>(trim_log{1'001})); // keeps the large one, whose parts are older than itself
  end(system, log);
  log = under_test->open(system);
  follower late(system, log);
  const auto extent = late.ask<log_extent>(get_log_extent{});
  ASSERT_TRUE(extent);
  EXPECT_LE(extent->first, 1'001u);
  EXPECT_GT(extent->first, 900u);
  EXPECT_EQ(extent->last, 1'101u);
  ASSERT_TRUE(late.follow(extent->first - 1));
  late.take(extent->last - extent->first + 1);
  expect_contiguous(late.seen, extent->first);
  for (auto& e : late.seen) {
    ASSERT_TRUE(e.what) << e.sequence;
    EXPECT_EQ(e.what->id == large->id, e.sequence == 1'001);
  }
}

TEST_F(jetstream_faults, three_servers_lose_their_leader_and_nothing_is_doubled) {
  open(3);
  follower f(system, log);
  ASSERT_TRUE(f.follow(0));
  f.append(make_entries(200));
  f.take(200);
  for (std::size_t n = 0; n < 3; ++n) { // one of them leads; each is killed once
    server(n).kill();
    auto entries = make_entries(300);
    std::set<entry_id> open_ids;
    for (auto& e : entries) open_ids.insert(e->id);
    for (auto& e : entries) f.append({e});
    const auto settled = [&] {
      for (auto& e : f.seen) open_ids.erase(e.what->id);
      for (auto& e : f.failed) open_ids.erase(e.entry);
      return open_ids.empty();
    };
    while (!settled()) {
      if (!f.connections.empty() && f.connections.back()) {
        f.connections.clear();
        ASSERT_EQ(compare(f, f.seen.back()), log_comparison::goes_on);
        f.follow(f.seen.back().sequence); // may be refused: it is away again
        continue; // what was awaited may have come meanwhile
      }
      ASSERT_TRUE(f.take_message(follower::limit, true)) << open_ids.size() << " appends were never decided; " << where_it_stands(f);
    }
    server(n).start();
  }
  auto last = make_entry();
  for (;;) { // until one gets through: elections take their time
    f.append({last});
    const auto failed = f.failed.size();
    while (f.seen.back().what->id != last->id && f.failed.size() == failed) {
      if (!f.connections.empty() && f.connections.back()) {
        f.connections.clear();
        f.follow(f.seen.back().sequence);
        continue;
      }
      ASSERT_TRUE(f.take_message(follower::limit, true)) << "the last append was never decided; " << where_it_stands(f);
    }
    if (f.seen.back().what->id == last->id) break;
    last = make_entry();
    f.take_message(millis{100}, true);
  }
  expect_each_once_or_told(f);
}

/// A server that says who it is and no more.
class greeting {
public:
  explicit greeting(std::string line) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), line_(std::move(line)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ::bind(fd_, reinterpret_cast<sockaddr*>(&address), size);
    ::listen(fd_, 8);
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    url = "nats://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
    thread_ = std::thread([this] {
      for (int one = 0; (one = ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC)) >= 0; ::close(one)) ::send(one, line_.data(), line_.size(), MSG_NOSIGNAL);
    });
  }
  ~greeting() {
    ::shutdown(fd_, SHUT_RDWR);
    thread_.join();
    ::close(fd_);
  }
  std::string url;

private:
  int fd_;
  std::string line_;
  std::thread thread_;
};

/// A port whose queue of connections is full: what knocks there hears nothing, as behind a firewall or of a machine without power.
class silent_port {
public:
  silent_port() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ::bind(fds_[0], reinterpret_cast<sockaddr*>(&address), size);
    ::listen(fds_[0], 0);
    ::getsockname(fds_[0], reinterpret_cast<sockaddr*>(&address), &size);
    url = "nats://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
    for (std::size_t i = 1; i < fds_.size(); ++i) ::connect(fds_[i], reinterpret_cast<sockaddr*>(&address), size);
  }
  ~silent_port() {
    for (const int fd : fds_) ::close(fd);
  }
  std::string url;

private:
  static int make() { return ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0); }
  std::array<int, 4> fds_{make(), make(), make(), make()};
};

TEST(check_servers, asks_every_server_also_those_that_others_name) {
  greeting old("INFO {\"version\":\"2.9.10\",\"jetstream\":true}\r\n");
  greeting fine("INFO {\"version\":\"2.10.27\",\"jetstream\":true,\"connect_urls\":[\"" + old.url.substr(7) + "\"]}\r\n");
  jetstream_options options;
  options.urls = {fine.url, "nats://127.0.0.1:1"}; // nobody listens there: asked again when it does
  EXPECT_FALSE(check_servers(options));
  options.replicas = 3;
  const auto refused = check_servers(options);
  EXPECT_EQ(refused.code, errc::conflict);
  EXPECT_NE(refused.detail.find("2.9.10"), std::string::npos);
}

TEST(check_servers, tell_whether_any_server_runs_at_all) {
  jetstream_options options;
  options.presence = std::make_shared<server_presence>();
  options.urls = {"nats://127.0.0.1:1"};
  EXPECT_FALSE(options.presence->none_listens()) << "not known before the first look";
  EXPECT_FALSE(check_servers(options));
  EXPECT_TRUE(options.presence->none_listens());
  {
    greeting other("INFO {\"version\":\"2.10.27\",\"jetstream\":true}\r\n");
    greeting named("INFO {\"version\":\"2.10.27\",\"jetstream\":true,\"connect_urls\":[\"" + other.url.substr(7) + "\"]}\r\n");
    options.urls.push_back(named.url);
    EXPECT_FALSE(check_servers(options));
    EXPECT_FALSE(options.presence->none_listens());
    options.urls.pop_back();
    EXPECT_FALSE(check_servers(options));
    EXPECT_FALSE(options.presence->none_listens()) << "the one that another named is known from then on";
  }
  EXPECT_FALSE(check_servers(options));
  EXPECT_TRUE(options.presence->none_listens());
}

TEST(check_servers, one_that_does_not_answer_may_serve_others) {
  silent_port deaf;
  jetstream_options options;
  options.presence = std::make_shared<server_presence>();
  options.urls = {"nats://127.0.0.1:1", deaf.url};
  EXPECT_FALSE(check_servers(options));
  EXPECT_FALSE(options.presence->none_listens());
}

TEST_F(jetstream_faults, a_server_too_old_for_replicas_keeps_the_log_away_and_says_why) {
  greeting old("INFO {\"version\":\"2.9.10\",\"jetstream\":true}\r\n");
  const real_clock real;
  ticking_timers timers(system, real);
  jetstream_options options;
  options.urls = {old.url};
  options.replicas = 3;
  options.cluster = "c";
  log = spawn_jetstream_log(system, {timers.actor, &real, &system_random(), {}}, options);
  {
    follower f(system, log);
    const auto refused = f.follow(0);
    EXPECT_EQ(refused.error.code, errc::ledger_unavailable);
    EXPECT_NE(refused.error.detail.find("2.10.23"), std::string::npos);
  }
  end(system, std::exchange(log, nullptr));
}

} // namespace
} // namespace poseidon::test
