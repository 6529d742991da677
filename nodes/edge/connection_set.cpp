#include "nodes/edge/connection_set.hpp"

#include <sys/socket.h>

namespace poseidon {

connection_set::joined connection_set::join(connection_link& link, std::size_t most) {
  const std::lock_guard lock{mutex_};
  if (closed_) return joined::closed;
  if (size_ >= most) return joined::full;
  link.before = nullptr;
  link.after = first_;
  if (first_) first_->before = &link;
  first_ = &link;
  ++size_;
  return joined::yes;
}

void connection_set::leave(connection_link& link) {
  const std::lock_guard lock{mutex_};
  if (!link.before && first_ != &link) return;
  if (link.before) link.before->after = link.after;
  else first_ = link.after;
  if (link.after) link.after->before = link.before;
  link.before = link.after = nullptr;
  --size_;
}

void connection_set::close() {
  const std::lock_guard lock{mutex_};
  closed_ = true;
}

void connection_set::cut() {
  const std::lock_guard lock{mutex_};
  closed_ = true;
  for (auto* each = first_; each; each = each->after) {
    each->cut.store(true, std::memory_order_release);
    // What the kernel still holds of a reply is not to be delivered after the cut: the owner closes with a reset.
    const linger at_once{1, 0};
    ::setsockopt(each->client, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    ::setsockopt(each->instance, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    ::shutdown(each->client, SHUT_RDWR);
    ::shutdown(each->instance, SHUT_RDWR);
  }
}

bool connection_set::closed() const {
  const std::lock_guard lock{mutex_};
  return closed_;
}

std::size_t connection_set::size() const {
  const std::lock_guard lock{mutex_};
  return size_;
}

} // namespace poseidon
