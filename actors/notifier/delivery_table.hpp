#pragma once
// What is under way to one receiver: events in order per instance, when each is tried next, what an answer means. Pure:
// time and random bits are arguments.

#include "actors/notifier/receiver_rule.hpp"
#include "messages/errors.hpp"

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>

namespace poseidon {

struct retry_rule {
  millis first{1'000};         ///< after the first failure; doubled with each
  millis longest{60'000};
  millis give_up{86'400'000};  ///< older than this, and still failing: a dead letter
  std::uint32_t outage_after = 3; ///< failures in a row after which the receiver itself is held for down
};

/// What a receiver answered.
struct receiver_reply {
  int status = 0;
  std::optional<millis> retry_after; ///< as it asked
  std::string note;                  ///< the first part of its answer, for people
};

/// What an attempt came to.
struct attempt_result {
  enum class kind : std::uint8_t { delivered, again, never };
  kind what = kind::again;
  bool receiver_at_fault = false; ///< it is away or busy, whatever it was sent
  std::optional<millis> wait;     ///< not before
  std::string why;
};
/// 2xx: delivered. 408, 425, 429, 5xx, no answer: again. Anything else is final: the same request would meet the same answer.
attempt_result judge_reply(const outcome<receiver_reply>& reply);

/// An event as it is stored for one receiver. `row` orders it.
struct stored_item {
  std::uint64_t row = 0;
  wall_time stored_at;
  notification_ptr what;
  bool again = false; ///< a dead letter that was sent for anew: nobody else tells of it
};

/// One request to be made.
struct delivery_attempt {
  std::uint64_t row = 0;
  notification_ptr what;
  std::uint32_t number = 1; ///< 1: the first attempt
};

/// What became of an item.
struct settlement {
  enum class kind : std::uint8_t { delivered, retried, buried };
  kind what = kind::retried;
  std::uint64_t row = 0;
  notification_ptr event;
  std::uint32_t attempts = 0;
  std::string why;
};

/// The n-th wait (from 1): doubled each time up to the longest, the upper half of it by chance.
millis backoff(const retry_rule& rule, std::uint32_t n, std::uint64_t random);

/// The deliveries of one receiver. Events of one instance go out one after the other, in the order of their rows; those of
/// different instances side by side. One that fails waits, with those behind it; when several fail the receiver is held for down,
/// and a single request now and then tries whether it is back.
class delivery_table {
public:
  delivery_table(std::uint32_t parallel, retry_rule rule) : parallel_(parallel), rule_(rule) {}

  /// One that is held already is passed over: rows of an instance come in their order.
  void add(stored_item item);
  /// Another notifier tells of these instances from now on: what waits is dropped from the table, what is under way is the
  /// last of its instance, whatever comes of it.
  void let_go(const std::function<bool(const std::string& instance)>& of);
  /// Requests under way of instances that were let go.
  std::size_t leaving() const { return leaving_; }
  /// Requests to make now; each has to be settled.
  std::vector<delivery_attempt> take_due(boot_time now);
  /// What the answer to that request means. The item itself comes first; those that go with it (too old, in an outage) follow.
  std::vector<settlement> settle(std::uint64_t row, const attempt_result& result, boot_time now, wall_time wall, std::uint64_t random);
  /// When take_due may next have something; nothing: not before add or settle.
  std::optional<boot_time> next() const;

  /// Items held.
  std::size_t size() const { return size_; }
  std::size_t under_way() const { return under_way_.size(); }
  bool outage() const { return failures_ >= rule_.outage_after; }

private:
  struct lane {
    std::deque<stored_item> items;
    std::uint32_t attempts = 0; ///< of the first item
    boot_time due;
    bool leaving = false; ///< another notifier goes on with it
  };
  using lanes = std::map<std::string, lane>;
  void make_ready(const std::string& name, const lane& of);
  std::uint32_t room() const { return outage() ? 1 : parallel_; }
  void note_failure(const std::string& lane_name, const attempt_result& result, boot_time now, std::uint64_t random);
  void forget(lanes::iterator gone);
  /// Takes the first item off its lane.
  settlement leave(lanes::iterator from, settlement::kind how, std::string why);
  void bury_old(wall_time wall, std::vector<settlement>& into);

  std::uint32_t parallel_;
  retry_rule rule_;
  lanes lanes_; ///< by instance; "" holds events of none
  std::set<std::tuple<boot_time, std::uint64_t, std::string>> ready_; ///< lanes with nothing under way: due, first row, name
  std::map<std::uint64_t, std::string> under_way_;                    ///< row: lane
  std::size_t size_ = 0, leaving_ = 0;
  std::uint32_t failures_ = 0; ///< in a row, of different instances or by the receiver's own fault
  std::optional<std::string> last_failed_; ///< lane
  boot_time paused_until_;
};

} // namespace poseidon
