// From the start of the process to the right to launch: journal, ledger, engine, node_up.

#include "actors/supervisor/supervisor_state.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace poseidon {

void supervisor_state::load_journal() {
  ask(
      self, deps.journal, deps.ask_timeout, load_records{},
      [this](std::shared_ptr<const journal_contents> contents) {
        journal = std::move(contents);
        subscribe();
      },
      [this](failure why) {
        spdlog::error("supervisor: the journal can't be read: {}", why.detail);
        register_trouble = std::move(why);
        arm(supervisor_token::journal, deps.clock->boot_now() + deps.longest_retry);
      });
}

/// Adoption does not wait for a ledger that is away: what runs here is the node's. Asked for again soon: until the image is
/// there, copies that others have been given meanwhile are served on.
void supervisor_state::subscribe() {
  ask(
      self, deps.ledger, adopted ? deps.ask_timeout : deps.image_wait, subscribe_ledger{ledger_subscriber{self}},
      [this](ledger_image_ptr image) { take_image(*image); },
      [this](failure why) {
        spdlog::warn("supervisor: no image of the ledger yet: {}", why.detail);
        if (!adopted) adopt_all();
        arm(supervisor_token::subscription, deps.clock->boot_now() + deps.first_retry);
      });
}

void supervisor_state::take_image(const ledger_image& image) {
  has_image = true;
  replica = image.at;
  rows.clear();
  timed_by.clear();
  unbegun.clear(); // the registration that follows says what is here, and with it what is not
  for (auto& row : image.instances) infer_clock(*row);
  for (auto& node : image.nodes)
    if (node->name == deps.node) see_mode(*node);
  for (auto& row : image.instances)
    if (is_live(*row) && row->node == deps.node) rows[row->id] = row;
  if (!adopted) adopt_all();
  for (auto& row : image.instances) evaluate(row->id, *row);
  register_node();
}

void supervisor_state::on_changes(const ledger_changes& changes) {
  if (!has_image) return; // the image that is on its way holds them
  for (auto& change : *changes) {
    if (change.at <= replica) continue;
    replica = change.at;
    note_clock(change);
    note_end(change);
    if (is_registration(change)) answered = true;
    const bool begun_anew = registered && was_registered && change.at.incarnation > registered_incarnation;
    if (begun_anew) registered = false; // before any row of it is acted on
    for (auto& id : change.forgotten) rows.erase(id);
    for (auto& row : change.instances) note_leaving(*row);
    for (auto& row : change.instances)
      if (is_live(*row) && row->node == deps.node)
        rows[row->id] = row;
      else
        rows.erase(row->id);
    for (auto& node : change.nodes)
      if (node->name == deps.node) node->up_at.incarnation < replica.incarnation && !node->lost ? see_mode(*node) : see_node(*node); // registered before it, or in it
    for (auto& row : change.instances) see_row(row);
    if (begun_anew) register_node();
  }
}

void supervisor_state::see_node(const node_row& row) {
  see_mode(row);
  counted = row.run == deps.run && !row.lost;
  if (counted) {
    if (answered && !registered && !behind) now_registered();
    return;
  }
  if (row.lost) { // nobody has the name: this run may, also where an earlier one with another DATA was in its way
    registered = false;
    return register_node();
  }
  if (!was_registered) return; // an earlier run's row
  registered = false;
  if (!superseded) spdlog::error("supervisor: another process runs as node {}: nothing is launched here any more", deps.node.value);
  superseded = true;
}

/// The registration that was sent last, and no earlier one that came late: its inventory is the one that is compared with what ended.
bool supervisor_state::is_registration(const ledger_change& change) const {
  const auto* up = change.cause ? std::get_if<node_up_entry>(&change.cause->body) : nullptr;
  return up && up->node == deps.node && up->run == deps.run && up->at == told_at;
}

/// What the fold has released since the inventory was taken it would hold for ever by the inventory's word.
void supervisor_state::note_end(const ledger_change& change) {
  if (registered || !change.cause) return;
  if (const auto* ended = std::get_if<ended_entry>(&change.cause->body); ended && ended->head.node == deps.node)
    ended_meanwhile.insert({ended->head.instance, ended->head.epoch});
}

bool supervisor_state::inventory_is_stale() const {
  return std::ranges::any_of(ended_meanwhile, [this](const group_key& ended) { return told_alive.contains(ended); });
}

void supervisor_state::now_registered() {
  if (inventory_is_stale()) {
    if (!std::exchange(told_stale, true)) arm(supervisor_token::registration, deps.clock->boot_now() + retry);
    return;
  }
  spdlog::info("supervisor: node {} is registered", deps.node.value);
  registered = was_registered = true;
  registered_incarnation = replica.incarnation;
  register_trouble = {};
  retry = deps.first_retry;
  evaluate_all();
  judge_held();
}

/// What is held and what the replica says of it, also where it has the instance queued or elsewhere.
void supervisor_state::judge_held() {
  if (held.empty()) return;
  ask(
      self, deps.ledger, deps.ask_timeout, get_image{},
      [this](ledger_image_ptr image) {
        for (auto& row : image->instances)
          if (held.contains(row->id)) evaluate(row->id, *row);
      },
      [this](failure) { arm(supervisor_token::held, deps.clock->boot_now() + retry); });
}

/// Everything that the journal holds gets its actor; what the replica knows to be over is taken over to be removed.
void supervisor_state::adopt_all() {
  adopted = true;
  auto records = journal->records;
  std::sort(records.begin(), records.end(), [](auto& a, auto& b) { return group_key{a->instance, a->epoch} < group_key{b->instance, b->epoch}; });
  for (auto& record : records) adopt(record);
  if (!records.empty()) spdlog::info("supervisor: {} instances taken over from the journal", records.size());
}

void supervisor_state::look_at_engine() {
  ask(
      self, deps.runtime, deps.ask_timeout, get_runtime_info{},
      [this](runtime_info info) {
        engine = std::move(info);
        engine_up = true;
        look_at_images();
        register_node();
      },
      [this](failure why) {
        engine_up = false;
        engine_trouble = std::move(why);
        arm(supervisor_token::engine, deps.clock->boot_now() + millis{1'000});
      });
}

/// Begins as soon as journal, replica and engine have been seen; each attempt lists engine and journal anew.
void supervisor_state::register_node() {
  if (registered || registering || superseded || shutting_down || !has_image || !engine) return;
  registering = true;
  ask(
      self, deps.runtime, deps.list_timeout, list_objects{},
      [this](object_list list) { gather_inventory(groups_of(list.objects, deps.cluster, deps.node)); },
      [this](failure why) { register_failed(std::move(why)); });
}

void supervisor_state::gather_inventory(std::vector<labelled_group> groups) {
  ended_meanwhile.clear();
  told_alive.clear();
  told_stale = answered = false;
  told_at = {};
  ask(
      self, deps.journal, deps.ask_timeout, load_records{},
      [this, groups = std::move(groups)](std::shared_ptr<const journal_contents> contents) mutable {
        journal = std::move(contents);
        ask(
            self, deps.ledger, deps.ask_timeout, get_image{},
            [this, groups = std::move(groups)](ledger_image_ptr image) mutable { append_node_up(*image, std::move(groups)); },
            [this](failure why) { register_failed(std::move(why)); });
      },
      [this](failure why) { register_failed(std::move(why)); });
}

void supervisor_state::append_node_up(const ledger_image& image, std::vector<labelled_group> groups) {
  inventory_sources from;
  from.journal = journal.get();
  std::unordered_map<instance_id, row_ptr> by_id;
  for (auto& row : image.instances) {
    from.known.insert(row->id);
    by_id[row->id] = row;
  }
  for (auto& [id, row] : rows)
    if (row->node_run == deps.run) from.begun.emplace(group_key{id, row->epoch}, row);
  from.seal = [this](const secret& flag, const instance_id& id) {
    auto sealed = deps.seal ? deps.seal(flag, id) : outcome<sealed_secret>{sealed_secret{}};
    return sealed ? std::move(*sealed) : sealed_secret{};
  };
  for (auto& group : groups) {
    auto row = by_id.find(group.key.instance);
    if (take_lost(row == by_id.end() ? nullptr : row->second, group)) from.groups.push_back(std::move(group));
  }

  node_up_entry up;
  up.node = deps.node;
  up.run = deps.run;
  up.data = journal->data;
  up.machine = deps.machine;
  up.capacity = status().capacity;
  up.tags = deps.tags;
  up.incarnation = image.at.incarnation;
  up.at = image.at;
  up.inventory = make_inventory(from);
  for (const auto& item : up.inventory)
    if (!item.tombstone) told_alive.insert({item.instance, item.epoch});
  up.version = deps.version;
  told_at = up.at;
  ask(
      self, deps.ledger, deps.ask_timeout, append_entry{std::move(up)},
      [this, absence = absences](folded answer) {
        registering = false;
        if (answer.verdict.kind == verdict_kind::accepted) answered = true, caught_up(absence);
        if (registered) return;
        if (answer.verdict.kind == verdict_kind::accepted) return arm(supervisor_token::registration, deps.clock->boot_now() + retry);
        register_failed(answer.verdict.why ? answer.verdict.why : failure{errc::conflict, "the ledger did not take the node", {}, {}, {}});
      },
      [this](failure why) { register_failed(std::move(why)); });
}

void supervisor_state::register_failed(failure why) {
  registering = false;
  spdlog::warn("supervisor: node {} is not registered yet: {}: {}", deps.node.value, to_string(why.code), why.detail);
  register_trouble = std::move(why);
  arm(supervisor_token::registration, deps.clock->boot_now() + retry);
  retry = std::min(retry * 2, deps.longest_retry);
}

} // namespace poseidon
