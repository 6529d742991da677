#include "actors/catalogue/catalogue.hpp"

#include "actors/catalogue/plan.hpp"
#include "actors/kit/ask.hpp"
#include "actors/kit/handlers.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <deque>

namespace poseidon {
namespace {

using catalogue_self = catalogue_actor::extend<reacts_to<ledger_changes>>;
using report_promise = caf::typed_response_promise<outcome<catalogue_report>>;

constexpr std::uint64_t look_token = 1;
constexpr std::size_t most_waiting = 64;

struct catalogue_state {
  catalogue_self::pointer self;
  catalogue_deps deps;
  bool subscribed = false;
  std::map<challenge_id, known_challenge> ledger;
  folder_ids ids;
  listing_ptr applied;  ///< what the ledger was last brought to
  bool dirty = true;    ///< the ledger's challenges changed since (our own entries too), or could not be appended
  bool looking = false;
  std::vector<report_promise> answering, waiting; ///< of this look, and of the next
  listing_ptr listing;
  std::deque<entry_body> to_append;
  catalogue_report report;

  explicit catalogue_state(catalogue_self::pointer me) : self(me) {}

  void start(catalogue_deps given) {
    deps = std::move(given);
    if (!deps.reader) {
      deps.reader = spawn_folder_reader(self->system(), std::move(deps.read));
      self->link_to(deps.reader);
    }
    subscribe();
  }

  void subscribe() {
    ask(
        self, deps.ledger, deps.ledger_timeout, subscribe_ledger{ledger_subscriber{self}},
        [this](ledger_image_ptr image) {
          subscribed = true;
          take(*image);
          look();
          arm();
        },
        [this](failure why) {
          spdlog::warn("catalogue: no image of the ledger yet: {}", why.detail);
          arm();
        });
  }

  void arm() { self->send(deps.timers, arm_timer{timer_sink{self}, look_token, deps.clock->boot_now() + deps.period}); }

  void take(const ledger_image& image) {
    ledger.clear();
    for (auto& row : image.challenges) ledger[row->id] = {row->revision};
    dirty = true;
  }

  void on_changes(const ledger_changes& changes) {
    for (auto& change : *changes) {
      if (change.cause && std::holds_alternative<incarnation_entry>(change.cause->body)) {
        ask(
            self, deps.ledger, deps.ledger_timeout, get_image{}, [this](ledger_image_ptr image) { take(*image); },
            [this](failure) { dirty = true; });
        continue;
      }
      for (auto& row : change.challenges) {
        auto& known = ledger[row->id];
        dirty |= known.revision != row->revision;
        known.revision = row->revision;
      }
      for (auto& id : change.dropped_challenges) {
        ledger.erase(id);
        dirty = true;
      }
    }
  }

  void on_timer() {
    if (!subscribed) return subscribe();
    arm();
    if (!looking) look();
  }

  report_promise on_rescan() {
    auto promise = self->make_response_promise<outcome<catalogue_report>>();
    if (!subscribed)
      promise.deliver(outcome<catalogue_report>{failure{errc::ledger_unavailable, "the replica is not loaded yet", 500, {}, {}}});
    else if (waiting.size() >= most_waiting)
      promise.deliver(outcome<catalogue_report>{failure{errc::conflict, "too many rescans at once", 1'000, {}, {}}});
    else {
      waiting.push_back(promise);
      if (!looking) look();
    }
    return promise;
  }

  void look() {
    looking = true;
    answering = std::move(waiting);
    waiting.clear();
    ask(
        self, deps.reader, deps.read_limit, folders_wanted{listing}, [this](listing_ptr found) { compare(std::move(found)); },
        [this](failure why) {
          spdlog::error("catalogue: the folders could not be read: {}", why.detail);
          for (auto& promise : answering) promise.deliver(outcome<catalogue_report>{why});
          answering.clear();
          end_look();
        });
  }

  void compare(listing_ptr found) {
    listing = std::move(found);
    if (!dirty && answering.empty() && applied && same_texts(*applied, *listing)) return end_look();
    auto plan = plan_catalogue(*listing, ledger, ids);
    ids = remember_ids(*listing, ids);
    tell_problems(plan.problems);
    report.problems = std::move(plan.problems);
    to_append.clear();
    for (auto& challenge : plan.put) {
      auto sealed = deps.seal(challenge.confidential, challenge.id);
      if (sealed)
        to_append.push_back(put_challenge_entry{challenge.id, challenge.revision, challenge.spec_id, challenge.spec, challenge.metadata, *sealed});
      else
        report.problems.push_back({"", challenge.id.value, {{"", "its flags could not be sealed: " + sealed.error.detail}}});
    }
    for (auto& id : plan.drop) to_append.push_back(drop_challenge_entry{id});
    dirty = false;
    append_next();
  }

  void append_next() {
    if (to_append.empty()) {
      applied = listing;
      report.challenges = static_cast<std::uint32_t>(ledger.size());
      for (auto& promise : answering) promise.deliver(outcome<catalogue_report>{report});
      answering.clear();
      return end_look();
    }
    auto body = std::move(to_append.front());
    to_append.pop_front();
    ask(
        self, deps.ledger, deps.ledger_timeout, append_entry{body},
        [this, body](folded answer) {
          if (answer.verdict.kind == verdict_kind::refused) return refused(body, answer.verdict.why);
          note(body);
          append_next();
        },
        [this](failure why) { failed(std::move(why)); });
  }

  /// The verdict comes before or after the change: both say the same.
  void note(const entry_body& body) {
    if (auto* put = std::get_if<put_challenge_entry>(&body)) {
      spdlog::info("catalogue: challenge {} at {}", put->challenge.value, put->revision);
      ledger[put->challenge] = {put->revision};
    } else if (auto* drop = std::get_if<drop_challenge_entry>(&body)) {
      spdlog::info("catalogue: challenge {} is gone", drop->challenge.value);
      ledger.erase(drop->challenge);
    }
  }

  void refused(const entry_body& body, const failure& why) {
    auto* put = std::get_if<put_challenge_entry>(&body);
    report.problems.push_back({"", put ? put->challenge.value : std::string{}, {{"", why.detail}}});
    spdlog::error("catalogue: {}: {}", put ? put->challenge.value : "", why.detail);
    append_next();
  }

  void failed(failure why) {
    spdlog::warn("catalogue: not everything could be appended: {}: it is tried again", why.detail);
    dirty = true;
    to_append.clear();
    for (auto& promise : answering) promise.deliver(outcome<catalogue_report>{why});
    answering.clear();
    end_look();
  }

  void tell_problems(const std::vector<challenge_problem>& problems) {
    for (auto& problem : problems) {
      auto told = std::any_of(report.problems.begin(), report.problems.end(),
                              [&](auto& p) { return p.folder == problem.folder && p.errors == problem.errors; });
      if (told) continue;
      for (auto& error : problem.errors)
        spdlog::warn("catalogue: {}: {}{}{}", problem.folder, error.path, error.path.empty() ? "" : ": ", error.detail);
    }
  }

  void end_look() {
    looking = false;
    if (!waiting.empty()) look();
  }
};

catalogue_self::behavior_type catalogue_behavior(catalogue_self::stateful_pointer<catalogue_state> self, catalogue_deps deps) {
  install_handlers(self, "catalogue");
  auto* s = &self->state;
  s->start(std::move(deps));
  return {
      [s](const timer_due&) { s->on_timer(); },
      [s](const rescan_challenges&) { return s->on_rescan(); },
      [s](const ledger_changes& changes) { s->on_changes(changes); },
  };
}

folder_reader_actor::behavior_type reader_behavior(folder_reader_actor::pointer self, read_folders read) {
  install_handlers(self, "folder reader");
  return {[read = std::move(read)](const folders_wanted& m) -> listing_ptr {
    try {
      return std::make_shared<const config::challenge_listing>(read(m.before.get()));
    } catch (const std::exception& e) {
      config::challenge_listing none;
      none.problems.push_back({"", e.what()});
      return std::make_shared<const config::challenge_listing>(std::move(none));
    }
  }};
}

} // namespace

folder_reader_actor spawn_folder_reader(caf::actor_system& system, read_folders read) {
  return system.spawn<caf::detached>(reader_behavior, std::move(read));
}

catalogue_actor spawn_catalogue(caf::actor_system& system, catalogue_deps deps) {
  return system.spawn(catalogue_behavior, std::move(deps));
}

} // namespace poseidon
