#pragma once
// From a gateway thread to actors and back: an actor a thread that asks with finite timeouts and posts each answer to the
// thread it came from. Nothing here ever blocks; callbacks hold only handles.

#include "actors/interfaces.hpp"
#include "gateway/backup_source.hpp"
#include "gateway/http.hpp"
#include "gateway/streams.hpp"

namespace poseidon::gateway {

/// Whom the bridge asks. A null handle answers `shutting_down`.
struct bridge_targets {
  scheduler_actor scheduler;
  ledger_actor ledger;
  catalogue_actor catalogue;
  std::function<notifier_actor()> notifier; ///< asked each time: it begins after the gateway
  std::function<backup_source()> backups;  ///< the same
  millis request_timeout{30'000};
  millis garbage_timeout{120'000};
  millis backup_timeout{300'000};
};

/// The actor behind; runs jobs that a thread sends.
struct bridge_job {
  using poseidon_message = void;
  std::function<void(caf::event_based_actor*)> run;
};

class bridge final : public commands {
public:
  bridge(caf::actor_system& system, bridge_targets targets, std::shared_ptr<loop> thread);
  /// Ends the actor; what it still asked for is answered `shutting_down` if its thread runs on.
  ~bridge() override;

  void start(start_instance what, then<started> done) override;
  void stop(stop_instance what, then<row_ptr> done) override;
  void extend(extend_instance what, then<row_ptr> done) override;
  void reset(reset_instance what, then<row_ptr> done) override;
  void logs(read_logs what, then<log_text> done) override;
  std::shared_ptr<open_stream> follow(read_log_stream what, stream_events told) override;
  void stats(read_stats what, then<group_stats> done) override;
  void collect(collect_garbage what, then<garbage_report> done) override;
  void move(move_instances what, then<moved_instances> done) override;
  void append(entry_body what, then<folded> done) override;
  void rescan(then<catalogue_report> done) override;
  void ledger(then<ledger_status> done) override;
  void backup(then<backup_bytes> done) override;
  void dead(list_dead_letters what, then<dead_letters> done) override;
  void replay(replay_dead_letters what, then<replayed_letters> done) override;

private:
  template <class T, class Target, class Message>
  void call(const Target& target, millis timeout, Message message, then<T> done);

  caf::actor_system& system_;
  bridge_targets targets_;
  std::shared_ptr<loop> thread_;
  caf::actor actor_;
};

} // namespace poseidon::gateway
