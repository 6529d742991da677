#pragma once
// The engine's log stream: frames of 8 bytes head (stream, length) and text. Pure.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace poseidon::engine {

/// A piece of one stream.
struct log_piece {
  bool error_stream = false;
  std::string text;
  friend bool operator==(const log_piece&, const log_piece&) = default;
};

/// Cuts the byte stream into pieces. A stream that does not begin with a frame (a container with a terminal) is passed
/// through. Long frames come in several pieces: nothing is held back but an unfinished head.
class log_demux {
public:
  std::vector<log_piece> feed(std::string_view bytes);

private:
  std::string head_;
  std::uint32_t left_ = 0;
  bool error_stream_ = false, raw_ = false;
};

/// The last `lines` lines of a text, at most `bytes` long.
std::string tail_of(const std::string& text, std::size_t lines, std::size_t bytes);

} // namespace poseidon::engine
