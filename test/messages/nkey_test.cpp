#include "messages/nkey.hpp"

#include <gtest/gtest.h>

namespace poseidon {
namespace {

TEST(nkey, a_seed_gives_the_public_key_that_nats_tools_give) {
  const auto open = public_nkey("SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY\n");
  ASSERT_TRUE(open) << open.error.detail;
  EXPECT_EQ(*open, "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4");
}

TEST(nkey, a_new_one_is_like_no_other) {
  const auto a = make_nkey_seed(system_random()), b = make_nkey_seed(system_random());
  EXPECT_EQ(a.reveal().size(), 58u);
  EXPECT_TRUE(a.reveal().starts_with("SU"));
  EXPECT_NE(a, b);
  ASSERT_TRUE(public_nkey(a.reveal()));
  EXPECT_EQ(public_nkey(a.reveal())->size(), 56u);
  EXPECT_NE(*public_nkey(a.reveal()), *public_nkey(b.reveal()));
}

TEST(nkey, a_last_digit_that_gives_the_same_bytes_is_mistyped_as_well) {
  EXPECT_FALSE(public_nkey("SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VZ"));
}

TEST(nkey, what_is_mistyped_or_no_seed_is_refused) {
  const auto seed = make_nkey_seed(system_random()).reveal();
  for (std::size_t i = 2; i < seed.size(); ++i) {
    auto other = seed;
    other[i] = other[i] == 'A' ? 'B' : 'A';
    EXPECT_EQ(public_nkey(other).error.code, errc::invalid_field) << i;
  }
  for (const char* none : {"", " \n", "SU", "hello", "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4"}) EXPECT_FALSE(public_nkey(none)) << none;
  EXPECT_FALSE(public_nkey(seed.substr(0, 40)));
}

} // namespace
} // namespace poseidon
