// Receivers and dead letters over real sockets.

#include "test/gateway/gateway_fixture.hpp"

#include <gmock/gmock.h>

namespace poseidon::test {

using notifications_api = gateway_fixture;
using testing::HasSubstr;
using testing::Not;

TEST_F(notifications_api, shows_receivers_and_how_they_fare) {
  start();
  auto listed = ask("GET", "/v1/notifications");
  ASSERT_EQ(listed.status, 200);
  auto& ops = listed.body["items"][0];
  EXPECT_EQ(ops["name"], "ops");
  EXPECT_EQ(ops["type"], "webhook");
  EXPECT_EQ(ops["state"], "failing");
  EXPECT_EQ(ops["pending"], 5);
  EXPECT_EQ(ops["last_error"], "connection refused");
  EXPECT_EQ(listed.body["items"][1]["state"], "ok");
  auto metrics = ask("GET", "/metrics", nullptr, "metrics").raw.body;
  EXPECT_THAT(metrics, HasSubstr("# TYPE poseidon_notifications_total counter"));
  EXPECT_THAT(metrics, HasSubstr("poseidon_notifications_total{receiver=\"ops\",result=\"delivered\"} 3"));
  EXPECT_THAT(metrics, HasSubstr("poseidon_notifications_total{receiver=\"ops\",result=\"dead\"} 1"));
  EXPECT_THAT(metrics, HasSubstr("poseidon_notifications_pending{receiver=\"ops\"} 5"));
  EXPECT_THAT(metrics, HasSubstr("poseidon_notifications_failing{receiver=\"chat\"} 0"));
}

TEST_F(notifications_api, lists_dead_letters_page_by_page_and_sends_them_again) {
  start();
  auto dead = ask("GET", "/v1/notifications/dead?limit=1");
  ASSERT_EQ(dead.status, 200);
  EXPECT_EQ(dead.body["items"][0]["id"], "7");
  EXPECT_EQ(dead.body["items"][0]["challenge"], nullptr);
  EXPECT_EQ(dead.body["next"], "7");
  EXPECT_EQ(ask("GET", "/v1/notifications/dead?cursor=7").body["next"], nullptr);
  EXPECT_EQ(ask("GET", "/v1/notifications/dead?cursor=x").status, 422);
  EXPECT_EQ(ask("POST", "/v1/notifications/dead/7/replay").body["replayed"], 1);
  EXPECT_EQ(ask("POST", "/v1/notifications/dead/8/replay").status, 404);
  EXPECT_EQ(ask("POST", "/v1/notifications/dead/0/replay").status, 404) << "0 is not all of them";
  EXPECT_EQ(ask("POST", "/v1/notifications/dead/x/replay").status, 404);
  EXPECT_EQ(ask("POST", "/v1/notifications/dead/replay?receiver=ops").status, 202);
}

TEST_F(notifications_api, is_for_administrators) {
  start();
  for (std::string key : {"platform", "read", "metrics"}) {
    EXPECT_EQ(ask("GET", "/v1/notifications", nullptr, key).status, 403) << key;
    EXPECT_EQ(ask("POST", "/v1/notifications/dead/replay?all=true", nullptr, key).status, 403) << key;
  }
}

TEST_F(notifications_api, says_so_where_there_is_no_notifier) {
  notifies = false;
  start();
  EXPECT_TRUE(ask("GET", "/v1/notifications").body["items"].empty());
  EXPECT_TRUE(ask("GET", "/v1/notifications/dead").body["items"].empty());
  auto replay = ask("POST", "/v1/notifications/dead/replay?all=true");
  EXPECT_EQ(replay.status, 404);
  EXPECT_THAT(replay.raw.body, HasSubstr("notify.receivers"));
  EXPECT_THAT(ask("GET", "/metrics", nullptr, "metrics").raw.body, Not(HasSubstr("poseidon_notifications")));
}

} // namespace poseidon::test
