#include "actors/log/jetstream/message_order.hpp"

#include "messages/codec.hpp"

namespace poseidon {
namespace {

wall_time stamp(std::int64_t ns) { return {ns / 1'000'000}; }

void decode_into(logged_entry& into, std::string_view bytes) {
  auto read = decode_entry(bytes);
  if (read) into.what = std::make_shared<const entry>(std::move(*read));
  else into.problem = std::make_shared<const failure>(std::move(read.error));
}

} // namespace

std::vector<logged_entry> entries_of(const stored_message& stored, const outcome<log_message>& message, std::uint64_t first) {
  std::vector<logged_entry> entries;
  const auto add = [&]() -> logged_entry& { return entries.emplace_back(logged_entry{first++, stamp(stored.stored_ns), nullptr, nullptr}); };
  if (!message) {
    if (entries_in(message) == 1) add().problem = std::make_shared<const failure>(message.error);
  } else if (!message->parts.empty()) {
    add();
  } else {
    for (const auto& one : message->entries) decode_into(add(), one.bytes);
  }
  return entries;
}

void complete(logged_entry& open, const outcome<std::string>& bytes) {
  if (bytes) decode_into(open, *bytes);
  else open.problem = std::make_shared<const failure>(failure{errc::bad_request, "the entry is incomplete: " + bytes.error.detail, {}, {}, {}});
}

message_order::taken_message message_order::take(const stored_message& stored) {
  if (stored.sequence != next_.message) return {stored.sequence < next_.message ? verdict::repeated : verdict::gap, {}, 0, {}};
  const auto message = decode_log_message(stored.bytes);
  taken_message taken{verdict::taken, {}, 0, entries_of(stored, message, next_.entry)};
  if (message) taken.writer = message->writer, taken.number = message->number;
  mark_ = {stored.sequence, next_.entry, stored.stored_ns};
  ++next_.message;
  next_.entry += taken.entries.size();
  return taken;
}

} // namespace poseidon
