#pragma once
// The children of one actor: spawned, monitored, started again by rule, shut down in order. A member of the parent's
// state; it takes over the parent's down handler (an actor has only one).

#include "actors/kit/restart_policy.hpp"

#include <caf/all.hpp>

#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace poseidon {

class children {
public:
  using factory = std::function<caf::actor()>;
  using ended = std::function<void(const caf::error&)>;
  using replaced = std::function<void(const caf::actor&)>;

  /// What a fixed child is.
  struct child_spec {
    std::string name;
    factory make;
    restart_rule rule;     ///< most = 0: never started again
    replaced on_start;     ///< told of the first and of every later one; may be empty
    ended on_give_up;      ///< told when the rule allows no further start; may be empty
  };

  /// `now` yields the boot clock; both outlive this object.
  children(caf::scheduled_actor* parent, std::function<boot_time()> now);
  children(const children&) = delete;
  children& operator=(const children&) = delete;

  /// Spawns a fixed child. Shutdown ends fixed children in the reverse of this order.
  void start(child_spec spec);
  /// Monitors one of many (an instance); `on_end` is called once. Shutdown ends these before any fixed child.
  void watch(const caf::actor& child, ended on_end);

  /// Starts what is due to start again; in a shutdown kills what outlived its grace. Call at or after next_due().
  void on_time();
  /// When on_time() is wanted next.
  std::optional<boot_time> next_due() const;
  /// Called whenever next_due() may have become earlier (the parent arms its timer).
  void on_due_changed(std::function<void()> f) { due_changed_ = std::move(f); }

  /// Tells children to end, one stage after the other (the watched ones, then each fixed one), each with `grace` before
  /// it is killed; then calls `done` once. Nothing is started again from now on.
  void shut_down(millis grace, std::function<void()> done);
  std::size_t watched() const { return watched_.size(); }

private:
  struct fixed {
    child_spec spec;
    caf::actor handle;
    std::vector<boot_time> restarts;
    std::optional<boot_time> start_at;
  };
  void spawn(fixed& child);
  void down(const caf::down_msg& m);
  void fixed_down(fixed& child, const caf::error& reason);
  void next_stage();
  bool stage_empty() const;
  void tell_stage(caf::exit_reason reason);
  void set_due();

  caf::scheduled_actor* parent_;
  std::function<boot_time()> now_;
  std::function<void()> due_changed_;
  std::vector<fixed> fixed_;
  std::unordered_map<caf::actor_id, std::pair<caf::actor, ended>> watched_;
  bool stopping_ = false;
  std::size_t stage_ = 0; ///< in a shutdown: 0 the watched ones, n the n-th fixed child from the end
  millis grace_{0};
  std::optional<boot_time> kill_at_;
  std::function<void()> done_;
};

} // namespace poseidon
