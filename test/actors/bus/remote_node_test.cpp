// A node of another process: proxy, bus and service together.

#include "actors/bus/memory_bus.hpp"
#include "actors/bus/node_service.hpp"
#include "actors/bus/remote_node.hpp"
#include "actors/bus/wire.hpp"
#include "messages/subjects.hpp"
#include "test/support/actor_fixture.hpp"
#include "test/support/fake_node.hpp"

namespace poseidon {
namespace {

using namespace test;

struct remote_node_test : actor_test {
  std::shared_ptr<const clock> clock_ptr{&time, [](auto*) {}};
  memory_bus_hub hub{clock_ptr};
  fake_node_ptr node = std::make_shared<fake_node>();
  node_actor held = spawn_fake_node(system, node);
  std::shared_ptr<bus> gateway = hub.join("gateway");
  caf::actor service;
  node_actor proxy;

  remote_node_test() {
    node->holds = {{"i1"}};
    node_service_deps there;
    there.bus = hub.join("n1");
    there.cluster = "c";
    there.name = {"n1"};
    there.node = held;
    there.most_in_flight = 3;
    service = spawn_node_service(system, std::move(there));
    proxy = spawn_remote_node(system, {gateway, "c", {"n1"}, "g1"});
    run();
  }
  ~remote_node_test() override {
    for (auto& a : {service, caf::actor_cast<caf::actor>(proxy), caf::actor_cast<caf::actor>(held)}) caf::anon_send_exit(a, caf::exit_reason::user_shutdown);
    service = nullptr;
    proxy = nullptr;
    held = nullptr;
    run();
  }
  template <class T, class Message>
  outcome<T> ask(Message m) {
    auto got = world.answer_now<outcome<T>>(proxy, std::move(m));
    return got ? *got : failure{errc::internal, "no answer", {}, {}, {}};
  }
};

TEST_F(remote_node_test, every_command_and_its_answer_travel) {
  node->extend_answer = extended{wall_time{5'000}, 600};
  node->garbage.removed = {"container x: old"};
  EXPECT_TRUE(ask<done>(stop_instance{{"i1"}, end_reason::solved, "key:k"}));
  ASSERT_EQ(node->stops.size(), 1u);
  EXPECT_EQ(node->stops[0].reason, end_reason::solved);
  EXPECT_EQ(node->stops[0].actor, "key:k");
  const auto longer = ask<extended>(extend_instance{{"i1"}, "key:k"});
  ASSERT_TRUE(longer);
  EXPECT_EQ(longer->expires_at.ms, 5'000);
  EXPECT_EQ(ask<log_text>(read_logs{{"i1"}, {}, 0})->text, "log of i1");
  EXPECT_EQ(ask<group_stats>(read_stats{{"i1"}})->memory_bytes, group_stats({1, 2, 3, 4}).memory_bytes);
  EXPECT_EQ(ask<garbage_report>(collect_garbage{true})->removed, node->garbage.removed);
  EXPECT_TRUE(ask<done>(get_instance{{"i1"}}));
}

TEST_F(remote_node_test, the_nodes_refusal_arrives_as_it_is) {
  EXPECT_EQ(ask<done>(get_instance{{"i2"}}).error.code, errc::unknown_instance);
  node->failing = {errc::extension_refused, "not yet", 5'000, {{"a", "b"}}, {}};
  const auto refused = ask<extended>(extend_instance{{"i1"}, {}});
  EXPECT_EQ(refused.error, node->failing);
}

TEST_F(remote_node_test, a_node_that_is_away_is_told_as_such_at_once) {
  hub.cut("n1", true);
  EXPECT_EQ(ask<done>(stop_instance{{"i1"}, end_reason::stopped, {}}).error.code, errc::engine_unavailable);
  EXPECT_TRUE(node->stops.empty());
  hub.cut("n1", false);
  EXPECT_TRUE(ask<done>(stop_instance{{"i1"}, end_reason::stopped, {}}));
}

TEST_F(remote_node_test, an_answer_that_does_not_come_is_unknown) {
  node->silent = true;
  auto got = world.ask_later<outcome<done>>(proxy, stop_instance{{"i1"}, end_reason::stopped, {}});
  hub.cut("gateway", true);
  run();
  ASSERT_TRUE(*got);
  EXPECT_EQ((*got)->error.code, errc::unknown_outcome);
}

TEST_F(remote_node_test, work_in_flight_is_bounded) {
  node->silent = true;
  std::vector<std::shared_ptr<std::optional<outcome<done>>>> open;
  for (int i = 0; i < 4; ++i) open.push_back(world.ask_later<outcome<done>>(proxy, get_instance{{"i1"}}));
  ASSERT_TRUE(*open[3]);
  EXPECT_EQ((*open[3])->error.code, errc::queue_full);
  EXPECT_FALSE(*open[0]);
}

TEST_F(remote_node_test, a_log_that_is_too_long_loses_its_beginning) {
  std::string text = "first line\n";
  while (text.size() < max_frame_bytes) text += "a line of the log that a container wrote\n";
  const auto read = decode_reply<log_text>(encode_reply(outcome<log_text>{log_text{text}}));
  ASSERT_TRUE(read);
  EXPECT_LT(read->text.size(), text.size());
  EXPECT_TRUE(read->text.starts_with("a line"));
  EXPECT_TRUE(text.ends_with(read->text));
}

TEST_F(remote_node_test, bytes_of_any_origin_are_answered_or_passed_over) {
  std::vector<std::string> answers;
  envelope unknown;
  unknown.kind = "drop_everything";
  for (const auto& frame : {std::string{}, std::string{"\xc1junk"}, encode(unknown)})
    gateway->request(subjects::node_commands("c", {"n1"}), frame, millis{1'000}, [&](outcome<std::string> got) { answers.push_back(got ? *got : std::string{}); });
  run();
  ASSERT_EQ(answers.size(), 3u);
  for (auto& answer : answers) EXPECT_EQ(decode_reply<done>(answer).error.code, errc::bad_request);
}

} // namespace
} // namespace poseidon
