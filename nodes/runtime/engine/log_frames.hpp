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
  /// `stamped`: every frame (without frames: every line) begins with its time and a blank, as the engine writes them on
  /// demand; they are taken off.
  explicit log_demux(bool stamped = false) : stamped_(stamped), in_stamp_(stamped) {}
  std::vector<log_piece> feed(std::string_view bytes);
  /// The time of the last one; empty: none yet.
  const std::string& last_stamp() const { return last_stamp_; }

private:
  void pass(std::string_view text, std::vector<log_piece>& pieces);
  std::string_view take_stamp(std::string_view text, std::vector<log_piece>& pieces);
  std::string head_, stamp_, last_stamp_;
  std::uint32_t left_ = 0;
  bool error_stream_ = false, raw_ = false, stamped_, in_stamp_;
};

/// The moment after a time stamp ("2026-01-02T03:04:05.123456789Z") as the engine takes it ("1767323045.123456790"); empty
/// when it is none.
std::string moment_after(std::string_view stamp);

/// The last `lines` lines of a text, at most `bytes` long.
std::string tail_of(const std::string& text, std::size_t lines, std::size_t bytes);

} // namespace poseidon::engine
