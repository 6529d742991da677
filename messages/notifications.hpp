#pragma once
// Notifications as they are asked for and told: receivers and how they fare, dead letters.

#include "messages/enums.hpp"
#include "messages/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace poseidon {

/// How a receiver wants its events.
enum class receiver_kind : std::uint8_t { webhook, discord };
POSEIDON_ENUM(receiver_kind, webhook, discord)

/// How one receiver fares. Counts are of this process's life, `pending` and `dead` of what is stored.
struct receiver_status {
  std::string name;
  receiver_kind type = receiver_kind::webhook;
  std::uint64_t pending = 0;   ///< stored, not delivered yet
  std::uint64_t delivered = 0, retried = 0, buried = 0;
  std::uint64_t dead = 0;      ///< dead letters that are kept
  std::optional<wall_time> last_delivered_at;
  std::optional<wall_time> failing_since; ///< no delivery has succeeded since then
  std::string last_error;
};
POSEIDON_FIELDS(receiver_status, name, type, pending, delivered, retried, buried, dead, last_delivered_at, failing_since, last_error)

/// An event that a receiver did not get, and will not get by itself.
struct dead_letter {
  std::uint64_t id = 0;
  std::string receiver, event, type, instance, challenge;
  wall_time died_at;
  std::uint32_t attempts = 0;
  std::string reason;
};
POSEIDON_FIELDS(dead_letter, id, receiver, event, type, instance, challenge, died_at, attempts, reason)

/// Dead letters in the order in which they died, those after `after`; of one receiver, or (empty) of all.
struct list_dead_letters {
  std::uint64_t after = 0;
  std::uint32_t limit = 100;
  std::string receiver;
};
POSEIDON_FIELDS(list_dead_letters, after, limit, receiver)
struct dead_letters {
  std::vector<dead_letter> items;
  bool more = false;
};
POSEIDON_FIELDS(dead_letters, items, more)

/// Queue dead letters anew: one (not_found when there is none), or (id 0) all, or all of one receiver.
struct replay_dead_letters {
  std::uint64_t id = 0;
  std::string receiver;
};
POSEIDON_FIELDS(replay_dead_letters, id, receiver)
struct replayed_letters {
  std::uint64_t count = 0;
};
POSEIDON_FIELDS(replayed_letters, count)

} // namespace poseidon
