// What an edge learns from the ledger: what waits, what has ended, and what runs on other machines.

#include "nodes/edge_link/route_feeder.hpp"
#include "test/nodes/edge_link/link_samples.hpp"
#include "test/support/actor_fixture.hpp"

namespace poseidon::test {
namespace {

const wall_time now{1'700'000'000'000};

row_ptr row(const std::string& id, ledger_phase phase, const std::string& node, std::uint64_t sequence = 1) {
  auto made = std::make_shared<instance_row>();
  made->id.value = id;
  made->host = id + ".localhost";
  made->phase = phase;
  made->node.value = node;
  if (phase != ledger_phase::queued) made->epoch = epoch_of(sequence);
  return made;
}
std::shared_ptr<const node_row> node(const std::string& name, const std::string& machine) {
  auto made = std::make_shared<node_row>();
  made->name.value = name;
  made->machine.value = machine;
  return made;
}

TEST(route_view, tells_where_an_instance_of_another_machine_is) {
  route_view view{this_machine};
  view.told(*node("far", "far/1"), now);
  const auto news = view.told(row("a", ledger_phase::running, "far"), now);
  ASSERT_TRUE(std::holds_alternative<put_route>(news));
  const auto& to = std::get<put_route>(news).route;
  EXPECT_EQ(to.machine.value, "far/1");
  EXPECT_EQ(to.where, endpoint{});
  EXPECT_FALSE(to.deadline) << "its own machine's edge judges it";
}

TEST(route_view, says_nothing_of_its_own_machine_nor_of_a_node_it_does_not_know) {
  route_view view{this_machine};
  view.told(*node("near", this_machine.value), now);
  EXPECT_TRUE(std::holds_alternative<std::monostate>(view.told(row("a", ledger_phase::running, "near"), now)));
  EXPECT_TRUE(std::holds_alternative<std::monostate>(view.told(row("b", ledger_phase::running, "who"), now)));
  EXPECT_TRUE(std::holds_alternative<end_route>(view.told(row("a", ledger_phase::ended, "near"), now)));
}

TEST(route_view, a_node_that_comes_or_moves_brings_its_instances) {
  route_view view{this_machine};
  view.told(row("a", ledger_phase::running, "far"), now);
  view.told(row("b", ledger_phase::assigned, "far"), now);
  view.told(row("c", ledger_phase::running, "far"), now);
  view.told(row("c", ledger_phase::ended, "far"), now);
  EXPECT_EQ(view.told(*node("far", "far/1"), now).size(), 2u);
  EXPECT_TRUE(view.told(*node("far", "far/1"), now).empty());
  const auto moved = view.told(*node("far", "far/2"), now);
  ASSERT_EQ(moved.size(), 2u);
  for (auto& news : moved)
    if (const auto* put = std::get_if<put_route>(&news)) {
      EXPECT_EQ(put->route.machine.value, "far/2");
    }
}

TEST(route_view, an_instance_that_moves_leaves_its_former_node) {
  route_view view{this_machine};
  view.told(*node("far", "far/1"), now);
  view.told(row("a", ledger_phase::running, "other", 1), now);
  EXPECT_TRUE(std::holds_alternative<announce_route>(view.told(row("a", ledger_phase::assigned, "far", 2), now)));
  EXPECT_TRUE(view.told(*node("other", "other/1"), now).empty());
}

TEST(route_view, what_ended_long_ago_is_nothing) {
  route_view view{this_machine};
  auto old = std::make_shared<instance_row>(*row("a", ledger_phase::ended, "far"));
  old->ended_at = now;
  EXPECT_TRUE(std::holds_alternative<end_route>(view.told(old, now)));
  EXPECT_TRUE(std::holds_alternative<std::monostate>(view.told(old, now + millis{25LL * 3'600'000})));
}

class feeder_test : public actor_test {
protected:
  feeder_test() {
    image = std::make_shared<ledger_image>();
    auto* self = this;
    ledger = system.spawn([self](ledger_actor::pointer me) -> ledger_actor::behavior_type {
      return {[](const append_entry&) { return outcome<folded>{failure{errc::internal, "", {}, {}, {}}}; },
              [self, me](const subscribe_ledger& m) -> caf::result<ledger_image_ptr> {
                self->sink = m.sink;
                if (self->silent) return me->make_response_promise<ledger_image_ptr>();
                return ledger_image_ptr{self->image};
              },
              [self](const get_image&) { return ledger_image_ptr{self->image}; }, [](const get_instance&) { return row_ptr{}; },
              [](const find_live&) { return row_ptr{}; }, [](const get_ledger_status&) { return ledger_status{}; }};
    });
    router = system.spawn([self](router_actor::pointer) -> router_actor::behavior_type {
      return {[self](const put_route& m) { return self->take(m); }, [self](const end_route& m) { return self->take(m); },
              [self](const announce_route& m) { return self->take(m); }};
    });
  }
  ~feeder_test() override {
    sink = nullptr;
    for (auto& each : {caf::actor_cast<caf::actor>(feeder), caf::actor_cast<caf::actor>(ledger), caf::actor_cast<caf::actor>(router)})
      caf::anon_send_exit(each, caf::exit_reason::user_shutdown);
    run();
  }
  template <class Message>
  outcome<route_acked> take(const Message& m) {
    heard.emplace_back(m);
    return ack_of(m);
  }
  void start(ask_members ask = {}) {
    route_feeder_deps deps;
    deps.ledger = ledger;
    deps.router = router;
    deps.clock = std::shared_ptr<const poseidon::clock>{std::shared_ptr<void>{}, &time};
    deps.machine = this_machine;
    deps.known = [this](const std::string& host) { return known.contains(host) ? std::optional{known.at(host)} : std::nullopt; };
    deps.ask = std::move(ask);
    feeder = spawn_route_feeder(system, std::move(deps));
    run();
  }
  void change(std::vector<row_ptr> rows, struct position at = {1, 1}) {
    ledger_change one;
    one.at = at;
    one.instances = std::move(rows);
    caf::anon_send(sink, ledger_changes{std::make_shared<const std::vector<ledger_change>>(std::vector{one})});
    run();
  }
  void question(const std::string& host) {
    caf::anon_send(feeder, ask_host{host, [this] { ++answered; }});
    run();
  }

  std::shared_ptr<ledger_image> image;
  bool silent = false; ///< the ledger has no image yet
  ledger_actor ledger;
  router_actor router;
  route_feeder_actor feeder;
  ledger_subscriber sink;
  std::vector<route_message> heard;
  std::map<std::string, group_key> known;
  int answered = 0;
};

TEST_F(feeder_test, the_image_and_every_change_reach_the_router) {
  image->nodes = {node("far", "far/1")};
  image->instances = {row("a", ledger_phase::running, "far"), row("q", ledger_phase::queued, "")};
  start();
  ASSERT_EQ(heard.size(), 2u);
  EXPECT_TRUE(std::holds_alternative<put_route>(heard[0]));
  change({row("a", ledger_phase::ended, "far")});
  ASSERT_EQ(heard.size(), 3u);
  EXPECT_TRUE(std::holds_alternative<end_route>(heard[2]));
}

TEST_F(feeder_test, an_image_that_does_not_come_in_time_is_asked_for_again) {
  image->nodes = {node("far", "far/1")};
  image->instances = {row("a", ledger_phase::running, "far")};
  silent = true;
  start();
  silent = false;
  EXPECT_TRUE(heard.empty());
  advance(route_feeder_deps{}.ask_timeout);
  EXPECT_EQ(heard.size(), 1u);
}

TEST_F(feeder_test, an_announcement_that_comes_late_takes_no_route_back) {
  image->nodes = {node("far", "far/1")};
  known["a.localhost"] = {{"a"}, epoch_of(3)}; // served already, from a snapshot
  start();
  change({row("a", ledger_phase::assigned, "far", 2)});
  change({row("a", ledger_phase::assigned, "far", 3)});
  EXPECT_TRUE(heard.empty());
  change({row("a", ledger_phase::assigned, "far", 4)});
  EXPECT_EQ(heard.size(), 1u) << "a reset: the former copy is served no more";
}

TEST_F(feeder_test, what_has_ended_ends_in_the_copy_that_the_log_forgot) {
  start();
  auto over = std::make_shared<instance_row>(*row("a", ledger_phase::ended, ""));
  over->epoch = {}; // said again after the log was torn, and its slot was taken: it never had another copy
  for (const auto copy : {epoch{1, 7, {}}, epoch{2, 7, {}}, epoch{3, 7, {}}}) {
    known["a.localhost"] = {{"a"}, copy};
    change({over}, {2, 9});
    EXPECT_EQ(std::get<end_route>(heard.back()).epoch, copy.incarnation <= 2 ? copy : epoch{}) << "a later beginning has the word";
  }
  known["a.localhost"] = {{"b"}, epoch{1, 7, {}}};
  change({over}, {2, 10});
  EXPECT_EQ(std::get<end_route>(heard.back()).epoch, epoch{});
}

TEST_F(feeder_test, an_unknown_host_is_asked_for_once) {
  std::vector<std::function<void(std::optional<route>)>> asked;
  start([&](const std::string&, std::function<void(std::optional<route>)> done) { asked.push_back(std::move(done)); });
  question("a.localhost");
  question("a.localhost");
  ASSERT_EQ(asked.size(), 1u);
  EXPECT_EQ(answered, 0);
  asked[0](route{"a.localhost", {"a"}, epoch_of(4), {"far/1"}, {}, {}});
  run();
  EXPECT_EQ(answered, 2);
  ASSERT_EQ(heard.size(), 1u);
  EXPECT_EQ(std::get<put_route>(heard[0]).route.epoch, epoch_of(4));
}

TEST_F(feeder_test, a_host_that_nobody_knows_is_not_asked_for_again_at_once) {
  int asked = 0;
  start([&](const std::string&, std::function<void(std::optional<route>)> done) {
    ++asked;
    done(std::nullopt);
  });
  question("a.localhost");
  question("a.localhost");
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(answered, 2);
  advance(millis{5'000});
  question("a.localhost");
  EXPECT_EQ(asked, 2);
  EXPECT_TRUE(heard.empty());
}

TEST_F(feeder_test, alone_it_asks_nobody) {
  start();
  question("a.localhost");
  EXPECT_EQ(answered, 1);
}

TEST(host_questions, before_there_is_a_feeder_nothing_is_to_be_learnt) {
  host_questions questions;
  int answered = 0;
  questions.ask("a", [&] { ++answered; });
  EXPECT_EQ(answered, 1);
}

} // namespace
} // namespace poseidon::test
