#pragma once
// A stream in memory and a transport that loses what the test says: what the log's decisions are tried on.

#include "actors/log/jetstream/jetstream_log.hpp"
#include "actors/log/jetstream/message_order.hpp"

#include <memory>

namespace poseidon::test {

/// What outlives a connection: the stream itself. Messages [first, first + size).
class scripted_stream : public message_source {
public:
  std::string identity = "stream-1", leader = "n1";
  std::uint64_t first = 1;
  std::vector<stored_message> messages;
  std::int64_t now_ns = 1'000'000'000;

  std::uint64_t last() const { return first + messages.size() - 1; }
  const stored_message& append(std::string bytes) {
    now_ns += 1'500'000;
    return messages.emplace_back(stored_message{last() + 1, now_ns, std::move(bytes)});
  }
  void drop_before(std::uint64_t sequence) {
    for (; first < sequence && !messages.empty(); ++first) messages.erase(messages.begin());
  }
  void roll_back(std::uint64_t to) { messages.resize(static_cast<std::size_t>(to + 1 - first)); }
  void wipe() {
    messages.clear();
    first = 1;
    identity += "'";
  }

  outcome<stream_extent> extent() override { return stream_extent{first, last()}; }
  outcome<stored_message> get(std::uint64_t sequence) override {
    ++asked;
    if (sequence < first || sequence > last()) return failure{errc::not_found, "no such message", {}, {}, {}};
    return messages[static_cast<std::size_t>(sequence - first)];
  }
  failure seek(std::uint64_t sequence) override {
    reading_ = std::max(sequence, first);
    return {};
  }
  outcome<stored_message> next() override { return get(reading_++); }
  void rest() override {}
  std::size_t asked = 0;

private:
  std::uint64_t reading_ = 0;
};

/// Faults on the way; each count is used up.
struct stream_faults {
  bool unreachable = false;         ///< every attempt to connect fails
  bool silent = false;              ///< what is stored is not delivered
  std::uint32_t lose_publishes = 0; ///< never arrive
  std::uint32_t lose_acks = 0;      ///< stored, the acknowledgement lost
  std::uint32_t refuse = 0;         ///< told that it is not stored
  std::uint32_t lose_messages = 0;  ///< stored, not delivered
  std::uint32_t repeat_messages = 0; ///< delivered twice
  std::uint32_t fail_checks = 0;
};

class scripted_transport : public log_transport {
public:
  scripted_transport(std::shared_ptr<scripted_stream> stream, std::shared_ptr<stream_faults> faults)
      : stream_(std::move(stream)), faults_(std::move(faults)), reader_(*stream_) {}

  void start(std::function<void(transport_event)> tell) override { tell_ = std::move(tell); }
  void open(std::uint64_t link) override {
    link_ = 0;
    if (faults_->unreachable) return tell_(link_closed{link, {errc::ledger_unavailable, "nobody is there", {}, {}, {}}});
    auto found = reader_.find();
    link_ = link;
    tell_(link_opened{link, stream_->identity, *found, stream_->leader, 1u << 20});
  }
  void publish(std::uint64_t link, outgoing_message what) override {
    published.push_back(what);
    if (link != link_ || take(faults_->lose_publishes)) return;
    if (take(faults_->refuse)) return tell_(publish_refused{link, what.number, {errc::ledger_unavailable, "no room", {}, {}, {}}});
    store(what.bytes);
    if (!take(faults_->lose_acks)) tell_(publish_acknowledged{link, what.number, stream_->last()});
  }
  void check(std::uint64_t link) override {
    if (take(faults_->fail_checks)) return tell_(stream_checked{link, failure{errc::ledger_unavailable, "no answer", {}, {}, {}}});
    tell_(stream_checked{link, stream_check{stream_->last(), stream_->leader}});
  }
  void taken(std::uint64_t) override { ++dealt_with; }
  void read(std::uint64_t token, std::uint64_t after, std::size_t most) override {
    auto found = reader_.read_after(after, most, 1u << 20);
    tell_(stream_was_read{token, std::make_shared<const std::vector<logged_entry>>(found ? *found : std::vector<logged_entry>{}), found.error});
  }
  void trim(std::uint64_t token, std::uint64_t before) override {
    const auto kept = reader_.message_of(before);
    if (kept) stream_->drop_before(kept->message);
    tell_(stream_trimmed{token, kept.error});
  }

  /// Anybody's message reaches the stream.
  void store(std::string bytes) {
    const auto& stored = stream_->append(std::move(bytes));
    if (link_ == 0 || faults_->silent || take(faults_->lose_messages)) return;
    tell_(message_came{link_, stored});
    if (take(faults_->repeat_messages)) tell_(message_came{link_, stored});
  }
  void disconnect() { tell_(link_closed{std::exchange(link_, 0), {errc::ledger_unavailable, "cut", {}, {}, {}}}); }
  void tell(transport_event what) { tell_(std::move(what)); }

  std::vector<outgoing_message> published;
  std::size_t dealt_with = 0;

private:
  static bool take(std::uint32_t& count) { return count > 0 && (--count, true); }

  std::shared_ptr<scripted_stream> stream_;
  std::shared_ptr<stream_faults> faults_;
  log_reader reader_;
  std::function<void(transport_event)> tell_;
  std::uint64_t link_ = 0;
};

} // namespace poseidon::test
