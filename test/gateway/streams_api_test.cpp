// Events over real sockets.

#include "test/gateway/gateway_fixture.hpp"

namespace poseidon::test {

using streams_api = gateway_fixture;
using nlohmann::json;

TEST_F(streams_api, every_change_is_an_event_with_its_position) {
  start();
  auto events = stream("/v1/events");
  auto first = next_event(*events);
  EXPECT_EQ(first.type, "synced");
  EXPECT_EQ(first.id, "1-4") << "the keys of the fixture";
  auto id = started();
  auto pending = next_event(*events);
  EXPECT_EQ(pending.type, "instance.pending");
  EXPECT_EQ(pending.id, "1-5");
  EXPECT_EQ(pending.data["id"], "1-5");
  EXPECT_EQ(pending.data["instance"]["id"], id);
  EXPECT_EQ(pending.data["actor"], "key:admin");
  cluster->run({id});
  auto running = next_event(*events);
  EXPECT_EQ(running.type, "instance.running");
  auto read = ask("GET", "/v1/instances/" + id).body;
  EXPECT_EQ(read.erase("placement"), 1u) << "told there alone";
  EXPECT_EQ(running.data["instance"], read) << "an instance reads the same everywhere";
}

TEST_F(streams_api, a_client_resumes_where_it_was) {
  start();
  auto a = started("a"), b = started("b"), c = started("c");
  auto events = stream("/v1/events", "read", {{"Last-Event-ID", "1-5"}});
  EXPECT_EQ(next_event(*events).data["instance"]["id"], b);
  auto third = next_event(*events);
  EXPECT_EQ(third.data["instance"]["id"], c);
  auto by_parameter = stream("/v1/events?last_event_id=" + third.id);
  cluster->run({a});
  EXPECT_EQ(next_event(*by_parameter).data["instance"]["id"], a);
}

TEST_F(streams_api, an_unknown_id_yields_reset_and_the_full_state) {
  start();
  std::set<std::string> expected;
  for (int i = 0; i < 100; ++i) expected.insert(started("u" + std::to_string(i)));
  cluster->end({*expected.begin()}, end_reason::stopped);
  // The ledger has it; the gateway's view follows.
  for (int looks = 0; looks < 2'000 && ask("GET", "/v1/instances/" + *expected.begin()).body["state"] != "stopped"; ++looks) {}
  expected.erase(expected.begin());
  auto events = stream("/v1/events", "read", {{"Last-Event-ID", "7-99"}});
  auto reset = next_event(*events);
  EXPECT_EQ(reset.type, "reset");
  EXPECT_EQ(reset.id, "") << "cut off now, the client asks for everything again";
  std::set<std::string> seen;
  for (;;) {
    auto event = next_event(*events);
    if (event.type == "synced") {
      EXPECT_EQ(event.id, "1-105");
      break;
    }
    ASSERT_EQ(event.type, "instance.state");
    seen.insert(event.data["instance"]["id"]);
  }
  EXPECT_EQ(seen, expected);
  cluster->run({*expected.begin()});
  EXPECT_EQ(next_event(*events).type, "instance.running");
}

TEST_F(streams_api, a_slow_client_costs_no_more_than_the_ring_and_catches_up_by_reset) {
  config.events_kept = 50;
  start();
  auto events = stream("/v1/events");
  next_event(*events);
  auto id = started();
  // Far more than socket buffers and ring hold, while the client does not read.
  for (int i = 0; i < 20'000; ++i) cluster->change_row({id}, deadline_moved_entry{{{id}, {}, {}, {}, 0}, {}, 0, {}}, [](instance_row&) {});
  bool reset = false;
  std::string last;
  auto until = std::chrono::steady_clock::now() + std::chrono::seconds{30};
  while (last != "1-20005" && std::chrono::steady_clock::now() < until) {
    auto event = next_event(*events);
    reset = reset || event.type == "reset";
    if (!event.id.empty()) last = event.id;
  }
  EXPECT_TRUE(reset);
  EXPECT_EQ(last, "1-20005");
}

TEST_F(streams_api, one_instance_is_followed_until_it_ends) {
  start();
  auto other = started("other"), id = started();
  auto events = stream("/v1/instances/" + id + "/events", "read");
  auto state = next_event(*events);
  EXPECT_EQ(state.type, "instance.state");
  EXPECT_EQ(state.data["instance"]["id"], id);
  EXPECT_EQ(next_event(*events).type, "synced");
  cluster->run({other});
  cluster->run({id});
  EXPECT_EQ(next_event(*events).type, "instance.running");
  cluster->end({id}, end_reason::expired);
  auto last = next_event(*events);
  EXPECT_EQ(last.type, "instance.expired");
  EXPECT_EQ(last.data["instance"]["reason"], "expired");
  EXPECT_FALSE(events->receive_event()) << "the stream ends with it";
}

TEST_F(streams_api, watch_url_opens_without_a_key_until_the_end) {
  start();
  auto id = started(), other = started("bob");
  std::string watch = ask("GET", "/v1/instances/" + id).body["watch_url"];
  ASSERT_TRUE(watch.starts_with(url + "/v1/watch/" + id + "?token=")) << watch;
  auto path = watch.substr(url.size());
  auto events = stream(path, "");
  EXPECT_EQ(next_event(*events).data["instance"]["id"], id);
  auto token = path.substr(path.find('?'));
  EXPECT_EQ(ask("GET", "/v1/watch/" + other + token, nullptr, "").status, 401) << "another's instance";
  EXPECT_EQ(ask("GET", "/v1/watch/" + id, nullptr, "").status, 401);
  EXPECT_EQ(ask("GET", "/v1/instances/" + id + token, nullptr, "").status, 401) << "it opens nothing else";
  cluster->end({id}, end_reason::stopped);
  ask("GET", "/v1/instances/" + id + "?wait=ended");
  EXPECT_EQ(ask("GET", path, nullptr, "").status, 204);
  EXPECT_EQ(ask("GET", "/v1/instances/" + id).body["watch_url"], nullptr);
}

TEST_F(streams_api, keys_and_settings_are_told_to_administrators_alone) {
  start();
  auto admin = stream("/v1/events"), reader = stream("/v1/events", "read");
  next_event(*admin);
  next_event(*reader);
  cluster->append(put_key_entry{{"new"}, "00", {"read"}, "", {}});
  cluster->append(set_pause_entry{true, "maintenance"});
  EXPECT_EQ(next_event(*admin).type, "key.created");
  EXPECT_EQ(next_event(*admin).type, "system.paused");
  EXPECT_EQ(next_event(*reader).type, "system.paused");
}

TEST_F(streams_api, types_can_be_chosen) {
  start();
  auto nodes = stream("/v1/events?type=node.");
  next_event(*nodes);
  started();
  cluster->append(set_node_mode_entry{{"n1"}, node_mode::cordoned});
  auto event = next_event(*nodes);
  EXPECT_EQ(event.type, "node.cordoned");
  EXPECT_EQ(event.data["detail"]["node"], "n1");
}

TEST_F(streams_api, progress_is_a_passing_event) {
  start();
  auto id = started();
  auto events = stream("/v1/events");
  next_event(*events);
  auto epoch = cluster->row({id})->epoch;
  auto telemetry = under_test->telemetry();
  caf::anon_send(telemetry, instance_progress{{id}, epoch, phase::pulling, 43, {}});
  auto progress = next_event(*events);
  EXPECT_EQ(progress.type, "instance.progress");
  EXPECT_EQ(progress.id, "") << "nothing to resume from";
  EXPECT_EQ(progress.data["instance"]["progress"], json({{"phase", "pulling"}, {"percent", 43}, {"note", nullptr}}));
  caf::anon_send(telemetry, instance_progress{{id}, epoch, phase::pulling, 44, {}}); // less than a tenth: not told
  cluster->run({id});
  EXPECT_EQ(next_event(*events).type, "instance.running");
}

TEST_F(streams_api, a_near_deadline_is_an_event_of_the_ledger) {
  start();
  auto id = started();
  auto events = stream("/v1/events");
  next_event(*events);
  cluster->run({id});
  // The view follows the ledger: what was started before is told here or is part of where the stream began.
  for (auto event = next_event(*events); event.type != "instance.running";) event = next_event(*events);
  auto row = cluster->row({id});
  cluster->change_row({id}, expiring_entry{{row->id, row->epoch, row->node, {9, 9}, 900}, *row->expires_at}, [](instance_row&) {});
  auto expiring = next_event(*events);
  EXPECT_EQ(expiring.type, "instance.expiring");
  EXPECT_NE(expiring.id, "") << "a reader resumes from it";
  EXPECT_EQ(expiring.data["instance"]["id"], id);
  EXPECT_EQ(expiring.data["detail"], json({{"expires_at", to_rfc3339(*row->expires_at)}}));
}

TEST_F(streams_api, idle_streams_are_kept_alive) {
  config.heartbeat = millis{20};
  start();
  auto events = stream("/v1/events");
  next_event(*events);
  auto comment = events->receive_event();
  ASSERT_TRUE(comment);
  EXPECT_TRUE(comment->starts_with(":"));
}

TEST_F(streams_api, streams_are_bounded_and_given_back) {
  config.streams = 2;
  start();
  auto one = stream("/v1/events");
  {
    auto two = stream("/v1/events");
    EXPECT_EQ(ask("GET", "/v1/events").status, 503);
  }
  auto until = std::chrono::steady_clock::now() + std::chrono::seconds{10};
  int status = 0;
  while (status != 200 && std::chrono::steady_clock::now() < until) status = ask("HEAD", "/v1/events").status;
  EXPECT_EQ(status, 200);
}

TEST_F(streams_api, a_new_incarnation_resets_every_stream) {
  start();
  auto id = started();
  auto events = stream("/v1/events");
  next_event(*events);
  cluster->append(incarnation_entry{});
  EXPECT_EQ(next_event(*events).type, "reset");
  EXPECT_EQ(next_event(*events).data["instance"]["id"], id);
  EXPECT_EQ(next_event(*events).type, "synced");
}

TEST_F(streams_api, streams_end_when_the_gateway_does) {
  start();
  auto events = stream("/v1/events");
  next_event(*events);
  under_test->stop();
  EXPECT_FALSE(events->receive_event());
}

} // namespace poseidon::test
