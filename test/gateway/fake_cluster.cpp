#include "test/gateway/fake_cluster.hpp"

namespace poseidon::test {

struct fake_behaviors {
  static ledger_actor::behavior_type ledger(ledger_actor::pointer, fake_cluster* c) {
    return {
        [c](const append_entry& e) { return c->fold(e.body); },
        [c](const subscribe_ledger& s) {
          std::lock_guard lock(c->mutex_);
          c->subscribers_.push_back(s.sink);
          return c->image();
        },
        [c](const get_image&) { return c->image(); },
        [c](const get_instance& g) { return c->row(g.instance); },
        [](const find_live&) { return row_ptr{}; },
        [c](const get_ledger_status&) {
          std::lock_guard lock(c->mutex_);
          return ledger_status{{1, c->sequence_}, true, true, "digest", c->sequence_};
        },
    };
  }

  static scheduler_actor::behavior_type scheduler(scheduler_actor::pointer, fake_cluster* c) {
    return {
        [](const ledger_changes&) {},
        [c](const start_instance& w) { return c->start(w); },
        [c](const stop_instance& w) { return c->stop(w); },
        [c](const extend_instance& w) { return c->extend(w); },
        [c](const reset_instance& w) { return c->reset(w); },
        [c](const read_logs&) -> outcome<log_text> {
          std::lock_guard lock(c->mutex_);
          return log_text{c->logs_};
        },
        [](const read_stats&) -> outcome<group_stats> { return group_stats{1 << 20, 64 << 20, 5'000'000, 3}; },
        [](const collect_garbage&) -> outcome<garbage_report> { return garbage_report{{"container x: nobody's"}, {"container y: young"}}; },
        [](const move_instances&) -> outcome<moved_instances> { return moved_instances{2, 1, {errc::capacity_exhausted, "no other node has room", {}, {}, {}}}; },
        [c](const append_entry& e) { return c->fold(e.body); },
        [](const timer_due&) {},
        [](const open_log_stream&) { return outcome<stream_opened>{failure{errc::unknown_instance, "no streams here", {}, {}, {}}}; },
    };
  }

  static catalogue_actor::behavior_type catalogue(catalogue_actor::pointer) {
    return {
        [](const timer_due&) {},
        [](const rescan_challenges&) -> outcome<catalogue_report> {
          return catalogue_report{1, {{"challenges/broken", "broken", {{"instance.limits.memory", "is no size"}}}}};
        },
    };
  }
};

namespace {
failure refused(errc code, std::string detail) { return {code, std::move(detail), std::nullopt, {}, {}}; }
} // namespace

fake_cluster::fake_cluster(caf::actor_system& system) {
  challenge_row hello;
  hello.id = {"hello"};
  hello.revision = "sha256:1";
  hello.spec = sample_spec();
  hello.metadata = R"({"category":"web"})";
  hello.confidential.bytes = "sealed";
  challenges_["hello"] = hello;
  node_row node;
  node.name = {"n1"};
  node.machine = {"boot/1"};
  node.capacity = {4ull << 30, 2000, 100};
  node.version = "0.1.0";
  node.tags = {{"zone", "a"}};
  nodes_["n1"] = node;
  ledger = system.spawn(fake_behaviors::ledger, this);
  scheduler = system.spawn(fake_behaviors::scheduler, this);
  catalogue = system.spawn(fake_behaviors::catalogue);
}

fake_cluster::~fake_cluster() {
  caf::scoped_actor self{ledger.home_system()};
  for (auto& actor : {caf::actor_cast<caf::actor>(ledger), caf::actor_cast<caf::actor>(scheduler), caf::actor_cast<caf::actor>(catalogue)}) {
    caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
    self->wait_for(actor); // they refer to this object
  }
}

void fake_cluster::kill_scheduler() {
  caf::scoped_actor self{ledger.home_system()};
  caf::anon_send_exit(scheduler, caf::exit_reason::kill);
  self->wait_for(scheduler);
}

void fake_cluster::refuse(failure why) {
  std::lock_guard lock(mutex_);
  refusal_ = std::move(why);
}

void fake_cluster::set_logs(std::string text) {
  std::lock_guard lock(mutex_);
  logs_ = std::move(text);
}

std::vector<start_instance> fake_cluster::starts() {
  std::lock_guard lock(mutex_);
  return starts_;
}

row_ptr fake_cluster::row(const instance_id& id) {
  std::lock_guard lock(mutex_);
  auto found = rows_.find(id.value);
  return found == rows_.end() ? nullptr : shared(found->second);
}

ledger_image_ptr fake_cluster::image() {
  std::lock_guard lock(mutex_);
  auto result = std::make_shared<ledger_image>();
  result->at = {1, sequence_};
  for (auto& [id, row] : rows_) result->instances.push_back(shared(row));
  for (auto& [name, node] : nodes_) result->nodes.push_back(std::make_shared<const node_row>(node));
  for (auto& [id, challenge] : challenges_) result->challenges.push_back(std::make_shared<const challenge_row>(challenge));
  result->admin = admin_;
  return result;
}

void fake_cluster::publish(ledger_change change) {
  auto changes = std::make_shared<std::vector<ledger_change>>();
  changes->push_back(std::move(change));
  for (auto& s : subscribers_) caf::anon_send(s, ledger_changes(changes));
}

void fake_cluster::change_row(const instance_id& id, entry_body body, std::function<void(instance_row&)> edit) {
  std::lock_guard lock(mutex_);
  auto& row = rows_.at(id.value);
  edit(row);
  row.changed = {1, ++sequence_};
  publish(change(sequence_, std::move(body), {shared(row)}));
}

void fake_cluster::run(const instance_id& id) {
  auto before = *row(id);
  change_row(id, running_of(before), [](instance_row& row) { row = running(row, row.changed.sequence); });
}

void fake_cluster::end(const instance_id& id, end_reason reason, failure why) {
  auto gone = ended(*row(id), 0, reason);
  change_row(id, ended_of(gone), [&](instance_row& row) {
    row = ended(row, row.changed.sequence, reason);
    if (why) row.why = std::make_shared<const failure>(why);
  });
}

outcome<started> fake_cluster::start(const start_instance& what) {
  std::lock_guard lock(mutex_);
  starts_.push_back(what);
  if (refusal_) return refusal_;
  if (!what.inline_spec && !challenges_.contains(what.challenge.value)) return refused(errc::unknown_challenge, "there is no challenge " + what.challenge.value);
  if (!what.idempotency_key.empty()) {
    auto [bound, fresh] = keys_.try_emplace(what.idempotency_key, what.body_digest, "");
    if (!fresh && bound->second.first != what.body_digest) return refused(errc::idempotency_mismatch, "another body");
    if (!fresh) return started{verdict_kind::existing, shared(rows_.at(bound->second.second))};
  }
  auto key = key_of(what.owner);
  for (auto& [id, row] : rows_)
    if (is_live(row) && row.key == key && row.challenge == what.challenge) return started{verdict_kind::existing, shared(row)};
  ++sequence_;
  auto row = assigned(sample_row("i" + std::to_string(sequence_), sequence_), sequence_);
  row.owner = what.owner;
  row.key = key;
  row.challenge = what.challenge;
  if (!what.metadata.empty()) row.metadata = what.metadata;
  rows_[row.id.value] = row;
  if (!what.idempotency_key.empty()) keys_[what.idempotency_key].second = row.id.value;
  auto entry = start_of(row);
  entry.actor = what.actor;
  publish(change(sequence_, entry, {shared(row)}));
  return started{verdict_kind::accepted, shared(row)};
}

outcome<row_ptr> fake_cluster::stop(const stop_instance& what) {
  if (refusal_) return refusal_;
  if (!row(what.instance)) return row_ptr{};
  change_row(what.instance, cancel_entry{what.instance, what.reason, what.actor}, [&](instance_row& row) { row.stop_mark = what.reason; });
  return row(what.instance);
}

outcome<row_ptr> fake_cluster::extend(const extend_instance& what) {
  if (refusal_) return refusal_;
  deadline_moved_entry moved;
  moved.head.instance = what.instance;
  moved.actor = what.actor;
  change_row(what.instance, moved, [](instance_row& row) {
    if (row.expires_at) row.expires_at = *row.expires_at + millis{row.spec->extension.step_ms};
  });
  return row(what.instance);
}

outcome<row_ptr> fake_cluster::reset(const reset_instance& what) {
  if (refusal_) return refusal_;
  move_entry move;
  move.instance = what.instance;
  change_row(what.instance, move, [this](instance_row& row) { row = assigned(row, sequence_ + 1); });
  return row(what.instance);
}

void fake_cluster::apply_admin(ledger_change& change) {
  auto& body = change.cause->body;
  change.administration = true;
  if (auto* put = std::get_if<put_key_entry>(&body)) admin_.keys.push_back(*put);
  else if (auto* drop = std::get_if<drop_key_entry>(&body)) std::erase_if(admin_.keys, [&](auto& k) { return k.key == drop->key; });
  else if (auto* setting = std::get_if<put_setting_entry>(&body)) {
    if (setting->value.empty()) admin_.settings.erase(setting->name);
    else admin_.settings[setting->name] = setting->value;
  } else if (auto* limits = std::get_if<put_limits_entry>(&body)) admin_.limits = limits->limits;
  else if (auto* pause = std::get_if<set_pause_entry>(&body)) admin_.paused = pause->paused;
  else change.administration = false;
  if (auto* enable = std::get_if<enable_challenge_entry>(&body)) {
    challenges_[enable->challenge.value].enabled = enable->enabled;
    change.challenges.push_back(std::make_shared<const challenge_row>(challenges_[enable->challenge.value]));
  }
  if (auto* mode = std::get_if<set_node_mode_entry>(&body)) {
    nodes_[mode->node.value].mode = mode->mode;
    change.nodes.push_back(std::make_shared<const node_row>(nodes_[mode->node.value]));
  }
}

outcome<folded> fake_cluster::fold(const entry_body& body) {
  std::lock_guard lock(mutex_);
  if (refusal_) return refusal_;
  auto made = change(++sequence_, body);
  apply_admin(made);
  publish(std::move(made));
  return folded{{1, sequence_}, {verdict_kind::accepted, {}, {}}, nullptr};
}

void fake_cluster::append(entry_body body) { fold(body); }

} // namespace poseidon::test
