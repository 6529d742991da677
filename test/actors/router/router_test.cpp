#include "actors/router/router.hpp"

#include "test/support/actor_fixture.hpp"

namespace poseidon {
namespace {

using reply = outcome<route_acked>;

class router_test : public testing::Test {
protected:
  router_test() { start({}); }
  ~router_test() override { caf::anon_send_exit(router, caf::exit_reason::user_shutdown); }

  void start(route_table table) {
    router_deps deps;
    deps.clock = std::shared_ptr<const poseidon::clock>{std::shared_ptr<void>{}, &world.time};
    deps.machine.value = "m";
    deps.apply = [this](const std::vector<route_change>& changes) { applied.insert(applied.end(), changes.begin(), changes.end()); };
    deps.table = std::move(table);
    router = spawn_router(world.system, std::move(deps));
    world.run();
  }
  route ready(std::uint64_t sequence) {
    endpoint where;
    where.pid = 10;
    where.start_ticks = 5;
    where.port = 80;
    return {"a.localhost", {"i"}, {1, sequence, {1, sequence}}, {"m"}, where, {}};
  }
  template <class Message>
  reply tell(Message message) {
    auto got = world.answer_now<reply>(router, std::move(message));
    if (got) return std::move(*got);
    ADD_FAILURE() << "no answer";
    return failure{errc::internal, "", {}, {}, {}};
  }

  test::actor_world world;
  std::vector<route_change> applied;
  router_actor router;
};

TEST_F(router_test, acknowledges_once_applied) {
  const auto ack = tell(put_route{ready(1)});
  ASSERT_TRUE(ack);
  EXPECT_EQ(ack->instance.str(), "i");
  EXPECT_EQ(ack->epoch.sequence, 1u);
  ASSERT_EQ(applied.size(), 1u);
  EXPECT_EQ(applied[0].now.phase, route_phase::ready);
}

TEST_F(router_test, a_repeated_message_gets_the_same_answer) {
  tell(put_route{ready(1)});
  EXPECT_TRUE(tell(put_route{ready(1)}));
  EXPECT_EQ(applied.size(), 1u);
  const end_route end{"a.localhost", {"i"}, ready(1).epoch, end_reason::expired, world.time.wall_now(), false};
  EXPECT_TRUE(tell(end));
  EXPECT_TRUE(tell(end));
  EXPECT_EQ(applied.size(), 2u);
  EXPECT_TRUE(applied[1].cut);
}

TEST_F(router_test, refuses_the_stale_and_the_malformed) {
  tell(put_route{ready(2)});
  EXPECT_EQ(tell(put_route{ready(1)}).error.code, errc::stale);
  EXPECT_EQ(tell(announce_route{"no host", {"i"}, ready(3).epoch}).error.code, errc::invalid_field);
  EXPECT_EQ(applied.size(), 1u);
}

TEST_F(router_test, gives_old_ends_back) {
  tell(end_route{"old.localhost", {"i"}, ready(1).epoch, end_reason::stopped, world.time.wall_now(), false});
  world.advance(std::chrono::hours(25));
  tell(announce_route{"new.localhost", {"j"}, ready(2).epoch});
  ASSERT_EQ(applied.size(), 3u);
  EXPECT_TRUE(applied[2].forgotten);
  EXPECT_EQ(applied[2].now.route.host, "old.localhost");
}

} // namespace
} // namespace poseidon
