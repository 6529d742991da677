#pragma once
// Reads just enough of a connection's first request to choose the instance, and refuses what two readers could read
// differently. Pure.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace poseidon {

/// How far a head has come.
struct head_progress {
  enum class state : std::uint8_t { incomplete, complete, refused } what = state::incomplete;
  std::size_t length = 0;      ///< of the head, its empty line included; when complete
  std::string_view why;        ///< when refused
};

/// Looks for the end of the head in `text`, of which the first `seen` bytes were looked at before without a verdict. Refuses
/// at once bytes that no head holds: controls, a bare CR or LF, an empty line where the request line has to be.
head_progress find_head(std::string_view text, std::size_t seen);

/// What is to be known of a request's head.
struct request_head {
  int refused_status = 0;    ///< 0: fine; else the HTTP status of the refusal
  std::string_view why;      ///< of the refusal
  std::string host;          ///< normal form
  std::string_view method, target;
  bool wants_html = false;   ///< a browser that shows a page
  bool is_head = false;      ///< the reply must have no body
};

/// Judges a complete head (as find_head delimits it). The views point into `head`.
request_head read_head(std::string_view head);

} // namespace poseidon
