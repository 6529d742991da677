// What the only process of a cluster says of nodes that nobody else will ever answer for.

#include "nodes/administration_keeper.hpp"

#include <gtest/gtest.h>

namespace poseidon {
namespace {

std::shared_ptr<const node_row> node(const std::string& name, bool lost) {
  auto row = std::make_shared<node_row>();
  row->name = {name};
  row->run = {1, 2};
  row->lost = lost;
  return row;
}

TEST(administration_keeper, gives_up_every_other_node_that_counts_as_alive) {
  ledger_image image;
  image.nodes = {node("here", false), node("lost", true), node("old", false)};
  const auto said = nodes_to_give_up(image, {"here"}, {5});
  ASSERT_EQ(said.size(), 1u);
  const auto& lost = std::get<node_lost_entry>(said[0]);
  EXPECT_EQ(lost.node.value, "old");
  EXPECT_EQ(lost.run, (run_id{1, 2}));
}

TEST(administration_keeper, has_nothing_to_say_where_all_is_well) {
  ledger_image image;
  image.nodes = {node("here", false)};
  EXPECT_TRUE(nodes_to_give_up(image, {"here"}, {5}).empty());
}

} // namespace
} // namespace poseidon
