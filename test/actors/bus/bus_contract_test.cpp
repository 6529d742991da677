// What every bus does: in memory, and over a real NATS server that is killed and comes back.

#include "actors/bus/memory_bus.hpp"
#include "actors/bus/nats_bus.hpp"
#include "test/actors/log/nats_server.hpp"
#include "test/support/real_clock.hpp"

#include <gtest/gtest.h>

#include <condition_variable>
#include <deque>

namespace poseidon::test {
namespace {

constexpr std::chrono::seconds patience{20};

/// What came, for a test's thread to wait for.
template <class T>
class inbox {
public:
  void put(T what) {
    const std::lock_guard lock{mutex_};
    all_.push_back(std::move(what));
    came_.notify_all();
  }
  /// The next; nothing after the test's patience.
  std::optional<T> take(std::chrono::milliseconds most = patience) {
    std::unique_lock lock{mutex_};
    if (!came_.wait_for(lock, most, [this] { return !all_.empty(); })) return std::nullopt;
    auto first = std::move(all_.front());
    all_.pop_front();
    return first;
  }

private:
  std::mutex mutex_;
  std::condition_variable came_;
  std::deque<T> all_;
};

struct bus_under_test {
  virtual ~bus_under_test() = default;
  virtual std::unique_ptr<bus> join(const std::string& name) = 0;
  virtual void lose() = 0;
  virtual void find_again() = 0;
};

struct memory_under_test : bus_under_test {
  std::shared_ptr<real_clock> time = std::make_shared<real_clock>();
  memory_bus_hub hub{time};
  std::vector<std::string> names;
  std::unique_ptr<bus> join(const std::string& name) override {
    names.push_back(name);
    return hub.join(name);
  }
  void lose() override {
    for (auto& name : names) hub.cut(name, true);
  }
  void find_again() override {
    for (auto& name : names) hub.cut(name, false);
  }
};

struct nats_under_test : bus_under_test {
  std::shared_ptr<real_clock> time = std::make_shared<real_clock>();
  nats_server server;
  std::unique_ptr<bus> join(const std::string& name) override {
    nats_servers where;
    where.urls = {server.url()};
    where.client = name;
    return make_nats_bus(where, time);
  }
  void lose() override { server.kill(); }
  void find_again() override { server.start(); }
};

class bus_contract : public ::testing::TestWithParam<const char*> {
protected:
  bus_contract() {
    if (GetParam() == std::string_view{"memory"}) under_test = std::make_unique<memory_under_test>();
    else under_test = std::make_unique<nats_under_test>();
    for (auto* place : {&a, &b}) {
      *place = under_test->join(place == &a ? "a" : "b");
      auto& told = place == &a ? told_a : told_b;
      (*place)->watch([&told](bool connected) { told.put(connected); });
      EXPECT_EQ(told.take(), true);
    }
  }
  void listen(bus& at, const std::string& subject, inbox<bus_message>& into, const std::string& group = {}) {
    at.subscribe(subject, group, [&into](bus_message m) { into.put(std::move(m)); });
  }
  /// Publishes until it is heard: a subscription of another process takes effect some time after it was asked for.
  void until_heard(bus& from, const std::string& subject, inbox<bus_message>& at) {
    for (int tries = 0; tries < 200; ++tries) {
      from.publish(subject, "are you there");
      if (at.take(std::chrono::milliseconds{100})) break;
    }
    while (at.take(std::chrono::milliseconds{100})) {}
  }
  outcome<std::string> ask(bus& from, const std::string& subject, std::string frame, millis limit = millis{10'000}) {
    inbox<outcome<std::string>> answers;
    from.request(subject, std::move(frame), limit, [&](outcome<std::string> answer) { answers.put(std::move(answer)); });
    auto got = answers.take();
    return got ? *got : failure{errc::internal, "no answer at all", {}, {}, {}};
  }
  std::unique_ptr<bus_under_test> under_test;
  inbox<bool> told_a, told_b;
  inbox<bus_message> heard;
  std::unique_ptr<bus> a, b;
};

TEST_P(bus_contract, frames_reach_whoever_subscribed_byte_for_byte) {
  listen(*b, "poseidon.c.node.n1", heard);
  until_heard(*a, "poseidon.c.node.n1", heard);
  const std::string frame{"\0\xff\r\n msg", 9};
  a->publish("poseidon.c.node.n2", "not for him");
  a->publish("poseidon.c.node.n1", frame);
  const auto got = heard.take();
  ASSERT_TRUE(got);
  EXPECT_EQ(got->frame, frame);
  EXPECT_EQ(got->subject, "poseidon.c.node.n1");
}

TEST_P(bus_contract, a_wildcard_hears_a_branch_and_no_other) {
  listen(*b, "poseidon.c.heartbeat.>", heard);
  until_heard(*a, "poseidon.c.heartbeat.x", heard);
  a->publish("poseidon.c.heartbeats", "no");
  a->publish("poseidon.d.heartbeat.x", "no");
  a->publish("poseidon.c.heartbeat.y", "yes");
  EXPECT_EQ(heard.take()->frame, "yes");
}

TEST_P(bus_contract, a_request_is_answered) {
  b->subscribe("poseidon.c.node.n1", {}, [](bus_message m) { m.answer("re: " + m.frame); });
  outcome<std::string> answer;
  for (int tries = 0; tries < 200 && !answer; ++tries) answer = ask(*a, "poseidon.c.node.n1", "hello");
  ASSERT_TRUE(answer) << answer.error.detail;
  EXPECT_EQ(*answer, "re: hello");
}

TEST_P(bus_contract, many_requests_at_once_get_each_its_own_answer) {
  b->subscribe("poseidon.c.node.n1", {}, [](bus_message m) { m.answer(m.frame); });
  for (int tries = 0; tries < 200 && !ask(*a, "poseidon.c.node.n1", "x"); ++tries) {}
  inbox<std::pair<int, std::string>> answers;
  constexpr int count = 2'000;
  for (int i = 0; i < count; ++i)
    a->request("poseidon.c.node.n1", std::to_string(i), millis{20'000}, [&answers, i](outcome<std::string> got) { answers.put({i, got ? *got : got.error.detail}); });
  for (int i = 0; i < count; ++i) {
    const auto got = answers.take();
    ASSERT_TRUE(got);
    EXPECT_EQ(got->second, std::to_string(got->first));
  }
}

TEST_P(bus_contract, where_nobody_listens_the_answer_says_so_at_once) {
  EXPECT_EQ(ask(*a, "poseidon.c.node.nobody", "hello").error.code, errc::engine_unavailable);
}

TEST_P(bus_contract, one_of_a_group_gets_each_frame) {
  inbox<bus_message> first, second;
  listen(*a, "poseidon.c.questions", first, "gateways");
  listen(*b, "poseidon.c.questions", second, "gateways");
  listen(*b, "poseidon.c.questions", heard);
  until_heard(*a, "poseidon.c.questions", heard);
  while (first.take(std::chrono::milliseconds{50}) || second.take(std::chrono::milliseconds{50})) {}
  for (int i = 0; i < 20; ++i) a->publish("poseidon.c.questions", std::to_string(i));
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(heard.take());
  std::size_t got = 0;
  while (first.take(std::chrono::milliseconds{200})) ++got;
  while (second.take(std::chrono::milliseconds{200})) ++got;
  EXPECT_EQ(got, 20u);
}

TEST_P(bus_contract, what_is_open_when_the_connection_goes_is_unknown_and_nothing_is_sent_later) {
  listen(*b, "poseidon.c.node.n1", heard); // and never answers
  until_heard(*a, "poseidon.c.node.n1", heard);
  inbox<outcome<std::string>> answers;
  a->request("poseidon.c.node.n1", "open", millis{20'000}, [&](outcome<std::string> got) { answers.put(std::move(got)); });
  ASSERT_TRUE(heard.take());
  under_test->lose();
  EXPECT_EQ(answers.take()->error.code, errc::unknown_outcome);
  EXPECT_EQ(told_a.take(), false);
  EXPECT_EQ(told_b.take(), false);
  a->publish("poseidon.c.node.n1", "while it is away");
  EXPECT_EQ(ask(*a, "poseidon.c.node.n1", "while it is away").error.code, errc::engine_unavailable);
  under_test->find_again();
  EXPECT_EQ(told_a.take(), true);
  EXPECT_EQ(told_b.take(), true);
  a->publish("poseidon.c.node.n1", "back");
  EXPECT_EQ(heard.take()->frame, "back");
}

TEST_P(bus_contract, who_ends_answers_what_is_open) {
  listen(*b, "poseidon.c.node.n1", heard);
  until_heard(*a, "poseidon.c.node.n1", heard);
  inbox<outcome<std::string>> answers;
  a->request("poseidon.c.node.n1", "open", millis{20'000}, [&](outcome<std::string> got) { answers.put(std::move(got)); });
  ASSERT_TRUE(heard.take());
  a.reset();
  EXPECT_FALSE(answers.take()->ok());
}

INSTANTIATE_TEST_SUITE_P(every, bus_contract, ::testing::Values("memory", "nats"), [](auto& one) { return std::string{one.param}; });

} // namespace
} // namespace poseidon::test
