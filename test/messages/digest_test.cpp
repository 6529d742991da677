#include "messages/digest.hpp"

#include "test/support/counted_random.hpp"

#include <gtest/gtest.h>

#include <set>

namespace poseidon {
namespace {

TEST(digest, known_values) {
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  // RFC 4231, test case 2
  EXPECT_EQ(to_hex(hmac_sha256("Jefe", "what do ya want for nothing?")), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  // RFC 4648
  for (auto [in, out] : {std::pair{"", ""}, {"f", "my"}, {"fo", "mzxq"}, {"foo", "mzxw6"}, {"foob", "mzxw6yq"}, {"fooba", "mzxw6ytb"}, {"foobar", "mzxw6ytboi"}})
    EXPECT_EQ(to_base32(in), out);
}

TEST(digest, a_spec_differs_when_anything_in_it_does) {
  instance_spec a, b;
  a.services.resize(1);
  b.services.resize(1);
  EXPECT_EQ(digest_of(a), digest_of(b));
  EXPECT_TRUE(digest_of(a).value.starts_with("sha256:"));
  b.services[0].environment["X"] = "";
  EXPECT_NE(digest_of(a), digest_of(b));
}

TEST(digest, host_labels_are_twenty_hex_digits_of_the_hmac) {
  secret key{"cluster secret"};
  instance_id id{"abc"};
  EXPECT_EQ(host_label(key, id), to_hex(hmac_sha256("cluster secret", "abc")).substr(0, 20));
  EXPECT_NE(host_label(key, id), host_label(secret{"another"}, id));
}

TEST(digest, secrets_are_compared_whole) {
  EXPECT_TRUE(equal_secrets("abc", "abc"));
  EXPECT_FALSE(equal_secrets("abc", "abd"));
  EXPECT_FALSE(equal_secrets("abc", "ab"));
  EXPECT_TRUE(equal_secrets("", ""));
}

TEST(seal, opens_with_the_same_key_and_context_only) {
  test::counted_random random;
  secret key{std::string(32, 'k')}, other{std::string(32, 'x')};
  for (auto* text : {"", "flag{1}", "ä\x01"}) {
    auto sealed = seal(secret{text}, key, "flag", random);
    ASSERT_TRUE(sealed);
    EXPECT_EQ(open(*sealed, key, "flag")->reveal(), text);
    EXPECT_EQ(open(*sealed, other, "flag").error.code, errc::forbidden);
    EXPECT_EQ(open(*sealed, key, "webhook").error.code, errc::forbidden);
    for (std::size_t i = 0; i < sealed->bytes.size(); ++i) {
      auto changed = *sealed;
      changed.bytes[i] = static_cast<char>(changed.bytes[i] ^ 1);
      EXPECT_FALSE(open(changed, key, "flag"));
    }
    EXPECT_FALSE(open({sealed->bytes.substr(0, 27)}, key, "flag"));
  }
  EXPECT_NE(seal(secret{"a"}, key, "", random)->bytes, seal(secret{"a"}, key, "", random)->bytes);
  EXPECT_EQ(seal(secret{"a"}, secret{"short"}, "", random).error.code, errc::internal);
  EXPECT_EQ(open(*seal(secret{"a"}, key, "", random), key, "")->reveal(), "a");
}

TEST(random, ids_are_new_and_of_their_form) {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    auto id = mint_instance_id(system_random());
    EXPECT_EQ(id.value.size(), 26u);
    EXPECT_EQ(id.value.find_first_not_of("abcdefghijklmnopqrstuvwxyz234567"), std::string::npos);
    EXPECT_TRUE(seen.insert(id.value).second);
    EXPECT_FALSE(mint<entry_id>(system_random()).empty());
  }
}

} // namespace
} // namespace poseidon
