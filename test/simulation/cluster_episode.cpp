#include "test/simulation/cluster_episode.hpp"

#include "test/simulation/simulated_spec.hpp"

#include <algorithm>

namespace poseidon::simulation {
namespace {

constexpr std::uint32_t most_a_user = 2;
constexpr std::size_t challenges = 4;
constexpr millis settled_within{10'000}, after_lost_replies{60'000}, emptied_within{60'000};
constexpr millis after_lost_journal{30'000}; ///< its former self has to be silent for the loss time first

class cluster_episode {
public:
  cluster_episode(std::uint64_t seed, const cluster_plan& plan)
      : plan_(plan), of_(seed, plan.size), checks_(of_, most_a_user),
        kinds_(plan.troubles ? *plan.troubles : cluster_troubles::pick(*of_.random)), troubles_(of_, checks_, kinds_) {}

  cluster_result run() {
    set_up();
    troubles_.begin();
    const auto began = of_.now();
    next_wish_ms_ = next_trouble_ms_ = began;
    while (of_.now() - began < plan_.storm.count() && checks_.violations().empty()) {
      if (of_.now() >= next_wish_ms_) wish();
      if (of_.now() >= next_trouble_ms_) trouble_comes();
      step(millis{std::min(next_wish_ms_, next_trouble_ms_) - of_.now()});
    }
    if (checks_.violations().empty()) settle();
    return {checks_.violations(), kinds_, starts_, troubles_.struck(), of_.crashes, checks_.losses(), ended_, of_.messages};
  }

private:
  void step(millis most) {
    of_.step(std::max(most, millis{1}));
    checks_.look();
    collect();
  }
  void pass(millis span) {
    for (const auto end = of_.now() + span.count(); of_.now() < end && checks_.violations().empty();) step(millis{end - of_.now()});
  }
  template <class Holds>
  bool pass_until(millis limit, Holds holds) {
    for (const auto end = of_.now() + limit.count(); checks_.violations().empty();) {
      if (holds()) return true;
      if (of_.now() >= end) return false;
      pass(millis{250});
    }
    return false;
  }
  std::int64_t up_to(millis most) { return 1 + static_cast<std::int64_t>(of_.random->below(static_cast<std::uint64_t>(most.count()))); }

  void set_up() {
    pass(millis{3'000}); // the log is opened, the nodes register and are heard
    limit_table limits;
    limits.per_owner = most_a_user;
    limits.recreate_lost = plan_.recreate_lost;
    put(put_limits_entry{limits});
    for (std::size_t i = 0; i < challenges; ++i) {
      const auto id = "c" + std::to_string(i);
      put(put_challenge_entry{{id}, "sha256:" + id, {"sha256:" + id}, simulated_spec(3'000 + 9'000 * static_cast<std::int64_t>(i), i % 2 == 1, {5'000, 0, 15'000, 100}), "{}", {}});
    }
    const bool ready = pass_until(millis{10'000}, [this] {
      const auto state = of_.image();
      return state->challenges.size() == challenges && state->nodes.size() == plan_.size.nodes;
    });
    if (!ready && checks_.violations().empty()) checks_.violate("the cluster never came up");
  }
  void put(entry_body body) {
    if (auto* gateway = of_.some_gateway()) gateway->process->ask<outcome<folded>>(append_entry{std::move(body)});
  }

  // --- users ---------------------------------------------------------------------------------------------------------

  struct waiting {
    std::shared_ptr<std::optional<outcome<started>>> reply;
    std::string user, key;
  };

  void wish() {
    next_wish_ms_ = of_.now() + up_to(plan_.between_users);
    auto* gateway = of_.some_gateway();
    if (!gateway) return;
    const auto user = "u" + std::to_string(of_.random->below(plan_.users));
    switch (of_.random->below(10)) {
    case 0: case 1: case 2: case 3: case 4: case 5: return start(*gateway, user);
    case 6: case 7: return any_told([&](const instance_id& id) { stop(*gateway, id); });
    case 8: return any_told([&](const instance_id& id) { gateway->process->ask<outcome<row_ptr>>(extend_instance{id, "user"}); });
    default: return any_told([&](const instance_id& id) { gateway->process->ask<outcome<row_ptr>>(reset_instance{id, "user"}); });
    }
  }
  void start(machine& gateway, const std::string& user) {
    ++starts_;
    start_instance wish;
    wish.request = {"r" + std::to_string(starts_)};
    wish.owner.user = user;
    wish.challenge = {"c" + std::to_string(of_.random->below(challenges))};
    wish.idempotency_key = user + "/" + std::to_string(of_.random->below(3));
    wish.body_digest = wish.challenge.value;
    const auto key = wish.idempotency_key + "/" + wish.body_digest;
    waiting_.push_back({gateway.process->ask<outcome<started>>(std::move(wish)), user, key});
  }
  void stop(machine& gateway, const instance_id& id) {
    checks_.stop_asked(id);
    gateway.process->ask<outcome<row_ptr>>(stop_instance{id, end_reason::stopped, "user"});
  }
  template <class Do>
  void any_told(Do what) {
    if (told_.empty()) return;
    auto at = told_.lower_bound({std::string(1, static_cast<char>('a' + of_.random->below(26)))});
    if (at == told_.end()) at = told_.begin();
    what(*at);
  }
  void collect() {
    for (auto& each : waiting_) {
      if (!*each.reply) continue;
      const auto reply = std::move(**each.reply);
      each.reply = nullptr;
      if (!reply) continue;
      const auto& id = reply->row->id;
      if (reply->row->owner.user != each.user) checks_.violate("a start of " + each.user + " was answered with an instance of " + reply->row->owner.user);
      const auto [known, fresh] = by_key_.emplace(each.key, id);
      if (!fresh && known->second != id) given_anew(each.key, known->second, id);
      told_.insert(id);
    }
    std::erase_if(waiting_, [](const waiting& each) { return !each.reply || each.reply.use_count() == 1; }); // nobody will answer
  }
  /// Only a torn log may forget whose a key was; whoever remembered says so later, and the first instance ends as superseded.
  void given_anew(const std::string& key, const instance_id& first, const instance_id& second) {
    if (!checks_.was_torn()) return checks_.violate("idempotency key " + key + " gave " + first.value + " and then " + second.value);
    given_twice_.emplace_back(first, second);
  }
  void trouble_comes() {
    next_trouble_ms_ = of_.now() + up_to(plan_.between_faults);
    troubles_.strike();
  }

  // --- the end -------------------------------------------------------------------------------------------------------

  void settle() {
    troubles_.end();
    std::vector<std::string> wrong;
    pass_until(settles_within(), [&] { return wrong = what_is_unsettled(), wrong.empty(); });
    for (auto& what : wrong) checks_.violate("not settled: " + what);
    check_told();
    if (checks_.violations().empty()) empty_all();
  }

  millis settles_within() const {
    if (kinds_.contains(trouble::engine)) return after_lost_replies;
    return kinds_.contains(trouble::lose_journal) ? after_lost_journal : settled_within;
  }
  /// Everything that has no place once nothing goes wrong any more.
  std::vector<std::string> what_is_unsettled() {
    std::vector<std::string> wrong;
    const auto state = of_.image();
    for (auto& m : of_.machines) {
      const auto own = of_.image(*m);
      if (own->at != state->at) wrong.push_back(m->plan.name.value + " stands at " + to_string(own->at) + " of " + to_string(state->at));
    }
    for (auto& node : state->nodes)
      if (node->lost) wrong.push_back("node " + node->name.value + " is lost");
    std::map<group_key, const instance_row*> live;
    for (auto& row : state->instances) {
      if (!is_live(*row)) continue;
      live.emplace(group_key{row->id, row->epoch}, row.get());
      if (row->phase == ledger_phase::running) check_reachable(*row, wrong);
    }
    for (auto& m : of_.machines) {
      if (!m->engine) continue;
      for (auto& [key, group] : m->engine->groups()) {
        const auto row = live.find(key);
        if (row == live.end() || row->second->node != m->plan.name)
          wrong.push_back(m->plan.name.value + " holds a copy of " + key.instance.value + " that no live instance owns");
      }
    }
    return wrong;
  }
  void check_reachable(const instance_row& row, std::vector<std::string>& wrong) {
    for (auto& m : of_.machines) {
      if (m->plan.name != row.node) continue;
      const auto route = m->process->routes.find(row.host);
      if (route == m->process->routes.end() || route->second.phase != route_phase::ready || route->second.route.epoch != row.epoch)
        wrong.push_back(row.id.value + " is said to run on " + row.node.value + " and has no route there");
    }
  }
  void check_told() {
    std::set<instance_id> known;
    const auto state = of_.image();
    for (auto& row : state->instances) known.insert(row->id);
    for (auto& id : told_)
      if (!known.contains(id)) checks_.violate("a start that was answered is forgotten: " + id.value);
    for (auto& [first, second] : given_twice_)
      for (auto& row : state->instances)
        if (row->id == first && is_live(*row)) checks_.violate("one key gave " + first.value + ", which lives, and " + second.value);
  }

  void empty_all() {
    std::vector<std::string> left;
    std::int64_t asked = of_.now() - 2'000;
    pass_until(emptied_within, [&] {
      left = what_is_left();
      if (!left.empty() && of_.now() - asked >= 2'000) {
        asked = of_.now();
        const auto state = of_.image();
        for (auto& row : state->instances)
          if (auto* gateway = is_live(*row) ? of_.some_gateway() : nullptr) stop(*gateway, row->id);
      }
      return left.empty();
    });
    for (auto& what : left) checks_.violate("left: " + what);
    checks_.look_at_all();
    const auto state = of_.image();
    ended_ = static_cast<std::uint64_t>(std::count_if(state->instances.begin(), state->instances.end(), [](auto& row) { return !is_live(*row); }));
  }
  std::vector<std::string> what_is_left() {
    std::vector<std::string> left;
    const auto state = of_.image();
    for (auto& row : state->instances)
      if (is_live(*row)) left.push_back(row->id.value + " is still " + std::string{to_string(row->phase)});
    for (auto& node : state->nodes)
      if (node->instances != 0) left.push_back(std::to_string(node->instances) + " reservations on " + node->name.value);
    for (auto& m : of_.machines) {
      if (!m->engine) continue;
      const auto& journal = *m->process->storage.journal;
      for (auto& [key, group] : m->engine->groups()) left.push_back("in the engine of " + m->plan.name.value + ": " + key.instance.value);
      if (!journal.facts.empty()) left.push_back(std::to_string(journal.facts.size()) + " facts of " + m->plan.name.value + " were never folded");
      if (!journal.records.empty()) left.push_back("records in the journal of " + m->plan.name.value);
      for (auto& [host, entry] : m->process->routes)
        if (entry.phase == route_phase::ready) left.push_back("a route of " + m->plan.name.value + ": " + host + " at " + to_string(entry.route.epoch));
    }
    return left;
  }

  const cluster_plan plan_;
  cluster of_;
  cluster_checks checks_;
  const std::set<trouble> kinds_;
  cluster_troubles troubles_;
  std::int64_t next_wish_ms_ = 0, next_trouble_ms_ = 0;
  std::uint64_t starts_ = 0, ended_ = 0;
  std::vector<waiting> waiting_;
  std::set<instance_id> told_;
  std::map<std::string, instance_id> by_key_;
  std::vector<std::pair<instance_id, instance_id>> given_twice_; ///< under one key
};

} // namespace

cluster_result run_cluster(std::uint64_t seed, const cluster_plan& plan) { return cluster_episode(seed, plan).run(); }

} // namespace poseidon::simulation
