#pragma once
// Waiting in coroutines of one io thread: conditions, bounded concurrency, callbacks of other parts. Nothing here
// locks; everything belongs to the thread that runs the io_context.
//
// GCC 12 destroys temporaries wrongly around a co_await inside ?:, && or ||: a co_await stands in a statement of its
// own.

#include <utility>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "messages/errors.hpp"

#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <optional>

namespace poseidon::engine {

namespace asio = boost::asio;

template <class T> using task = asio::awaitable<T>;
using steady_time = std::chrono::steady_clock::time_point;

inline steady_time after(std::chrono::milliseconds span) { return std::chrono::steady_clock::now() + span; }

/// A condition to wait for. Wake-ups may be spurious: wait in a loop. May be destroyed before its waiters.
class wait_list {
public:
  /// Returns when notified, or at `deadline`.
  task<void> wait(asio::io_context& io, steady_time deadline) {
    asio::steady_timer timer(io, deadline);
    auto waiters = waiters_;
    auto place = waiters->insert(waiters->end(), &timer);
    struct leave {
      std::list<asio::steady_timer*>& all;
      std::list<asio::steady_timer*>::iterator place;
      ~leave() { all.erase(place); }
    } guard{*waiters, place};
    boost::system::error_code ignored;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  void notify_all() {
    for (auto* timer : *waiters_)
      timer->cancel();
  }
  bool empty() const { return waiters_->empty(); }

private:
  std::shared_ptr<std::list<asio::steady_timer*>> waiters_ = std::make_shared<std::list<asio::steady_timer*>>();
};

/// At most so many at once; the others queue in order of arrival.
class limiter {
public:
  explicit limiter(std::size_t permits) : free_(permits) {}

  /// Held while the work goes on; gives its place back when destroyed.
  class permit {
  public:
    permit() = default;
    explicit permit(limiter* owner) : owner_(owner) {}
    permit(permit&& other) noexcept : owner_(std::exchange(other.owner_, nullptr)) {}
    permit& operator=(permit&& other) noexcept {
      std::swap(owner_, other.owner_);
      return *this;
    }
    ~permit() {
      if (owner_) owner_->give_back();
    }
    explicit operator bool() const { return owner_ != nullptr; }

  private:
    limiter* owner_ = nullptr;
  };

  /// An empty permit when the deadline passed first, or when `give_up` says so at a `poke`.
  task<permit> acquire(asio::io_context& io, steady_time deadline, std::function<bool()> give_up = {}) {
    auto turn = next_++;
    queue_.push_back(turn);
    struct leave {
      limiter& owner;
      std::uint64_t turn;
      ~leave() {
        owner.queue_.remove(turn);
        if (owner.free_ > 0) owner.changed_.notify_all();
      }
    } guard{*this, turn};
    for (;;) {
      if (give_up && give_up()) co_return permit();
      if (free_ > 0 && queue_.front() == turn) {
        --free_;
        co_return permit(this);
      }
      if (std::chrono::steady_clock::now() >= deadline) co_return permit();
      co_await changed_.wait(io, deadline);
    }
  }
  /// Makes every waiter look at its `give_up`.
  void poke() { changed_.notify_all(); }
  bool idle() const { return queue_.empty(); }

private:
  void give_back() {
    ++free_;
    changed_.notify_all();
  }
  std::size_t free_;
  std::uint64_t next_ = 0;
  std::list<std::uint64_t> queue_;
  wait_list changed_;
};

/// Runs `begin` with a callback that any thread may call once, and waits for it: its value, or `late` at the deadline.
template <class T, class Begin>
task<T> await_callback(asio::io_context& io, steady_time deadline, Begin begin, T late) {
  struct shared_state {
    explicit shared_state(asio::io_context& context) : timer(context) {}
    asio::steady_timer timer;
    std::optional<T> value;
  };
  auto state = std::make_shared<shared_state>(io);
  state->timer.expires_at(deadline);
  std::weak_ptr<shared_state> weak = state;
  // The weak pointer is locked on the io thread only: a late caller must not destroy the timer on its own thread.
  std::function<void(T)> callback = [weak, &io](T value) {
    asio::post(io, [weak, value = std::move(value)]() mutable {
      auto alive = weak.lock();
      if (!alive || alive->value) return;
      alive->value = std::move(value);
      alive->timer.cancel();
    });
  };
  begin(std::move(callback));
  boost::system::error_code ignored;
  co_await state->timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  if (state->value) co_return std::move(*state->value);
  co_return std::move(late);
}

} // namespace poseidon::engine
