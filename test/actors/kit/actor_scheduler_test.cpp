// The scheduler that a process runs on, with its real threads.

#include "actors/kit/ask.hpp"
#include "test/support/threaded_system.hpp"

#include <gtest/gtest.h>

#include <future>
#include <latch>

using namespace poseidon;
using namespace std::chrono_literals;

namespace {

using clerk_actor = caf::typed_actor<caf::replies_to<forget_record>::with<outcome<done>>>;

clerk_actor::behavior_type answering() {
  return {[](const forget_record&) { return outcome<done>{done{}}; }};
}

/// Never answers; keeps what it was asked.
struct silent_state {
  std::vector<caf::typed_response_promise<outcome<done>>> kept;
};
clerk_actor::behavior_type silent(clerk_actor::stateful_pointer<silent_state> self) {
  return {[self](const forget_record&) {
    self->state.kept.push_back(self->make_response_promise<outcome<done>>());
    return self->state.kept.back();
  }};
}

class actor_scheduler_test : public ::testing::Test, public test::threaded_system {
protected:
  request_clock& clock() { return dynamic_cast<actor_scheduler&>(system.scheduler()).clock(); }

  /// Asks from an actor of its own, `times` one after the other; the last answer.
  std::future<outcome<done>> ask_often(const clerk_actor& target, millis timeout, int times = 1) {
    auto told = std::make_shared<std::promise<outcome<done>>>();
    askers_.push_back(system.spawn([=](caf::event_based_actor* self) { next(self, target, timeout, times, told); }));
    return told->get_future();
  }
  static void next(caf::event_based_actor* self, const clerk_actor& target, millis timeout, int left,
                   const std::shared_ptr<std::promise<outcome<done>>>& told) {
    ask(
        self, target, timeout, forget_record{},
        [=](done) {
          if (left > 1)
            next(self, target, timeout, left - 1, told);
          else
            told->set_value(done{});
        },
        [told](failure why) { told->set_value(std::move(why)); });
  }
  void TearDown() override {
    for (auto& asker : askers_)
      caf::anon_send_exit(asker, caf::exit_reason::kill); // whose answer never came
  }

private:
  std::vector<caf::actor> askers_;
};

TEST_F(actor_scheduler_test, an_answered_request_leaves_no_timeout_behind) {
  auto clerk = system.spawn(answering);
  EXPECT_TRUE(ask_often(clerk, 1h, 1'000).get());
  EXPECT_EQ(clock().waiting(), 0u);
  test::end(system, clerk);
}

TEST_F(actor_scheduler_test, a_request_without_an_answer_times_out) {
  auto clerk = system.spawn(silent);
  auto never = ask_often(clerk, 1h); // the thread sleeps for long when the shorter ones come
  const auto from = std::chrono::steady_clock::now();
  auto soon = ask_often(clerk, 30ms), sooner = ask_often(clerk, 10ms);
  EXPECT_EQ(sooner.get().error.code, errc::unknown_outcome);
  EXPECT_GE(std::chrono::steady_clock::now() - from, 10ms);
  EXPECT_EQ(soon.get().error.code, errc::unknown_outcome);
  EXPECT_GE(std::chrono::steady_clock::now() - from, 30ms);
  EXPECT_EQ(clock().waiting(), 1u); // the first one's
  test::end(system, clerk);
}

TEST_F(actor_scheduler_test, an_actor_that_ends_takes_its_timeouts_along) {
  auto clerk = system.spawn(silent);
  std::promise<void> asked;
  auto asker = system.spawn([&](caf::event_based_actor* self) -> caf::behavior {
    for (int i = 0; i < 100; ++i)
      ask(
          self, clerk, 1h, forget_record{}, [](done) {}, [](const failure&) {});
    asked.set_value();
    return {[](int) {}};
  });
  asked.get_future().wait();
  EXPECT_EQ(clock().waiting(), 100u);
  test::end(system, asker);
  // CAF tells of the end first, and has the timeouts forgotten right after it.
  for (const auto until = std::chrono::steady_clock::now() + 20s; clock().waiting() != 0 && std::chrono::steady_clock::now() < until;) std::this_thread::yield();
  EXPECT_EQ(clock().waiting(), 0u);
  test::end(system, clerk);
}

TEST_F(actor_scheduler_test, two_that_were_made_runnable_by_one_run_side_by_side) {
  std::latch both{2}, over{2};
  auto meet = [&] {
    both.arrive_and_wait(); // one thread would wait here for ever
    over.count_down();
  };
  auto first = system.spawn([&]() -> caf::behavior { return {[&](int) { meet(); }}; });
  auto second = system.spawn([&]() -> caf::behavior { return {[&](int) { meet(); }}; });
  system.spawn([&](caf::event_based_actor* self) {
    self->send(first, 1);
    self->send(second, 1);
  });
  over.wait();
  caf::anon_send_exit(first, caf::exit_reason::user_shutdown);
  caf::anon_send_exit(second, caf::exit_reason::user_shutdown);
}

TEST_F(actor_scheduler_test, work_from_outside_does_not_wait_for_a_busy_worker) {
  std::promise<void> release, entered;
  auto busy = system.spawn([&, gate = release.get_future().share()]() -> caf::behavior {
    return {[&, gate](int) {
      entered.set_value();
      gate.wait();
    }};
  });
  caf::anon_send(busy, 1);
  entered.get_future().wait();
  auto clerk = system.spawn(answering);
  EXPECT_TRUE(ask_often(clerk, 1h).get());
  release.set_value();
  caf::anon_send_exit(clerk, caf::exit_reason::user_shutdown);
  caf::anon_send_exit(busy, caf::exit_reason::user_shutdown);
}

} // namespace
