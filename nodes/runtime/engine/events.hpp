#pragma once
// The engine's event stream, and any stream of JSON texts one after the other. Pure.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace poseidon::engine {

/// Cuts a stream of JSON objects into single ones, whether lines end between them or not. Holds at most `limit` bytes
/// of an unfinished one; a longer one is dropped and counted.
class json_splitter {
public:
  explicit json_splitter(std::size_t limit = 1u << 20) : limit_(limit) {}
  /// The objects that `bytes` completes.
  std::vector<std::string> feed(std::string_view bytes);
  std::size_t dropped() const { return dropped_; }

private:
  std::size_t limit_, dropped_ = 0;
  std::string buffer_;
  int depth_ = 0;
  bool in_string_ = false, escaped_ = false, skipping_ = false;
};

/// One event of a container.
struct engine_event {
  std::string action; ///< "die", "oom", …; "remove" (Podman) reads as "destroy"
  std::string id;
  std::map<std::string, std::string> attributes; ///< labels among them
  std::optional<std::int32_t> exit_code;         ///< "die" only
};
/// Nothing when it is no container's event. Reads the forms of Docker 20.10 to 29 and of Podman.
std::optional<engine_event> parse_event(const std::string& text);

} // namespace poseidon::engine
