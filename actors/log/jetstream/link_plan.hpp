#pragma once
// When to connect, when to look whether the connection still delivers, when to give it up. Pure.

#include "messages/errors.hpp"
#include "messages/time.hpp"

#include <string>

namespace poseidon {

struct link_limits {
  millis first_wait{100}, longest_wait{5'000}; ///< between attempts; doubled each time, with jitter
  millis check_every{1'000};
  std::uint32_t failed_checks = 3; ///< in a row: then the connection is given up
};

/// What a check of the stream told.
struct stream_check {
  std::uint64_t last_message = 0;
  std::string leader; ///< empty for a stream without replicas
};

class link_plan {
public:
  enum class step : std::uint8_t { nothing, open, check };
  /// How a link is judged after a check.
  enum class finding : std::uint8_t {
    fine,
    silent,     ///< the stream goes on and nothing is delivered: follow anew
    new_leader, ///< everybody compares before he goes on
    gone,       ///< it does not answer
  };

  explicit link_plan(link_limits limits) : limits_(limits) {}

  /// The next attempt's number, once its time has come; a check of an open link.
  step next(boot_time now);
  std::uint64_t link() const { return link_; }
  bool is_open() const { return state_ == state::open; }
  bool is_opening() const { return state_ == state::opening; }
  /// When next() may have something new to say.
  boot_time due() const { return due_; }

  void opened(boot_time now, std::string leader);
  /// The attempt failed, or the open link was lost. `random` decides the jitter: any number.
  void closed(boot_time now, std::uint64_t random);
  /// Follow anew without a wait: the stream answers, the delivery does not.
  void reopen(boot_time now);
  /// A check's answer; `delivered`: the last message that came.
  finding checked(const outcome<stream_check>& answer, std::uint64_t delivered);

private:
  enum class state : std::uint8_t { waiting, opening, open };
  link_limits limits_;
  state state_ = state::waiting;
  std::uint64_t link_ = 0;
  boot_time due_;
  std::uint32_t attempts_ = 0;      ///< in a row, without success
  std::uint32_t failed_ = 0;        ///< checks
  std::uint64_t behind_at_ = 0;     ///< what was delivered when a check first found more in the stream
  bool behind_ = false;
  std::string leader_;
};

/// The wait before attempt n + 1 (n from 0): doubled each time up to the longest, and between half of it and all of it.
millis back_off(const link_limits& limits, std::uint32_t failed, std::uint64_t random);

} // namespace poseidon
