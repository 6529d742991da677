#include "actors/log/jetstream/append_window.hpp"

#include "messages/codec.hpp"

#include <algorithm>

namespace poseidon {
namespace {

failure unavailable(std::string why) { return {errc::ledger_unavailable, std::move(why), 1'000, {}, {}}; }
failure unknown() { return {errc::unknown_outcome, "the log's acknowledgement did not come", {}, {}, {}}; }

} // namespace

std::vector<failed_append> append_window::push(const append_to_log& m) {
  std::vector<failed_append> beyond;
  for (const auto& what : m.entries) {
    if (queue_.size() < limits_.queue) queue_.push_back({m.from, what->id, encode(*what)});
    else beyond.push_back({m.from, {what->id, unavailable("too many entries wait for the log")}});
  }
  return beyond;
}

std::vector<outgoing_message> append_window::take(boot_time now, const log_mark& mark) {
  std::vector<outgoing_message> out;
  while (!queue_.empty() && flights_.size() < limits_.in_flight) {
    const auto& head = queue_.front();
    if (head.bytes.size() <= limits_.message_bytes) {
      out.push_back(batch(now, mark));
    } else {
      if (!upload_) upload_.emplace();
      if (upload_->offset < head.bytes.size()) out.push_back(next_part(now, mark));
      else if (upload_->unacknowledged == 0) out.push_back(last_of_parts(now, mark));
      else break; // what comes after it waits: order is kept
    }
  }
  return out;
}

outgoing_message append_window::message(log_message what, outgoing_message::kind kind, boot_time now, std::vector<item> items) {
  what.writer = writer_;
  what.number = next_number_++;
  outgoing_message out{what.number, kind, encode(what)};
  for (auto& item : items) item.bytes = {};
  flights_.emplace(out.number, flight{now, std::move(items), kind == outgoing_message::kind::part});
  return out;
}

outgoing_message append_window::batch(boot_time now, const log_mark& mark) {
  log_message what;
  what.mark = mark;
  std::vector<item> items;
  for (std::size_t bytes = 0; !queue_.empty() && items.size() < limits_.message_entries; queue_.pop_front()) {
    bytes += queue_.front().bytes.size();
    if (bytes > limits_.message_bytes) break;
    what.entries.push_back({std::move(queue_.front().bytes)});
    items.push_back(std::move(queue_.front()));
  }
  return message(std::move(what), outgoing_message::kind::entries, now, std::move(items));
}

outgoing_message append_window::next_part(boot_time now, const log_mark& mark) {
  const auto& bytes = queue_.front().bytes;
  log_message what;
  what.mark = mark;
  what.part.bytes = bytes.substr(upload_->offset, limits_.message_bytes);
  upload_->offset += what.part.bytes.size();
  ++upload_->unacknowledged;
  upload_->parts.emplace(next_number_, 0);
  return message(std::move(what), outgoing_message::kind::part, now, {});
}

outgoing_message append_window::last_of_parts(boot_time now, const log_mark& mark) {
  log_message what;
  what.mark = mark;
  for (const auto& [number, sequence] : upload_->parts) what.parts.push_back(sequence);
  std::vector<item> items;
  items.push_back(std::move(queue_.front()));
  queue_.pop_front();
  upload_.reset();
  return message(std::move(what), outgoing_message::kind::parts, now, std::move(items));
}

void append_window::acknowledged(std::uint64_t number, std::uint64_t sequence) {
  const auto found = flights_.extract(number);
  if (found.empty() || !found.mapped().part || !upload_) return;
  upload_->parts[number] = sequence;
  --upload_->unacknowledged;
}

void append_window::fail_upload(const failure& why, std::vector<failed_append>& into) {
  if (!upload_) return;
  // Its last message was never sent: whatever parts are there, the entry is not in the log.
  into.push_back({queue_.front().from, {queue_.front().id, why}});
  queue_.pop_front();
  upload_.reset();
  std::erase_if(flights_, [](const auto& f) { return f.second.part; });
}

std::vector<failed_append> append_window::fail(flight&& failed, const failure& items_why, const failure& part_why) {
  std::vector<failed_append> out;
  for (auto& item : failed.items) out.push_back({item.from, {item.id, items_why}});
  if (failed.part) fail_upload(part_why, out);
  return out;
}

std::vector<failed_append> append_window::refused(std::uint64_t number, const failure& why) {
  auto found = flights_.extract(number);
  if (found.empty()) return {};
  return fail(std::move(found.mapped()), why, why);
}

std::vector<failed_append> append_window::expire(boot_time now) {
  std::vector<failed_append> out;
  while (!flights_.empty() && flights_.begin()->second.sent + limits_.ack_timeout <= now) {
    auto failed = fail(std::move(flights_.extract(flights_.begin()).mapped()), unknown(), unavailable("the log does not acknowledge"));
    std::ranges::move(failed, std::back_inserter(out));
  }
  return out;
}

std::vector<failed_append> append_window::lost(const failure& why) {
  std::vector<failed_append> out;
  for (auto& [number, flight] : flights_)
    for (auto& item : flight.items) out.push_back({item.from, {item.id, unknown()}});
  for (auto& item : queue_) out.push_back({item.from, {item.id, why}});
  flights_.clear();
  queue_.clear();
  upload_.reset();
  return out;
}

std::optional<boot_time> append_window::next_expiry() const {
  if (flights_.empty()) return std::nullopt;
  return flights_.begin()->second.sent + limits_.ack_timeout;
}

} // namespace poseidon
