#pragma once
// Helpers of the log tests: a real scheduler, a follower that waits with a limit, entries to append.

#include "actors/log/log.hpp"
#include "test/support/counted_random.hpp"
#include "test/support/temporary_folder.hpp"
#include "test/support/threaded_system.hpp"
#include "test/support/virtual_clock.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <set>

namespace poseidon::test {

class log_test_base : public threaded_system {
public:
  virtual_clock time;
  counted_random random;

  entry_ptr make_entry(entry_body body = put_setting_entry{"a.setting", "1"}) {
    auto made = std::make_shared<entry>();
    made->id = mint<entry_id>(random);
    made->appender = "test";
    made->at = time.wall_now();
    made->body = std::move(body);
    return made;
  }
  std::vector<entry_ptr> make_entries(std::size_t count) {
    std::vector<entry_ptr> made;
    while (made.size() < count) made.push_back(make_entry(cancel_entry{instance_id{"i" + std::to_string(made.size())}, end_reason::stopped, "key:k"}));
    return made;
  }
};

/// Follows a log as the ledger actor would, from the outside.
class follower {
public:
  follower(caf::actor_system& system, log_actor log) : log_(std::move(log)), self_(system) {}

  log_sink sink() { return caf::actor_cast<log_sink>(self_->address()); }
  void append(std::vector<entry_ptr> entries) { self_->send(log_, append_to_log{sink(), std::move(entries)}); }

  template <class Reply, class Message>
  outcome<Reply> ask(Message m) {
    outcome<Reply> result{failure{errc::unknown_outcome, "no answer", {}, {}, {}}};
    self_->request(log_, limit, std::move(m)).receive([&](outcome<Reply>& r) { result = std::move(r); }, [](caf::error&) {});
    return result;
  }
  outcome<log_extent> follow(std::uint64_t after) {
    if (followed_ && !seen.empty() && after == seen.back().sequence) may_repeat_ = true;
    followed_ = after;
    return ask<log_extent>(follow_log{sink(), after});
  }

  /// Takes messages until `count` entries more have come, or the limit; consumes them unless told otherwise.
  void take(std::size_t count, bool consume = true) {
    for (auto end = seen.size() + count; seen.size() < end && take_message(limit, consume);) {}
  }
  /// Takes what comes within a moment: to see that nothing more does.
  void take_rest() { while (take_message(std::chrono::milliseconds(150), false)) {} }
  bool take_message(std::chrono::milliseconds wait, bool consume) {
    bool got = true;
    self_->receive(
        [&](log_batch& b) {
          for (auto& e : *b.entries)
            if (!repeated(e)) seen.push_back(e);
          last = b.last;
          if (consume) self_->send(log_, log_consumed{sink(), seen.back().sequence});
        },
        [&](log_append_failed& f) { failed.push_back(f); }, [&](log_connection& c) { connections.push_back(c.connected); },
        caf::after(wait) >> [&] { got = false; });
    follow_again_if_due();
    return got;
  }
  void consumed(std::uint64_t sequence) { self_->send(log_, log_consumed{sink(), sequence}); }

  static constexpr std::chrono::seconds limit{20};
  std::vector<logged_entry> seen;
  std::vector<log_append_failed> failed;
  std::vector<bool> connections;
  std::uint64_t last = 0;
  bool follows_anew = false; ///< after each reconnect, from where it was: as the ledger does where its log is whole

private:
  /// Who follows anew where it is may be sent again what was on its way already, and passes over it.
  bool repeated(const logged_entry& e) const {
    if (!may_repeat_ || !e.what || seen.empty() || e.sequence > seen.back().sequence) return false;
    const auto back = seen.back().sequence - e.sequence;
    return back < seen.size() && seen[seen.size() - 1 - back].what->id == e.what->id;
  }
  void follow_again_if_due() {
    const bool due = follows_anew && followed_ && connections.size() > answered_ && connections.back();
    answered_ = connections.size();
    if (due) follow(seen.empty() ? *followed_ : seen.back().sequence);
  }

  std::optional<std::uint64_t> followed_; ///< where it was told to begin
  bool may_repeat_ = false;               ///< it has followed anew where it was
  std::size_t answered_ = 0;              ///< of `connections`
  log_actor log_;
  caf::scoped_actor self_;
};

/// Sequences first, first+1, … without a gap.
inline void expect_contiguous(const std::vector<logged_entry>& entries, std::uint64_t first) {
  for (std::size_t i = 0; i < entries.size(); ++i) ASSERT_EQ(entries[i].sequence, first + i);
}

} // namespace poseidon::test
