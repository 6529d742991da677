// A notification reads like the event of the API's streams.

#include "nodes/notifier/event_source.hpp"

#include "gateway/events.hpp"
#include "test/actors/fold/world.hpp"

#include <nlohmann/json.hpp>

namespace poseidon {
namespace {

using nlohmann::json;

struct event_source_test : ::testing::Test {
  one_node w;
  gateway::url_rules urls{.public_url = {}, .edge_scheme = "http", .edge_port = 8081, .api_url = "http://127.0.0.1:8080"};
  std::unique_ptr<notification_source> source = make_event_source(urls, "key");
  gateway::view streams{"key"};

  void load() {
    const auto image = image_of(w.state);
    source->load(*image);
    streams.load(*image);
  }
  std::vector<notification_ptr> told() { return source->apply({w.change}); }
};

TEST_F(event_source_test, has_the_same_id_and_text) {
  load();
  const gateway::event_context context{std::make_shared<const gateway::url_rules>(urls), {}};
  std::vector<std::string> types;
  const auto compare = [&] {
    const auto mine = told();
    std::vector<gateway::event_ptr> theirs;
    const std::vector<ledger_change> changes{w.change};
    for (auto& applied : streams.apply(changes)) {
      auto at_that_time = context;
      at_that_time.now = w.change.logged_at;
      for (auto& one : gateway::events_of(applied, at_that_time)) theirs.push_back(one);
    }
    ASSERT_EQ(mine.size(), theirs.size());
    for (std::size_t i = 0; i < mine.size(); ++i) {
      EXPECT_EQ(mine[i]->id, theirs[i]->id);
      EXPECT_EQ(mine[i]->at, theirs[i]->at);
      EXPECT_EQ("id: " + mine[i]->id + "\nevent: " + mine[i]->type + "\ndata: " + mine[i]->body + "\n\n", theirs[i]->frame);
      const auto body = json::parse(mine[i]->body);
      EXPECT_EQ(body["type"], mine[i]->type);
      if (!mine[i]->instance.empty()) {
        EXPECT_EQ(body["instance"]["id"], mine[i]->instance);
        EXPECT_EQ(body["instance"]["challenge"], mine[i]->challenge);
      }
      types.push_back(mine[i]->type);
    }
  };
  w.start("alice");
  compare();
  w.running("i1");
  compare();
  w.ended("i1", end_reason::expired);
  compare();
  w.put(set_node_mode_entry{{"n1"}, node_mode::draining});
  compare();
  EXPECT_EQ(types, (std::vector<std::string>{"instance.pending", "instance.running", "instance.expired", "node.draining", "node.drained"}));
}

TEST_F(event_source_test, reads_the_same_whenever_it_is_asked) {
  w.start("alice");
  load();
  w.running("i1");
  const auto once = told(), again = [&] {
    load();
    return told();
  }();
  EXPECT_TRUE(again.empty()) << "part of the image";
  auto other = make_event_source(urls, "key");
  ledger_image before;
  other->load(before);
  const auto later = other->apply({w.change});
  ASSERT_EQ(once.size(), 1u);
  ASSERT_EQ(later.size(), 1u);
  EXPECT_EQ(once[0]->body, later[0]->body);
}

TEST_F(event_source_test, tells_where_instances_stand_that_changed_meanwhile) {
  w.start("alice");
  w.start("bob");
  const auto after = w.state.at;
  w.running("i2");
  w.ended("i2", end_reason::failed);
  w.start("carol");
  load();
  const auto missed = source->missed(*image_of(w.state), after);
  ASSERT_EQ(missed.size(), 2u);
  EXPECT_EQ(missed[0]->type, "instance.failed");
  EXPECT_EQ(missed[0]->instance, "i2");
  EXPECT_EQ(missed[1]->type, "instance.pending");
  EXPECT_EQ(missed[1]->id, to_string(w.state.at));
  EXPECT_EQ(json::parse(missed[0]->body)["detail"], (json{{"missed", true}}));
}

} // namespace
} // namespace poseidon
