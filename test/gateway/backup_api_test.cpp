// The backup over real sockets.

#include "test/gateway/gateway_fixture.hpp"

#include <gmock/gmock.h>

namespace poseidon::test {

using backup_api = gateway_fixture;

TEST_F(backup_api, comes_whole_in_pieces) {
  start();
  const auto got = ask("GET", "/v1/backup");
  ASSERT_EQ(got.status, 200);
  EXPECT_EQ(got.raw.header("content-type"), "application/octet-stream");
  EXPECT_EQ(got.raw.header("cache-control"), "no-store");
  EXPECT_TRUE(got.raw.body == backup) << got.raw.body.size();
}

TEST_F(backup_api, is_for_administrators) {
  start();
  for (std::string key : {"platform", "read", "metrics"}) EXPECT_EQ(ask("GET", "/v1/backup", nullptr, key).status, 403) << key;
  EXPECT_EQ(ask("GET", "/v1/backup", nullptr, "").status, 401);
}

TEST_F(backup_api, tells_why_there_is_none) {
  start();
  backup_refusal = {errc::ledger_unavailable, "the ledger is not there yet", 1'000, {}, {}};
  const auto got = ask("GET", "/v1/backup");
  EXPECT_EQ(got.status, 503);
  EXPECT_EQ(got.body["code"], "ledger_unavailable");
  EXPECT_TRUE(got.raw.has("retry-after"));
}

} // namespace poseidon::test
