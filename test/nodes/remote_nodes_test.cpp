// What placement is told of the nodes that are heard.

#include "nodes/remote_nodes.hpp"

#include <gtest/gtest.h>

namespace poseidon {
namespace {

member heard(const std::string& name, std::vector<std::string> images = {}, bool suspect = false, failure trouble = {}) {
  member one;
  one.said.process = name;
  one.said.node.emplace();
  one.said.node->node = {name};
  one.said.node->cpu_permille = 100;
  one.said.node->memory_permille = 200;
  one.said.node->images = std::move(images);
  one.said.node->trouble = std::move(trouble);
  one.suspect = suspect;
  return one;
}

instance_spec made_of(std::initializer_list<const char*> images) {
  instance_spec spec;
  for (auto* image : images) spec.services.emplace_back().image = image;
  return spec;
}

TEST(load_hints, say_who_has_the_image_however_it_is_written) {
  const std::vector<member> members{heard("n1", {"docker.io/library/web:latest"}), heard("n2", {"docker.io/library/web:2"}), heard("n3")};
  using hints = std::vector<load_hint>;
  for (auto* image : {"web", "docker.io/web:latest", "library/web"})
    EXPECT_EQ(load_hints(members, made_of({image})), (hints{{{"n1"}, 100, 200, true}, {{"n2"}, 100, 200, false}, {{"n3"}, 100, 200, false}})) << image;
  EXPECT_FALSE(load_hints(members, made_of({"not an image"}))[0].has_image);
}

TEST(load_hints, every_service_counts) {
  const std::vector<std::string> held{"docker.io/library/db:1", "docker.io/library/web:1"};
  EXPECT_TRUE(holds_images(held, images_of(made_of({"web:1", "db:1"}))));
  EXPECT_FALSE(holds_images(held, images_of(made_of({"web:1", "cache:1"}))));
  EXPECT_FALSE(holds_images(held, images_of(made_of({}))));
}

TEST(load_hints, one_that_is_suspect_or_in_trouble_counts_as_full) {
  const auto spec = made_of({"web"});
  for (auto& one : {heard("n1", {"docker.io/library/web:latest"}, true),
                    heard("n1", {"docker.io/library/web:latest"}, false, failure{errc::engine_unavailable, "away", {}, {}, {}})})
    EXPECT_EQ(load_hints({one}, spec), (std::vector<load_hint>{{{"n1"}, 1000, 1000, false}}));
}

} // namespace
} // namespace poseidon
