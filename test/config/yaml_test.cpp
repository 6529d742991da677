#include "config/yaml.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace poseidon::config {
namespace {

using nlohmann::json;

json read(std::string_view text) {
  auto document = parse_yaml(text);
  for (auto& p : document.problems)
    ADD_FAILURE() << p.path << ": " << p.detail;
  return document.value ? *document.value : json();
}

TEST(yaml, scalars_follow_the_core_rules) {
  auto v = read("a: 1\nb: -2\nc: 1.5\nd: true\ne: no\nf: \"8000\"\ng:\nh: 0123\ni: 1e3\nj: 08:30\nk: .5\nl: v1.2.3\n"
                "m: 123456789012345678901234567890\nn: '~'\no: ~\np: !!str 5");
  EXPECT_EQ(v.dump(),
            R"({"a":1,"b":-2,"c":1.5,"d":true,"e":"no","f":"8000","g":null,"h":"0123","i":1000.0,"j":"08:30",)"
            R"("k":0.5,"l":"v1.2.3","m":"123456789012345678901234567890","n":"~","o":null,"p":"5"})");
}

TEST(yaml, json_is_read_too) {
  auto text = R"({"a": [1, "x", {"b": null}], "c": "é\n"})";
  EXPECT_EQ(read(text), json::parse(text));
  EXPECT_EQ(read(""), json());
}

TEST(yaml, aliases_are_expanded) { EXPECT_EQ(read("a: &x [1]\nb: *x").dump(), R"({"a":[1],"b":[1]})"); }

TEST(yaml, what_is_wrong_is_told_with_its_place) {
  auto twice = parse_yaml("a: 1\nb: {c: 1, c: 2}\na: 2");
  ASSERT_EQ(twice.problems.size(), 2u);
  EXPECT_EQ(twice.problems[0].path, "b.c");
  EXPECT_EQ(twice.problems[1].path, "a");
  EXPECT_NE(twice.problems[1].detail.find("line 3"), std::string::npos);
  auto broken = parse_yaml("a: [1, 2\nb: }");
  ASSERT_EQ(broken.problems.size(), 1u);
  EXPECT_NE(broken.problems[0].detail.find("line"), std::string::npos);
  EXPECT_FALSE(parse_yaml("a: 1\n---\nb: 2").problems.empty());
  EXPECT_FALSE(parse_yaml("[1]: 2").problems.empty());
}

TEST(yaml, hostile_texts_end_in_a_problem) {
  std::string bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n";
  for (int i = 1; i < 9; ++i) {
    auto name = std::to_string(i), below = "*a" + std::to_string(i - 1);
    bomb += "a" + name + ": &a" + name + " [" + below;
    for (int k = 0; k < 9; ++k)
      bomb += "," + below;
    bomb += "]\n";
  }
  EXPECT_FALSE(parse_yaml(bomb).problems.empty());
  EXPECT_FALSE(parse_yaml(std::string(200, '[') + std::string(200, ']')).problems.empty());
  EXPECT_FALSE(parse_yaml(std::string(100'000, '[')).problems.empty());
  EXPECT_FALSE(parse_yaml(std::string((1 << 20) + 1, ' ')).problems.empty());
  EXPECT_FALSE(parse_yaml("a: &a [*a]").problems.empty());
}

} // namespace
} // namespace poseidon::config
