#include "messages/json.hpp"

#include "messages/journal.hpp"

#include <gtest/gtest.h>

namespace poseidon {
namespace {

using nlohmann::json;

TEST(json, tells_every_problem_at_once_with_its_path) {
  auto in = json::parse(R"({"services": [{"name": 5, "ports": [{"port": 70000, "protocol": "udp"}], "colour": "red"}],
                            "lifetime_ms": 1.5, "restart": null, "reserve": []})");
  auto read = from_json<instance_spec>(in, "spec");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error.code, errc::invalid_field);
  std::map<std::string, std::string> found;
  for (auto& p : read.error.errors) found[p.path] = p.detail;
  EXPECT_EQ(found.size(), 7u);
  EXPECT_EQ(found["spec.services[0].name"], "expected a string, not a value of type number");
  EXPECT_EQ(found["spec.services[0].ports[0].port"], "expected an integer from 0 to 65535");
  EXPECT_EQ(found["spec.services[0].ports[0].protocol"], "expected one of http tcp tls_passthrough");
  EXPECT_EQ(found["spec.services[0].colour"], "unknown key");
  EXPECT_EQ(found["spec.lifetime_ms"], "expected an integer, not a value of type number");
  EXPECT_EQ(found["spec.restart"], "expected one of no on_failure always, not null");
  EXPECT_EQ(found["spec.reserve"], "expected an object, not a value of type array");
}

TEST(json, ids_are_strings_and_integers_are_accepted) {
  EXPECT_EQ(from_json<instance_id>(json(17))->value, "17");
  EXPECT_EQ(from_json<instance_id>(json("x"))->value, "x");
  EXPECT_FALSE(from_json<instance_id>(json(1.5)));
}

TEST(json, secrets_never_show) {
  journal_record r;
  r.flag = secret{"flag{hidden}"};
  EXPECT_EQ(to_json(r)["flag"], "***");
  EXPECT_EQ(dump_json(to_json(r)).find("hidden"), std::string::npos);
  EXPECT_EQ(to_json(secret{}), "");
}

TEST(json, text_that_is_not_utf8_is_replaced) {
  log_chunk chunk;
  chunk.text = "\xff\xfe ok";
  EXPECT_NE(dump_json(to_json(chunk)).find(" ok"), std::string::npos);
}

TEST(json, enumerators_lose_their_trailing_underscore) {
  EXPECT_EQ(to_json(security_mode::default_), "default");
  EXPECT_EQ(*from_json<security_mode>(json("default")), security_mode::default_);
  EXPECT_FALSE(from_json<security_mode>(json("default_")));
}

TEST(parse_json, refuses_what_is_too_deep_or_malformed) {
  EXPECT_TRUE(parse_json(R"({"a": "[[[[[["})", 2));
  EXPECT_FALSE(parse_json("[[[]]]", 2));
  EXPECT_FALSE(parse_json(std::string(1'000'000, '[')));
  for (auto* bad : {"", "{", "[1,]", "{} {}", "\"\xff\"", "nul", "// x\n1"}) {
    auto read = parse_json(bad);
    ASSERT_FALSE(read) << bad;
    EXPECT_EQ(read.error.code, errc::invalid_json);
    EXPECT_EQ(read.error.detail.find("json.exception"), std::string::npos);
  }
}

TEST(base64, comes_back) {
  for (auto* text : {"", "f", "fo", "foo", "foob", "fooba", "foobar"}) EXPECT_EQ(from_base64(to_base64(text)), text);
  EXPECT_EQ(to_base64("foob"), "Zm9vYg==");
  EXPECT_EQ(to_base64("fooba"), "Zm9vYmE=");
  for (auto* bad : {"A", "AB", "ABC", "====", "A===", "Zm9v!g==", "Zg==Zg=="}) EXPECT_FALSE(from_base64(bad)) << bad;
}

} // namespace
} // namespace poseidon
