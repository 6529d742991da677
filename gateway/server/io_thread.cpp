#include "gateway/server/io_thread.hpp"

#include <boost/asio/post.hpp>

#include <pthread.h>

namespace poseidon::gateway {

namespace {
constexpr std::chrono::milliseconds sweep_period{250};
}

bool connection_count::add(std::size_t most) {
  if (count_.fetch_add(1, std::memory_order_relaxed) < most) return true;
  remove();
  return false;
}

void connection_count::remove() {
  if (count_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  std::lock_guard lock(mutex_);
  none_.notify_all();
}

void connection_count::wait_for_none(std::chrono::milliseconds most) {
  std::unique_lock lock(mutex_);
  none_.wait_for(lock, most, [this] { return open() == 0; });
}

io_thread::io_thread(unsigned index, const server_config& config, problem_maker problem, std::shared_ptr<connection_count> connections)
    : index_(index), limits_(config.limits), problem_(std::move(problem)), connections_(std::move(connections)) {}

io_thread::~io_thread() {
  close();
  if (thread_.joinable()) stop_and_join();
}

void io_thread::post(std::function<void()> work) {
  std::lock_guard lock(closed_mutex_);
  if (!closed_) boost::asio::post(context_, std::move(work));
}

loop::timer_id io_thread::after(std::chrono::milliseconds delay, std::function<void()> work) {
  auto id = next_timer_++;
  auto at = now() + delay;
  dues_.emplace(due{at, id}, std::move(work));
  due_of_.emplace(id, at);
  rearm();
  return id;
}

void io_thread::cancel(timer_id timer) {
  auto found = due_of_.find(timer);
  if (found == due_of_.end()) return;
  dues_.erase(due{found->second, timer});
  due_of_.erase(found);
}

void io_thread::rearm() {
  if (dues_.empty() || dues_.begin()->first.at >= armed_for_) return;
  armed_for_ = dues_.begin()->first.at;
  timer_.expires_at(armed_for_);
  timer_.async_wait([this](boost::system::error_code ec) {
    if (!ec) run_due();
  });
}

void io_thread::run_due() {
  armed_for_ = steady_time::max();
  auto moment = now();
  while (!dues_.empty() && dues_.begin()->first.at <= moment) {
    auto node = dues_.extract(dues_.begin());
    due_of_.erase(node.key().id);
    node.mapped()();
  }
  rearm();
}

void io_thread::add(session_base& session) {
  {
    std::lock_guard lock(sessions_mutex_);
    session.place = sessions_.size();
    sessions_.push_back(&session);
  }
  if (!sweeping_) {
    sweeping_ = true;
    after(sweep_period, [this] { sweep(); });
  }
}

void io_thread::remove(session_base& session) {
  std::lock_guard lock(sessions_mutex_);
  sessions_[session.place] = sessions_.back();
  sessions_[session.place]->place = session.place;
  sessions_.pop_back();
}

void io_thread::sweep() {
  auto moment = now();
  for (std::size_t i = sessions_.size(); i-- > 0;)
    if (i < sessions_.size()) sessions_[i]->check_deadline(moment);
  sweeping_ = !sessions_.empty();
  if (sweeping_) after(sweep_period, [this] { sweep(); });
}

void io_thread::start(http_service service) {
  service_ = std::move(service);
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), ("gateway-" + std::to_string(index_)).c_str());
    context_.run();
  });
}

void io_thread::drain() {
  draining_ = true;
  for (std::size_t i = sessions_.size(); i-- > 0;)
    if (i < sessions_.size()) sessions_[i]->drain();
}

void io_thread::close() {
  std::lock_guard lock(closed_mutex_);
  closed_ = true;
}

void io_thread::stop_and_join() {
  boost::asio::post(context_, [this] {
    draining_ = true;
    for (std::size_t i = sessions_.size(); i-- > 0;)
      if (i < sessions_.size()) sessions_[i]->abort();
    // Aborted operations still have to run: they hold the last references to their sessions.
    boost::asio::post(context_, [this] { context_.stop(); });
  });
  if (thread_.joinable()) thread_.join();
  dues_.clear();
  context_.restart();
  context_.poll();
  service_ = nullptr;
}

} // namespace poseidon::gateway
