#pragma once
// One HTTP request to a receiver.

#include <utility>

#include "nodes/notifier/webhook_form.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl/context.hpp>

#include <functional>

namespace poseidon {

/// Where to, with what, within which time.
struct delivery_plan {
  webhook_address to;
  webhook_request request;
  millis timeout{10'000};
};

/// Sends it on that io_context's thread; `done` is called there once. Failures: engine_unavailable (no answer: the detail says why),
/// request_timeout, forbidden (an address that is never asked).
void deliver_over_http(boost::asio::io_context& io, boost::asio::ssl::context& tls, delivery_plan plan,
                       std::function<void(outcome<receiver_reply>)> done);

} // namespace poseidon
