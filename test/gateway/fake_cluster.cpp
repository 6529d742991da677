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

  static scheduler_actor::behavior_type scheduler(scheduler_actor::pointer self, fake_cluster* c) {
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
        [self, c](const open_log_stream& m) { return c->open_stream(self->system(), m); },
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
  for (auto& source : sources_) {
    caf::anon_send_exit(source, caf::exit_reason::kill);
    self->wait_for(source);
  }
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
  for (auto& [id, one] : streams_) read_on(one);
}

struct fake_source {
  static stream_source::behavior_type behavior(stream_source::pointer self, fake_cluster* c, open_log_stream m) {
    self->set_down_handler([self, c, id = m.what.stream](caf::down_msg&) {
      c->close_stream_of(id);
      self->quit();
    });
    self->monitor(m.sink);
    return {
        [c](const stream_credit& credit) { c->give_credit(credit); },
        [self, c](const close_stream& closed) {
          c->close_stream_of(closed.stream);
          self->quit();
        },
    };
  }
};

outcome<stream_opened> fake_cluster::open_stream(caf::actor_system& system, const open_log_stream& m) {
  std::lock_guard lock(mutex_);
  if (refusal_) return refusal_;
  auto found = rows_.find(m.what.instance.value);
  if (found == rows_.end() || !is_live(found->second)) return failure{errc::instance_ended, "it has ended", std::nullopt, {}, {}};
  auto source = system.spawn(fake_source::behavior, this, m);
  sources_.push_back(source);
  auto& one = streams_.emplace(m.what.stream, log_reader{m, source, 0, m.what.credit_bytes, 0}).first->second;
  read_on(one);
  return stream_opened{source};
}

void fake_cluster::read_on(log_reader& one) {
  while (one.credit > 0 && one.sent < logs_.size()) {
    auto size = std::min<std::size_t>({one.credit, logs_.size() - one.sent, 16'384});
    caf::anon_send(one.what.sink, stream_piece{one.what.what.stream, ++one.pieces, "main", logs_.substr(one.sent, size), false});
    one.sent += size;
    one.credit -= size;
    most_sent_ = std::max(most_sent_, one.sent);
  }
}

void fake_cluster::give_credit(const stream_credit& m) {
  std::lock_guard lock(mutex_);
  auto found = streams_.find(m.stream);
  if (found == streams_.end()) return;
  found->second.credit += m.bytes;
  read_on(found->second);
}

void fake_cluster::close_stream_of(const stream_id& stream) {
  std::lock_guard lock(mutex_);
  streams_.erase(stream);
}

void fake_cluster::end_streams(failure why) {
  std::lock_guard lock(mutex_);
  for (auto& [id, one] : streams_) caf::anon_send(one.what.sink, stream_end{id, one.pieces, why});
  streams_.clear();
}

std::size_t fake_cluster::open_streams() {
  std::lock_guard lock(mutex_);
  return streams_.size();
}

std::size_t fake_cluster::most_sent() {
  std::lock_guard lock(mutex_);
  return most_sent_;
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
  end_streams({errc::instance_ended, "the container is gone", std::nullopt, {}, {}});
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
  auto made = change(sequence_, entry, {shared(row)});
  made.decisions.push_back({row.id, row.node, "the least loaded of 2 that fit", {{{"n1"}, 1000, {}}, {{"n2"}, 2500, {}}, {{"n3"}, 0, "is too small"}}});
  publish(std::move(made));
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
    auto& node = nodes_[mode->node.value];
    node.mode = mode->mode;
    node.mode_at = change.at;
    node.drain_limit_ms = mode->limit_ms;
    node.drain_move = mode->move;
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
