#include "gateway/json_writer.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace poseidon::gateway {

namespace {
std::string written(std::string_view text) {
  std::string out;
  json_writer(out).text(text);
  return out;
}
} // namespace

TEST(json_writer, nests_and_separates) {
  std::string out;
  json_writer w(out);
  w.begin_object().number("a", 1).key("b").begin_array().text("x").null().boolean(false).begin_object().end_object().end_array();
  w.time("t", wall_time{250}).raw("r", "[1]").number("big", std::uint64_t{18446744073709551615ull}).end_object();
  EXPECT_EQ(out, R"({"a":1,"b":["x",null,false,{}],"t":"1970-01-01T00:00:00.250Z","r":[1],"big":18446744073709551615})");
}

TEST(json_writer, every_byte_comes_out_as_valid_json) {
  for (int c = 0; c < 256; ++c) {
    std::string text = "a" + std::string(1, static_cast<char>(c)) + "b";
    auto parsed = nlohmann::json::parse(written(text), nullptr, false);
    ASSERT_FALSE(parsed.is_discarded()) << c;
    if (c < 0x80)
      EXPECT_EQ(parsed.get<std::string>(), text) << c;
    else
      EXPECT_EQ(parsed.get<std::string>(), "a\xEF\xBF\xBD"
                                           "b") << c;
  }
}

TEST(json_writer, utf8_stays_and_what_only_looks_like_it_is_replaced) {
  EXPECT_EQ(written("Zoë 漢 🐙"), "\"Zoë 漢 🐙\"");
  for (std::string bad : {"\xC0\xAF", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xF0\x9F", "\xE2\x82"}) {
    auto parsed = nlohmann::json::parse(written(bad), nullptr, false);
    ASSERT_FALSE(parsed.is_discarded());
    EXPECT_NE(parsed.get<std::string>().find("\xEF\xBF\xBD"), std::string::npos);
  }
}

} // namespace poseidon::gateway
