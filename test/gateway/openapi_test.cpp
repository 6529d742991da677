// The description and the gateway say the same: the same operations, and every live reply fits its schema.

#include "test/gateway/gateway_fixture.hpp"

#include "gateway/assets.hpp"

#include <set>

#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

namespace poseidon::test {

using nlohmann::json;

namespace {

const json& description() {
  static const auto doc = json::parse(gateway::openapi_text());
  return doc;
}

/// This valijson judges `format: date-time` on null too, whatever `type` allows: formats are left to the render tests.
void drop_formats(json& schema) {
  if (schema.is_object()) schema.erase("format");
  for (auto& part : schema)
    if (part.is_structured()) drop_formats(part);
}

/// Empty when `value` fits the schema, else why not.
std::string misfit(const json& value, json schema) {
  schema["components"] = description()["components"];
  drop_formats(schema);
  valijson::Schema parsed;
  valijson::SchemaParser(valijson::SchemaParser::kDraft7).populateSchema(valijson::adapters::NlohmannJsonAdapter(schema), parsed);
  valijson::ValidationResults results;
  valijson::Validator validator;
  if (validator.validate(parsed, valijson::adapters::NlohmannJsonAdapter(value), &results)) return {};
  std::string text;
  for (valijson::ValidationResults::Error error; results.popError(error);) {
    for (auto& part : error.context) text += part;
    text += ": " + error.description + "\n";
  }
  return text + value.dump(1);
}

std::string method_name(const json& method) {
  auto text = method.get<std::string>();
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

struct openapi_test : gateway_fixture {
  std::set<std::string> checked; ///< "GET /v1/instances 200"

  /// Asks, and compares the reply with what the description says about `path`.
  reply check(const std::string& method, const std::string& path, const std::string& target, int status, const json& body = nullptr) {
    auto got = ask(method, target, body);
    EXPECT_EQ(got.status, status) << method << " " << target << " " << got.raw.body;
    compare(method, path, got);
    return got;
  }

  void compare(std::string method, const std::string& path, const reply& got) {
    auto name = method + " " + path + " " + std::to_string(got.status);
    std::transform(method.begin(), method.end(), method.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    auto& responses = description()["paths"][path][method]["responses"];
    auto status = std::to_string(got.status);
    auto& response = responses.contains(status) ? responses[status] : responses["default"];
    checked.insert(name);
    if (!response.contains("content")) {
      EXPECT_TRUE(got.raw.body.empty());
      return;
    }
    auto type = got.raw.header("content-type").substr(0, got.raw.header("content-type").find(';'));
    ASSERT_TRUE(response["content"].contains(type)) << name << " is " << type;
    if (!got.body.is_null()) {
      EXPECT_EQ(misfit(got.body, response["content"][type]["schema"]), "") << name;
    }
  }
};

} // namespace

TEST_F(openapi_test, lists_exactly_the_operations_that_exist) {
  std::set<std::pair<std::string, std::string>> described, served;
  for (auto& [path, methods] : description()["paths"].items())
    for (auto& [method, operation] : methods.items()) described.emplace(method_name(method), path);
  for (auto& one : gateway::all_routes()) served.emplace(to_string(one.method), one.pattern);
  EXPECT_EQ(described, served);
}

TEST_F(openapi_test, names_the_scope_that_each_operation_needs) {
  for (auto& one : gateway::all_routes()) {
    auto method = std::string(to_string(one.method));
    std::transform(method.begin(), method.end(), method.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    auto& operation = description()["paths"][std::string(one.pattern)][method];
    EXPECT_EQ(operation.value("x-scope", "none"), poseidon::to_string(one.needs)) << one.pattern;
    EXPECT_EQ(operation["security"].empty(), one.needs == gateway::scope::none) << one.pattern;
  }
}

TEST_F(openapi_test, every_reply_fits_its_schema) {
  start();
  json body{{"challenge", "hello"}, {"owner", {{"user", "alice"}}}};
  EXPECT_EQ(misfit(body, description()["components"]["schemas"]["StartRequest"]), "");
  auto made = check("POST", "/v1/instances", "/v1/instances", 202, body);
  std::string id = made.body["id"], one = "/v1/instances/" + id;
  check("POST", "/v1/instances", "/v1/instances", 200, body);
  check("POST", "/v1/instances", "/v1/instances", 422, {{"owner", 1}});
  check("GET", "/v1/instances", "/v1/instances", 200);
  check("GET", "/v1/instances/{id}", one, 200);
  check("GET", "/v1/instances/{id}", "/v1/instances/none", 404);
  cluster->run({id});
  check("GET", "/v1/instances/{id}", one + "?wait=running", 200);
  check("GET", "/v1/instances/{id}/stats", one + "/stats", 200);
  check("GET", "/v1/instances/{id}/logs", one + "/logs", 200);
  check("POST", "/v1/instances/{id}/extend", one + "/extend", 200);
  check("POST", "/v1/instances/{id}/reset", one + "/reset", 200);
  check("DELETE", "/v1/instances/{id}", one, 202);
  check("DELETE", "/v1/instances/{id}", one, 200);
  check("DELETE", "/v1/instances", "/v1/instances?all=true", 202);
  cluster->end({id}, end_reason::failed, {errc::exited_at_start, "code 1", std::nullopt, {}, "boom"});
  check("GET", "/v1/instances/{id}", one + "?wait=ended", 200);
  check("GET", "/v1/watch/{id}", made.body["watch_url"].get<std::string>().substr(url.size()), 204);
  check("GET", "/v1/challenges", "/v1/challenges", 200);
  check("POST", "/v1/challenges/rescan", "/v1/challenges/rescan", 200);
  check("GET", "/v1/challenges/{id}", "/v1/challenges/hello", 200);
  check("POST", "/v1/challenges/{id}/enable", "/v1/challenges/hello/enable", 200);
  check("POST", "/v1/challenges/{id}/disable", "/v1/challenges/hello/disable", 200);
  check("GET", "/v1/nodes", "/v1/nodes", 200);
  check("GET", "/v1/nodes/{name}", "/v1/nodes/n1", 200);
  for (std::string action : {"drain", "cordon", "uncordon"}) check("POST", "/v1/nodes/{name}/" + action, "/v1/nodes/n1/" + action, 200);
  check("POST", "/v1/nodes/{name}/drain", "/v1/nodes/n1/drain?move=true", 200);
  check("GET", "/v1/keys", "/v1/keys", 200);
  auto key = check("POST", "/v1/keys", "/v1/keys", 201, {{"scopes", {"read"}}});
  auto until = std::chrono::steady_clock::now() + std::chrono::seconds{10};
  while (under_test->model().admin()->keys.size() < 5 && std::chrono::steady_clock::now() < until) std::this_thread::yield();
  check("DELETE", "/v1/keys/{id}", "/v1/keys/" + key.body["id"].get<std::string>(), 204);
  check("GET", "/v1/settings", "/v1/settings", 200);
  check("GET", "/v1/notifications", "/v1/notifications", 200);
  check("GET", "/v1/notifications/dead", "/v1/notifications/dead?receiver=ops&limit=1", 200);
  check("POST", "/v1/notifications/dead/replay", "/v1/notifications/dead/replay?all=true", 202);
  check("POST", "/v1/notifications/dead/replay", "/v1/notifications/dead/replay", 422);
  check("POST", "/v1/notifications/dead/{id}/replay", "/v1/notifications/dead/7/replay", 202);
  check("POST", "/v1/notifications/dead/{id}/replay", "/v1/notifications/dead/8/replay", 404);
  check("PUT", "/v1/settings", "/v1/settings", 200, {{"rate.burst", 5}});
  check("PATCH", "/v1/settings", "/v1/settings", 200, {{"rate.burst", nullptr}});
  check("POST", "/v1/pause", "/v1/pause", 200, {{"message", "soon"}});
  check("POST", "/v1/resume", "/v1/resume", 200);
  check("POST", "/v1/gc", "/v1/gc", 200);
  check("GET", "/v1/backup", "/v1/backup", 200);
  check("GET", "/v1/status", "/v1/status", 200);
  check("GET", "/healthz", "/healthz", 200);
  check("GET", "/readyz", "/readyz", 200);
  check("GET", "/metrics", "/metrics", 200);
  check("GET", "/openapi.json", "/openapi.json", 200);
  check("GET", "/docs", "/docs", 200);
  const std::set<std::string> streams{"GET /v1/events", "GET /v1/instances/{id}/events"}; // below
  for (auto& [path, methods] : description()["paths"].items())
    for (auto& [method, operation] : methods.items()) {
      auto name = method_name(method) + " " + path;
      bool some = std::any_of(checked.begin(), checked.end(), [&](auto& c) { return c.starts_with(name + " 2"); });
      EXPECT_TRUE(some || streams.contains(name)) << name << " was never tried";
    }
}

TEST_F(openapi_test, every_event_fits_its_schema) {
  start();
  auto schema = description()["components"]["schemas"]["Event"];
  auto all = stream("/v1/events?state=true");
  auto id = started();
  auto one = stream("/v1/instances/" + id + "/events");
  cluster->run({id});
  cluster->append(set_node_mode_entry{{"n1"}, node_mode::draining});
  cluster->append(put_key_entry{{"k"}, "00", {"read"}, "", {}});
  cluster->append(set_pause_entry{true, "x"});
  cluster->end({id}, end_reason::stopped);
  std::set<std::string> types;
  for (std::string last; last != "instance.stopped";) {
    auto event = next_event(*all);
    EXPECT_EQ(misfit(event.data, schema), "");
    EXPECT_EQ(event.data["type"], event.type);
    types.insert(last = event.type);
  }
  for (auto type : {"synced", "instance.pending", "instance.running", "node.draining", "key.created", "system.paused"}) EXPECT_TRUE(types.contains(type)) << type;
  for (std::string last; last != "instance.stopped";) {
    auto event = next_event(*one);
    EXPECT_EQ(misfit(event.data, schema), "");
    last = event.type;
  }
}

TEST_F(openapi_test, a_wrong_reply_would_be_noticed) {
  auto instance = description()["components"]["schemas"]["Instance"];
  EXPECT_NE(misfit(json{{"id", 5}}, instance), "");
  EXPECT_NE(misfit(json{{"paused", true}, {"message", nullptr}, {"more", 1}}, description()["components"]["schemas"]["Pause"]), "");
}

} // namespace poseidon::test
