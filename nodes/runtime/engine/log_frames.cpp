#include "nodes/runtime/engine/log_frames.hpp"

#include <algorithm>

namespace poseidon::engine {

std::vector<log_piece> log_demux::feed(std::string_view bytes) {
  std::vector<log_piece> pieces;
  while (!bytes.empty()) {
    if (raw_) {
      pieces.push_back({false, std::string(bytes)});
      break;
    }
    if (left_ == 0) {
      auto wanted = std::min<std::size_t>(8 - head_.size(), bytes.size());
      head_ += bytes.substr(0, wanted);
      bytes.remove_prefix(wanted);
      auto plausible = [&](std::size_t i) { return head_.size() <= i || head_[i] == 0; };
      if (head_[0] < 0 || head_[0] > 2 || !plausible(1) || !plausible(2) || !plausible(3)) {
        raw_ = true;
        pieces.push_back({false, head_});
        continue;
      }
      if (head_.size() < 8) break;
      error_stream_ = head_[0] == 2;
      for (std::size_t i = 4; i < 8; ++i)
        left_ = left_ << 8 | static_cast<unsigned char>(head_[i]);
      head_.clear();
      continue;
    }
    auto taken = std::min<std::size_t>(left_, bytes.size());
    pieces.push_back({error_stream_, std::string(bytes.substr(0, taken))});
    left_ -= static_cast<std::uint32_t>(taken);
    bytes.remove_prefix(taken);
  }
  return pieces;
}

std::string tail_of(const std::string& text, std::size_t lines, std::size_t bytes) {
  auto begin = text.size();
  if (begin && text.back() == '\n') --begin;
  while (begin > 0 && text.size() - begin < bytes) {
    if (text[begin - 1] == '\n' && --lines == 0) break;
    --begin;
  }
  return text.substr(begin);
}

} // namespace poseidon::engine
