#include "nodes/backup/restore.hpp"

#include "actors/journal/journal.hpp"
#include "actors/journal/journal_table.hpp"
#include "actors/ledger/tail_table.hpp"
#include "test/nodes/backup/backup_fixture.hpp"
#include "test/support/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <sys/stat.h>

namespace poseidon::test {
namespace {

struct restore_test : ::testing::Test {
  virtual_clock time;
  fold_ledger ledger{time};
  temporary_folder folder;
  std::string data = folder.file("data");
  restore_test() { fill(ledger); }

  failure restore(const backup& from) { return restore_backup(from, data, "no-such-user"); }
  std::string text(const std::string& name) const {
    std::ifstream in{data + "/" + name};
    return {std::istreambuf_iterator<char>{in}, {}};
  }
  unsigned mode(const std::string& name) const {
    struct stat found {};
    return ::stat((data + "/" + name).c_str(), &found) == 0 ? found.st_mode & 0777 : 0;
  }
};

TEST_F(restore_test, makes_a_data_with_state_keys_and_identity) {
  ASSERT_FALSE(restore(sample_backup(ledger.state)));
  EXPECT_EQ(text("cluster.key"), std::string(64, 'c') + "\n");
  EXPECT_EQ(mode("cluster.key"), 0600u);
  EXPECT_EQ(mode("admin.key"), 0640u);
  auto db = open_store(data + "/tail.sqlite", tail_schema());
  ASSERT_TRUE(db) << db.error.detail;
  const auto tail = tail_table{**db}.load();
  ASSERT_TRUE(tail.snapshot);
  EXPECT_EQ(tail.snapshot->at, ledger.state.at);
  EXPECT_EQ(tail.snapshot->last, (entry_id{7, 8}));
  const auto state = decode_snapshot(tail.snapshot->bytes, tail.snapshot->digest);
  ASSERT_TRUE(state) << state.error.detail;
  EXPECT_TRUE(find_row(*state, {"i-alice"}));
  auto journal = open_store(data + "/journal.sqlite", journal_schema());
  ASSERT_TRUE(journal) << journal.error.detail;
  const auto held = journal_table{**journal, {}}.contents(time.wall_now());
  EXPECT_EQ(held.data, (data_id{3, 4}));
  EXPECT_TRUE(held.records.empty());
}

TEST_F(restore_test, keeps_the_names_of_cluster_and_node_whatever_the_new_machine_is_called) {
  auto from = sample_backup(ledger.state);
  from.contents.files.push_back({"cluster.json", 0600, {R"({"cluster":"club","nats":{"urls":["nats://127.0.0.1:4222"]}})"}});
  ASSERT_FALSE(restore(from));
  EXPECT_NE(text("cluster.json").find("\"node\":\"n1\""), std::string::npos) << text("cluster.json");
  EXPECT_NE(text("cluster.json").find("4222"), std::string::npos);
  EXPECT_EQ(mode("cluster.json"), 0600u);
}

TEST_F(restore_test, a_data_that_holds_anything_is_left_alone) {
  std::filesystem::create_directories(data);
  std::ofstream{data + "/admin.key"} << "mine";
  const auto refused = restore(sample_backup(ledger.state));
  EXPECT_EQ(refused.code, errc::conflict);
  EXPECT_NE(refused.detail.find("admin.key"), std::string::npos) << refused.detail;
  EXPECT_EQ(text("admin.key"), "mine");
  EXPECT_FALSE(std::filesystem::exists(data + "/tail.sqlite"));
}

TEST_F(restore_test, an_interrupted_one_can_be_done_again) {
  std::filesystem::create_directories(data + "/.restoring");
  std::ofstream{data + "/.restoring/cluster.key"} << "half";
  ASSERT_FALSE(restore(sample_backup(ledger.state)));
  EXPECT_EQ(text("cluster.key"), std::string(64, 'c') + "\n");
  EXPECT_FALSE(std::filesystem::exists(data + "/.restoring"));
}

TEST_F(restore_test, a_state_that_cannot_be_read_makes_no_data) {
  auto from = sample_backup(ledger.state);
  from.contents.snapshot.bytes += "x";
  EXPECT_EQ(restore(from).code, errc::bad_request);
  EXPECT_FALSE(std::filesystem::exists(data));
}

TEST_F(restore_test, a_process_without_a_node_had_no_identity) {
  auto from = sample_backup(ledger.state);
  from.contents.data = {};
  ASSERT_FALSE(restore(from));
  EXPECT_FALSE(std::filesystem::exists(data + "/journal.sqlite"));
}

} // namespace
} // namespace poseidon::test
