#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace poseidon::cli {

/// One event of a text/event-stream.
struct sse_event {
  std::string id, type, data;
};

/// Cuts a text/event-stream into events; pieces may end anywhere. Pure.
class sse_reader {
public:
  /// Calls `each` for every event that is complete; false from it ends the feeding. Comments are passed over.
  bool feed(std::string_view piece, const std::function<bool(const sse_event&)>& each);
  /// Id of the last event that had one: for Last-Event-ID.
  const std::string& last_id() const { return last_id_; }
  /// Forgets a half event, keeps the last id; for a new connection.
  void restart();

private:
  void line(std::string_view text);
  std::string rest_, last_id_;
  sse_event event_;
  bool has_data_ = false;
};

} // namespace poseidon::cli
