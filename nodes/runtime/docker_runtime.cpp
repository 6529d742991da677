#include "nodes/runtime/docker_runtime.hpp"

#include "nodes/runtime/engine/docker_core.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>

#include <atomic>
#include <mutex>
#include <thread>

namespace poseidon {

namespace {

namespace asio = boost::asio;
using engine::docker_core;
using engine::task;

/// An answer that is given exactly once: by the work, or by the runtime's end.
template <class T> class open_answer {
public:
  explicit open_answer(answer<T> to) : to_(std::move(to)) {}
  void give(outcome<T> result) {
    if (!given_.exchange(true) && to_) to_(std::move(result));
  }

private:
  answer<T> to_;
  std::atomic<bool> given_{false};
};

class docker_runtime final : public runtime {
public:
  explicit docker_runtime(docker_options options) {
    auto path = engine::socket_path(options.engine);
    if (!path) refused_ = path.error;
    core_ = std::make_shared<docker_core>(std::move(options), path ? *path : std::string("/nonexistent"));
    guard_.emplace(asio::make_work_guard(core_->io()));
    thread_ = std::thread([this] { core_->io().run(); });
  }

  ~docker_runtime() override {
    core_->io().stop();
    thread_.join();
    guard_.reset();
    auto gone = engine::fail(errc::shutting_down, "the runtime ends");
    for (auto& [number, end] : take_open())
      end(gone);
    core_.reset();
  }

  void start(answer<runtime_info> to) override {
    if (refused_)
      return run<runtime_info>(std::move(to),
                               [refused = refused_](docker_core&) { return refuse<runtime_info>(refused); });
    run<runtime_info>(std::move(to), [](docker_core& core) { return core.start(); });
  }
  void ensure(launch_plan_ptr plan, millis timeout, std::function<void(const group_progress&)> progress,
              answer<group_state> to) override {
    run<group_state>(std::move(to), [plan = std::move(plan), timeout, progress = std::move(progress)](
                                        docker_core& core) { return core.ensure(plan, timeout, progress); });
  }
  void start_again(group_key key, millis timeout, answer<group_state> to) override {
    run<group_state>(std::move(to), [key, timeout](docker_core& core) { return core.start_again(key, timeout); });
  }
  void stop(group_key key, std::string signal, millis grace, answer<done> to) override {
    run<done>(std::move(to), [key, signal, grace](docker_core& core) { return core.stop(key, signal, grace); });
  }
  void remove(group_key key, answer<done> to) override {
    run<done>(std::move(to), [key](docker_core& core) { return core.remove(key); });
  }
  void list(answer<std::vector<runtime_object>> to) override {
    run<std::vector<runtime_object>>(std::move(to), [](docker_core& core) { return core.list(); });
  }
  void remove_object(runtime_object object, answer<done> to) override {
    run<done>(std::move(to), [object = std::move(object)](docker_core& core) { return core.remove_object(object); });
  }
  void inspect(group_key key, answer<group_state> to) override {
    run<group_state>(std::move(to), [key](docker_core& core) { return core.inspect(key); });
  }
  log_reading logs(log_request request, std::function<void(const log_chunk&)> chunk, answer<done> to) override {
    auto control = std::make_shared<engine::stream_control>();
    control->credit = request.credit_bytes;
    run<done>(std::move(to), [request = std::move(request), chunk = std::move(chunk), control](docker_core& core) {
      return core.logs(request, chunk, control);
    });
    // May be called after this runtime's end: the flag lives with the call, the io_context does not.
    std::weak_ptr<docker_core> weak = core_;
    auto on_io = [weak, control](std::function<void()> work) {
      if (auto core = weak.lock()) asio::post(core->io(), std::move(work));
    };
    return {[on_io, control] { on_io([control] { control->cancel(); }); },
            [on_io, control](std::uint64_t bytes) { on_io([control, bytes] { control->more(bytes); }); }};
  }
  void stats(group_key key, answer<group_stats> to) override {
    run<group_stats>(std::move(to), [key](docker_core& core) { return core.stats(key); });
  }
  void watch(std::function<void(const service_exited&)> watcher) override {
    asio::post(core_->io(),
               [core = core_.get(), watcher = std::move(watcher)]() mutable { core->watcher = std::move(watcher); });
  }
  void watch_engine(std::function<void(const engine_changed&)> watcher) override {
    asio::post(core_->io(), [core = core_.get(), watcher = std::move(watcher)]() mutable {
      core->engine_watcher = std::move(watcher);
    });
  }
  void update_instance_file(launch_plan_ptr plan, answer<done> to) override {
    run<done>(std::move(to), [plan = std::move(plan)](docker_core& core) { return core.update_instance_file(plan); });
  }
  void list_images(answer<std::vector<std::string>> to) override {
    run<std::vector<std::string>>(std::move(to), [](docker_core& core) { return core.list_images(); });
  }
  void pull(std::string image, millis timeout, std::function<void(std::uint32_t)> progress, answer<done> to) override {
    run<done>(std::move(to), [image = std::move(image), timeout, progress = std::move(progress)](docker_core& core) {
      return core.pull(image, timeout, progress);
    });
  }

private:
  template <class T> static task<outcome<T>> refuse(failure why) { co_return why; }

  /// Runs the work on the io thread; its end, an exception, or this runtime's end answers.
  template <class T, class Work> void run(answer<T> to, Work work) {
    auto open = std::make_shared<open_answer<T>>(std::move(to));
    auto number = add_open([open](const failure& why) { open->give(why); });
    asio::post(core_->io(), [this, open, number, work = std::move(work)]() mutable {
      asio::co_spawn(core_->io(), work(*core_), [this, open, number](std::exception_ptr error, outcome<T> result) {
        if (error) result = failure{errc::internal, words_of(error), {}, {}, {}};
        remove_open(number);
        open->give(std::move(result));
      });
    });
  }

  static std::string words_of(std::exception_ptr error) {
    try {
      std::rethrow_exception(error);
    } catch (const std::exception& known) {
      return std::string("the runtime failed: ") + known.what();
    } catch (...) {
      return "the runtime failed";
    }
  }

  std::uint64_t add_open(std::function<void(const failure&)> end) {
    std::lock_guard lock(mutex_);
    open_[++last_number_] = std::move(end);
    return last_number_;
  }
  void remove_open(std::uint64_t number) {
    std::lock_guard lock(mutex_);
    open_.erase(number);
  }
  std::map<std::uint64_t, std::function<void(const failure&)>> take_open() {
    std::lock_guard lock(mutex_);
    return std::exchange(open_, {});
  }

  failure refused_;
  std::shared_ptr<docker_core> core_;
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> guard_;
  std::mutex mutex_;
  std::uint64_t last_number_ = 0;
  std::map<std::uint64_t, std::function<void(const failure&)>> open_;
  std::thread thread_;
};

} // namespace

std::unique_ptr<runtime> make_docker_runtime(docker_options options) {
  return std::make_unique<docker_runtime>(std::move(options));
}

} // namespace poseidon
