#pragma once
// A request's promise with its place in a bound: answered exactly once, also when its handler forgets it.

#include "messages/errors.hpp"

#include <caf/all.hpp>

#include <memory>

namespace poseidon {

/// Copyable; all copies are one promise. `open` counts the promises that are not answered yet and outlives them.
template <class T>
class bounded_promise {
public:
  using promise_type = caf::typed_response_promise<outcome<T>>;
  bounded_promise(promise_type promise, std::shared_ptr<std::size_t> open)
      : shared_(std::make_shared<shared>(std::move(promise), std::move(open))) {}

  /// The first answer counts.
  void answer(outcome<T> value) const { shared_->answer(std::move(value)); }

private:
  struct shared {
    promise_type promise;
    std::shared_ptr<std::size_t> open;
    bool answered = false;
    shared(promise_type p, std::shared_ptr<std::size_t> o) : promise(std::move(p)), open(std::move(o)) { ++*open; }
    ~shared() { answer(outcome<T>{failure{errc::internal, "the request was dropped", {}, {}, {}}}); }
    void answer(outcome<T> value) {
      if (answered) return;
      answered = true;
      --*open;
      promise.deliver(std::move(value));
    }
  };
  std::shared_ptr<shared> shared_;
};

} // namespace poseidon
