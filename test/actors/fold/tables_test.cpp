// The hash index under the tables, against the standard library's.

#include "actors/fold/tables.hpp"

#include <gtest/gtest.h>

#include <random>
#include <unordered_map>

namespace poseidon {
namespace {

TEST(flat_index, behaves_like_a_map_under_random_use) {
  std::mt19937_64 random(1);
  std::vector<std::uint64_t> keys(4096);
  std::unordered_map<std::uint64_t, std::uint32_t> model;
  flat_index index;
  const auto hash = [](std::uint64_t key) { return static_cast<std::size_t>(key % 257); }; // many collisions
  for (int i = 0; i < 200'000; ++i) {
    const auto item = static_cast<std::uint32_t>(random() % keys.size());
    if (model.contains(item)) {
      EXPECT_TRUE(index.erase(hash(keys[item]), item));
      model.erase(item);
    } else {
      keys[item] = random();
      index.insert(hash(keys[item]), item);
      model.emplace(item, item);
    }
    const auto probe = static_cast<std::uint32_t>(random() % keys.size());
    const auto found = index.find(hash(keys[probe]), [&](std::uint32_t n) { return n == probe; });
    ASSERT_EQ(found == probe, model.contains(probe));
  }
  EXPECT_EQ(index.size(), model.size());
  EXPECT_FALSE(index.erase(1, 999'999));
}

TEST(spec_store, keeps_a_spec_as_long_as_it_is_used) {
  spec_store specs;
  auto body = std::make_shared<const instance_spec>();
  EXPECT_EQ(specs.acquire({"a"}, body), body);
  EXPECT_EQ(specs.acquire({"a"}, nullptr), body);
  const auto one = specs.source("r", {"a"});
  EXPECT_EQ(one, specs.source("r", {"a"}));
  specs.release({"a"});
  EXPECT_TRUE(specs.find({"a"}));
  specs.release({"a"});
  EXPECT_FALSE(specs.find({"a"}));
}

} // namespace
} // namespace poseidon
