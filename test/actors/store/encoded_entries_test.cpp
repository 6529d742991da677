#include "actors/store/encoded_entries.hpp"

#include "messages/codec.hpp"

#include <gtest/gtest.h>

namespace poseidon::test {
namespace {

entry_ptr cancel_of(const std::string& instance) {
  auto made = std::make_shared<entry>();
  made->id = {1, 2}; // the same for all: an object is known by itself
  made->body = cancel_entry{{instance}, end_reason::stopped, "somebody"};
  return made;
}

TEST(encoded_entries, gives_the_bytes_of_this_very_object_once) {
  encoded_entries all;
  const auto one = cancel_of("a"), other = cancel_of("b");
  all.put(one, "bytes");
  EXPECT_EQ(all.take(other), encode(*other));
  EXPECT_EQ(all.take(one), "bytes");
  EXPECT_EQ(all.take(one), encode(*one));
}

TEST(encoded_entries, what_ended_is_not_taken_for_what_came_after_it) {
  encoded_entries all;
  for (int n = 0; n < 5'000; ++n) all.put(cancel_of("gone"), "bytes of what is gone");
  for (int n = 0; n < 5'000; ++n) {
    const auto next = cancel_of("next");
    ASSERT_EQ(all.take(next), encode(*next));
  }
}

} // namespace
} // namespace poseidon::test
