#include "config/address.hpp"
#include "config/suggest.hpp"
#include "config/units.hpp"

#include <gtest/gtest.h>

namespace poseidon::config {
namespace {

TEST(units, durations_are_read) {
  EXPECT_EQ(parse_duration("30m").value, millis{1'800'000});
  EXPECT_EQ(parse_duration("90s").value, millis{90'000});
  EXPECT_EQ(parse_duration("500ms").value, millis{500});
  EXPECT_EQ(parse_duration("1h30m").value, millis{5'400'000});
  EXPECT_EQ(parse_duration("2d").value, millis{172'800'000});
  EXPECT_EQ(parse_duration("0").value, millis{0});
}

TEST(units, wrong_durations_say_what_is_right) {
  for (auto text :
       {"", "30", "m", "-1s", "1.5h", "10 m", "5x", "30m1h", "1m1m", "99999999d", "9999999999999999999s", "4000d"}) {
    auto result = parse_duration(text);
    EXPECT_FALSE(result) << text;
    EXPECT_NE(result.problem.find("is not a duration"), std::string::npos) << text;
  }
  EXPECT_NE(parse_duration("30").problem.find("30s"), std::string::npos);
}

TEST(units, sizes_are_read_like_dockers) {
  EXPECT_EQ(parse_size("512m").value, byte_size{512ull << 20});
  EXPECT_EQ(parse_size("512MiB").value, byte_size{512ull << 20});
  EXPECT_EQ(parse_size("512MB").value, byte_size{512ull << 20});
  EXPECT_EQ(parse_size("1.5g").value, byte_size{1536ull << 20});
  EXPECT_EQ(parse_size("4096").value, byte_size{4096});
  EXPECT_EQ(parse_size("0").value, byte_size{0});
  for (auto text : {"", "m", "-1m", "1x", "1 m", "1..5g", ".5g", "9999999999t", "1e3"})
    EXPECT_FALSE(parse_size(text)) << text;
}

TEST(units, shares_cores_counts_and_words) {
  EXPECT_EQ(parse_percent("50%").value, percent{50});
  for (auto text : {"50", "%", "5.5%", "-1%", "2000%"})
    EXPECT_FALSE(parse_percent(text)) << text;
  EXPECT_EQ(parse_cpus("0.25").value, cpu_count{250});
  EXPECT_EQ(parse_cpus("2").value, cpu_count{2000});
  EXPECT_EQ(parse_cpus("0.1000").value, cpu_count{100});
  for (auto text : {"", ".5", "0.0001", "1.", "two", "1e2"})
    EXPECT_FALSE(parse_cpus(text)) << text;
  EXPECT_EQ(parse_count("17").value, 17u);
  for (auto text : {"", "-1", "1.0", "1 ", "9999999999999999999"})
    EXPECT_FALSE(parse_count(text)) << text;
  EXPECT_EQ(parse_bool("Yes").value, true);
  EXPECT_EQ(parse_bool("off").value, false);
  EXPECT_FALSE(parse_bool("maybe"));
}

TEST(units, what_is_shown_reads_back) {
  for (std::int64_t ms : {0ll, 1ll, 999ll, 1'000ll, 61'001ll, 3'600'000ll, 90'061'001ll})
    EXPECT_EQ(parse_duration(to_text(millis{ms})).value, millis{ms}) << ms;
  for (std::uint64_t bytes : {0ull, 1ull, 1023ull, 1024ull, 1536ull, 1ull << 20, 3ull << 30, 5ull << 40})
    EXPECT_EQ(parse_size(to_text(byte_size{bytes})).value, byte_size{bytes}) << bytes;
  for (std::uint32_t m : {0u, 1u, 10u, 100u, 250u, 1000u, 1500u, 64'001u})
    EXPECT_EQ(parse_cpus(to_text(cpu_count{m})).value, cpu_count{m});
  EXPECT_EQ(to_text(millis{5'400'000}), "1h30m");
  EXPECT_EQ(to_text(byte_size{512ull << 20}), "512MiB");
  EXPECT_EQ(to_text(cpu_count{250}), "0.25");
}

TEST(addresses, are_read_and_shown) {
  for (auto text : {"127.0.0.1:8080", "0.0.0.0:0", "[::1]:8080", "[::]:65535", "unix:/run/poseidon/api.sock"}) {
    auto a = parse_listen_address(text);
    ASSERT_TRUE(a) << a.problem;
    EXPECT_EQ(to_text(*a.value), text);
  }
  EXPECT_EQ(to_text(*parse_listen_address("localhost:80").value), "127.0.0.1:80");
  EXPECT_EQ(to_text(*parse_listen_address("unix:///run/x").value), "unix:/run/x");
  for (auto text : {"", "8080", ":8080", "*:8080", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:65536", "example.org:80",
                    "::1:80", "[::1]", "[1.2.3.4]:80", "unix:relative", "1.2.3:80"})
    EXPECT_FALSE(parse_listen_address(text)) << text;
  EXPECT_FALSE(parse_listen_address("unix:/" + std::string(200, 'a')));
}

TEST(addresses, local_ones_are_known) {
  EXPECT_TRUE(parse_listen_address("127.0.0.5:1").value->is_local());
  EXPECT_TRUE(parse_listen_address("[::1]:1").value->is_local());
  EXPECT_TRUE(parse_listen_address("unix:/x").value->is_local());
  EXPECT_FALSE(parse_listen_address("0.0.0.0:1").value->is_local());
  EXPECT_FALSE(parse_listen_address("[::]:1").value->is_local());
}

TEST(suggestions, near_words_only) {
  EXPECT_EQ(nearest("liftime", {"lifetime", "limits"}), "lifetime");
  EXPECT_EQ(nearest("comamnd", {"command", "image"}), "command");
  EXPECT_EQ(nearest("qwerty", {"lifetime", "limits"}), "");
  EXPECT_EQ(nearest("ab", {"cd"}), "");
  EXPECT_EQ(did_you_mean("prots", {"ports"}), "; did you mean ports?");
  EXPECT_EQ(did_you_mean(std::string(1000, 'x'), {"ports"}), "");
}

} // namespace
} // namespace poseidon::config
