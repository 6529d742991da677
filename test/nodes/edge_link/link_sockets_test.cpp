// Node's and edge's half over real Unix sockets: found, killed, found again.

#include "actors/journal/journal.hpp"
#include "nodes/edge_link/edge_gate.hpp"
#include "nodes/edge_link/link_doors.hpp"
#include "nodes/edge_link/route_relay.hpp"
#include "test/nodes/edge_link/link_samples.hpp"
#include "test/support/real_clock.hpp"
#include "test/support/temporary_folder.hpp"
#include "test/support/threaded_system.hpp"
#include "test/support/ticking_timers.hpp"

#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>

#include <sys/stat.h>

#include <filesystem>

namespace poseidon::test {
namespace {

using reply = outcome<route_acked>;

/// Polls; the bound is for the case that it never holds.
template <class Condition>
bool within(millis limit, Condition holds) {
  for (const auto end = std::chrono::steady_clock::now() + limit; std::chrono::steady_clock::now() < end;) {
    if (holds()) return true;
    std::this_thread::yield();
  }
  return holds();
}

class link_sockets : public testing::Test {
protected:
  /// One edge process's half: its routes, and its door.
  struct edge_half {
    edge_half(link_sockets& test, const std::string& name) : world(test) {
      router = spawn_router(test.threads.system, {test.time, this_machine, [this](const std::vector<route_change>& changes) { apply(changes); }, {}});
      opened = door->open(link_socket(test.folder, name));
      gate = spawn_edge_gate(test.threads.system, {{"c", this_machine, name, millis{5'000}, 64}, router, test.timers.actor, test.time, door});
      door->start(gate);
    }
    ~edge_half() {
      door->stop();
      end(world.threads.system, gate);
      end(world.threads.system, router);
    }
    void apply(const std::vector<route_change>& changes) {
      const std::lock_guard lock{mutex};
      for (auto& change : changes) routes[change.now.route.host] = change.now;
    }
    std::optional<route_phase> phase_of(const std::string& host) const {
      const std::lock_guard lock{mutex};
      const auto found = routes.find(host);
      return found == routes.end() ? std::nullopt : std::optional{found->second.phase};
    }
    link_sockets& world;
    mutable std::mutex mutex;
    std::map<std::string, route_entry> routes;
    std::shared_ptr<link_door> door = std::make_shared<link_door>();
    edge_router_actor router;
    edge_gate_actor gate;
    failure opened;
  };
  /// One node process's half.
  struct node_half {
    explicit node_half(link_sockets& test, std::vector<std::string> holds = {}) : world(test) {
      auto contents = std::make_shared<journal_contents>();
      for (auto& host : holds) {
        auto record = std::make_shared<journal_record>();
        record->host = host;
        record->instance.value = host;
        record->epoch = epoch_of(1);
        record->phase = phase::running;
        contents->records.push_back(std::move(record));
      }
      journal = test.threads.system.spawn([contents](journal_actor::pointer) -> journal_actor::behavior_type {
        return {[](const commit_record&) { return outcome<done>{done{}}; }, [](const forget_record&) { return outcome<done>{done{}}; },
                [contents](const load_records&) { return outcome<std::shared_ptr<const journal_contents>>{contents}; },
                [](const flush_facts&) { return outcome<done>{done{}}; }};
      });
      finder = std::make_shared<link_finder>(test.folder);
      relay = spawn_route_relay(test.threads.system, {{"c", this_machine, {"n1"}, {1, ++test.runs}}, {}, journal, test.timers.actor, test.time, finder});
      finder->start(caf::actor_cast<link_sink>(relay));
    }
    ~node_half() {
      finder->stop();
      end(world.threads.system, relay);
      end(world.threads.system, journal);
    }
    template <class Message>
    reply tell(Message message) {
      caf::scoped_actor self{world.threads.system};
      reply got{failure{errc::request_timeout, "no answer", {}, {}, {}}};
      self->request(relay, millis{10'000}, std::move(message)).receive([&](reply& answer) { got = std::move(answer); }, [](const caf::error&) {});
      return got;
    }
    link_sockets& world;
    journal_actor journal;
    std::shared_ptr<link_finder> finder;
    route_relay_actor relay;
  };

  void SetUp() override { std::filesystem::create_directories(folder); }

  threaded_system threads;
  std::shared_ptr<const poseidon::clock> time = std::make_shared<real_clock>();
  ticking_timers timers{threads.system, *time};
  temporary_folder place;
  std::string folder = link_folder(place.path().string(), "c");
  std::uint64_t runs = 0;
};

TEST_F(link_sockets, a_route_is_acknowledged_once_the_edge_serves_it) {
  edge_half edge{*this, "e1"};
  ASSERT_FALSE(edge.opened) << edge.opened.detail;
  node_half node{*this};
  ASSERT_TRUE(within(millis{10'000}, [&] { return node.tell(put("a.localhost")).ok(); }));
  EXPECT_EQ(edge.phase_of("a.localhost"), route_phase::ready);
  auto ended = over("a.localhost");
  ended.at = time->wall_now();
  EXPECT_TRUE(node.tell(ended));
  EXPECT_EQ(edge.phase_of("a.localhost"), route_phase::ended);
  EXPECT_EQ(node.tell(put("a.localhost")).error.code, errc::stale);
}

TEST_F(link_sockets, without_an_edge_the_reason_is_said) {
  node_half node{*this};
  const auto got = node.tell(put("a.localhost"));
  EXPECT_EQ(got.error.code, errc::not_found);
  EXPECT_NE(got.error.detail.find("no edge"), std::string::npos);
}

TEST_F(link_sockets, every_edge_of_the_machine_learns_it) {
  edge_half first{*this, "e1"}, second{*this, "e2"};
  node_half node{*this};
  ASSERT_TRUE(within(millis{10'000}, [&] {
    return node.tell(put("a.localhost")).ok() && first.phase_of("a.localhost") == route_phase::ready && second.phase_of("a.localhost") == route_phase::ready;
  }));
}

TEST_F(link_sockets, an_edge_that_comes_back_is_told_everything) {
  node_half node{*this};
  {
    edge_half edge{*this, "e1"};
    ASSERT_TRUE(within(millis{10'000}, [&] { return node.tell(put("a.localhost")).ok(); }));
  }
  EXPECT_TRUE(within(millis{10'000}, [&] { return node.tell(put("b.localhost")).error.code == errc::not_found; }));
  edge_half again{*this, "e1"};
  EXPECT_TRUE(within(millis{10'000}, [&] { return again.phase_of("a.localhost") == route_phase::ready && again.phase_of("b.localhost") == route_phase::ready; }));
}

TEST_F(link_sockets, a_node_that_comes_back_keeps_what_its_journal_holds_and_no_more) {
  edge_half edge{*this, "e1"};
  {
    node_half node{*this};
    ASSERT_TRUE(within(millis{10'000}, [&] { return node.tell(put("held.localhost")).ok(); }));
    ASSERT_TRUE(node.tell(put("gone.localhost")));
  }
  EXPECT_EQ(edge.phase_of("held.localhost"), route_phase::ready) << "the node's end changes nothing";
  node_half again{*this, {"held.localhost"}};
  EXPECT_TRUE(within(millis{10'000}, [&] { return edge.phase_of("gone.localhost") == route_phase::pending; }));
  EXPECT_EQ(edge.phase_of("held.localhost"), route_phase::ready);
}

TEST_F(link_sockets, a_dead_edges_socket_is_taken_over_and_a_live_ones_is_not) {
  const auto path = link_socket(folder, "e1");
  {
    boost::asio::io_context io;
    boost::asio::local::stream_protocol::acceptor dead{io, path}; // closed without unlinking, as by kill -9
  }
  ASSERT_TRUE(std::filesystem::exists(path));
  edge_half edge{*this, "e1"};
  ASSERT_FALSE(edge.opened) << edge.opened.detail;
  struct stat info {};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777u, 0660u);
  link_door second;
  EXPECT_EQ(second.open(path).code, errc::conflict);
  EXPECT_EQ(link_door{}.open(folder + "/" + std::string(120, 'x')).code, errc::invalid_field);
}

TEST_F(link_sockets, who_speaks_nonsense_is_hung_up_on) {
  edge_half edge{*this, "e1"};
  boost::asio::io_context io;
  boost::asio::local::stream_protocol::socket peer{io};
  peer.connect(link_socket(folder, "e1"));
  boost::asio::write(peer, boost::asio::buffer(std::string("\x7f\xff\xff\xff rubbish")));
  char byte;
  boost::system::error_code error;
  boost::asio::read(peer, boost::asio::buffer(&byte, 1), error);
  EXPECT_TRUE(error);
}

} // namespace
} // namespace poseidon::test
