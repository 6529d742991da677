#include "actors/instance/lifecycle.hpp"
#include "test/support/source_folder.hpp"
#include "actors/instance/lifecycle_document.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <random>
#include <sstream>

using namespace poseidon;

namespace {

bool has(const effect_list& effects, effect wanted) { return std::find(effects.begin(), effects.end(), wanted) != effects.end(); }

std::ptrdiff_t place(const effect_list& effects, effect wanted) {
  return std::find(effects.begin(), effects.end(), wanted) - effects.begin();
}

/// Shortest ways from queued to each phase.
std::map<phase, std::vector<trigger>> ways() {
  std::map<phase, std::vector<trigger>> found{{phase::queued, {}}};
  for (bool more = true; more;) {
    more = false;
    for (auto& row : lifecycle_rows)
      if (found.count(row.from) && !found.count(row.to)) {
        auto way = found[row.from];
        way.push_back(row.on);
        found[row.to] = way;
        more = true;
      }
  }
  return found;
}

class lifecycle_row : public ::testing::TestWithParam<transition> {};

TEST_P(lifecycle_row, leads_where_it_says) {
  const auto& row = GetParam();
  auto at = phase::queued;
  const auto way = ways().at(row.from);
  for (auto on : way) at = find_transition(at, on)->to;
  ASSERT_EQ(at, row.from);
  const auto* found = find_transition(at, row.on);
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->to, row.to);
  EXPECT_EQ(found->effects, row.effects);
  EXPECT_FALSE(is_ignored(row.from, row.on));
}

TEST_P(lifecycle_row, says_before_it_commits_and_cuts_before_it_ends) {
  const auto& effects = GetParam().effects;
  for (auto said : {effect::say_running, effect::say_restarted, effect::say_stopping}) {
    if (!has(effects, said)) continue;
    EXPECT_TRUE(has(effects, effect::commit)) << "a fact must be durable before the ledger learns of it";
    EXPECT_LT(place(effects, said), place(effects, effect::commit));
  }
  for (auto ends : {effect::stop_group, effect::remove})
    if (has(effects, ends) && has(effects, effect::cut_route)) {
      EXPECT_LT(place(effects, effect::cut_route), place(effects, ends));
    }
  bool ended = false;
  for (auto e : effects) {
    EXPECT_FALSE(ended && e != effect::nothing) << "an effect after the end of the list";
    ended = ended || e == effect::nothing;
  }
}

TEST_P(lifecycle_row, keeps_to_the_rules_of_its_destination) {
  const auto& row = GetParam();
  if (row.to == phase::running && row.from != phase::running) {
    EXPECT_EQ(row.on, trigger::routed) << "running means acknowledged by the edge";
  }
  if (row.on == trigger::begin) {
    EXPECT_FALSE(has(row.effects, effect::ensure)) << "the journal comes before the engine";
  }
  if (row.to == phase::gone && row.from != phase::queued) {
    EXPECT_EQ(row.on, trigger::removed);
    EXPECT_TRUE(has(row.effects, effect::commit));
    EXPECT_TRUE(has(row.effects, effect::forget));
  }
  if (row.from == phase::stopping || row.from == phase::capturing || row.from == phase::removing) {
    EXPECT_FALSE(has(row.effects, effect::put_route) || has(row.effects, effect::ensure) || has(row.effects, effect::start_again))
        << "what ends does not come back";
  }
}

std::string row_name(const ::testing::TestParamInfo<transition>& info) {
  return std::string{to_string(info.param.from)} + "_on_" + std::string{to_string(info.param.on)};
}
INSTANTIATE_TEST_SUITE_P(table, lifecycle_row, ::testing::ValuesIn(lifecycle_rows.begin(), lifecycle_rows.end()), row_name);

TEST(lifecycle, each_pair_has_a_row_or_is_ignored_on_purpose) {
  std::size_t rows = 0, ignored = 0;
  for (auto from : poseidon_enum_values(phase{}))
    for (auto on : poseidon_enum_values(trigger{})) {
      const bool row = find_transition(from, on) != nullptr;
      EXPECT_NE(row, is_ignored(from, on)) << to_string(from) << " on " << to_string(on);
      (row ? rows : ignored)++;
    }
  EXPECT_EQ(rows, lifecycle_rows.size());
  EXPECT_EQ(rows + ignored, poseidon_enum_values(phase{}).size() * poseidon_enum_values(trigger{}).size());
}

/// An instance, its engine and its edge as the table sees them, with answers that may be late, lost or bad.
struct walk {
  std::mt19937 random;
  phase at = phase::assigned;
  bool exists = false, routed = false;
  int releases = 0;
  std::vector<trigger> pending;

  explicit walk(unsigned seed) : random(seed) {}
  bool chance(unsigned percent) { return random() % 100 < percent; }

  void fire(trigger on) {
    const auto* row = find_transition(at, on);
    if (at == phase::gone) {
      ASSERT_EQ(row, nullptr) << "nothing after gone";
      return;
    }
    if (!row) return;
    at = row->to;
    for (auto e : row->effects) perform(e);
  }

  void answer(trigger good, std::initializer_list<trigger> bad) {
    if (chance(15)) return; // lost: the deadline has to help
    if (chance(70)) {
      pending.push_back(good);
      return;
    }
    auto it = bad.begin();
    std::advance(it, random() % bad.size());
    pending.push_back(*it);
  }

  void perform(effect e) {
    switch (e) {
    case effect::commit: answer(trigger::committed, {trigger::committed}); break;
    case effect::ensure:
    case effect::start_again:
      exists = true;
      answer(trigger::ensured, {trigger::start_failed, trigger::unclear, trigger::exited});
      break;
    case effect::inspect: answer(trigger::ensured, {trigger::absent, trigger::unclear}); break;
    case effect::probe: answer(trigger::healthy, {trigger::unhealthy, trigger::exited}); break;
    case effect::put_route:
      routed = true;
      answer(trigger::routed, {trigger::unrouted});
      break;
    case effect::plan_restart: answer(trigger::restart_due, {trigger::give_up}); break;
    case effect::read_tail: answer(trigger::start_failed, {trigger::start_failed}); break;
    case effect::probe_later: pending.push_back(trigger::probe_due); break;
    case effect::look_later: pending.push_back(trigger::look_due); break;
    case effect::remove_later: pending.push_back(trigger::remove_due); break;
    case effect::cut_route: routed = false; break;
    case effect::stop_group: answer(trigger::halted, {trigger::halted_keeping}); break;
    case effect::capture: answer(trigger::captured, {trigger::captured}); break;
    case effect::remove:
      ASSERT_FALSE(routed) << "removed while the edge still serves it";
      if (chance(60)) {
        exists = false;
        pending.push_back(trigger::removed);
      } else {
        answer(trigger::remove_failed, {trigger::remove_failed});
      }
      break;
    case effect::release_slot:
      ASSERT_FALSE(exists) << "the slot is free only when nothing is left";
      ++releases;
      break;
    default: break;
    }
  }

  void step() {
    if (!pending.empty() && chance(75)) {
      const auto i = random() % pending.size(); // in any order
      const auto on = pending[i];
      pending.erase(pending.begin() + static_cast<std::ptrdiff_t>(i));
      fire(on);
    } else if (chance(30)) {
      static constexpr trigger outside[] = {trigger::pulling,     trigger::creating, trigger::starting, trigger::exited, trigger::engine_up,
                                            trigger::engine_down, trigger::stop,     trigger::fence,    trigger::adopt,  trigger::deadline};
      // ends are rare, so that walks also get far
      fire(outside[random() % (chance(15) ? std::size(outside) : 6)]);
    }
  }
};

TEST(lifecycle, random_walks_end_removed_with_the_slot_released_once) {
  std::map<phase, int> seen;
  for (unsigned seed = 1; seed <= 3000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    walk w(seed);
    w.fire(trigger::begin);
    for (int i = 0; i < 150; ++i) {
      w.step();
      ++seen[w.at];
      ASSERT_LE(w.releases, 1);
    }
    // Deadlines always come: each time nothing else happens any more, the phase's own one does.
    for (int i = 0; i < 2000 && w.at != phase::gone; ++i) {
      if (w.pending.empty()) w.fire(trigger::deadline);
      w.step();
    }
    ASSERT_EQ(w.at, phase::gone) << "launched, and never removed";
    ASSERT_EQ(w.releases, 1);
    ASSERT_FALSE(w.exists);
    for (auto on : poseidon_enum_values(trigger{})) w.fire(on);
    ASSERT_EQ(w.releases, 1);
    if (HasFatalFailure()) return;
  }
  for (auto p : poseidon_enum_values(phase{}))
    if (p != phase::queued) {
      EXPECT_GT(seen[p], 0) << "no walk came to " << to_string(p);
    }
}

TEST(lifecycle, the_page_in_docs_is_generated_from_the_table) {
  const std::string file = poseidon::test::source_folder() + "/docs/lifecycle.md";
  if (std::getenv("POSEIDON_UPDATE_DOCS")) std::ofstream(file) << lifecycle_document();
  std::ifstream in(file);
  std::stringstream text;
  text << in.rdbuf();
  EXPECT_EQ(text.str(), lifecycle_document()) << "write it anew with POSEIDON_UPDATE_DOCS=1";
}

} // namespace
