#include "nodes/notifier/webhook_form.hpp"

#include "messages/digest.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace poseidon {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

delivery_attempt attempt_of(const json& event, std::uint32_t number = 1) {
  auto what = std::make_shared<notification>();
  what->id = event.value("id", "1-1");
  what->type = event.value("type", "instance.running");
  what->body = event.dump();
  return {7, what, number};
}

json running() {
  return {{"id", "1-9"},
          {"at", "2026-01-31T12:00:00.250Z"},
          {"type", "instance.running"},
          {"actor", "node:n1"},
          {"detail", json::object()},
          {"instance",
           {{"id", "abc"},
            {"challenge", "web_1"},
            {"owner", {{"key", "user:al"}, {"user", "al"}, {"team", nullptr}, {"user_name", "Al @everyone"}, {"team_name", nullptr}}},
            {"state", "running"},
            {"reason", nullptr},
            {"failure", nullptr},
            {"url", "http://x.localhost:8081/"},
            {"node", "n1"},
            {"ended_at", nullptr},
            {"expires_at", "2026-01-31T13:00:00Z"}}}};
}

json embed_of(const json& event) {
  const auto message = json::parse(discord_request_of(attempt_of(event)).body);
  EXPECT_EQ(message["embeds"].size(), 1u);
  return message["embeds"][0];
}

std::string field_of(const json& embed, const std::string& name) {
  for (auto& field : embed["fields"])
    if (field["name"] == name) return field["value"];
  return {};
}

TEST(addresses, are_taken_apart) {
  auto a = parse_webhook_address("https://ctf.example/hooks/p?room=1");
  ASSERT_TRUE(a);
  EXPECT_TRUE(a->secure);
  EXPECT_EQ(a->host, "ctf.example");
  EXPECT_EQ(a->port, "443");
  EXPECT_EQ(a->target, "/hooks/p?room=1");
  EXPECT_EQ(a->authority(), "ctf.example");
  a = parse_webhook_address("http://[::1]:8443");
  ASSERT_TRUE(a);
  EXPECT_FALSE(a->secure);
  EXPECT_EQ(a->host, "::1");
  EXPECT_EQ(a->port, "8443");
  EXPECT_EQ(a->target, "/");
  EXPECT_EQ(a->authority(), "[::1]:8443");
  a = parse_webhook_address("http://h?x");
  ASSERT_TRUE(a);
  EXPECT_EQ(a->target, "/?x");
  for (auto wrong : {"", "ftp://h/", "https://", "https://:443/", "https://h:0/", "https://h:99999/", "https://h:x/"})
    EXPECT_FALSE(parse_webhook_address(wrong)) << wrong;
}

TEST(addresses, of_a_clouds_own_are_forbidden) {
  for (auto address : {"169.254.169.254", "169.254.0.1", "::ffff:169.254.169.254", "fe80::1", "febf::1", "fd00:ec2::254"})
    EXPECT_TRUE(is_forbidden_address(address)) << address;
  for (auto address : {"127.0.0.1", "10.0.0.1", "169.253.1.1", "::1", "fec0::1", "2001:db8::1", "fd00::1"}) EXPECT_FALSE(is_forbidden_address(address)) << address;
}

TEST(retry_after, is_read_in_seconds) {
  EXPECT_EQ(parse_retry_after("2"), millis{2'000});
  EXPECT_EQ(parse_retry_after(" 0.25 "), millis{250});
  EXPECT_EQ(parse_retry_after("0"), millis{0});
  for (auto wrong : {"", "soon", "-1", "nan", "1e300", "Wed, 21 Oct 2015 07:28:00 GMT"}) EXPECT_EQ(parse_retry_after(wrong), std::nullopt) << wrong;
}

TEST(webhooks, carry_the_event_as_it_is_and_a_signature_that_others_can_check) {
  const auto what = attempt_of(running(), 3);
  const auto request = webhook_request_of(what, secret{"0123456789abcdef"}, {1'767'225'600'999});
  EXPECT_EQ(request.body, what.what->body);
  std::map<std::string, std::string> headers(request.headers.begin(), request.headers.end());
  EXPECT_EQ(headers["Content-Type"], "application/json");
  EXPECT_EQ(headers["Poseidon-Event-Id"], "1-9");
  EXPECT_EQ(headers["Poseidon-Event-Type"], "instance.running");
  EXPECT_EQ(headers["Poseidon-Delivery-Attempt"], "3");
  EXPECT_EQ(headers["Poseidon-Signature"], "t=1767225600,v1=" + to_hex(hmac_sha256("0123456789abcdef", "1767225600." + request.body)));
  // A known answer, worked out with another implementation (Python's hmac).
  EXPECT_EQ(sign_webhook(secret{"0123456789abcdef"}, {1'767'225'600'000}, "{}"),
            "t=1767225600,v1=99902517b3069f78750aa0520b0493482454c2d30a579c7acc839f3363ca1b88");
}

TEST(discord, shows_what_people_ask_for) {
  const auto embed = embed_of(running());
  EXPECT_EQ(embed["title"], "web\\_1 running");
  EXPECT_EQ(embed["timestamp"], "2026-01-31T12:00:00.250Z");
  EXPECT_EQ(embed["url"], "http://x.localhost:8081/");
  EXPECT_EQ(field_of(embed, "URL"), "http://x.localhost:8081/");
  EXPECT_EQ(field_of(embed, "Owner"), "Al \\@everyone");
  EXPECT_EQ(field_of(embed, "Node"), "n1");
  EXPECT_EQ(field_of(embed, "Expires"), "<t:1769864400:R>");
  EXPECT_EQ(embed["footer"]["text"], "abc");
  const auto message = json::parse(discord_request_of(attempt_of(running())).body);
  EXPECT_EQ(message["allowed_mentions"], (json{{"parse", json::array()}})) << "nobody is called by what a player wrote";
}

TEST(discord, shows_a_failure_with_its_log_and_no_url_of_what_has_ended) {
  auto event = running();
  event["type"] = "instance.failed";
  event["instance"]["ended_at"] = "2026-01-31T12:00:00Z";
  event["instance"]["reason"] = "failed";
  event["instance"]["failure"] = {{"code", "exited_at_start"}, {"detail", "exit code 3"}, {"log_tail", "no ``` way out"}};
  const auto embed = embed_of(event);
  EXPECT_EQ(embed["title"], "web\\_1 failed");
  EXPECT_EQ(embed["color"], 0xe74c3c);
  EXPECT_THAT(field_of(embed, "Failure"), HasSubstr("exited_at_start: exit code 3\n```\nno ''' way out\n```"));
  EXPECT_EQ(field_of(embed, "Reason"), "failed");
  EXPECT_EQ(field_of(embed, "URL"), "");
  EXPECT_FALSE(embed.contains("url"));
}

TEST(discord, keeps_to_its_limits_whatever_it_is_sent) {
  auto event = running();
  event["type"] = "instance.failed";
  event["instance"]["challenge"] = std::string(300, 'c');
  event["instance"]["owner"]["user_name"] = std::string(2'000, '\xc3');
  event["instance"]["failure"] = {{"code", "x"}, {"detail", std::string(3'000, 'd')}, {"log_tail", std::string(3'000, 'l')}};
  delivery_attempt what = attempt_of(running());
  auto raw = std::make_shared<notification>(*what.what);
  raw->type = "instance.failed";
  raw->body = event.dump(-1, ' ', false, json::error_handler_t::replace);
  what.what = raw;
  const auto embed = json::parse(discord_request_of(what).body)["embeds"][0];
  EXPECT_LE(embed["title"].get<std::string>().size(), 256u);
  for (auto& field : embed["fields"]) EXPECT_LE(field["value"].get<std::string>().size(), 1024u);
}

TEST(discord, takes_events_of_no_instance_and_nonsense) {
  const auto embed = embed_of({{"id", "1-2"}, {"type", "node.lost"}, {"instance", nullptr}, {"detail", {{"node", "n1"}}}});
  EXPECT_EQ(embed["title"], "node.lost");
  EXPECT_THAT(embed["description"].get<std::string>(), HasSubstr("n1"));
  auto what = attempt_of(running());
  auto broken = std::make_shared<notification>(*what.what);
  for (auto body : {"", "[]", "{\"instance\":5}", "{\"instance\":{\"owner\":null,\"failure\":[]}}", "{\"instance\":{\"owner\":{\"user\":5}}}"}) {
    broken->body = body;
    what.what = broken;
    EXPECT_EQ(json::parse(discord_request_of(what).body)["embeds"].size(), 1u) << body;
  }
}

} // namespace
} // namespace poseidon
