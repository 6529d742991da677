#pragma once
// One client's SSE stream: reads the ring at its own pace, starts from the full state when it can't resume.

#include "gateway/api.hpp"
#include "gateway/hub.hpp"

namespace poseidon::gateway {

/// Where a stream begins.
enum class stream_start : std::uint8_t {
  now,   ///< only what is new
  state, ///< the full state first
};

/// Answers the call with a stream, resuming after `last_event_id` where that is known. Without an id: as `start` says; an
/// unknown id: `reset` and the full state. Refused when too many streams are open.
void open_event_stream(const call& c, stream_filter filter, std::string_view last_event_id, stream_start start);

/// Counts a stream for as long as it lives; nothing when there are too many.
class stream_ticket {
public:
  static std::shared_ptr<stream_ticket> take(api& services);
  explicit stream_ticket(std::atomic<std::size_t>& open) : open_(open) {}
  ~stream_ticket() { open_.fetch_sub(1); }
  stream_ticket(const stream_ticket&) = delete;
  stream_ticket& operator=(const stream_ticket&) = delete;

private:
  std::atomic<std::size_t>& open_;
};

} // namespace poseidon::gateway
