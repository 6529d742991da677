#include "actors/log/jetstream/entry_index.hpp"

namespace poseidon {
namespace {

constexpr std::uint64_t most_looked_back = 8; // messages from the end whose marks are tried

/// One message's mark when it has one that holds for this stream.
outcome<std::optional<log_mark>> mark_at(message_source& stream, const stream_extent& extent, std::uint64_t message) {
  auto found = stream.get(message);
  if (!found && found.error.code == errc::not_found) return std::optional<log_mark>{};
  if (!found) return found.error;
  const auto read = decode_log_message(found->bytes);
  if (!read) return std::optional<log_mark>{};
  const auto valid = holds(stream, extent, read->mark);
  if (!valid) return valid.error;
  return *valid ? std::optional{read->mark} : std::nullopt;
}

/// How many entries the messages [from, to) hold.
outcome<std::uint64_t> count(message_source& stream, std::uint64_t from, std::uint64_t to) {
  std::uint64_t entries = 0;
  for (; from < to; ++from) {
    const auto found = stream.get(from);
    if (!found && found.error.code == errc::not_found) continue; // removed from outside: it counts none for everybody
    if (!found) return found.error;
    entries += entries_in(decode_log_message(found->bytes));
  }
  return entries;
}

} // namespace

outcome<bool> holds(message_source& stream, const stream_extent& extent, const log_mark& mark) {
  if (mark.stored_ns == 0) return mark.message == extent.first && mark.entry == 1;
  if (mark.message < extent.first || mark.message > extent.last) return false;
  const auto found = stream.get(mark.message);
  if (!found && found.error.code != errc::not_found) return found.error;
  return found.ok() && found->stored_ns == mark.stored_ns;
}

outcome<log_place> find_first(message_source& stream, const stream_extent& extent) {
  const log_place beginning{extent.first, 1};
  if (extent.first <= 1) return beginning;
  for (auto message = extent.first; message <= extent.last; ++message) {
    const auto mark = mark_at(stream, extent, message);
    if (!mark) return mark.error;
    if (!*mark) continue;
    const auto before = count(stream, extent.first, (*mark)->message);
    if (!before) return before.error;
    return log_place{extent.first, (*mark)->entry - *before};
  }
  return beginning;
}

outcome<log_end> find_end(message_source& stream, const stream_extent& extent, const log_place& first) {
  log_place from = first;
  for (std::uint64_t back = 0; !extent.empty() && back < most_looked_back && extent.last - back > extent.first; ++back) {
    const auto mark = mark_at(stream, extent, extent.last - back);
    if (!mark) return mark.error;
    if (!*mark || (*mark)->message < from.message) continue;
    from = {(*mark)->message, (*mark)->entry};
    break;
  }
  log_end end{from, {extent.first, 1, 0}};
  for (; end.next.message <= extent.last; ++end.next.message) {
    const auto found = stream.get(end.next.message);
    if (!found && found.error.code == errc::not_found) continue;
    if (!found) return found.error;
    end.last = {end.next.message, end.next.entry, found->stored_ns};
    end.next.entry += entries_in(decode_log_message(found->bytes));
  }
  return end;
}

outcome<log_place> find_near(message_source& stream, const stream_extent& extent, const log_place& first, std::uint64_t entry) {
  log_place best = first;
  for (auto low = extent.first, high = extent.last + 1; low < high;) {
    const auto middle = low + (high - low) / 2;
    const auto mark = mark_at(stream, extent, middle);
    if (!mark) return mark.error;
    if (*mark && (*mark)->entry <= entry) {
      if ((*mark)->message > best.message) best = {(*mark)->message, (*mark)->entry};
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return best;
}

} // namespace poseidon
