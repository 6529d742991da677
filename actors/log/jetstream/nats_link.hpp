#pragma once
// One connection to NATS and the stream behind it: a thin layer over the C client. It never reconnects: a new connection is
// a new link. Its callbacks only tell. All other calls block, and come from threads that may.

#include "actors/log/jetstream/jetstream_log.hpp"
#include "actors/nats/nats_client.hpp"

#include <atomic>
#include <mutex>
#include <set>

namespace poseidon {

/// What the callbacks of one link use, on the client's threads. It outlives them.
struct link_callbacks : nats_callbacks {
  std::uint64_t link = 0;
  std::function<void(transport_event)> tell;
  std::atomic<bool> closed = false;     ///< told, or asked for
  std::atomic<std::size_t> ahead = 0;   ///< messages told and not yet dealt with

  void close(const failure& why);
  void sent(std::uint64_t number);
  void answered(std::uint64_t number);
  /// Everything that was sent and not answered was refused.
  void refuse_all(const std::string& why);

  std::string subject;                 ///< below it the entries are published; set once
  std::mutex mutex;
  std::set<std::uint64_t> unanswered;  ///< guarded by mutex: numbers of publishes
};

/// What the stream is, at its opening.
struct prepared_stream {
  std::string identity, leader;
};

class nats_link : public message_source {
public:
  /// Connects; every server's version has been checked.
  static outcome<std::shared_ptr<nats_link>> connect(const jetstream_options& options, std::uint64_t link,
                                                     std::function<void(transport_event)> tell);
  ~nats_link() override;
  nats_link(const nats_link&) = delete;
  nats_link& operator=(const nats_link&) = delete;

  // nats_stream.cpp
  /// Makes the stream when there is none; raises its replicas when more are asked for. Unless it `may_make`: then a missing
  /// one is an error.
  outcome<prepared_stream> prepare(std::uint32_t replicas, bool may_make);
  outcome<stream_check> check();
  outcome<stream_extent> extent() override;
  outcome<stored_message> get(std::uint64_t sequence) override;
  failure seek(std::uint64_t sequence) override;
  outcome<stored_message> next() override;
  void rest() override { reading_.reset(); }
  /// Drops the messages before `message` but for parts of entries that stay. `last`: the mark of the stream's last message.
  failure purge(std::uint64_t message, const log_mark& last);

  // nats_link.cpp
  /// Delivers every message from this one on.
  failure follow(std::uint64_t from);
  void publish(const outgoing_message& what);
  std::size_t most_bytes() const;
  link_callbacks& callbacks() { return *callbacks_; }

private:
  nats_link(const jetstream_options& options, std::shared_ptr<link_callbacks> callbacks);
  failure join(const jetstream_options& options);
  std::string subject_of(outgoing_message::kind what) const;
  outcome<nats_subscription_ptr> subscribe(std::uint64_t from, bool tell);
  outcome<std::uint64_t> oldest_part(std::uint64_t from);

  std::string stream_, subject_;
  std::shared_ptr<link_callbacks> callbacks_;
  nats_connection_ptr connection_;
  jetstream_ptr jetstream_;
  std::string inbox_; ///< acknowledgements come to inbox_.NUMBER
  nats_subscription_ptr acknowledgements_, messages_, reading_;
};

} // namespace poseidon
