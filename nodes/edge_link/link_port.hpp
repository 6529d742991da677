#pragma once
// Between an actor and whoever moves the frames of its links.

#include "actors/interfaces.hpp"
#include "nodes/edge_link/link_effects.hpp"

namespace poseidon {

/// A new link. Its frames come in order, then edge_link_lost once.
struct edge_link_opened {
  using poseidon_message = void;
  link_id link = 0;
};
struct edge_link_received {
  using poseidon_message = void;
  link_id link = 0;
  std::shared_ptr<const std::string> frame; ///< without its length
};
struct edge_link_lost {
  using poseidon_message = void;
  link_id link = 0;
};
/// Whoever takes a process's links.
using link_sink = caf::typed_actor<reacts_to<edge_link_opened>, reacts_to<edge_link_received>, reacts_to<edge_link_lost>>;

/// Moves frames. Thread-safe, never blocks; an unknown link is no error.
class link_port {
public:
  virtual ~link_port() = default;
  /// Sends a frame, or closes a link whose peer does not read.
  virtual void send(link_id to, std::string frame) = 0;
  /// Ends a link; edge_link_lost follows.
  virtual void close(link_id which) = 0;
};

} // namespace poseidon
