#include "gateway/body.hpp"

#include <gtest/gtest.h>

namespace poseidon::gateway {

namespace {

http_request with_body(std::string body, std::string_view type = "application/json") {
  http_request request;
  request.method = http_method::post;
  request.body = std::move(body);
  if (!type.empty()) request.headers = {{"Content-Type", type}};
  return request;
}

outcome<start_request> start(std::string body) {
  auto json = read_body(with_body(std::move(body)));
  if (!json) return std::move(json.error);
  return read_start(*json);
}

std::vector<std::string> paths(const failure& why) {
  std::vector<std::string> result;
  for (auto& e : why.errors) result.push_back(e.path);
  std::sort(result.begin(), result.end());
  return result;
}

} // namespace

TEST(body, a_start_is_read) {
  auto read = start(R"({"challenge":"hello","owner":{"user":7,"team":"blue","user_name":"Zoë"},"metadata":{"a":[1]},"flag":"f{x}"})");
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->owner.user, "7");
  EXPECT_EQ(read->owner.team, "blue");
  EXPECT_EQ(read->owner.user_name, "Zoë");
  EXPECT_EQ(read->challenge.value, "hello");
  EXPECT_EQ(read->metadata, R"({"a":[1]})");
  EXPECT_EQ(read->flag.reveal(), "f{x}");
  EXPECT_TRUE(read->spec.is_null());
}

TEST(body, the_digest_is_of_what_is_meant_not_of_how_it_is_written) {
  auto a = start(R"({"challenge":"hello","owner":{"user":"x"}})"), b = start(R"( {"owner": {"user": "x"}, "challenge": "hello"} )");
  auto other = start(R"({"challenge":"hello","owner":{"user":"y"}})");
  ASSERT_TRUE(a.ok() && b.ok() && other.ok());
  EXPECT_EQ(a->digest, b->digest);
  EXPECT_NE(a->digest, other->digest);
}

TEST(body, every_problem_is_told_at_once) {
  auto read = start(R"({"challenge":true,"owner":{"user":{},"name":"x"},"extra":1,"flag":5})");
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error.code, errc::invalid_field);
  EXPECT_EQ(paths(read.error), (std::vector<std::string>{"challenge", "extra", "flag", "owner.name", "owner.user"}));
  auto rules = start(R"({"owner":{"user":"","team":"a\nb"},"metadata":[1]})");
  ASSERT_FALSE(rules.ok());
  EXPECT_EQ(paths(rules.error), (std::vector<std::string>{"challenge", "metadata", "owner.team", "owner.user"}));
}

TEST(body, either_challenge_or_spec) {
  EXPECT_FALSE(start(R"({"challenge":"a","spec":{"image":"x"},"owner":{"user":"u"}})").ok());
  EXPECT_TRUE(start(R"({"spec":{"image":"x"},"owner":{"user":"u"}})").ok());
  EXPECT_EQ(paths(start(R"({"challenge":"a"})").error), std::vector<std::string>{"owner"});
}

TEST(body, what_is_no_json_object_is_refused_with_words) {
  EXPECT_EQ(read_body(with_body("{")).error.code, errc::invalid_json);
  EXPECT_EQ(read_body(with_body("[]")).error.code, errc::invalid_field);
  EXPECT_EQ(read_body(with_body("")).error.code, errc::invalid_json);
  EXPECT_TRUE(read_body(with_body(""), true).ok());
  EXPECT_EQ(read_body(with_body("{}", "text/plain")).error.code, errc::unsupported_media_type);
  EXPECT_TRUE(read_body(with_body("{}", "application/JSON; charset=utf-8")).ok());
  EXPECT_TRUE(read_body(with_body("{}", "")).ok());
  EXPECT_EQ(read_body(with_body("{\"a\":\"\xff\"}")).error.code, errc::invalid_json);
  EXPECT_EQ(read_body(with_body(std::string(10'000, '['))).error.code, errc::invalid_json);
}

TEST(body, sizes_are_bounded) {
  EXPECT_FALSE(start(R"({"challenge":"a","owner":{"user":")" + std::string(257, 'u') + R"("}})").ok());
  EXPECT_FALSE(start(R"({"challenge":"a","owner":{"user":"u"},"metadata":{"x":")" + std::string(17'000, 'm') + R"("}})").ok());
  EXPECT_FALSE(start(R"({"challenge":"a","owner":{"user":"u"},"flag":")" + std::string(5'000, 'f') + R"("})").ok());
}

TEST(query, problems_are_collected) {
  http_request request;
  parse_target("/x?limit=0&state=running,odd&colour=red&wait=soon&timeout=never&all=perhaps", request);
  query_reader query(request);
  query.number("limit", 100, 1, 1000);
  EXPECT_EQ(query.words<instance_state>("state"), std::vector<instance_state>{instance_state::running});
  query.wait(millis{60'000});
  query.flag("all");
  auto wrong = query.finish();
  ASSERT_TRUE(wrong);
  EXPECT_EQ(paths(*wrong), (std::vector<std::string>{"all", "colour", "limit", "state", "timeout", "wait"}));
}

TEST(query, spans_are_read) {
  EXPECT_EQ(parse_span("30s"), millis{30'000});
  EXPECT_EQ(parse_span("500ms"), millis{500});
  EXPECT_EQ(parse_span("2m"), millis{120'000});
  EXPECT_EQ(parse_span("1h"), millis{3'600'000});
  EXPECT_EQ(parse_span("5"), millis{5'000});
  for (auto bad : {"", "s", "-1s", "1d", "99999999999999s", "3 s"}) EXPECT_FALSE(parse_span(bad)) << bad;
}

TEST(query, a_wait_is_over_when_the_state_is_there_or_can_not_come) {
  http_request request;
  parse_target("/x?wait=running&timeout=90s", request);
  query_reader query(request);
  auto wait = query.wait(millis{60'000});
  EXPECT_EQ(wait.timeout, millis{60'000});
  instance_row row;
  EXPECT_FALSE(wait.satisfied(row));
  row.phase = ledger_phase::assigned;
  EXPECT_FALSE(wait.satisfied(row));
  row.phase = ledger_phase::running;
  EXPECT_TRUE(wait.satisfied(row));
  row.phase = ledger_phase::stopping;
  EXPECT_TRUE(wait.satisfied(row));
  row.phase = ledger_phase::ended;
  EXPECT_TRUE(wait.satisfied(row));
  wait_request ended{std::nullopt, true, millis{1}};
  EXPECT_TRUE(ended.satisfied(row));
  row.phase = ledger_phase::stopping;
  EXPECT_FALSE(ended.satisfied(row));
}

} // namespace poseidon::gateway
