// Processes that hear one another over a bus, in virtual time.

#include "actors/membership/membership.hpp"

#include "actors/bus/memory_bus.hpp"
#include "actors/bus/wire.hpp"
#include "test/support/actor_fixture.hpp"
#include "test/support/fold_ledger.hpp"

namespace poseidon {
namespace {

using namespace test;

struct membership_test : actor_test {
  std::shared_ptr<const clock> clock_ptr{&time, [](auto*) {}};
  memory_bus_hub hub{clock_ptr};
  std::shared_ptr<fold_ledger> ledger = std::make_shared<fold_ledger>(time);
  ledger_actor ledger_handle = spawn_fold_ledger(system, ledger);
  std::shared_ptr<bus> other = hub.join("n2");
  std::shared_ptr<member_board> board = std::make_shared<member_board>();
  membership_actor actor;

  membership_test() {
    ledger->put_node("n2", {2, 2});
  }
  void spawn(bool declares, const std::string& key = "key", std::uint32_t fold_version = 1) {
    membership_deps deps;
    deps.self.fold_version = fold_version;
    deps.bus = hub.join("g1");
    deps.ledger = ledger_handle;
    deps.timers = world.timers;
    deps.clock = clock_ptr;
    deps.board = board;
    deps.cluster = "c";
    deps.self.process = "g1";
    deps.self.run = {1, 1};
    deps.self.key_check = key;
    deps.self.roles = {"gateway"};
    deps.declares = declares;
    deps.limits = {millis{3'000}, millis{15'000}, key};
    actor = spawn_membership(system, std::move(deps));
    run();
  }
  ~membership_test() override {
    for (auto& a : {caf::actor_cast<caf::actor>(actor), caf::actor_cast<caf::actor>(ledger_handle)}) caf::anon_send_exit(a, caf::exit_reason::user_shutdown);
    actor = nullptr;
    ledger->subscribers.clear();
    run();
  }
  void speak(const std::string& key = "key", std::uint32_t fold_version = 1) {
    heartbeat said;
    said.fold_version = fold_version;
    said.process = "n2";
    said.run = {2, 2};
    said.key_check = key;
    said.node = node_status{.node = {"n2"}, .run = {2, 2}, .runtime = {}, .capacity = {}, .cpu_permille = 70, .trouble = {}, .images = {}};
    other->publish("poseidon.c.heartbeat.n2", encode_frame(said));
    run();
  }
  std::size_t losses() { return ledger->of<node_lost_entry>().size(); }
};

TEST_F(membership_test, a_process_says_what_it_is_each_second) {
  std::vector<heartbeat> heard;
  other->subscribe("poseidon.c.heartbeat.>", {}, [&](bus_message m) { heard.push_back(*decode_heartbeat(m.frame)); });
  spawn(true);
  advance(millis{3'000});
  ASSERT_GE(heard.size(), 3u);
  EXPECT_EQ(heard[0].process, "g1");
  EXPECT_EQ(heard[0].roles, std::vector<std::string>{"gateway"});
  EXPECT_EQ(heard[0].folded, ledger->state.at);
  EXPECT_FALSE(heard[0].node);
}

TEST_F(membership_test, a_node_that_falls_silent_is_suspect_then_lost) {
  spawn(true);
  for (int i = 0; i < 20; ++i) {
    speak();
    advance(millis{1'000});
  }
  EXPECT_EQ(losses(), 0u);
  ASSERT_TRUE(board->node("n2"));
  EXPECT_FALSE(board->node("n2")->suspect);
  EXPECT_EQ(board->node("n2")->said.node->cpu_permille, 70u);
  advance(millis{5'000});
  EXPECT_TRUE(board->node("n2")->suspect);
  EXPECT_EQ(losses(), 0u);
  advance(millis{11'000});
  EXPECT_EQ(losses(), 1u);
  EXPECT_TRUE(ledger->state.nodes.at({"n2"}).row->lost);
}

TEST_F(membership_test, only_a_gateway_declares) {
  spawn(false);
  advance(millis{60'000});
  EXPECT_EQ(losses(), 0u);
}

TEST_F(membership_test, whoever_is_cut_off_declares_nobody) {
  spawn(true);
  advance(millis{5'000});
  hub.cut("g1", true);
  advance(millis{60'000});
  EXPECT_EQ(losses(), 0u);
  hub.cut("g1", false);
  advance(millis{10'000});
  speak();
  advance(millis{10'000});
  EXPECT_EQ(losses(), 0u);
  advance(millis{10'000});
  EXPECT_EQ(losses(), 1u);
}

TEST_F(membership_test, newer_rules_come_into_force_once_every_member_can_fold_them) {
  ledger->state.newest = 2;
  spawn(true, "key", 2);
  const auto activations = [&] { return ledger->of<activate_entry>().size(); };
  for (int i = 0; i < 40; ++i) {
    speak("key", 1);
    advance(millis{1'000});
  }
  EXPECT_EQ(activations(), 0u) << "n2 can't yet";
  speak("key", 2); // upgraded
  for (int i = 0; i < 10; ++i) {
    speak("key", 2);
    advance(millis{1'000});
  }
  EXPECT_EQ(activations(), 1u);
  EXPECT_EQ(ledger->state.fold_version, 2u);
  for (int i = 0; i < 10; ++i) {
    speak("key", 2);
    advance(millis{1'000});
  }
  EXPECT_EQ(activations(), 1u) << "once";
}

TEST_F(membership_test, rules_do_not_change_before_the_loss_time_has_been_listened_through) {
  ledger->state.newest = 2;
  spawn(true, "key", 2);
  const auto pass = [&](int seconds) {
    for (; seconds > 0; --seconds) {
      speak("key", 2);
      advance(millis{1'000});
    }
  };
  pass(13);
  EXPECT_EQ(ledger->state.fold_version, 1u) << "somebody may not have been heard yet";
  pass(5);
  EXPECT_EQ(ledger->state.fold_version, 2u);
}

TEST_F(membership_test, who_does_not_declare_does_not_activate) {
  ledger->state.newest = 2;
  spawn(false, "key", 2);
  for (int i = 0; i < 30; ++i) {
    speak("key", 2);
    advance(millis{1'000});
  }
  EXPECT_EQ(ledger->of<activate_entry>().size(), 0u);
}

TEST_F(membership_test, a_stranger_does_not_speak_for_a_node) {
  spawn(true);
  for (int i = 0; i < 20; ++i) {
    speak("another");
    advance(millis{1'000});
  }
  EXPECT_FALSE(board->node("n2"));
  EXPECT_EQ(losses(), 1u);
}

} // namespace
} // namespace poseidon
