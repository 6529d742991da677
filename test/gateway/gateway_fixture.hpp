#pragma once
// A gateway on a free port, over fake actors, with keys of every scope.

#include "gateway/gateway.hpp"

#include "config/settings_load.hpp"
#include "test/gateway/fake_cluster.hpp"
#include "test/gateway/http_client.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace poseidon::test {

struct gateway_fixture : testing::Test {
  caf::actor_system_config system_config;
  std::unique_ptr<caf::actor_system> system;
  std::unique_ptr<fake_cluster> cluster;
  notifier_actor notifier; ///< a fake
  gateway::backup_source backups; ///< a fake that answers with:
  std::string backup = std::string(700'000, 'b') + "end";
  failure backup_refusal;
  bool notifies = true;    ///< false: the process has no receivers
  std::shared_ptr<virtual_clock> clock = std::make_shared<virtual_clock>();
  gateway::gateway_config config;
  std::unique_ptr<gateway::gateway> under_test;
  std::string url;
  std::map<std::string, std::string> keys; ///< scope -> key text

  gateway_fixture();
  ~gateway_fixture() override;

  void start();
  /// One request on a connection of its own; the body parsed where it is JSON.
  struct reply {
    int status = 0;
    http_answer raw;
    nlohmann::json body;
  };
  reply ask(const std::string& method, const std::string& target, const nlohmann::json& body = nullptr, const std::string& scope = "admin",
            std::vector<std::pair<std::string, std::string>> headers = {});
  std::string bearer(const std::string& scope) const { return "Bearer " + keys.at(scope); }
  /// Starts one for that user; its id.
  std::string started(const std::string& user = "alice");
  /// Opens a stream and reads its head.
  std::unique_ptr<http_client> stream(const std::string& target, const std::string& scope = "admin",
                                      std::vector<std::pair<std::string, std::string>> headers = {});
};

/// The parts of a server-sent event.
struct sse {
  std::string id, type;
  nlohmann::json data;
};
sse parse_event(const std::string& text);
/// The next event that is no comment and not `retry` alone.
sse next_event(http_client& client);

} // namespace poseidon::test
