#include "gateway/render.hpp"

#include "test/gateway/samples.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace poseidon::gateway {

using namespace poseidon::test;
using nlohmann::json;

namespace {

const url_rules urls{"", "http", 8081, "http://127.0.0.1:8080"};

json rendered(const instance_row& row, wall_time now = sample_time, live_details live = {}) {
  instance_item item;
  item.row = shared(row);
  item.live = std::move(live);
  item.watch_token = "tok";
  return json::parse(render_instance(item, urls, now));
}

} // namespace

TEST(render, a_running_instance_has_the_documented_shape) {
  auto j = rendered(running(sample_row("abc", 5), 7), sample_time + millis{60'000});
  EXPECT_EQ(j["id"], "abc");
  EXPECT_EQ(j["challenge"], "hello");
  EXPECT_EQ(j["revision"], "sha256:abc");
  EXPECT_EQ(j["owner"], json::parse(R"({"key":"user:alice","user":"alice","team":null,"user_name":null,"team_name":null})"));
  EXPECT_EQ(j["state"], "running");
  EXPECT_EQ(j["reason"], nullptr);
  EXPECT_EQ(j["failure"], nullptr);
  EXPECT_EQ(j["url"], "http://0123456789abcdef0123.localhost:8081/");
  EXPECT_EQ(j["host"], "0123456789abcdef0123.localhost");
  EXPECT_EQ(j["connection_info"], j["url"]);
  EXPECT_EQ(j["endpoints"][0], json({{"name", "web"}, {"protocol", "http"}, {"host", j["host"]}, {"port", 8081}, {"url", j["url"]}}));
  EXPECT_EQ(j["watch_url"], "http://127.0.0.1:8080/v1/watch/abc?token=tok");
  EXPECT_EQ(j["node"], "n1");
  EXPECT_EQ(j["metadata"], json({{"round", 1}}));
  EXPECT_EQ(j["created_at"], "2027-01-15T08:00:00.000Z");
  EXPECT_EQ(j["remaining_ms"], 1'740'000);
  EXPECT_EQ(j["progress"], nullptr);
  EXPECT_EQ(j["queue"], nullptr);
}

TEST(render, no_secret_is_ever_in_it) {
  auto row = running(sample_row("abc", 5), 7);
  row.flag.bytes = "sealed-flag";
  EXPECT_EQ(rendered(row).dump().find("sealed-flag"), std::string::npos);
}

TEST(render, pending_shows_the_phase_and_why) {
  auto row = assigned(sample_row("abc", 5), 6);
  EXPECT_EQ(rendered(row)["progress"]["phase"], "assigned");
  auto j = rendered(row, sample_time, {phase::pulling, 43, "no edge on this machine"});
  EXPECT_EQ(j["state"], "pending");
  EXPECT_EQ(j["progress"], json({{"phase", "pulling"}, {"percent", 43}, {"note", "no edge on this machine"}}));
  EXPECT_EQ(j["remaining_ms"], nullptr);
}

TEST(render, a_queued_one_tells_its_place) {
  instance_item item;
  item.row = shared(sample_row("abc", 5));
  item.queue_position = 3;
  item.queue_served_at = sample_time + millis{1'200};
  auto j = json::parse(render_instance(item, urls, sample_time));
  EXPECT_EQ(j["state"], "queued");
  EXPECT_EQ(j["queue"], json({{"position", 3}, {"eta_ms", 1200}}));
  EXPECT_EQ(j["node"], nullptr);
}

TEST(render, the_wait_is_the_sooner_of_deadlines_and_of_the_rate_of_late) {
  instance_item item;
  item.row = shared(sample_row("abc", 5));
  item.queue_position = 4;
  EXPECT_EQ(queue_eta_ms(item, sample_time), std::nullopt);
  item.releases = release_rate{1, sample_time, sample_time};
  EXPECT_EQ(queue_eta_ms(item, sample_time + millis{1'000}), std::nullopt) << "one is no rate";
  item.releases = release_rate{10, sample_time, sample_time + millis{50'000}};
  EXPECT_EQ(queue_eta_ms(item, sample_time + millis{60'000}), 24'000) << "one in six seconds";
  EXPECT_EQ(queue_eta_ms(item, sample_time + millis{120'000}), 48'000) << "silence since makes it slower";
  EXPECT_EQ(queue_eta_ms(item, sample_time + millis{360'000}), std::nullopt) << "too long ago";
  item.queue_served_at = sample_time + millis{70'000};
  EXPECT_EQ(queue_eta_ms(item, sample_time + millis{60'000}), 10'000);
  EXPECT_EQ(queue_eta_ms(item, sample_time + millis{100'000}), 0);
}

TEST(render, an_explained_one_says_why_it_is_where_it_is) {
  instance_item item;
  item.row = shared(assigned(sample_row("abc", 5), 6));
  EXPECT_FALSE(json::parse(render_instance(item, urls, sample_time)).contains("placement"));
  item.explained = true;
  EXPECT_EQ(json::parse(render_instance(item, urls, sample_time))["placement"], nullptr);
  item.placement = placement_decision{{"abc"}, {"n1"}, "the only node that is ready and fits", {{{"n1"}, 5, {}}, {{"n2"}, 0, "is lost"}}};
  EXPECT_EQ(json::parse(render_instance(item, urls, sample_time))["placement"],
            json::parse(R"({"node":"n1","reason":"the only node that is ready and fits","candidates":[{"node":"n1","score":5,"why_not":null},)"
                        R"({"node":"n2","score":null,"why_not":"is lost"}]})"));
}

TEST(render, an_ended_one_tells_why_and_has_no_watch_url) {
  auto row = ended(running(sample_row("abc", 5), 7), 9, end_reason::failed);
  row.why = std::make_shared<const failure>(failure{errc::exited_at_start, "exit code 1", std::nullopt, {}, "boom\n"});
  auto j = rendered(row);
  EXPECT_EQ(j["state"], "failed");
  EXPECT_EQ(j["reason"], "failed");
  EXPECT_EQ(j["failure"], json({{"code", "exited_at_start"}, {"detail", "exit code 1"}, {"log_tail", "boom\n"}}));
  EXPECT_EQ(j["watch_url"], nullptr);
  EXPECT_EQ(j["remaining_ms"], nullptr);
}

TEST(render, a_stop_mark_shows_as_stopping_with_its_reason) {
  auto row = running(sample_row("abc", 5), 7);
  row.stop_mark = end_reason::solved;
  auto j = rendered(row);
  EXPECT_EQ(j["state"], "stopping");
  EXPECT_EQ(j["reason"], "solved");
  EXPECT_EQ(j["progress"]["phase"], "stopping");
}

TEST(render, extensions_say_when_and_why_not) {
  auto row = running(sample_row("abc", 5), 7);
  auto early = extension_of(row, sample_time + millis{899'999}); // half of the half hour has to have passed
  EXPECT_FALSE(early.allowed);
  EXPECT_EQ(early.next_at, sample_time + millis{900'000});
  EXPECT_EQ(early.remaining_ms, 1'800'000);
  EXPECT_FALSE(early.reason.empty());
  EXPECT_TRUE(extension_of(row, sample_time + millis{900'000}).allowed);
  row.extensions_used_ms = 1'800'000;
  auto used = extension_of(row, sample_time + millis{1'000'000});
  EXPECT_FALSE(used.allowed);
  EXPECT_EQ(used.remaining_ms, 0);
  EXPECT_FALSE(used.next_at);
  EXPECT_FALSE(extension_of(sample_row("q", 1), sample_time).allowed);
  instance_spec none = *row.spec;
  none.extension = {};
  row.spec = std::make_shared<const instance_spec>(none);
  EXPECT_FALSE(extension_of(row, sample_time + millis{1'700'000}).allowed);
}

TEST(render, urls_follow_the_template_or_the_edge) {
  EXPECT_EQ(instance_url({"", "http", 80, ""}, "a.localhost"), "http://a.localhost/");
  EXPECT_EQ(instance_url({"", "https", 8443, ""}, "a.ctf.example"), "https://a.ctf.example:8443/");
  url_rules behind_proxy{"https://{label}.ctf.example", "http", 8081, ""};
  EXPECT_EQ(instance_url(behind_proxy, "a.localhost"), "https://a.ctf.example/");
  EXPECT_EQ(instance_port(behind_proxy), 443);
  EXPECT_EQ(instance_port({"http://{label}.x:8000", "http", 1, ""}), 8000);
  EXPECT_EQ(instance_url(behind_proxy, ""), "");
}

TEST(render, a_problem_is_rfc_9457) {
  failure why{errc::capacity_exhausted, "no node has 64 MiB of memory left", 5'000, {{"spec.limits.memory", "too much"}}, {}};
  auto j = json::parse(render_problem(why));
  EXPECT_EQ(j["type"], "urn:poseidon:error:capacity_exhausted");
  EXPECT_EQ(j["status"], 503);
  EXPECT_EQ(j["code"], "capacity_exhausted");
  EXPECT_EQ(j["detail"], why.detail);
  EXPECT_EQ(j["retry_after_ms"], 5'000);
  EXPECT_EQ(j["errors"][0]["path"], "spec.limits.memory");
  for (auto& row : all_errors()) {
    auto each = json::parse(render_problem({row.code, "", std::nullopt, {}, {}}));
    EXPECT_EQ(each["status"], row.http_status);
    EXPECT_EQ(each["title"], row.title);
  }
}

TEST(render, challenges_show_secrets_only_when_given) {
  challenge_row challenge;
  challenge.id = {"hello"};
  challenge.revision = "sha256:1";
  challenge.spec = sample_spec();
  challenge.metadata = R"({"category":"web"})";
  std::string text, hidden = R"({"flags":["f{x}"]})";
  json_writer out(text);
  write_challenge(out, challenge, nullptr, 2);
  auto j = json::parse(text);
  EXPECT_FALSE(j.contains("confidential"));
  EXPECT_EQ(j["metadata"]["category"], "web");
  EXPECT_EQ(j["live_instances"], 2);
  EXPECT_EQ(j["services"][0]["ports"][0]["port"], 8000);
  text.clear();
  json_writer again(text);
  write_challenge(again, challenge, &hidden, 0);
  EXPECT_EQ(json::parse(text)["confidential"]["flags"][0], "f{x}");
}

} // namespace poseidon::gateway
