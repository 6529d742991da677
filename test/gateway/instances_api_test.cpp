// The instances of the API, over real sockets, on fake actors.

#include "test/gateway/gateway_fixture.hpp"

#include <future>

namespace poseidon::test {

using instances_api = gateway_fixture;
using nlohmann::json;

TEST_F(instances_api, a_start_is_202_with_location_and_is_read_at_once) {
  start();
  auto made = ask("POST", "/v1/instances", {{"challenge", "hello"}, {"owner", {{"user", 7}}}, {"metadata", {{"round", 2}}}, {"flag", "f{mine}"}}, "platform");
  ASSERT_EQ(made.status, 202) << made.body;
  std::string id = made.body["id"];
  EXPECT_EQ(made.raw.header("location"), "/v1/instances/" + id);
  EXPECT_EQ(made.body["state"], "pending");
  EXPECT_EQ(made.body["owner"]["key"], "user:7");
  EXPECT_EQ(made.raw.body.find("f{mine}"), std::string::npos);
  auto read = ask("GET", "/v1/instances/" + id);
  EXPECT_EQ(read.status, 200);
  EXPECT_EQ(read.body["metadata"], json({{"round", 2}}));
  auto sent = cluster->starts().at(0);
  EXPECT_EQ(sent.flag.reveal(), "f{mine}");
  EXPECT_EQ(sent.actor, "key:platform");
  EXPECT_FALSE(sent.request.empty());
}

TEST_F(instances_api, why_an_instance_is_where_it_is_is_told_to_platforms_of_one_instance) {
  start();
  auto id = started();
  json placement;
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{10};
  while (placement.is_null() && std::chrono::steady_clock::now() < until) placement = ask("GET", "/v1/instances/" + id, nullptr, "platform").body["placement"];
  EXPECT_EQ(placement["node"], "n1");
  EXPECT_EQ(placement["reason"], "the least loaded of 2 that fit");
  EXPECT_EQ(placement["candidates"].size(), 3u);
  EXPECT_EQ(placement["candidates"][2], json({{"node", "n3"}, {"score", nullptr}, {"why_not", "is too small"}}));
  EXPECT_EQ(ask("GET", "/v1/instances/" + id + "?wait=pending&timeout=1s").body["placement"], placement) << "admin, after a wait";
  EXPECT_FALSE(ask("GET", "/v1/instances/" + id, nullptr, "read").body.contains("placement"));
  EXPECT_FALSE(ask("GET", "/v1/instances").body["items"][0].contains("placement"));
  cluster->end({id}, end_reason::stopped);
  ask("GET", "/v1/instances/" + id + "?wait=stopped&timeout=10s");
  EXPECT_EQ(ask("GET", "/v1/instances/" + id).body["placement"], nullptr);
}

TEST_F(instances_api, a_full_queue_is_503_with_the_reason_and_when_to_come_again) {
  start();
  cluster->refuse({errc::queue_full, "1000 are queued already; memory: needs 64 MiB, most free on a node is 0 MiB", 5'000, {}, {}});
  auto refused = ask("POST", "/v1/instances", {{"challenge", "hello"}, {"owner", {{"user", "alice"}}}});
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.body["code"], "queue_full");
  EXPECT_EQ(refused.raw.header("retry-after"), "5");
}

TEST_F(instances_api, a_second_start_of_the_same_owner_is_200_with_the_same_id) {
  start();
  auto id = started();
  auto again = ask("POST", "/v1/instances", {{"challenge", "hello"}, {"owner", {{"user", "alice"}}}});
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(again.body["id"], id);
}

TEST_F(instances_api, an_idempotency_key_is_scoped_to_its_sender) {
  start();
  json body{{"challenge", "hello"}, {"owner", {{"user", "alice"}}}}, other{{"challenge", "hello"}, {"owner", {{"user", "bob"}}}};
  auto first = ask("POST", "/v1/instances", body, "platform", {{"Idempotency-Key", "k-1"}});
  auto second = ask("POST", "/v1/instances", body, "platform", {{"Idempotency-Key", "k-1"}});
  EXPECT_EQ(first.body["id"], second.body["id"]);
  EXPECT_EQ(cluster->starts().at(0).idempotency_key, "key:platform:k-1");
  auto mismatch = ask("POST", "/v1/instances", other, "platform", {{"Idempotency-Key", "k-1"}});
  EXPECT_EQ(mismatch.status, 422);
  EXPECT_EQ(mismatch.body["code"], "idempotency_mismatch");
  EXPECT_EQ(ask("POST", "/v1/instances", other, "admin", {{"Idempotency-Key", "k-1"}}).status, 202);
  EXPECT_EQ(ask("POST", "/v1/instances", other, "admin", {{"Idempotency-Key", "a b"}}).status, 422);
}

TEST_F(instances_api, every_problem_of_a_body_is_told) {
  start();
  auto wrong = ask("POST", "/v1/instances?wait=soon", {{"challenge", "hello"}});
  EXPECT_EQ(wrong.status, 422);
  EXPECT_EQ(wrong.raw.header("content-type"), "application/problem+json");
  EXPECT_EQ(wrong.body["errors"][0]["path"], "wait");
  wrong = ask("POST", "/v1/instances", {{"challenge", "hello"}, {"owner", {{"user", ""}}}, {"colour", "red"}, {"flag", 1}});
  EXPECT_EQ(wrong.body["errors"].size(), 2u) << wrong.body;
  http_client client(url);
  auto bad = client.request("POST", "/v1/instances", "{\"a\":", {{"Authorization", bearer("admin")}});
  EXPECT_EQ(bad->status, 400);
  EXPECT_EQ(json::parse(bad->body)["code"], "invalid_json");
  EXPECT_TRUE(cluster->starts().empty());
}

TEST_F(instances_api, refusals_keep_their_status_and_say_when_to_try_again) {
  start();
  json body{{"challenge", "hello"}, {"owner", {{"user", "alice"}}}};
  cluster->refuse({errc::capacity_exhausted, "no node has 64 MiB of memory", 7'200, {}, {}});
  auto full = ask("POST", "/v1/instances", body);
  EXPECT_EQ(full.status, 503);
  EXPECT_EQ(full.raw.header("retry-after"), "8");
  EXPECT_EQ(full.body["retry_after_ms"], 7'200);
  EXPECT_EQ(full.body["detail"], "no node has 64 MiB of memory");
  cluster->refuse({errc::rebuilding, "", std::nullopt, {}, {}});
  EXPECT_TRUE(ask("POST", "/v1/instances", body).raw.has("retry-after"));
  cluster->refuse({errc::owner_limit_reached, "", std::nullopt, {}, {}});
  auto limit = ask("POST", "/v1/instances", body);
  EXPECT_EQ(limit.status, 409);
  EXPECT_FALSE(limit.raw.has("retry-after"));
  cluster->refuse({});
  EXPECT_EQ(ask("POST", "/v1/instances", {{"challenge", "other"}, {"owner", {{"user", "alice"}}}}).body["code"], "unknown_challenge");
}

TEST_F(instances_api, an_owner_in_a_loop_is_429_and_others_are_not) {
  config.rate = {60, 2};
  start();
  json alice{{"challenge", "hello"}, {"owner", {{"user", "alice"}}}}, bob{{"challenge", "hello"}, {"owner", {{"user", "bob"}}}};
  EXPECT_LT(ask("POST", "/v1/instances", alice).status, 300);
  EXPECT_LT(ask("POST", "/v1/instances", alice).status, 300);
  auto limited = ask("POST", "/v1/instances", alice);
  EXPECT_EQ(limited.status, 429);
  EXPECT_EQ(limited.body["code"], "rate_limited");
  EXPECT_EQ(limited.raw.header("retry-after"), "1");
  EXPECT_EQ(cluster->starts().size(), 2u) << "refused before anybody was asked";
  EXPECT_EQ(ask("POST", "/v1/instances", bob).status, 202);
  clock->advance(millis{1'000});
  EXPECT_EQ(ask("POST", "/v1/instances", alice).status, 200);
}

TEST_F(instances_api, inline_specs_need_admin_or_the_setting) {
  start();
  json body{{"spec", {{"image", "poseidon-test/busybox"}, {"ports", {{{"port", 8000}}}}}}, {"owner", {{"user", "alice"}}}};
  EXPECT_EQ(ask("POST", "/v1/instances", body, "platform").status, 403);
  auto made = ask("POST", "/v1/instances", body, "admin");
  ASSERT_EQ(made.status, 202) << made.body;
  EXPECT_EQ(made.body["challenge"], nullptr);
  EXPECT_EQ(cluster->starts().at(0).inline_spec->services.at(0).image, "poseidon-test/busybox");
  body["spec"]["colour"] = "red";
  auto wrong = ask("POST", "/v1/instances", body, "admin");
  EXPECT_EQ(wrong.status, 422);
  EXPECT_EQ(wrong.body["errors"][0]["path"], "spec.colour");
}

TEST_F(instances_api, a_start_may_wait_until_it_runs) {
  start();
  auto made = std::async(std::launch::async, [this] {
    return ask("POST", "/v1/instances?wait=running&timeout=20s", {{"challenge", "hello"}, {"owner", {{"user", "alice"}}}});
  });
  auto until = std::chrono::steady_clock::now() + std::chrono::seconds{10};
  while (cluster->starts().empty() && std::chrono::steady_clock::now() < until) std::this_thread::yield();
  while (!cluster->row({"i5"}) && std::chrono::steady_clock::now() < until) std::this_thread::yield();
  cluster->run({"i5"});
  auto answer = made.get();
  EXPECT_EQ(answer.status, 202);
  EXPECT_EQ(answer.body["state"], "running");
  EXPECT_EQ(answer.body["expires_at"], to_rfc3339(sample_time + millis{1'800'000}));
}

TEST_F(instances_api, a_wait_that_runs_out_is_200_with_the_state_so_far) {
  start();
  auto id = started();
  auto waited = ask("GET", "/v1/instances/" + id + "?wait=running&timeout=50ms");
  EXPECT_EQ(waited.status, 200);
  EXPECT_EQ(waited.body["state"], "pending");
}

TEST_F(instances_api, a_wait_ends_at_once_when_the_state_can_not_come) {
  start();
  auto id = started();
  auto waited = std::async(std::launch::async, [&] { return ask("GET", "/v1/instances/" + id + "?wait=running&timeout=20s"); });
  cluster->end({id}, end_reason::failed, {errc::image_missing, "no such image", std::nullopt, {}, {}});
  auto answer = waited.get();
  EXPECT_EQ(answer.body["state"], "failed");
  EXPECT_EQ(answer.body["failure"]["code"], "image_missing");
  EXPECT_EQ(ask("GET", "/v1/instances/" + id + "?wait=ended").body["state"], "failed") << "ended ones stay readable";
}

TEST_F(instances_api, stop_is_202_then_200) {
  start();
  auto id = started();
  auto first = ask("DELETE", "/v1/instances/" + id + "?reason=solved", nullptr, "platform");
  EXPECT_EQ(first.status, 202);
  EXPECT_EQ(first.body["state"], "stopping");
  EXPECT_EQ(first.body["reason"], "solved");
  EXPECT_EQ(ask("DELETE", "/v1/instances/" + id).status, 200);
  cluster->end({id}, end_reason::solved);
  ask("GET", "/v1/instances/" + id + "?wait=ended");
  auto after = ask("DELETE", "/v1/instances/" + id);
  EXPECT_EQ(after.status, 200);
  EXPECT_EQ(after.body["state"], "stopped");
  EXPECT_EQ(ask("DELETE", "/v1/instances/" + id + "?reason=lost").status, 422);
  EXPECT_EQ(ask("DELETE", "/v1/instances/nothing").status, 404);
}

TEST_F(instances_api, many_are_stopped_at_once_but_never_all_by_accident) {
  start();
  for (int i = 0; i < 200; ++i) started("u" + std::to_string(i));
  EXPECT_EQ(ask("DELETE", "/v1/instances").status, 422);
  EXPECT_EQ(ask("DELETE", "/v1/instances?all=true&user=u1").status, 422);
  EXPECT_EQ(ask("DELETE", "/v1/instances?user=u1").body["stopping"], 1);
  auto all = ask("DELETE", "/v1/instances?challenge=hello&reason=evicted");
  EXPECT_EQ(all.status, 202);
  EXPECT_EQ(all.body["stopping"], 200);
  EXPECT_EQ(all.body["failed"].size(), 0u);
  auto listed = ask("GET", "/v1/instances?state=stopping&limit=1000");
  EXPECT_EQ(listed.body["items"].size(), 200u);
}

TEST_F(instances_api, lists_are_pages) {
  start();
  for (int i = 0; i < 5; ++i) started("u" + std::to_string(i));
  auto first = ask("GET", "/v1/instances?limit=3");
  EXPECT_EQ(first.body["items"].size(), 3u);
  auto rest = ask("GET", "/v1/instances?limit=3&cursor=" + first.body["next"].get<std::string>());
  EXPECT_EQ(rest.body["items"].size(), 2u);
  EXPECT_EQ(rest.body["next"], nullptr);
  EXPECT_EQ(ask("GET", "/v1/instances?cursor=odd").status, 422);
  EXPECT_EQ(ask("GET", "/v1/instances?limit=1001").status, 422);
  EXPECT_EQ(ask("GET", "/v1/instances?user=u3").body["items"].size(), 1u);
  EXPECT_EQ(ask("GET", "/v1/instances?state=running,expired").body["items"].size(), 0u);
}

TEST_F(instances_api, extend_and_reset_answer_with_the_instance) {
  start();
  auto id = started();
  cluster->run({id});
  ask("GET", "/v1/instances/" + id + "?wait=running");
  auto extended = ask("POST", "/v1/instances/" + id + "/extend", nullptr, "platform");
  EXPECT_EQ(extended.status, 200);
  EXPECT_EQ(extended.body["expires_at"], to_rfc3339(sample_time + millis{2'400'000}));
  auto url_before = extended.body["url"];
  auto reset = ask("POST", "/v1/instances/" + id + "/reset", nullptr, "platform");
  EXPECT_EQ(reset.status, 200);
  EXPECT_EQ(reset.body["url"], url_before);
  cluster->refuse({errc::extension_refused, "the next is allowed at 12:00", 60'000, {}, {}});
  auto refused = ask("POST", "/v1/instances/" + id + "/extend");
  EXPECT_EQ(refused.status, 409);
  EXPECT_EQ(refused.body["code"], "extension_refused");
}

TEST_F(instances_api, logs_are_text_and_can_be_followed) {
  start();
  auto id = started();
  auto text = ask("GET", "/v1/instances/" + id + "/logs?tail=10");
  EXPECT_EQ(text.raw.header("content-type"), "text/plain; charset=utf-8");
  EXPECT_EQ(text.raw.body, "hello from the container\n");
  auto following = stream("/v1/instances/" + id + "/logs?follow=true");
  EXPECT_EQ(following->receive_chunk(), "hello from the container\n");
  cluster->set_logs("hello from the container\nmore\n");
  EXPECT_EQ(following->receive_chunk(), "more\n");
  cluster->set_logs("hello from the container\nmore\nlast words\n");
  cluster->end({id}, end_reason::stopped);
  EXPECT_EQ(following->receive_chunk(), "last words\n");
  EXPECT_FALSE(following->receive_chunk());
}

TEST_F(instances_api, a_client_that_does_not_read_holds_up_the_source_and_costs_a_window) {
  start();
  auto id = started();
  std::string lines;
  for (int i = 0; lines.size() < (24u << 20); ++i) lines += "line " + std::to_string(i) + " of what a container has to say\n";
  cluster->set_logs(lines);
  auto following = stream("/v1/instances/" + id + "/logs?follow=true");
  auto until = std::chrono::steady_clock::now() + std::chrono::seconds{20};
  std::size_t before = 0; // it comes to rest when sockets and window are full
  for (auto sent = cluster->most_sent(); sent == 0 || sent != before; sent = cluster->most_sent()) {
    ASSERT_LT(std::chrono::steady_clock::now(), until);
    before = sent;
    ask("GET", "/v1/instances/" + id); // time passes
  }
  EXPECT_LT(before, 16u << 20);
  std::string got;
  while (got.size() < lines.size()) {
    auto piece = following->receive_chunk();
    ASSERT_TRUE(piece) << got.size();
    got += *piece;
  }
  EXPECT_TRUE(got == lines);
  following.reset();
  while (cluster->open_streams() > 0) ASSERT_LT(std::chrono::steady_clock::now(), until) << "a client that leaves closes the stream";
}

TEST_F(instances_api, a_log_that_breaks_off_says_so) {
  start();
  auto id = started();
  auto following = stream("/v1/instances/" + id + "/logs?follow=true");
  EXPECT_EQ(following->receive_chunk(), "hello from the container\n");
  cluster->end_streams({errc::unknown_outcome, "what came after piece 1 was lost on the bus", std::nullopt, {}, {}});
  EXPECT_EQ(following->receive_chunk(), "\nposeidon: the log breaks off here: what came after piece 1 was lost on the bus\n");
  EXPECT_FALSE(following->receive_chunk());
}

TEST_F(instances_api, a_reset_is_followed_into_the_new_container) {
  start();
  auto id = started();
  auto following = stream("/v1/instances/" + id + "/logs?follow=true");
  EXPECT_EQ(following->receive_chunk(), "hello from the container\n");
  cluster->set_logs("");
  EXPECT_EQ(ask("POST", "/v1/instances/" + id + "/reset").status, 200);
  cluster->end_streams({errc::instance_ended, "the container is gone", std::nullopt, {}, {}});
  cluster->set_logs("hello again\n");
  EXPECT_EQ(following->receive_chunk(), "hello again\n");
  cluster->end({id}, end_reason::stopped);
  EXPECT_FALSE(following->receive_chunk());
}

TEST_F(instances_api, what_was_kept_of_an_ended_instance_is_sent_and_ends) {
  start();
  auto id = started();
  cluster->end({id}, end_reason::stopped);
  auto following = stream("/v1/instances/" + id + "/logs?follow=true");
  EXPECT_EQ(following->receive_chunk(), "hello from the container\n");
  EXPECT_FALSE(following->receive_chunk());
}

TEST_F(instances_api, a_dead_scheduler_is_a_definite_answer) {
  config.request_timeout = millis{200};
  start();
  cluster->kill_scheduler();
  auto answer = ask("POST", "/v1/instances", {{"challenge", "hello"}, {"owner", {{"user", "alice"}}}});
  EXPECT_EQ(answer.status, 504);
  EXPECT_EQ(answer.body["code"], "unknown_outcome");
  EXPECT_EQ(ask("GET", "/v1/instances").status, 200) << "reads ask nobody";
}

TEST_F(instances_api, scopes_are_enforced) {
  start();
  auto id = started();
  json body{{"challenge", "hello"}, {"owner", {{"user", "x"}}}};
  EXPECT_EQ(ask("POST", "/v1/instances", body, "read").status, 403);
  EXPECT_EQ(ask("GET", "/v1/instances", nullptr, "read").status, 200);
  EXPECT_EQ(ask("GET", "/v1/instances", nullptr, "metrics").status, 403);
  EXPECT_EQ(ask("GET", "/v1/keys", nullptr, "platform").status, 403);
  auto none = ask("GET", "/v1/instances", nullptr, "");
  EXPECT_EQ(none.status, 401);
  EXPECT_EQ(none.raw.header("www-authenticate"), "Bearer");
}

} // namespace poseidon::test
