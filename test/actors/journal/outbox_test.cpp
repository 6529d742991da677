#include "actors/journal/outbox.hpp"

#include <gtest/gtest.h>

#include <random>

namespace poseidon {
namespace {

waiting_fact fact(std::uint64_t number, const std::string& instance, std::uint64_t sequence = 1) {
  return {number, {instance_id{instance}, {1, sequence, {}}}, std::make_shared<const entry_body>(cancel_entry{})};
}
std::uint64_t take(outbox& box) {
  auto* next = box.take();
  return next ? next->number : 0;
}

TEST(outbox, sends_one_fact_of_an_instance_at_a_time) {
  outbox box;
  box.add(fact(1, "a"));
  box.add(fact(2, "a"));
  box.add(fact(3, "b"));
  EXPECT_EQ(take(box), 1u);
  EXPECT_EQ(take(box), 3u);
  EXPECT_EQ(take(box), 0u);
  box.folded(1);
  EXPECT_EQ(take(box), 2u);
}

TEST(outbox, a_failed_fact_stays_the_first_of_its_instance) {
  outbox box;
  box.add(fact(1, "a"));
  box.add(fact(2, "a"));
  take(box);
  box.failed(1);
  EXPECT_EQ(take(box), 1u);
  EXPECT_EQ(take(box), 0u);
}

TEST(outbox, epochs_of_one_instance_stay_in_order_too) {
  outbox box;
  box.add(fact(1, "a", 1));
  box.add(fact(2, "a", 2));
  EXPECT_EQ(take(box), 1u);
  EXPECT_EQ(take(box), 0u);
}

TEST(outbox, tells_when_the_last_fact_of_a_group_is_folded) {
  outbox box;
  box.add(fact(1, "a"));
  box.add(fact(2, "a"));
  auto group = fact(1, "a").group;
  take(box);
  EXPECT_FALSE(box.folded(1));
  EXPECT_TRUE(box.waits(group));
  take(box);
  EXPECT_EQ(box.folded(2), group);
  EXPECT_FALSE(box.waits(group));
  EXPECT_EQ(box.size(), 0u);
}

TEST(outbox, an_answer_for_a_fact_that_is_not_on_its_way_changes_nothing) {
  outbox box;
  box.add(fact(1, "a"));
  EXPECT_FALSE(box.folded(1));
  box.failed(1);
  EXPECT_EQ(take(box), 1u);
  box.folded(1);
  EXPECT_FALSE(box.folded(1));
  EXPECT_EQ(box.size(), 0u);
}

TEST(outbox, random_walks_keep_every_instances_order_and_lose_nothing) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    std::mt19937 dice(seed);
    outbox box;
    std::map<std::string, std::vector<std::uint64_t>> added, folded;
    std::map<std::uint64_t, std::string> sent;
    std::uint64_t next = 1;
    for (int step = 0; step < 400; ++step) {
      switch (dice() % 4) {
      case 0: {
        std::string name(1, static_cast<char>('a' + dice() % 5));
        added[name].push_back(next);
        box.add(fact(next++, name));
        break;
      }
      case 1:
        if (auto* taken = box.take()) {
          for (auto& [number, name] : sent) ASSERT_NE(name, taken->group.instance.value);
          sent.emplace(taken->number, taken->group.instance.value);
        }
        break;
      default:
        if (sent.empty()) break;
        auto one = std::next(sent.begin(), static_cast<long>(dice() % sent.size()));
        if (dice() % 2) folded[one->second].push_back(one->first), box.folded(one->first);
        else box.failed(one->first);
        sent.erase(one);
      }
    }
    for (auto& [number, name] : sent) folded[name].push_back(number), box.folded(number);
    while (auto* taken = box.take()) {
      folded[taken->group.instance.value].push_back(taken->number);
      box.folded(taken->number);
    }
    EXPECT_EQ(folded, added) << "seed " << seed;
    EXPECT_EQ(box.size(), 0u);
  }
}

TEST(outbox, backs_off_to_two_seconds) {
  EXPECT_EQ(outbox_delay(0), millis{50});
  EXPECT_EQ(outbox_delay(1), millis{100});
  EXPECT_EQ(outbox_delay(5), millis{1'600});
  EXPECT_EQ(outbox_delay(6), millis{2'000});
  EXPECT_EQ(outbox_delay(4'000'000'000u), millis{2'000});
}

TEST(outbox, only_a_stale_fact_is_sent_again) {
  EXPECT_TRUE(is_final({verdict_kind::accepted, {}, {}}));
  EXPECT_TRUE(is_final({verdict_kind::without_effect, {errc::stale, {}, {}, {}, {}}, {}}));
  EXPECT_TRUE(is_final({verdict_kind::refused, {errc::unknown_instance, {}, {}, {}, {}}, {}}));
  EXPECT_FALSE(is_final({verdict_kind::refused, {errc::stale, {}, {}, {}, {}}, {}}));
}

} // namespace
} // namespace poseidon
