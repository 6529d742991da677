#include "test/simulation/cluster.hpp"

#include <algorithm>

namespace poseidon::simulation {
namespace {

constexpr std::int64_t most_clock_difference_ms = 3'600'000;
constexpr std::size_t longest_burst = 8;

} // namespace

cluster::cluster(std::uint64_t seed, const cluster_size& size) : random(std::make_shared<seeded_random>(seed)), size_(size) {
  log = std::make_shared<log_server>(events, random, *time_);
  hub = std::make_shared<memory_bus_hub>(time_, [this](const std::string& from, const std::string& to, std::function<void()> deliver) {
    carry(from, to, std::move(deliver));
  });
  for (std::size_t i = 0; i < size.nodes + size.gateways; ++i) {
    const bool node = i < size.nodes;
    auto made = std::make_unique<machine>();
    auto& m = *made;
    const auto number = std::to_string(node ? i + 1 : i + 1 - size.nodes);
    m.plan.name = {(node ? "n" : "g") + number};
    m.plan.boot_id = "boot-" + m.plan.name.value + "-1";
    m.plan.machine = {m.plan.boot_id + "/1"};
    m.plan.node = node;
    m.plan.gateway = !node;
    m.plan.capacity = {64ull << 30, 64'000, size.instances_per_node};
    m.plan.hub = hub;
    m.plan.shared_log = log;
    m.plan.line = size.line;
    m.plan.membership.lost_after = size.lost_after;
    m.storage.journal->data = {1, i + 1};
    m.boot_began = 1'000'000 + static_cast<std::int64_t>(random->below(1'000'000'000));
    if (size.clocks_differ) m.clock_set = millis{static_cast<std::int64_t>(random->below(2 * most_clock_difference_ms)) - most_clock_difference_ms};
    if (node) {
      m.engine = std::make_shared<simulated_engine>([this](millis span, std::function<void()> what) { events.after(span, std::move(what)); },
                                                    [this, at = &m] { return wall_time{1'800'000'000'000 + now()} + at->clock_set; }, seed + i);
      m.engine->image("stubborn").ignores_term = true;
      m.engine->faults.most_latency = millis{15};
    }
    machines.push_back(std::move(made));
    start(m);
  }
}

cluster::~cluster() {
  for (auto& m : machines) m->process.reset();
}

void cluster::carry(const std::string& from, const std::string& to, std::function<void()> deliver) {
  if (partitions.contains(std::minmax(from, to)) || random->chance(bus_lost)) return;
  events.after(millis{static_cast<std::int64_t>(random->below(static_cast<std::uint64_t>(bus_most.count()) + 1))}, std::move(deliver));
}

void cluster::start(machine& at, kept what) {
  if (at.process) return;
  if (!what.journal) {
    const auto data = data_id{at.storage.journal->data.high + 1, at.storage.journal->data.low};
    at.storage.journal = std::make_shared<memory_journal_disk>();
    at.storage.journal->data = data;
  }
  if (!what.tail) at.storage.tail = std::make_shared<memory_tail_store>();
  at.frozen = false;
  at.owed = millis{0};
  at.crash_after.reset();
  at.process = std::make_unique<simulated_process>(at.plan, std::move(at.storage), at.engine, events, random,
                                                   process_birth{++runs_, at.boot_now(now()), at.clock_set, millis{now()}});
  at.storage = {};
  at.process_troubled_ms = at.troubled_ms = at.unheard_ms = now();
  if (at.bus_cut) hub->cut(at.plan.name.value, true);
}

void cluster::crash(machine& at) {
  if (!at.process) return;
  ++crashes;
  at.storage = at.process->storage.copy();
  at.process.reset();
  at.frozen = false;
}

void cluster::thaw(machine& at) {
  if (!at.frozen) return;
  at.frozen = false;
  if (at.process) at.process->pass(std::exchange(at.owed, millis{0}));
}

void cluster::reboot(machine& at) {
  crash(at);
  ++at.boots;
  at.plan.boot_id = "boot-" + at.plan.name.value + "-" + std::to_string(at.boots);
  at.plan.machine = {at.plan.boot_id + "/1"};
  at.boot_began = 10'000 - now();
  if (!at.engine) return;
  at.engine->go_down();
  at.engine->come_back(false);
}

void cluster::cut_bus(machine& at, bool away) {
  at.bus_cut = away;
  hub->cut(at.plan.name.value, away);
}

void cluster::cut_log(machine& at, bool away) {
  if (at.process) log->cut(at.process->line, away);
}

void cluster::set_clock(machine& at, millis to) {
  if (at.process) at.process->world.time.jump_wall(to - at.clock_set);
  at.clock_set = to;
}

std::vector<machine*> cluster::with_process(bool gateway) {
  std::vector<machine*> found;
  for (auto& m : machines)
    if (m->running() && m->plan.gateway == gateway) found.push_back(m.get());
  return found;
}

machine* cluster::some_gateway() {
  const auto all = with_process(true);
  return all.empty() ? nullptr : all[random->below(all.size())];
}

ledger_image_ptr cluster::image(machine& at) {
  auto got = at.process->world.answer_now<ledger_image_ptr>(at.process->ledger, get_image{});
  return got ? *got : std::make_shared<const ledger_image>();
}

ledger_image_ptr cluster::image() {
  ledger_image_ptr best = std::make_shared<const ledger_image>();
  for (auto& m : machines) {
    if (!m->running()) continue;
    auto each = image(*m);
    if (each->at > best->at) best = std::move(each);
  }
  return best;
}

millis cluster::until_next(millis most) {
  auto next = std::min(most, millis{events.next_ms() == std::numeric_limits<std::int64_t>::max() ? most.count() : events.next_ms() - now()});
  for (auto& m : machines)
    if (m->running()) next = std::min(next, m->process->next_due());
  return std::max(next, millis{1});
}

void cluster::step(millis most) {
  const auto span = until_next(most);
  time_->advance(span);
  for (auto& m : machines) {
    if (!m->process) continue;
    if (m->frozen) m->owed += span;
    else m->process->pass(span);
  }
  events.advance_to(now() + span.count());
  hub->expire();
  run();
  note_trouble();
}

void cluster::pass(millis span) {
  for (const auto end = now() + span.count(); now() < end;) step(millis{end - now()});
}

/// Whoever has something to do, in an order of the seed, a few messages at a time.
void cluster::run() {
  std::vector<machine*> ready;
  for (;;) {
    ready.clear();
    for (auto& m : machines)
      if (m->running() && m->process->queued_messages() != 0) ready.push_back(m.get());
    if (ready.empty()) return;
    auto& m = *ready[ready.size() == 1 ? 0 : random->below(ready.size())];
    for (auto burst = 1 + random->below(longest_burst); burst != 0 && m.process; --burst) {
      if (!m.process->run_one()) break;
      ++messages;
      if (m.crash_after && (*m.crash_after)-- == 0) crash(m);
    }
  }
}

void cluster::note_trouble() {
  for (auto& m : machines) {
    const bool away = !m->running(), logless = away || !m->process->line->connected || !log->up();
    const auto& name = m->plan.name.value;
    const bool cut = m->bus_cut || bus_lost != 0 || std::any_of(partitions.begin(), partitions.end(), [&](auto& p) { return p.first == name || p.second == name; });
    if (away) m->process_troubled_ms = now();
    if (logless) m->troubled_ms = now();
    if (away || cut) m->unheard_ms = now();
    if (!m->engine) continue;
    const bool fails = m->engine->faults.lost_replies || m->engine->faults.failures;
    if (!m->engine->up() || m->engine_hangs || fails) m->engine_troubled_ms = now();
    m->had_engine_faults = m->had_engine_faults || fails;
  }
}

} // namespace poseidon::simulation
