#pragma once
// Ledger changes as notifications: rendered by the gateway's own code, so that a webhook reads what an event stream reads.

#include "actors/notifier/notifier.hpp"
#include "gateway/render.hpp"

namespace poseidon {

/// `watch_key` signs watch URLs; `urls` as the gateway has them.
std::unique_ptr<notification_source> make_event_source(gateway::url_rules urls, std::string watch_key);

} // namespace poseidon
