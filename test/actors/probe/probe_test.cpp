#include "actors/probe/probe.hpp"

#include "test/support/actor_fixture.hpp"

namespace poseidon {
namespace {

using namespace test;

struct held_probe : probe_port {
  std::vector<std::pair<probe_endpoint, std::function<void(outcome<done>)>>> calls;
  void probe(const probe_endpoint& request, std::function<void(outcome<done>)> answer) override { calls.emplace_back(request, std::move(answer)); }
};

struct probe_test : actor_test {
  std::shared_ptr<held_probe> port = std::make_shared<held_probe>();
  probe_actor probe;
  probe_deps deps;
  probe_test() {
    deps.port = port;
    deps.timers = world.timers;
    deps.clock = std::shared_ptr<const clock>(&time, [](auto*) {});
    deps.most_open = 2;
    deps.most_waiting = 3;
    probe = spawn_probe(system, deps);
    run();
  }
  ~probe_test() override {
    caf::anon_send_exit(probe, caf::exit_reason::user_shutdown);
    run();
  }
  auto ask_probe(std::uint16_t port_number) {
    probe_endpoint p;
    p.where.port = port_number;
    p.timeout_ms = 1'000;
    return world.ask_later<outcome<done>>(probe, p);
  }
};

TEST_F(probe_test, passes_the_request_on_and_the_answer_back) {
  auto a = ask_probe(80), b = ask_probe(81);
  ASSERT_EQ(port->calls.size(), 2u);
  EXPECT_EQ(port->calls[1].first.where.port, 81);
  port->calls[1].second(failure{errc::never_healthy, "503", {}, {}, {}});
  port->calls[0].second(done{});
  run();
  EXPECT_TRUE((*a)->ok());
  EXPECT_EQ((*b)->error.detail, "503");
}

TEST_F(probe_test, a_silent_port_is_unhealthy_and_its_late_answer_dropped) {
  auto a = ask_probe(80);
  advance(millis{4'000});
  ASSERT_TRUE(a->has_value());
  EXPECT_EQ((*a)->error.code, errc::never_healthy);
  port->calls[0].second(done{});
  run();
}

TEST_F(probe_test, keeps_to_its_bounds_in_order) {
  auto a = ask_probe(1), b = ask_probe(2), c = ask_probe(3), d = ask_probe(4), e = ask_probe(5), f = ask_probe(6);
  EXPECT_EQ(port->calls.size(), 2u);
  ASSERT_TRUE(f->has_value());
  EXPECT_FALSE((*f)->ok());
  port->calls[0].second(done{});
  run();
  ASSERT_EQ(port->calls.size(), 3u);
  EXPECT_EQ(port->calls[2].first.where.port, 3);
  advance(millis{20'000});
  for (auto& answer : {a, b, c, d, e}) EXPECT_TRUE(answer->has_value());
}

} // namespace
} // namespace poseidon
