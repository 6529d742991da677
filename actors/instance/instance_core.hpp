#pragma once
// State and members of the instance actor; its behavior is in instance.cpp. The lifecycle's table decides, fire() is the one
// place where its effects are performed. Kept small: there is one for each live instance, and what only a transition needs
// lives in `work` and `book`, which a quiet instance does not have; its record rests, folded small (settle), until it is asked for.

#include "actors/instance/instance.hpp"
#include "actors/instance/lifecycle.hpp"
#include "actors/instance/resting_record.hpp"
#include "actors/kit/ask.hpp"

namespace poseidon {

class instance_core {
public:
  static constexpr const char* name = "instance";
  using self_pointer = instance_actor::stateful_pointer<instance_core>;
  explicit instance_core(self_pointer self) : self_(self) {}

  /// Begins a new assignment, or takes over what the journal knows.
  void start(std::shared_ptr<const instance_deps> deps, const instance_seed& seed);

  // messages, in interface order
  void on_timer(const timer_due& m);
  void on_service_exit(const service_exited& m);
  void on_progress(const group_progress& m);
  caf::typed_response_promise<outcome<done>> on_stop(const stop_instance& m);
  caf::typed_response_promise<outcome<extended>> on_extend(const extend_instance& m);
  caf::typed_response_promise<outcome<log_text>> on_read_logs(const read_logs& m);
  caf::result<outcome<stream_opened>> on_open_logs(const open_log_stream& m);
  caf::typed_response_promise<outcome<group_stats>> on_read_stats(const read_stats& m);
  void on_fence(const fence_instance& m);
  void on_engine(const engine_changed& m);

private:
  /// How long the engine may take to answer a stop, beyond the grace; the runtime promises 10 s.
  static constexpr millis engine_answers_a_stop{12'000};
  static constexpr millis capture_limit{5'000}; ///< of the phase in which logs are kept

  /// What the step timer is for.
  enum class step : std::uint8_t { none, probe, look, restart, remove, give_up, forget };
  enum timer_token : std::uint64_t { deadline_timer = 1, step_timer = 2, commit_timer = 3 };

  /// Needed while it starts, restarts or ends.
  struct work {
    std::optional<service_exited> exit; ///< the last one, until it has been dealt with
    failure problem;                    ///< why the last try failed
    std::string note;                   ///< shown while pending
    boot_time began;                    ///< of probing or restarting
    boot_time put_at;                   ///< when the route was put: the lifetime counts from here
    wall_time put_wall;
  };
  /// Facts and answers on their way through the journal.
  struct book {
    std::vector<entry_body> facts;                ///< said, not yet handed over
    std::vector<entry_body> sending;              ///< in the commit under way
    std::vector<std::function<void()>> after;     ///< run after the next commit
    std::vector<std::function<void()>> after_sending;
    bool wanted = false, under_way = false;
    std::uint32_t attempts = 0;
  };

  // the machine: instance_core.cpp
  void fire(trigger on);
  void enter(phase to);
  void perform(effect what);
  void end(end_reason reason, failure why = {}, const std::string& by = {});
  void end_for_deadline();
  boot_time next_wake() const;
  bool warns() const;
  void set_due(boot_time due);
  void set_step(step what, millis after);
  void take_step(step what);
  void report(std::optional<std::uint32_t> percent = {});
  void take_over();

  // engine: instance_engine.cpp
  void ensure();
  void inspect();
  void start_again();
  void plan_restart();
  void read_tail();
  void stop_group_now();
  void capture();
  void remove();
  void on_group(const group_state& group);
  void on_engine_failure(const failure& f);
  void on_remove_failed(const failure& f);
  void watch();
  void refresh_file();
  template <class Message, class OnValue, class OnError>
  void engine_call(millis timeout, Message message, OnValue on_value, OnError on_error);

  // reachability: instance_reach.cpp
  void announce();
  void probe();
  void probe_image();
  void on_probe_failed(const failure& f);
  void put_route_now();
  void cut_route();
  void after_cut();
  void move_route(caf::typed_response_promise<outcome<extended>> promise, extended answer, int tries);

  // journal: instance_book.cpp
  void say(entry_body fact);
  void say_running_fact();
  void say_restarted_fact();
  void say_end_fact();
  void say_expiring();
  void commit();
  void pump();
  void on_commit_failed(const failure& f);
  void after_commit(std::function<void()> f);
  void confirm_stop(caf::typed_response_promise<outcome<done>> promise);
  void forget();

  /// Folds record and endpoint when it runs and has nothing to do; references to them end here.
  void settle();
  awake_record& awake() const;
  journal_record& edit();
  const journal_record& record() const { return *awake().record; }
  std::unique_ptr<endpoint>& where() { return awake().where; }
  group_key key() const { return {record().instance, record().epoch}; }
  boot_time now() const { return deps_->time->boot_now(); }
  std::optional<boot_time> lifetime_end() const;
  fact_head head();
  work& busy();
  book& open_book();
  instance_actor me() const;
  bool ending() const { return phase_ >= phase::stopping; }
  bool starting_up() const { return phase_ <= phase::probing; }

  self_pointer self_;
  std::shared_ptr<const instance_deps> deps_;
  // One of these; read by awake() alone.
  mutable std::unique_ptr<awake_record> awake_;
  mutable resting_record resting_;
  std::unique_ptr<work> work_;
  std::unique_ptr<book> book_;
  std::vector<trigger>* queue_ = nullptr; ///< set while fire() runs
  boot_time due_;        ///< of the deadline timer
  boot_time armed_;      ///< what the timers actor was told
  boot_time step_due_;
  boot_time entered_;    ///< the present phase
  std::uint32_t operation_ = 0; ///< of the last request; answers to earlier ones are late, and ignored
  std::uint16_t attempts_ = 0;
  phase phase_ = phase::assigned;
  step step_ = step::none;
  effect after_cut_ = effect::nothing; ///< waits for the edge to have cut the route
  mutable bool shared_ = true; ///< somebody else may read the record: copy before the next change
  bool cutting_ = false;
  bool engine_up_ = true;
  bool made_ = false;        ///< something of it may exist in the engine
  bool watching_ = false;
  bool warned_ = false;      ///< said that its deadline is near
};

template <class Message, class OnValue, class OnError>
void instance_core::engine_call(millis timeout, Message message, OnValue on_value, OnError on_error) {
  const auto number = ++operation_;
  ask(
      self_, deps_->runtime, timeout, std::move(message),
      [this, number, on_value = std::move(on_value)](auto&& value) {
        if (number == operation_) on_value(std::move(value));
      },
      [this, number, on_error = std::move(on_error)](const failure& f) {
        if (number == operation_) on_error(f);
      });
}

} // namespace poseidon
