#include "nodes/notifier/http_webhooks.hpp"

#include "test/nodes/notifier/loopback_receiver.hpp"
#include "test/support/temporary_folder.hpp"
#include "test/support/virtual_clock.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <future>

namespace poseidon::test {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string answer_of(const std::string& status, const std::string& headers = {}, const std::string& body = {}) {
  return "HTTP/1.1 " + status + "\r\n" + headers + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

struct http_webhooks : ::testing::Test {
  std::shared_ptr<virtual_clock> time = std::make_shared<virtual_clock>();
  temporary_folder folder;
  std::string ca;

  std::shared_ptr<webhook_port> port_to(std::vector<webhook_target> targets, millis timeout = millis{5'000}) {
    auto made = make_http_webhooks({std::move(targets), timeout, ca, time});
    EXPECT_TRUE(made) << made.error.detail;
    return made ? *made : nullptr;
  }
  static delivery_attempt event() {
    auto what = std::make_shared<notification>();
    what->id = "1-7";
    what->type = "instance.running";
    what->body = R"({"id":"1-7","type":"instance.running"})";
    return {1, what, 2};
  }
  static std::future<outcome<receiver_reply>> send(webhook_port& port, const std::string& name = "ops") {
    auto promise = std::make_shared<std::promise<outcome<receiver_reply>>>();
    port.send(name, event(), [promise](outcome<receiver_reply> reply) { promise->set_value(std::move(reply)); });
    return promise->get_future();
  }
  outcome<receiver_reply> ask(const std::string& url, millis timeout = millis{5'000}) {
    auto port = port_to({{"ops", receiver_kind::webhook, secret{url}, secret{"0123456789abcdef"}}}, timeout);
    return send(*port).get();
  }
  void trust(const test_certificate& certificate) {
    ca = folder.file("ca.pem");
    std::ofstream(ca) << certificate.certificate;
  }
};

TEST_F(http_webhooks, send_the_event_signed_to_the_very_address) {
  loopback_receiver receiver(answer_of("204 No Content"));
  const auto reply = ask(receiver.url("/hooks/p?room=1"));
  ASSERT_TRUE(reply) << reply.error.detail;
  EXPECT_EQ(reply->status, 204);
  ASSERT_EQ(receiver.requests().size(), 1u);
  const auto request = receiver.requests()[0];
  EXPECT_THAT(request, testing::StartsWith("POST /hooks/p?room=1 HTTP/1.1\r\n"));
  EXPECT_THAT(request, HasSubstr("Host: 127.0.0.1:"));
  EXPECT_THAT(request, HasSubstr("Poseidon-Event-Id: 1-7\r\n"));
  EXPECT_THAT(request, HasSubstr("Poseidon-Delivery-Attempt: 2\r\n"));
  EXPECT_THAT(request, HasSubstr("Poseidon-Signature: t="));
  EXPECT_THAT(request, testing::EndsWith("\r\n\r\n" + event().what->body));
}

TEST_F(http_webhooks, tell_what_a_receiver_answered) {
  loopback_receiver missing(answer_of("404 Not Found", {}, "no\x01such room"));
  auto reply = ask(missing.url());
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 404);
  EXPECT_EQ(reply->note, "no such room");
  loopback_receiver busy(answer_of("429 Too Many Requests", "Retry-After: 1.5\r\n"));
  reply = ask(busy.url());
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->retry_after, millis{1'500});
}

TEST_F(http_webhooks, follow_no_redirect) {
  loopback_receiver elsewhere(answer_of("200 OK"));
  loopback_receiver receiver(answer_of("302 Found", "Location: " + elsewhere.url() + "\r\n"));
  const auto reply = ask(receiver.url());
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 302);
  EXPECT_TRUE(elsewhere.requests().empty());
}

TEST_F(http_webhooks, read_no_more_than_they_need) {
  loopback_receiver talkative("HTTP/1.1 500 Oops\r\nContent-Length: 9000000\r\n\r\n" + std::string(300'000, 'x'));
  auto reply = ask(talkative.url());
  ASSERT_TRUE(reply) << reply.error.detail;
  EXPECT_EQ(reply->status, 500);
  EXPECT_LE(reply->note.size(), 200u);
  for (auto length : {"9000000", "999999999999999999"}) { // of a delivered one nothing is read but the head
    loopback_receiver generous(std::string("HTTP/1.1 200 OK\r\nContent-Length: ") + length + "\r\n\r\nx");
    reply = ask(generous.url());
    ASSERT_TRUE(reply) << reply.error.detail;
    EXPECT_EQ(reply->status, 200);
  }
  loopback_receiver chunked("HTTP/1.1 400 No\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n");
  reply = ask(chunked.url());
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->note, "hello world");
  loopback_receiver heady("HTTP/1.1 200 OK\r\nX: " + std::string(100'000, 'x') + "\r\n\r\n");
  EXPECT_FALSE(ask(heady.url()));
}

TEST_F(http_webhooks, say_why_nobody_answered) {
  std::string gone;
  {
    loopback_receiver receiver(answer_of("200 OK"));
    gone = receiver.url("/a-secret-path");
  }
  auto reply = ask(gone);
  EXPECT_EQ(reply.error.code, errc::engine_unavailable);
  EXPECT_THAT(reply.error.detail, HasSubstr("refused"));
  EXPECT_THAT(reply.error.detail, Not(HasSubstr("a-secret-path")));
  loopback_receiver babbling("this is no HTTP at all\r\n\r\n");
  EXPECT_EQ(ask(babbling.url()).error.code, errc::engine_unavailable);
}

TEST_F(http_webhooks, give_up_on_one_that_does_not_answer_and_hold_up_no_other) {
  loopback_receiver silent("");
  loopback_receiver quick(answer_of("200 OK"));
  auto port = port_to({{"silent", receiver_kind::webhook, secret{silent.url()}, secret{"0123456789abcdef"}},
                       {"quick", receiver_kind::webhook, secret{quick.url()}, secret{"0123456789abcdef"}}},
                      millis{1'500});
  auto waiting = send(*port, "silent");
  auto answered = send(*port, "quick");
  EXPECT_TRUE(answered.get());
  EXPECT_EQ(waiting.wait_for(std::chrono::seconds{0}), std::future_status::timeout);
  const auto late = waiting.get();
  EXPECT_EQ(late.error.code, errc::request_timeout) << late.error.detail;
}

TEST_F(http_webhooks, end_while_a_request_is_under_way) {
  loopback_receiver silent("");
  auto port = port_to({{"ops", receiver_kind::webhook, secret{silent.url()}, secret{"0123456789abcdef"}}}, millis{60'000});
  auto waiting = send(*port);
  port.reset();
  EXPECT_THROW(waiting.get(), std::future_error) << "never answered: whoever asked has ended as well";
}

TEST_F(http_webhooks, never_ask_a_clouds_own_addresses) {
  EXPECT_EQ(ask("http://169.254.169.254/latest/meta-data/").error.code, errc::forbidden);
  EXPECT_EQ(ask("http://[::ffff:169.254.169.254]/").error.code, errc::forbidden);
}

TEST_F(http_webhooks, speak_tls_with_whom_they_trust_alone) {
  const auto own = make_certificate("127.0.0.1"), other = make_certificate("127.0.0.1");
  loopback_receiver receiver(answer_of("200 OK"), own);
  auto reply = ask(receiver.url());
  EXPECT_EQ(reply.error.code, errc::engine_unavailable) << "an unknown authority";
  EXPECT_THAT(reply.error.detail, HasSubstr("TLS"));
  trust(other);
  EXPECT_FALSE(ask(receiver.url()));
  trust(own);
  reply = ask(receiver.url());
  ASSERT_TRUE(reply) << reply.error.detail;
  EXPECT_EQ(reply->status, 200);
  EXPECT_EQ(receiver.requests().size(), 1u) << "nothing was sent to whom it did not trust";
}

TEST_F(http_webhooks, speak_tls_with_the_one_that_was_named) {
  const auto somebody = make_certificate("somebody.example");
  loopback_receiver receiver(answer_of("200 OK"), somebody);
  trust(somebody);
  EXPECT_FALSE(ask(receiver.url()));
  EXPECT_TRUE(receiver.requests().empty());
}

TEST_F(http_webhooks, refuse_settings_that_can_not_work) {
  ca = folder.file("missing.pem");
  auto made = make_http_webhooks({{{"ops", receiver_kind::webhook, secret{"https://h/"}, secret{}}}, millis{1'000}, ca, time});
  EXPECT_EQ(made.error.code, errc::invalid_field);
  EXPECT_THAT(made.error.detail, HasSubstr("missing.pem"));
  made = make_http_webhooks({{{"ops", receiver_kind::webhook, secret{"nonsense"}, secret{}}}, millis{1'000}, {}, time});
  EXPECT_EQ(made.error.code, errc::bad_request);
}

} // namespace
} // namespace poseidon::test
