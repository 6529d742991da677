#include "actors/kit/ask.hpp"
#include "actors/kit/children.hpp"
#include "actors/kit/handlers.hpp"
#include "test/support/actor_fixture.hpp"

using namespace poseidon;
using namespace std::chrono_literals;

namespace {

using echo_actor = caf::typed_actor<caf::replies_to<forget_record>::with<outcome<done>>, caf::replies_to<get_ledger_status>::with<ledger_status>>;

struct kit_test : test::actor_test {
  std::optional<done> value;
  std::optional<failure> error;
  int calls = 0;

  template <class Target, class Message>
  void ask_from_actor(Target target, Message message, millis timeout) {
    system.spawn([=, this](caf::event_based_actor* self) {
      ask(
          self, target, timeout, message,
          [this](auto) {
            ++calls;
            value = done{};
          },
          [this](failure f) {
            ++calls;
            error = std::move(f);
          });
    });
    run();
  }
};

TEST_F(kit_test, ask_unwraps_the_value) {
  auto echo = system.spawn([]() -> echo_actor::behavior_type {
    return {[](const forget_record&) { return outcome<done>(done{}); }, [](get_ledger_status) { return ledger_status{}; }};
  });
  ask_from_actor(echo, forget_record{}, 1s);
  EXPECT_TRUE(value);
  EXPECT_EQ(calls, 1);
  ask_from_actor(echo, get_ledger_status{}, 1s);
  EXPECT_EQ(calls, 2);
  EXPECT_FALSE(error);
  caf::anon_send_exit(echo, caf::exit_reason::kill);
}

TEST_F(kit_test, ask_hands_over_the_failure) {
  auto echo = system.spawn([]() -> echo_actor::behavior_type {
    return {[](const forget_record&) { return outcome<done>(failure{errc::no_space, "full", {}, {}, {}}); },
            [](get_ledger_status) { return ledger_status{}; }};
  });
  ask_from_actor(echo, forget_record{}, 1s);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, errc::no_space);
  EXPECT_EQ(calls, 1);
  caf::anon_send_exit(echo, caf::exit_reason::kill);
}

TEST_F(kit_test, ask_of_a_silent_actor_ends_at_its_timeout_as_unknown) {
  struct silent_state {
    std::vector<caf::response_promise> held;
  };
  auto silent = system.spawn([](caf::stateful_actor<silent_state>* self) -> caf::behavior {
    return {[self](const forget_record&) { self->state.held.push_back(self->make_response_promise()); }};
  });
  ask_from_actor(caf::actor_cast<echo_actor>(silent), forget_record{}, 250ms);
  advance(249ms);
  EXPECT_FALSE(error);
  advance(1ms);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, errc::unknown_outcome);
  EXPECT_EQ(calls, 1);
  caf::anon_send_exit(silent, caf::exit_reason::kill);
}

TEST_F(kit_test, ask_of_a_dead_actor_is_unknown) {
  auto echo = system.spawn([]() -> echo_actor::behavior_type {
    return {[](const forget_record&) { return outcome<done>(done{}); }, [](get_ledger_status) { return ledger_status{}; }};
  });
  caf::anon_send_exit(echo, caf::exit_reason::kill);
  run();
  ask_from_actor(echo, forget_record{}, 250ms);
  advance(250ms);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, errc::unknown_outcome);
}

TEST_F(kit_test, an_unexpected_message_is_an_error_to_its_sender_and_ends_nobody) {
  auto actor = system.spawn([](caf::event_based_actor* self) -> caf::behavior {
    install_handlers(self, "test");
    return {[](int) { return 7; }};
  });
  caf::scoped_actor me{system};
  std::string text = "unknown";
  me->send(actor, text);
  run();
  auto reply = world.answer_now<int>(actor, 1);
  EXPECT_EQ(reply, 7);
  caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
}

TEST_F(kit_test, an_exception_ends_the_actor_with_that_reason) {
  caf::error reason;
  auto actor = system.spawn([](caf::event_based_actor* self) -> caf::behavior {
    install_handlers(self, "test");
    return {[](int) { throw std::runtime_error("thrown on purpose"); }};
  });
  actor->attach_functor([&](const caf::error& e) { reason = e; });
  caf::anon_send(actor, 1);
  run();
  EXPECT_EQ(reason, caf::make_error(caf::exit_reason::unhandled_exception));
}

TEST(restart_policy, allows_so_many_within_the_window_with_growing_delays) {
  const restart_rule rule{3, 300'000ms, 100ms, 350ms};
  std::vector<boot_time> recent;
  boot_time now{1000};
  EXPECT_EQ(decide_restart(rule, recent, now), (restart_decision{true, 100ms}));
  note_restart(rule, recent, now);
  EXPECT_EQ(decide_restart(rule, recent, now), (restart_decision{true, 200ms}));
  note_restart(rule, recent, now + 1ms);
  EXPECT_EQ(decide_restart(rule, recent, now + 2ms), (restart_decision{true, 350ms}));
  note_restart(rule, recent, now + 2ms);
  EXPECT_FALSE(decide_restart(rule, recent, now + 3ms).allowed);
  EXPECT_FALSE(decide_restart(rule, recent, now + 299'999ms).allowed);
  EXPECT_TRUE(decide_restart(rule, recent, now + 300'000ms).allowed);
  note_restart(rule, recent, now + 300'000ms);
  EXPECT_EQ(recent.size(), 3u);
}

TEST(restart_policy, a_rule_of_none_allows_none) { EXPECT_FALSE(decide_restart({0, 1000ms, 1ms, 1ms}, {}, {5}).allowed); }

/// A parent with children and a timer, as the supervisor has.
struct parent_state {
  std::unique_ptr<children> kids;
};
using parent_actor = caf::stateful_actor<parent_state>;

struct children_test : test::actor_test {
  std::vector<std::string> ended_names;
  int starts = 0, given_up = 0;
  bool done = false;
  caf::actor last_started;
  parent_actor* parent = nullptr;
  caf::actor parent_handle;

  void SetUp() override {
    parent_handle = system.spawn([this](parent_actor* self) -> caf::behavior {
      install_handlers(self, "parent");
      self->state.kids = std::make_unique<children>(self, [this] { return time.boot_now(); });
      self->state.kids->on_due_changed([this, self] { arm(self); });
      parent = self;
      return {[this, self](const timer_due&) {
                self->state.kids->on_time();
                arm(self);
              }};
    });
    run();
  }
  void TearDown() override { caf::anon_send_exit(parent_handle, caf::exit_reason::kill); }

  void arm(parent_actor* self) {
    if (auto due = self->state.kids->next_due())
      caf::anon_send(world.timers, arm_timer{caf::actor_cast<timer_sink>(caf::actor_cast<caf::actor>(self)), 1, *due});
  }
  children& kids() { return *parent->state.kids; }
  caf::actor make(std::string name, bool deaf = false) {
    auto child = system.spawn([deaf](caf::event_based_actor* self) -> caf::behavior {
      install_handlers(self, "child");
      if (deaf) self->set_exit_handler([](caf::exit_msg&) {});
      return {[](int) { throw std::runtime_error("crash on purpose"); }};
    });
    child->attach_functor([this, name](const caf::error&) { ended_names.push_back(name); });
    ++starts;
    return child;
  }
  children::child_spec spec(std::string name, std::uint32_t most = 2, bool deaf = false) {
    return {name, [this, name, deaf] { return make(name, deaf); }, {most, 10'000ms, 100ms, 1000ms},
            [this](const caf::actor& a) { last_started = a; }, [this](const caf::error&) { ++given_up; }};
  }
};

TEST_F(children_test, a_crashed_child_starts_again_after_its_delay_until_the_rule_ends_it) {
  kids().start(spec("a"));
  auto first = last_started;
  caf::anon_send(first, 1);
  advance(99ms);
  EXPECT_EQ(starts, 1);
  advance(1ms);
  EXPECT_EQ(starts, 2);
  EXPECT_NE(last_started, first);
  caf::anon_send(last_started, 1);
  advance(200ms);
  EXPECT_EQ(starts, 3);
  caf::anon_send(last_started, 1);
  advance(5s);
  EXPECT_EQ(starts, 3);
  EXPECT_EQ(given_up, 1);
}

TEST_F(children_test, shutdown_ends_watched_ones_first_then_fixed_ones_in_reverse) {
  kids().start(spec("a"));
  kids().start(spec("b"));
  kids().watch(make("w1"), {});
  kids().watch(make("w2"), {});
  kids().shut_down(1000ms, [this] { done = true; });
  run();
  ASSERT_TRUE(done);
  ASSERT_EQ(ended_names.size(), 4u);
  EXPECT_EQ(ended_names[2], "b");
  EXPECT_EQ(ended_names[3], "a");
  EXPECT_EQ(starts, 4) << "nothing starts again in a shutdown";
}

TEST_F(children_test, what_ignores_its_exit_is_killed_after_the_grace) {
  kids().start(spec("a"));
  kids().start(spec("deaf", 2, true));
  kids().shut_down(500ms, [this] { done = true; });
  advance(499ms);
  EXPECT_TRUE(ended_names.empty());
  advance(1ms);
  EXPECT_TRUE(done);
  EXPECT_EQ(ended_names, (std::vector<std::string>{"deaf", "a"}));
}

TEST_F(children_test, a_watched_child_reports_its_end_once) {
  int ends = 0;
  auto child = make("w");
  kids().watch(child, [&](const caf::error&) { ++ends; });
  EXPECT_EQ(kids().watched(), 1u);
  caf::anon_send_exit(child, caf::exit_reason::user_shutdown);
  run();
  EXPECT_EQ(ends, 1);
  EXPECT_EQ(kids().watched(), 0u);
}

TEST_F(children_test, shutdown_without_children_is_done_at_once) {
  kids().shut_down(500ms, [this] { done = true; });
  EXPECT_TRUE(done);
}

} // namespace
