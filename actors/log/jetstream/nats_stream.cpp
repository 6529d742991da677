// The stream itself: made, looked at, read, cut.

#include "actors/log/jetstream/nats_link.hpp"

#include <spdlog/spdlog.h>

namespace poseidon {
namespace {

constexpr std::int64_t next_ms = 5'000;

outcome<stored_message> stored_of(const nats_message_ptr& message, std::uint64_t sequence, std::int64_t stored_ns) {
  return stored_message{sequence, stored_ns,
                        {natsMsg_GetData(message.get()), static_cast<std::size_t>(natsMsg_GetDataLength(message.get()))}};
}

stream_extent extent_of(const jsStreamInfo& info) {
  const auto& state = info.State;
  return {state.Msgs == 0 ? state.LastSeq + 1 : state.FirstSeq, state.LastSeq};
}

std::string leader_of(const jsStreamInfo& info) { return info.Cluster && info.Cluster->Leader ? info.Cluster->Leader : ""; }

} // namespace

outcome<prepared_stream> nats_link::prepare(std::uint32_t replicas, bool may_make) {
  jsStreamInfo* found = nullptr;
  jsErrCode code{};
  auto status = js_GetStreamInfo(&found, jetstream_.get(), stream_.c_str(), nullptr, &code);
  const auto pattern = subject_ + ".>";
  const char* patterns[] = {pattern.c_str()};
  jsStreamConfig wanted;
  jsStreamConfig_Init(&wanted);
  wanted.Name = stream_.c_str();
  wanted.Description = "the ledger of a Poseidon cluster";
  wanted.Subjects = patterns;
  wanted.SubjectsLen = 1;
  wanted.Storage = js_FileStorage;
  wanted.Discard = js_DiscardNew;
  wanted.Replicas = replicas;
  wanted.DenyDelete = true;
  wanted.AllowDirect = true;
  if (status == NATS_NOT_FOUND && !may_make) return nats_failure(status, "the stream " + stream_ + " is not there yet: a gateway or node makes it");
  if (status == NATS_NOT_FOUND) {
    status = js_AddStream(&found, jetstream_.get(), &wanted, nullptr, &code);
    if (status != NATS_OK) return nats_failure(status, "the stream " + stream_ + " can't be made");
    spdlog::info("log: made the stream {} with {} replica(s)", stream_, replicas);
  }
  if (status != NATS_OK) return nats_failure(status, "the stream " + stream_ + " does not answer");
  stream_info_ptr info{found};
  if (may_make && info->Config && info->Config->Replicas < static_cast<std::int64_t>(replicas)) {
    jsStreamInfo* raised = nullptr;
    status = js_UpdateStream(&raised, jetstream_.get(), &wanted, nullptr, &code);
    if (status != NATS_OK) return nats_failure(status, "the stream " + stream_ + " can't be replicated");
    info.reset(raised);
  }
  return prepared_stream{stream_ + '@' + std::to_string(info->Created), leader_of(*info)};
}

outcome<stream_check> nats_link::check() {
  jsStreamInfo* found = nullptr;
  jsErrCode code{};
  const auto status = js_GetStreamInfo(&found, jetstream_.get(), stream_.c_str(), nullptr, &code);
  if (status != NATS_OK) return nats_failure(status, "the stream " + stream_);
  const stream_info_ptr info{found};
  return stream_check{info->State.LastSeq, leader_of(*info)};
}

outcome<stream_extent> nats_link::extent() {
  jsStreamInfo* found = nullptr;
  jsErrCode code{};
  const auto status = js_GetStreamInfo(&found, jetstream_.get(), stream_.c_str(), nullptr, &code);
  if (status != NATS_OK) return nats_failure(status, "the stream " + stream_);
  const stream_info_ptr info{found};
  return extent_of(*info);
}

outcome<stored_message> nats_link::get(std::uint64_t sequence) {
  natsMsg* raw = nullptr;
  jsErrCode code{};
  const auto status = js_GetMsg(&raw, jetstream_.get(), stream_.c_str(), sequence, nullptr, &code);
  if (status != NATS_OK) return nats_failure(status, "message " + std::to_string(sequence) + " of " + stream_);
  const nats_message_ptr message{raw};
  return stored_of(message, natsMsg_GetSequence(raw), natsMsg_GetTime(raw));
}

failure nats_link::seek(std::uint64_t sequence) {
  reading_.reset();
  auto made = subscribe(sequence, false);
  if (!made) return made.error;
  reading_ = std::move(*made);
  return {};
}

outcome<stored_message> nats_link::next() {
  natsMsg* raw = nullptr;
  const auto status = natsSubscription_NextMsg(&raw, reading_.get(), next_ms);
  if (status != NATS_OK) return nats_failure(status, "reading the log");
  const nats_message_ptr message{raw};
  jsMsgMetaData* meta = nullptr;
  if (const auto read = natsMsg_GetMetaData(&meta, raw); read != NATS_OK) return nats_failure(read, "reading the log");
  auto stored = stored_of(message, meta->Sequence.Stream, meta->Timestamp);
  jsMsgMetaData_Destroy(meta);
  return stored;
}

outcome<std::uint64_t> nats_link::oldest_part(std::uint64_t from) {
  auto oldest = from;
  const auto subject = subject_ + ".parts";
  for (auto at = from;;) {
    jsDirectGetMsgOptions wanted;
    jsDirectGetMsgOptions_Init(&wanted);
    wanted.Sequence = at;
    wanted.NextBySubject = subject.c_str();
    natsMsg* raw = nullptr;
    const auto status = js_DirectGetMsg(&raw, jetstream_.get(), stream_.c_str(), nullptr, &wanted);
    if (status == NATS_NOT_FOUND) return oldest;
    if (status != NATS_OK) return nats_failure(status, "the log's large entries");
    const nats_message_ptr message{raw};
    const auto read = decode_log_message({natsMsg_GetData(raw), static_cast<std::size_t>(natsMsg_GetDataLength(raw))});
    if (read)
      for (const auto part : read->parts) oldest = std::min(oldest, part);
    at = natsMsg_GetSequence(raw) + 1;
  }
}

failure nats_link::purge(std::uint64_t message, const log_mark& last) {
  // Whoever opens the log finds its first entry by a later message's mark: one that names a message that stays.
  log_message what;
  what.mark = last;
  const auto bytes = encode(what);
  jsErrCode code{};
  jsPubAck* acknowledged = nullptr;
  auto status = js_Publish(&acknowledged, jetstream_.get(), subject_of(outgoing_message::kind::entries).c_str(), bytes.data(),
                           static_cast<int>(bytes.size()), nullptr, &code);
  if (status != NATS_OK) return nats_failure(status, "the log can't be marked");
  jsPubAck_Destroy(acknowledged);
  const auto from = oldest_part(message);
  if (!from) return from.error;
  if (*from <= 1) return {}; // to the server this would mean: everything
  jsOptions how;
  jsOptions_Init(&how);
  how.Stream.Purge.Sequence = *from;
  status = js_PurgeStream(jetstream_.get(), stream_.c_str(), &how, &code);
  return status == NATS_OK ? failure{} : nats_failure(status, "the log's beginning can't be dropped");
}

} // namespace poseidon
