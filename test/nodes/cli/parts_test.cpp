#include "nodes/cli/doctor.hpp"
#include "nodes/cli/http_client.hpp"
#include "nodes/cli/sse.hpp"
#include "nodes/cli/tables.hpp"
#include "test/nodes/cli/fake_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>

namespace poseidon::cli {
namespace {

using testing::HasSubstr;

TEST(tables, columns_follow_their_widest_cell) {
  EXPECT_EQ(table({"A", "LONG"}, {{"Zoë", "x"}, {"b", ""}}), "A    LONG\nZoë  x\nb\n");
  EXPECT_EQ(pairs({{"a", "1"}, {"skipped", ""}, {"long", "2"}}), "a     1\nlong  2\n");
  EXPECT_EQ(printable("a\x1b[1m\nb\x7f"), "a?[1m?b?");
}

TEST(tables, times_as_people_say_them) {
  ::setenv("TZ", "UTC", 1);
  ::tzset();
  auto now = *from_rfc3339("2026-01-31T12:00:00Z");
  EXPECT_EQ(relative(now + millis{12 * 60'000}, now), "in 12 min");
  EXPECT_EQ(relative(now - millis{3 * 3'600'000}, now), "3 h ago");
  EXPECT_EQ(relative(now + millis{500}, now), "now");
  EXPECT_EQ(relative(now + millis{90 * 60'000}, now), "in 1 h 30 min");
  EXPECT_EQ(relative(now + millis{50ll * 3'600'000}, now), "in 2 d 2 h");
  EXPECT_EQ(when("2026-01-31T13:00:00+00:00", now), "13:00:00 (in 1 h)");
  EXPECT_EQ(when("2026-02-01T13:00:00Z", now), "2026-02-01 13:00 (in 1 d 1 h)");
  EXPECT_EQ(when("", now), "");
  EXPECT_EQ(when("soon", now), "soon");
  EXPECT_EQ(span(45'000), "45 s");
  EXPECT_EQ(bytes(64 << 20), "64 MiB");
  EXPECT_EQ(bytes(1536), "1.5 KiB");
  EXPECT_EQ(bytes(100), "100 B");
}

TEST(sse, events_are_cut_wherever_the_pieces_end) {
  std::string text = ": comment\n\nid: 1\nevent: a\ndata: x\ndata: y\n\nretry: 5\n\nid: 2\r\ndata:z\r\n\r\ndata: half";
  for (std::size_t size : {1u, 3u, 1000u}) {
    sse_reader reader;
    std::vector<std::string> seen;
    for (std::size_t at = 0; at < text.size(); at += size)
      reader.feed(std::string_view(text).substr(at, size),
                  [&](auto& e) { return seen.push_back(e.id + "|" + e.type + "|" + e.data), true; });
    EXPECT_EQ(seen, (std::vector<std::string>{"1|a|x\ny", "2||z"}));
    EXPECT_EQ(reader.last_id(), "2");
    reader.restart();
    reader.feed("data: new\n\n", [&](auto& e) { return seen.push_back(e.data), true; });
    EXPECT_EQ(seen.back(), "new");
  }
}

TEST(http_client, addresses_are_read) {
  EXPECT_EQ(parse_target("http://127.0.0.1:8080/")->text(), "http://127.0.0.1:8080");
  EXPECT_EQ(parse_target("localhost:80")->text(), "http://localhost:80");
  EXPECT_EQ(parse_target("http://[::1]:8080")->text(), "http://[::1]:8080");
  EXPECT_EQ(parse_target("http://[::1]")->text(), "http://[::1]:80");
  EXPECT_EQ(parse_target("unix:///run/x.sock")->text(), "unix:/run/x.sock");
  for (auto bad : {"https://x", "unix:x", "", "http://", "http://x:y", "http://x/path", "ftp://x"})
    EXPECT_FALSE(parse_target(bad)) << bad;
  EXPECT_EQ(url_encode("a b/ä~"), "a%20b%2F%C3%A4~");
}

TEST(http_client, a_server_that_says_nothing_runs_out) {
  // The answer is an empty text: the connection is accepted, read, and closed without a word.
  fake_server mute([](auto&) { return std::string(); });
  auto reply = exchange(*parse_target(mute.address()), {}, millis{5'000});
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error.code, errc::engine_unavailable);
}

TEST(http_client, chunked_and_endless_bodies_are_read_piece_by_piece) {
  fake_server server([](auto&) {
    return std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
  });
  auto target = *parse_target(server.address());
  EXPECT_EQ(exchange(target, {}, millis{5'000})->body, "abcde");
  std::string seen;
  ASSERT_TRUE(stream(target, {}, millis{5'000}, [&](std::string_view piece) { return seen += piece, true; }));
  EXPECT_EQ(seen, "abcde");
  seen.clear();
  ASSERT_TRUE(stream(target, {}, millis{5'000}, [&](std::string_view piece) { return seen += piece, false; }));
  EXPECT_TRUE(std::string("abcde").starts_with(seen) && !seen.empty());
}

/// A machine on which everything is right.
machine_facts healthy() {
  machine_facts f;
  f.is_root = f.has_pidfd = f.sees_namespaces = true;
  f.kernel = "6.1.0-13-amd64";
  f.cgroups = "v2";
  f.open_files = 1024;
  f.open_files_hard = 1'048'576;
  f.max_processes = 4'194'304;
  f.disks = {{"/var/lib", 50ull << 30, 100ull << 30}};
  f.ports = {{"api.listen", "127.0.0.1:8080", "", false}};
  f.engine = "unix:///run/docker.sock";
  f.engine_version = "20.10.24";
  f.engine_api = "1.41";
  f.engine_os = "linux";
  f.live_restore = f.memory_limit = f.cpu_limit = f.pids_limit = true;
  return f;
}

TEST(doctor, a_healthy_machine_has_nothing_to_mend) {
  for (auto& f : judge(healthy()))
    EXPECT_EQ(f.level, finding_level::fine) << f.what << f.detail;
}

struct ailment {
  const char* what;
  finding_level level;
  std::function<void(machine_facts&)> make;
};

TEST(doctor, each_ailment_is_found_alone_with_a_remedy) {
  auto fault = finding_level::fault, warning = finding_level::warning;
  const ailment ailments[] = {
      {"kernel", fault, [](auto& f) { f.kernel = "4.19.0"; }},
      {"kernel", fault, [](auto& f) { f.has_pidfd = false; }},
      {"cgroups", fault, [](auto& f) { f.cgroups = "none"; }},
      {"cgroups", warning, [](auto& f) { f.cgroups = "hybrid"; }},
      {"rights", warning, [](auto& f) { f.is_root = false; }},
      {"rights", fault, [](auto& f) { f.sees_namespaces = false; }},
      {"limits", warning, [](auto& f) { f.open_files_hard = 4096; }},
      {"processes", warning, [](auto& f) { f.max_processes = 32'768; }},
      {"disk", fault, [](auto& f) { f.disks[0].free_bytes = 1 << 20; }},
      {"disk", warning, [](auto& f) { f.disks[0].free_bytes = 2ull << 30; }},
      {"address", fault, [](auto& f) { f.ports[0].problem = "Address already in use"; }},
      {"engine", fault, [](auto& f) { f.engine_problem = "can't reach it"; }},
      {"engine", fault, [](auto& f) { f.engine_api = "1.24"; }},
      {"engine", warning, [](auto& f) { f.engine_api = "1.40"; }},
      {"engine mode", fault, [](auto& f) { f.rootless = true; }},
      {"engine mode", warning, [](auto& f) { f.user_namespaces = true; }},
      {"engine mode", fault, [](auto& f) { f.engine_os = "windows"; }},
      {"live-restore", warning, [](auto& f) { f.live_restore = false; }},
      {"engine limits", fault, [](auto& f) { f.memory_limit = false; }},
      {"engine limits", fault, [](auto& f) { f.pids_limit = false; }},
  };
  for (auto& ailment : ailments) {
    auto facts = healthy();
    ailment.make(facts);
    int found = 0;
    for (auto& f : judge(facts)) {
      if (f.level == finding_level::fine) continue;
      ++found;
      EXPECT_EQ(f.what, ailment.what);
      EXPECT_EQ(f.level, ailment.level) << f.what << f.detail;
      EXPECT_FALSE(f.remedy.empty()) << f.what;
    }
    EXPECT_EQ(found, 1) << ailment.what;
  }
  auto ours = healthy();
  ours.ports[0] = {"api.listen", "127.0.0.1:8080", "Address already in use", true};
  for (auto& f : judge(ours))
    EXPECT_EQ(f.level, finding_level::fine) << f.detail;
}

TEST(doctor, looks_at_this_machine) {
  fake_server engine(
      [](const asked& a) {
        if (a.target == "/version")
          return json_reply(200, R"({"Version":"20.10.24","ApiVersion":"1.41","Os":"linux"})");
        return json_reply(
            200,
            R"({"LiveRestoreEnabled":false,"MemoryLimit":true,"PidsLimit":true,"CpuCfsQuota":true,"SecurityOptions":["name=seccomp,profile=default","name=rootless"],"DockerRootDir":"/"})");
      },
      "/tmp/poseidon-doctor-" + std::to_string(::getpid()) + ".sock");
  fake_server other([](auto&) { return json_reply(404, "{}"); });
  config::settings s;
  s.engine = engine.address();
  s.data = "/nowhere/below/the/root";
  s.api.listen = {*config::parse_listen_address(other.address().substr(7)).value};
  s.edge.listen = {{"127.0.0.1", 0, {}}};
  auto facts = examine(s);
  EXPECT_FALSE(facts.kernel.empty());
  EXPECT_GT(facts.open_files_hard, 0u);
  EXPECT_EQ(facts.engine_problem, "");
  EXPECT_EQ(facts.engine_version, "20.10.24");
  EXPECT_TRUE(facts.rootless);
  EXPECT_EQ(facts.live_restore, false);
  EXPECT_EQ(facts.memory_limit, true);
  ASSERT_EQ(facts.disks.size(), 2u);
  EXPECT_EQ(facts.disks[0].path, "/");
  ASSERT_EQ(facts.ports.size(), 1u);
  EXPECT_THAT(facts.ports[0].problem, HasSubstr("in use"));
  EXPECT_FALSE(facts.ports[0].answered_by_us);
  s.engine = "unix:///nowhere/docker.sock";
  EXPECT_THAT(examine(s).engine_problem, HasSubstr("No such file"));
  EXPECT_EQ(examine(s, engine.address()).engine, s.engine) << "nobody answers here: what a process used is of no use";
  fake_server ours([](auto&) { return json_reply(200, R"({"status":"ok"})"); });
  s.api.listen = {*config::parse_listen_address(ours.address().substr(7)).value};
  EXPECT_EQ(examine(s, engine.address()).engine_problem, "");
}

} // namespace
} // namespace poseidon::cli
