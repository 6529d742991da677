// Parser and published schema agree: what the schema refuses, the parser refuses; what the parser takes, the schema
// takes.

#include "config/challenge.hpp"
#include "test/support/source_folder.hpp"
#include "config/challenge_fields.hpp"
#include "config/yaml.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fstream>
#include <random>
#include <set>
#include <sstream>

namespace poseidon::config {
namespace {

using nlohmann::json;

std::string text_of(const std::string& file) {
  std::ifstream in(poseidon::test::source_folder() + "/" + file);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

TEST(challenge_schema, the_published_file_is_the_one_in_force) {
  EXPECT_EQ(text_of("config/challenge.schema.json"), challenge_schema_text())
      << "regenerate it: poseidon challenges schema > config/challenge.schema.json";
}

TEST(challenge_schema, the_documentation_holds_the_reference) {
  EXPECT_THAT(text_of("docs/challenges.md"), testing::HasSubstr(challenge_reference()));
}

void collect(const json& schema, const std::string& prefix, std::set<std::string>& out) {
  if (schema.contains("properties"))
    for (auto& [name, field] : schema["properties"].items()) {
      out.insert(prefix + name);
      collect(field, prefix + name + ".", out);
    }
  if (schema.contains("items")) collect(schema["items"], prefix, out);
  if (schema.contains("anyOf"))
    for (auto& each : schema["anyOf"])
      collect(each, prefix, out);
}

TEST(challenge_schema, every_field_of_the_schema_is_read_by_the_parser) {
  std::set<std::string> fields;
  collect(json::parse(challenge_schema_text())["properties"]["instance"], "", fields);
  EXPECT_GE(fields.size(), 40u);
  for (auto& path : fields) {
    // A value of a kind that no field takes: the parser has to complain about the value, not about the key.
    auto dot = path.find('.');
    auto outer = path.substr(0, dot);
    json wrong{{"?", json::array({json::array()})}};
    json value = wrong;
    if (dot != std::string::npos) value = json{{path.substr(dot + 1), wrong}};
    if (dot != std::string::npos && (outer == "ports" || outer == "volumes")) value = json::array({value});
    json document{{"image", "a"}};
    document[outer] = value;
    if (outer == "health" && path != "health.http") document["health"]["http"] = "/";
    if (path == "health.tcp") document["health"].erase("http");
    auto result = parse_inline_spec(document, {});
    ASSERT_FALSE(result) << path;
    for (auto& p : result.error.errors)
      EXPECT_TRUE(p.detail.find("unknown key") == std::string::npos || p.path.find('?') != std::string::npos)
          << p.path << ": " << p.detail;
  }
}

/// Values of every kind that authors get right or wrong.
const std::vector<json>& values() {
  static const std::vector<json> all{"30m",
                                     "0",
                                     0,
                                     1,
                                     30,
                                     -1,
                                     0.25,
                                     2.5,
                                     70000,
                                     "512m",
                                     "512MiB",
                                     "1.5g",
                                     "50%",
                                     "150%",
                                     "0.5",
                                     "",
                                     "x",
                                     "no",
                                     "on-failure",
                                     "isolated",
                                     "strict",
                                     "missing",
                                     "image",
                                     "/tmp",
                                     "tmp",
                                     "SIGTERM",
                                     "NET_RAW",
                                     "1000:1000",
                                     true,
                                     false,
                                     nullptr,
                                     json::array(),
                                     json::object(),
                                     json::array({"a", "b"}),
                                     json::array({80}),
                                     json::array({80, 80}),
                                     json::array({{{"port", 80}}}),
                                     json::array({{{"port", "80"}}}),
                                     json::array({{{"name", "a"}}}),
                                     json::array({"/tmp"}),
                                     json::array({1.5}),
                                     json::array({nullptr}),
                                     {{"A", "b"}},
                                     {{"A", 1}},
                                     {{"A", nullptr}},
                                     {{"http", "/"}},
                                     {{"tcp", 80}},
                                     {{"http", "/"}, {"tcp", 80}},
                                     {{"http", "/"}, {"port", 80}},
                                     {{"tcp", 80}, {"port", 80}},
                                     {{"port", 80}},
                                     {{"memory", "64m"}},
                                     {{"memory", 1}},
                                     {{"cpus", 0.5}},
                                     {{"cpus", 0}},
                                     {{"pids", 0}},
                                     {{"step", "10m"}},
                                     {{"max", "10m"}},
                                     {{"step", "1m"}, {"after", "50%"}},
                                     json::array({{{"name", "a"}, {"path", "/a"}}}),
                                     json::array({{{"name", "a"}, {"path", "/a"}, {"keep", "owner"}}}),
                                     json::array({{{"name", "a"}, {"path", "/a"}, {"keep", "instance"}}}),
                                     std::string(70, 'a'),
                                     1e300,
                                     18446744073709551615ull,
                                     "1h30m",
                                     "30m1h",
                                     "1 m"};
  return all;
}

void compare(const json& instance) {
  json document{{"image", "a"}, {"instance", instance}};
  auto by_schema = schema_problems(document);
  auto by_parser = parse_inline_spec(document, {});
  EXPECT_TRUE(by_schema.empty() || !by_parser) << "only the schema refuses " << instance.dump();
  for (auto& p : by_parser.error.errors) {
    bool schemas_words =
        p.detail.starts_with("Failed") || p.detail.starts_with("Expected") || p.detail.starts_with("Value");
    EXPECT_FALSE(schemas_words) << "only the schema refuses " << instance.dump() << ": " << p.detail;
  }
}

TEST(challenge_schema, refuses_nothing_that_the_parser_takes) {
  for (auto& row : instance_fields())
    if (row.name != "id")
      for (auto& value : values())
        compare({{std::string(row.name), value}});
}

TEST(challenge_schema, random_documents_are_judged_alike) {
  std::mt19937 random(7);
  auto pick = [&](std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random); };
  for (int i = 0; i < 3000; ++i) {
    json instance = json::object();
    for (std::size_t k = pick(6) + 1; k > 0; --k) {
      auto& row = instance_fields()[pick(instance_fields().size())];
      if (row.name != "id") instance[std::string(row.name)] = values()[pick(values().size())];
    }
    compare(instance);
  }
}

TEST(challenge_schema, the_schema_alone_refuses_what_it_says) {
  for (auto text :
       {"instance: {lifetme: 5m}", "instance: {restart: sometimes}", "instance: {limits: {memory: lots}}",
        "instance: {ports: [{port: 0}]}", "instance: {extension: {after: 50%}}", "instance: 5", "image: 5"}) {
    auto document = parse_yaml(text);
    ASSERT_TRUE(document.value);
    EXPECT_FALSE(schema_problems(*document.value).empty()) << text;
  }
  auto fine = parse_yaml("name: x\nimage: a\ninstance: {lifetime: 5m}");
  EXPECT_TRUE(schema_problems(*fine.value).empty());
}

} // namespace
} // namespace poseidon::config
