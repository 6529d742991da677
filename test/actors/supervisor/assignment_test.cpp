#include "actors/supervisor/assignment.hpp"
#include "actors/supervisor/inventory.hpp"

#include <gtest/gtest.h>

namespace poseidon {
namespace {

epoch at(std::uint64_t n) { return {1, n, {1, n}}; }
const run_id ours{9, 1}, earlier{9, 0};

instance_row row(ledger_phase phase, std::uint64_t n, const run_id& run = ours) {
  instance_row r;
  r.id = {"x"};
  r.phase = phase;
  r.epoch = n ? at(n) : epoch{};
  r.node = {"n1"};
  r.node_run = run;
  return r;
}
node_licence me(bool registered = true) { return {{"n1"}, ours, registered}; }
duty_kind kind(const instance_row& r, std::optional<epoch> held, std::optional<epoch> last = {}, bool registered = true) {
  return decide_duty(r, held, last, me(registered)).kind;
}

TEST(assignment, an_assignment_to_this_run_is_launched_once_registered) {
  EXPECT_EQ(kind(row(ledger_phase::assigned, 5), {}), duty_kind::launch);
  EXPECT_EQ(kind(row(ledger_phase::assigned, 5), {}, {}, false), duty_kind::nothing);
}

TEST(assignment, never_launches_for_an_earlier_run_or_another_node) {
  EXPECT_EQ(kind(row(ledger_phase::assigned, 5, earlier), {}), duty_kind::nothing);
  auto other = row(ledger_phase::assigned, 5);
  other.node = {"n2"};
  EXPECT_EQ(kind(other, {}), duty_kind::nothing);
}

TEST(assignment, an_assignment_is_begun_at_most_once_a_run) {
  EXPECT_EQ(kind(row(ledger_phase::assigned, 5), {}, at(5)), duty_kind::nothing);
  EXPECT_EQ(kind(row(ledger_phase::assigned, 6), {}, at(5)), duty_kind::launch);
}

TEST(assignment, a_marked_one_that_was_not_begun_ends_without_creating) {
  auto r = row(ledger_phase::stopping, 5); // the mark makes it so
  r.stop_mark = end_reason::solved;
  r.stopped_by = "key:a";
  EXPECT_EQ(decide_duty(r, {}, {}, me()), (duty{duty_kind::end_unborn, end_reason::solved, "key:a"}));
}

TEST(assignment, only_assigned_ones_are_begun) {
  for (auto phase : {ledger_phase::queued, ledger_phase::running, ledger_phase::stopping, ledger_phase::ended})
    EXPECT_EQ(kind(row(phase, 5), {}), duty_kind::nothing);
}

TEST(assignment, what_is_held_and_licensed_is_left_alone) {
  for (auto phase : {ledger_phase::assigned, ledger_phase::running, ledger_phase::stopping})
    EXPECT_EQ(kind(row(phase, 5, earlier), at(5), at(5)), duty_kind::nothing);
}

TEST(assignment, a_mark_stops_what_is_held) {
  auto r = row(ledger_phase::running, 5);
  r.stop_mark = end_reason::stopped;
  EXPECT_EQ(kind(r, at(5)), duty_kind::stop);
}

TEST(assignment, a_higher_epoch_an_end_or_a_place_in_the_queue_fences) {
  EXPECT_EQ(decide_duty(row(ledger_phase::assigned, 6), at(5), {}, me()), (duty{duty_kind::fence, end_reason::fenced, {}}));
  auto moved = row(ledger_phase::running, 6);
  moved.node = {"n2"};
  EXPECT_EQ(kind(moved, at(5)), duty_kind::fence);
  EXPECT_EQ(kind(row(ledger_phase::queued, 0), at(5)), duty_kind::fence);
  auto lost = row(ledger_phase::ended, 5);
  lost.reason = end_reason::lost;
  EXPECT_EQ(decide_duty(lost, at(5), {}, me()), (duty{duty_kind::fence, end_reason::lost, {}}));
  EXPECT_EQ(kind(row(ledger_phase::ended, 6), at(5)), duty_kind::fence);
  EXPECT_EQ(kind(row(ledger_phase::ended, 0), at(5)), duty_kind::fence);
}

TEST(assignment, what_a_log_that_began_anew_has_queued_waits_for_the_registration) {
  auto registering = me(false);
  registering.incarnation = 2; // copies are of the first
  const auto queued = row(ledger_phase::queued, 0);
  EXPECT_EQ(decide_duty(queued, at(5), {}, registering).kind, duty_kind::nothing) << "it may be this very copy that the log forgot";
  registering.registered = true;
  EXPECT_EQ(decide_duty(queued, at(5), {}, registering).kind, duty_kind::fence);
  EXPECT_EQ(kind(queued, at(5), {}, false), duty_kind::fence) << "the log is the one that assigned it";
}

TEST(assignment, the_end_of_an_earlier_copy_is_not_this_ones) {
  EXPECT_EQ(kind(row(ledger_phase::ended, 4), at(5)), duty_kind::nothing);
  EXPECT_EQ(kind(row(ledger_phase::running, 4), at(5)), duty_kind::nothing);
}

TEST(assignment, what_leaves_before_it_was_begun_is_spoken_of) {
  auto elsewhere = row(ledger_phase::assigned, 6, earlier), waits = row(ledger_phase::queued, 0, run_id{});
  elsewhere.node = {"n2"};
  waits.node = {};
  for (auto& now : {elsewhere, waits}) {
    EXPECT_TRUE(leaves_unbegun(row(ledger_phase::assigned, 5), now, {}, me()));
    EXPECT_TRUE(leaves_unbegun(row(ledger_phase::assigned, 5), now, at(4), me())) << "an older copy is held";
    EXPECT_FALSE(leaves_unbegun(row(ledger_phase::assigned, 5), now, at(5), me())) << "begun: its actor says so";
    EXPECT_FALSE(leaves_unbegun(row(ledger_phase::assigned, 5, earlier), now, {}, me())) << "the registration said it of an earlier run's";
  }
  EXPECT_FALSE(leaves_unbegun(row(ledger_phase::assigned, 5), row(ledger_phase::assigned, 6), {}, me())) << "a reset keeps the reservation";
  EXPECT_FALSE(leaves_unbegun(row(ledger_phase::assigned, 5), row(ledger_phase::ended, 5), {}, me()));
}

TEST(assignment, fencing_does_not_need_a_registration) {
  EXPECT_EQ(kind(row(ledger_phase::assigned, 6), at(5), {}, false), duty_kind::fence);
}

runtime_object object(const std::string& id, std::uint64_t n) {
  runtime_object o;
  o.running = true;
  o.labels = {{labels::cluster, "c"}, {labels::node, "n1"}, {labels::instance, id}, {labels::epoch, to_string(at(n))},
              {labels::expires_max, "2027-01-15T08:00:00.000Z"}};
  return o;
}

TEST(inventory, groups_are_read_from_labels_of_ours_alone) {
  auto foreign = object("f", 1);
  foreign.labels[labels::cluster] = "other";
  auto unreadable = object("u", 1);
  unreadable.labels[labels::epoch] = "?";
  auto warm = object(labels::warm, 1);
  auto network = object("n", 1);
  network.kind = object_kind::network;
  auto stopped = object("a", 1);
  stopped.running = false;
  auto groups = groups_of({foreign, unreadable, warm, network, object("a", 1), stopped, object("b", 2)}, "c", {"n1"});
  ASSERT_EQ(groups.size(), 2u);
  EXPECT_EQ(groups[0].key.instance.value, "a");
  EXPECT_FALSE(groups[0].running) << "one of its services has stopped";
  EXPECT_TRUE(groups[1].running);
  EXPECT_EQ(groups[1].expires_max, from_rfc3339("2027-01-15T08:00:00Z"));
}

TEST(inventory, is_complete_and_names_each_copy_once) {
  journal_contents journal;
  auto running = std::make_shared<journal_record>();
  running->instance = {"a"};
  running->epoch = at(1);
  running->phase = phase::running;
  running->deadline = durable_deadline{"boot", {5}, {77}};
  running->extensions_used_ms = 3;
  running->flag = secret{"F"};
  running->host = "a.test";
  auto ended = std::make_shared<journal_record>();
  ended->instance = {"b"};
  ended->epoch = at(2);
  ended->reason = end_reason::expired;
  ended->ended_at = wall_time{5};
  journal.records = {running, ended};
  inventory_item tombstone;
  tombstone.instance = {"c"};
  tombstone.epoch = at(3);
  tombstone.tombstone = true;
  tombstone.reason = end_reason::stopped;
  journal.tombstones = {tombstone};
  inventory_sources from;
  from.journal = &journal;
  from.groups = groups_of({object("a", 1), object("c", 3), object("z", 9)}, "c", {"n1"});
  from.begun[{{"n"}, at(7)}] = nullptr;
  from.known = {{"b"}, {"c"}};
  from.seal = [](const secret& s, const instance_id&) { return sealed_secret{"sealed " + s.reveal()}; };
  auto items = make_inventory(from);
  ASSERT_EQ(items.size(), 5u);
  EXPECT_TRUE(items[0].running);
  EXPECT_EQ(items[0].expires_at, wall_time{77});
  EXPECT_EQ(items[0].extensions_used_ms, 3);
  ASSERT_TRUE(items[0].origin.has_value()) << "the replica does not know it: it may be adopted";
  EXPECT_EQ(items[0].origin->host, "a.test");
  EXPECT_EQ(items[0].origin->flag.bytes, "sealed F");
  EXPECT_TRUE(items[1].tombstone);
  EXPECT_EQ(items[1].reason, end_reason::expired);
  EXPECT_TRUE(items[2].tombstone) << "a tombstone outweighs what the engine still holds";
  EXPECT_EQ(items[3].instance.value, "n");
  EXPECT_FALSE(items[3].running);
  EXPECT_EQ(items[4].instance.value, "z");
  EXPECT_TRUE(items[4].running);
  EXPECT_FALSE(items[4].origin.has_value());
}

TEST(inventory, what_the_journal_lost_is_judged_by_the_ledger) {
  labelled_group g;
  g.key = {{"x"}, at(5)};
  EXPECT_EQ(judge_lost(nullptr, g, {"n1"}), lost_group::unknown);
  auto same = row(ledger_phase::running, 5);
  EXPECT_EQ(judge_lost(&same, g, {"n1"}), lost_group::licensed);
  EXPECT_EQ(judge_lost(&same, g, {"n2"}), lost_group::unlicensed);
  auto higher = row(ledger_phase::assigned, 6), lower = row(ledger_phase::running, 4), queued = row(ledger_phase::queued, 0);
  EXPECT_EQ(judge_lost(&higher, g, {"n1"}), lost_group::unlicensed);
  EXPECT_EQ(judge_lost(&lower, g, {"n1"}), lost_group::unknown);
  EXPECT_EQ(judge_lost(&queued, g, {"n1"}), lost_group::unlicensed);
  auto ended = row(ledger_phase::ended, 5);
  EXPECT_EQ(judge_lost(&ended, g, {"n1"}), lost_group::unlicensed);
}

TEST(inventory, a_lost_record_is_rebuilt_from_row_and_labels) {
  labelled_group g;
  g.key = {{"x"}, at(5)};
  g.expires_max = wall_time{900};
  auto r = row(ledger_phase::running, 5);
  r.running_at = wall_time{100};
  auto record = record_of_lost(r, g, {ours, "http://x/", secret{"F"}});
  EXPECT_EQ(record.phase, phase::running);
  EXPECT_EQ(record.deadline->wall, wall_time{900}) << "the labels' latest end, when the ledger has no deadline";
  EXPECT_TRUE(record.deadline->boot_id.empty());
  r.expires_at = wall_time{700};
  EXPECT_EQ(record_of_lost(r, g, {ours, {}, {}}).deadline->wall, wall_time{700});
  EXPECT_EQ(record_of_lost(row(ledger_phase::assigned, 5), g, {ours, {}, {}}).phase, phase::creating);
  EXPECT_EQ(record_of_unlicensed(row(ledger_phase::ended, 6), g, ours).epoch, at(5));
  EXPECT_EQ(record_of_unlicensed(row(ledger_phase::ended, 6), g, ours).reason, end_reason::fenced);
}

} // namespace
} // namespace poseidon
