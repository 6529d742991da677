#include "actors/catalogue/catalogue.hpp"

#include "actors/catalogue/catalogue_diff.hpp"
#include "actors/kit/ask.hpp"
#include "actors/kit/handlers.hpp"

#include <spdlog/spdlog.h>

namespace poseidon {

namespace {

using listing_ptr = std::shared_ptr<const config::challenge_listing>;

struct read_now {
  using poseidon_message = void;
  listing_ptr before;
};
using reader_actor = caf::typed_actor<replies_to<read_now>::with<listing_ptr>>;

reader_actor::behavior_type reader(reader_actor::pointer self, read_folders read) {
  install_handlers(self, "catalogue reader");
  return {[read = std::move(read)](const read_now& r) -> listing_ptr {
    return std::make_shared<const config::challenge_listing>(read(r.before.get()));
  }};
}

std::vector<std::string> texts_of(const config::challenge_listing& listing) {
  std::vector<std::string> texts;
  for (auto& folder : listing.folders) texts.push_back(folder.folder + " " + folder.text_digest);
  return texts;
}

struct catalogue_state {
  catalogue_actor::pointer self;
  catalogue_deps deps;
  reader_actor reader;
  listing_ptr last;
  bool busy = false, settled = false; ///< settled: the ledger had all of `last` when it was last compared
  boot_time compared;
  std::size_t open_appends = 0;
  bool append_failed = false;
  std::vector<caf::typed_response_promise<outcome<catalogue_report>>> waiting, next;

  void set_out() {
    reader = self->spawn<caf::linked + caf::detached>(poseidon::reader, deps.read);
    scan();
  }
  void scan() {
    if (busy) return;
    busy = true;
    waiting.swap(next);
    ask(self, reader, deps.read_limit, read_now{last}, [this](listing_ptr listing) { was_read(std::move(listing)); },
        [this](const failure& why) { finish(why); });
  }
  void was_read(listing_ptr listing) {
    const bool changed = !last || texts_of(*last) != texts_of(*listing);
    if (changed) tell_problems(*listing);
    last = std::move(listing);
    if (!changed && settled && waiting.empty() && deps.clock->boot_now() - compared < deps.compare_every) return finish({});
    ask(self, deps.ledger, deps.ledger_timeout, get_image{}, [this](const ledger_image_ptr& image) { compare(*image); },
        [this](const failure& why) { finish(why); });
  }
  void tell_problems(const config::challenge_listing& listing) const {
    for (auto& problem : report_of(listing).problems)
      for (auto& error : problem.errors) spdlog::warn("challenge folder {}: {}: {}", problem.folder, error.path, error.detail);
  }
  void compare(const ledger_image& image) {
    compared = deps.clock->boot_now();
    const auto diff = compare_catalogue(*last, image.challenges);
    append_failed = false;
    open_appends = 1;
    for (auto* challenge : diff.put) put(*challenge);
    for (auto& id : diff.drop) append(drop_challenge_entry{id}, "challenge " + id.value + " is gone");
    appended();
  }
  void put(const config::challenge& c) {
    auto sealed = deps.seal(c.confidential, c.id);
    if (!sealed) {
      append_failed = true;
      return spdlog::error("challenge {}: its flags could not be sealed: {}", c.id.value, sealed.error.detail);
    }
    append(put_challenge_entry{c.id, c.revision, c.spec_id, c.spec, c.metadata, *sealed}, "challenge " + c.id.value + " registered");
  }
  void append(entry_body body, std::string words) {
    ++open_appends;
    ask(self, deps.ledger, deps.ledger_timeout, append_entry{std::move(body)},
        [this, words = std::move(words)](const folded&) {
          spdlog::info("{}", words);
          appended();
        },
        [this](const failure& why) {
          append_failed = true;
          spdlog::warn("the catalogue could not append: {}", why.detail);
          appended();
        });
  }
  void appended() {
    if (--open_appends == 0) finish(append_failed ? failure{errc::ledger_unavailable, "not every challenge could be appended", 1'000, {}, {}} : failure{});
  }
  void finish(const failure& why) {
    busy = false;
    settled = !why;
    for (auto& promise : std::exchange(waiting, {})) promise.deliver(why ? outcome<catalogue_report>{why} : outcome<catalogue_report>{report_of(*last)});
    self->send(deps.timers, arm_timer{caf::actor_cast<timer_sink>(self), 0, deps.clock->boot_now() + deps.period});
    if (!next.empty()) scan();
  }
  caf::result<outcome<catalogue_report>> rescan() {
    auto promise = self->make_response_promise<outcome<catalogue_report>>();
    next.push_back(promise);
    scan();
    return promise;
  }
};

catalogue_actor::behavior_type catalogue(catalogue_actor::stateful_pointer<catalogue_state> self, catalogue_deps deps) {
  install_handlers(self, "catalogue");
  auto& state = self->state;
  state.self = self;
  state.deps = std::move(deps);
  state.set_out();
  return {[&state](const timer_due&) { state.scan(); }, [&state](const rescan_challenges&) { return state.rescan(); }};
}

} // namespace

catalogue_actor spawn_catalogue(caf::actor_system& system, catalogue_deps deps) { return system.spawn(catalogue, std::move(deps)); }

} // namespace poseidon
