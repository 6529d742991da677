// Administration and operations over real sockets.

#include "test/gateway/gateway_fixture.hpp"

#include <filesystem>

#include <unistd.h>

namespace poseidon::test {

using admin_api = gateway_fixture;
using nlohmann::json;

TEST_F(admin_api, a_key_is_shown_once_works_at_once_and_ends_when_deleted) {
  start();
  auto made = ask("POST", "/v1/keys", {{"scopes", {"read"}}, {"note", "dashboard"}});
  ASSERT_EQ(made.status, 201) << made.body;
  keys["made"] = made.body["key"];
  std::string id = made.body["id"];
  EXPECT_EQ(made.raw.header("location"), "/v1/keys/" + id);
  auto until = std::chrono::steady_clock::now() + std::chrono::seconds{10};
  int status = 0;
  while (status != 200 && std::chrono::steady_clock::now() < until) status = ask("GET", "/v1/instances", nullptr, "made").status;
  EXPECT_EQ(status, 200);
  auto listed = ask("GET", "/v1/keys");
  EXPECT_EQ(listed.raw.body.find(keys["made"]), std::string::npos);
  EXPECT_EQ(listed.body["items"].size(), 5u);
  EXPECT_EQ(ask("DELETE", "/v1/keys/" + id).status, 204);
  while (status == 200 && std::chrono::steady_clock::now() < until) status = ask("GET", "/v1/instances", nullptr, "made").status;
  EXPECT_EQ(status, 401);
  EXPECT_EQ(ask("DELETE", "/v1/keys/" + id).status, 404);
  auto wrong = ask("POST", "/v1/keys", {{"scopes", {"root", "none"}}, {"extra", 1}});
  EXPECT_EQ(wrong.status, 422);
}

TEST_F(admin_api, challenges_show_flags_to_administrators_alone) {
  start();
  auto admin = ask("GET", "/v1/challenges/hello");
  EXPECT_EQ(admin.body["confidential"]["flags"][0], "f{secret}");
  auto reader = ask("GET", "/v1/challenges/hello", nullptr, "platform");
  EXPECT_EQ(reader.status, 200);
  EXPECT_FALSE(reader.body.contains("confidential"));
  EXPECT_EQ(reader.body["metadata"]["category"], "web");
  EXPECT_EQ(ask("GET", "/v1/challenges", nullptr, "read").raw.body.find("f{secret}"), std::string::npos);
  EXPECT_EQ(ask("POST", "/v1/challenges/hello/disable").body["enabled"], false);
  EXPECT_EQ(ask("POST", "/v1/challenges/hello/enable").body["enabled"], true);
  EXPECT_EQ(ask("GET", "/v1/challenges/none").body["code"], "unknown_challenge");
  EXPECT_EQ(ask("POST", "/v1/challenges/hello/enable", nullptr, "platform").status, 403);
  auto report = ask("POST", "/v1/challenges/rescan");
  EXPECT_EQ(report.body["problems"][0]["errors"][0]["path"], "instance.limits.memory");
}

TEST_F(admin_api, nodes_change_their_mode) {
  start();
  EXPECT_EQ(ask("GET", "/v1/nodes").body["items"][0]["state"], "ready");
  EXPECT_EQ(ask("POST", "/v1/nodes/n1/drain").body["state"], "draining");
  EXPECT_EQ(ask("POST", "/v1/nodes/n1/cordon").body["state"], "cordoned");
  EXPECT_EQ(ask("POST", "/v1/nodes/n1/uncordon").body["state"], "ready");
  EXPECT_EQ(ask("POST", "/v1/nodes/n2/drain").status, 404);
  EXPECT_EQ(ask("POST", "/v1/nodes/n2/drain?move=true").status, 404);
  const auto moved = ask("POST", "/v1/nodes/n1/drain?move=true").body;
  EXPECT_EQ(moved["node"]["state"], "draining");
  EXPECT_EQ(moved["moved"], 2);
  EXPECT_EQ(moved["stayed"], 1);
  EXPECT_EQ(moved["why"], "no other node has room");
  EXPECT_EQ(ask("POST", "/v1/nodes/n1/drain?move=perhaps").status, 422);
  EXPECT_EQ(ask("GET", "/v1/nodes/n1", nullptr, "read").body["capacity"]["cpu_millis"], 2000);
}

TEST_F(admin_api, a_drain_tells_its_limit_and_what_is_left) {
  start();
  EXPECT_EQ(ask("GET", "/v1/nodes/n1").body["drain"], nullptr);
  auto drain = ask("POST", "/v1/nodes/n1/drain?limit=30m").body["drain"];
  EXPECT_EQ(drain["limit_ms"], 1'800'000);
  EXPECT_EQ(drain["left"], 0);
  EXPECT_EQ(drain["move"], false);
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{10};
  while (drain["ends_at"].is_null() && std::chrono::steady_clock::now() < until) drain = ask("GET", "/v1/nodes/n1").body["drain"];
  EXPECT_TRUE(drain["ends_at"].is_string()) << "once this gateway has seen the mark";
  for (auto* good : {"1800s", "500ms", "24h", "10"}) EXPECT_EQ(ask("POST", std::string("/v1/nodes/n1/drain?limit=") + good).status, 200) << good;
  for (auto* bad : {"soon", "0", "169h", "-1s", "%20"}) EXPECT_EQ(ask("POST", std::string("/v1/nodes/n1/drain?limit=") + bad).status, 422) << bad;
  drain = ask("POST", "/v1/nodes/n1/drain?limit=60s&move=true").body["node"]["drain"];
  EXPECT_EQ(drain["move"], true);
  EXPECT_EQ(ask("POST", "/v1/nodes/n1/uncordon").body["drain"], nullptr);
}

TEST_F(admin_api, live_settings_change_and_take_effect) {
  start();
  auto find = [](const json& list, const std::string& name) {
    for (auto& item : list["items"])
      if (item["name"] == name) return item;
    return json();
  };
  auto changed = ask("PUT", "/v1/settings", {{"rate.per_minute", 60}, {"rate.burst", 1}, {"limits.per_user", 3}});
  ASSERT_EQ(changed.status, 200) << changed.body;
  auto until = std::chrono::steady_clock::now() + std::chrono::seconds{10};
  json shown;
  while (shown["source"] != "ledger" && std::chrono::steady_clock::now() < until) shown = find(ask("GET", "/v1/settings").body, "rate.burst");
  EXPECT_EQ(shown["value"], "1");
  json alice{{"challenge", "hello"}, {"owner", {{"user", "alice"}}}};
  EXPECT_EQ(ask("POST", "/v1/instances", alice).status, 202);
  EXPECT_EQ(ask("POST", "/v1/instances", alice).status, 429);
  EXPECT_EQ(under_test->model().admin()->limits.per_user, 3u) << "admission judges by the table in the ledger";
  auto wrong = ask("PATCH", "/v1/settings", {{"rate.burst", 5}, {"no.such", 1}, {"data", "/tmp"}, {"limits.queue", "many"}});
  EXPECT_EQ(wrong.status, 422);
  EXPECT_EQ(wrong.body["errors"].size(), 3u) << wrong.body;
  EXPECT_EQ(find(ask("GET", "/v1/settings").body, "rate.burst")["value"], "1") << "all or nothing";
  EXPECT_EQ(ask("PUT", "/v1/settings", {{"rate.burst", nullptr}, {"no.such", nullptr}}).body["errors"].size(), 1u);
  EXPECT_EQ(ask("PUT", "/v1/settings", {{"rate.burst", nullptr}}).status, 200);
}

TEST_F(admin_api, pause_resume_and_gc) {
  start();
  auto paused = ask("POST", "/v1/pause", {{"message", "back at noon"}});
  EXPECT_EQ(paused.body, json({{"paused", true}, {"message", "back at noon"}}));
  EXPECT_EQ(ask("POST", "/v1/pause").status, 200) << "a body is not needed";
  EXPECT_EQ(ask("POST", "/v1/resume").body["paused"], false);
  auto report = ask("POST", "/v1/gc?dry_run=true");
  EXPECT_EQ(report.body, json({{"dry_run", true}, {"removed", {"container x: nobody's"}}, {"kept", {"container y: young"}}}));
}

TEST_F(admin_api, health_needs_no_key_and_readiness_tells_the_reason) {
  start();
  EXPECT_EQ(ask("GET", "/healthz", nullptr, "").status, 200);
  auto ready = ask("GET", "/readyz", nullptr, "");
  EXPECT_EQ(ready.status, 200) << ready.raw.body;
  EXPECT_EQ(ready.body["status"], "ready");
  EXPECT_EQ(ask("GET", "/v1/status", nullptr, "read").body["version"], POSEIDON_VERSION);
}

TEST_F(admin_api, metrics_count_requests_phases_and_states) {
  start();
  started();
  ask("GET", "/v1/instances/none");
  caf::anon_send(under_test->telemetry(), phase_timing{phase::creating, 30});
  auto until = std::chrono::steady_clock::now() + std::chrono::seconds{10};
  std::string text;
  while (text.find("poseidon_phase_seconds_count{phase=\"creating\"} 1") == std::string::npos && std::chrono::steady_clock::now() < until)
    text = ask("GET", "/metrics", nullptr, "metrics").raw.body;
  for (auto line : {"poseidon_http_requests_total{method=\"POST\",route=\"/v1/instances\",status=\"2xx\"} 1",
                    "poseidon_http_requests_total{method=\"GET\",route=\"/v1/instances/{id}\",status=\"4xx\"} 1",
                    "poseidon_instances{state=\"pending\"} 1", "poseidon_ledger_sequence 5", "poseidon_node_capacity{node=\"n1\",resource=\"cpu_millis\"} 2000",
                    "poseidon_phase_seconds_count{phase=\"creating\"} 1", "poseidon_phase_seconds_sum{phase=\"creating\"} 0.03"})
    EXPECT_NE(text.find(line), std::string::npos) << line << "\n" << text;
  EXPECT_EQ(ask("GET", "/metrics", nullptr, "read").status, 403);
}

TEST_F(admin_api, unknown_paths_and_methods_are_problems) {
  start();
  auto missing = ask("GET", "/v1/nothing");
  EXPECT_EQ(missing.status, 404);
  EXPECT_EQ(missing.body["code"], "not_found");
  auto method = ask("PUT", "/v1/instances");
  EXPECT_EQ(method.status, 405);
  EXPECT_EQ(method.raw.header("allow"), "POST, GET, HEAD, DELETE, OPTIONS");
  EXPECT_EQ(ask("GET", "/v1/instances/%zz").status, 400);
  EXPECT_EQ(ask("GET", "/v1/instances?user=%").status, 400);
  EXPECT_EQ(ask("GET", "/v1/instances?colour=red").status, 422);
  auto options = ask("OPTIONS", "/v1/instances", nullptr, "");
  EXPECT_EQ(options.status, 204);
  EXPECT_EQ(options.raw.header("allow"), "POST, GET, HEAD, DELETE, OPTIONS");
  auto head = ask("HEAD", "/v1/instances");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.raw.header("content-length"), std::to_string(ask("GET", "/v1/instances").raw.body.size()));
}

TEST_F(admin_api, oversize_requests_are_problems_too) {
  config.server.limits.body_bytes = 1000;
  config.server.limits.header_bytes = 1000;
  start();
  auto body = ask("POST", "/v1/instances", {{"challenge", std::string(2000, 'x')}});
  EXPECT_EQ(body.status, 413);
  EXPECT_EQ(body.body["code"], "body_too_large");
  auto head = ask("GET", "/v1/instances", nullptr, "admin", {{"X-Long", std::string(2000, 'x')}});
  EXPECT_EQ(head.status, 431);
  EXPECT_EQ(head.body["code"], "header_too_large");
}

TEST_F(admin_api, pages_of_listed_origins_may_read) {
  config.cors_origins = {"https://ctf.example"};
  start();
  auto allowed = ask("GET", "/v1/instances", nullptr, "read", {{"Origin", "https://ctf.example"}});
  EXPECT_EQ(allowed.raw.header("access-control-allow-origin"), "https://ctf.example");
  EXPECT_EQ(allowed.raw.header("vary"), "Origin");
  EXPECT_FALSE(ask("GET", "/v1/instances", nullptr, "read", {{"Origin", "https://evil.example"}}).raw.has("access-control-allow-origin"));
  auto preflight = ask("OPTIONS", "/v1/instances", nullptr, "", {{"Origin", "https://ctf.example"}, {"Access-Control-Request-Method", "POST"}});
  EXPECT_EQ(preflight.status, 204);
  EXPECT_NE(preflight.raw.header("access-control-allow-headers").find("Authorization"), std::string::npos);
  EXPECT_NE(preflight.raw.header("access-control-allow-methods").find("POST"), std::string::npos);
  auto problem = ask("GET", "/v1/instances", nullptr, "", {{"Origin", "https://ctf.example"}});
  EXPECT_EQ(problem.raw.header("access-control-allow-origin"), "https://ctf.example") << "a page may read why";
}

TEST_F(admin_api, the_unix_socket_trusts_its_own_user) {
  auto path = std::filesystem::temp_directory_path() / ("poseidon-api-test-" + std::to_string(::getpid()) + ".sock");
  config.server.listen.push_back("unix:" + path.string());
  start();
  http_client client("unix:" + path.string());
  EXPECT_EQ(client.request("GET", "/v1/keys")->status, 200);
  EXPECT_EQ(client.request("GET", "/v1/keys", {}, {{"Authorization", bearer("read")}})->status, 403);
  auto made = client.request("POST", "/v1/instances", R"({"challenge":"hello","owner":{"user":"alice"}})");
  EXPECT_EQ(made->status, 202);
  EXPECT_EQ(cluster->starts().at(0).actor, "unix:" + std::to_string(::geteuid()));
}

TEST_F(admin_api, the_documentation_is_served) {
  start();
  auto page = ask("GET", "/docs", nullptr, "");
  EXPECT_EQ(page.raw.header("content-type"), "text/html; charset=utf-8");
  EXPECT_NE(page.raw.body.find("/openapi.json"), std::string::npos);
}

} // namespace poseidon::test
