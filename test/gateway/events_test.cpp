#include "gateway/events.hpp"

#include "test/gateway/samples.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace poseidon::gateway {

using namespace poseidon::test;
using nlohmann::json;

namespace {

const event_context context{std::make_shared<const url_rules>(url_rules{"", "http", 8081, "http://api"}), sample_time};

row_change told(const instance_row& row, std::optional<instance_state> before = std::nullopt) {
  instance_item item;
  item.row = shared(row);
  return {item, before};
}


std::vector<event_ptr> make(ledger_change& c, std::vector<row_change> rows) {
  applied_change applied;
  applied.change = &c;
  applied.rows = std::move(rows);
  return events_of(applied, context);
}

json data_of(const event& e) {
  auto at = e.frame.find("data: ");
  return json::parse(e.frame.substr(at + 6, e.frame.size() - at - 8));
}

event_ptr numbered(std::uint64_t sequence, std::uint32_t number = 0) {
  auto e = std::make_shared<event>();
  e->at = {1, sequence};
  e->number = number;
  e->id = to_string(e->at) + (number ? "." + std::to_string(number) : "");
  e->frame = e->id;
  return e;
}

} // namespace

TEST(events, a_start_is_told_with_its_instance) {
  auto row = assigned(sample_row("a", 42), 42);
  auto c = change(42, start_of(row));
  auto events = make(c, {told(row)});
  ASSERT_EQ(events.size(), 1u);
  EXPECT_TRUE(events[0]->frame.starts_with("id: 1-42\nevent: instance.pending\ndata: {"));
  EXPECT_TRUE(events[0]->frame.ends_with("}\n\n"));
  auto j = data_of(*events[0]);
  EXPECT_EQ(j["id"], "1-42");
  EXPECT_EQ(j["type"], "instance.pending");
  EXPECT_EQ(j["actor"], "key:k1");
  EXPECT_EQ(j["instance"]["id"], "a");
}

TEST(events, one_entry_may_make_several_each_with_its_own_id) {
  auto gone = ended(running(sample_row("a", 1), 3), 5), next = assigned(sample_row("b", 2), 5);
  auto c = change(5, ended_of(gone));
  auto events = make(c, {told(gone, instance_state::stopping), told(next, instance_state::queued)});
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0]->id, "1-5");
  EXPECT_EQ(events[0]->type, "instance.stopped");
  EXPECT_EQ(data_of(*events[0])["actor"], "node:n1");
  EXPECT_EQ(events[1]->id, "1-5.1");
  EXPECT_EQ(events[1]->type, "instance.pending");
}

TEST(events, types_say_what_happened) {
  auto row = running(sample_row("a", 1), 3);
  auto type = [&](entry_body body, std::optional<instance_state> before = instance_state::running) {
    auto c = change(9, std::move(body));
    auto events = make(c, {told(row, before)});
    return events.empty() ? std::string("none") : events[0]->type;
  };
  deadline_moved_entry moved;
  moved.head = head_of(row);
  restarted_entry restarted;
  restarted.head = head_of(row);
  move_entry reset;
  reset.instance = row.id;
  EXPECT_EQ(type(moved), "instance.extended");
  EXPECT_EQ(type(restarted), "instance.restarted");
  EXPECT_EQ(type(reset), "instance.reset");
  EXPECT_EQ(type(running_of(row), instance_state::pending), "instance.running");
  EXPECT_EQ(type(running_of(row), instance_state::running), "none") << "nothing that a reader would notice";
}

TEST(events, a_drain_is_told_when_it_begins_and_when_the_node_is_empty) {
  auto c = change(9, set_node_mode_entry{{"n1"}, node_mode::draining, 1'800'000, true});
  c.nodes = {std::make_shared<const node_row>()};
  applied_change applied;
  applied.change = &c;
  applied.drained = {{"n1"}};
  const auto all = events_of(applied, context);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0]->type, "node.draining");
  EXPECT_EQ(data_of(*all[0])["detail"], json({{"node", "n1"}, {"move", true}, {"limit_ms", 1'800'000}}));
  EXPECT_EQ(all[1]->type, "node.drained");
  EXPECT_EQ(all[1]->id, "1-9.1");
  EXPECT_EQ(data_of(*all[1])["detail"], json({{"node", "n1"}}));
}

TEST(events, administration_is_told_only_when_it_took_effect) {
  auto c = change(5, put_key_entry{{"k1"}, "00", {}, "", {}});
  EXPECT_TRUE(make(c, {}).empty());
  c.administration = true;
  auto events = make(c, {});
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0]->type, "key.created");
  EXPECT_TRUE(events[0]->admin_only);
  EXPECT_EQ(data_of(*events[0])["instance"], nullptr);
  auto up = change(6, node_up_entry{});
  up.nodes.push_back(std::make_shared<const node_row>());
  EXPECT_EQ(make(up, {})[0]->type, "node.up");
}

TEST(events, no_hash_of_a_key_and_no_value_of_a_setting_is_told) {
  auto c = change(5, put_key_entry{{"k1"}, "cafe", {}, "", {}});
  c.administration = true;
  EXPECT_EQ(make(c, {})[0]->frame.find("cafe"), std::string::npos);
  auto s = change(5, put_setting_entry{"api.admin_key", "\"hidden\""});
  s.administration = true;
  EXPECT_EQ(make(s, {})[0]->frame.find("hidden"), std::string::npos);
}

TEST(event_ring, is_bounded_and_tells_when_a_place_is_gone) {
  event_ring ring(3);
  ring.reset({1, 0});
  auto begin = ring.end();
  int wakes = 0;
  ring.subscribe([&](bool) { ++wakes; });
  for (std::uint64_t i = 1; i <= 5; ++i) ring.append({numbered(i)}, {1, i});
  EXPECT_EQ(wakes, 5);
  EXPECT_FALSE(ring.read(begin, 10));
  auto rest = ring.read(begin + 2, 10);
  ASSERT_TRUE(rest);
  ASSERT_EQ(rest->size(), 3u);
  EXPECT_EQ((*rest)[0]->id, "1-3");
  EXPECT_EQ(ring.read(begin + 2, 1)->size(), 1u);
  EXPECT_TRUE(ring.read(ring.end(), 10)->empty());
}

TEST(event_ring, resumes_after_an_event_it_has) {
  event_ring ring(10);
  ring.reset({1, 0});
  ring.append({numbered(3), numbered(3, 1), numbered(3, 2)}, {1, 3});
  ring.append({numbered(6)}, {1, 6});
  auto from = [&](std::string_view id) {
    auto point = ring.resume(id);
    if (!point) return std::string("unknown");
    auto rest = ring.read(point->from, 10);
    return rest->empty() ? std::string("end") : (*rest)[0]->id;
  };
  EXPECT_EQ(from("1-3"), "1-3.1");
  EXPECT_EQ(from("1-3.1"), "1-3.2");
  EXPECT_EQ(from("1-3.2"), "1-6");
  EXPECT_EQ(from("1-6"), "end");
  EXPECT_EQ(from("1-0"), "1-3") << "the position the ring began at";
  EXPECT_EQ(from("1-5"), "1-6") << "an entry without an event";
  EXPECT_EQ(from("1-8"), "end") << "from a gateway that is ahead";
  EXPECT_EQ(ring.resume("1-8")->after, (position{1, 8}));
  for (auto unknown : {"2-3", "0-1", "1-999999", "x", "", "1-3.x", "expiring:a:5"}) EXPECT_EQ(from(unknown), "unknown") << unknown;
}

TEST(event_ring, does_not_resume_what_has_left_it) {
  event_ring ring(2);
  ring.reset({1, 10});
  EXPECT_FALSE(ring.resume("1-9")) << "before the image";
  for (std::uint64_t i = 11; i <= 15; ++i) ring.append({numbered(i)}, {1, i});
  EXPECT_FALSE(ring.resume("1-12"));
  EXPECT_TRUE(ring.resume("1-13")) << "everything after it is here";
  EXPECT_TRUE(ring.resume("1-14"));
  ring.reset({2, 1});
  EXPECT_FALSE(ring.resume("1-15"));
}

} // namespace poseidon::gateway
