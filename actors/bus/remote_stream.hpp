#pragma once
// A stream of another process's node, as if its source were here.

#include "actors/bus/bus.hpp"
#include "actors/interfaces.hpp"
#include "messages/envelope.hpp"

#include <mutex>

namespace poseidon {

/// A frame of the stream.
struct stream_frame {
  using poseidon_message = void;
  envelope what;
};
using remote_stream = stream_source::extend<reacts_to<stream_frame>>;

/// Which of this process's streams a frame of one node is for. Thread-safe.
class stream_desk {
public:
  void open(const stream_id& stream, const remote_stream& at) {
    const std::lock_guard lock{mutex_};
    open_[stream] = caf::actor_cast<caf::weak_actor_ptr>(at);
  }
  void close(const stream_id& stream) {
    const std::lock_guard lock{mutex_};
    open_.erase(stream);
  }
  /// A null handle: it is nobody's any more.
  remote_stream find(const stream_id& stream) const {
    const std::lock_guard lock{mutex_};
    const auto found = open_.find(stream);
    if (found == open_.end()) return {};
    auto alive = caf::actor_cast<caf::strong_actor_ptr>(found->second);
    return alive ? caf::actor_cast<remote_stream>(alive) : remote_stream{};
  }
  /// Hands a frame of any origin to its stream.
  void take(const std::string& frame) const;

private:
  mutable std::mutex mutex_;
  std::map<stream_id, caf::weak_actor_ptr> open_;
};

struct remote_stream_deps {
  std::shared_ptr<poseidon::bus> bus;
  std::string subject; ///< the node's
  std::string actor;   ///< who asks
  std::shared_ptr<stream_desk> desk;
  stream_id stream;
  stream_sink sink;
  unsigned patience = 3; ///< words of the reader that nothing comes back for
};

/// Checks the numbers of what comes: a gap, or a node that no longer answers, ends the stream with the reason. Ends with its reader.
remote_stream spawn_remote_stream(caf::actor_system& system, remote_stream_deps deps);

} // namespace poseidon
