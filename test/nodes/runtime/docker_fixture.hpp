#pragma once
// A Docker runtime under test, with calls that wait.

#include "nodes/runtime/engine/names.hpp"
#include "test/nodes/runtime/contract.hpp"
#include "test/nodes/runtime/engine_fixture.hpp"

#include <nlohmann/json.hpp>

#include <condition_variable>
#include <fstream>
#include <unistd.h>

namespace poseidon::test {

using nlohmann::json;

inline std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

class docker_runtime : public ::testing::Test {
protected:
  void begin(docker_options options) {
    port = make_docker_runtime(std::move(options));
    auto info = call<runtime_info>([&](auto to) { port->start(to); });
    ASSERT_TRUE(info) << info.error.detail;
  }
  void SetUp() override { begin(cluster.options()); }
  template <class T, class Call> outcome<T> call(Call begin_call) {
    struct state {
      std::mutex mutex;
      std::condition_variable there;
      std::optional<outcome<T>> result;
    };
    auto shared = std::make_shared<state>();
    begin_call([shared](outcome<T> result) {
      std::lock_guard lock(shared->mutex);
      shared->result = std::move(result);
      shared->there.notify_all();
    });
    std::unique_lock lock(shared->mutex);
    if (!shared->there.wait_for(lock, std::chrono::seconds(90), [&] { return shared->result.has_value(); }))
      return failure{errc::request_timeout, "no answer", {}, {}, {}};
    return std::move(*shared->result);
  }
  outcome<group_state> ensure(launch_plan_ptr plan, millis timeout = millis(30000)) {
    return call<group_state>([&](auto to) { port->ensure(plan, timeout, {}, to); });
  }
  outcome<done> remove(const group_key& key) {
    return call<done>([&](auto to) { port->remove(key, to); });
  }
  json described(const launch_plan& plan, const std::string& service = "main") {
    return json::parse(engine_call(
        "GET", "/containers/" + engine::container_name({cluster.name(), "test-node"}, plan.key, service) + "/json"));
  }
  /// A file as the service's own process sees it.
  std::string inside(const endpoint& where, const std::string& path) {
    return read_file("/proc/" + std::to_string(where.pid) + "/root" + path);
  }
  std::string output(const group_key& key) {
    auto text = std::make_shared<std::pair<std::mutex, std::string>>();
    call<done>([&](auto to) {
      port->logs(
          {key, "", true, -1},
          [text](const log_chunk& chunk) {
            std::lock_guard lock(text->first);
            text->second += chunk.text;
          },
          to);
    });
    std::lock_guard lock(text->first);
    return text->second;
  }

  test_cluster cluster;
  std::unique_ptr<runtime> port;
};

} // namespace poseidon::test
