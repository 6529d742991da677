#include "messages/digest.hpp"
#include "test/nodes/backup/backup_fixture.hpp"

#include <gtest/gtest.h>

namespace poseidon::test {
namespace {

struct backup_file_test : ::testing::Test {
  virtual_clock time;
  fold_ledger ledger{time};
  backup_file_test() { fill(ledger); }

  /// The same file with another manifest, and a checksum that fits.
  static std::string with_manifest(const std::string& bytes, const std::string& from, const std::string& to) {
    auto body = bytes.substr(bytes.find('\n') + 1);
    body.replace(body.find(from), from.size(), to);
    return "poseidon-backup " + sha256_hex(body) + "\n" + body;
  }
};

TEST_F(backup_file_test, comes_back_as_it_was) {
  const auto made = sample_backup(ledger.state);
  const auto read = decode_backup(encode_backup(made));
  ASSERT_TRUE(read) << read.error.detail;
  EXPECT_EQ(read->manifest.cluster, "club");
  EXPECT_EQ(read->manifest.position, ledger.state.at);
  EXPECT_EQ(read->manifest.made_at, made.manifest.made_at);
  EXPECT_EQ(read->contents.data, (data_id{3, 4}));
  EXPECT_EQ(read->contents.last_entry, (entry_id{7, 8}));
  ASSERT_EQ(read->contents.files.size(), 3u);
  EXPECT_EQ(read->contents.files[1].mode, 0640u);
  const auto state = decode_snapshot(read->contents.snapshot.bytes, read->manifest.digest);
  ASSERT_TRUE(state) << state.error.detail;
  EXPECT_EQ(encode_snapshot(*state).digest, encode_snapshot(ledger.state).digest);
}

TEST_F(backup_file_test, says_in_its_second_line_what_it_is) {
  const auto bytes = encode_backup(sample_backup(ledger.state));
  const auto first = bytes.find('\n') + 1, line = bytes.find('\n', first);
  const auto manifest = bytes.substr(first, line - first);
  for (const char* word : {"\"cluster\":\"club\"", "\"schema\":1", "\"made_at\":\"2023-11-14T22:13:20.500Z\""})
    EXPECT_NE(manifest.find(word), std::string::npos) << manifest;
  EXPECT_EQ(read_manifest(bytes)->live_instances, 2u);
}

TEST_F(backup_file_test, any_byte_lost_or_changed_is_noticed) {
  const auto bytes = encode_backup(sample_backup(ledger.state));
  for (std::size_t length = 0; length < bytes.size(); length += 1 + length / 50)
    EXPECT_EQ(decode_backup(std::string_view(bytes).substr(0, length)).error.code, errc::bad_request) << length;
  for (std::size_t i = 0; i < bytes.size(); i += 1 + i / 50) {
    auto other = bytes;
    other[i] = static_cast<char>(other[i] ^ 1);
    EXPECT_EQ(decode_backup(other).error.code, errc::bad_request) << i;
  }
  EXPECT_EQ(decode_backup(bytes + "x").error.code, errc::bad_request);
}

TEST_F(backup_file_test, one_of_a_newer_poseidon_is_refused_with_words) {
  const auto newer = with_manifest(encode_backup(sample_backup(ledger.state)), "\"schema\":1", "\"schema\":2");
  const auto read = decode_backup(newer);
  EXPECT_EQ(read.error.code, errc::conflict);
  EXPECT_NE(read.error.detail.find("newer Poseidon"), std::string::npos) << read.error.detail;
}

TEST_F(backup_file_test, writes_nowhere_but_into_data) {
  for (const char* name : {"../x", "/etc/passwd", "a/b", "", ".hidden", ".."}) {
    auto made = sample_backup(ledger.state);
    made.contents.files.push_back({name, 0600, {"x"}});
    EXPECT_EQ(decode_backup(encode_backup(made)).error.code, errc::bad_request) << name;
  }
}

} // namespace
} // namespace poseidon::test
