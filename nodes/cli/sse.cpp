#include "nodes/cli/sse.hpp"

namespace poseidon::cli {

void sse_reader::line(std::string_view text) {
  auto colon = text.find(':');
  auto name = text.substr(0, colon);
  auto value = colon == std::string_view::npos ? std::string_view{} : text.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (name == "id")
    event_.id = last_id_ = value;
  else if (name == "event")
    event_.type = value;
  else if (name == "data") {
    if (has_data_) event_.data += '\n';
    event_.data += value;
    has_data_ = true;
  }
}

bool sse_reader::feed(std::string_view piece, const std::function<bool(const sse_event&)>& each) {
  rest_ += piece;
  std::size_t start = 0;
  for (auto end = rest_.find('\n'); end != std::string::npos; end = rest_.find('\n', start)) {
    std::string_view text(rest_.data() + start, end - start);
    if (text.ends_with('\r')) text.remove_suffix(1);
    start = end + 1;
    if (!text.empty()) {
      line(text);
      continue;
    }
    auto complete = std::move(event_);
    bool whole = has_data_;
    event_ = {};
    has_data_ = false;
    if (whole && !each(complete)) return false;
  }
  rest_.erase(0, start);
  return true;
}

void sse_reader::restart() {
  rest_.clear();
  event_ = {};
  has_data_ = false;
}

} // namespace poseidon::cli
