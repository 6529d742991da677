#include "gateway/server/server.hpp"

#include "gateway/server/listener.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <condition_variable>

namespace poseidon::gateway {

struct server::state {
  server_config config;
  std::shared_ptr<connection_count> connections = std::make_shared<connection_count>();
  std::vector<std::shared_ptr<io_thread>> threads;
  /// Parallel to `threads`: what each one accepts. Declared after them: sockets end before their contexts.
  std::vector<std::vector<std::unique_ptr<listener>>> listeners;
  bool running = false, stopped = false;

  void run_on(unsigned index, std::function<void()> work);
};

/// Runs on that thread and waits; only from outside the gateway's threads.
void server::state::run_on(unsigned index, std::function<void()> work) {
  std::mutex mutex;
  std::condition_variable ready;
  bool done = false;
  boost::asio::post(threads[index]->context(), [&] {
    work();
    std::lock_guard lock(mutex);
    done = true;
    ready.notify_one();
  });
  std::unique_lock lock(mutex);
  ready.wait(lock, [&] { return done; });
}

server::server(server_config config, problem_maker problem) : state_(std::make_unique<state>()) {
  state_->config = std::move(config);
  auto count = std::max(1u, state_->config.threads);
  for (unsigned i = 0; i < count; ++i) {
    state_->threads.push_back(std::make_shared<io_thread>(i, state_->config, problem, state_->connections));
  }
  state_->listeners.resize(count);
}

server::~server() { stop(std::chrono::milliseconds{0}); }

std::vector<bound_address> server::bind() {
  std::vector<bound_address> result;
  for (auto& text : state_->config.listen) {
    auto target = parse_listen(text);
    auto& bound = result.emplace_back();
    if (target.unix_socket) {
      state_->listeners[0].push_back(listen_unix(target, state_->config.unix_mode, state_->threads, bound));
    } else {
      auto list = listen_tcp(target, state_->threads, bound);
      for (std::size_t i = 0; i < list.size(); ++i) state_->listeners[i].push_back(std::move(list[i]));
    }
  }
  return result;
}

std::shared_ptr<loop> server::thread(unsigned index) const { return state_->threads.at(index); }
unsigned server::threads() const { return static_cast<unsigned>(state_->threads.size()); }
std::size_t server::connections() const { return state_->connections->open(); }

void server::run(std::vector<http_service> services) {
  state_->running = true;
  for (std::size_t i = 0; i < state_->threads.size(); ++i) {
    for (auto& one : state_->listeners[i]) one->start();
    state_->threads[i]->start(std::move(services.at(i)));
  }
}

void server::stop(std::chrono::milliseconds grace) {
  if (std::exchange(state_->stopped, true)) return;
  if (state_->running) {
    for (unsigned i = 0; i < threads(); ++i)
      state_->run_on(i, [&] {
        for (auto& one : state_->listeners[i]) one->close();
        state_->threads[i]->drain();
      });
    state_->connections->wait_for_none(grace);
  }
  for (auto& thread : state_->threads) thread->close();
  for (auto& thread : state_->threads)
    if (state_->running) thread->stop_and_join();
  state_->listeners.clear();
}

} // namespace poseidon::gateway
