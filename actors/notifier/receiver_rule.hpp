#pragma once
// Which events a receiver wants, and which notifier tells of an instance. Pure.

#include "messages/ids.hpp"
#include "messages/notifications.hpp"

#include <memory>
#include <string_view>

namespace poseidon {

/// One event on its way to receivers: what the API's event streams say about it, word for word.
struct notification {
  std::string id, type;
  std::string instance, challenge; ///< empty: of none
  struct position at;              ///< of its entry
  std::string body;                ///< JSON
};
using notification_ptr = std::shared_ptr<const notification>;

/// A receiver, as far as deciding needs it.
struct receiver_rule {
  std::string name;
  receiver_kind kind = receiver_kind::webhook;
  std::vector<std::string> events;     ///< patterns of types; empty: every event
  std::vector<std::string> challenges; ///< patterns of challenge ids; empty: any, and events of no challenge
  std::uint32_t parallel = 8;          ///< requests under way at once
};

/// Shell patterns: * is any text, ? one character.
bool matches_pattern(std::string_view pattern, std::string_view text);
/// Whether the receiver asked for this event.
bool wants(const receiver_rule& receiver, const notification& event);

/// Which of the notifiers tells of an instance (rendezvous hashing: when one leaves, only its own instances move). Events
/// of no instance belong to one of them as well. Empty when there are none.
std::string notifier_of(std::string_view instance, const std::vector<std::string>& notifiers);

} // namespace poseidon
