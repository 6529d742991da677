#pragma once
// What the API asks of actors, without CAF: one object for each gateway thread. Each call answers exactly once, on that
// thread, within a finite time (a stream as stream_events says); a dead actor answers unknown_outcome.

#include "gateway/streams.hpp"
#include "messages/commands.hpp"
#include "messages/notifications.hpp"

#include <functional>
#include <memory>

namespace poseidon::gateway {

/// A backup's file, as it is.
using backup_bytes = std::shared_ptr<const std::string>;

template <class T>
using then = std::function<void(outcome<T>)>;

class commands {
public:
  virtual ~commands() = default;
  virtual void start(start_instance what, then<started> done) = 0;
  virtual void stop(stop_instance what, then<row_ptr> done) = 0;
  virtual void extend(extend_instance what, then<row_ptr> done) = 0;
  virtual void reset(reset_instance what, then<row_ptr> done) = 0;
  virtual void logs(read_logs what, then<log_text> done) = 0;
  virtual std::shared_ptr<open_stream> follow(read_log_stream what, stream_events told) = 0;
  virtual void stats(read_stats what, then<group_stats> done) = 0;
  virtual void collect(collect_garbage what, then<garbage_report> done) = 0;
  virtual void move(move_instances what, then<moved_instances> done) = 0;
  virtual void append(entry_body what, then<folded> done) = 0;
  virtual void rescan(then<catalogue_report> done) = 0;
  virtual void ledger(then<ledger_status> done) = 0;
  virtual void dead(list_dead_letters what, then<dead_letters> done) = 0;
  virtual void replay(replay_dead_letters what, then<replayed_letters> done) = 0;
  virtual void backup(then<backup_bytes> done) = 0;
};

} // namespace poseidon::gateway
