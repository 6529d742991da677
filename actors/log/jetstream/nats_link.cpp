#include "actors/log/jetstream/nats_link.hpp"

#include "messages/subjects.hpp"

#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include <charconv>

namespace poseidon {
namespace {

constexpr std::int64_t answer_ms = 2'000;
constexpr std::size_t most_ahead = 16'384;             // messages that the front has not dealt with
constexpr std::size_t room_for_names = 16u << 10;      // of a message: what is not the entries' bytes

std::string_view bytes_of(const natsMsg* message) {
  return {natsMsg_GetData(message), static_cast<std::size_t>(natsMsg_GetDataLength(message))};
}

void on_closed(natsConnection*, void* closure) {
  auto& callbacks = *static_cast<link_callbacks*>(closure);
  callbacks.close({errc::ledger_unavailable, "the connection to NATS is lost", {}, {}, {}});
  callbacks.ended();
}

/// The checks find what matters, but for a refused publish: nothing else ever answers it, and the server does not say which.
void on_error(natsConnection* connection, natsSubscription*, natsStatus status, void* closure) {
  auto& callbacks = *static_cast<link_callbacks*>(closure);
  const char* text = nullptr;
  natsConnection_GetLastError(connection, &text);
  const std::string_view said = text ? text : "";
  spdlog::debug("log: the NATS client tells: {} ({})", natsStatus_GetText(status), said);
  if (status == NATS_NOT_PERMITTED && said.find("ublish to \"" + callbacks.subject) != std::string_view::npos)
    callbacks.refuse_all("the NATS server does not let this user append to the ledger: " + std::string(said));
}

void on_message(natsConnection*, natsSubscription*, natsMsg* raw, void* closure) {
  auto& callbacks = *static_cast<link_callbacks*>(closure);
  const nats_message_ptr message{raw};
  if (callbacks.closed) return;
  jsMsgMetaData* meta = nullptr;
  if (natsMsg_GetMetaData(&meta, raw) != NATS_OK) return;
  message_came came{callbacks.link, {meta->Sequence.Stream, meta->Timestamp, std::string(bytes_of(raw))}};
  jsMsgMetaData_Destroy(meta);
  if (++callbacks.ahead > most_ahead) return callbacks.close({errc::ledger_unavailable, "the log is delivered faster than it is taken", {}, {}, {}});
  callbacks.tell(std::move(came));
}

/// "{"stream":"…","seq":7}", "{"error":{…}}", or nothing at all: nobody stores it.
transport_event read_acknowledgement(std::uint64_t link, std::uint64_t number, natsMsg* message) {
  const auto refused = [&](std::string why) { return publish_refused{link, number, {errc::ledger_unavailable, std::move(why), {}, {}, {}}}; };
  if (natsMsg_IsNoResponders(message)) return refused("no server holds the log at the moment");
  const auto read = nlohmann::json::parse(bytes_of(message), nullptr, false);
  if (read.is_object() && read.contains("seq") && !read.contains("error") && read["seq"].is_number_unsigned())
    return publish_acknowledged{link, number, read["seq"].get<std::uint64_t>()};
  return refused("the log refused it: " + std::string(bytes_of(message).substr(0, 300)));
}

void on_acknowledgement(natsConnection*, natsSubscription*, natsMsg* raw, void* closure) {
  auto& callbacks = *static_cast<link_callbacks*>(closure);
  const nats_message_ptr message{raw};
  const std::string_view subject{natsMsg_GetSubject(raw)};
  std::uint64_t number = 0;
  const auto* digits = subject.data() + subject.rfind('.') + 1;
  std::from_chars(digits, subject.data() + subject.size(), number);
  callbacks.answered(number);
  if (!callbacks.closed) callbacks.tell(read_acknowledgement(callbacks.link, number, raw));
}

} // namespace

void link_callbacks::close(const failure& why) {
  if (!closed.exchange(true)) tell(link_closed{link, why});
}

void link_callbacks::sent(std::uint64_t number) {
  const std::lock_guard lock{mutex};
  unanswered.insert(number);
}

void link_callbacks::answered(std::uint64_t number) {
  const std::lock_guard lock{mutex};
  unanswered.erase(number);
}

void link_callbacks::refuse_all(const std::string& why) {
  std::set<std::uint64_t> refused;
  {
    const std::lock_guard lock{mutex};
    refused.swap(unanswered);
  }
  for (const auto number : refused) tell(publish_refused{link, number, {errc::ledger_unavailable, why, {}, {}, {}}});
}

nats_link::nats_link(const jetstream_options& options, std::shared_ptr<link_callbacks> callbacks)
    : stream_(subjects::ledger_stream(options.cluster)), subject_(subjects::ledger(options.cluster)), callbacks_(std::move(callbacks)) {
  callbacks_->subject = subject_ + '.';
}

outcome<std::shared_ptr<nats_link>> nats_link::connect(const jetstream_options& options, std::uint64_t link,
                                                       std::function<void(transport_event)> tell) {
  auto callbacks = std::make_shared<link_callbacks>();
  callbacks->link = link;
  callbacks->tell = std::move(tell);
  std::shared_ptr<nats_link> made{new nats_link(options, std::move(callbacks))};
  if (auto failed = made->join(options)) return failed;
  return made;
}

failure nats_link::join(const jetstream_options& options) {
  const auto prepared = make_nats_options(options);
  if (!prepared) return prepared.error;
  const auto& made = *prepared;
  natsOptions_SetClosedCB(made.get(), on_closed, callbacks_.get());
  natsOptions_SetErrorHandler(made.get(), on_error, callbacks_.get());
  natsConnection* connection = nullptr;
  callbacks_->began();
  if (const auto status = natsConnection_Connect(&connection, made.get()); status != NATS_OK) {
    callbacks_->ended(); // a connection that never stood tells of no end
    return nats_failure(status, "no connection to NATS");
  }
  connection_.reset(connection);
  jsCtx* context = nullptr;
  jsOptions limit;
  jsOptions_Init(&limit);
  limit.Wait = answer_ms;
  if (const auto status = natsConnection_JetStream(&context, connection, &limit); status != NATS_OK) return nats_failure(status, "JetStream");
  jetstream_.reset(context);
  auto inbox = make_nats_inbox();
  if (!inbox) return inbox.error;
  inbox_ = *inbox;
  natsSubscription* subscription = nullptr;
  const auto status = natsConnection_Subscribe(&subscription, connection, (inbox_ + ".*").c_str(), on_acknowledgement, callbacks_.get());
  if (status != NATS_OK) return nats_failure(status, "no acknowledgements");
  acknowledgements_.reset(subscription);
  natsSubscription_SetPendingLimits(subscription, -1, -1); // the window bounds them
  callbacks_->await_end(subscription);
  return {};
}

nats_link::~nats_link() {
  callbacks_->closed = true;
  reading_.reset();
  if (messages_) natsSubscription_Unsubscribe(messages_.get()); // also removes the consumer
  messages_.reset();
  acknowledgements_.reset();
  jetstream_.reset();
  connection_.reset();
  if (!callbacks_->wait()) {
    spdlog::error("log: the NATS client did not end a connection's callbacks; what they use is kept");
    static_cast<void>(new std::shared_ptr<link_callbacks>(callbacks_));
  }
}

failure nats_link::follow(std::uint64_t from) {
  auto made = subscribe(from, true);
  if (!made) return made.error;
  messages_ = std::move(*made);
  callbacks_->await_end(messages_.get());
  return {};
}

outcome<nats_subscription_ptr> nats_link::subscribe(std::uint64_t from, bool tell) {
  jsSubOptions how;
  jsSubOptions_Init(&how);
  how.Stream = stream_.c_str();
  how.Ordered = true;
  how.Config.DeliverPolicy = js_DeliverByStartSequence;
  how.Config.OptStartSeq = from;
  const auto subject = subject_ + ".>";
  natsSubscription* made = nullptr;
  jsErrCode code{};
  const auto status = tell ? js_Subscribe(&made, jetstream_.get(), subject.c_str(), on_message, callbacks_.get(), nullptr, &how, &code)
                           : js_SubscribeSync(&made, jetstream_.get(), subject.c_str(), nullptr, &how, &code);
  if (status != NATS_OK) return nats_failure(status, "the log can't be followed");
  natsSubscription_SetPendingLimits(made, -1, -1); // the server's flow control bounds them
  return nats_subscription_ptr{made};
}

void nats_link::publish(const outgoing_message& what) {
  const auto reply = inbox_ + '.' + std::to_string(what.number);
  callbacks_->sent(what.number);
  const auto status = natsConnection_PublishRequest(connection_.get(), subject_of(what.what).c_str(), reply.c_str(), what.bytes.data(),
                                                    static_cast<int>(what.bytes.size()));
  // Any other failure breaks the connection, and what was under way is unknown.
  if (status == NATS_CONNECTION_CLOSED || status == NATS_MAX_PAYLOAD || status == NATS_INVALID_ARG) {
    callbacks_->answered(what.number);
    callbacks_->tell(publish_refused{callbacks_->link, what.number, nats_failure(status, "it was not sent")});
  }
}

std::string nats_link::subject_of(outgoing_message::kind what) const {
  switch (what) {
  case outgoing_message::kind::part: return subject_ + ".part";
  case outgoing_message::kind::parts: return subject_ + ".parts";
  case outgoing_message::kind::entries: break;
  }
  return subject_ + ".entries";
}

std::size_t nats_link::most_bytes() const {
  const auto most = static_cast<std::size_t>(natsConnection_GetMaxPayload(connection_.get()));
  return most > 2 * room_for_names ? most - room_for_names : most / 2;
}

} // namespace poseidon
