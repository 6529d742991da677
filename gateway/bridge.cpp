#include "gateway/bridge.hpp"

#include "gateway/stream_reader.hpp"

#include "actors/kit/ask.hpp"
#include "actors/kit/handlers.hpp"

namespace poseidon::gateway {

namespace {

/// One answer on its way to its thread. Dropped unanswered (its actor ended), it answers by itself.
template <class T>
class pending_answer {
public:
  pending_answer(std::shared_ptr<loop> thread, then<T> done) : thread_(std::move(thread)), done_(std::move(done)) {}
  pending_answer(const pending_answer&) = delete;
  pending_answer& operator=(const pending_answer&) = delete;
  ~pending_answer() {
    if (done_) answer(failure{errc::shutting_down, "the gateway is ending", std::nullopt, {}, {}});
  }
  void answer(outcome<T> reply) {
    auto done = std::exchange(done_, nullptr);
    if (!done) return;
    thread_->post([done = std::move(done), reply = std::move(reply)]() mutable { done(std::move(reply)); });
  }

private:
  std::shared_ptr<loop> thread_;
  then<T> done_;
};

caf::behavior bridge_actor(caf::event_based_actor* self) {
  install_handlers(self, "gateway bridge");
  return {[self](const bridge_job& job) { job.run(self); }};
}

} // namespace

bridge::bridge(caf::actor_system& system, bridge_targets targets, std::shared_ptr<loop> thread)
    : system_(system), targets_(std::move(targets)), thread_(std::move(thread)), actor_(system.spawn(bridge_actor)) {}

bridge::~bridge() { caf::anon_send_exit(actor_, caf::exit_reason::user_shutdown); }

template <class T, class Target, class Message>
void bridge::call(const Target& target, millis timeout, Message message, then<T> done) {
  auto pending = std::make_shared<pending_answer<T>>(thread_, std::move(done));
  if (!target) return; // answers `shutting_down`
  caf::anon_send(actor_, bridge_job{[=](caf::event_based_actor* self) {
    ask(self, target, timeout, message, [pending](T value) { pending->answer(std::move(value)); },
        [pending](failure why) { pending->answer(std::move(why)); });
  }});
}

void bridge::start(start_instance what, then<started> done) {
  call<started>(targets_.scheduler, targets_.request_timeout, std::move(what), std::move(done));
}
void bridge::stop(stop_instance what, then<row_ptr> done) {
  call<row_ptr>(targets_.scheduler, targets_.request_timeout, std::move(what), std::move(done));
}
void bridge::extend(extend_instance what, then<row_ptr> done) {
  call<row_ptr>(targets_.scheduler, targets_.request_timeout, std::move(what), std::move(done));
}
void bridge::reset(reset_instance what, then<row_ptr> done) {
  call<row_ptr>(targets_.scheduler, targets_.request_timeout, std::move(what), std::move(done));
}
void bridge::logs(read_logs what, then<log_text> done) {
  call<log_text>(targets_.scheduler, targets_.request_timeout, std::move(what), std::move(done));
}
std::shared_ptr<open_stream> bridge::follow(read_log_stream what, stream_events told) {
  return read_stream(system_, targets_.scheduler, targets_.request_timeout, thread_, std::move(what), std::move(told));
}
void bridge::stats(read_stats what, then<group_stats> done) {
  call<group_stats>(targets_.scheduler, targets_.request_timeout, std::move(what), std::move(done));
}
void bridge::collect(collect_garbage what, then<garbage_report> done) {
  call<garbage_report>(targets_.scheduler, targets_.garbage_timeout, std::move(what), std::move(done));
}
void bridge::move(move_instances what, then<moved_instances> done) {
  call<moved_instances>(targets_.scheduler, targets_.garbage_timeout, std::move(what), std::move(done));
}
void bridge::append(entry_body what, then<folded> done) {
  call<folded>(targets_.scheduler, targets_.request_timeout, append_entry{std::move(what)}, std::move(done));
}
void bridge::rescan(then<catalogue_report> done) {
  call<catalogue_report>(targets_.catalogue, targets_.request_timeout, rescan_challenges{}, std::move(done));
}
void bridge::ledger(then<ledger_status> done) {
  call<ledger_status>(targets_.ledger, millis{2'000}, get_ledger_status{}, std::move(done));
}
void bridge::backup(then<backup_bytes> done) {
  call<backup_bytes>(targets_.backups ? targets_.backups() : backup_source{}, targets_.backup_timeout, make_backup{}, std::move(done));
}
void bridge::dead(list_dead_letters what, then<dead_letters> done) {
  const auto notifier = targets_.notifier ? targets_.notifier() : notifier_actor{};
  call<dead_letters>(notifier, targets_.request_timeout, std::move(what), std::move(done));
}
void bridge::replay(replay_dead_letters what, then<replayed_letters> done) {
  const auto notifier = targets_.notifier ? targets_.notifier() : notifier_actor{};
  call<replayed_letters>(notifier, targets_.request_timeout, std::move(what), std::move(done));
}

} // namespace poseidon::gateway
