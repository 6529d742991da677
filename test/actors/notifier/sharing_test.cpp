// Several notifiers on one bus, each with a store of its own: who tells of what, when one is lost and when it is back.

#include "actors/bus/memory_bus.hpp"
#include "test/actors/notifier/notifier_fixture.hpp"

#include <gmock/gmock.h>

namespace poseidon::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using ids = std::vector<std::string>;

constexpr std::size_t instances = 12;

notifier_word word(const std::string& process, std::vector<std::string> view = {}, std::vector<std::string> next = {}) {
  return {process, {1, 2}, "key", "ops", "rule", std::move(view), std::move(next), {}, {}, {}};
}

struct peers_test : ::testing::Test {
  notifier_peers peers{{"a", {1, 1}, "key"}, {millis{15'000}, millis{3'000}}};
  boot_time now{0};
  void pass(millis span) {
    for (const auto end = now + span; now < end;) {
      now = now + millis{1'000};
      peers.tick(now);
    }
  }
  std::optional<ids> sharing(const std::string& rule = "rule") { return peers.sharing("ops", rule, now); }
};

TEST_F(peers_test, nothing_is_known_before_everybody_had_time_to_speak) {
  EXPECT_FALSE(sharing());
  peers.bus(true, now);
  pass(millis{2'000});
  EXPECT_FALSE(sharing());
  pass(millis{1'000});
  EXPECT_EQ(sharing(), ids{"a"});
}

TEST_F(peers_test, those_that_are_heard_and_tell_of_the_same_share) {
  peers.bus(true, now);
  EXPECT_TRUE(peers.heard(word("b"), now));
  EXPECT_FALSE(peers.heard(word("a"), now)) << "itself";
  auto stranger = word("c");
  stranger.key_check = "another";
  EXPECT_FALSE(peers.heard(stranger, now));
  pass(millis{3'000});
  EXPECT_EQ(sharing(), (ids{"a", "b"}));
  EXPECT_EQ(sharing("another rule"), ids{"a"});
  EXPECT_EQ(peers.sharing("chat", "rule", now), ids{"a"});
}

TEST_F(peers_test, silence_counts_only_while_the_bus_is_there_and_this_process_was_awake) {
  peers.bus(true, now);
  peers.heard(word("b"), now);
  pass(millis{14'000});
  EXPECT_EQ(sharing(), (ids{"a", "b"}));
  peers.bus(false, now);
  pass(millis{60'000});
  EXPECT_FALSE(sharing()) << "what is shared stays as it is";
  peers.bus(true, now);
  pass(millis{14'000});
  EXPECT_EQ(sharing(), (ids{"a", "b"})) << "it had no chance to be heard";
  pass(millis{1'000});
  EXPECT_EQ(sharing(), ids{"a"});
  now = now + millis{60'000};
  EXPECT_TRUE(peers.tick(now)) << "it was away itself";
  EXPECT_FALSE(sharing());
}

TEST_F(peers_test, a_sharing_is_agreed_on_when_every_other_one_has_said_so) {
  const ids three{"a", "b", "c"};
  EXPECT_TRUE(peers.ready("ops", {"a"}));
  EXPECT_FALSE(peers.ready("ops", three));
  peers.heard(word("b", {}, three), now);
  EXPECT_FALSE(peers.ready("ops", three));
  peers.heard(word("c", three, {}), now);
  EXPECT_TRUE(peers.ready("ops", three));
}

struct sharing_test : notifier_fixture {
  memory_bus_hub hub{shared_time};
  struct one {
    std::shared_ptr<direct_store> store;
    notifier_actor actor;
    std::shared_ptr<hand_receivers> port = std::make_shared<hand_receivers>(); ///< what it sent
    std::map<std::string, receiver_status> status;
  };
  std::map<std::string, one> all;
  std::vector<std::string> told; ///< event ids, as the receiver took them, whoever sent them
  std::map<std::string, std::vector<position>> places; ///< of each instance, each event once: as a receiver that keeps ids sees them
  std::set<std::string> seen;
  std::size_t repeats = 0;
  bool away = false; ///< the receiver

  void begin(const std::string& name) {
    auto& n = all[name];
    n.store = std::make_shared<direct_store>(folder.file(name + ".sqlite"));
    n.port->all["ops"].judge = [this](const notification& what) {
      if (away) return 503;
      told.push_back(what.id);
      if (seen.insert(what.id).second) places[what.instance].push_back(what.at);
      else ++repeats;
      return 204;
    };
    notifier_deps deps;
    deps.ledger = ledger;
    deps.history = history;
    deps.timers = world.timers;
    deps.time = shared_time;
    deps.random = random;
    deps.store = n.store;
    deps.port = n.port;
    deps.source = std::make_shared<hand_source>();
    deps.receivers = rules;
    deps.publish = [&n](std::vector<receiver_status> status) {
      for (auto& r : status) n.status[r.name] = r;
    };
    deps.options = options;
    deps.options.self = name;
    deps.options.key_check = "key";
    deps.options.retry.longest = millis{2'000};
    deps.bus = hub.join(name);
    deps.cluster = "c";
    n.actor = spawn_notifier(system, std::move(deps));
    run();
  }
  void lose(const std::string& name) {
    auto& n = all[name];
    std::erase_if(log->subscribers, [&](auto& sink) { return sink.address() == n.actor.address(); });
    caf::anon_send_exit(n.actor, caf::exit_reason::kill);
    n.actor = nullptr;
    run();
    n.store.reset();
  }
  ~sharing_test() override {
    for (auto& [name, n] : all)
      if (n.actor) lose(name);
  }
  /// `rounds` seconds, in each of which something happens to every instance.
  void live(int rounds) {
    for (int i = 0; i < rounds; ++i) {
      for (std::size_t n = 0; n < instances; ++n) log->put("i" + std::to_string(n));
      run();
      advance(millis{1'000});
    }
  }
  void expect_everything_in_order() {
    for (std::size_t n = 0; n < instances; ++n) {
      const auto name = "i" + std::to_string(n);
      std::vector<position> wanted;
      for (auto& change : log->changes)
        if (!change.instances.empty() && change.instances[0]->id.value == name) wanted.push_back(change.at);
      EXPECT_EQ(places[name], wanted) << name;
    }
  }
  std::size_t sent_by(const std::string& name) { return all[name].port->all["ops"].got.size(); }
};

TEST_F(sharing_test, two_share_the_instances_and_each_event_comes_once) {
  begin("a");
  begin("b");
  advance(millis{10'000});
  const auto before = told.size();
  live(20);
  EXPECT_EQ(told.size() - before, 20 * instances);
  EXPECT_EQ(repeats, 0u);
  EXPECT_GT(sent_by("a"), 0u);
  EXPECT_GT(sent_by("b"), 0u);
  expect_everything_in_order();
}

TEST_F(sharing_test, what_happens_before_the_others_are_known_is_told_by_somebody) {
  begin("a");
  begin("b");
  live(10);
  advance(millis{5'000});
  expect_everything_in_order();
  EXPECT_EQ(repeats, 0u);
}

TEST_F(sharing_test, a_lost_ones_part_passes_to_the_other_which_misses_nothing) {
  begin("a");
  begin("b");
  advance(millis{10'000});
  live(5);
  lose("b");
  live(14);
  EXPECT_LT(seen.size(), 19 * instances) << "nobody tells of its part yet";
  live(10);
  expect_everything_in_order();
  EXPECT_LE(repeats, 2 * instances) << "what it told in its last second, at most";
}

TEST_F(sharing_test, one_that_is_back_takes_its_part_again_in_order_and_without_repeats) {
  begin("a");
  begin("b");
  advance(millis{10'000});
  live(5);
  lose("b");
  live(30);
  const auto repeats_before = repeats;
  const auto sent = sent_by("b");
  begin("b");
  live(30);
  advance(millis{5'000});
  EXPECT_GT(sent_by("b"), sent) << "it tells of its part again";
  EXPECT_EQ(repeats, repeats_before);
  expect_everything_in_order();
}

TEST_F(sharing_test, one_that_dies_while_the_receiver_is_away_leaves_nothing_behind) {
  begin("a");
  begin("b");
  advance(millis{10'000});
  live(3);
  away = true;
  live(10);
  lose("b");
  live(20);
  away = false;
  live(5);
  advance(millis{10'000});
  expect_everything_in_order();
  EXPECT_EQ(all["a"].status["ops"].pending, 0u);
  begin("b"); // what it had not told was told by the other one
  live(10);
  advance(millis{10'000});
  expect_everything_in_order();
  EXPECT_LE(repeats, 2 * instances);
}

TEST_F(sharing_test, with_the_bus_away_each_goes_on_with_its_own) {
  begin("a");
  begin("b");
  advance(millis{10'000});
  live(3);
  hub.cut("a", true);
  hub.cut("b", true);
  live(60);
  EXPECT_EQ(repeats, 0u);
  hub.cut("a", false);
  hub.cut("b", false);
  live(20);
  EXPECT_EQ(repeats, 0u);
  expect_everything_in_order();
}

TEST_F(sharing_test, one_that_was_cut_off_alone_may_repeat_but_loses_nothing_and_keeps_the_order) {
  begin("a");
  begin("b");
  begin("c");
  advance(millis{15'000});
  live(3);
  hub.cut("b", true);
  live(40);
  hub.cut("b", false);
  live(40);
  advance(millis{5'000});
  expect_everything_in_order();
  const auto sent = sent_by("b");
  const auto before = repeats;
  live(5);
  EXPECT_GT(sent_by("b"), sent);
  EXPECT_EQ(repeats, before) << "it is as it was";
}

TEST_F(sharing_test, fixed_members_stay_whatever_happens) {
  options.members = {"a", "b"};
  begin("a");
  live(30);
  EXPECT_LT(told.size(), 30 * instances);
  const auto mine = told.size();
  begin("b");
  live(10);
  EXPECT_GT(told.size(), mine + mine / 3);
  EXPECT_EQ(repeats, 0u);
}

} // namespace
} // namespace poseidon::test
