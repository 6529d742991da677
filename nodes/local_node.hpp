#pragma once

#include "actors/interfaces.hpp"

#include <mutex>

namespace poseidon {

/// This process's own node, for its scheduler: spawned after it. Thread-safe.
class local_node {
public:
  explicit local_node(node_name name) : name_(std::move(name)) {}
  void publish(supervisor_actor supervisor) {
    const std::lock_guard lock{mutex_};
    supervisor_ = std::move(supervisor);
  }
  /// A null handle while there is none.
  supervisor_actor supervisor() const {
    const std::lock_guard lock{mutex_};
    return supervisor_;
  }
  /// The supervisor of `name`; a null handle when it is not here.
  supervisor_actor find(const node_name& name) const {
    const std::lock_guard lock{mutex_};
    return name == name_ ? supervisor_ : supervisor_actor{};
  }
  std::vector<node_name> names() const {
    const std::lock_guard lock{mutex_};
    return supervisor_ ? std::vector{name_} : std::vector<node_name>{};
  }
  /// Why the node can't start instances now; ok: it can.
  void set_trouble(failure why) {
    const std::lock_guard lock{mutex_};
    trouble_ = std::move(why);
  }
  /// Full names of the images that its engine holds, sorted; a bounded part of them.
  void set_images(std::shared_ptr<const std::vector<std::string>> images) {
    const std::lock_guard lock{mutex_};
    images_ = std::move(images);
  }
  std::shared_ptr<const std::vector<std::string>> images() const {
    const std::lock_guard lock{mutex_};
    return images_;
  }
  failure trouble() const {
    const std::lock_guard lock{mutex_};
    return trouble_;
  }

private:
  failure trouble_;
  std::shared_ptr<const std::vector<std::string>> images_ = std::make_shared<std::vector<std::string>>();
  const node_name name_;
  mutable std::mutex mutex_;
  supervisor_actor supervisor_;
};

} // namespace poseidon
