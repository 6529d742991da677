#include "gateway/router.hpp"

#include <gtest/gtest.h>

#include <set>

namespace poseidon::gateway {

namespace {
void nothing(const call&) {}
const std::vector<route> table{
    {http_method::get, "/v1/things", scope::read, nothing},
    {http_method::post, "/v1/things", scope::admin, nothing},
    {http_method::post, "/v1/things/rescan", scope::admin, nothing},
    {http_method::get, "/v1/things/{id}", scope::read, nothing},
    {http_method::post, "/v1/things/{id}/go", scope::admin, nothing},
};
} // namespace

TEST(router, finds_the_operation_and_its_parameters) {
  auto match = match_route(table, http_method::post, "/v1/things/a%2Fb/go");
  ASSERT_EQ(match.route, 4u);
  EXPECT_EQ(match.params, std::vector<std::string>{"a/b"});
  EXPECT_EQ(match_route(table, http_method::head, "/v1/things").route, 0u);
}

TEST(router, a_literal_wins_over_a_parameter) {
  EXPECT_EQ(match_route(table, http_method::post, "/v1/things/rescan").route, 2u);
  EXPECT_EQ(match_route(table, http_method::get, "/v1/things/other").route, 3u);
}

TEST(router, tells_a_missing_path_from_a_missing_method) {
  for (auto path : {"", "/", "/v1", "/v1/things/", "/v1/things//go", "/v1/things/a/go/", "/v2/things", "v1/things"}) {
    auto match = match_route(table, http_method::get, path);
    EXPECT_TRUE(match.allowed.empty()) << path;
    EXPECT_FALSE(match.route) << path;
  }
  auto match = match_route(table, http_method::delete_, "/v1/things");
  EXPECT_FALSE(match.route);
  EXPECT_EQ(allow_header(match.allowed), "GET, HEAD, POST, OPTIONS");
}

TEST(router, a_broken_escape_is_told) { EXPECT_TRUE(match_route(table, http_method::get, "/v1/things/%zz").malformed); }

TEST(router, every_operation_of_the_api_is_there_once) {
  std::set<std::pair<std::string_view, http_method>> seen;
  for (auto& one : all_routes()) EXPECT_TRUE(seen.emplace(one.pattern, one.method).second) << one.pattern;
  EXPECT_GT(seen.size(), 30u);
}

} // namespace poseidon::gateway
