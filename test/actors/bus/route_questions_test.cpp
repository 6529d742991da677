#include "actors/bus/route_questions.hpp"

#include "actors/bus/memory_bus.hpp"
#include "messages/subjects.hpp"
#include "test/support/virtual_clock.hpp"

#include <gtest/gtest.h>

namespace poseidon::test {
namespace {

struct route_questions : ::testing::Test {
  std::shared_ptr<virtual_clock> time = std::make_shared<virtual_clock>();
  memory_bus_hub hub{time};
  std::unique_ptr<bus> asker = hub.join("asker"), holder = hub.join("holder");
  route served{"abc.test", {"i1"}, {1, 7, {3, 4}}, {"machine-b"}, {}, boot_time{77}};
  std::vector<std::optional<route>> answers;

  route_questions() {
    served.where.pid = 42;
    answer_route_questions(*holder, "c", [this](const std::string& host) { return host == served.host ? std::optional{served} : std::nullopt; });
  }
  void ask(const std::string& host) {
    ask_for_route(*asker, "c", host, millis{300}, [this](std::optional<route> found) { answers.push_back(std::move(found)); });
  }
};

TEST_F(route_questions, the_machine_that_serves_a_host_says_so_without_what_is_only_its_own) {
  ask("abc.test");
  ASSERT_EQ(answers.size(), 1u);
  ASSERT_TRUE(answers[0]);
  EXPECT_EQ(answers[0]->instance, served.instance);
  EXPECT_EQ(answers[0]->epoch, served.epoch);
  EXPECT_EQ(answers[0]->machine, served.machine);
  EXPECT_EQ(answers[0]->where, endpoint{});
  EXPECT_FALSE(answers[0]->deadline);
}

TEST_F(route_questions, a_host_that_nobody_serves_is_answered_with_nothing_in_time) {
  ask("nobody.test");
  EXPECT_TRUE(answers.empty());
  time->advance(millis{300});
  hub.expire();
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_FALSE(answers[0]);
}

TEST_F(route_questions, without_the_bus_the_answer_is_nothing_at_once) {
  hub.cut("holder", true);
  ask("abc.test");
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_FALSE(answers[0]);
}

TEST_F(route_questions, bytes_of_any_origin_get_no_answer) {
  std::vector<bool> answered;
  asker->request(subjects::route_questions("c"), "junk", millis{300}, [&](outcome<std::string> got) { answered.push_back(got.ok()); });
  time->advance(millis{300});
  hub.expire();
  EXPECT_EQ(answered, std::vector<bool>{false});
}

} // namespace
} // namespace poseidon::test
