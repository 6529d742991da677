#include "actors/reaper/reaper.hpp"

#include "actors/kit/ask.hpp"
#include "actors/kit/handlers.hpp"
#include "actors/reaper/reconcile.hpp"

#include <spdlog/spdlog.h>

#include <deque>

namespace poseidon {
namespace {

constexpr std::uint64_t periodic_token = 1;
constexpr std::size_t removals_in_flight = 4;
constexpr std::size_t most_waiting = 32;

using report_promise = caf::typed_response_promise<outcome<garbage_report>>;

std::string line_of(const runtime_object& object, const std::string& why) {
  return std::string(to_string(object.kind)) + " " + (object.name.empty() ? object.id : object.name) + ": " + why;
}

/// One run: asked for by somebody, or periodic (no promise).
struct reap_run {
  bool dry_run = false;
  std::optional<report_promise> promise;
  std::vector<runtime_object> objects;
  std::shared_ptr<const journal_contents> journal;
  std::deque<judged_object> removals;
  std::size_t in_flight = 0;
  object_kind kind = object_kind::container; ///< of those in flight
  garbage_report report;
};

struct reaper_state {
  reaper_actor::pointer self;
  reaper_deps deps;
  std::deque<reap_run> waiting;
  std::optional<reap_run> current;

  explicit reaper_state(reaper_actor::pointer me) : self(me) {}

  void start(reaper_deps given) {
    deps = std::move(given);
    arm(deps.first_run);
  }

  void arm(millis after) {
    self->send(deps.timers, arm_timer{timer_sink{self}, periodic_token, deps.clock->boot_now() + after});
  }

  void on_timer(const timer_due& due) {
    if (due.token != periodic_token) return;
    arm(deps.period);
    if (!current) enqueue({});
  }

  void on_engine(const engine_changed& change) {
    if (change.up && waiting.empty()) enqueue({});
  }

  caf::result<outcome<garbage_report>> on_request(const collect_garbage& request) {
    auto promise = self->make_response_promise<outcome<garbage_report>>();
    if (waiting.size() >= most_waiting) {
      promise.deliver(outcome<garbage_report>{failure{errc::conflict, "too many requests to collect garbage at once", 1000, {}, {}}});
      return promise;
    }
    reap_run run;
    run.dry_run = request.dry_run;
    run.promise = promise;
    enqueue(std::move(run));
    return promise;
  }

  void enqueue(reap_run run) {
    waiting.push_back(std::move(run));
    if (!current) next();
  }

  void next() {
    current.reset();
    if (waiting.empty()) return;
    current = std::move(waiting.front());
    waiting.pop_front();
    ask(
        self, deps.runtime, deps.list_timeout, list_objects{},
        [this](object_list list) {
          current->objects = std::move(list.objects);
          read_journal();
        },
        [this](failure why) { fail(std::move(why)); });
  }

  void read_journal() {
    ask(
        self, deps.journal, deps.ask_timeout, load_records{},
        [this](std::shared_ptr<const journal_contents> contents) {
          current->journal = std::move(contents);
          read_ledger();
        },
        [this](failure why) { fail(std::move(why)); });
  }

  void read_ledger() {
    ask(
        self, deps.ledger, deps.ask_timeout, get_image{}, [this](ledger_image_ptr image) { judge(*image); },
        [this](failure why) { fail(std::move(why)); });
  }

  reap_knowledge knowledge(const ledger_image& image) const {
    reap_knowledge known;
    known.cluster = deps.cluster;
    known.node = deps.node;
    known.now = deps.clock->wall_now();
    known.safety_window = deps.safety_window;
    for (auto& record : current->journal->records)
      known.held.emplace(group_key{record->instance, record->epoch}, record->reason != end_reason::none);
    for (auto& item : current->journal->tombstones) known.tombstones.insert(group_key{item.instance, item.epoch});
    for (auto& row : image.instances) known.ledger.emplace(row->id, ledger_view{row->epoch, row->node, !is_live(*row)});
    return known;
  }

  void judge(const ledger_image& image) {
    for (auto& judged : reconcile(current->objects, knowledge(image))) {
      if (judged.verdict.action != reap_action::remove)
        current->report.kept.push_back(line_of(judged.object, judged.verdict.why));
      else if (current->dry_run)
        current->report.removed.push_back(line_of(judged.object, judged.verdict.why));
      else
        current->removals.push_back(std::move(judged));
    }
    remove_more();
  }

  /// A kind begins when the one before it is done: a network can't go before its containers.
  void remove_more() {
    auto& run = *current;
    while (!run.removals.empty() && run.in_flight < removals_in_flight &&
           (run.in_flight == 0 || run.removals.front().object.kind == run.kind)) {
      auto judged = std::move(run.removals.front());
      run.removals.pop_front();
      run.kind = judged.object.kind;
      ++run.in_flight;
      remove_one(std::move(judged));
    }
    if (run.in_flight == 0) finish();
  }

  void remove_one(judged_object judged) {
    spdlog::info("reaper: removing {}", line_of(judged.object, judged.verdict.why));
    auto line = line_of(judged.object, judged.verdict.why);
    ask(
        self, deps.runtime, deps.list_timeout, remove_object{judged.object},
        [this, line](done) {
          current->report.removed.push_back(line);
          removed_one();
        },
        [this, object = judged.object](failure why) {
          spdlog::warn("reaper: {}", line_of(object, "could not be removed: " + why.detail));
          current->report.kept.push_back(line_of(object, "could not be removed: " + why.detail));
          removed_one();
        });
  }

  void removed_one() {
    --current->in_flight;
    remove_more();
  }

  void finish() {
    if (current->promise) current->promise->deliver(outcome<garbage_report>{std::move(current->report)});
    next();
  }

  void fail(failure why) {
    spdlog::warn("reaper: nothing compared: {}: {}", to_string(why.code), why.detail);
    if (current->promise) current->promise->deliver(outcome<garbage_report>{std::move(why)});
    next();
  }
};

reaper_actor::behavior_type reaper_behavior(reaper_actor::stateful_pointer<reaper_state> self, reaper_deps deps) {
  install_handlers(self, "reaper");
  auto* state = &self->state;
  state->start(std::move(deps));
  return {
      [state](const timer_due& due) { state->on_timer(due); },
      [state](const engine_changed& change) { state->on_engine(change); },
      [state](const collect_garbage& request) { return state->on_request(request); },
  };
}

} // namespace

reaper_actor spawn_reaper(caf::actor_system& system, reaper_deps deps) { return system.spawn(reaper_behavior, std::move(deps)); }

} // namespace poseidon
