#pragma once
// The notifier's state and the members that do its work; only the files of this folder use it.

#include "actors/kit/port_calls.hpp"
#include "actors/notifier/notifier.hpp"

namespace poseidon {

using notifier_front = notifier_actor::extend<reacts_to<port_event>>;

struct notifier_core {
  enum timer : std::uint64_t { deliveries = 1, expiry, begin_again, put_again, load_again, save_cursor, upkeep, beat };
  struct receiver {
    receiver(receiver_rule its, delivery_table empty) : rule(std::move(its)), table(std::move(empty)) {}
    receiver_rule rule;
    delivery_table table;
    receiver_status status;
    struct position since;    ///< events after this are for it
    std::uint64_t loaded = 0; ///< rows up to here are in the table, or gone
    bool more = true;         ///< the store may have later ones
    bool loading = false;
    std::uint64_t loads = 0;  ///< an answer to an earlier one than the last is too late
    // Who shares it (share.cpp). With others, what is not this notifier's is stored all the same, and watched.
    std::string wants;              ///< digest of the rule
    std::vector<std::string> view;  ///< sorted; empty: not known yet
    std::vector<std::string> next;  ///< what is to come; as the view when nothing is
    std::vector<std::string> said;  ///< `next` of the last word to the others
    boot_time next_since;
    bool stopped = true;            ///< tells of nothing that is not its own under `next`
    bool moving = false;            ///< the store changes over, or has failed to
    bool asking = false;            ///< the store is asked what is open
    struct position told_from;      ///< nothing is claimed up to here
  };

  notifier_front::pointer self = nullptr;
  notifier_deps deps;
  port_calls calls;
  std::map<std::string, receiver> receivers;
  bool changed = false; ///< a status, since it was last published

  // from the ledger to the store (follow.cpp)
  ledger_image_ptr image;
  bool opened = false;     ///< the store has been asked
  bool following = false;  ///< changes are taken as they come
  bool behind = false;     ///< too much waited for the disk: what was dropped is read again
  std::optional<struct position> reached; ///< changes up to here are in `unstored`, or stored
  struct position stored;  ///< the store's cursor
  std::vector<ledger_changes> early;
  std::vector<new_item> unstored;
  bool putting = false;
  std::size_t unsaved = 0; ///< changes since the cursor was stored
  std::optional<notifier_peers> peers; ///< with a bus, and no fixed members
  bool holding = false;                ///< what waits is not sent before a sharing is known
  boot_time sharing_since;             ///< of the wait for one

  explicit notifier_core(notifier_front::pointer me) : self(me), calls(me, "the receiver") {}
  ~notifier_core() { calls.fail_all({errc::shutting_down, "the notifier has ended", {}, {}, {}}); }

  void start(notifier_deps given);
  void subscribe();
  void take_image(const ledger_image_ptr& given);
  void open_store();
  void resume();
  void catch_up(const outcome<ledger_history_ptr>& history);
  void follow();
  void apply(const ledger_changes& changes);
  void take(const std::vector<notification_ptr>& events, struct position up_to);
  void read_again();
  void put();
  void was_put(const outcome<put_result>& done, const std::shared_ptr<const put_items>& what);

  // which notifier tells of what (share.cpp)
  void start_sharing();
  bool is_own(const receiver& r, std::string_view instance) const;
  bool stays_own(const receiver& r, std::string_view instance) const;
  void beat_now();
  void begin_sharing_anew();
  void release();
  void consider(receiver& r);
  void change_to(receiver& r, std::vector<std::string> sharing);
  void go_on_changing(receiver& r);
  void adopt(receiver& r);
  void load_anew(receiver& r);
  void say(receiver& r);
  void publish_word(receiver& r, std::vector<std::string> next, const open_events* open);
  void heard(const std::string& frame);

  // from the store to the receivers (deliver.cpp)
  void pump(receiver& r);
  void load(receiver& r);
  void send(receiver& r, const delivery_attempt& what);
  void answered(receiver& r, std::uint64_t row, const outcome<receiver_reply>& reply);
  void note(receiver& r, const settlement& what);
  void arm_deliveries();

  // notifier.cpp
  void on_timer(const timer_due& due);
  void forget_old();
  caf::result<outcome<dead_letters>> list(const list_dead_letters& m);
  caf::result<outcome<replayed_letters>> replay(const replay_dead_letters& m);
  void was_replayed(const std::map<std::string, std::uint64_t>& counts);
  void publish();

  void arm(timer what, millis in) { self->send(deps.timers, arm_timer{timer_sink{self}, what, deps.time->boot_now() + in}); }
  void arm_expiry() {
    if (auto next = calls.next_deadline()) self->send(deps.timers, arm_timer{timer_sink{self}, expiry, *next});
  }
  /// An answer of the store, brought back into the actor.
  template <class T>
  store_answer<T> here(std::function<void(outcome<T>)> run) {
    return [to = calls.to_self(), run = std::move(run)](outcome<T> value) {
      to.post([run, value = std::move(value)] { run(value); });
    };
  }
};

} // namespace poseidon
