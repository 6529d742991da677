#include "gateway/http.hpp"

#include <gtest/gtest.h>

namespace poseidon::gateway {

TEST(http, percent_decoding_is_strict) {
  EXPECT_EQ(percent_decode("Zo%C3%AB"), "Zoë");
  EXPECT_EQ(percent_decode("a+b", true), "a b");
  EXPECT_EQ(percent_decode("a+b"), "a+b");
  EXPECT_EQ(percent_decode("%4"), std::nullopt);
  EXPECT_EQ(percent_decode("%zz"), std::nullopt);
  EXPECT_EQ(percent_decode(percent_encode("a.*> /?&ë")), "a.*> /?&ë");
}

TEST(http, a_target_is_split_into_path_and_query) {
  http_request request;
  parse_target("/v1/instances?user=alice%40uni.de&state=running&&flag", request);
  EXPECT_EQ(request.path, "/v1/instances");
  EXPECT_EQ(request.parameter("user"), "alice@uni.de");
  EXPECT_EQ(request.parameter("state"), "running");
  EXPECT_EQ(request.parameter("flag"), "");
  EXPECT_FALSE(request.parameter("team"));
  EXPECT_FALSE(request.query_malformed);
  parse_target("/x?a=%G0", request);
  EXPECT_TRUE(request.query_malformed);
}

TEST(http, header_names_are_found_in_any_case) {
  http_request request;
  request.headers = {{"Content-TYPE", "application/json"}};
  EXPECT_EQ(request.header("content-type"), "application/json");
  EXPECT_EQ(request.header("content-typ"), "");
}

TEST(http, a_head_has_its_length_or_says_why_not) {
  http_response response{200, "text/plain", "hello", {{"X-A", "b"}}, false};
  EXPECT_EQ(render_head(response, {}), "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nX-A: b\r\n\r\n");
  EXPECT_EQ(render_head({204, {}, {}, {}, false}, {.keep_alive = false}), "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
  EXPECT_NE(render_head(response, {.chunked = true}).find("Transfer-Encoding: chunked"), std::string::npos);
  EXPECT_EQ(render_head(response, {.chunked = true}).find("Content-Length"), std::string::npos);
}

} // namespace poseidon::gateway
