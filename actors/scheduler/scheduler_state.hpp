#pragma once
// The scheduler's state and work, shared by its own files only.

#include "actors/kit/ask.hpp"
#include "actors/scheduler/bounded_promise.hpp"
#include "actors/scheduler/row_waits.hpp"
#include "actors/scheduler/scheduler.hpp"
#include "actors/scheduler/start_gate.hpp"

namespace poseidon {

using row_promise = bounded_promise<row_ptr>;

/// One start on its way to its answer.
struct start_operation {
  start_entry entry;
  bounded_promise<started> promise;
  std::string slot_name;
  boot_time look_until;   ///< for an unknown outcome
  unsigned appends = 0;
};
using start_ptr = std::shared_ptr<start_operation>;

struct scheduler_state {
  scheduler_actor::pointer self;
  scheduler_deps deps;
  start_gate gate;
  row_waits waits;
  bool has_image = false;
  std::shared_ptr<std::size_t> open = std::make_shared<std::size_t>(0);
  std::unordered_map<std::uint64_t, std::function<void()>> pauses; ///< short waits of ours, by token
  std::uint64_t last_pause = 1ull << 63;

  explicit scheduler_state(scheduler_actor::pointer me) : self(me) {}

  // scheduler.cpp: the replica, time, bounds
  void start(scheduler_deps given);
  void subscribe();
  void load_image();
  void on_changes(const ledger_changes& changes);
  void on_timer(const timer_due& due);
  void arm(std::uint64_t token, millis after);
  void pause(millis span, std::function<void()> then);
  /// Calls `then` with the row once it satisfies `wanted`, or with null after `limit`. Looks at the present row first.
  void await_row(const instance_id& instance, millis limit, row_waits::wanted wanted, row_waits::on_end then);
  /// Reads the row, refuses an unknown instance.
  void with_row(const instance_id& instance, const row_promise& promise, std::function<void(row_ptr)> then);
  node_actor node_of(const instance_row& row) const;

  /// A promise of a request, or its refusal when too many are open or the replica is not there yet.
  template <class T, class Then>
  caf::typed_response_promise<outcome<T>> admit(Then then) {
    auto promise = self->make_response_promise<outcome<T>>();
    if (*open >= deps.most_in_flight)
      promise.deliver(outcome<T>{failure{errc::queue_full, "too many requests are in flight", 1'000, {}, {}}});
    else if (!has_image)
      promise.deliver(outcome<T>{failure{errc::ledger_unavailable, "the replica is not loaded yet", 500, {}, {}}});
    else
      then(bounded_promise<T>{promise, open});
    return promise;
  }

  // start.cpp
  void on_start(const start_instance& request, bounded_promise<started> promise);
  void append_start(const start_ptr& op);
  void judged(const start_ptr& op, const folded& answer);
  void look(const start_ptr& op);
  void look_again(const start_ptr& op);
  void still_stands(const start_ptr& op, const row_ptr& row);
  void gone_from_its_node(const start_ptr& op, const row_ptr& row);

  // commands.cpp
  void on_stop(const stop_instance& request, row_promise promise);
  void cancel(const stop_instance& request, const row_promise& promise);
  void stopped(const stop_instance& request, const row_ptr& row, const row_promise& promise);
  void on_extend(const extend_instance& request, row_promise promise);
  void on_reset(const reset_instance& request, row_promise promise);
  void on_logs(const read_logs& request, bounded_promise<log_text> promise);
  void on_stats(const read_stats& request, bounded_promise<group_stats> promise);
  void on_garbage(const collect_garbage& request, bounded_promise<garbage_report> promise);
  void on_append(const append_entry& request, bounded_promise<folded> promise);

  // drain.cpp
  void on_move(const move_instances& request, bounded_promise<moved_instances> promise);
};

/// The entry that a request becomes. `challenge` is null for an inline spec.
start_entry make_start_entry(const start_instance& request, instance_id id, const std::shared_ptr<const challenge_row>& challenge);

} // namespace poseidon
