#pragma once
// The actor side of a callback port: requests that are open at a port, answered by its callbacks or by their time limit.

#include "actors/interfaces.hpp"

#include <map>
#include <set>

namespace poseidon {

/// What a port's callback sends to the adapter's actor: work to be done there. Made and sent on any thread.
struct port_event {
  using poseidon_message = void;
  std::function<void()> run;
};

/// Open calls of one adapter actor. A call ends once: with the port's answer, or with `engine_timeout` some time after the
/// limit that the port promised. A later answer is dropped.
class port_calls {
public:
  /// Everything that a callback needs on a foreign thread: no strong reference to the actor.
  class sink {
  public:
    explicit sink(caf::weak_actor_ptr target) : target_(std::move(target)) {}
    /// Has `run` executed by the actor; nothing happens when the actor has ended.
    void post(std::function<void()> run) const {
      if (auto strong = caf::actor_cast<caf::strong_actor_ptr>(target_))
        caf::anon_send(caf::actor_cast<caf::actor>(strong), port_event{std::move(run)});
    }

  private:
    caf::weak_actor_ptr target_;
  };

  /// `what` names the port in failures ("the engine"). `self` owns this object.
  port_calls(caf::scheduled_actor* self, std::string what) : sink_(caf::actor_cast<caf::weak_actor_ptr>(self->ctrl())), what_(std::move(what)) {}

  /// Opens a call that ends at `deadline` at the latest; returns the callback to hand to the port.
  template <class T>
  std::function<void(outcome<T>)> open(caf::typed_response_promise<outcome<T>> promise, boot_time deadline) {
    return open_with<T>([promise](outcome<T> value) mutable { promise.deliver(std::move(value)); }, deadline);
  }
  /// The same, for an answer that is worked on in the actor first.
  template <class T>
  std::function<void(outcome<T>)> open_with(std::function<void(outcome<T>)> answer, boot_time deadline) {
    const auto id = ++last_;
    auto shared = std::make_shared<std::function<void(outcome<T>)>>(std::move(answer));
    calls_.emplace(id, call{deadline, [shared](failure why) { (*shared)(outcome<T>{std::move(why)}); }});
    deadlines_.emplace(deadline, id);
    std::weak_ptr<std::function<void(outcome<T>)>> weak = shared;
    return [this, id, weak, to = sink_](outcome<T> value) {
      to.post([this, id, weak, value = std::move(value)]() mutable {
        auto here = weak.lock();
        if (here && close(id)) (*here)(std::move(value));
      });
    };
  }

  const sink& to_self() const { return sink_; }
  std::optional<boot_time> next_deadline() const {
    if (deadlines_.empty()) return std::nullopt;
    return deadlines_.begin()->first;
  }
  /// Ends what has outlived its limit.
  void expire(boot_time now) {
    while (!deadlines_.empty() && deadlines_.begin()->first <= now)
      end(deadlines_.begin()->second, failure{errc::engine_timeout, what_ + " did not answer in time", 1'000, {}, {}});
  }
  /// Ends all of them.
  void fail_all(const failure& why) {
    while (!calls_.empty()) end(calls_.begin()->first, why);
  }
  std::size_t size() const { return calls_.size(); }

private:
  struct call {
    boot_time deadline;
    std::function<void(failure)> fail;
  };
  bool close(std::uint64_t id) {
    auto found = calls_.find(id);
    if (found == calls_.end()) return false;
    deadlines_.erase({found->second.deadline, id});
    calls_.erase(found);
    return true;
  }
  void end(std::uint64_t id, failure why) {
    auto fail = std::move(calls_.at(id).fail);
    close(id);
    fail(std::move(why));
  }
  sink sink_;
  std::string what_;
  std::uint64_t last_ = 0;
  std::map<std::uint64_t, call> calls_;
  std::set<std::pair<boot_time, std::uint64_t>> deadlines_;
};

} // namespace poseidon
