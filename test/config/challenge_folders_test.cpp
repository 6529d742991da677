#include "config/challenge_folders.hpp"
#include "test/support/source_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace poseidon::config {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

/// A directory of its own, gone afterwards.
class challenge_folders : public testing::Test {
protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "poseidon-challenges-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    dir = name;
  }
  void TearDown() override { fs::remove_all(dir); }
  void put(const std::string& file, const std::string& text) {
    fs::create_directories((dir / file).parent_path());
    std::ofstream(dir / file) << text;
  }
  challenge_listing read(const challenge_listing* before = nullptr) {
    return read_challenges(dir.string(), {}, before);
  }
  fs::path dir;
};

TEST_F(challenge_folders, are_found_recursively) {
  put("web/One/challenge.yml", "image: a");
  put("web/one-b/deep/challenge.yaml", "image: b");
  put("web/notes.txt", "x");
  put(".git/x/challenge.yml", "image: c");
  fs::create_directory_symlink(dir / "web", dir / "link");
  auto l = read();
  EXPECT_TRUE(l.problems.empty());
  ASSERT_EQ(l.folders.size(), 2u);
  EXPECT_EQ(l.folders[0].folder, "web/One");
  EXPECT_EQ(l.folders[0].value->id.value, "one");
  EXPECT_EQ(l.folders[1].folder, "web/one-b/deep");
  EXPECT_EQ(l.folders[1].value->id.value, "deep");
}

TEST_F(challenge_folders, the_directory_itself_may_be_one) {
  put("challenge.yml", "image: a\ninstance: {id: self}");
  auto l = read();
  ASSERT_EQ(l.folders.size(), 1u);
  EXPECT_EQ(l.folders[0].folder, ".");
  EXPECT_EQ(l.folders[0].value->id.value, "self");
}

TEST_F(challenge_folders, doubles_are_problems_of_each) {
  put("a/web/challenge.yml", "image: a");
  put("b/Web/challenge.yml", "image: b");
  put("c/challenge.yml", "image: c");
  auto l = read();
  ASSERT_EQ(l.folders.size(), 3u);
  for (int i : {0, 1}) {
    EXPECT_FALSE(l.folders[i].value);
    ASSERT_EQ(l.folders[i].problems.size(), 1u);
    EXPECT_THAT(l.folders[i].problems[0].detail, HasSubstr("a/web, b/Web"));
  }
  EXPECT_TRUE(l.folders[2].value);
}

TEST_F(challenge_folders, a_broken_one_harms_no_other_and_a_static_one_is_none) {
  put("bad/challenge.yml", "image: [");
  put("wrong/challenge.yml", "image: a\ninstance: {lifetme: 5m}");
  put("static/challenge.yml", "name: just a file\nflags: [x]");
  put("good/challenge.yml", "image: a");
  auto l = read();
  ASSERT_EQ(l.folders.size(), 4u);
  EXPECT_FALSE(l.folders[0].value || l.folders[0].problems.empty());
  EXPECT_TRUE(l.folders[1].value);
  EXPECT_TRUE(l.folders[2].nothing_to_run && l.folders[2].problems.empty());
  EXPECT_EQ(l.folders[3].problems.at(0).path, "instance.lifetme");
}

TEST_F(challenge_folders, an_unchanged_one_is_kept_and_a_double_is_seen_anew) {
  put("a/challenge.yml", "image: a");
  auto first = read();
  auto second = read(&first);
  EXPECT_EQ(second.folders.at(0).value->spec, first.folders.at(0).value->spec); // the very same object
  put("x/A/challenge.yml", "image: a");
  auto third = read(&second);
  EXPECT_FALSE(third.folders.at(0).value || third.folders.at(1).value);
  fs::remove_all(dir / "x");
  EXPECT_TRUE(read(&third).folders.at(0).value);
  put("a/challenge.yml", "image: b");
  EXPECT_EQ(read(&first).folders.at(0).value->spec->services[0].image, "b");
}

TEST_F(challenge_folders, a_directory_that_is_none) {
  auto l = read_challenges((dir / "nowhere").string(), {});
  ASSERT_EQ(l.problems.size(), 1u);
  EXPECT_THAT(l.problems[0].detail, HasSubstr("is not a directory"));
}

TEST(shipped_challenges, load) {
  auto l = read_challenges(poseidon::test::source_folder() + "/config/examples/challenges", {});
  EXPECT_TRUE(l.problems.empty());
  bool hello = false;
  for (auto& f : l.folders) {
    EXPECT_TRUE(f.value) << f.folder << ": "
                         << (f.problems.empty() ? "" : f.problems[0].path + " " + f.problems[0].detail);
    hello = hello || (f.value && f.value->id.value == "hello");
  }
  EXPECT_TRUE(hello);
}

} // namespace
} // namespace poseidon::config
