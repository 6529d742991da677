#include "actors/router/route_table.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace poseidon {
namespace {

constexpr wall_time now{1'700'000'000'000};

epoch epoch_of(std::uint64_t sequence) { return {1, sequence, {3, sequence}}; }

route route_of(std::string host, std::uint64_t sequence, std::int32_t pid = 100) {
  endpoint where;
  where.pid = pid;
  where.start_ticks = 5;
  where.port = 80;
  return {std::move(host), {"i"}, epoch_of(sequence), {"m"}, where, boot_time{9000}};
}
end_route end_of(std::string host, std::uint64_t sequence, bool replaced = false) {
  return {std::move(host), {"i"}, epoch_of(sequence), end_reason::solved, now, replaced};
}
announce_route announce_of(std::string host, std::uint64_t sequence) { return {std::move(host), {"i"}, epoch_of(sequence)}; }

TEST(route_table, serves_what_is_put) {
  route_table table;
  const auto verdict = table.put(route_of("A.Localhost", 1), now);
  ASSERT_FALSE(verdict.refused);
  ASSERT_EQ(verdict.changes.size(), 1u);
  EXPECT_EQ(verdict.changes[0].now.phase, route_phase::ready);
  EXPECT_EQ(verdict.changes[0].now.route.host, "a.localhost");
  EXPECT_FALSE(verdict.changes[0].cut);
  ASSERT_NE(table.find("a.localhost"), nullptr);
}

TEST(route_table, the_same_again_is_acknowledged_without_a_change) {
  route_table table;
  table.put(route_of("a", 1), now);
  const auto again = table.put(route_of("a", 1), now);
  EXPECT_FALSE(again.refused);
  EXPECT_TRUE(again.changes.empty());
  table.end(end_of("a", 1), now);
  EXPECT_TRUE(table.end(end_of("a", 1), now).changes.empty());
  table.announce(announce_of("b", 1), now);
  EXPECT_TRUE(table.announce(announce_of("b", 1), now).changes.empty());
}

TEST(route_table, a_moved_deadline_does_not_cut) {
  route_table table;
  table.put(route_of("a", 1), now);
  auto later = route_of("a", 1);
  later.deadline = boot_time{20'000};
  const auto verdict = table.put(later, now);
  ASSERT_EQ(verdict.changes.size(), 1u);
  EXPECT_FALSE(verdict.changes[0].cut);
  EXPECT_EQ(verdict.changes[0].now.route.deadline, boot_time{20'000});
}

TEST(route_table, a_moved_endpoint_cuts) {
  route_table table;
  table.put(route_of("a", 1, 100), now);
  const auto verdict = table.put(route_of("a", 1, 101), now);
  ASSERT_EQ(verdict.changes.size(), 1u);
  EXPECT_TRUE(verdict.changes[0].cut);
}

TEST(route_table, only_a_higher_epoch_takes_over) {
  route_table table;
  table.put(route_of("a", 5), now);
  EXPECT_EQ(table.put(route_of("a", 4), now).refused.code, errc::stale);
  EXPECT_EQ(table.announce(announce_of("a", 4), now).refused.code, errc::stale);
  const auto late_end = table.end(end_of("a", 4), now);
  EXPECT_FALSE(late_end.refused) << "what it asks for is the case already";
  EXPECT_TRUE(late_end.changes.empty());
  const auto next = table.put(route_of("a", 6, 101), now);
  ASSERT_EQ(next.changes.size(), 1u);
  EXPECT_TRUE(next.changes[0].cut);
  auto foreign = route_of("a", 6, 102);
  foreign.epoch.incarnation = 2;
  EXPECT_FALSE(table.put(foreign, now).refused) << "a later incarnation is a higher epoch";
}

TEST(route_table, the_end_is_final_for_its_epoch) {
  route_table table;
  table.put(route_of("a", 1), now);
  const auto verdict = table.end(end_of("a", 1), now);
  ASSERT_EQ(verdict.changes.size(), 1u);
  EXPECT_TRUE(verdict.changes[0].cut);
  EXPECT_EQ(verdict.changes[0].now.reason, end_reason::solved);
  EXPECT_EQ(verdict.changes[0].now.route.where, endpoint{});
  EXPECT_EQ(table.put(route_of("a", 1), now).refused.code, errc::stale);
  EXPECT_EQ(table.announce(announce_of("a", 1), now).refused.code, errc::stale);
  EXPECT_FALSE(table.put(route_of("a", 2), now).refused);
}

TEST(route_table, replaced_waits_then_may_end_but_never_goes_back) {
  route_table table;
  table.put(route_of("a", 1), now);
  EXPECT_TRUE(table.end(end_of("a", 1, true), now).changes[0].cut);
  EXPECT_EQ(table.find("a")->phase, route_phase::replaced);
  EXPECT_EQ(table.put(route_of("a", 1), now).refused.code, errc::stale);
  EXPECT_EQ(table.end(end_of("a", 1), now).changes.size(), 1u);
  EXPECT_EQ(table.find("a")->phase, route_phase::ended);
  EXPECT_TRUE(table.end(end_of("a", 1, true), now).changes.empty());
  EXPECT_EQ(table.find("a")->phase, route_phase::ended);
}

TEST(route_table, announced_again_takes_a_ready_route_back) {
  route_table table;
  table.put(route_of("a", 1), now);
  const auto verdict = table.announce(announce_of("a", 1), now);
  ASSERT_EQ(verdict.changes.size(), 1u);
  EXPECT_TRUE(verdict.changes[0].cut);
  EXPECT_FALSE(table.put(route_of("a", 1, 101), now).refused);
}

TEST(route_table, an_end_of_an_unknown_host_is_remembered) {
  route_table table;
  EXPECT_EQ(table.end(end_of("a", 3), now).changes.size(), 1u);
  EXPECT_EQ(table.put(route_of("a", 3), now).refused.code, errc::stale) << "the messages crossed";
}

TEST(route_table, refuses_bad_records_and_keeps_the_good_one) {
  route_table table;
  table.put(route_of("a", 1), now);
  auto bad = route_of("a", 2);
  bad.where.port = 0;
  EXPECT_EQ(table.put(bad, now).refused.code, errc::invalid_field);
  bad = route_of("a", 2);
  bad.where.pid = 0;
  EXPECT_EQ(table.put(bad, now).refused.code, errc::invalid_field);
  bad.where.address = "10.0.0.1";
  EXPECT_FALSE(table.put(bad, now).refused) << "an address will do";
  for (const char* host : {"", "a b", "a:80", "a/"}) {
    EXPECT_EQ(table.put(route_of(host, 3), now).refused.code, errc::invalid_field) << host;
    EXPECT_EQ(table.end(end_of(host, 3), now).refused.code, errc::invalid_field) << host;
    EXPECT_EQ(table.announce(announce_of(host, 3), now).refused.code, errc::invalid_field) << host;
  }
  bad = route_of("a", 0);
  bad.epoch = {};
  EXPECT_EQ(table.put(bad, now).refused.code, errc::invalid_field);
  EXPECT_EQ(table.find("a")->route.epoch, epoch_of(2));
}

TEST(route_table, forgets_ended_ones_after_a_day_never_live_ones) {
  route_table table;
  table.put(route_of("live", 1), now);
  table.end(end_of("a", 1), now);
  auto later = end_of("b", 1);
  later.at = now + millis{1000};
  table.end(later, now + millis{1000});
  EXPECT_TRUE(table.sweep(now + millis{24 * 3'600'000 - 1}).empty());
  const auto changes = table.sweep(now + millis{24 * 3'600'000});
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_TRUE(changes[0].forgotten);
  EXPECT_EQ(changes[0].now.route.host, "a");
  EXPECT_EQ(table.sweep(now + millis{100 * 24 * 3'600'000ll}).size(), 1u);
  EXPECT_EQ(table.size(), 1u);
}

TEST(route_table, is_bounded_and_gives_up_the_oldest_end_first) {
  route_table table{{3, millis{1'000'000}}};
  table.put(route_of("live", 1), now);
  table.end(end_of("b", 1), now);
  auto older = end_of("a", 1);
  older.at = now - millis{5};
  table.end(older, now);
  const auto verdict = table.put(route_of("c", 1), now);
  ASSERT_EQ(verdict.changes.size(), 2u);
  EXPECT_TRUE(verdict.changes[0].forgotten);
  EXPECT_EQ(verdict.changes[0].now.route.host, "a");
  EXPECT_FALSE(table.put(route_of("d", 1), now).refused);
  EXPECT_EQ(table.put(route_of("e", 1), now).refused.code, errc::capacity_exhausted);
  EXPECT_FALSE(table.put(route_of("c", 2), now).refused) << "known hosts have their place";
  EXPECT_EQ(table.size(), 3u);
}

TEST(route_table, a_snapshot_brings_everything_back_on_its_machine) {
  route_table table, after;
  table.put(route_of("a", 1), now);
  table.end(end_of("b", 2), now);
  table.announce(announce_of("c", 3), now);
  const auto image = table.snapshot({"m/1"});
  EXPECT_EQ(after.restore(image, {"m/1"}, now).size(), 3u);
  EXPECT_EQ(after.snapshot({"m/1"}).entries, image.entries);
  EXPECT_EQ(after.sweep(now + millis{25 * 3'600'000}).size(), 2u) << "and the order of ends with it";
}

TEST(route_table, after_a_reboot_pids_mean_nothing) {
  route_table table, after;
  table.put(route_of("a", 1), now);
  table.end(end_of("b", 2), now);
  after.restore(table.snapshot({"m/1"}), {"m/2"}, now);
  EXPECT_EQ(after.find("a")->phase, route_phase::pending);
  EXPECT_EQ(after.find("a")->route.where, endpoint{});
  EXPECT_FALSE(after.find("a")->route.deadline);
  EXPECT_EQ(after.find("b")->phase, route_phase::ended);
  EXPECT_FALSE(after.put(route_of("a", 1), now).refused) << "its node may say the same epoch again";
}

TEST(route_table, a_bad_record_of_a_snapshot_stops_only_itself) {
  route_table table, after;
  table.put(route_of("a", 1), now);
  auto image = table.snapshot({"m"});
  auto bad = image.entries[0];
  bad.route.host = "no host";
  image.entries.insert(image.entries.begin(), bad);
  bad = image.entries[1];
  bad.route.host = "b";
  bad.route.epoch = {};
  image.entries.push_back(bad);
  EXPECT_EQ(after.restore(image, {"m"}, now).size(), 1u);
  EXPECT_NE(after.find("a"), nullptr);
  EXPECT_TRUE(after.restore(image, {"m"}, now).empty()) << "never over what is as new";
}

/// Whatever comes in whatever order: no host goes back to an older epoch, an ended epoch never serves again, and a data
/// plane that performs the changes knows what the table knows.
TEST(route_table, random_walks_keep_the_invariants) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    std::mt19937_64 random{seed};
    route_table table{{6, millis{50}}};
    std::map<std::string, route_entry> plane;
    std::map<std::string, struct epoch> highest;
    std::set<std::pair<std::string, struct epoch>> over;
    auto time = now;
    for (int step = 0; step < 300; ++step) {
      time = time + millis{static_cast<std::int64_t>(random() % 10)};
      const std::string host(1, static_cast<char>('a' + random() % 8));
      const auto sequence = 1 + random() % 6;
      std::vector<route_change> changes;
      switch (random() % 5) {
      case 0:
      case 1: changes = table.put(route_of(host, sequence, 100 + static_cast<std::int32_t>(random() % 3)), time).changes; break;
      case 2: changes = table.announce(announce_of(host, sequence), time).changes; break;
      case 3: {
        auto end = end_of(host, sequence, random() % 2);
        end.at = time;
        changes = table.end(end, time).changes;
        break;
      }
      case 4: changes = table.sweep(time); break;
      }
      for (const auto& change : changes) {
        const auto& name = change.now.route.host;
        if (change.forgotten) {
          EXPECT_NE(change.now.phase, route_phase::ready);
          plane.erase(name);
          highest.erase(name);
          std::erase_if(over, [&](auto& each) { return each.first == name; });
          continue;
        }
        const auto before = plane.find(name);
        if (before != plane.end() && before->second.phase == route_phase::ready &&
            (change.now.phase != route_phase::ready || change.now.route.where != before->second.route.where ||
             change.now.route.epoch != before->second.route.epoch)) {
          EXPECT_TRUE(change.cut) << seed;
        }
        EXPECT_GE(change.now.route.epoch, highest[name]) << seed;
        highest[name] = change.now.route.epoch;
        if (change.now.phase == route_phase::ready || change.now.phase == route_phase::pending) {
          EXPECT_FALSE(over.contains({name, change.now.route.epoch})) << seed;
        } else {
          over.insert({name, change.now.route.epoch});
        }
        plane[name] = change.now;
      }
      EXPECT_LE(table.size(), 6u);
      EXPECT_EQ(plane.size(), table.size());
    }
    for (const auto& [host, entry] : plane) {
      ASSERT_NE(table.find(host), nullptr);
      EXPECT_EQ(*table.find(host), entry);
    }
  }
}

TEST(route_table, a_node_that_has_named_all_it_holds_keeps_that_alone) {
  route_table table;
  table.put(route_of("kept", 1), now, {"n1"});
  table.put(route_of("lost", 1), now, {"n1"});
  table.put(route_of("other", 1), now, {"n2"});
  table.put(route_of("own", 1), now);
  table.end(end_of("ended", 1), now);
  const auto changes = table.retain({"n1"}, {"kept"}, now);
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0].now.route.host, "lost");
  EXPECT_EQ(changes[0].now.phase, route_phase::pending);
  EXPECT_TRUE(changes[0].cut);
  EXPECT_FALSE(table.put(route_of("lost", 1), now, {"n1"}).refused) << "it may be found after all";
}

TEST(route_table, a_route_of_another_machine_needs_no_endpoint_and_outlives_a_reboot_of_this_one) {
  route_table table;
  auto far = route_of("far", 1);
  far.machine.value = "far/1";
  far.where = {};
  ASSERT_FALSE(table.put(far, now).refused);
  EXPECT_TRUE(is_elsewhere(table.find("far")->route));
  table.put(route_of("near", 1), now);
  const auto image = table.snapshot({"m"});
  route_table same, rebooted;
  same.restore(image, {"m"}, now);
  rebooted.restore(image, {"m2"}, now);
  for (const auto* each : {&same, &rebooted}) EXPECT_EQ(each->find("far")->phase, route_phase::ready);
  EXPECT_EQ(same.find("near")->phase, route_phase::ready);
  EXPECT_EQ(rebooted.find("near")->phase, route_phase::pending);
  far.machine = {};
  EXPECT_EQ(table.put(far, now).refused.code, errc::invalid_field);
}

TEST(route_table, deadlines_of_a_snapshot_wait_for_their_node) {
  route_table table, restored;
  auto soon = route_of("soon", 1), later = route_of("later", 1);
  later.deadline = boot_time{90'000};
  table.put(soon, now);
  table.put(later, now);
  restored.restore(table.snapshot({"m"}), {"m"}, now, boot_time{12'000});
  EXPECT_EQ(restored.find("soon")->route.deadline, boot_time{12'000});
  EXPECT_EQ(restored.find("later")->route.deadline, boot_time{90'000});
  EXPECT_FALSE(restored.put(soon, now).refused) << "the node says the same again";
  EXPECT_EQ(restored.find("soon")->route.deadline, boot_time{9'000});
}

} // namespace
} // namespace poseidon
