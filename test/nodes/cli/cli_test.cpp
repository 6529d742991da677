// The command line against a fake server: what it asks, what it prints, how it ends.

#include "nodes/cli/cli.hpp"
#include "test/support/source_folder.hpp"
#include "test/nodes/cli/fake_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace poseidon::cli {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

const wall_time noon = *from_rfc3339("2026-01-31T12:00:00Z");

struct result {
  int code = 0;
  std::string out, err;
};

/// Runs the program against an address; the clock stands at noon unless `step` moves it on every look.
result run(const std::vector<std::string>& arguments, const std::string& address = "http://127.0.0.1:1",
           std::map<std::string, std::string> environment = {}, millis step = millis{0}) {
  ::setenv("TZ", "UTC", 1);
  ::tzset();
  std::ostringstream out, err;
  surroundings around;
  around.environment = std::move(environment);
  if (!address.empty()) around.environment.emplace("POSEIDON_ADDR", address);
  around.environment.emplace("POSEIDON_DATA", "/nowhere/poseidon");
  around.environment.emplace("POSEIDON_KEY", "psk_test_0123456789abcdef");
  around.host_name = "box";
  around.version = "1.2.3";
  auto now = std::make_shared<wall_time>(noon);
  around.now = [now, step] { return *now = *now + step; };
  result r;
  r.code = run_cli(arguments, around, out, err);
  r.out = out.str();
  r.err = err.str();
  return r;
}

json instance(const std::string& state, const std::string& id = "abc") {
  return {{"id", id},
          {"challenge", "hello"},
          {"owner", {{"key", "user:alice"}, {"user", "alice"}, {"team", nullptr}}},
          {"state", state},
          {"reason", nullptr},
          {"failure", nullptr},
          {"url", "http://0123.localhost:8081/"},
          {"connection_info", "http://0123.localhost:8081/"},
          {"node", "box"},
          {"created_at", "2026-01-31T11:59:00.000Z"},
          {"expires_at", state == "running" ? json("2026-01-31T12:12:30.000Z") : json(nullptr)},
          {"ended_at", state == "stopped" ? json("2026-01-31T11:00:00.000Z") : json(nullptr)},
          {"extension", {{"allowed", false}, {"next_at", "2026-01-31T12:06:00.000Z"}, {"reason", "too early"}}},
          {"progress", state == "pending" ? json{{"phase", "pulling"}, {"percent", 43}} : json(nullptr)},
          {"queue", nullptr}};
}

std::string problem(int status, const std::string& code, json more = json::object()) {
  json body{
      {"title", "it went wrong"}, {"status", status}, {"code", code}, {"detail", "because"}, {"errors", json::array()}};
  body.update(more);
  return json_reply(status, body.dump());
}

TEST(cli, start_sends_owner_and_challenge_and_shows_the_instance) {
  fake_server server([](auto&) { return json_reply(202, instance("running").dump()); });
  auto r = run({"start", "hello", "--user", "alice", "-t", "blue", "--user-name", "Alice", "--flag", "f", "--metadata",
                R"({"a":1})", "--idempotency-key", "k1"},
               server.address());
  EXPECT_EQ(r.code, 0) << r.err;
  auto asked = server.requests().at(0);
  EXPECT_EQ(asked.method + " " + asked.target, "POST /v1/instances");
  EXPECT_EQ(
      json::parse(asked.body),
      json::parse(
          R"({"challenge":"hello","owner":{"user":"alice","team":"blue","user_name":"Alice"},"flag":"f","metadata":{"a":1}})"));
  EXPECT_THAT(asked.head, HasSubstr("Authorization: Bearer psk_test_0123456789abcdef\r\n"));
  EXPECT_THAT(asked.head, HasSubstr("Idempotency-Key: k1\r\n"));
  EXPECT_THAT(asked.head, HasSubstr("Content-Type: application/json\r\n"));
  EXPECT_THAT(r.out, HasSubstr("http://0123.localhost:8081/"));
  EXPECT_THAT(r.out, HasSubstr("12:12:30 (in 12 min)"));
  EXPECT_THAT(r.out, HasSubstr("too early, from 12:06:00 (in 6 min)"));
}

TEST(cli, start_takes_an_inline_spec_from_a_file) {
  auto file = std::filesystem::temp_directory_path() / ("poseidon-spec-" + std::to_string(::getpid()));
  std::ofstream(file) << R"({"image": "a"})";
  fake_server server([](auto&) { return json_reply(202, instance("pending").dump()); });
  auto r = run({"start", "--spec", file.string(), "-u", "alice"}, server.address());
  EXPECT_EQ(r.code, 0) << r.err;
  EXPECT_EQ(json::parse(server.requests().at(0).body)["spec"], json({{"image", "a"}}));
  std::ofstream(file) << "{";
  EXPECT_EQ(run({"start", "--spec", file.string(), "-u", "alice"}, server.address()).code, wrong_usage);
  std::filesystem::remove(file);
  EXPECT_EQ(run({"start", "--spec", file.string(), "-u", "alice"}, server.address()).code, wrong_usage);
  EXPECT_EQ(run({"start", "-u", "alice"}, server.address()).code, wrong_usage);
}

TEST(cli, waiting_shows_progress_and_ends_with_the_state) {
  std::atomic<int> looks = 0;
  fake_server server([&](const asked& a) {
    if (a.method == "POST") return json_reply(202, instance("pending").dump());
    return json_reply(200, instance(++looks < 3 ? "pending" : "running").dump());
  });
  auto r = run({"start", "hello", "-u", "alice", "--wait", "--timeout", "60s"}, server.address());
  EXPECT_EQ(r.code, 0) << r.err;
  EXPECT_EQ(looks, 3);
  EXPECT_THAT(server.requests().at(1).target, HasSubstr("/v1/instances/abc?wait=running&timeout="));
  EXPECT_THAT(r.err, HasSubstr("pulling 43 %"));
  EXPECT_THAT(r.out, HasSubstr("state      running"));
  EXPECT_EQ(run({"start", "hello", "-u", "alice", "--wait", "-q"}, server.address()).err, "");
}

TEST(cli, a_wait_that_fails_or_runs_out_has_its_own_code) {
  auto failed = instance("failed");
  failed["failure"] = {{"code", "exited_at_start"}, {"detail", "it ended"}, {"log_tail", "the reason"}};
  fake_server server(
      [&](const asked& a) { return json_reply(200, a.method == "POST" ? instance("pending").dump() : failed.dump()); });
  auto r = run({"start", "hello", "-u", "alice", "--wait"}, server.address());
  EXPECT_EQ(r.code, start_failed);
  EXPECT_THAT(r.out, HasSubstr("exited_at_start: it ended"));
  EXPECT_THAT(r.out, HasSubstr("the reason"));
  fake_server slow([](auto&) { return json_reply(200, instance("pending").dump()); });
  EXPECT_EQ(run({"show", "abc", "--wait", "--timeout", "10s"}, slow.address(), {}, millis{1000}).code, ran_out);
  EXPECT_EQ(run({"show", "abc", "--wait", "--timeout", "10"}, slow.address()).code, wrong_usage);
}

TEST(cli, show_says_why_an_instance_is_where_it_is) {
  fake_server server([](auto&) {
    auto placed = instance("running");
    placed["placement"] = {{"node", "n1"},
                           {"reason", "the least loaded of 2 that fit"},
                           {"candidates",
                            {{{"node", "n1"}, {"score", 1000}, {"why_not", nullptr}},
                             {{"node", "n2"}, {"score", 1200}, {"why_not", nullptr}},
                             {{"node", "n3"}, {"score", nullptr}, {"why_not", "has no label gpu=yes"}}}}};
    return json_reply(200, placed.dump());
  });
  auto r = run({"show", "abc"}, server.address());
  EXPECT_EQ(r.code, 0) << r.err;
  EXPECT_THAT(r.out, HasSubstr("the least loaded of 2 that fit\n"));
  EXPECT_THAT(r.out, HasSubstr("n2 fits as well (score 200 more), n3 has no label gpu=yes\n"));
}

TEST(cli, show_says_how_long_the_queue_may_take) {
  fake_server server([](auto&) {
    auto queued = instance("queued");
    queued["queue"] = {{"position", 3}, {"eta_ms", 120'000}};
    return json_reply(200, queued.dump());
  });
  EXPECT_THAT(run({"show", "abc"}, server.address()).out, HasSubstr("3, in about 2 min\n"));
}

TEST(cli, nodes_ls_shows_how_far_a_drain_has_come) {
  std::string drain;
  fake_server server([&drain](auto&) {
    return json_reply(200, R"({"items":[{"name":"box","state":"draining","instances":3,"drain":)" + drain + R"(}],"next":null})");
  });
  const auto shown = [&](std::string text) {
    drain = std::move(text);
    return run({"nodes", "ls"}, server.address()).out;
  };
  EXPECT_THAT(shown(R"({"left":3,"limit_ms":900000,"ends_at":")" + to_rfc3339(noon + millis{720'000}) + R"("})"), HasSubstr("draining, 3 left, 12 min"));
  EXPECT_THAT(shown(R"({"left":3,"limit_ms":1800000,"ends_at":null})"), HasSubstr("draining, 3 left, limit 30 min"));
  EXPECT_THAT(shown(R"({"left":2,"limit_ms":null,"ends_at":null})"), testing::AllOf(HasSubstr("draining, 2 left"), Not(HasSubstr("limit"))));
  EXPECT_THAT(shown(R"({"left":0,"limit_ms":900000,"ends_at":null})"), HasSubstr("draining, empty"));
}

TEST(cli, ps_lists_live_ones_over_all_pages) {
  fake_server server([](const asked& a) {
    bool second = a.target.find("cursor=n%2F2") != std::string::npos;
    json items = second ? json::array({instance("running", "two")})
                        : json::array({instance("running", "one"), instance("stopped", "old")});
    return json_reply(200, json{{"items", items}, {"next", second ? json(nullptr) : json("n/2")}}.dump());
  });
  auto r = run({"ps", "--user", "alice&x", "--challenge", "hello"}, server.address());
  EXPECT_EQ(r.code, 0) << r.err;
  EXPECT_EQ(server.requests().at(0).target, "/v1/instances?user=alice%26x&challenge=hello");
  EXPECT_EQ(r.out, "ID   CHALLENGE  OWNER       STATE    ENDS                  NODE  URL\n"
                   "one  hello      user:alice  running  12:12:30 (in 12 min)  box   http://0123.localhost:8081/\n"
                   "two  hello      user:alice  running  12:12:30 (in 12 min)  box   http://0123.localhost:8081/\n");
  EXPECT_THAT(run({"ps", "-a"}, server.address()).out, HasSubstr("stopped  11:00:00 (1 h ago)"));
  EXPECT_EQ(run({"ps", "-q"}, server.address()).out, "one\ntwo\n");
  auto all = json::parse(run({"ps", "--json", "--all"}, server.address()).out);
  EXPECT_EQ(all["items"].size(), 3u);
  EXPECT_EQ(json::parse(run({"--json", "ps"}, server.address()).out)["items"].size(), 2u);
}

TEST(cli, one_instance_at_a_time) {
  fake_server server([](auto&) { return json_reply(200, instance("running").dump()); });
  for (auto [arguments, expected] : {std::pair(std::vector<std::string>{"show", "a/b"}, "GET /v1/instances/a%2Fb"),
                                     {{"extend", "abc"}, "POST /v1/instances/abc/extend"},
                                     {{"reset", "abc"}, "POST /v1/instances/abc/reset"},
                                     {{"stop", "abc"}, "DELETE /v1/instances/abc"},
                                     {{"stop", "abc", "--reason", "solved"}, "DELETE /v1/instances/abc?reason=solved"},
                                     {{"stop", "--challenge", "hello"}, "DELETE /v1/instances?challenge=hello"},
                                     {{"stop", "--team", "a b"}, "DELETE /v1/instances?team=a%20b"},
                                     {{"stop", "--all"}, "DELETE /v1/instances?all=true"}}) {
    auto before = server.requests().size();
    auto r = run(arguments, server.address());
    EXPECT_EQ(r.code, 0) << expected << r.err;
    ASSERT_EQ(server.requests().size(), before + 1);
    EXPECT_EQ(server.requests().back().method + " " + server.requests().back().target, expected);
  }
  EXPECT_EQ(run({"stop"}, server.address()).code, wrong_usage);
  EXPECT_EQ(run({"stop", "abc", "--all"}, server.address()).code, wrong_usage);
  EXPECT_EQ(run({"stop", "--all", "--team", "x"}, server.address()).code, wrong_usage);
}

TEST(cli, stopping_many_tells_what_would_not_stop) {
  fake_server server([](auto&) {
    json failed = json::array({{{"id", "b"}, {"code", "engine_timeout"}, {"detail", "no answer"}}});
    return json_reply(
        202,
        json{{"items", {instance("stopping", "a")}}, {"next", nullptr}, {"stopping", 1}, {"failed", failed}}.dump());
  });
  auto r = run({"stop", "--all"}, server.address());
  EXPECT_EQ(r.code, refused);
  EXPECT_EQ(r.out, "stopping 1 instance\n");
  EXPECT_EQ(r.err, "error: b: no answer (engine_timeout)\n");
}

TEST(cli, stop_goes_on_after_one_that_is_unknown) {
  fake_server server([](const asked& a) {
    return a.target.ends_with("/b") ? problem(404, "unknown_instance") : json_reply(202, instance("stopping").dump());
  });
  auto r = run({"stop", "a", "b", "c"}, server.address());
  EXPECT_EQ(r.code, not_found);
  EXPECT_EQ(server.requests().size(), 3u);
  EXPECT_EQ(r.out, "a  stopping\nc  stopping\n");
}

TEST(cli, problems_are_told_with_everything_in_them) {
  fake_server server([](const asked& a) {
    if (a.target.ends_with("/401")) return problem(401, "unauthenticated");
    if (a.target.ends_with("/404")) return problem(404, "unknown_instance");
    if (a.target.ends_with("/html")) return std::string("HTTP/1.1 502 Bad\r\nContent-Length: 5\r\n\r\nsorry");
    if (a.target.ends_with("/text")) return json_reply(200, "hello");
    return problem(422, "invalid_field",
                   {{"errors", {{{"path", "owner.user"}, {"detail", "is missing"}}}},
                    {"log_tail", "line"},
                    {"retry_after_ms", 900'000}});
  });
  auto r = run({"show", "x"}, server.address());
  EXPECT_EQ(r.code, refused);
  EXPECT_EQ(r.out, "");
  for (auto expected :
       {"error: it went wrong (invalid_field)", "  because\n", "  owner.user: is missing", "line", "it may succeed in 15 min"})
    EXPECT_THAT(r.err, HasSubstr(expected));
  EXPECT_EQ(json::parse(run({"show", "x", "--json"}, server.address()).err)["code"], "invalid_field");
  EXPECT_EQ(run({"show", "401"}, server.address()).code, not_allowed);
  EXPECT_EQ(run({"show", "404"}, server.address()).code, not_found);
  EXPECT_EQ(run({"show", "html"}, server.address()).code, refused);
  EXPECT_THAT(run({"show", "text"}, server.address()).err, HasSubstr("no JSON"));
}

TEST(cli, no_server_has_its_own_code_and_words) {
  std::string address;
  {
    fake_server server([](auto&) { return json_reply(200, "{}"); });
    address = server.address();
  }
  auto r = run({"ps"}, address);
  EXPECT_EQ(r.code, unreachable);
  EXPECT_THAT(r.err, HasSubstr("can't reach " + address + ": Connection refused; is Poseidon running there?"));
  EXPECT_EQ(run({"ps"}, "unix:/nowhere.sock").code, unreachable);
  EXPECT_EQ(run({"ps"}, "https://poseidon.example").code, wrong_usage);
  EXPECT_EQ(run({"ps"}, "ftp://x/y").code, wrong_usage);
}

/// A directory of its own.
class in_a_folder : public testing::Test {
protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "poseidon-cli-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    dir = name;
  }
  void TearDown() override { std::filesystem::remove_all(dir); }
  void put(const std::string& file, const std::string& text) {
    std::filesystem::create_directories((dir / file).parent_path());
    std::ofstream(dir / file) << text;
  }
  std::filesystem::path dir;
};

TEST_F(in_a_folder, address_and_key_come_from_data) {
  fake_server server([](auto&) { return json_reply(200, R"({"items":[],"next":null})"); });
  put("data/admin.key", "psk_file_secret\n");
  put("data/api.address", server.address() + "\n");
  auto data = (dir / "data").string();
  EXPECT_EQ(run({"ps"}, "", {{"POSEIDON_DATA", data}, {"POSEIDON_KEY", ""}}).code, 0);
  EXPECT_THAT(server.requests().at(0).head, HasSubstr("Bearer psk_file_secret\r\n"));
  EXPECT_EQ(run({"--data", data, "ps"}, "", {{"POSEIDON_KEY", ""}}).code, 0);
  EXPECT_THAT(server.requests().at(1).head, HasSubstr("Bearer psk_file_secret\r\n"));
  EXPECT_EQ(run({"ps", "--address", server.address(), "--key", "psk_flag"}).code, 0);
  EXPECT_THAT(server.requests().at(2).head, HasSubstr("Bearer psk_flag\r\n"));
}

TEST_F(in_a_folder, a_unix_socket_of_the_settings_is_found) {
  auto socket = (dir / "api.sock").string();
  fake_server server([](auto&) { return json_reply(200, R"({"items":[],"next":null})"); }, socket);
  put("poseidon.yml", "data: " + dir.string() + "\napi: {listen: ['127.0.0.1:1', 'unix:" + socket + "']}\n");
  auto r = run({"ps", "--config", (dir / "poseidon.yml").string()}, "");
  EXPECT_EQ(r.code, 0) << r.err;
  EXPECT_EQ(server.requests().size(), 1u);
  EXPECT_THAT(server.requests().at(0).head, HasSubstr("Host: localhost\r\n"));
}

TEST(cli, logs_whole_and_followed) {
  fake_server server([](const asked& a) {
    return a.target.find("follow") == std::string::npos ? stream_reply("text/plain", "one\ntwo\n")
                                                        : stream_reply("text/plain", "live\n");
  });
  EXPECT_EQ(run({"logs", "abc"}, server.address()).out, "one\ntwo\n");
  EXPECT_EQ(run({"logs", "-f", "abc"}, server.address()).out, "live\n");
  EXPECT_EQ(server.requests().at(1).target, "/v1/instances/abc/logs?follow=true");
  fake_server broken([](auto&) { return problem(404, "not_captured"); });
  EXPECT_EQ(run({"logs", "-f", "abc"}, broken.address()).code, not_found);
}

std::string sse(const std::string& id, const std::string& type, const json& data) {
  return "id: " + id + "\nevent: " + type + "\ndata: " + data.dump() + "\n\n";
}

TEST(cli, events_resume_after_a_cut_and_end_with_the_instance) {
  std::atomic<int> connections = 0;
  fake_server server([&](const asked&) {
    json event{{"id", "1-7"},         {"at", "2026-01-31T11:59:59Z"},    {"type", "instance.running"},
               {"actor", "node:box"}, {"instance", instance("running")}, {"detail", json::object()}};
    if (++connections == 1)
      return stream_reply("text/event-stream", ": hello\n\n" + sse("1-7", "instance.running", event));
    event["type"] = "instance.stopped";
    event["instance"] = instance("stopped");
    return stream_reply("text/event-stream", sse("1-9", "instance.stopped", event) + sse("1-10", "never", event));
  });
  auto r = run({"events", "abc", "--since", "1-5"}, server.address());
  EXPECT_EQ(r.code, 0) << r.err;
  EXPECT_THAT(server.requests().at(0).head, HasSubstr("Last-Event-ID: 1-5\r\n"));
  EXPECT_THAT(server.requests().at(1).head, HasSubstr("Last-Event-ID: 1-7\r\n"));
  EXPECT_THAT(r.out, HasSubstr("11:59:59  instance.running  abc  hello  user:alice  node:box\n"));
  EXPECT_THAT(r.out, HasSubstr("instance.stopped"));
  EXPECT_EQ(connections, 2);
  connections = 0;
  auto one = run({"events", "--count", "1", "--json"}, server.address());
  EXPECT_EQ(json::parse(one.out)["id"], "1-7");
}

TEST(cli, administration) {
  fake_server server([](const asked& a) {
    if (a.target == "/v1/keys" && a.method == "POST")
      return json_reply(201, R"({"id":"k1","scopes":["read"],"key":"psk_k1_hidden"})");
    if (a.target == "/v1/keys")
      return json_reply(
          200,
          R"({"items":[{"id":"k1","scopes":["read","metrics"],"note":"bot","created_at":"2026-01-31T11:00:00Z"}],"next":null})");
    if (a.target == "/v1/nodes")
      return json_reply(
          200,
          R"({"items":[{"name":"box","state":"ready","instances":3,"capacity":{"memory_bytes":4294967296,"cpu_millis":2000},)"
          R"("reserved":{"memory_bytes":50331648,"cpu_millis":150},"up_at":"1-4","load":{"cpu_permille":123,"memory_permille":400},"silent_ms":0,"trouble":"no engine"}],"next":null})");
    if (a.target.starts_with("/v1/gc")) return json_reply(200, R"({"removed":["container x: no instance"],"kept":[]})");
    if (a.target == "/v1/challenges")
      return json_reply(
          200,
          R"({"items":[{"id":"hello","metadata":{"name":"Hello"},"enabled":true,"live_instances":2,"lifetime_ms":1800000,"revision":"sha256:0123456789abcdef"}],"next":null})");
    if (a.target == "/v1/challenges/rescan")
      return json_reply(
          200,
          R"({"challenges":2,"problems":[{"folder":"x","challenge":null,"errors":[{"path":"image","detail":"names no image"}]}]})");
    if (a.method == "DELETE") return std::string("HTTP/1.1 204 No\r\n\r\n");
    return json_reply(200, "{}");
  });
  auto asked_for = [&](const std::vector<std::string>& arguments, const std::string& request, const std::string& shown,
                       int code = 0) {
    auto r = run(arguments, server.address());
    EXPECT_EQ(r.code, code) << request << r.err;
    auto last = server.requests().back();
    EXPECT_EQ(last.method + " " + last.target + (last.body.empty() ? "" : " " + last.body), request);
    EXPECT_THAT(r.out, HasSubstr(shown));
  };
  asked_for({"nodes", "ls"}, "GET /v1/nodes",
            "box   ready  3          48 MiB of 4 GiB  0.1 of 2.0  cpu 12 %, memory 40 %  no engine");
  asked_for({"nodes", "drain", "box"}, "POST /v1/nodes/box/drain", "box  draining");
  asked_for({"nodes", "drain", "box", "--limit", "30m", "--move"}, "POST /v1/nodes/box/drain?move=true&limit=1800s", "box  draining");
  asked_for({"nodes", "drain", "box", "--limit", "1500ms"}, "POST /v1/nodes/box/drain?limit=1500ms", "box  draining");
  EXPECT_EQ(run({"nodes", "drain", "box", "--limit", "soon"}, server.address()).code, wrong_usage);
  asked_for({"nodes", "cordon", "box"}, "POST /v1/nodes/box/cordon", "box  cordoned");
  asked_for({"nodes", "uncordon", "box"}, "POST /v1/nodes/box/uncordon", "box  ready");
  asked_for({"keys", "list"}, "GET /v1/keys", "k1  read,metrics  bot   11:00:00 (1 h ago)");
  asked_for({"keys", "create", "--scope", "read", "--note", "bot"}, R"(POST /v1/keys {"note":"bot","scopes":["read"]})",
            "psk_k1_hidden\n");
  asked_for({"keys", "create"}, R"(POST /v1/keys {"note":"","scopes":["platform"]})", "psk_k1_hidden\n");
  asked_for({"keys", "delete", "k1"}, "DELETE /v1/keys/k1", "k1  deleted");
  asked_for({"pause", "-m", "back soon"}, R"(POST /v1/pause {"message":"back soon"})", "paused");
  asked_for({"resume"}, "POST /v1/resume", "resumed");
  asked_for({"gc", "--dry-run"}, "POST /v1/gc?dry_run=true", "would remove container x: no instance");
  asked_for({"gc"}, "POST /v1/gc", "removed container x: no instance");
  asked_for({"challenges", "list"}, "GET /v1/challenges", "hello  Hello  enabled  2     30 min    sha256:0123456789ab");
  asked_for({"challenges", "show", "hello"}, "GET /v1/challenges/hello", "{}");
  asked_for({"challenges", "disable", "hello"}, "POST /v1/challenges/hello/disable", "hello  disabled");
  asked_for({"challenges", "enable", "hello"}, "POST /v1/challenges/hello/enable", "hello  enabled");
  asked_for({"challenges", "rescan"}, "POST /v1/challenges/rescan", "x: image: names no image", refused);
  asked_for({"config", "set", "limits.per_owner", "3"}, R"(PATCH /v1/settings {"limits.per_owner":3})",
            "limits.per_owner = 3");
  asked_for({"config", "set", "placement.cpu", "40%"}, R"(PATCH /v1/settings {"placement.cpu":"40%"})", "");
}

TEST_F(in_a_folder, lint_tells_every_problem) {
  put("good/challenge.yml", "image: a");
  put("bad/challenge.yml", "image: a\ninstance: {lifetme: 5m, limits: {cpu: 1}}");
  put("static/challenge.yml", "name: x");
  auto r = run({"challenges", "lint", dir.string()});
  EXPECT_EQ(r.code, refused);
  EXPECT_THAT(r.out, HasSubstr("bad: instance.lifetme: unknown key; did you mean lifetime?\n"));
  EXPECT_THAT(r.out, HasSubstr("bad: instance.limits.cpu: unknown key"));
  EXPECT_THAT(r.out, HasSubstr("1 challenge is fine, 1 not\n"));
  EXPECT_EQ(json::parse(run({"challenges", "lint", dir.string(), "--json"}).out)["items"].size(), 2u);
  EXPECT_EQ(run({"challenges", "lint", poseidon::test::source_folder() + "/config/examples/challenges"}).code, 0);
  EXPECT_EQ(run({"challenges", "lint", (dir / "nowhere").string()}).code, refused);
}

TEST_F(in_a_folder, settings_are_listed_with_their_source) {
  put("poseidon.yml", "edge: {domain: ctf.example}\n");
  auto file = (dir / "poseidon.yml").string();
  auto r = run({"config", "--config", file}, "", {{"POSEIDON_LOG_LEVEL", "debug"}});
  EXPECT_EQ(r.code, 0) << r.err;
  EXPECT_THAT(r.out, testing::ContainsRegex("edge.domain +ctf.example +file +localhost\n"));
  EXPECT_THAT(r.out, testing::ContainsRegex("log.level +debug +environment +info\n"));
  EXPECT_EQ(run({"config", "get", "edge.domain", "--config", file}).out, "ctf.example\n");
  EXPECT_EQ(run({"config", "get", "edge.domian"}).code, not_found);
  EXPECT_GT(json::parse(run({"config", "--json"}).out)["items"].size(), 50u);
  put("poseidon.yml", "edge: {domian: x}\n");
  auto wrong = run({"config", "--config", file});
  EXPECT_EQ(wrong.code, wrong_usage);
  EXPECT_THAT(wrong.err, HasSubstr("error: edge.domian: unknown setting; did you mean edge.domain?"));
  EXPECT_EQ(run({"config", "--config", (dir / "nowhere").string()}).code, wrong_usage);
  EXPECT_THAT(run({"config", "--example"}).out, HasSubstr("#domain: localhost"));
}

TEST(cli, help_and_wrong_usage) {
  auto help = run({"--help"});
  EXPECT_EQ(help.code, 0);
  for (auto command :
       {"serve", "start", "ps",     "show",  "logs",   "extend", "reset",  "stop",    "events",     "challenges",
        "nodes", "keys",  "config", "pause", "resume", "gc",     "doctor", "version", "completion", "Exit codes:"})
    EXPECT_THAT(help.out, HasSubstr(command));
  EXPECT_THAT(run({"stop", "--help"}).out, HasSubstr("--challenge"));
  EXPECT_EQ(run({}).code, wrong_usage);
  auto typo = run({"strat", "hello"});
  EXPECT_EQ(typo.code, wrong_usage);
  EXPECT_THAT(typo.err, HasSubstr("error: there is no command 'strat'; did you mean start?"));
  EXPECT_THAT(run({"frobnicate"}).err, HasSubstr("error: there is no command 'frobnicate'\n"));
  EXPECT_EQ(run({"start", "hello"}).code, wrong_usage);
  EXPECT_EQ(run({"ps", "--nonsense"}).code, wrong_usage);
  EXPECT_THAT(run({"serve", "--help"}).out, HasSubstr("--stop-instances-on-exit"));
  EXPECT_EQ(run({"version"}).out, "poseidon 1.2.3\n");
  EXPECT_EQ(run({"version", "--short"}).out, "1.2.3\n");
  EXPECT_EQ(json::parse(run({"version", "--json"}).out)["version"], "1.2.3");
  EXPECT_EQ(run({"--version"}).out, "poseidon 1.2.3\n");
}

TEST(cli, a_stranger_s_text_does_not_reach_the_terminal_raw) {
  auto evil = instance("running", "\x1b[31mred");
  fake_server server([&](auto&) { return json_reply(200, json{{"items", {evil}}, {"next", nullptr}}.dump()); });
  EXPECT_THAT(run({"ps"}, server.address()).out, Not(HasSubstr("\x1b")));
}

TEST_F(in_a_folder, completion_scripts_complete) {
  for (auto shell : {"bash", "zsh", "fish"})
    EXPECT_THAT(run({"completion", shell}).out, HasSubstr("challenge"));
  EXPECT_EQ(run({"completion", "tcsh"}).code, wrong_usage);
  put("complete.bash", run({"completion", "bash"}).out + R"(
complete_words() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _poseidon; echo "${COMPREPLY[@]}"; }
complete_words poseidon re
complete_words poseidon nodes d
complete_words poseidon start --us
complete_words poseidon --json challenges li
)");
  auto output = (dir / "output").string();
  ASSERT_EQ(std::system(("bash " + (dir / "complete.bash").string() + " > " + output).c_str()), 0);
  std::ifstream in(output);
  std::string text((std::istreambuf_iterator<char>(in)), {});
  EXPECT_EQ(text, "reset resume restore\ndrain\n--user --user-name\nlist lint\n");
}

} // namespace
} // namespace poseidon::cli
