#include <utility>

#include "nodes/edge/request_head.hpp"

#include "actors/router/host_name.hpp"

#include <boost/beast/http.hpp>
#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <string>

namespace poseidon {
namespace {

using state = head_progress::state;

request_head judge(const std::string& text) {
  const auto progress = find_head(text, 0);
  if (progress.what != state::complete) {
    request_head refused;
    refused.refused_status = 400;
    refused.why = progress.what == state::refused ? progress.why : "incomplete";
    return refused;
  }
  return read_head(std::string_view{text}.substr(0, progress.length));
}

std::string with(const std::string& fields, const std::string& line = "GET / HTTP/1.1") {
  return line + "\r\nHost: a.localhost\r\n" + fields + "\r\n";
}

TEST(request_head, finds_its_end) {
  const std::string head = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  const auto all = head + "body";
  const auto progress = find_head(all, 0);
  EXPECT_EQ(progress.what, state::complete);
  EXPECT_EQ(progress.length, head.size());
  for (std::size_t length = 0; length < head.size(); ++length)
    EXPECT_EQ(find_head(head.substr(0, length), 0).what, state::incomplete) << length;
}

TEST(request_head, finds_the_same_in_pieces) {
  std::mt19937_64 random{5};
  const std::string letters = "\r\n\r\n\r\n:a \t\x01";
  for (int i = 0; i < 100'000; ++i) {
    std::string text = random() % 2 ? "G\r\n" : "";
    for (auto n = random() % 14; n > 0; --n) text += letters[random() % letters.size()];
    const auto whole = find_head(text, 0);
    std::size_t seen = 0;
    auto pieces = head_progress{};
    while (pieces.what == state::incomplete && seen < text.size()) {
      const auto next = std::min(text.size(), seen + 1 + random() % 4);
      pieces = find_head(std::string_view{text}.substr(0, next), seen);
      seen = next;
    }
    EXPECT_EQ(pieces.what, whole.what) << testing::PrintToString(text);
    if (whole.what == state::complete) {
      EXPECT_EQ(pieces.length, whole.length) << testing::PrintToString(text);
    }
  }
}

TEST(request_head, reads_host_and_kind) {
  const std::string text = "GET /x?y HTTP/1.1\r\nHost: A.Localhost:8081\r\nAccept: text/html,*/*\r\n\r\n";
  auto head = judge(text);
  EXPECT_EQ(head.refused_status, 0) << head.why;
  EXPECT_EQ(head.host, "a.localhost");
  EXPECT_EQ(head.method, "GET");
  EXPECT_EQ(head.target, "/x?y");
  EXPECT_TRUE(head.wants_html);
  EXPECT_FALSE(head.is_head);
  head = judge(with("Accept: text/html\r\n", "POST / HTTP/1.1"));
  EXPECT_FALSE(head.wants_html) << "a page that reloads would send the form again";
  EXPECT_TRUE(judge(with("", "HEAD / HTTP/1.1")).is_head);
}

TEST(request_head, lets_odd_but_unambiguous_requests_through) {
  for (const auto& good :
       {with("", "GET / HTTP/1.0"), with("X: \x80\xff\r\n"), with("X:\r\n"), with("X-A: 1\r\nX-A: 2\r\n"), with("Content-Length: 5\r\n"),
        with("Transfer-Encoding: Chunked\r\n"), with("", "OPTIONS * HTTP/1.1"), with("", "GET http://A.localhost:99/x HTTP/1.1"),
        with("", "GET http://a.localhost HTTP/1.1"), with("", "BREW /pot HTTP/1.1"), with("", "GET /\xc3\xa9 HTTP/1.1"),
        with("", "GET //../..%2f HTTP/1.1"), with("X: a\tb\r\n"), with("Upgrade: websocket\r\nConnection: Upgrade\r\n")})
    EXPECT_EQ(judge(good).refused_status, 0) << good << judge(good).why;
}

TEST(request_head, refuses_the_malformed_and_the_ambiguous) {
  for (const std::string bad :
       {"GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost:\r\n\r\n", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
        "GET / HTTP/1.1\r\n Host: a\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n", "GET / HTTP/1.1\nHost: a\n\n",
        "GET / HTTP/1.1\r\nHost: a\n\r\n", "GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / / HTTP/1.1\r\nHost: a\r\n\r\n", "GET /\r\nHost: a\r\n\r\n", "GET\r\nHost: a\r\n\r\n",
        " GET / HTTP/1.1\r\nHost: a\r\n\r\n", "G(T / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\n: empty\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX: a\x01\r\n\r\n", "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n", "GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET http://a@b/ HTTP/1.1\r\nHost: a\r\n\r\n", "GET * HTTP/1.1\r\nHost: a\r\n\r\n", "GET a HTTP/1.1\r\nHost: a\r\n\r\n",
        "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", "GET /\x7f HTTP/1.1\r\nHost: a\r\n\r\n", "GET /\t HTTP/1.1\r\nHost: a\r\n\r\n"})
    EXPECT_EQ(judge(bad).refused_status, 400) << bad;
  for (const char* fields : {"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n", "Content-Length: 1\r\nContent-Length: 1\r\n",
                             "Content-Length: 1, 1\r\n", "Content-Length: +1\r\n", "Content-Length: -1\r\n", "Content-Length: 0x1\r\n",
                             "Content-Length:\r\n", "Content-Length: 99999999999999999999999\r\n", "Transfer-Encoding: gzip, chunked\r\n",
                             "Transfer-Encoding: xchunked\r\n", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"})
    EXPECT_EQ(judge(with(fields)).refused_status, 400) << fields;
  EXPECT_EQ(judge(with("Transfer-Encoding: chunked\r\n", "POST / HTTP/1.0")).refused_status, 400);
  for (const char* version : {"HTTP/2.0", "HTTP/1.2", "http/1.1", "HTTP/1.1x", "HTTP/11"})
    EXPECT_EQ(judge(with("", std::string{"GET / "} + version)).refused_status, 505) << version;
  EXPECT_EQ(judge("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").refused_status, 505);
  EXPECT_EQ(judge(std::string("GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n", 36)).refused_status, 400);
}

/// Random changes to good requests: whatever is let through, Beast's parser reads too, and reads the same host and method.
TEST(request_head, whatever_passes_another_parser_reads_the_same) {
  const std::string seeds[] = {
      "GET / HTTP/1.1\r\nHost: a.localhost\r\n\r\n",
      "POST /x?y=z HTTP/1.1\r\nHost: A.localhost:80\r\nContent-Length: 5\r\nAccept: text/html\r\n\r\n",
      "GET http://a.localhost/ HTTP/1.1\r\nHost: a.localhost\r\nX: y\r\n\r\n",
      "PUT / HTTP/1.0\r\nhost: a\r\nTransfer-Encoding: chunked\r\nX-Y:\tz\r\n\r\n",
  };
  const std::string pieces[] = {"\r\n", "\n", "\r", " ", "\t", ":", "Host: b\r\n", "Content-Length: 3\r\n", "Transfer-Encoding: chunked\r\n",
                                "HTTP/1.1", "\x80", "@", "/", ",", std::string(1, '\0')};
  std::mt19937_64 random{20240501};
  int passed = 0;
  for (int i = 0; i < 100'000; ++i) {
    auto text = seeds[random() % std::size(seeds)];
    for (auto changes = random() % 4; changes > 0; --changes) {
      const auto at = random() % text.size();
      switch (random() % 4) {
      case 0: text.insert(at, pieces[random() % std::size(pieces)]); break;
      case 1: text.erase(at, 1 + random() % 3); break;
      case 2: text[at] = static_cast<char>(random()); break;
      case 3: text.insert(at, text.substr(random() % text.size(), random() % 20)); break;
      }
      if (text.empty()) text = "G";
    }
    const auto head = judge(text);
    if (head.refused_status != 0) continue;
    ++passed;
    boost::beast::http::request_parser<boost::beast::http::empty_body> parser;
    parser.body_limit(std::numeric_limits<std::uint64_t>::max());
    boost::system::error_code error;
    const auto progress = find_head(text, 0);
    parser.put(boost::asio::buffer(text.data(), progress.length), error);
    ASSERT_FALSE(error) << testing::PrintToString(text) << error.message();
    ASSERT_TRUE(parser.is_header_done()) << testing::PrintToString(text);
    EXPECT_EQ(parser.get().count("Host"), 1u);
    EXPECT_EQ(normal_host(std::string{parser.get()["Host"]}), head.host) << testing::PrintToString(text);
    EXPECT_EQ(std::string{parser.get().method_string()}, head.method);
    EXPECT_EQ(std::string{parser.get().target()}, head.target);
  }
  EXPECT_GT(passed, 10'000);
}

TEST(request_head, any_bytes_are_survived) {
  std::mt19937_64 random{99};
  for (int i = 0; i < 100'000; ++i) {
    std::string text(random() % 200, '\0');
    for (auto& c : text) c = static_cast<char>(random());
    if (i % 2) text += "\r\n\r\n";
    find_head(text, 0);
    read_head(text);
  }
}

} // namespace
} // namespace poseidon
