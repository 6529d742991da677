#include "nodes/remote_nodes.hpp"

#include "nodes/runtime/engine/image_reference.hpp"

#include <algorithm>

namespace poseidon {
namespace {

bool answers(const member& one) { return one.said.node && !one.suspect; }

} // namespace

node_actor remote_nodes::find(const node_name& name) {
  const auto known = board_->node(name.value);
  if (!known || !answers(*known)) return {};
  const std::lock_guard lock{mutex_};
  auto& proxy = proxies_[name];
  if (!proxy) proxy = spawn_remote_node(system_, {bus_, cluster_, name, self_});
  return proxy;
}

std::vector<node_name> remote_nodes::names() const {
  std::vector<node_name> found;
  for (const auto& one : board_->all())
    if (answers(one)) found.push_back({one.said.process});
  std::ranges::sort(found);
  found.erase(std::ranges::unique(found).begin(), found.end());
  return found;
}

void remote_nodes::end() {
  const std::lock_guard lock{mutex_};
  for (auto& [name, proxy] : proxies_) caf::anon_send_exit(proxy, caf::exit_reason::user_shutdown);
  proxies_.clear();
}

std::vector<std::string> images_of(const instance_spec& wanted) {
  std::vector<std::string> names;
  for (const auto& service : wanted.services) {
    const auto image = engine::parse_image_reference(service.image);
    if (!image) return {};
    names.push_back(image->full_name());
  }
  return names;
}

bool holds_images(const std::vector<std::string>& held, const std::vector<std::string>& images) {
  return !images.empty() && std::ranges::all_of(images, [&](const auto& image) { return std::ranges::binary_search(held, image); });
}

std::vector<load_hint> load_hints(const std::vector<member>& members, const instance_spec& wanted) {
  const auto images = images_of(wanted);
  std::vector<load_hint> hints;
  for (const auto& one : members) {
    if (!one.said.node) continue;
    const auto& node = *one.said.node;
    const bool fit = !one.suspect && !node.trouble;
    hints.push_back(fit ? load_hint{node.node, node.cpu_permille, node.memory_permille, holds_images(node.images, images)}
                        : load_hint{node.node, 1000, 1000, false});
  }
  return hints;
}

} // namespace poseidon
