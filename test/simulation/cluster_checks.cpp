#include "test/simulation/cluster_checks.hpp"

#include "messages/json.hpp"

namespace poseidon::simulation {
namespace {

constexpr std::int64_t engines_every_ms = 50, replicas_every_ms = 500;
constexpr std::int64_t dead_within_ms = 1'000, gone_within_ms = 10'000, unroutable_within_ms = 1'000;
/// A removal whose reply was lost is asked for again after its own time limit.
constexpr std::int64_t lost_reply_ms = 45'000;
/// A declaration may have been on its way for so long.
constexpr std::int64_t longest_way_ms = 16'000;
constexpr std::int64_t answers_again_ms = 4'000; ///< after trouble: a process has its journal, its log and its engine

/// What the ledger says of a copy: true when it must not be.
bool without_licence(const instance_row& row, const group_key& copy) {
  if (!is_live(row)) return row.epoch.empty() || row.epoch >= copy.epoch;
  return row.epoch.empty() || row.epoch > copy.epoch;
}

} // namespace

void cluster_checks::violate(std::string what) {
  if (violations_.size() < 20) violations_.push_back(std::to_string(of_.now()) + " ms: " + std::move(what));
}

void cluster_checks::look() {
  look_at_log();
  look_at_expiries();
  if (of_.now() - engines_at_ >= engines_every_ms) look_at_engines();
  if (of_.now() - replicas_at_ >= replicas_every_ms) look_at_replicas();
}

/// No route ends as expired before its own deadline. But when the log forgot that an instance has expired, and it was begun anew,
/// it may end as soon as whoever ended it says so.
void cluster_checks::look_at_expiries() {
  for (auto& m : of_.machines) {
    if (!m->process) continue;
    for (auto& what : std::exchange(m->process->expiries, {})) {
      if (what.early_ms == 0) expired_.insert(what.instance);
      else if (!torn_ || !expired_.contains(what.instance))
        violate(m->plan.name.value + ": " + what.instance.value + " expired " + std::to_string(what.early_ms) + " ms early");
    }
  }
}

void cluster_checks::look_at_all() {
  look_at_log();
  look_at_engines();
  look_at_replicas();
}

/// Who is declared lost has been silent.
void cluster_checks::look_at_log() {
  const auto& store = of_.log->store;
  if (log_ != store.log) log_ = store.log, read_ = 0;
  read_ = std::min(read_, store.last());
  for (; read_ < store.last(); ++read_) {
    const auto* entry = store.at(read_ + 1);
    if (!entry || !entry->what) continue;
    if (!followed_.empty()) follow(*entry);
    if (const auto* opened = std::get_if<incarnation_entry>(&entry->what->body)) opened_ = std::max(opened_, opened->number);
    const auto* lost = std::get_if<node_lost_entry>(&entry->what->body);
    if (!lost) continue;
    lossy_.insert(lost->node);
    ++losses_;
    for (auto& m : of_.machines)
      if (m->plan.name == lost->node && m->process && m->process->run() == lost->run && of_.now() - m->unheard_ms > longest_way_ms)
        violate(lost->node.value + " is declared lost by " + entry->what->appender + " and was heard for " +
                std::to_string(of_.now() - m->unheard_ms) + " ms");
  }
}

void cluster_checks::follow(const logged_entry& entry) const {
  if (std::holds_alternative<incarnation_entry>(entry.what->body)) return std::printf("%lld ms: #%llu a new incarnation, by %s\n", static_cast<long long>(of_.now()), static_cast<unsigned long long>(read_ + 1), entry.what->appender.c_str()), void();
  const auto text = to_json(*entry.what).dump();
  if (text.find(followed_) == std::string::npos) return;
  std::printf("%lld ms: #%llu %s\n", static_cast<long long>(of_.now()), static_cast<unsigned long long>(read_ + 1), text.substr(0, 2'000).c_str());
}

void cluster_checks::look_at_engines() {
  engines_at_ = of_.now();
  std::map<group_key, std::string> copies;
  for (auto& m : of_.machines) {
    if (!m->engine) continue;
    look_at_copies(*m);
    for (auto& [key, group] : m->engine->groups()) {
      if (group.containers.empty()) continue;
      const auto [known, fresh] = copies.emplace(key, m->plan.name.value);
      if (!fresh) violate("two copies of one epoch of " + key.instance.value + ": on " + known->second + " and " + m->plan.name.value);
    }
  }
}

void cluster_checks::look_at_copies(machine& m) {
  const auto boot = m.boot_now(of_.now());
  const auto engine_answers = m.engine_troubled_ms + (m.had_engine_faults ? lost_reply_ms : answers_again_ms);
  const bool judged = m.running() && of_.now() - m.process_troubled_ms > answers_again_ms && of_.now() > engine_answers && !m.process->storage.journal->full;
  for (auto& [key, group] : m.engine->groups()) {
    std::set<std::size_t> services;
    bool runs = false;
    for (auto& container : group.containers) {
      runs = runs || container.running;
      if (!services.insert(container.service).second) violate("two containers of one service of " + key.instance.value + " on " + m.plan.name.value);
    }
    if (!judged || !runs) continue;
    const auto& records = m.process->storage.journal->records;
    const auto record = records.find(key);
    if (record == records.end()) overdue_.erase({m.plan.name.value, key});
    if (record == records.end() || !record->second->deadline || record->second->deadline->boot_id != m.plan.boot_id) continue;
    const auto late = (boot - record->second->deadline->boot).count();
    if (late <= 0) continue;
    // One whose record was lost is known to be late only once the ledger has said what it is.
    const auto known = overdue_.try_emplace({m.plan.name.value, key}, of_.now()).first->second;
    if (late > dead_within_ms && of_.now() - known > dead_within_ms) violate(key.instance.value + " runs on " + m.plan.name.value + " " + std::to_string(late) + " ms past its deadline");
  }
}

void cluster_checks::look_at_replicas() {
  replicas_at_ = of_.now();
  still_.clear();
  for (auto& m : of_.machines) {
    if (!m->running()) continue;
    const auto state = of_.image(*m);
    check_image(*m, *state);
    check_digest(*m);
    if (m->engine) check_licences(*m, *state);
  }
  for (auto* found : {&unlicensed_, &misrouted_}) std::erase_if(*found, [&](auto& each) { return !still_.contains(each.first); });
}

/// By what its own replica says: copies without a licence are unroutable soon, and gone soon after.
void cluster_checks::check_licences(machine& m, const ledger_image& state) {
  std::map<instance_id, const instance_row*> rows;
  for (auto& row : state.instances) rows.emplace(row->id, row.get());
  const auto overdue = [&](found_since& found, const group_key& key, std::int64_t trouble, std::int64_t bound) {
    const auto row = rows.find(key.instance);
    if (row == rows.end() || !without_licence(*row->second, key)) return false;
    const auto where = std::pair{m.plan.name.value, key};
    still_.insert(where);
    return of_.now() - std::max(found.try_emplace(where, of_.now()).first->second, trouble) > bound;
  };
  const auto bound = m.had_engine_faults ? lost_reply_ms : gone_within_ms;
  for (auto& [key, group] : m.engine->groups())
    if (overdue(unlicensed_, key, std::max(m.troubled_ms, m.engine_troubled_ms), bound))
      violate("a copy of " + key.instance.value + " that may not be is still on " + m.plan.name.value);
  for (auto& [host, entry] : m.process->routes)
    if (entry.phase == route_phase::ready && !is_elsewhere(entry.route) &&
        overdue(misrouted_, {entry.route.instance, entry.route.epoch}, m.troubled_ms, unroutable_within_ms))
      violate(m.plan.name.value + " still serves an older copy of " + entry.route.instance.value);
}

void cluster_checks::check_image(machine& m, const ledger_image& state) {
  std::map<owner_key, std::set<std::string>> held;
  std::set<slot> slots;
  std::map<node_name, std::uint32_t> assigned;
  for (auto& row : state.instances) {
    if (!is_live(*row)) {
      if (ends_seen_.insert(row->id).second) check_end(*row);
      continue;
    }
    held[row->key].insert(row->challenge.value);
    if (!row->node.empty()) ++assigned[row->node];
    if (!row->stop_mark && !slots.insert({row->key, row->challenge.value}).second) violate("two live instances in the slot of " + row->id.value);
  }
  if (torn_) return; // restored starts are admitted whatever the limits, what exists is adopted
  for (auto& [owner, challenges] : held)
    if (challenges.size() > most_of_an_owner_) violate(m.plan.name.value + ": " + owner.value + " holds " + std::to_string(challenges.size()));
  for (auto& node : state.nodes)
    if (assigned[node->name] > node->capacity.instances) violate(node->name.value + " has " + std::to_string(assigned[node->name]) + " instances");
}

void cluster_checks::check_end(const instance_row& row) {
  // Wall times compare only where nobody has set the clock since, and where the same node said both: the end of a lost one is by
  // the clock of whoever declared it, the deadline of one that was moved and did not run yet by its old node's. The routes'
  // deadlines are checked always.
  const bool again = torn_ && expired_.contains(row.id);
  if (!again && !clocks_set_ && !lossy_.contains(row.node) && row.running_at && row.reason == end_reason::expired && row.expires_at && row.ended_at && *row.ended_at < *row.expires_at)
    violate(row.id.value + " ended as expired " + std::to_string((*row.expires_at - *row.ended_at).count()) + " ms before its deadline");
  if (row.reason == end_reason::lost && !lossy_.contains(row.node)) violate(row.id.value + " is lost, and " + row.node.value + " was not");
  if (row.reason == end_reason::stopped && !stops_.contains(row.id)) violate(row.id.value + " was stopped by nobody (" + row.stopped_by + ")");
  if ((row.reason == end_reason::superseded || row.reason == end_reason::fenced) && !torn_)
    violate(row.id.value + " ended as " + std::string{to_string(row.reason)} + ", and the log was whole");
}

/// Members may go on from where it was torn, and others stand where it had been: positions say something again in the next incarnation.
void cluster_checks::torn() {
  torn_ = true;
  look_at_log();
  forked_ = opened_; // what was opened and is torn away is opened again, by somebody else
  digests_.clear();
}

/// The same log gives everybody the same state.
void cluster_checks::check_digest(machine& m) {
  const auto status = m.process->world.answer_now<ledger_status>(m.process->ledger, get_ledger_status{true});
  if (!status || status->digest.empty() || status->folded.incarnation <= forked_) return;
  const auto [known, fresh] = digests_.try_emplace(status->folded, status->digest, m.plan.name.value);
  if (!fresh && known->second.first != status->digest)
    violate("at " + to_string(status->folded) + " the replicas of " + known->second.second + " and " + m.plan.name.value + " differ");
}

} // namespace poseidon::simulation
