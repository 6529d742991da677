#pragma once
// Streams as a gateway thread reads them, without CAF.

#include "gateway/http.hpp"
#include "messages/streams.hpp"

#include <functional>
#include <memory>

namespace poseidon::gateway {

/// What a stream's reader is told, on its thread: first `opened`, once; then pieces in order; then `ended`, once (no failure:
/// it came to its end). Nothing once the stream was dropped.
struct stream_events {
  std::function<void(const failure&)> opened;
  std::function<void(std::string)> piece;
  std::function<void(const failure&)> ended;
};

/// A stream that is being read. Dropped, it is closed.
class open_stream {
public:
  virtual ~open_stream() = default;
  /// So many bytes more are welcome; 0: it still reads.
  virtual void credit(std::uint32_t bytes) = 0;
};

} // namespace poseidon::gateway
