#include "actors/log/jetstream/log_reader.hpp"

#include "actors/log/jetstream/message_order.hpp"

namespace poseidon {

outcome<found_log> log_reader::find() {
  rest();
  const auto extent = stream_.extent();
  if (!extent) return extent.error;
  const auto first = find_first(stream_, *extent);
  if (!first) return first.error;
  first_ = *first;
  const auto end = find_end(stream_, *extent, *first);
  if (!end) return end.error;
  return found_log{*first, *end};
}

void log_reader::rest() {
  next_entry_ = 0;
  loaded_.clear();
  stream_.rest();
}

outcome<log_place> log_reader::near(std::uint64_t entry) {
  const auto extent = stream_.extent();
  if (!extent) return extent.error;
  if (!first_ || first_->message != extent->first) {
    const auto first = find_first(stream_, *extent);
    if (!first) return first.error;
    first_ = *first;
  }
  if (entry < first_->entry) return failure{errc::not_found, "the log begins at " + std::to_string(first_->entry), {}, {}, {}};
  return find_near(stream_, *extent, *first_, entry);
}

failure log_reader::position(std::uint64_t entry) {
  const bool goes_on = loaded_.empty() ? next_entry_ == entry : loaded_.front().sequence == entry;
  if (goes_on) return {};
  loaded_.clear();
  next_entry_ = 0;
  const auto from = near(entry);
  if (!from) return from.error;
  if (auto failed = stream_.seek(from->message)) return failed;
  next_entry_ = from->entry;
  return {};
}

outcome<std::size_t> log_reader::load() {
  const auto stored = stream_.next();
  if (!stored) {
    next_entry_ = 0; // the next read seeks anew
    return stored.error;
  }
  const auto message = decode_log_message(stored->bytes);
  auto entries = entries_of(*stored, message, next_entry_);
  next_entry_ += entries.size();
  auto bytes = stored->bytes.size();
  if (message && !message->parts.empty()) {
    const auto whole = gather(message->parts);
    if (!whole && whole.error.code != errc::not_found) {
      next_entry_ = 0;
      return whole.error;
    }
    complete(entries.front(), whole);
    if (whole) bytes += whole->size();
  }
  loaded_.insert(loaded_.end(), std::make_move_iterator(entries.begin()), std::make_move_iterator(entries.end()));
  return bytes;
}

outcome<std::string> log_reader::gather(const std::vector<std::uint64_t>& parts) {
  std::string whole;
  for (const auto sequence : parts) {
    const auto found = stream_.get(sequence);
    if (!found) return found.error;
    const auto message = decode_log_message(found->bytes);
    if (!message) return failure{errc::not_found, "message " + std::to_string(sequence) + " is no part of it", {}, {}, {}};
    whole += message->part.bytes;
  }
  return whole;
}

outcome<std::vector<logged_entry>> log_reader::read_after(std::uint64_t after, std::size_t most, std::size_t bytes) {
  std::vector<logged_entry> entries;
  if (auto failed = position(after + 1)) return failed;
  for (std::size_t taken = 0; entries.size() < most;) {
    if (loaded_.empty()) {
      if (taken >= bytes && !entries.empty()) break;
      const auto loaded = load();
      if (!loaded && entries.empty()) return loaded.error;
      if (!loaded) break;
      taken += *loaded;
      continue;
    }
    if (loaded_.front().sequence > after) entries.push_back(std::move(loaded_.front()));
    loaded_.pop_front();
  }
  return entries;
}

outcome<log_place> log_reader::message_of(std::uint64_t entry) {
  auto place = near(entry);
  for (; place; ++place->message) {
    const auto found = stream_.get(place->message);
    if (!found && found.error.code != errc::not_found) return found.error;
    if (!found) break;
    const auto entries = entries_in(decode_log_message(found->bytes));
    if (place->entry + entries > entry) break;
    place->entry += entries;
  }
  return place;
}

} // namespace poseidon
