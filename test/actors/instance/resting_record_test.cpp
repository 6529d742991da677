#include "actors/instance/resting_record.hpp"

#include "actors/instance/compact.hpp"
#include "messages/codec.hpp"
#include "test/support/random_value.hpp"

#include <gtest/gtest.h>

namespace poseidon {
namespace {

std::string packed(const std::string& text) {
  std::string out;
  compact::writer(out).text(text);
  return out;
}

TEST(compact, texts_come_back_as_they_were) {
  const std::string hex(64, 'e'), odd(17, '7');
  for (const auto& text : {std::string{}, std::string{"a"}, std::string(300, 'z'), std::string("nul\0inside", 10), hex, odd, "sha256:" + hex, hex + "!",
                           "/system.slice/docker-" + hex + ".scope", hex + "-" + odd + "/" + hex, std::string("DEADBEEFDEADBEEFDEADBEEF"), std::string(15, 'f')}) {
    const auto bytes = packed(text);
    EXPECT_EQ(compact::reader(bytes).text(), text);
  }
}

TEST(compact, digests_take_half) {
  EXPECT_LE(packed("sha256:" + std::string(64, 'b')).size(), 44u);
  EXPECT_LE(packed(std::string(64, 'c')).size(), 37u);
}

TEST(compact, bytes_that_end_early_are_refused) {
  const auto bytes = packed("sha256:" + std::string(64, 'b'));
  for (std::size_t size = 0; size < bytes.size(); ++size) EXPECT_THROW(compact::reader(std::string_view(bytes).substr(0, size)).text(), std::logic_error) << size;
}

TEST(resting_record, wakes_as_it_was) {
  for (std::uint64_t seed = 1; seed <= 500; ++seed) {
    test::dice d(seed);
    journal_record record;
    endpoint where;
    test::randomize(d, record);
    test::randomize(d, where);
    const bool known = d.flip();
    resting_record resting(record, known ? &where : nullptr);
    ASSERT_TRUE(resting);
    std::unique_ptr<endpoint> again;
    const auto woken = resting.wake(again);
    EXPECT_FALSE(resting);
    EXPECT_EQ(encode(*woken), encode(record)) << "seed " << seed;
    EXPECT_EQ(woken->spec, record.spec); // the same one
    ASSERT_EQ(again != nullptr, known);
    if (known) {
      EXPECT_EQ(*again, where) << "seed " << seed;
    }
  }
}

} // namespace
} // namespace poseidon
