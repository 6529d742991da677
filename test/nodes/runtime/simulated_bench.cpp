#include "nodes/runtime/simulated_runtime.hpp"
#include "test/nodes/runtime/contract.hpp"
#include "test/nodes/runtime/engine_fixture.hpp"
#include "test/nodes/runtime/virtual_timer.hpp"

namespace poseidon::test {

namespace {

class simulated_bench final : public runtime_bench {
public:
  simulated_bench() {
    engine_ = std::make_shared<simulated_engine>(timer_.later(), timer_.clock(), 42);
    engine_->faults.most_latency = millis(20);
    engine_->images["nowhere"].present = engine_->images["nowhere"].exists = false;
    engine_->images["exits"].exits_at_start = 3;
    engine_->images["exits"].output = "boom\n";
    engine_->images["deaf"].ignores_term = true;
    engine_->images["talks"].output = "hello\n";
    restart_process();
  }
  runtime& under_test() override { return *runtime_; }
  void restart_process() override {
    runtime_.reset();
    runtime_ = make_simulated_runtime(engine_, "test", "test-node", timer_.later());
  }
  bool wait(const std::function<bool()>& condition, millis limit) override {
    return timer_.run_until(condition, limit);
  }
  std::shared_ptr<launch_plan> plan(const std::string& instance, std::uint64_t sequence) override {
    return with_image(instance, "works", sequence);
  }
  std::shared_ptr<launch_plan> plan_without_image(const std::string& instance) override {
    return with_image(instance, "nowhere");
  }
  std::shared_ptr<launch_plan> plan_that_exits(const std::string& instance) override {
    return with_image(instance, "exits");
  }
  std::shared_ptr<launch_plan> plan_that_ignores_term(const std::string& instance) override {
    return with_image(instance, "deaf");
  }
  std::shared_ptr<launch_plan> plan_that_talks(const std::string& instance) override { return with_image(instance, "talks"); }
  void write(const group_key& key, const std::string& text) override { engine_->write(key, "main", text); }
  void crash(const group_key& key, const std::string& service) override { engine_->crash(key, service); }

private:
  static std::shared_ptr<launch_plan> with_image(const std::string& instance, const std::string& image,
                                                 std::uint64_t sequence = 1) {
    auto plan = small_plan(instance, sequence);
    spec_of(*plan).services[0].image = image;
    return plan;
  }
  virtual_timer timer_;
  std::shared_ptr<simulated_engine> engine_;
  std::unique_ptr<runtime> runtime_;
};

} // namespace

bench_ptr make_simulated_bench() { return std::make_unique<simulated_bench>(); }

} // namespace poseidon::test
