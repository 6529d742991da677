#pragma once
// What the log and the bus share of the NATS C client: handles that free themselves, options, and the end of callbacks.

#include "actors/nats/nats_servers.hpp"
#include "messages/errors.hpp"

#include <nats/nats.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>

namespace poseidon {

template <auto Destroy>
struct nats_deleter {
  template <class T>
  void operator()(T* handle) const {
    Destroy(handle);
  }
};
using nats_options_ptr = std::unique_ptr<natsOptions, nats_deleter<natsOptions_Destroy>>;
using nats_connection_ptr = std::unique_ptr<natsConnection, nats_deleter<natsConnection_Destroy>>;
using nats_subscription_ptr = std::unique_ptr<natsSubscription, nats_deleter<natsSubscription_Destroy>>;
using nats_message_ptr = std::unique_ptr<natsMsg, nats_deleter<natsMsg_Destroy>>;
using jetstream_ptr = std::unique_ptr<jsCtx, nats_deleter<jsCtx_Destroy>>;
using stream_info_ptr = std::unique_ptr<jsStreamInfo, nats_deleter<jsStreamInfo_Destroy>>;

/// Callbacks of the client that may still come. Whatever they use outlives them: wait() says when.
class nats_callbacks {
public:
  void began();
  void ended();
  /// Lets `of` count as one that ends when the client has done with it.
  void await_end(natsSubscription* of);
  /// Waits, bounded, until all have ended; false when they have not.
  bool wait();

private:
  std::mutex mutex_;
  std::condition_variable done_;
  int running_ = 0;
};

/// A connection's options: short patience, no reconnect and so no buffer of what is sent later (LEDGER.md rule 11), the
/// client's shared delivery threads. Errors: a file of the user or of certificates that can't be used.
outcome<nats_options_ptr> make_nats_options(const nats_servers& servers);

/// What a status of the client means to us, and what to look at: ledger_unavailable, or not_found.
failure nats_failure(natsStatus status, const std::string& what);

/// A new subject for replies.
outcome<std::string> make_nats_inbox();

} // namespace poseidon
