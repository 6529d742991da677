#pragma once
// The bus: what processes say to each other beside the log. Nothing on it is kept; what can't be sent now is not sent later.

#include "messages/errors.hpp"
#include "messages/time.hpp"

#include <functional>
#include <memory>
#include <string>

namespace poseidon {

/// A frame that came. `answer` sends the reply, at most once; without effect where none was asked for.
struct bus_message {
  std::string subject, frame;
  std::function<void(std::string frame)> answer;
};
using bus_handler = std::function<void(bus_message)>;
using bus_answer = std::function<void(outcome<std::string>)>;

/// A process's place on the bus. Thread-safe; no call blocks. Handlers and answers are called on any thread, and must only
/// pass on.
class bus {
public:
  virtual ~bus() = default;
  /// To everybody who subscribed, if the bus is connected; may be lost.
  virtual void publish(std::string subject, std::string frame) = 0;
  /// Calls `done` once: with the reply; engine_unavailable: nobody listens there, or it was not sent; unknown_outcome: no
  /// reply within `limit`, or the connection was lost meanwhile.
  virtual void request(std::string subject, std::string frame, millis limit, bus_answer done) = 0;
  /// For as long as the bus lives; subscribed again after each reconnect. `group`: one of its members gets each frame; empty:
  /// everybody does.
  virtual void subscribe(std::string subject, std::string group, bus_handler handler) = 0;
  /// Tells of each change; at once when it is connected already.
  virtual void watch(std::function<void(bool connected)> told) = 0;
};

} // namespace poseidon
