// The state from one member to another, in parts over the bus.

#include "actors/bus/memory_bus.hpp"
#include "actors/ledger/snapshot_exchange.hpp"
#include "messages/subjects.hpp"
#include "test/actors/ledger/ledger_fixture.hpp"

namespace poseidon::test {
namespace {

struct snapshot_exchange_test : ledger_test {
  std::shared_ptr<const clock> clock_ptr{&time, [](auto*) {}};
  int frames = 0, lost = -1; ///< carried so far; the one that gets lost
  memory_bus_hub hub{clock_ptr, [this](const std::string&, const std::string&, const std::function<void()>& deliver) {
                       if (frames++ != lost) deliver();
                     }};
  std::shared_ptr<bus> newcomer = hub.join("n2");
  caf::actor service = spawn_snapshot_service(system, {hub.join("g1"), "c", "g1", snapshot_source{ledger}, 100});

  ~snapshot_exchange_test() override {
    caf::anon_send_exit(service, caf::exit_reason::kill);
    service = nullptr;
    run();
  }
  std::optional<outcome<tail_snapshot_ptr>> fetch() {
    auto got = std::make_shared<std::optional<outcome<tail_snapshot_ptr>>>();
    ask_for_snapshot(system, {newcomer, "c", "g1"}, [got](outcome<tail_snapshot_ptr> answer) { *got = std::move(answer); });
    run();
    return *got;
  }
};

TEST_F(snapshot_exchange_test, comes_in_parts_and_is_whole) {
  for (int i = 0; i < 20; ++i) set("setting" + std::to_string(i), "1");
  const auto got = fetch();
  ASSERT_TRUE(got && got->ok());
  const auto& snapshot = **got;
  EXPECT_GT(snapshot->bytes.size(), 300u) << "several parts";
  EXPECT_EQ(snapshot->at, status().folded);
  EXPECT_EQ(snapshot->digest, status().digest);
  EXPECT_EQ(snapshot->last, log_store->entries.back().what->id);
  EXPECT_EQ(snapshot->logged_at, log_store->entries.back().logged_at);
  auto state = decode_snapshot(snapshot->bytes, snapshot->digest);
  ASSERT_TRUE(state);
  EXPECT_EQ(state->admin.settings.size(), 20u);
}

TEST_F(snapshot_exchange_test, what_is_lost_on_the_way_is_asked_for_again) {
  for (int i = 0; i < 20; ++i) set("setting" + std::to_string(i), "1");
  const auto whole = fetch();
  const auto carried = std::exchange(frames, 0);
  for (lost = 0; lost < carried; ++lost, frames = 0) { // each question, each part, the last words
    auto got = std::make_shared<std::optional<outcome<tail_snapshot_ptr>>>();
    ask_for_snapshot(system, {newcomer, "c", "g1"}, [got](outcome<tail_snapshot_ptr> answer) { *got = std::move(answer); });
    run();
    advance(snapshot_question{}.limit);
    hub.expire();
    run();
    ASSERT_TRUE(*got && (*got)->ok()) << "without frame " << lost;
    EXPECT_EQ((***got)->bytes, (**whole)->bytes);
  }
}

TEST_F(snapshot_exchange_test, two_who_ask_at_once_are_both_answered) {
  for (int i = 0; i < 20; ++i) set("setting" + std::to_string(i), "1");
  std::vector<outcome<tail_snapshot_ptr>> got;
  const std::shared_ptr<bus> other = hub.join("n3");
  const auto take = [&got](outcome<tail_snapshot_ptr> answer) { got.push_back(std::move(answer)); };
  ask_for_snapshot(system, {newcomer, "c", "g1"}, take);
  ask_for_snapshot(system, {other, "c", "g1"}, take);
  run();
  ASSERT_EQ(got.size(), 2u);
  for (auto& each : got) EXPECT_TRUE(each.ok()) << each.error.detail;
}

TEST_F(snapshot_exchange_test, one_that_has_no_state_says_so) {
  caf::anon_send_exit(ledger, caf::exit_reason::kill);
  log_store->wipe();
  *tail_store = {};
  faults->away = true; // it knows nothing, and can't learn anything
  kill();
  boot();
  caf::anon_send_exit(service, caf::exit_reason::kill);
  run();
  service = spawn_snapshot_service(system, {hub.join("g2"), "c", "g2", snapshot_source{ledger}, 100});
  std::optional<outcome<tail_snapshot_ptr>> got;
  ask_for_snapshot(system, {newcomer, "c", "g2"}, [&](outcome<tail_snapshot_ptr> answer) { got = std::move(answer); });
  run();
  ASSERT_TRUE(got);
  EXPECT_EQ(got->error.code, errc::ledger_unavailable);
}

TEST_F(snapshot_exchange_test, nobody_there_is_an_answer_as_well) {
  hub.cut("g1", true);
  const auto got = fetch();
  ASSERT_TRUE(got);
  EXPECT_EQ(got->error.code, errc::engine_unavailable);
}

TEST_F(snapshot_exchange_test, nonsense_is_refused) {
  run(); // it listens
  std::optional<outcome<std::string>> got;
  newcomer->request(subjects::snapshots("c", "g1"), "nonsense", millis{1'000}, [&](outcome<std::string> answer) { got = std::move(answer); });
  run();
  ASSERT_TRUE(got && got->ok()) << "answered, with a refusal";
}

} // namespace
} // namespace poseidon::test
