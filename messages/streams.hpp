#pragma once
// Streams with credit: bytes that come for as long as somebody reads them. The source sends no more than the reader has
// given credit for, numbers its pieces, and ends by itself when the reader is silent for too long.

#include "messages/errors.hpp"
#include "messages/runtime.hpp"

namespace poseidon {

/// One stream, named by its reader.
using stream_id = random_id<struct stream_tag>;

/// Output of one instance.
struct read_log_stream {
  stream_id stream;
  instance_id instance;
  std::string service;       ///< empty: the first
  std::uint32_t tail = 0;    ///< lines to begin with; 0: all that is kept
  bool follow = true;        ///< goes on until the instance ends; else ends with what is there
  std::uint32_t credit_bytes = 256u << 10; ///< that may be sent at once
};
POSEIDON_FIELDS(read_log_stream, stream, instance, service, tail, follow, credit_bytes)

/// The next piece. A number that is missing means that something was lost: the reader ends the stream.
struct stream_piece {
  stream_id stream;
  std::uint64_t number = 0; ///< from 1
  std::string service, text;
  bool error_stream = false;
};
POSEIDON_FIELDS(stream_piece, stream, number, service, text, error_stream)

/// The last word of the source, after `pieces` pieces; no failure: it came to its end.
struct stream_end {
  stream_id stream;
  std::uint64_t pieces = 0;
  failure why;
};
POSEIDON_FIELDS(stream_end, stream, pieces, why)

/// Of the reader: so much more may be sent. 0: it still reads.
struct stream_credit {
  stream_id stream;
  std::uint32_t bytes = 0;
};
POSEIDON_FIELDS(stream_credit, stream, bytes)

/// Of the reader: it wants no more. Nothing is answered.
struct close_stream {
  stream_id stream;
};
POSEIDON_FIELDS(close_stream, stream)

} // namespace poseidon
