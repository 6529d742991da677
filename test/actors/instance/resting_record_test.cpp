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

TEST(compact, a_text_within_a_later_one_is_written_once) {
  const std::vector<std::string> known{"3c1f9c8e-6f57-4c7e-9f2e-0f6a2a3c9d11"};
  const std::vector<std::string> texts{"0123456789.ctf.example", "http://0123456789.ctf.example:8081/", known[0], known[0] + "/4026531836", "", "short", "short!"};
  std::string bytes;
  compact::writer out(bytes, known);
  for (const auto& text : texts) out.text(text);
  EXPECT_LE(bytes.size(), 75u);
  compact::reader in(bytes, known);
  for (const auto& text : texts) EXPECT_EQ(in.text(), text);
  EXPECT_THROW(compact::reader(bytes.substr(23), {}).text(), std::logic_error); // a reference to what it was not given
}

TEST(compact, bytes_that_end_early_are_refused) {
  const auto bytes = packed("sha256:" + std::string(64, 'b'));
  for (std::size_t size = 0; size < bytes.size(); ++size) EXPECT_THROW(compact::reader(std::string_view(bytes).substr(0, size)).text(), std::logic_error) << size;
}

awake_record awake(const journal_record& record, const endpoint* where = nullptr) {
  return {std::make_shared<journal_record>(record), where ? std::make_unique<endpoint>(*where) : nullptr};
}

TEST(resting_record, what_instances_have_in_common_is_kept_once) {
  journal_record record;
  record.spec = std::make_shared<const instance_spec>();
  record.revision = "sha256:" + std::string(64, 'a');
  record.spec_id = {"sha256:" + std::string(64, 'b')};
  std::vector<resting_record> resting;
  for (int i = 0; i < 10; ++i) resting.emplace_back(awake(record));
  EXPECT_EQ(record.spec.use_count(), 2); // ours, and one for all of them
  auto other = record;
  other.spec = std::make_shared<const instance_spec>(*record.spec); // the same digest read again, by another run
  resting.emplace_back(awake(other));
  EXPECT_EQ(resting.front().wake().record->spec, record.spec);
  EXPECT_EQ(resting.back().wake().record->spec, other.spec);
  resting.clear();
  EXPECT_EQ(record.spec.use_count(), 1);
}

TEST(resting_record, wakes_as_it_was) {
  for (std::uint64_t seed = 1; seed <= 500; ++seed) {
    test::dice d(seed);
    journal_record record;
    endpoint where;
    test::randomize(d, record);
    test::randomize(d, where);
    const bool known = d.flip();
    const auto woken = resting_record(awake(record, known ? &where : nullptr)).wake();
    EXPECT_EQ(encode(*woken.record), encode(record)) << "seed " << seed;
    EXPECT_EQ(woken.record->spec, record.spec); // the same one
    ASSERT_EQ(woken.where != nullptr, known);
    if (known) {
      EXPECT_EQ(*woken.where, where) << "seed " << seed;
    }
  }
}

} // namespace
} // namespace poseidon
