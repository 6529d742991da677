// Both halves of a link as pure decisions: against each other over a transport that loses whole links, at any frame.

#include "actors/router/route_table.hpp"
#include "nodes/edge_link/link_gate.hpp"
#include "nodes/edge_link/route_fanout.hpp"
#include "test/nodes/edge_link/link_samples.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace poseidon::test {
namespace {

fanout_options node_options(const std::string& node = "n1") { return {"c", this_machine, {node}, {1, 2}, false, millis{1'500}, millis{5'000}, 100}; }
gate_options edge_options() { return {"c", this_machine, "e1", millis{5'000}, 4}; }

template <class T>
std::vector<T> only(const link_effects& effects) {
  std::vector<T> found;
  for (auto& each : effects)
    if (auto* one = std::get_if<T>(&each)) found.push_back(*one);
  return found;
}
template <class T>
std::size_t frames(const link_effects& effects) {
  std::size_t count = 0;
  for (auto& each : only<send_frame>(effects)) count += std::holds_alternative<T>(each.what.what);
  return count;
}

TEST(link_codec, a_frame_comes_back_as_it_was) {
  const link_frame sent{7, put("a.localhost", 3, boot_time{99})};
  const auto read = decode_link_frame(encode(sent));
  ASSERT_TRUE(read) << read.error.detail;
  EXPECT_EQ(read->request, 7u);
  ASSERT_TRUE(std::holds_alternative<put_route>(read->what));
  EXPECT_EQ(std::get<put_route>(read->what).route, std::get<put_route>(sent.what).route);
}

TEST(link_codec, what_is_no_frame_is_refused) {
  EXPECT_EQ(decode_link_frame("nonsense").error.code, errc::bad_request);
  auto bytes = encode(link_frame{1, link_complete{}});
  bytes.pop_back();
  EXPECT_EQ(decode_link_frame(bytes).error.code, errc::bad_request);
}

TEST(fanout, without_an_edge_a_route_is_not_found_and_an_end_needs_none) {
  route_fanout node{node_options()};
  auto answers = only<answer_teller>(node.tell(put("a"), 1, {}));
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].how.error.code, errc::not_found);
  answers = only<answer_teller>(node.tell(over("a"), 2, {}));
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_TRUE(answers[0].how);
}

class linked_fanout : public testing::Test {
protected:
  void link(link_id id) {
    node.opened(id, now);
    node.received(id, {0, link_welcome{}});
  }
  std::uint64_t request_of(const link_effects& effects) { return only<send_frame>(effects).at(0).what.request; }
  route_fanout node{node_options()};
  boot_time now{1'000};
};

TEST_F(linked_fanout, acknowledges_when_every_linked_edge_has) {
  link(1);
  link(2);
  const auto told = node.tell(put("a"), 5, now);
  EXPECT_EQ(frames<put_route>(told), 2u);
  const auto request = request_of(told);
  EXPECT_TRUE(node.received(1, {request, route_acked{{"a"}, epoch_of(1)}}).empty());
  const auto answers = only<answer_teller>(node.received(2, {request, route_acked{{"a"}, epoch_of(1)}}));
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].token, 5u);
  EXPECT_TRUE(answers[0].how);
}

TEST_F(linked_fanout, an_edge_that_dies_is_not_waited_for) {
  link(1);
  link(2);
  const auto request = request_of(node.tell(put("a"), 5, now));
  node.received(1, {request, route_acked{{"a"}, epoch_of(1)}});
  auto answers = only<answer_teller>(node.closed(2));
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_TRUE(answers[0].how);
  node.tell(put("b"), 6, now);
  answers = only<answer_teller>(node.closed(1));
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].how.error.code, errc::unknown_outcome) << "no edge is left";
}

TEST_F(linked_fanout, a_silent_edge_is_dropped_in_time) {
  link(1);
  link(2);
  const auto request = request_of(node.tell(put("a"), 5, now));
  node.received(1, {request, route_acked{{"a"}, epoch_of(1)}});
  EXPECT_EQ(node.next(), now + millis{1'500});
  EXPECT_TRUE(node.due(now + millis{1'499}).empty());
  const auto todo = node.due(now + millis{1'500});
  ASSERT_EQ(only<close_link>(todo).size(), 1u);
  EXPECT_EQ(only<close_link>(todo)[0].which, 2u);
  ASSERT_EQ(only<answer_teller>(todo).size(), 1u);
  EXPECT_TRUE(only<answer_teller>(todo)[0].how);
  EXPECT_EQ(node.linked(), 1u);
  EXPECT_FALSE(node.next());
}

TEST_F(linked_fanout, a_refusal_is_the_answer) {
  link(1);
  const auto request = request_of(node.tell(put("a"), 5, now));
  const auto answers = only<answer_teller>(node.received(1, {request, link_refused{{errc::stale, "older", {}, {}, {}}}}));
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].how.error.code, errc::stale);
}

TEST_F(linked_fanout, who_links_late_learns_everything_and_that_it_is_all_once_the_journal_said_so) {
  node.tell(put("a", 1), 1, now);
  node.tell(put("a", 2), 2, now);
  node.tell(over("a", 1), 3, now); // the older copy's end comes late: the newer one stays
  node.tell(put("b"), 4, now);
  node.tell(over("b"), 5, now);
  node.opened(1, now);
  auto told = node.received(1, {0, link_welcome{}});
  EXPECT_EQ(frames<put_route>(told), 1u);
  EXPECT_EQ(frames<end_route>(told), 1u);
  EXPECT_EQ(frames<link_complete>(told), 0u);
  told = node.hold({held("a", 2), held("c")});
  EXPECT_EQ(frames<hold_route>(told), 1u) << "of a it has said more already";
  EXPECT_EQ(frames<link_complete>(told), 1u);
  node.opened(2, now);
  told = node.received(2, {0, link_welcome{}});
  EXPECT_EQ(frames<hold_route>(told), 1u);
  EXPECT_EQ(frames<link_complete>(told), 1u);
}

TEST_F(linked_fanout, ended_routes_are_remembered_to_a_bound) {
  for (int i = 0; i < 250; ++i) node.tell(over("h" + std::to_string(i)), static_cast<std::uint64_t>(i), now);
  node.opened(1, now);
  EXPECT_EQ(frames<end_route>(node.received(1, {0, link_welcome{}})), 100u);
}

TEST(gate, takes_the_nodes_of_its_cluster_and_machine_only) {
  link_gate edge{edge_options()};
  const auto greet = [&](link_id id, const link_hello& hello) {
    edge.opened(id, {});
    return edge.received(id, {0, hello});
  };
  EXPECT_EQ(frames<link_welcome>(greet(1, {1, "c", this_machine, {"n1"}, {}})), 1u);
  for (auto& wrong : {link_hello{1, "other", this_machine, {"n2"}, {}}, link_hello{1, "c", {"elsewhere"}, {"n2"}, {}}, link_hello{2, "c", this_machine, {"n2"}, {}},
                      link_hello{1, "c", this_machine, {}, {}}}) {
    const auto todo = greet(2, wrong);
    EXPECT_EQ(frames<link_refused>(todo), 1u);
    EXPECT_EQ(only<close_link>(todo).size(), 1u);
    edge.closed(2);
  }
  EXPECT_EQ(edge.nodes(), 1u);
}

TEST(gate, closes_what_says_no_hello_and_the_former_run_of_a_node) {
  link_gate edge{edge_options()};
  edge.opened(1, boot_time{0});
  EXPECT_EQ(edge.next(), boot_time{5'000});
  EXPECT_EQ(only<close_link>(edge.due(boot_time{5'000})).size(), 1u);
  edge.opened(2, boot_time{0});
  edge.received(2, {0, link_hello{1, "c", this_machine, {"n1"}, {1, 1}}});
  edge.opened(3, boot_time{0});
  const auto todo = edge.received(3, {0, link_hello{1, "c", this_machine, {"n1"}, {1, 2}}});
  ASSERT_EQ(only<close_link>(todo).size(), 1u);
  EXPECT_EQ(only<close_link>(todo)[0].which, 2u);
  EXPECT_TRUE(edge.received(2, {1, put("a")}).empty()) << "nothing of the old run is taken any more";
}

TEST(gate, refuses_routes_of_other_machines) {
  link_gate edge{edge_options()};
  edge.opened(1, {});
  edge.received(1, {0, link_hello{1, "c", this_machine, {"n1"}, {}}});
  auto wrong = put("a");
  wrong.route.machine.value = "elsewhere";
  const auto todo = edge.received(1, {4, wrong});
  EXPECT_EQ(frames<link_refused>(todo), 1u);
  EXPECT_TRUE(only<ask_router>(todo).empty());
}

/// A node, an edge with its table, and a link that ends at any frame; a new edge process starts from a snapshot.
class lossy_world {
public:
  explicit lossy_world(std::uint64_t seed) : random(seed) {}

  void act() {
    now = now + millis{static_cast<int>(random() % 300)};
    switch (random() % 8) {
    case 0: case 1: case 2: told(random_news()); break;
    case 3: if (current == 0) connect(); break;
    case 4: if (current != 0 && random() % 4 == 0) disconnect(); break;
    case 5: if (random() % 16 == 0) restart_edge(); break;
    case 6: if (random() % 32 == 0) restart_node(); break;
    default: perform_node(node->due(now)); deliver(random() % 6); break;
    }
  }
  void settle() {
    if (current != 0) disconnect(); // whatever was lost with it
    connect();
    if (!complete) complete = true, perform_node(node->hold(journal()));
    deliver(100'000);
  }
  void check() {
    for (auto& [host, wanted] : truth) {
      if (silent.contains(host)) continue; // held, and no more has been said: what was known stays
      const auto* entry = table.find(host);
      ASSERT_TRUE(entry) << host;
      EXPECT_EQ(entry->route.epoch, wanted.epoch) << host;
      EXPECT_EQ(entry->phase == route_phase::ready, wanted.ready) << host;
    }
    for (auto& entry : table.snapshot(this_machine).entries)
      if (entry.phase == route_phase::ready) {
        EXPECT_TRUE(truth.contains(entry.route.host)) << entry.route.host;
      }
    EXPECT_EQ(unanswered, 0u);
  }

private:
  struct wanted_route {
    struct epoch epoch;
    bool ready = false;
  };
  route_message random_news() {
    const auto host = "h" + std::to_string(random() % 6);
    auto& wanted = truth[host];
    if (wanted.epoch.empty() || !wanted.ready) {
      wanted = {epoch_of(++sequence), true};
      return put(host, sequence);
    }
    if (random() % 3 == 0) return put(host, wanted.epoch.sequence, boot_time{static_cast<std::int64_t>(random() % 1000)});
    wanted.ready = false;
    return over(host, wanted.epoch.sequence);
  }
  void told(route_message what) {
    silent.erase(host_of(what));
    ++unanswered;
    perform_node(node->tell(std::move(what), ++token, now));
  }
  std::vector<hold_route> journal() const {
    std::vector<hold_route> all;
    for (auto& [host, wanted] : truth)
      if (wanted.ready) all.push_back({host, {host}, wanted.epoch});
    return all;
  }
  void connect() {
    current = ++last_link;
    perform_edge(edge->opened(current, now));
    perform_node(node->opened(current, now));
  }
  void disconnect() {
    to_edge.clear();
    to_node.clear();
    const auto gone = std::exchange(current, 0);
    perform_edge(edge->closed(gone));
    perform_node(node->closed(gone));
  }
  void restart_edge() {
    if (current != 0) disconnect();
    const auto image = saved; // perhaps older than the table was
    edge.emplace(edge_options());
    table = route_table{};
    table.restore(image, this_machine, {});
  }
  void restart_node() {
    if (current != 0) disconnect();
    node.emplace(node_options());
    complete = false;
    unanswered = 0; // whoever asked died with it
    for (auto at = truth.begin(); at != truth.end();) // what has ended is not in the journal any more
      at = at->second.ready ? std::next(at) : truth.erase(at);
    for (auto& [host, wanted] : truth) silent.insert(host);
    for (auto& [host, wanted] : std::map{truth})
      if (random() % 2) told(put(host, wanted.epoch.sequence));
  }
  void deliver(std::size_t count) {
    for (; count > 0 && (!to_edge.empty() || !to_node.empty()); --count) {
      const bool first = to_node.empty() || (!to_edge.empty() && random() % 2);
      auto& queue = first ? to_edge : to_node;
      const auto bytes = std::move(queue.front());
      queue.pop_front();
      const auto frame = decode_link_frame(bytes);
      ASSERT_TRUE(frame);
      if (first) perform_edge(edge->received(current, *frame));
      else perform_node(node->received(current, *frame));
      if (random() % 64 == 0) saved = table.snapshot(this_machine);
    }
  }
  void perform_node(const link_effects& todo) {
    for (auto& each : todo) {
      if (auto* m = std::get_if<send_frame>(&each); m && m->to == current) to_edge.push_back(encode(m->what));
      if (auto* m = std::get_if<close_link>(&each); m && m->which == current) disconnect();
      if (std::holds_alternative<answer_teller>(each)) --unanswered;
    }
  }
  void perform_edge(const link_effects& todo) {
    for (auto& each : todo) {
      if (auto* m = std::get_if<send_frame>(&each); m && m->to == current) to_node.push_back(encode(m->what));
      if (auto* m = std::get_if<close_link>(&each); m && m->which == current) disconnect();
      if (auto* m = std::get_if<ask_router>(&each)) perform_edge(edge->routed(m->from, m->request, route(*m)));
      if (auto* m = std::get_if<retain_routes>(&each)) table.retain(m->node, m->hosts, {});
    }
  }
  outcome<route_acked> route(const ask_router& m) {
    const auto verdict = std::visit(overloaded{[&](const put_route& p) { return table.put(p.route, {}, m.node); },
                                               [&](const end_route& e) { return table.end(e, {}); },
                                               [&](const announce_route& a) { return table.announce(a, {}); }},
                                    m.what);
    if (verdict.refused) return verdict.refused;
    return ack_of(m.what);
  }

  std::mt19937_64 random;
  boot_time now{0};
  std::optional<route_fanout> node{node_options()};
  std::optional<link_gate> edge{edge_options()};
  route_table table;
  route_snapshot saved{1, this_machine, {}};
  std::deque<std::string> to_edge, to_node;
  link_id current = 0, last_link = 0;
  std::map<std::string, wanted_route> truth;
  std::set<std::string> silent; ///< of which the node's present run has said nothing
  std::uint64_t sequence = 0, token = 0;
  std::size_t unanswered = 0;
  bool complete = false;
};

TEST(link_world, whatever_is_lost_the_edge_ends_with_what_the_node_says) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    lossy_world world{seed};
    for (int i = 0; i < 400; ++i) world.act();
    world.settle();
    world.check();
    if (testing::Test::HasFailure()) return;
  }
}

} // namespace
} // namespace poseidon::test
