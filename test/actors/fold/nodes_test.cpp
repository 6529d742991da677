// Nodes (rules 2, 5, 6, 9, 14): registering with an inventory, adoption, fencing, loss, names, modes, the gate.

#include "test/actors/fold/world.hpp"

namespace poseidon {
namespace {

TEST(node_up, what_runs_and_is_listed_goes_on) {
  one_node w;
  w.start("alice");
  w.running("i1");
  w.new_run("n1");
  auto up = w.node_up("n1");
  up.inventory = {w.item("i1")};
  EXPECT_EQ(w.put(up).kind, verdict_kind::accepted);
  EXPECT_EQ(w.row("i1").phase, ledger_phase::running);
  EXPECT_EQ(w.node_of("n1").instances, 1u);
  EXPECT_EQ(w.node_of("n1").run, w.run_of("n1"));
}

TEST(node_up, running_but_not_listed_is_lost) {
  one_node w;
  w.start("alice");
  w.running("i1");
  w.put(w.node_up("n1"));
  EXPECT_EQ(w.row("i1").phase, ledger_phase::ended);
  EXPECT_EQ(w.row("i1").reason, end_reason::lost);
  EXPECT_EQ(w.node_of("n1").instances, 0u);
}

TEST(node_up, untouched_is_queued_again) {
  one_node w;
  w.start("alice");
  const auto first = w.row("i1").epoch;
  w.put(w.node_up("n1"));
  EXPECT_EQ(w.row("i1").phase, ledger_phase::assigned);
  EXPECT_GT(w.row("i1").epoch, first) << "a new assignment, to the new run";
  EXPECT_EQ(w.row("i1").node_run, w.run_of("n1"));
  EXPECT_EQ(w.node_of("n1").instances, 1u);
}

TEST(node_up, what_was_assigned_after_its_position_is_left_alone) {
  one_node w;
  auto up = w.node_up("n1");
  w.start("alice");
  const auto first = w.row("i1").epoch;
  w.put(up);
  EXPECT_EQ(w.row("i1").epoch, first);
}

TEST(node_up, what_an_earlier_run_was_given_after_its_position_is_assigned_anew) {
  one_node w;
  w.new_run("n1");
  auto up = w.node_up("n1"); // taken before the assignments to the run that has ended
  w.start("alice"), w.start("bob");
  w.cancel("i2");
  const auto first = w.row("i1").epoch;
  w.put(up);
  EXPECT_EQ(w.row("i1").phase, ledger_phase::assigned);
  EXPECT_GT(w.row("i1").epoch, first);
  EXPECT_EQ(w.row("i1").node_run, w.run_of("n1")) << "the run that is there begins it";
  EXPECT_EQ(w.row("i2").reason, end_reason::stopped) << "nobody would have said its end";
  EXPECT_EQ(w.node_of("n1").instances, 1u);
}

TEST(node_up, marked_and_not_listed_has_ended_as_marked) {
  one_node w;
  w.start("alice");
  w.running("i1");
  w.cancel("i1", end_reason::solved);
  w.put(w.node_up("n1"));
  EXPECT_EQ(w.row("i1").reason, end_reason::solved);
}

TEST(node_up, a_tombstone_says_how_it_ended) {
  one_node w;
  w.start("alice");
  w.running("i1");
  auto up = w.node_up("n1");
  up.inventory = {w.item("i1")};
  up.inventory[0].tombstone = true;
  up.inventory[0].reason = end_reason::expired;
  w.put(up);
  EXPECT_EQ(w.row("i1").reason, end_reason::expired);
  EXPECT_EQ(w.node_of("n1").instances, 0u);
}

TEST(node_up, a_running_item_makes_up_for_a_lost_fact) {
  one_node w;
  w.start("alice");
  auto up = w.node_up("n1");
  up.inventory = {w.item("i1")};
  w.put(up);
  EXPECT_EQ(w.row("i1").phase, ledger_phase::running);
  EXPECT_EQ(w.row("i1").expires_at->ms, 61'000);
}

TEST(node_up, the_missing_copy_of_an_older_epoch_is_released) {
  world w;
  w.node("n1"), w.node("n2");
  w.challenge("web");
  w.start("alice");
  w.running("i1");
  w.move("i1", move_reason::drain);
  EXPECT_EQ(w.node_of("n1").instances, 1u);
  w.put(w.node_up("n1"));
  EXPECT_EQ(w.node_of("n1").instances, 0u);
  EXPECT_EQ(w.row("i1").node.value, "n2");
}

TEST(node_up, the_listed_copy_of_an_older_epoch_stays_reserved) {
  world w;
  w.node("n1"), w.node("n2");
  w.challenge("web");
  w.start("alice");
  w.running("i1");
  auto item = w.item("i1");
  w.move("i1", move_reason::drain);
  w.lose("n1");
  auto up = w.node_up("n1");
  up.inventory = {item};
  w.put(up);
  EXPECT_EQ(w.node_of("n1").instances, 1u) << "it is there until it is fenced";
  w.put(ended_entry{{{"i1"}, item.epoch, {"n1"}, w.run_of("n1"), 1}, end_reason::fenced, {}, {}, ""});
  EXPECT_EQ(w.node_of("n1").instances, 0u);
}

TEST(node_up, the_tombstone_of_an_older_epoch_may_mean_the_instance) {
  world w;
  w.node("n1"), w.node("n2");
  w.challenge("web");
  w.start("alice");
  w.running("i1");
  auto item = w.item("i1");
  w.move("i1", move_reason::drain);
  item.tombstone = true;
  item.reason = end_reason::stopped;
  auto up = w.node_up("n1");
  up.inventory = {item};
  w.put(up);
  EXPECT_EQ(w.row("i1").stop_mark, end_reason::stopped);
}

TEST(node_up, an_older_registration_that_comes_late_is_ignored) {
  one_node w;
  auto late = w.node_up("n1");
  late.run = {500, 500};
  w.new_run("n1");
  w.put(w.node_up("n1"));
  EXPECT_EQ(w.put(late).why.code, errc::superseded);
  EXPECT_EQ(w.node_of("n1").run, w.run_of("n1"));
}

TEST(node_up, a_live_name_belongs_to_its_data) {
  one_node w;
  auto stranger = w.node_up("n1");
  stranger.data = {5, 5};
  EXPECT_EQ(w.put(stranger).why.code, errc::name_conflict);
  EXPECT_EQ(w.node_of("n1").run, w.run_of("n1"));
  w.lose("n1");
  EXPECT_EQ(w.put(stranger).kind, verdict_kind::accepted) << "the name is free";
}

instance_origin origin_of(const std::string& user) {
  instance_origin from;
  from.owner.user = user;
  from.key = {"user:" + user};
  from.challenge = {"web"};
  from.revision = "sha256:old";
  from.spec_id = {"sha256:forgotten"};
  from.spec = make_spec(128);
  from.host = "x.test";
  from.created_at = {777};
  return from;
}

inventory_item stray(const std::string& id, const std::string& user) {
  inventory_item i;
  i.instance = {id};
  i.epoch = {1, 1'000, {3, 3}};
  i.running = true;
  i.running_at = wall_time{1000};
  i.expires_at = wall_time{61'000};
  i.origin = origin_of(user);
  return i;
}

TEST(adoption, what_the_ledger_forgot_is_taken_back) {
  one_node w;
  auto up = w.node_up("n1");
  up.inventory = {stray("x1", "alice")};
  w.put(up);
  const auto& row = w.row("x1");
  EXPECT_EQ(row.phase, ledger_phase::running);
  EXPECT_EQ(row.epoch, up.inventory[0].epoch);
  EXPECT_EQ(row.expires_at->ms, 61'000);
  EXPECT_EQ(row.created_at.ms, 777);
  EXPECT_EQ(w.node_of("n1").reserved_memory_bytes, 128u << 20);
  EXPECT_EQ(w.start("alice").instance.value, "x1");
  EXPECT_EQ(w.ended("x1").kind, verdict_kind::accepted);
}

TEST(adoption, whatever_the_limits_say) {
  world w;
  w.challenge("web");
  w.limits([](auto& l) { l.cluster = 1; });
  auto up = w.node_up("n1", 128);
  up.inventory = {stray("x1", "alice"), stray("x2", "bob")};
  w.put(up);
  EXPECT_EQ(w.node_of("n1").instances, 2u);
  EXPECT_GT(w.node_of("n1").reserved_memory_bytes, w.node_of("n1").capacity.memory_bytes) << "what exists, exists";
  EXPECT_EQ(w.start("carol").why.code, errc::cluster_limit_reached);
}

TEST(adoption, of_a_taken_slot_is_fenced_at_the_reported_epoch) {
  one_node w;
  w.start("alice");
  auto up = w.node_up("n1");
  up.inventory = {w.item("i1", false), stray("x1", "alice")};
  w.put(up);
  EXPECT_EQ(w.row("x1").phase, ledger_phase::ended);
  EXPECT_EQ(w.row("x1").reason, end_reason::fenced);
  EXPECT_EQ(w.row("x1").epoch, up.inventory[1].epoch);
  EXPECT_EQ(w.node_of("n1").instances, 2u) << "it holds room until it is gone";
  w.put(ended_entry{{{"x1"}, up.inventory[1].epoch, {"n1"}, w.run_of("n1"), 1}, end_reason::fenced, {}, {}, ""});
  EXPECT_EQ(w.node_of("n1").instances, 1u);
}

TEST(adoption, without_an_origin_it_is_left_to_the_node) {
  one_node w;
  auto up = w.node_up("n1");
  up.inventory = {stray("x1", "alice")};
  up.inventory[0].origin.reset();
  EXPECT_EQ(w.put(up).kind, verdict_kind::accepted);
  EXPECT_EQ(w.state.instances.size(), 0u);
}

TEST(adoption, of_a_higher_epoch_moves_the_row) {
  world w;
  w.node("n1"), w.node("n2");
  w.challenge("web");
  w.start("alice");
  const auto old_node = w.row("i1").node.value;
  const std::string other = old_node == "n1" ? "n2" : "n1";
  auto item = w.item("i1");
  item.epoch.sequence += 50; // the ledger lost this assignment
  auto up = w.node_up(other);
  up.inventory = {item};
  w.put(up);
  EXPECT_EQ(w.row("i1").node.value, other);
  EXPECT_EQ(w.row("i1").epoch, item.epoch);
  EXPECT_EQ(w.row("i1").phase, ledger_phase::running);
  EXPECT_EQ(w.node_of(old_node).instances, 1u) << "the copy there may exist";
  EXPECT_EQ(w.state.waiting, 0u);
}

TEST(adoption, of_a_higher_epoch_on_the_same_node) {
  one_node w;
  w.start("alice");
  auto item = w.item("i1");
  item.epoch.sequence += 50;
  auto up = w.node_up("n1");
  up.at.sequence += 60;
  up.inventory = {item};
  w.put(up);
  EXPECT_EQ(w.row("i1").epoch, item.epoch);
  EXPECT_EQ(w.node_of("n1").instances, 1u);
}

TEST(node_lost, running_ones_are_lost_untouched_ones_queue_again) {
  world w;
  w.node("n1");
  w.challenge("web");
  w.start("alice"), w.start("bob"), w.start("carol");
  w.running("i1");
  w.running("i2");
  w.cancel("i2", end_reason::solved);
  w.lose("n1");
  EXPECT_EQ(w.row("i1").reason, end_reason::lost);
  EXPECT_EQ(api_state(w.row("i1")), instance_state::lost);
  EXPECT_EQ(w.row("i2").reason, end_reason::solved);
  EXPECT_EQ(w.row("i3").phase, ledger_phase::queued);
  EXPECT_EQ(w.node_of("n1").instances, 0u);
  EXPECT_TRUE(w.node_of("n1").lost);
  w.node("n2");
  EXPECT_EQ(w.row("i3").node.value, "n2");
}

TEST(node_lost, what_ran_is_created_anew_elsewhere_where_the_setting_says_so) {
  world w;
  w.limits([](limit_table& limits) { limits.recreate_lost = true; });
  w.node("n1");
  w.challenge("web");
  w.start("alice"), w.start("bob");
  w.running("i1"), w.running("i2");
  w.put(deadline_moved_entry{w.head("i1"), {90'000}, 29'000, "key:x"});
  w.cancel("i2", end_reason::solved);
  w.node("n2");
  const auto before = w.row("i1");
  w.lose("n1");
  const auto& after = w.row("i1");
  EXPECT_EQ(after.phase, ledger_phase::assigned);
  EXPECT_EQ(after.node.value, "n2");
  EXPECT_EQ(after.node_run, w.run_of("n2"));
  EXPECT_GT(after.epoch, before.epoch);
  EXPECT_EQ(after.host, before.host);
  EXPECT_EQ(after.expires_at, wall_time{90'000});
  EXPECT_EQ(after.extensions_used_ms, 29'000);
  EXPECT_FALSE(after.running_at);
  EXPECT_EQ(w.node_of("n2").instances, 1u);
  EXPECT_EQ(w.row("i2").reason, end_reason::solved) << "what was to end has ended";
  EXPECT_EQ(w.start("alice").instance.value, "i1") << "the slot was never free";
}

TEST(node_lost, what_finds_no_room_is_queued_and_its_old_copy_is_fenced) {
  world w;
  w.limits([](limit_table& limits) { limits.recreate_lost = true; });
  w.node("n1");
  w.challenge("web");
  w.start("alice");
  w.running("i1");
  auto item = w.item("i1");
  w.lose("n1");
  EXPECT_EQ(w.row("i1").phase, ledger_phase::queued);
  EXPECT_EQ(w.row("i1").expires_at, item.expires_at);
  auto up = w.node_up("n1");
  up.inventory = {item};
  w.put(up);
  EXPECT_EQ(w.row("i1").phase, ledger_phase::assigned) << "the node has room for a new copy beside the old one";
  EXPECT_GT(w.row("i1").epoch, item.epoch);
  EXPECT_EQ(w.node_of("n1").instances, 2u) << "until the old one is gone";
  w.put(ended_entry{{{"i1"}, item.epoch, {"n1"}, w.run_of("n1"), 99}, end_reason::fenced, {}, {}, ""});
  EXPECT_EQ(w.node_of("n1").instances, 1u);
  EXPECT_EQ(w.row("i1").phase, ledger_phase::assigned);
}

TEST(node_lost, is_ignored_when_a_newer_run_came_first) {
  one_node w;
  const node_lost_entry lost{{"n1"}, w.run_of("n1"), {}};
  w.new_run("n1");
  w.put(w.node_up("n1"));
  EXPECT_EQ(w.put(lost).why.code, errc::superseded);
  EXPECT_FALSE(w.node_of("n1").lost);
  EXPECT_EQ(w.put(node_lost_entry{{"n9"}, {}, {}}).why.code, errc::unknown_node);
}

TEST(node_lost, is_final_for_what_comes_back) {
  one_node w;
  w.start("alice");
  w.running("i1");
  auto item = w.item("i1");
  w.lose("n1");
  EXPECT_EQ(w.lose("n1").why.code, errc::stale);
  auto up = w.node_up("n1");
  up.inventory = {item};
  w.put(up);
  EXPECT_EQ(w.row("i1").phase, ledger_phase::ended);
  EXPECT_EQ(w.node_of("n1").instances, 1u) << "room is held until it is fenced";
  EXPECT_EQ(w.start("alice").kind, verdict_kind::accepted);
}

TEST(node_mode, a_cordoned_node_gets_nothing_new) {
  one_node w;
  w.start("alice");
  w.put(set_node_mode_entry{{"n1"}, node_mode::cordoned});
  EXPECT_EQ(w.start("bob").kind, verdict_kind::queued);
  EXPECT_EQ(w.running("i1").kind, verdict_kind::accepted);
  w.new_run("n1");
  auto up = w.node_up("n1");
  up.inventory = {w.item("i1")};
  w.put(up);
  EXPECT_EQ(w.node_of("n1").mode, node_mode::cordoned) << "it outlives a restart";
  w.put(set_node_mode_entry{{"n1"}, node_mode::ready});
  EXPECT_EQ(w.row("i2").phase, ledger_phase::assigned);
  EXPECT_EQ(w.put(set_node_mode_entry{{"n9"}, node_mode::ready}).why.code, errc::unknown_node);
}

TEST(gate, is_closed_until_every_node_has_registered_or_is_lost) {
  world w;
  w.node("n1"), w.node("n2"), w.node("n3");
  w.lose("n3");
  w.challenge("web");
  w.start("alice");
  w.running("i1");
  const auto item = w.item("i1");
  const auto snapshot = encode_snapshot(w.state);
  EXPECT_EQ(w.put(incarnation_entry{2, {2, 2}, {snapshot.bytes}, snapshot.digest}, {2, 1}).kind, verdict_kind::accepted);
  EXPECT_FALSE(w.state.gate_open());
  const auto v = w.start("bob");
  EXPECT_EQ(v.why.code, errc::rebuilding);
  EXPECT_TRUE(v.why.retry_after_ms);
  EXPECT_EQ(w.start("alice").kind, verdict_kind::existing);
  EXPECT_EQ(w.move("i1", move_reason::reset).why.code, errc::rebuilding);
  auto up = w.node_up(w.row("i1").node.value);
  up.inventory = {item};
  w.put(up);
  EXPECT_FALSE(w.state.gate_open());
  w.lose(w.row("i1").node.value == "n1" ? "n2" : "n1");
  EXPECT_TRUE(w.state.gate_open());
  EXPECT_EQ(w.row("i1").phase, ledger_phase::running);
  EXPECT_EQ(w.start("bob").kind, verdict_kind::accepted);
}

TEST(gate, the_queue_waits_behind_it) {
  world w;
  w.challenge("web");
  w.node("n1", 64);
  w.start("alice"), w.start("bob");
  const auto snapshot = encode_snapshot(w.state);
  w.put(incarnation_entry{2, {2, 2}, {snapshot.bytes}, snapshot.digest}, {2, 1});
  w.cancel("i1");
  w.ended("i1");
  EXPECT_EQ(w.row("i2").phase, ledger_phase::queued);
  w.put(w.node_up("n1", 64));
  EXPECT_EQ(w.row("i2").phase, ledger_phase::assigned);
}

TEST(gate, a_registration_for_another_incarnation_does_not_count) {
  one_node w;
  auto up = w.node_up("n1");
  const auto snapshot = encode_snapshot(w.state);
  w.put(incarnation_entry{2, {2, 2}, {snapshot.bytes}, snapshot.digest}, {2, 1});
  EXPECT_EQ(w.put(up).why.code, errc::stale);
  EXPECT_FALSE(w.state.gate_open());
}

} // namespace
} // namespace poseidon
