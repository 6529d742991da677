#include "nodes/edge/route_file.hpp"

#include <gtest/gtest.h>

#include <unistd.h>

#include <algorithm>
#include <fstream>

namespace poseidon {
namespace {

constexpr wall_time now{1'700'000'000'000};

class route_file_test : public testing::Test {
protected:
  route_file_test() {
    char name[] = "/tmp/poseidon-routes-XXXXXX";
    folder = ::mkdtemp(name);
  }
  ~route_file_test() override { std::filesystem::remove_all(folder); }

  void put(const std::string& host, std::uint64_t sequence) {
    endpoint where;
    where.pid = 10;
    where.start_ticks = 5;
    where.port = 80;
    where.cgroup = "docker/x";
    table.apply(routes.put({host, {"i"}, {1, sequence, {1, 2}}, {"m"}, where, boot_time{77}}, now).changes);
  }

  std::filesystem::path folder;
  route_table routes;
  edge_table table;
};

TEST_F(route_file_test, what_is_written_is_read) {
  put("a", 1);
  table.apply(routes.end({"b", {"i"}, {1, 2, {}}, end_reason::solved, now, false}, now).changes);
  {
    route_file file{folder / "routes", {"m/1"}, table};
    file.changed();
  }
  const auto read = load_routes(folder / "routes");
  ASSERT_TRUE(read) << read.error.detail;
  EXPECT_EQ(read->machine.str(), "m/1");
  auto entries = read->entries;
  std::sort(entries.begin(), entries.end(), [](auto& a, auto& b) { return a.route.host < b.route.host; });
  EXPECT_EQ(entries, routes.snapshot({"m/1"}).entries);
}

TEST_F(route_file_test, each_change_is_on_disk_soon) {
  route_file file{folder / "routes", {"m/1"}, table, millis{1}};
  for (std::uint64_t i = 1; i <= 20; ++i) {
    put("a", i);
    file.changed();
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    std::uint64_t found = 0;
    while (found != i && std::chrono::steady_clock::now() < until) {
      const auto read = load_routes(folder / "routes");
      ASSERT_TRUE(read) << "a reader always finds a whole file: " << read.error.detail;
      if (!read->entries.empty()) found = read->entries[0].route.epoch.sequence;
    }
    ASSERT_EQ(found, i);
  }
}

TEST_F(route_file_test, no_file_is_an_empty_table) {
  const auto read = load_routes(folder / "routes");
  ASSERT_TRUE(read);
  EXPECT_TRUE(read->entries.empty());
}

TEST_F(route_file_test, damaged_and_newer_files_are_refused_with_words) {
  put("a", 1);
  { route_file{folder / "routes", {"m"}, table}.changed(); }
  std::ifstream in{folder / "routes", std::ios::binary};
  std::string bytes{std::istreambuf_iterator<char>{in}, {}};
  std::ofstream{folder / "cut", std::ios::binary} << bytes.substr(0, bytes.size() / 2);
  EXPECT_EQ(load_routes(folder / "cut").error.code, errc::internal);
  std::ofstream{folder / "empty", std::ios::binary};
  EXPECT_EQ(load_routes(folder / "empty").error.code, errc::internal);
  const auto at = bytes.find("schema") + 6;
  bytes[at] = 9; // a small number is one byte of msgpack
  std::ofstream{folder / "newer", std::ios::binary} << bytes;
  EXPECT_EQ(load_routes(folder / "newer").error.code, errc::conflict);
}

TEST_F(route_file_test, a_write_that_fails_is_told) {
  route_file file{folder / "none" / "routes", {"m"}, table, millis{1}};
  file.changed();
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!file.last_failure() && std::chrono::steady_clock::now() < until) std::this_thread::yield();
  EXPECT_EQ(file.last_failure().code, errc::internal);
}

} // namespace
} // namespace poseidon
