#include "gateway/view.hpp"

#include "test/gateway/samples.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <random>

namespace poseidon::gateway {

using namespace poseidon::test;

namespace {

std::vector<std::string> ids(const instance_page& page) {
  std::vector<std::string> result;
  for (auto& item : page.items) result.push_back(item.row->id.value);
  return result;
}

struct view_test : testing::Test {
  view model{"watch key"};
  std::uint64_t sequence = 0;
  view_test() {
    ledger_image image;
    image.at = {1, 0};
    model.load(image);
  }
  std::vector<applied_change> tell(instance_row row) {
    row.changed = {1, ++sequence};
    held.push_back({change(sequence, start_of(row), {shared(row)})});
    return model.apply(held.back());
  }
  std::deque<std::vector<ledger_change>> held; ///< what is applied refers to it
};

} // namespace

TEST_F(view_test, lists_live_ones_first_then_newest_first) {
  tell(sample_row("a", 1));
  tell(ended(sample_row("b", 2), 2));
  tell(running(sample_row("c", 3), 3));
  tell(ended(sample_row("d", 4), 4));
  EXPECT_EQ(ids(model.list({})), (std::vector<std::string>{"c", "a", "d", "b"}));
  EXPECT_EQ(model.size(), 4u);
  EXPECT_EQ(model.live_count(), 2u);
}

TEST_F(view_test, filters_by_each_part_and_all_together) {
  auto row = sample_row("a", 1, "alice");
  tell(row);
  row = sample_row("b", 2, "bob");
  row.owner.team = "blue";
  row.key = key_of(row.owner);
  tell(running(assigned(row, 2, "n2"), 2));
  row = sample_row("c", 3, "bob");
  row.challenge = {"other"};
  tell(ended(row, 3));
  instance_query query;
  query.user = "bob";
  EXPECT_EQ(ids(model.list(query)), (std::vector<std::string>{"b", "c"}));
  query.challenge = "other";
  EXPECT_EQ(ids(model.list(query)), std::vector<std::string>{"c"});
  query = {};
  query.team = "blue";
  EXPECT_EQ(ids(model.list(query)), std::vector<std::string>{"b"});
  query = {};
  query.node = "n2";
  EXPECT_EQ(ids(model.list(query)), std::vector<std::string>{"b"});
  query = {};
  query.states = {instance_state::stopped};
  EXPECT_EQ(ids(model.list(query)), std::vector<std::string>{"c"});
  query.states = {instance_state::queued, instance_state::running};
  EXPECT_EQ(ids(model.list(query)), (std::vector<std::string>{"b", "a"}));
  query = {};
  query.user = "nobody";
  EXPECT_TRUE(model.list(query).items.empty());
}

TEST_F(view_test, pages_cover_everything_once_while_rows_change) {
  for (int i = 0; i < 50; ++i) tell(sample_row("i" + std::to_string(i), static_cast<std::uint64_t>(i) + 1));
  instance_query query;
  query.limit = 7;
  std::vector<std::string> seen;
  do {
    auto page = model.list(query);
    ASSERT_TRUE(page.cursor_valid);
    for (auto& id : ids(page)) seen.push_back(id);
    query.cursor = page.next;
    if (seen.size() == 14) tell(sample_row("new", 1000)); // newer than the page: not in the rest
  } while (!query.cursor.empty());
  EXPECT_EQ(seen.size(), 50u);
  EXPECT_EQ(std::set<std::string>(seen.begin(), seen.end()).size(), 50u);
  query.cursor = "nonsense";
  EXPECT_FALSE(model.list(query).cursor_valid);
}

TEST_F(view_test, what_is_forgotten_is_gone_from_every_order) {
  tell(ended(sample_row("a", 1), 1));
  auto forget = change(++sequence, compact_entry{{1, 1}});
  forget.forgotten = {{"a"}};
  model.apply({forget});
  EXPECT_FALSE(model.find("a"));
  EXPECT_EQ(model.size(), 0u);
  EXPECT_EQ(model.count_by_state()[static_cast<std::size_t>(instance_state::stopped)], 0u);
  instance_query query;
  query.user = "alice";
  EXPECT_TRUE(model.list(query).items.empty());
}

TEST_F(view_test, a_change_within_the_image_is_not_applied_again) {
  ledger_image image;
  image.at = {1, 10};
  image.instances = {shared(running(sample_row("a", 1), 9))};
  model.load(image);
  EXPECT_TRUE(model.apply({change(9, start_of(sample_row("a", 1)), {shared(sample_row("a", 1))})}).empty());
  EXPECT_EQ(api_state(*model.find("a")->row), instance_state::running);
}

TEST_F(view_test, an_answered_row_is_read_at_once_and_never_goes_back) {
  auto newer = running(sample_row("a", 1), 5);
  model.observe(shared(newer));
  EXPECT_EQ(api_state(*model.find("a")->row), instance_state::running);
  model.observe(shared(sample_row("a", 1)));
  EXPECT_EQ(api_state(*model.find("a")->row), instance_state::running);
  auto applied = model.apply({change(1, start_of(newer), {shared(sample_row("a", 1))})});
  ASSERT_EQ(applied.size(), 1u);
  EXPECT_EQ(api_state(*applied[0].rows[0].item.row), instance_state::queued) << "the event tells of the entry";
  EXPECT_EQ(api_state(*model.find("a")->row), instance_state::running) << "readers keep the newest";
}

TEST_F(view_test, a_late_answer_does_not_bring_back_the_forgotten) {
  tell(ended(sample_row("a", 1), 1));
  auto old = model.find("a")->row;
  auto forget = change(++sequence, compact_entry{{1, 1}});
  forget.forgotten = {{"a"}};
  model.apply({forget});
  model.observe(old);
  EXPECT_FALSE(model.find("a"));
}

TEST_F(view_test, progress_belongs_to_an_epoch) {
  auto row = assigned(sample_row("a", 1), 1);
  tell(row);
  EXPECT_TRUE(model.note_progress({row.id, row.epoch, phase::pulling, 40, "slow"}));
  EXPECT_EQ(model.find("a")->live.percent, 40u);
  EXPECT_EQ(model.find("a")->live.note, "slow");
  EXPECT_FALSE(model.note_progress({row.id, {}, phase::creating, {}, {}}));
  EXPECT_FALSE(model.note_progress({{"other"}, row.epoch, phase::creating, {}, {}}));
  auto moved = row;
  moved.epoch.sequence = 77;
  tell(moved);
  EXPECT_FALSE(model.find("a")->live.phase) << "a new assignment begins without it";
}

TEST_F(view_test, a_queued_one_has_a_place_and_an_estimate) {
  auto r = running(sample_row("r", 1), 1);
  tell(r);
  tell(sample_row("q1", 2));
  tell(sample_row("q2", 3));
  EXPECT_EQ(model.find("q1")->queue_position, 1u);
  EXPECT_EQ(model.find("q2")->queue_position, 2u);
  EXPECT_EQ(model.find("q1")->queue_served_at, r.expires_at);
  EXPECT_FALSE(model.find("q2")->queue_served_at) << "only one deadline is known";
}

TEST_F(view_test, an_estimate_counts_how_often_room_came_free_of_late) {
  for (int n = 1; n <= 3; ++n) {
    auto row = running(sample_row("r" + std::to_string(n), 1), 1);
    tell(row);
    ++sequence;
    auto gone = change(sequence, cancel_entry{row.id, end_reason::stopped, {}}, {shared(ended(row, sequence))});
    gone.logged_at = sample_time + millis{n * 10'000};
    model.apply({gone});
  }
  tell(sample_row("q1", 1));
  const auto rate = model.find("q1")->releases;
  ASSERT_TRUE(rate);
  EXPECT_EQ(rate->count, 3u);
  EXPECT_EQ(rate->first, sample_time + millis{10'000});
  EXPECT_EQ(rate->last, sample_time + millis{30'000});
  auto late = running(sample_row("r9", 1), 1);
  tell(late);
  ++sequence;
    auto gone = change(sequence, cancel_entry{late.id, end_reason::stopped, {}}, {shared(ended(late, sequence))});
  gone.logged_at = sample_time + millis{320'000};
  model.apply({gone});
  EXPECT_EQ(model.find("q1")->releases->count, 3u) << "the one of more than five minutes ago is forgotten";
}

TEST_F(view_test, a_decision_is_kept_for_the_present_assignment_of_a_live_one) {
  auto row = assigned(sample_row("a", 1), 1);
  row.changed = {1, ++sequence};
  auto made = change(sequence, put_setting_entry{"x", "1"}, {shared(row)});
  placement_decision why{row.id, {"n1"}, "the least loaded of 2 that fit", {{{"n1"}, 1000, {}}, {{"n2"}, ~0ull, {}}, {{"n3"}, 0, "is too small"}}};
  made.decisions = {why, {{"unknown"}, {"n1"}, "of nobody here", {}}};
  model.apply({made});
  const auto kept = model.placement_of("a");
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->reason, why.reason);
  EXPECT_EQ(kept->node.value, "n1");
  ASSERT_EQ(kept->candidates.size(), 3u);
  EXPECT_EQ(kept->candidates[0].score, 1000u);
  EXPECT_EQ(kept->candidates[1].score, 0xFFFFFFFFu);
  EXPECT_EQ(kept->candidates[2].why_not, "is too small");
  EXPECT_FALSE(model.placement_of("unknown"));
  tell(running(row, 2));
  EXPECT_TRUE(model.placement_of("a")) << "the same assignment";
  tell(assigned(row, 5));
  EXPECT_FALSE(model.placement_of("a")) << "another one";
  row = assigned(row, 5);
  row.changed = {1, ++sequence};
  auto again = change(sequence, put_setting_entry{"x", "1"}, {shared(row)});
  again.decisions = {why};
  model.apply({again});
  EXPECT_TRUE(model.placement_of("a"));
  tell(ended(row, 8));
  EXPECT_FALSE(model.placement_of("a"));
}

TEST_F(view_test, a_node_that_drains_is_drained_once_it_is_empty) {
  node_row node;
  node.name = {"n1"};
  node.instances = 2;
  const auto told = [&](std::optional<node_mode> mark) {
    auto made = change(++sequence, set_node_mode_entry{{"n1"}, node.mode});
    if (mark) node.mode = *mark, node.mode_at = made.at;
    made.logged_at = sample_time + millis{static_cast<std::int64_t>(sequence)};
    made.nodes = {std::make_shared<const node_row>(node)};
    return model.apply({made}).at(0).drained.size();
  };
  EXPECT_EQ(told({}), 0u);
  EXPECT_EQ(told(node_mode::draining), 0u);
  EXPECT_EQ(model.mode_since(node), sample_time + millis{static_cast<std::int64_t>(sequence)});
  node.instances = 0;
  EXPECT_EQ(told({}), 1u);
  EXPECT_EQ(told({}), 0u) << "once";
  EXPECT_EQ(told(node_mode::ready), 0u);
  EXPECT_EQ(told(node_mode::draining), 1u) << "empty from the beginning";
  auto unseen = node;
  unseen.mode_at = {9, 9};
  EXPECT_FALSE(model.mode_since(unseen));
}

TEST_F(view_test, administration_follows_its_entries) {
  auto before = model.admin_version();
  auto put = change(++sequence, put_key_entry{{"k1"}, "00", {"read"}, "", {}});
  put.administration = true;
  auto setting = change(++sequence, put_setting_entry{"rate.burst", "7"});
  setting.administration = true;
  auto pause = change(++sequence, set_pause_entry{true, "maintenance"});
  pause.administration = true;
  model.apply({put, setting, pause});
  EXPECT_EQ(model.admin()->keys.size(), 1u);
  EXPECT_EQ(model.admin()->settings.at("rate.burst"), "7");
  EXPECT_TRUE(model.admin()->paused);
  EXPECT_NE(model.admin_version(), before);
  auto drop = change(++sequence, drop_key_entry{{"k1"}});
  drop.administration = true;
  auto unset = change(++sequence, put_setting_entry{"rate.burst", ""});
  unset.administration = true;
  auto refused = change(++sequence, put_key_entry{{"k2"}, "00", {"read"}, "", {}}); // the fold did not take it
  model.apply({drop, unset, refused});
  EXPECT_TRUE(model.admin()->keys.empty());
  EXPECT_TRUE(model.admin()->settings.empty());
}

TEST_F(view_test, counts_agree_with_rows_after_many_changes) {
  std::mt19937 random(7);
  std::map<std::string, instance_row> rows;
  for (int i = 0; i < 3000; ++i) {
    auto id = "i" + std::to_string(random() % 60);
    auto [it, fresh] = rows.try_emplace(id, sample_row(id, static_cast<std::uint64_t>(i) + 1, "u" + std::to_string(random() % 9)));
    auto& row = it->second;
    if (!fresh) {
      switch (random() % 4) {
      case 0: row = assigned(row, static_cast<std::uint64_t>(i), "n" + std::to_string(random() % 3)); break;
      case 1: row = running(row, static_cast<std::uint64_t>(i)); break;
      case 2: row.stop_mark = end_reason::stopped; break;
      default: row = ended(row, static_cast<std::uint64_t>(i)); break;
      }
    }
    tell(row);
  }
  std::array<std::uint64_t, instance_states> expected{};
  for (auto& [id, row] : rows) ++expected[static_cast<std::size_t>(api_state(row))];
  EXPECT_EQ(model.count_by_state(), expected);
  instance_query query;
  query.limit = 1000;
  EXPECT_EQ(model.list(query).items.size(), rows.size());
  std::size_t by_user = 0, by_node = 0, with_node = 0;
  for (int u = 0; u < 9; ++u) {
    query = {};
    query.limit = 1000;
    query.user = "u" + std::to_string(u);
    by_user += model.list(query).items.size();
  }
  for (int n = 1; n < 4; ++n) {
    query = {};
    query.limit = 1000;
    query.node = "n" + std::to_string(n % 3);
    by_node += model.list(query).items.size();
  }
  for (auto& [id, row] : rows) with_node += !row.node.empty();
  EXPECT_EQ(by_user, rows.size());
  EXPECT_EQ(by_node, with_node);
}

} // namespace poseidon::gateway
