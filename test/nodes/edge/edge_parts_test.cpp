// The parts of the data plane, each by itself; their threads under the thread sanitizer.

#include <utility>

#include "nodes/edge/deadline_cutter.hpp"
#include "nodes/edge/edge_table.hpp"
#include "nodes/edge/own_reply.hpp"
#include "nodes/edge/source_limits.hpp"
#include "test/support/real_clock.hpp"

#include <gtest/gtest.h>

#include <sys/socket.h>

#include <algorithm>
#include <condition_variable>
#include <thread>

namespace poseidon {
namespace {

using namespace std::chrono_literals;

route_change ready(const std::string& host, std::uint64_t sequence, bool cut = false, std::optional<boot_time> deadline = {}) {
  endpoint where;
  where.pid = 10;
  where.start_ticks = sequence;
  where.port = 80;
  return {{{host, {host}, {1, sequence, {}}, {}, where, deadline}, route_phase::ready, end_reason::none, {}}, cut, false};
}

TEST(deadline_queue, tells_what_is_due_in_order) {
  deadline_queue queue;
  EXPECT_FALSE(queue.next());
  queue.arm({30}, "c");
  queue.arm({10}, "a");
  queue.arm({20}, "b");
  EXPECT_EQ(queue.next(), boot_time{10});
  EXPECT_TRUE(queue.due({9}).empty()) << "never early";
  EXPECT_EQ(queue.due({20}), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(queue.next(), boot_time{30});
  EXPECT_EQ(queue.size(), 1u);
}

TEST(deadline_cutter, a_thousand_deadlines_none_early_none_late) {
  const test::real_clock time;
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::pair<std::string, boot_time>> cut;
  deadline_cutter cutter{[&](const std::string& host, boot_time now) {
    const std::lock_guard lock{mutex};
    cut.emplace_back(host, now);
    changed.notify_one();
  }};
  const auto base = time.boot_now() + 50ms;
  for (int i = 999; i >= 0; --i) cutter.arm(base + millis{i % 100}, std::to_string(i % 100));
  std::unique_lock lock{mutex};
  ASSERT_TRUE(changed.wait_for(lock, 10s, [&] { return cut.size() == 1000; }));
  std::vector<std::int64_t> lateness;
  for (const auto& [host, at] : cut) lateness.push_back((at - (base + millis{std::stoi(host)})).count());
  std::sort(lateness.begin(), lateness.end());
  EXPECT_GE(lateness.front(), 0);
  EXPECT_LE(lateness[950], 10);
}

TEST(deadline_cutter, takes_deadlines_long_past) {
  std::mutex mutex;
  std::condition_variable changed;
  int cuts = 0;
  deadline_cutter cutter{[&](const std::string&, boot_time) {
    const std::lock_guard lock{mutex};
    ++cuts;
    changed.notify_one();
  }};
  cutter.arm({-5}, "a");
  cutter.arm({0}, "b");
  std::unique_lock lock{mutex};
  EXPECT_TRUE(changed.wait_for(lock, 10s, [&] { return cuts == 2; }));
}

TEST(source_limits, counts_by_source_and_altogether) {
  using boost::asio::ip::make_address;
  source_limits limits{4, 2};
  EXPECT_EQ(limits.enter(make_address("10.0.0.1")), source_limits::entered::yes);
  EXPECT_EQ(limits.enter(make_address("10.0.0.1")), source_limits::entered::yes);
  EXPECT_EQ(limits.enter(make_address("10.0.0.1")), source_limits::entered::source_full);
  EXPECT_EQ(limits.enter(make_address("::ffff:10.0.0.1")), source_limits::entered::source_full) << "the same source";
  EXPECT_EQ(limits.enter(make_address("2001:db8::1")), source_limits::entered::yes);
  EXPECT_EQ(limits.enter(make_address("2001:db8::2:0:0:1")), source_limits::entered::yes);
  EXPECT_EQ(limits.enter(make_address("10.0.0.2")), source_limits::entered::full);
  limits.leave(make_address("10.0.0.1"));
  EXPECT_EQ(limits.enter(make_address("2001:db8::3")), source_limits::entered::source_full) << "one /64 is one source";
  EXPECT_EQ(limits.enter(make_address("10.0.0.1")), source_limits::entered::yes);
  EXPECT_EQ(limits.size(), 4u);
}

TEST(source_limits, hold_exactly_with_many_threads) {
  const auto address = boost::asio::ip::make_address("10.0.0.1");
  source_limits limits{1000, 10};
  std::atomic<int> inside = 0, most = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 5000; ++i) {
        if (limits.enter(address) != source_limits::entered::yes) continue;
        const int now = ++inside;
        for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);)
          ;
        --inside;
        limits.leave(address);
      }
    });
  for (auto& each : threads) each.join();
  EXPECT_EQ(limits.size(), 0u);
  EXPECT_LE(most, 10);
}

TEST(connection_set, cuts_what_has_joined_and_lets_nobody_in_afterwards) {
  int client[2], instance[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, client), 0);
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, instance), 0);
  connection_set set;
  connection_link link, another;
  link.client = client[0];
  link.instance = instance[0];
  EXPECT_EQ(set.join(link, 1), connection_set::joined::yes);
  EXPECT_EQ(set.join(another, 1), connection_set::joined::full);
  set.cut();
  EXPECT_TRUE(link.cut);
  char byte;
  EXPECT_EQ(::read(client[1], &byte, 1), 0);
  EXPECT_EQ(::read(instance[1], &byte, 1), 0);
  EXPECT_EQ(set.join(another, 9), connection_set::joined::closed);
  set.leave(link);
  set.leave(link);
  set.leave(another);
  EXPECT_EQ(set.size(), 0u);
  for (const int fd : {client[0], client[1], instance[0], instance[1]}) ::close(fd);
}

TEST(edge_table, keeps_connections_unless_they_are_to_be_cut) {
  edge_table table;
  EXPECT_EQ(table.find("a"), nullptr);
  table.apply({ready("a", 1)});
  const auto first = table.find("a");
  table.apply({ready("a", 1, false, boot_time{5})});
  EXPECT_EQ(table.find("a")->connections, first->connections);
  EXPECT_FALSE(first->connections->closed());
  table.apply({ready("a", 2, true)});
  EXPECT_TRUE(first->connections->closed());
  EXPECT_NE(table.find("a")->connections, first->connections);
  auto forgotten = ready("a", 2);
  forgotten.forgotten = true;
  table.apply({forgotten});
  EXPECT_EQ(table.find("a"), nullptr);
  EXPECT_EQ(table.size(), 0u);
}

TEST(edge_table, expires_only_what_is_due) {
  edge_table table;
  table.apply({ready("a", 1, false, boot_time{100})});
  const auto first = table.find("a");
  EXPECT_FALSE(table.expire("a", {99}));
  EXPECT_FALSE(table.expire("b", {200}));
  EXPECT_TRUE(table.expire("a", {100}));
  EXPECT_TRUE(first->connections->closed());
  table.apply({ready("a", 1, false, boot_time{300})});
  EXPECT_FALSE(table.find("a")->connections->closed()) << "a late extension opens it again";
}

TEST(edge_table, readers_see_whole_routes_while_they_change) {
  edge_table table;
  std::atomic<bool> done = false;
  std::vector<std::thread> readers;
  for (int t = 0; t < 3; ++t)
    readers.emplace_back([&] {
      while (!done)
        for (const char* host : {"a", "b", "c"})
          if (const auto found = table.find(host)) {
            EXPECT_EQ(found->entry.route.epoch.sequence, found->entry.route.where.start_ticks);
            connection_link link;
            if (found->connections->join(link, 100) == connection_set::joined::yes) found->connections->leave(link);
          }
    });
  for (std::uint64_t i = 1; i < 3000; ++i) {
    table.apply({ready("a", i, true), ready("b", i, true), ready("c", i, true, boot_time{static_cast<std::int64_t>(i)})});
    table.expire("c", {static_cast<std::int64_t>(i)});
  }
  done = true;
  for (auto& each : readers) each.join();
}

TEST(own_reply, follows_the_route) {
  const wall_time wall{1'700'000'000'000};
  edge_route route{ready("a", 1, false, boot_time{1000}).now, nullptr};
  const auto status = [&](boot_time now, wall_time then) { return reply_of(std::make_shared<const edge_route>(route), now, then).status; };
  EXPECT_EQ(reply_of(nullptr, {}, wall).status, 404);
  EXPECT_EQ(status({999}, wall), 0);
  EXPECT_EQ(status({1000}, wall), 410) << "at the deadline it is over";
  route.entry.phase = route_phase::pending;
  EXPECT_EQ(status({999}, wall), 503);
  route.entry.phase = route_phase::replaced;
  EXPECT_EQ(status({999}, wall), 503);
  route.entry.phase = route_phase::ended;
  route.entry.since = wall;
  EXPECT_EQ(status({0}, wall + 23h), 410);
  EXPECT_EQ(status({0}, wall + 24h), 404) << "after a day nobody remembers";
}

TEST(own_reply, is_well_formed) {
  const auto text = render(not_ready(), {true, false}, wall_time{1'700'000'000'000});
  const auto body = text.substr(text.find("\r\n\r\n") + 4);
  EXPECT_NE(text.find("\r\nContent-Length: " + std::to_string(body.size()) + "\r\n"), std::string::npos);
  EXPECT_NE(text.find("\r\nDate: Tue, 14 Nov 2023 22:13:20 GMT\r\n"), std::string::npos);
  EXPECT_TRUE(render(not_ready(), {true, true}, {}).ends_with("\r\n\r\n"));
  EXPECT_NE(render(gone(end_reason::expired, {0}), {}, {}).find("(expired, 1970-01-01T00:00:00.000Z)"), std::string::npos);
}

} // namespace
} // namespace poseidon
