#include "test/simulation/episode.hpp"

#include "actors/fold/fold.hpp"
#include "actors/fold/snapshot.hpp"
#include "test/simulation/simulated_spec.hpp"

namespace poseidon::simulation {

namespace {

constexpr millis tick{1};
constexpr std::size_t no_budget = 5'000'000;
constexpr std::uint32_t most_a_user = 2;

class episode {
public:
  episode(std::uint64_t seed, const episode_size& size) : size_(size), random_(std::make_shared<seeded_random>(seed)) {
    engine_ = std::make_shared<simulated_engine>([this](millis span, std::function<void()> what) { events_.after(span, std::move(what)); },
                                                 [this] { return wall_time{1'800'000'000'000 + events_.now_ms()}; }, seed);
    engine_->image("stubborn").ignores_term = true;
    engine_->faults.most_latency = millis{15};
    process_ = make_process(disk{});
  }

  episode_result run() {
    set_up();
    if (size_.faults) engine_->faults.lost_replies = engine_->faults.failures = 3;
    while (now() < size_.storm.count() && result_.violations.empty()) {
      user_step();
      if (size_.faults) fault_step();
      step();
      if (now() % 250 == 0) check();
    }
    settle();
    return result_;
  }

private:
  std::int64_t now() const { return events_.now_ms(); }
  bool faulty_log() const { return process_->log_faults->away; }

  std::unique_ptr<simulated_process> make_process(disk on) {
    return std::make_unique<simulated_process>(process_plan{}, std::move(on), engine_, events_, random_,
                                               process_birth{++runs_, {}, clock_set_, millis{now()}});
  }

  void step(std::size_t budget = no_budget) {
    events_.advance_to(now() + tick.count());
    const bool alive = process_->step(tick, budget);
    for (auto& what : std::exchange(process_->expiries, {}))
      if (what.early_ms > 0) violate(what.instance.value + " expired " + std::to_string(what.early_ms) + " ms early");
    if (!alive) crash();
    collect();
  }

  void crash() {
    ++result_.crashes;
    auto left = process_->storage.copy();
    process_.reset();
    waiting_.clear();
    process_ = make_process(std::move(left));
  }

  void set_up() {
    for (int i = 0; i < 1'000; ++i) step(); // the ledger opens its log, the node registers
    put(put_limits_entry{[] {
      limit_table limits;
      limits.per_owner = most_a_user;
      return limits;
    }()});
    for (int i = 0; i < 4; ++i) {
      const auto spec = simulated_spec(1'000 + 1'500 * i, i % 2 == 1, {1'000, 0, 3'000, 100});
      const auto id = "c" + std::to_string(i);
      put(put_challenge_entry{{id}, "sha256:" + id, {"sha256:" + id}, spec, "{}", {}});
    }
    for (int i = 0; i < 2'000 && image()->challenges.size() < 4; ++i) step();
  }
  void put(entry_body body) { process_->ask<outcome<folded>>(append_entry{std::move(body)}); }

  // --- users ---------------------------------------------------------------------------------------------------------

  struct waiting {
    std::shared_ptr<std::optional<outcome<started>>> reply;
    std::string user, key;
  };

  void user_step() {
    if (!random_->chance(300'000)) return;
    const auto user = "u" + std::to_string(random_->below(size_.users));
    switch (random_->below(10)) {
    case 0: case 1: case 2: case 3: case 4: case 5: start(user); break;
    case 6: case 7: any_told([&](const instance_id& id) {
      stops_.insert(id);
      process_->ask<outcome<row_ptr>>(stop_instance{id, end_reason::stopped, "user"});
    }); break;
    case 8: any_told([&](const instance_id& id) { process_->ask<outcome<row_ptr>>(extend_instance{id, "user"}); }); break;
    default: any_told([&](const instance_id& id) { process_->ask<outcome<row_ptr>>(reset_instance{id, "user"}); }); break;
    }
  }
  void start(const std::string& user) {
    ++result_.starts;
    start_instance wish;
    wish.request = {"r" + std::to_string(result_.starts)};
    wish.owner.user = user;
    wish.challenge = {"c" + std::to_string(random_->below(4))};
    wish.idempotency_key = user + "/" + std::to_string(random_->below(3));
    wish.body_digest = wish.challenge.value;
    waiting_.push_back({process_->ask<outcome<started>>(wish), user, wish.idempotency_key + "/" + wish.body_digest});
  }
  template <class Do>
  void any_told(Do what) {
    if (told_.empty()) return;
    auto at = told_.lower_bound({std::string(1, static_cast<char>('a' + random_->below(26)))});
    if (at == told_.end()) at = told_.begin();
    what(*at);
  }
  void collect() {
    for (auto& each : waiting_) {
      if (!*each.reply) continue;
      const auto reply = std::move(**each.reply);
      each.reply = nullptr;
      if (!reply) continue;
      if (!reply->row) {
        violate("a start of " + each.user + " was answered (" + std::string{to_string(reply->kind)} + ") without its instance");
        continue;
      }
      const auto& id = reply->row->id;
      if (reply->row->owner.user != each.user) violate("a start of " + each.user + " was answered with an instance of " + reply->row->owner.user);
      const auto [known, fresh] = by_key_.emplace(each.key, id);
      if (!fresh && known->second != id) violate("idempotency key " + each.key + " gave " + known->second.value + " and then " + id.value);
      told_.insert(id);
    }
    std::erase_if(waiting_, [](const waiting& each) { return !each.reply; });
  }

  // --- faults --------------------------------------------------------------------------------------------------------

  void fault_step() {
    if (!random_->chance(1'500)) return;
    ++result_.faults;
    auto& faults = *process_->log_faults;
    switch (random_->below(13)) {
    case 0: crash(); break;
    case 1: step(1 + random_->below(200)); break; // in the middle of whatever goes on
    case 2: engine_->go_down(); later(200 + random_->below(2'000), [this, keep = random_->below(2) == 0] { engine_->come_back(keep); }); break;
    case 3: engine_->hang(); later(100 + random_->below(1'500), [this] { engine_->resume(); }); break;
    case 4: crash_a_service(); break;
    case 5: faults.away = true; later(100 + random_->below(2'000), [this] { log_back(); }); break;
    case 6: faults.lose_acks = static_cast<std::uint32_t>(random_->below(20)); break;
    case 7: faults.duplicate_appends = static_cast<std::uint32_t>(random_->below(20)); break;
    case 8: faults.fail_appends = static_cast<std::uint32_t>(random_->below(20)); break;
    case 11: set_clock(); break;
    case 12: process_->storage.journal->full = true; later(100 + random_->below(2'000), [this] { process_->storage.journal->full = false; }); break;
    case 9: tear([](memory_log_store& log) { log.wipe(); }); break;
    case 10: tear([](memory_log_store& log) { log.roll_back(log.last() - std::min<std::uint64_t>(30, log.last() - log.first + 1)); }); break;
    }
  }
  void later(std::uint64_t ms, std::function<void()> what) { events_.after(millis{static_cast<std::int64_t>(ms)}, std::move(what)); }
  /// Somebody sets the wall clock by up to an hour, either way.
  void set_clock() {
    const millis by{static_cast<std::int64_t>(random_->below(7'200'000)) - 3'600'000};
    clock_set_ += by;
    process_->world.time.jump_wall(by);
  }
  void log_back() {
    process_->log_faults->away = false;
    process_->reconnect_log();
  }
  template <class Damage>
  void tear(Damage damage) {
    torn_ = true;
    damage(*process_->storage.log);
    if (random_->below(2) == 0) crash();
    else process_->reconnect_log();
  }
  void crash_a_service() {
    for (auto& [key, group] : engine_->groups())
      if (!group.containers.empty() && random_->below(4) == 0) {
        engine_->crash(key, group.containers.front().plan->spec->services.front().name);
        return;
      }
  }

  // --- what must hold ------------------------------------------------------------------------------------------------

  ledger_image_ptr image() {
    auto got = process_->world.answer_now<ledger_image_ptr>(process_->ledger, get_image{});
    return got ? *got : std::make_shared<const ledger_image>();
  }
  void violate(std::string what) {
    if (result_.violations.size() < 20) result_.violations.push_back(std::to_string(now()) + " ms: " + std::move(what));
  }

  void check() {
    const auto state = image();
    if (state->instances.empty()) return;
    std::map<owner_key, std::uint32_t> held;
    std::set<slot> slots;
    for (auto& row : state->instances) {
      if (is_live(*row) && !row->stop_mark && !slots.insert({row->key, row->challenge.value}).second) violate("two live instances in slot of " + row->id.value);
      if (is_live(*row)) ++held[row->key];
      if (row->phase == ledger_phase::ended) check_end(*row);
    }
    // A wait behind an end shares its slot with it, and a restored start is admitted whatever the limits.
    if (!torn_)
      for (auto& [owner, count] : held)
        if (count > 2 * most_a_user) violate(owner.value + " holds " + std::to_string(count));
    check_groups();
  }
  void check_end(const instance_row& row) {
    // Wall times compare only while nobody has set the clock; the routes' deadlines are checked always.
    if (clock_set_ == millis{0} && row.reason == end_reason::expired && row.expires_at && row.ended_at && *row.ended_at < *row.expires_at)
      violate(row.id.value + " ended as expired before its deadline");
    if (row.reason == end_reason::lost) violate(row.id.value + " is lost, and no node was");
    if (row.reason == end_reason::stopped && !stops_.contains(row.id) && row.stopped_by.empty()) violate(row.id.value + " was stopped by nobody");
  }
  void check_groups() {
    for (auto& [key, group] : engine_->groups()) {
      std::set<std::size_t> services;
      for (auto& container : group.containers)
        if (!services.insert(container.service).second) violate("two containers of one service of " + key.instance.value);
    }
  }

  // --- the end -------------------------------------------------------------------------------------------------------

  void settle() {
    if (!result_.violations.empty()) return;
    engine_->faults.lost_replies = engine_->faults.failures = 0;
    for (int i = 0; i < 5'000; ++i) step(); // planned recoveries pass
    if (!engine_->up()) engine_->come_back(true);
    engine_->resume();
    process_->storage.journal->full = false;
    if (faulty_log()) log_back();
    for (int i = 0; i < 10'000; ++i) step();
    check();
    check_told();
    check_reachable();
    // A removal whose reply was lost in the storm is asked for again after its 35 s.
    for (std::int64_t i = 0; i < size_.settle.count(); ++i) {
      if (i % 2'000 == 0) {
        if (nothing_left()) break;
        stop_all();
      }
      step();
    }
    check_nothing_left();
    check_digest();
  }
  bool nothing_left() {
    const auto state = image();
    return engine_->groups().empty() && process_->storage.journal->records.empty() &&
           std::none_of(state->instances.begin(), state->instances.end(), [](const row_ptr& row) { return is_live(*row); });
  }
  void stop_all() {
    const auto state = image();
    for (auto& row : state->instances)
      if (is_live(*row)) {
        stops_.insert(row->id);
        process_->ask<outcome<row_ptr>>(stop_instance{row->id, end_reason::stopped, "user"});
      }
  }
  void check_told() {
    std::set<instance_id> known;
    const auto state = image();
    for (auto& row : state->instances) known.insert(row->id);
    for (auto& id : told_)
      if (!known.contains(id)) violate("a start that was answered is forgotten: " + id.value);
  }
  void check_reachable() {
    const auto boot = process_->world.time.boot_now();
    const auto state = image();
    for (auto& row : state->instances) {
      if (row->phase != ledger_phase::running) continue;
      const auto route = process_->routes.find(row->host);
      if (route == process_->routes.end() || route->second.phase != route_phase::ready || route->second.route.epoch != row->epoch)
        violate(row->id.value + " is said to run and has no route");
      else if (route->second.route.deadline && *route->second.route.deadline + millis{1'000} < boot)
        violate(row->id.value + " is routed past its deadline");
    }
  }
  void check_nothing_left() {
    for (auto& [key, group] : engine_->groups()) violate("left in the engine: " + key.instance.value + ", " + std::to_string(group.containers.size()) + " containers");
    const auto state = image();
    for (auto& row : state->instances) {
      if (is_live(*row)) violate(row->id.value + " is still " + std::string{to_string(row->phase)});
      else ++result_.ended;
    }
    for (auto& [host, entry] : process_->routes)
      if (entry.phase == route_phase::ready) violate("still routed: " + host);
    if (!process_->storage.journal->facts.empty()) violate(std::to_string(process_->storage.journal->facts.size()) + " facts were never folded");
    if (!process_->storage.journal->records.empty()) violate("records are left in the journal");
  }
  /// The same log gives everybody the same state.
  void check_digest() {
    auto status = process_->world.answer_now<ledger_status>(process_->ledger, get_ledger_status{true});
    if (!status || status->digest.empty()) return violate("the ledger tells no digest");
    auto tail = process_->storage.tail->contents;
    ledger_state state;
    if (tail.snapshot) {
      auto decoded = decode_snapshot(tail.snapshot->bytes, tail.snapshot->digest);
      if (!decoded) return violate("the snapshot can't be read: " + decoded.error.detail);
      state = std::move(*decoded);
    }
    ledger_change change;
    for (auto& entry : tail.entries)
      if (!tail.snapshot || entry.at > tail.snapshot->at) fold(state, entry, change);
    if (const auto again = encode_snapshot(state).digest; again != status->digest) violate("folded again, the state differs: " + again + " and " + status->digest);
  }

  episode_size size_;
  episode_result result_;
  event_queue events_;
  std::shared_ptr<seeded_random> random_;
  std::shared_ptr<simulated_engine> engine_;
  std::unique_ptr<simulated_process> process_;
  millis clock_set_{0};
  std::uint64_t runs_ = 0;
  bool torn_ = false;
  std::vector<waiting> waiting_;
  std::set<instance_id> told_, stops_;
  std::map<std::string, instance_id> by_key_;
};

} // namespace

episode_result run_episode(std::uint64_t seed, const episode_size& size) { return episode(seed, size).run(); }

} // namespace poseidon::simulation
