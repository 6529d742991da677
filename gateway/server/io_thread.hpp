#pragma once
// One gateway thread: io_context, timers, and the sessions that live on it. Only server/*.cpp includes this.

#include "gateway/server/server.hpp"

#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

namespace poseidon::gateway {

using steady_time = std::chrono::steady_clock::time_point;

/// Connections of all threads; its end can be waited for.
class connection_count {
public:
  /// False when `most` are open already.
  bool add(std::size_t most);
  void remove();
  std::size_t open() const { return count_.load(std::memory_order_relaxed); }
  void wait_for_none(std::chrono::milliseconds most);

private:
  std::atomic<std::size_t> count_{0};
  std::mutex mutex_;
  std::condition_variable none_;
};

/// What a thread does with the sessions on it.
class session_base {
public:
  virtual ~session_base() = default;
  /// Closes it when its deadline has passed.
  virtual void check_deadline(steady_time now) = 0;
  /// Ends it now when it is idle or streaming, else after the answer under way.
  virtual void drain() = 0;
  virtual void abort() = 0;
  std::size_t place = 0; ///< in the thread's list
};

class io_thread final : public loop, public std::enable_shared_from_this<io_thread> {
public:
  io_thread(unsigned index, const server_config& config, problem_maker problem, std::shared_ptr<connection_count> connections);
  ~io_thread() override;

  void post(std::function<void()> work) override;
  timer_id after(std::chrono::milliseconds delay, std::function<void()> work) override;
  void cancel(timer_id timer) override;
  steady_time now() const override { return boost::asio::steady_timer::clock_type::now(); }
  unsigned index() const override { return index_; }

  boost::asio::io_context& context() { return context_; }
  const server_limits& limits() const { return limits_; }
  http_response problem(int status, std::string_view detail) const { return problem_(status, detail); }
  const http_service& service() const { return service_; }
  bool draining() const { return draining_; }

  void add(session_base& session);
  void remove(session_base& session);

  void start(http_service service);
  /// On its thread: every session is asked to finish.
  void drain();
  /// Ends the thread: what is left is aborted.
  void stop_and_join();
  /// Posted work is dropped from now on.
  void close();

  connection_count& connections() { return *connections_; }

private:
  struct due {
    steady_time at;
    timer_id id;
    auto operator<=>(const due&) const = default;
  };
  void run_due();
  void rearm();
  void sweep();

  unsigned index_;
  server_limits limits_;
  problem_maker problem_;
  std::shared_ptr<connection_count> connections_;
  http_service service_;
  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_{context_.get_executor()};
  boost::asio::steady_timer timer_{context_};
  std::map<due, std::function<void()>> dues_;
  std::map<timer_id, steady_time> due_of_;
  timer_id next_timer_ = 1;
  steady_time armed_for_ = steady_time::max();
  /// Sessions begin and end on this thread while it runs; after its end, wherever the last reference is dropped.
  std::mutex sessions_mutex_;
  std::vector<session_base*> sessions_;
  bool sweeping_ = false, draining_ = false;
  std::mutex closed_mutex_;
  bool closed_ = false;
  std::thread thread_;
};

} // namespace poseidon::gateway
