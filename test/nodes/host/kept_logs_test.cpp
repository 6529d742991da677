#include "nodes/host/kept_logs.hpp"

#include "test/support/temporary_folder.hpp"

#include <gmock/gmock.h>

#include <fcntl.h>
#include <fstream>
#include <sys/stat.h>

namespace poseidon {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr wall_time now{1'000'000'000};

TEST(last_part, begins_at_a_line_where_something_was_cut) {
  EXPECT_EQ(last_part("one\ntwo\nthree\n", 100), "one\ntwo\nthree\n");
  EXPECT_EQ(last_part("one\ntwo\nthree\n", 14), "one\ntwo\nthree\n");
  EXPECT_EQ(last_part("one\ntwo\nthree\n", 13), "two\nthree\n");
  EXPECT_EQ(last_part("one\ntwo\nthree\n", 10), "two\nthree\n");
  EXPECT_EQ(last_part("one\ntwo\nthree\n", 6), "three\n");
  EXPECT_EQ(last_part("one long line", 4), "line") << "a line longer than the bound keeps its end";
  EXPECT_EQ(last_part("one long line\n", 5), "line\n");
}

TEST(last_lines, counts_from_the_end) {
  EXPECT_EQ(last_lines("one\ntwo\nthree\n", 0), "one\ntwo\nthree\n");
  EXPECT_EQ(last_lines("one\ntwo\nthree\n", 1), "three\n");
  EXPECT_EQ(last_lines("one\ntwo\nthree", 2), "two\nthree");
  EXPECT_EQ(last_lines("one\ntwo\nthree\n", 9), "one\ntwo\nthree\n");
  EXPECT_EQ(last_lines("\n\n", 1), "\n");
  EXPECT_EQ(last_lines("", 3), "");
}

TEST(logs_to_forget, the_old_and_then_the_oldest_beyond_the_bound) {
  const kept_log_bounds bounds{1 << 10, 100, millis{1'000}};
  EXPECT_THAT(logs_to_forget({}, bounds, now), IsEmpty());
  EXPECT_THAT(logs_to_forget({{"a", 60, now - millis{1'000}}, {"b", 40, now}}, bounds, now), IsEmpty());
  EXPECT_THAT(logs_to_forget({{"a", 1, now - millis{1'001}}, {"b", 1, now}}, bounds, now), ElementsAre("a"));
  EXPECT_THAT(logs_to_forget({{"a", 60, now - millis{3}}, {"b", 60, now - millis{1}}, {"c", 30, now - millis{2}}}, bounds, now), ElementsAre("a"));
}

struct kept_logs_test : testing::Test {
  test::temporary_folder folder;
  std::string path = folder.file("logs");
  kept_logs logs{path, {16, 40, millis{60'000}}};

  void keep_at(const std::string& id, wall_time at) {
    EXPECT_FALSE(logs.keep({id}, "0123456789012345"));
    const timespec time{at.ms / 1000, at.ms % 1000 * 1'000'000};
    const timespec both[] = {time, time};
    EXPECT_EQ(::utimensat(AT_FDCWD, (path + "/" + id + ".log").c_str(), both, 0), 0);
  }
};

TEST_F(kept_logs_test, what_is_kept_is_read_again_bounded_and_closed_to_others) {
  EXPECT_EQ(logs.read({"a"}, 0).error.code, errc::unknown_instance) << "not even the folder is there";
  EXPECT_EQ(logs.forget(now), 0u);
  EXPECT_FALSE(logs.keep({"a"}, "first\n"));
  EXPECT_FALSE(logs.keep({"a"}, "0123456789\nthe last line\n"));
  EXPECT_EQ(*logs.read({"a"}, 0), "the last line\n");
  EXPECT_EQ(logs.read({"b"}, 0).error.code, errc::unknown_instance);
  struct stat info {};
  ASSERT_EQ(::stat((path + "/a.log").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);
}

TEST_F(kept_logs_test, an_id_never_leaves_the_folder) {
  std::ofstream(folder.file("secret.log")) << "secret";
  for (const char* id : {"../secret", "..", "", "a/b", ".hidden"}) {
    EXPECT_EQ(logs.read({id}, 0).error.code, errc::unknown_instance) << id;
    EXPECT_TRUE(logs.keep({id}, "x")) << id;
  }
}

TEST_F(kept_logs_test, they_are_forgotten_in_time_and_beyond_the_bound) {
  keep_at("a", now - millis{2});
  keep_at("b", now);
  keep_at("c", now - millis{1});
  EXPECT_EQ(logs.forget(now), 1u) << "48 of 40 bytes";
  EXPECT_EQ(logs.read({"a"}, 0).error.code, errc::unknown_instance) << "the oldest";
  EXPECT_EQ(logs.forget(now), 0u);
  EXPECT_TRUE(logs.read({"c"}, 0).ok());
  EXPECT_EQ(logs.forget(now + millis{60'000}), 1u);
  EXPECT_EQ(logs.forget(now + millis{60'001}), 1u);
  EXPECT_EQ(logs.read({"c"}, 0).error.code, errc::unknown_instance);
}

TEST_F(kept_logs_test, what_cant_be_written_is_told) {
  const kept_logs nowhere{"/proc/poseidon-logs", {}};
  const auto failed = nowhere.keep({"a"}, "x");
  EXPECT_TRUE(failed);
  EXPECT_NE(failed.detail.find("/proc/poseidon-logs"), std::string::npos);
}

} // namespace
} // namespace poseidon
