// Who waits for events on a gateway thread, and that nobody else is woken.

#include "gateway/hub.hpp"

#include <gtest/gtest.h>

namespace poseidon::gateway {
namespace {

/// A thread's work, run when the test says so.
class still_loop final : public loop {
public:
  void post(std::function<void()> work) override { posted.push_back(std::move(work)); }
  timer_id after(std::chrono::milliseconds, std::function<void()>) override { return 0; }
  void cancel(timer_id) override {}
  std::chrono::steady_clock::time_point now() const override { return {}; }
  unsigned index() const override { return 0; }
  void run() {
    while (!posted.empty()) {
      auto work = std::move(posted.front());
      posted.pop_front();
      work();
    }
  }
  std::deque<std::function<void()>> posted;
};

class listener final : public subscriber {
public:
  const stream_filter& filter() const override { return wanted; }
  void notify(std::uint64_t end) override { told.push_back(end); }
  void skip(std::uint64_t, std::uint64_t) override {}
  void heartbeat() override {}
  stream_filter wanted;
  std::vector<std::uint64_t> told;
};

class hub_test : public ::testing::Test {
protected:
  hub_test() { waiters.start(); }
  void happens(const std::string& instance, bool passing = false) {
    auto one = std::make_shared<event>();
    one->passing = passing;
    one->instance = instance;
    one->type = "instance.running";
    ring->append({one}, position{1, ++sequence});
  }

  std::shared_ptr<still_loop> thread = std::make_shared<still_loop>();
  std::shared_ptr<event_ring> ring = std::make_shared<event_ring>();
  hub waiters{thread, ring, std::chrono::seconds{15}};
  std::uint64_t sequence = 0;
};

TEST_F(hub_test, a_thread_on_which_nobody_waits_is_not_woken) {
  for (int i = 0; i < 100; ++i) happens("a");
  EXPECT_TRUE(thread->posted.empty());
}

TEST_F(hub_test, nor_after_the_last_one_has_left) {
  listener stream;
  waiters.add(stream);
  const auto id = waiters.wait("a", [] { return false; });
  waiters.cancel("a", id);
  thread->run();
  happens("a");
  EXPECT_EQ(thread->posted.size(), 1u) << "the stream is still there";
  thread->run();
  waiters.remove(stream);
  happens("a");
  EXPECT_TRUE(thread->posted.empty());
}

TEST_F(hub_test, what_happens_between_a_look_and_the_wait_is_not_missed) {
  bool is_so = false;
  happens("b");
  const auto look = [&] { return is_so; };
  ASSERT_FALSE(look());
  is_so = true;
  happens("a"); // wakes nobody: nobody waits yet
  int looks = 0;
  waiters.wait("a", [&] { return ++looks, look(); });
  thread->run();
  EXPECT_EQ(looks, 1);
  happens("a");
  EXPECT_TRUE(thread->posted.empty()) << "the wait is over";
}

TEST_F(hub_test, a_wait_ends_with_a_later_event_of_its_instance) {
  int looks = 0;
  waiters.wait("a", [&] { return ++looks == 3; });
  thread->run();
  happens("b");
  thread->run();
  EXPECT_EQ(looks, 1);
  happens("a");
  happens("a");
  thread->run();
  EXPECT_EQ(looks, 3);
}

TEST_F(hub_test, progress_wakes_streams_and_no_waits) {
  int looks = 0;
  waiters.wait("a", [&] { return ++looks, false; });
  thread->run();
  happens("a", true);
  EXPECT_TRUE(thread->posted.empty());
  happens("a");
  thread->run();
  EXPECT_EQ(looks, 2);
  listener stream;
  waiters.add(stream);
  happens("a", true);
  thread->run();
  EXPECT_EQ(stream.told, std::vector<std::uint64_t>{3});
  EXPECT_EQ(looks, 2);
}

TEST_F(hub_test, a_stream_is_told_of_what_came_after_its_beginning) {
  for (int i = 0; i < 10; ++i) happens("a");
  listener stream;
  EXPECT_EQ(waiters.seen(), 10u);
  happens("a"); // before it is added
  waiters.add(stream);
  thread->run();
  EXPECT_EQ(stream.told, std::vector<std::uint64_t>{11});
  happens("a");
  thread->run();
  EXPECT_EQ(stream.told, (std::vector<std::uint64_t>{11, 12}));
}

} // namespace
} // namespace poseidon::gateway
