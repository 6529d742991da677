#include "nodes/host/data_folder.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

namespace poseidon {
namespace {

class data_folder : public testing::Test {
protected:
  void SetUp() override { path = testing::TempDir() + "poseidon-data-" + std::to_string(::getpid()) + "/a/b"; }
  void TearDown() override { std::filesystem::remove_all(std::filesystem::path{path}.parent_path().parent_path()); }
  std::string path;
};

TEST_F(data_folder, is_made_with_its_parents_and_closed_to_others) {
  EXPECT_FALSE(prepare_data_folder(path, "no-such-user"));
  struct stat info {};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0750u);
}

TEST_F(data_folder, an_impossible_one_says_which) {
  const auto failed = prepare_data_folder("/proc/poseidon/data", "no-such-user");
  EXPECT_TRUE(failed);
  EXPECT_NE(failed.detail.find("/proc/poseidon/data"), std::string::npos);
}

TEST_F(data_folder, a_secret_is_made_once) {
  ASSERT_FALSE(prepare_data_folder(path, "no-such-user"));
  const auto file = path + "/some.key";
  const auto first = read_or_make_secret(file, 0640, "", [] { return std::string{"one"}; });
  const auto second = read_or_make_secret(file, 0640, "", [] { return std::string{"two"}; });
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->reveal(), "one");
  EXPECT_EQ(second->reveal(), "one");
  struct stat info {};
  ASSERT_EQ(::stat(file.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0640u);
}

TEST_F(data_folder, the_folder_of_a_socket_is_made) {
  EXPECT_FALSE(prepare_socket_folder(path + "/run/api.sock", "no-such-user", "api.listen"));
  EXPECT_TRUE(std::filesystem::is_directory(path + "/run"));
  EXPECT_FALSE(prepare_socket_folder(path + "/run/api.sock", "no-such-user", "api.listen")) << "it may be there";
  EXPECT_NE(prepare_socket_folder("/proc/poseidon/api.sock", "no-such-user", "api.listen").detail.find("/proc/poseidon"), std::string::npos);
}

TEST_F(data_folder, an_empty_secret_is_made_anew) {
  ASSERT_FALSE(prepare_data_folder(path, "no-such-user"));
  const auto file = path + "/some.key";
  std::ofstream{file} << "\n";
  EXPECT_EQ(read_or_make_secret(file, 0600, "", [] { return std::string{"fresh"}; })->reveal(), "fresh");
}

} // namespace
} // namespace poseidon
