#pragma once

#include <atomic>
#include <cstddef>
#include <mutex>

namespace poseidon {

/// One connection's place in a connection_set, and the word that it has been cut. Its owner leaves the set before it closes
/// either descriptor.
struct connection_link {
  int client = -1, instance = -1;
  std::atomic<bool> cut = false;
  connection_link *before = nullptr, *after = nullptr; ///< the set's
};

/// The connections that lead to one instance at one endpoint. They are cut from any thread, at once: when cut() returns,
/// no byte that arrives later passes through any of them. Thread-safe.
class connection_set {
public:
  enum class joined { yes, full, closed };
  /// Takes the connection in; not when `most` are in it already (full), nor once it has been cut (closed).
  joined join(connection_link& link, std::size_t most);
  /// Takes it out again; may be repeated.
  void leave(connection_link& link);
  /// Lets no more in.
  void close();
  /// Shuts every connection down, and lets no more in.
  void cut();
  bool closed() const;
  std::size_t size() const;

private:
  mutable std::mutex mutex_;
  connection_link* first_ = nullptr;
  std::size_t size_ = 0;
  bool closed_ = false;
};

} // namespace poseidon
