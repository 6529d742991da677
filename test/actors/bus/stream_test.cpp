// Streams of another process's node: reader, proxy, bus, service and source together.

#include "actors/bus/memory_bus.hpp"
#include "actors/bus/node_service.hpp"
#include "actors/bus/remote_node.hpp"
#include "actors/bus/wire.hpp"
#include "messages/subjects.hpp"
#include "test/support/actor_fixture.hpp"
#include "test/support/fake_node.hpp"
#include "test/support/hand_stream.hpp"

namespace poseidon {
namespace {

using namespace test;

/// Loses the frames that it is told to.
class lossy_bus final : public bus {
public:
  explicit lossy_bus(std::unique_ptr<bus> under) : under_(std::move(under)) {}
  std::function<bool(const envelope&)> loses;
  void publish(std::string subject, std::string frame) override {
    const auto e = decode_envelope(frame);
    if (e && loses && loses(*e)) return;
    under_->publish(std::move(subject), std::move(frame));
  }
  void request(std::string subject, std::string frame, millis limit, bus_answer done) override { under_->request(std::move(subject), std::move(frame), limit, std::move(done)); }
  void subscribe(std::string subject, std::string group, bus_handler handler) override { under_->subscribe(std::move(subject), std::move(group), std::move(handler)); }
  void watch(std::function<void(bool)> told) override { under_->watch(std::move(told)); }

private:
  std::unique_ptr<bus> under_;
};

struct remote_stream_test : actor_test {
  std::shared_ptr<const clock> clock_ptr{&time, [](auto*) {}};
  memory_bus_hub hub{clock_ptr};
  fake_node_ptr node = std::make_shared<fake_node>();
  node_actor held = spawn_fake_node(system, node);
  std::shared_ptr<lossy_bus> there = std::make_shared<lossy_bus>(hub.join("n1"));
  caf::actor service;
  node_actor proxy;
  hand_stream_ptr source = std::make_shared<hand_source_of_stream>();
  hand_reader_ptr reader = std::make_shared<hand_reader>();
  stream_sink sink = spawn_hand_reader(system, reader);
  stream_source opened;
  const stream_id stream{7, 8};

  remote_stream_test() {
    node->open_stream = [this](const open_log_stream& m) -> outcome<stream_opened> {
      source->stream = m.what.stream;
      source->sink = m.sink;
      return stream_opened{spawn_hand_stream(system, source)};
    };
    node_service_deps deps;
    deps.bus = there;
    deps.cluster = "c";
    deps.name = {"n1"};
    deps.node = held;
    service = spawn_node_service(system, std::move(deps));
    proxy = spawn_remote_node(system, {hub.join("gateway"), "c", {"n1"}, "g1"});
    run();
  }
  ~remote_stream_test() override {
    opened = nullptr;
    source->sink = nullptr;
    source->actor = nullptr;
    node->open_stream = nullptr;
    for (auto& a : {service, caf::actor_cast<caf::actor>(proxy), caf::actor_cast<caf::actor>(held), caf::actor_cast<caf::actor>(sink)})
      if (a) caf::anon_send_exit(a, caf::exit_reason::user_shutdown);
    service = nullptr;
    proxy = nullptr;
    held = nullptr;
    sink = nullptr;
    run();
  }
  failure open() {
    auto got = world.answer_now<outcome<stream_opened>>(proxy, open_log_stream{{stream, {"i1"}, "web", 5, true, 1000}, sink});
    if (!got) return {errc::internal, "no answer", {}, {}, {}};
    if (*got) opened = (**got).source;
    return got->error;
  }
  void credit(std::uint32_t bytes) {
    caf::anon_send(opened, stream_credit{stream, bytes});
    run();
  }
};

TEST_F(remote_stream_test, pieces_credit_and_end_travel) {
  std::optional<read_log_stream> asked;
  auto make = node->open_stream;
  node->open_stream = [&](const open_log_stream& m) {
    asked = m.what;
    return make(m);
  };
  ASSERT_FALSE(open());
  ASSERT_TRUE(asked);
  EXPECT_EQ(asked->instance.value, "i1");
  EXPECT_EQ(asked->service, "web");
  EXPECT_EQ(asked->tail, 5u);
  EXPECT_EQ(asked->credit_bytes, 1000u);
  source->piece("one ");
  source->piece(std::string("t\0w\xffo", 5));
  run();
  EXPECT_EQ(reader->text, "one " + std::string("t\0w\xffo", 5));
  credit(500);
  EXPECT_EQ(source->credits, std::vector<std::uint32_t>{500});
  source->piece("!");
  source->end();
  run();
  ASSERT_TRUE(reader->end);
  EXPECT_FALSE(reader->end->why);
  EXPECT_EQ(reader->end->pieces, 3u);
  EXPECT_EQ(reader->numbers, (std::vector<std::uint64_t>{1, 2, 3}));
}

TEST_F(remote_stream_test, a_refusal_arrives_and_leaves_nothing_open) {
  node->open_stream = [](const open_log_stream&) { return outcome<stream_opened>{failure{errc::queue_full, "enough", {}, {}, {}}}; };
  EXPECT_EQ(open().code, errc::queue_full);
  run();
  EXPECT_FALSE(reader->end);
}

TEST_F(remote_stream_test, a_lost_piece_ends_the_stream_with_a_reason_at_both_ends) {
  ASSERT_FALSE(open());
  int pieces = 0;
  there->loses = [&](const envelope& e) { return e.kind == "stream_piece" && ++pieces == 2; };
  for (int i = 0; i < 4; ++i) source->piece("x");
  run();
  EXPECT_EQ(reader->text, "x") << "nothing after the gap";
  ASSERT_TRUE(reader->end);
  EXPECT_EQ(reader->end->why.code, errc::unknown_outcome);
  EXPECT_NE(reader->end->why.detail.find("lost"), std::string::npos);
  EXPECT_TRUE(source->closed);
}

TEST_F(remote_stream_test, a_lost_last_piece_shows_at_the_readers_next_word) {
  ASSERT_FALSE(open());
  there->loses = [&](const envelope& e) {
    const auto piece = decode_stream_piece(e);
    return piece && piece->text == "the last";
  };
  source->piece("x");
  source->piece("the last");
  run();
  EXPECT_FALSE(reader->end);
  credit(0);
  ASSERT_TRUE(reader->end);
  EXPECT_EQ(reader->end->why.code, errc::unknown_outcome);
  EXPECT_TRUE(source->closed);
}

TEST_F(remote_stream_test, a_lost_end_shows_at_the_readers_next_word) {
  ASSERT_FALSE(open());
  there->loses = [](const envelope& e) { return e.kind == "stream_end"; };
  source->piece("x");
  source->end();
  run();
  there->loses = {};
  EXPECT_FALSE(reader->end);
  credit(0);
  ASSERT_TRUE(reader->end);
  EXPECT_EQ(reader->end->why.code, errc::not_found);
}

TEST_F(remote_stream_test, a_reader_that_only_waits_stays_connected) {
  ASSERT_FALSE(open());
  for (int i = 0; i < 20; ++i) credit(0);
  EXPECT_FALSE(reader->end);
  source->piece("still here");
  run();
  EXPECT_EQ(reader->text, "still here");
}

TEST_F(remote_stream_test, a_node_that_is_away_ends_the_stream_in_time) {
  ASSERT_FALSE(open());
  hub.cut("n1", true);
  for (int i = 0; i < 3; ++i) credit(0);
  EXPECT_FALSE(reader->end) << "it may be back in a moment";
  credit(0);
  ASSERT_TRUE(reader->end);
  EXPECT_EQ(reader->end->why.code, errc::unknown_outcome);
}

TEST_F(remote_stream_test, the_end_of_the_reader_closes_the_source) {
  ASSERT_FALSE(open());
  caf::anon_send_exit(sink, caf::exit_reason::kill);
  run();
  EXPECT_TRUE(source->closed);
}

TEST_F(remote_stream_test, the_end_of_the_source_is_told) {
  ASSERT_FALSE(open());
  caf::anon_send_exit(source->actor, caf::exit_reason::kill);
  run();
  ASSERT_TRUE(reader->end);
  EXPECT_EQ(reader->end->why.code, errc::internal);
}

TEST_F(remote_stream_test, closing_closes_at_the_node) {
  ASSERT_FALSE(open());
  caf::anon_send(opened, close_stream{stream});
  run();
  EXPECT_TRUE(source->closed);
  source->piece("too late");
  run();
  EXPECT_EQ(reader->text, "");
}

TEST_F(remote_stream_test, the_largest_piece_fits_into_a_frame) {
  const stream_piece largest{stream, 1, "a-service-with-a-rather-long-name", std::string(32u << 10, '\xff'), true};
  EXPECT_LT(encode_frame(largest, "node:n1").size(), 64u << 10);
}

TEST_F(remote_stream_test, bytes_of_any_origin_are_passed_over) {
  ASSERT_FALSE(open());
  envelope strange;
  strange.kind = "stream_piece";
  strange.payload.bytes = "\xc1";
  for (const auto& frame : {std::string{}, std::string{"\xc1junk"}, encode(strange)}) {
    there->publish(subjects::streams("c", "g1", {"n1"}), frame);
    there->publish(subjects::node_commands("c", {"n1"}), frame);
  }
  there->publish(subjects::streams("c", "g1", {"n1"}), encode_frame(stream_piece{{1, 1}, 1, {}, "another's", false}, "node:n1"));
  source->piece("well");
  run();
  EXPECT_EQ(reader->text, "well");
  EXPECT_FALSE(reader->end);
}

} // namespace
} // namespace poseidon
