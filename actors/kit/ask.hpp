#pragma once
// The one way to ask another actor: a finite timeout, and always both handlers. CAF never breaks a promise: a dead or
// silent actor shows only as a timeout, which means *unknown*: look, then decide.

#include "actors/caf.hpp"

namespace poseidon {

/// What a CAF error on a request means to whoever asked: `unknown_outcome` for a timeout and for an actor that ended.
failure failure_of(const caf::error& e);

namespace detail {
template <class T>
struct outcome_value {
  using type = T;
  static constexpr bool is_outcome = false;
};
template <class T>
struct outcome_value<outcome<T>> {
  using type = T;
  static constexpr bool is_outcome = true;
};
template <class List>
struct first_of;
template <class T>
struct first_of<caf::detail::type_list<T>> {
  using type = T;
};
} // namespace detail

/// Sends `message` to `target` and calls exactly one of the two: `on_value(T)` with the reply (of an `outcome<T>` its
/// value), or `on_error(failure)` with the outcome's failure, or with `unknown_outcome` when no answer came within
/// `timeout` (above zero). Neither is called once `self` has ended.
template <class Self, class Target, class Message, class OnValue, class OnError>
void ask(Self* self, const Target& target, millis timeout, Message&& message, OnValue on_value, OnError on_error) {
  using reply = typename detail::first_of<caf::response_type_t<typename Target::signatures, std::decay_t<Message>>>::type;
  using traits = detail::outcome_value<reply>;
  auto failed = std::make_shared<OnError>(std::move(on_error));
  auto request = self->request(target, std::max(timeout, millis{1}), std::forward<Message>(message));
  const auto answered = [self, id = request.id()] { self->clock().cancel_request_timeout(self, id); }; // else kept until it is due
  request.then(
      [answered, value = std::move(on_value), failed](reply& answer) mutable {
        answered();
        if constexpr (!traits::is_outcome)
          value(std::move(answer));
        else if (answer.ok())
          value(std::move(*answer));
        else
          (*failed)(std::move(answer.error));
      },
      [answered, failed](caf::error& e) {
        answered();
        (*failed)(failure_of(e));
      });
}

} // namespace poseidon
