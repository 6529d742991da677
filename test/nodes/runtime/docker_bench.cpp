#include "test/nodes/runtime/contract.hpp"
#include "test/nodes/runtime/engine_fixture.hpp"

#include <condition_variable>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace poseidon::test {

namespace {

class docker_bench final : public runtime_bench {
public:
  docker_bench() { runtime_ = make_docker_runtime(cluster_.options()); }
  runtime& under_test() override { return *runtime_; }
  void restart_process() override {
    runtime_.reset();
    runtime_ = make_docker_runtime(cluster_.options());
  }
  bool wait(const std::function<bool()>& condition, millis limit) override {
    auto end = std::chrono::steady_clock::now() + limit;
    std::mutex mutex;
    std::condition_variable never;
    std::unique_lock lock(mutex);
    // Looked at every 2 ms: the answers come from another thread and have no common signal.
    while (!condition()) {
      if (std::chrono::steady_clock::now() > end) return false;
      never.wait_for(lock, millis(2));
    }
    return true;
  }
  std::shared_ptr<launch_plan> plan(const std::string& instance, std::uint64_t sequence) override {
    return small_plan(instance, sequence);
  }
  std::shared_ptr<launch_plan> plan_without_image(const std::string& instance) override {
    auto plan = small_plan(instance);
    spec_of(*plan).services[0].image = "poseidon-test/nowhere:1";
    return plan;
  }
  std::shared_ptr<launch_plan> plan_that_exits(const std::string& instance) override {
    auto plan = small_plan(instance);
    spec_of(*plan).services[0].command = {"sh", "-c", "echo boom; exit 3"};
    return plan;
  }
  std::shared_ptr<launch_plan> plan_that_ignores_term(const std::string& instance) override {
    auto plan = small_plan(instance);
    spec_of(*plan).services[0].command = {"sh", "-c", "trap '' TERM; exec sleep 600"};
    return plan;
  }
  std::shared_ptr<launch_plan> plan_that_talks(const std::string& instance) override {
    auto plan = small_plan(instance);
    // Says what is appended to a file of its own.
    spec_of(*plan).services[0].command = {"sh", "-c", ": >/said; echo hello; exec tail -f /said"};
    return plan;
  }
  void write(const group_key& key, const std::string& text) override {
    auto state = wait_for<group_state>(*this, [&](auto to) { runtime_->inspect(key, to); });
    if (!state) throw std::runtime_error(state.error.detail);
    const auto path = "/proc/" + std::to_string(state->services.at(0).where.pid) + "/root/said";
    if (!wait([&] { return std::filesystem::exists(path); }, millis(10000))) throw std::runtime_error("it never listens");
    std::ofstream(path, std::ios::binary | std::ios::app) << text << std::flush;
  }
  void crash(const group_key& key, const std::string& service) override {
    auto state = wait_for<group_state>(*this, [&](auto to) { runtime_->inspect(key, to); });
    if (!state) throw std::runtime_error(state.error.detail);
    for (auto& one : state->services)
      if (one.service == service && one.where.pid > 0) ::kill(one.where.pid, SIGKILL);
  }

private:
  test_cluster cluster_;
  std::unique_ptr<runtime> runtime_;
};

} // namespace

bench_ptr make_docker_bench() { return std::make_unique<docker_bench>(); }

} // namespace poseidon::test
