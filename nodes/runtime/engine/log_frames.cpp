#include "nodes/runtime/engine/log_frames.hpp"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <utility>

namespace poseidon::engine {
namespace {

constexpr std::size_t longest_stamp = 40;

} // namespace

std::vector<log_piece> log_demux::feed(std::string_view bytes) {
  std::vector<log_piece> pieces;
  while (!bytes.empty()) {
    if (raw_) {
      pass(bytes, pieces);
      break;
    }
    if (left_ == 0) {
      auto wanted = std::min<std::size_t>(8 - head_.size(), bytes.size());
      head_ += bytes.substr(0, wanted);
      bytes.remove_prefix(wanted);
      auto plausible = [&](std::size_t i) { return head_.size() <= i || head_[i] == 0; };
      if (head_[0] < 0 || head_[0] > 2 || !plausible(1) || !plausible(2) || !plausible(3)) {
        raw_ = true;
        pass(std::exchange(head_, {}), pieces);
        continue;
      }
      if (head_.size() < 8) break;
      error_stream_ = head_[0] == 2;
      for (std::size_t i = 4; i < 8; ++i)
        left_ = left_ << 8 | static_cast<unsigned char>(head_[i]);
      head_.clear();
      in_stamp_ = stamped_;
      continue;
    }
    auto taken = std::min<std::size_t>(left_, bytes.size());
    pass(bytes.substr(0, taken), pieces);
    left_ -= static_cast<std::uint32_t>(taken);
    bytes.remove_prefix(taken);
  }
  return pieces;
}

void log_demux::pass(std::string_view text, std::vector<log_piece>& pieces) {
  while (!text.empty()) {
    if (in_stamp_) {
      text = take_stamp(text, pieces);
      continue;
    }
    auto line = raw_ && stamped_ ? text.find('\n') : std::string_view::npos;
    auto part = line == std::string_view::npos ? text : text.substr(0, line + 1);
    pieces.push_back({!raw_ && error_stream_, std::string(part)});
    text.remove_prefix(part.size());
    in_stamp_ = line != std::string_view::npos;
  }
}

std::string_view log_demux::take_stamp(std::string_view text, std::vector<log_piece>& pieces) {
  auto blank = text.find(' ');
  stamp_ += text.substr(0, blank);
  if (blank != std::string_view::npos && stamp_.size() <= longest_stamp) {
    last_stamp_ = std::exchange(stamp_, {});
    in_stamp_ = false;
    return text.substr(blank + 1);
  }
  if (stamp_.size() > longest_stamp) { // no stamp: text like any other
    in_stamp_ = false;
    auto rest = blank == std::string_view::npos ? std::string_view() : text.substr(blank);
    auto& piece = pieces.emplace_back();
    piece.error_stream = !raw_ && error_stream_;
    piece.text.swap(stamp_);
    return rest;
  }
  return {};
}

std::string moment_after(std::string_view stamp) {
  std::tm when{};
  long nanos = 0;
  int at = 0;
  const std::string text(stamp);
  if (std::sscanf(text.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d%n", &when.tm_year, &when.tm_mon, &when.tm_mday, &when.tm_hour, &when.tm_min,
                  &when.tm_sec, &at) != 6)
    return {};
  when.tm_year -= 1900;
  when.tm_mon -= 1;
  auto rest = stamp.substr(static_cast<std::size_t>(at));
  if (rest.starts_with('.')) {
    rest.remove_prefix(1);
    int digits = 0;
    for (; !rest.empty() && rest[0] >= '0' && rest[0] <= '9' && digits < 9; ++digits, rest.remove_prefix(1))
      nanos = nanos * 10 + (rest[0] - '0');
    for (; digits < 9; ++digits)
      nanos *= 10;
  }
  if (rest != "Z") return {};
  auto seconds = static_cast<long long>(timegm(&when));
  if (++nanos == 1'000'000'000) {
    nanos = 0;
    ++seconds;
  }
  char out[48];
  std::snprintf(out, sizeof out, "%lld.%09ld", seconds, nanos);
  return out;
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
