#include "messages/codec.hpp"
#include "messages/msgpack_io.hpp"
#include "test/messages/codec_cases.hpp"
#include "test/support/random_value.hpp"

#include <gtest/gtest.h>

namespace poseidon::test {
namespace {

TEST(codec, random_values_come_back_as_they_were) {
  for (auto& c : all_codec_cases())
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
      auto s = c.make(seed);
      ASSERT_EQ(c.again_msgpack(s.msgpack), s.msgpack) << c.name << " seed " << seed;
      ASSERT_EQ(c.again_json(s.json), s.json) << c.name << " seed " << seed;
    }
}

TEST(codec, every_cut_is_refused) {
  for (auto& c : all_codec_cases()) {
    auto whole = c.make(3).msgpack;
    for (std::size_t size = 0; size < whole.size(); ++size)
      EXPECT_EQ(c.again_msgpack(std::string_view(whole).substr(0, size)), "") << c.name << " cut to " << size;
    EXPECT_EQ(c.again_msgpack(whole + '\0'), "") << c.name << " with more after its end";
  }
}

TEST(codec, garbage_is_answered_never_thrown) {
  dice d(99);
  for (auto& c : all_codec_cases())
    for (int round = 0; round < 150; ++round) {
      auto bytes = c.make(d.roll()).msgpack;
      for (auto n = 1 + d.below(4); n > 0 && !bytes.empty(); --n) bytes[d.below(bytes.size())] = static_cast<char>(d.below(256));
      if (d.below(4) == 0) bytes.insert(d.below(bytes.size() + 1), random_bytes_text(d));
      auto again = c.again_msgpack(bytes);
      if (!again.empty()) {
        EXPECT_EQ(c.again_msgpack(again), again) << c.name; // what was accepted is stable
      }
    }
}

TEST(codec, garbage_of_no_kind_at_all_is_answered) {
  dice d(7);
  for (int round = 0; round < 3000; ++round) {
    std::string bytes;
    for (auto n = d.below(80); n > 0; --n) bytes += static_cast<char>(d.flip() ? d.below(256) : 0x80 + d.below(96));
    auto& all = all_codec_cases();
    all[d.below(all.size())].again_msgpack(bytes);
    decode_entry(bytes);
    decode_record(bytes);
  }
}

TEST(codec, garbage_json_is_answered) {
  dice d(8);
  for (auto& c : all_codec_cases())
    for (int round = 0; round < 40; ++round) {
      auto text = c.make(d.roll()).json;
      for (auto n = 1 + d.below(3); n > 0; --n) text[d.below(text.size())] = "{}[],:\"0n-"[d.below(10)];
      c.again_json(text);
    }
}

TEST(codec, lengths_that_lie_cost_nothing) {
  std::string huge_array("\x81\xa4" "body" "\xdd\xff\xff\xff\xff", 11);
  EXPECT_FALSE(decode_entry(huge_array));
  std::string deep(100'000, '\x91');
  EXPECT_FALSE(decode_entry(deep));
  std::string unknown_and_deep = "\x81\xa3zzz" + std::string(100'000, '\x91') + '\xc0';
  EXPECT_TRUE(decode_spec(unknown_and_deep)); // passed over without recursion
}

TEST(codec, few_bytes_never_become_much_memory) {
  std::string bytes("\x81\xa8" "services" "\xdd\x00\x40\x00\x00", 15); // 4 million empty maps, each a service of many bytes
  bytes.append(0x400000, '\x80');
  auto read = decode_spec(bytes);
  ASSERT_FALSE(read);
  EXPECT_NE(read.error.detail.find("far more values than bytes"), std::string::npos) << read.error.detail;
}

TEST(codec, unknown_fields_are_passed_over_and_absent_ones_keep_their_default) {
  std::string bytes;
  msgpack_writer out(bytes);
  out.map(3);
  out.text("from_the_future");
  out.array(2);
  out.map(1);
  out.text("x");
  out.real(1.5);
  out.nil();
  out.text("lifetime_ms");
  out.integer(5);
  out.text("another");
  out.boolean(true);
  auto read = decode_spec(bytes);
  ASSERT_TRUE(read) << read.error.detail;
  EXPECT_EQ(read->lifetime_ms, 5);
  EXPECT_EQ(read->start_limit_ms, instance_spec{}.start_limit_ms);
}

TEST(codec, a_payload_may_come_before_its_kind) {
  std::string bytes;
  msgpack_writer out(bytes);
  out.map(2);
  out.text("payload");
  out.map(1);
  out.text("message");
  out.text("soon");
  out.text("kind");
  out.text("set_pause");
  auto read = decode_entry_body(bytes);
  ASSERT_TRUE(read) << read.error.detail;
  EXPECT_EQ(std::get<set_pause_entry>(*read).message, "soon");
}

TEST(codec, newer_schemas_are_refused_with_words) {
  entry newer;
  newer.version = entry::current_version + 1;
  auto refused = decode_entry(encode(newer));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error.code, errc::conflict);
  EXPECT_NE(refused.error.detail.find("newer Poseidon"), std::string::npos);
  journal_record record;
  record.schema = journal_record::current_schema + 1;
  EXPECT_EQ(decode_record(encode(record)).error.code, errc::conflict);
}

TEST(codec, an_entry_kind_of_a_newer_release_is_named_newer) {
  std::string bytes;
  msgpack_writer out(bytes);
  out.map(2);
  out.text("version");
  out.uinteger(entry::current_version + 1);
  out.text("body");
  out.map(2);
  out.text("kind");
  out.text("not_known_yet");
  out.text("payload");
  out.map(0);
  EXPECT_EQ(decode_entry(bytes).error.code, errc::conflict);
}

TEST(codec, integers_out_of_range_are_refused) {
  std::string bytes;
  msgpack_writer out(bytes);
  out.map(1);
  out.text("cost");
  out.uinteger(std::uint64_t{1} << 32);
  EXPECT_FALSE(decode_spec(bytes));
  std::string negative;
  msgpack_writer again(negative);
  again.map(1);
  again.text("cost");
  again.integer(-1);
  EXPECT_FALSE(decode_spec(negative));
}

TEST(msgpack_io, integers_at_every_edge) {
  for (std::int64_t v : {0l, 1l, 127l, 128l, 255l, 256l, 65535l, 65536l, 4294967295l, 4294967296l, std::numeric_limits<std::int64_t>::max(), -1l,
                         -32l, -33l, -128l, -129l, -32768l, -32769l, -2147483648l, -2147483649l, std::numeric_limits<std::int64_t>::min()}) {
    std::string bytes;
    msgpack_writer(bytes).integer(v);
    msgpack_reader in(bytes);
    std::int64_t got = 0;
    EXPECT_TRUE(in.integer(got) && in.at_end()) << v;
    EXPECT_EQ(got, v);
  }
}

TEST(canonical_json, is_sorted_and_complete) {
  auto text = canonical_json(instance_spec{});
  EXPECT_EQ(text.find(' '), std::string::npos);
  EXPECT_LT(text.find("\"capture_logs\""), text.find("\"cost\""));
  EXPECT_LT(text.find("\"cost\""), text.find("\"extension\""));
}

} // namespace
} // namespace poseidon::test
