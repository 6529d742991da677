#pragma once
// A ledger and a scheduler that a test plays: they answer like the real ones, one entry after the other, without a node.
// What a node would say is said by the test (run, end, tell).

#include "actors/interfaces.hpp"
#include "test/gateway/samples.hpp"
#include "test/support/virtual_clock.hpp"

#include <map>
#include <mutex>

namespace poseidon::test {

class fake_cluster {
public:
  explicit fake_cluster(caf::actor_system& system);
  ~fake_cluster();

  ledger_actor ledger;
  scheduler_actor scheduler;
  catalogue_actor catalogue;

  /// The node's part: moves an instance on, and tells every subscriber.
  void run(const instance_id& id);
  void end(const instance_id& id, end_reason reason, failure why = {});
  void change_row(const instance_id& id, entry_body body, std::function<void(instance_row&)> edit);
  void append(entry_body body);

  row_ptr row(const instance_id& id);
  /// What the scheduler shall refuse from now on; an empty one ends that.
  void refuse(failure why);
  /// The output so far; what is new in it goes to whoever follows.
  void set_logs(std::string text);
  /// The source's last word to everybody who follows.
  void end_streams(failure why);
  /// Streams that are open at the source.
  std::size_t open_streams();
  /// The most that one stream was sent.
  std::size_t most_sent();
  /// Ends the scheduler: what it is asked from now on is never answered.
  void kill_scheduler();
  /// Every start as it arrived.
  std::vector<start_instance> starts();

private:
  friend struct fake_behaviors;
  friend struct fake_source;
  struct log_reader {
    open_log_stream what;
    stream_source source;
    std::size_t sent = 0, credit = 0;
    std::uint64_t pieces = 0;
  };
  outcome<stream_opened> open_stream(caf::actor_system& system, const open_log_stream& m);
  void read_on(log_reader& one);
  void give_credit(const stream_credit& m);
  void close_stream_of(const stream_id& stream);
  outcome<started> start(const start_instance& what);
  outcome<row_ptr> stop(const stop_instance& what);
  outcome<row_ptr> extend(const extend_instance& what);
  outcome<row_ptr> reset(const reset_instance& what);
  outcome<folded> fold(const entry_body& body);
  ledger_image_ptr image();
  void publish(ledger_change change);
  void apply_admin(ledger_change& change);

  std::recursive_mutex mutex_;
  std::uint64_t sequence_ = 0;
  std::map<std::string, instance_row> rows_;
  std::map<std::string, std::pair<std::string, std::string>> keys_; ///< idempotency key -> (digest, instance)
  std::map<std::string, challenge_row> challenges_;
  std::map<std::string, node_row> nodes_;
  administration admin_;
  std::vector<ledger_subscriber> subscribers_;
  failure refusal_;
  std::string logs_ = "hello from the container\n";
  std::map<stream_id, log_reader> streams_;
  std::vector<stream_source> sources_; ///< all there ever were: they refer to this object
  std::size_t most_sent_ = 0;
  std::vector<start_instance> starts_;
};

} // namespace poseidon::test
