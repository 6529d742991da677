#include "actors/scheduler/scheduler.hpp"

#include "test/support/actor_fixture.hpp"
#include "test/support/fake_node.hpp"
#include "test/support/fold_ledger.hpp"

namespace poseidon {
namespace {

using namespace test;

/// Bytes that count up: every id is another, and the same in every run.
struct counting_random : random_source {
  std::uint64_t n = 0;
  void fill(std::span<std::uint8_t> bytes) override {
    ++n;
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(n >> (8 * (i % 8)));
  }
};

spec_ptr small_spec() {
  auto s = std::make_shared<instance_spec>();
  s->services.emplace_back();
  s->services[0].image = "web:1";
  s->reserve = {64ull << 20, 100};
  return s;
}

struct scheduler_test : actor_test {
  std::shared_ptr<fold_ledger> ledger = std::make_shared<fold_ledger>(time);
  fake_node_ptr node = std::make_shared<fake_node>();
  ledger_actor ledger_handle = spawn_fold_ledger(system, ledger);
  node_actor node_handle = spawn_fake_node(system, node);
  scheduler_deps deps;
  scheduler_actor scheduler;

  scheduler_test() {
    limit_table limits;
    limits.per_owner = 3;
    ledger->put(put_limits_entry{limits});
    for (auto id : {"web", "pwn", "rev", "misc"}) ledger->put(put_challenge_entry{{id}, "sha256:r", {"sha256:web"}, small_spec(), "{}", {}});
    register_node(1);
    deps.ledger = ledger_handle;
    deps.timers = world.timers;
    deps.clock = std::shared_ptr<const clock>(&time, [](auto*) {});
    deps.random = std::make_shared<counting_random>();
    deps.nodes.find = [this](const node_name& name) { return name.value == "n1" ? node_handle : node_actor{}; };
    deps.nodes.names = [] { return std::vector<node_name>{{"n1"}}; };
    deps.host_of = [](const instance_id& id) { return id.value + ".test"; };
    deps.seal = [](const secret& s, const instance_id&) { return outcome<sealed_secret>{sealed_secret{"sealed:" + s.reveal()}}; };
    deps.loads = [](const instance_spec& wanted) {
      return std::vector<load_hint>{{{"n1"}, 100, 200, wanted.services.front().image == small_spec()->services.front().image}};
    };
    scheduler = spawn_scheduler(system, deps);
    run();
  }
  ~scheduler_test() override {
    for (auto& a : {caf::actor_cast<caf::actor>(scheduler), caf::actor_cast<caf::actor>(ledger_handle), caf::actor_cast<caf::actor>(node_handle)})
      caf::anon_send_exit(a, caf::exit_reason::user_shutdown);
    ledger->subscribers.clear();
    deps = {};
    run();
  }

  void register_node(std::uint64_t run, std::uint64_t memory_mib = 4096) {
    node_up_entry up;
    up.node = {"n1"};
    up.run = {9, run};
    up.data = {5, 5};
    up.capacity = {memory_mib << 20, 64'000, 0};
    up.incarnation = 1;
    up.at = ledger->state.at;
    ledger->put(up);
  }
  start_instance wish(const std::string& user, const std::string& challenge = "web", const std::string& key = {}) {
    start_instance s;
    s.owner.user = user;
    s.challenge = {challenge};
    s.idempotency_key = key;
    s.actor = "key:test";
    return s;
  }
  outcome<started> start(start_instance s) { return *world.answer_now<outcome<started>>(scheduler, std::move(s)); }
  template <class M>
  outcome<row_ptr> command(M m) { return *world.answer_now<outcome<row_ptr>>(scheduler, std::move(m)); }
  fact_head head_of(const instance_row& row, std::uint64_t number) { return {row.id, row.epoch, row.node, row.node_run, number}; }
  void make_running(const instance_id& id) {
    auto row = ledger->row(id.value);
    node->holds.insert(id);
    ledger->put(running_entry{head_of(*row, 1), time.wall_now(), time.wall_now() + millis{60'000}, {{8000, port_protocol::http, "web"}}});
    run();
  }
  void make_ended(const instance_id& id, end_reason reason, std::uint64_t number = 9) {
    auto row = ledger->row(id.value);
    node->holds.erase(id);
    ended_entry e;
    e.head = head_of(*row, number);
    e.reason = reason;
    e.ended_at = time.wall_now();
    ledger->put(e);
    run();
  }
};

TEST_F(scheduler_test, a_start_is_an_entry_with_everything_that_the_fold_needs) {
  auto s = wish("zoë@uni.de");
  s.flag = secret{"FLAG"};
  s.metadata = "{\"x\":1}";
  auto answer = start(s);
  ASSERT_TRUE(answer.ok()) << answer.error.detail;
  EXPECT_EQ(answer->kind, verdict_kind::accepted);
  EXPECT_EQ(answer->row->phase, ledger_phase::assigned);
  EXPECT_EQ(answer->row->node.value, "n1");
  EXPECT_EQ(answer->row->host, answer->row->id.value + ".test");
  EXPECT_EQ(answer->row->flag.bytes, "sealed:FLAG");
  EXPECT_EQ(answer->row->key.value, "user:zoë@uni.de");
  EXPECT_EQ(answer->row->metadata, "{\"x\":1}");
  auto entries = ledger->of<start_entry>();
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].loads, (std::vector<load_hint>{{{"n1"}, 100, 200, true}}));
  EXPECT_EQ(entries[0].revision, "sha256:r");
  EXPECT_EQ(entries[0].actor, "key:test");
}

TEST_F(scheduler_test, twenty_starts_of_one_user_at_once_are_one_instance) {
  std::vector<std::shared_ptr<std::optional<outcome<started>>>> answers;
  for (int i = 0; i < 20; ++i) answers.push_back(world.ask_later<outcome<started>>(scheduler, wish("u")));
  run();
  std::set<instance_id> ids;
  int accepted = 0;
  for (auto& a : answers) {
    ASSERT_TRUE(a->has_value() && (*a)->ok());
    ids.insert((**a)->row->id);
    accepted += (**a)->kind == verdict_kind::accepted;
  }
  EXPECT_EQ(ids.size(), 1u);
  EXPECT_EQ(accepted, 1);
}

TEST_F(scheduler_test, the_same_idempotency_key_gives_the_same_instance_also_after_its_end) {
  auto first = start(wish("u", "web", "k1"));
  ASSERT_TRUE(first.ok());
  make_running(first->row->id);
  make_ended(first->row->id, end_reason::expired);
  auto second = start(wish("u", "web", "k1"));
  ASSERT_TRUE(second.ok()) << second.error.detail;
  EXPECT_EQ(second->kind, verdict_kind::existing);
  EXPECT_EQ(second->row->id, first->row->id);
}

TEST_F(scheduler_test, unknown_and_disabled_challenges_and_limits_are_refused_without_an_entry) {
  EXPECT_EQ(start(wish("u", "nothing")).error.code, errc::unknown_challenge);
  ledger->put(enable_challenge_entry{{"misc"}, false});
  run();
  EXPECT_EQ(start(wish("u", "misc")).error.code, errc::challenge_disabled);
  for (auto c : {"web", "pwn", "rev"}) EXPECT_TRUE(start(wish("u", c)).ok());
  ledger->put(enable_challenge_entry{{"misc"}, true});
  run();
  const auto before = ledger->appended.size();
  EXPECT_EQ(start(wish("u", "misc")).error.code, errc::owner_limit_reached);
  ledger->put(set_pause_entry{true, "later"});
  run();
  EXPECT_EQ(start(wish("v", "misc")).error.code, errc::paused);
  start_instance nothing;
  EXPECT_EQ(start(nothing).error.code, errc::bad_request);
  EXPECT_EQ(ledger->appended.size(), before);
}

TEST_F(scheduler_test, an_inline_spec_is_named_by_its_digest) {
  start_instance s;
  s.owner.user = "u";
  s.inline_spec = small_spec();
  auto a = start(s), b = start(s);
  ASSERT_TRUE(a.ok() && b.ok());
  EXPECT_EQ(a->row->id, b->row->id);
  EXPECT_TRUE(a->row->challenge.empty());
  EXPECT_TRUE(a->row->source->spec_id.value.starts_with("sha256:"));
}

TEST_F(scheduler_test, what_does_not_fit_is_queued_and_a_full_queue_refused) {
  limit_table limits;
  limits.per_owner = 0;
  limits.queue = 1;
  limits.per_node = 2;
  ledger->put(put_limits_entry{limits});
  run();
  EXPECT_EQ(start(wish("a"))->kind, verdict_kind::accepted);
  EXPECT_EQ(start(wish("b"))->kind, verdict_kind::accepted);
  EXPECT_EQ(start(wish("c"))->kind, verdict_kind::queued);
  auto full = start(wish("d"));
  EXPECT_EQ(full.error.code, errc::queue_full);
  EXPECT_TRUE(full.error.retry_after_ms.has_value());
}

TEST_F(scheduler_test, existing_and_running_is_answered_after_asking_its_node) {
  auto first = start(wish("u"));
  make_running(first->row->id);
  auto again = start(wish("u"));
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->kind, verdict_kind::existing);
  EXPECT_EQ(again->row->id, first->row->id);
}

TEST_F(scheduler_test, existing_whose_node_has_ended_it_is_started_anew_once_its_end_is_folded) {
  auto first = start(wish("u"));
  make_running(first->row->id);
  node->holds.clear();
  auto answer = world.ask_later<outcome<started>>(scheduler, wish("u"));
  EXPECT_FALSE(answer->has_value());
  advance(millis{300});
  EXPECT_FALSE(answer->has_value());
  make_ended(first->row->id, end_reason::expired);
  ASSERT_TRUE(answer->has_value());
  ASSERT_TRUE((*answer)->ok()) << (*answer)->error.detail;
  EXPECT_EQ((**answer)->kind, verdict_kind::accepted);
  EXPECT_NE((**answer)->row->id, first->row->id);
}

TEST_F(scheduler_test, existing_whose_node_has_ended_it_and_whose_end_does_not_come_is_answered_in_the_end) {
  auto first = start(wish("u"));
  make_running(first->row->id);
  node->holds.clear();
  auto answer = world.ask_later<outcome<started>>(scheduler, wish("u"));
  advance(deps.settle_limit + millis{10});
  ASSERT_TRUE(answer->has_value());
  EXPECT_EQ((*answer)->error.code, errc::unknown_outcome);
}

TEST_F(scheduler_test, a_silent_node_leaves_the_ledgers_word) {
  auto first = start(wish("u"));
  make_running(first->row->id);
  node->silent = true;
  auto answer = world.ask_later<outcome<started>>(scheduler, wish("u"));
  advance(deps.node_timeout + millis{10});
  ASSERT_TRUE(answer->has_value());
  EXPECT_EQ((**answer)->row->id, first->row->id);
}

TEST_F(scheduler_test, a_lost_reply_is_looked_up_in_the_own_replica) {
  ledger->lose_replies = 1;
  auto answer = start(wish("u"));
  ASSERT_TRUE(answer.ok()) << answer.error.detail;
  EXPECT_EQ(answer->kind, verdict_kind::accepted);
  EXPECT_EQ(ledger->of<start_entry>().size(), 1u);
}

TEST_F(scheduler_test, a_lost_append_is_answered_definitely) {
  ledger->lose_appends = 1;
  auto answer = world.ask_later<outcome<started>>(scheduler, wish("u"));
  advance(deps.look_limit + deps.look_interval * 2);
  ASSERT_TRUE(answer->has_value());
  EXPECT_EQ((*answer)->error.code, errc::unknown_outcome);
  EXPECT_TRUE((*answer)->error.retry_after_ms.has_value());
  auto again = start(wish("u"));
  EXPECT_EQ(again->kind, verdict_kind::accepted);
}

TEST_F(scheduler_test, a_lost_append_under_a_key_is_answered_by_the_key_and_not_by_who_has_the_slot) {
  const auto first = start(wish("u", "web", "k1"));
  make_ended(first->row->id, end_reason::stopped);
  const auto second = start(wish("u", "web", "k2"));
  ASSERT_NE(first->row->id, second->row->id);
  ledger->lose_appends = 1;
  auto answer = world.ask_later<outcome<started>>(scheduler, wish("u", "web", "k1"));
  advance(deps.look_limit + deps.look_interval * 2);
  ASSERT_TRUE(answer->has_value());
  ASSERT_TRUE((*answer)->ok()) << (*answer)->error.detail;
  EXPECT_EQ((**answer)->row->id, first->row->id);
}

TEST_F(scheduler_test, with_the_log_away_starts_are_refused_with_a_time_to_try_again) {
  ledger->away = true;
  auto answer = start(wish("u"));
  EXPECT_EQ(answer.error.code, errc::ledger_unavailable);
  EXPECT_TRUE(answer.error.retry_after_ms.has_value());
}

TEST_F(scheduler_test, a_silent_ledger_ends_every_request) {
  ledger->silent = true;
  auto a = world.ask_later<outcome<started>>(scheduler, wish("u"));
  auto b = world.ask_later<outcome<row_ptr>>(scheduler, stop_instance{{"x"}, end_reason::stopped, {}});
  auto c = world.ask_later<outcome<folded>>(scheduler, append_entry{set_pause_entry{}});
  advance(millis{60'000});
  EXPECT_TRUE(a->has_value() && !(*a)->ok());
  EXPECT_TRUE(b->has_value() && !(*b)->ok());
  EXPECT_TRUE(c->has_value() && !(*c)->ok());
}

TEST_F(scheduler_test, too_many_at_once_are_refused_at_once) {
  auto few = deps;
  few.most_in_flight = 2;
  auto small = spawn_scheduler(system, few);
  run();
  ledger->silent = true;
  auto a = world.ask_later<outcome<started>>(small, wish("u1")), b = world.ask_later<outcome<started>>(small, wish("u2"));
  auto c = world.ask_later<outcome<started>>(small, wish("u3"));
  ASSERT_TRUE(c->has_value());
  EXPECT_EQ((*c)->error.code, errc::queue_full);
  EXPECT_FALSE(a->has_value());
  advance(millis{60'000});
  EXPECT_TRUE(a->has_value() && b->has_value());
  ledger->silent = false;
  EXPECT_TRUE((*world.answer_now<outcome<started>>(small, wish("u4"))).ok());
  caf::anon_send_exit(small, caf::exit_reason::user_shutdown);
}

TEST_F(scheduler_test, before_its_image_it_answers_unavailable) {
  ledger->silent = true;
  auto late = spawn_scheduler(system, deps);
  run();
  EXPECT_EQ((*world.answer_now<outcome<started>>(late, wish("u"))).error.code, errc::ledger_unavailable);
  ledger->silent = false;
  advance(millis{10'000});
  EXPECT_TRUE((*world.answer_now<outcome<started>>(late, wish("u"))).ok());
  caf::anon_send_exit(late, caf::exit_reason::user_shutdown);
}

TEST_F(scheduler_test, a_stop_of_what_the_node_holds_is_answered_by_the_node) {
  auto id = start(wish("u"))->row->id;
  make_running(id);
  node->on_stop = [this, id](const stop_instance&) { ledger->put(stopping_entry{head_of(*ledger->row(id.value), 2), end_reason::solved, "key:test"}); };
  auto answer = command(stop_instance{id, end_reason::solved, "key:test"});
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ((*answer)->phase, ledger_phase::stopping);
  EXPECT_TRUE(ledger->of<cancel_entry>().empty());
  ASSERT_EQ(node->stops.size(), 1u);
  EXPECT_EQ(node->stops[0].reason, end_reason::solved);
}

TEST_F(scheduler_test, a_stop_is_answered_although_the_log_is_away) {
  auto id = start(wish("u"))->row->id;
  make_running(id);
  ledger->away = true;
  auto answer = world.ask_later<outcome<row_ptr>>(scheduler, stop_instance{id, end_reason::stopped, "key:test"});
  advance(deps.settle_limit + millis{10});
  ASSERT_TRUE(answer->has_value() && (*answer)->ok());
  EXPECT_EQ(api_state(****answer), instance_state::stopping);
}

TEST_F(scheduler_test, a_stop_of_what_the_node_does_not_hold_sets_the_mark) {
  auto id = start(wish("u"))->row->id;
  auto answer = command(stop_instance{id, end_reason::stopped, "key:test"});
  ASSERT_TRUE(answer.ok());
  EXPECT_TRUE((*answer)->stop_mark.has_value());
  EXPECT_EQ(ledger->of<cancel_entry>().size(), 1u);
  auto again = command(stop_instance{id, end_reason::stopped, "key:test"});
  ASSERT_TRUE(again.ok());
  EXPECT_EQ((*again)->id, id);
}

TEST_F(scheduler_test, a_stop_whose_node_is_silent_sets_the_mark) {
  auto id = start(wish("u"))->row->id;
  make_running(id);
  node->silent = true;
  auto answer = world.ask_later<outcome<row_ptr>>(scheduler, stop_instance{id, end_reason::stopped, "key:test"});
  advance(deps.node_timeout + millis{10});
  ASSERT_TRUE(answer->has_value() && (*answer)->ok());
  EXPECT_TRUE((***answer)->stop_mark.has_value());
}

TEST_F(scheduler_test, a_queued_one_ends_by_its_cancel_and_a_repeat_answers_the_same) {
  limit_table limits;
  limits.per_node = 1;
  ledger->put(put_limits_entry{limits});
  run();
  start(wish("a"));
  auto id = start(wish("b"))->row->id;
  auto answer = command(stop_instance{id, end_reason::stopped, "key:test"});
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(api_state(**answer), instance_state::stopped);
  auto again = command(stop_instance{id, end_reason::stopped, "key:test"});
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(api_state(**again), instance_state::stopped);
  EXPECT_EQ(command(stop_instance{{"nobody"}, end_reason::stopped, {}}).error.code, errc::unknown_instance);
}

TEST_F(scheduler_test, stop_then_start_at_once_is_queued_behind_the_end) {
  auto first = start(wish("u"));
  auto id = first->row->id;
  make_running(id);
  node->on_stop = [this, id](const stop_instance&) { ledger->put(stopping_entry{head_of(*ledger->row(id.value), 2), end_reason::stopped, {}}); };
  command(stop_instance{id, end_reason::stopped, {}});
  auto next = start(wish("u"));
  ASSERT_TRUE(next.ok()) << next.error.detail;
  EXPECT_EQ(next->kind, verdict_kind::queued);
  EXPECT_NE(next->row->id, id);
  make_ended(id, end_reason::stopped);
  EXPECT_EQ(ledger->row(next->row->id.value)->phase, ledger_phase::assigned);
}

TEST_F(scheduler_test, an_extension_is_answered_once_it_is_folded) {
  auto id = start(wish("u"))->row->id;
  EXPECT_EQ(command(extend_instance{id, {}}).error.code, errc::instance_not_running);
  make_running(id);
  const auto later = time.wall_now() + millis{120'000};
  node->extend_answer = extended{later, 60'000};
  auto answer = world.ask_later<outcome<row_ptr>>(scheduler, extend_instance{id, "key:test"});
  EXPECT_FALSE(answer->has_value());
  ledger->put(deadline_moved_entry{head_of(*ledger->row(id.value), 2), later, 60'000, "key:test"});
  run();
  ASSERT_TRUE(answer->has_value() && (*answer)->ok());
  EXPECT_EQ((***answer)->expires_at, later);
  node->extend_answer = failure{errc::extension_refused, "not before half of it", 5'000, {}, {}};
  EXPECT_EQ(command(extend_instance{id, {}}).error.code, errc::extension_refused);
  make_ended(id, end_reason::expired);
  EXPECT_EQ(command(extend_instance{id, {}}).error.code, errc::instance_ended);
}

TEST_F(scheduler_test, an_extension_holds_although_its_fact_waits) {
  auto id = start(wish("u"))->row->id;
  make_running(id);
  const auto later = time.wall_now() + millis{120'000};
  node->extend_answer = extended{later, 60'000};
  auto answer = world.ask_later<outcome<row_ptr>>(scheduler, extend_instance{id, {}});
  advance(deps.settle_limit + millis{10});
  ASSERT_TRUE(answer->has_value() && (*answer)->ok());
  EXPECT_EQ((***answer)->expires_at, later);
  EXPECT_EQ((***answer)->extensions_used_ms, 60'000);
}

TEST_F(scheduler_test, a_reset_is_a_move_that_keeps_the_deadline_and_the_host) {
  auto id = start(wish("u"))->row->id;
  make_running(id);
  auto before = ledger->row(id.value);
  auto answer = command(reset_instance{id, "key:test"});
  ASSERT_TRUE(answer.ok()) << answer.error.detail;
  EXPECT_GT((*answer)->epoch, before->epoch);
  EXPECT_EQ((*answer)->host, before->host);
  EXPECT_EQ((*answer)->expires_at, before->expires_at);
  EXPECT_EQ((*answer)->phase, ledger_phase::assigned);
  make_ended(id, end_reason::stopped);
  EXPECT_EQ(command(reset_instance{id, {}}).error.code, errc::instance_ended);
}

TEST_F(scheduler_test, logs_stats_and_garbage_come_from_the_node) {
  auto id = start(wish("u"))->row->id;
  make_running(id);
  EXPECT_EQ((*world.answer_now<outcome<log_text>>(scheduler, read_logs{id, {}, 0}))->text, "log of " + id.value);
  EXPECT_EQ((*world.answer_now<outcome<group_stats>>(scheduler, read_stats{id}))->pids, 4u);
  node->garbage = {{"container x: gone"}, {}};
  EXPECT_EQ((*world.answer_now<outcome<garbage_report>>(scheduler, collect_garbage{true}))->removed.size(), 1u);
  make_ended(id, end_reason::stopped);
  EXPECT_EQ((*world.answer_now<outcome<log_text>>(scheduler, read_logs{id, {}, 0})).error.code, errc::not_captured);
  EXPECT_EQ((*world.answer_now<outcome<group_stats>>(scheduler, read_stats{id})).error.code, errc::instance_ended);
  node->failing = failure{errc::engine_unavailable, "down", {}, {}, {}};
  EXPECT_EQ((*world.answer_now<outcome<garbage_report>>(scheduler, collect_garbage{true})).error.code, errc::engine_unavailable);
}

TEST_F(scheduler_test, administration_is_passed_through) {
  auto answer = *world.answer_now<outcome<folded>>(scheduler, append_entry{set_pause_entry{true, "m"}});
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->verdict.kind, verdict_kind::accepted);
  EXPECT_TRUE(ledger->state.admin.paused);
}

TEST_F(scheduler_test, a_node_is_emptied_as_far_as_others_have_room) {
  std::vector<instance_id> ids;
  for (auto user : {"a", "b", "c"}) ids.push_back(start(wish(user))->row->id);
  for (auto& id : ids) make_running(id);
  ledger->put(set_node_mode_entry{{"n1"}, node_mode::draining});
  node_up_entry other;
  other.node = {"n2"};
  other.run = {8, 8};
  other.data = {8, 8};
  other.capacity = {4096ull << 20, 64'000, 2}; // two more, not three
  other.incarnation = 1;
  other.at = ledger->state.at;
  ledger->put(other);
  run();
  const auto report = *world.answer_now<outcome<moved_instances>>(scheduler, move_instances{{"n1"}, "key:test"});
  ASSERT_TRUE(report) << report.error.detail;
  EXPECT_EQ(report->moved, 2u);
  EXPECT_EQ(report->stayed, 1u);
  EXPECT_EQ(report->why.code, errc::capacity_exhausted);
  std::size_t there = 0;
  for (auto& id : ids) {
    const auto row = ledger->row(id.value);
    if (row->node.value != "n2") continue;
    ++there;
    EXPECT_EQ(row->phase, ledger_phase::assigned);
    EXPECT_TRUE(row->expires_at); // the deadline that was promised
    EXPECT_EQ(row->host, id.value + ".test");
  }
  EXPECT_EQ(there, 2u);
  EXPECT_EQ(world.answer_now<outcome<moved_instances>>(scheduler, move_instances{{"nobody"}, {}}).value()->moved, 0u);
}

} // namespace
} // namespace poseidon
