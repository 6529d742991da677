#pragma once
// The ledger actor's state and the members that do its work; only the files of this folder use it.

#include "actors/fold/snapshot.hpp"
#include "actors/ledger/ledger.hpp"
#include "actors/ledger/recovery.hpp"
#include "actors/ledger/restore.hpp"

#include <deque>
#include <unordered_map>

namespace poseidon {

/// To itself: send what has been appended since, as one message.
struct flush_appends {
  using poseidon_message = void;
};
/// From the encoder: the snapshot to save.
struct snapshot_made {
  using poseidon_message = void;
  std::shared_ptr<const tail_snapshot> snapshot;
};
/// From another member: its state.
struct state_came {
  using poseidon_message = void;
  outcome<tail_snapshot_ptr> answer;
};
using ledger_front = full_ledger_actor::extend<reacts_to<log_batch>, reacts_to<log_append_failed>, reacts_to<log_connection>, reacts_to<timer_due>,
                                          reacts_to<flush_appends>, reacts_to<snapshot_made>, reacts_to<state_came>>;

struct ledger_core {
  static constexpr const char* name = "ledger";
  enum class mode : std::uint8_t {
    loading,   ///< reads the tail
    comparing, ///< looks whether the log goes on where the tail ends
    searching, ///< torn or new: looks for an incarnation in the log, opens one at its end
    adopting,  ///< writes another member's state into the tail
    following, ///< folds what comes
    stopped,   ///< met what it can't fold: a newer Poseidon wrote it
  };
  enum timer : std::uint64_t { timeouts = 1, reconnect, compaction, tail_again, saying_again, asking_again };
  struct pending_append {
    entry_ptr what;
    caf::typed_response_promise<outcome<folded>> answer;
  };

  ledger_front::pointer self = nullptr;
  ledger_deps deps;
  mode now = mode::loading;
  bool connected = false;
  bool ready = false; ///< reads are answered
  failure trouble;    ///< why it stopped
  ledger_state state;
  last_entry last;
  std::uint64_t folded_entries = 0;

  // from the log to the fold
  std::uint64_t expected = 1;      ///< next sequence of the log
  std::uint64_t log_first = 1;     ///< when it was searched
  std::uint64_t log_end = 0;       ///< last sequence the log told of
  std::uint64_t incarnation = 0;   ///< of the next entry
  std::uint64_t seen = 0;          ///< highest incarnation the searched log mentions
  bool opening = false;            ///< the own incarnation entry is under way
  std::vector<placed_entry> incoming;
  bool writing = false;            ///< a batch is on its way into the tail
  bool tail_fails = false;         ///< the disk: nothing can be confirmed
  bool compare_again = false;      ///< once that batch is folded

  // appends
  std::unordered_map<entry_id, pending_append> pending;
  std::deque<std::pair<boot_time, entry_id>> due;
  std::vector<entry_ptr> outgoing;
  std::vector<ledger_subscriber> subscribers;
  std::vector<std::function<void()>> waiting; ///< reads until `ready`

  // snapshots, forgetting
  std::uint64_t since_snapshot = 0;
  bool making_snapshot = false;
  struct position compacted; ///< by this run, up to here
  struct position untrimmed; ///< the log may be trimmed up to here once a snapshot is past it

  // what the log has dropped: another member is asked
  bool asking = false;
  bool others_first = false;            ///< the log is not read before others have been asked
  std::optional<boot_time> alone_since; ///< nobody who has more is heard

  // what the log lost: kept on disk by the tail, which no snapshot shortens meanwhile
  restoration missing;
  boot_time say_from; ///< not before

  // appends.cpp
  caf::result<outcome<folded>> append(append_entry& m); ///< takes its body
  void append_own(entry_body body);
  entry_ptr make_entry(entry_body body);
  void send_later(entry_ptr what);
  void flush();
  void failed(const log_append_failed& m);
  void answer(const entry_id& id, outcome<folded> how);
  void time_out();
  void append_pending_again();
  void say_missing();

  // follow.cpp
  void start();
  void loaded(const tail_contents& tail);
  void connect();
  void compared(const outcome<logged_entry>& found);
  void search();
  void follow(std::uint64_t after, mode next);
  void retry_connect(const failure& why);
  void try_again();
  void open_incarnation();
  void on_connection(const log_connection& m);
  void stop(const failure& why);

  // replica.cpp
  void on_batch(const log_batch& m);
  bool take(const logged_entry& found);
  void write_tail();
  void write_tail_again();
  verdict fold_one(const placed_entry& e, ledger_change& change);
  void fold_batch(const std::vector<placed_entry>& batch);
  void publish(std::vector<ledger_change> changes);
  void reached();
  void become_ready();

  // adopt.cpp
  bool lost_its_place() const;
  void find_state();
  void ask_again();
  void nobody_has_more();
  void state_arrived(const state_came& m);
  void adopt(ledger_state next, const tail_snapshot& from);

  // upkeep.cpp
  void make_snapshot();
  void save(const snapshot_made& m);
  caf::result<outcome<tail_snapshot_ptr>> snapshot_for(const take_snapshot& m);
  void trim();
  void compact();
  void search_cutoff(std::uint64_t low, std::uint64_t high, wall_time cutoff);

  // reads.cpp
  template <class T>
  caf::result<T> when_ready(std::function<T()> read);
  ledger_image_ptr subscribe(const ledger_subscriber& sink);
  ledger_status status(bool with_digest) const;

  void arm(timer what, millis in) { self->send(deps.timers, arm_timer{timer_sink{self}, what, deps.time->boot_now() + in}); }
};

template <class T>
caf::result<T> ledger_core::when_ready(std::function<T()> read) {
  auto answer = self->make_response_promise<T>();
  if (ready) answer.deliver(read());
  else waiting.push_back([answer, read = std::move(read)]() mutable { answer.deliver(read()); });
  return answer;
}

} // namespace poseidon
