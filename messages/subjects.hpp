#pragma once
// NATS subjects and stream names. Pure. Names of any UTF-8 become single tokens: what is not a letter, a digit, `_` or `-`
// is written `=XX`, byte by byte; so no name can carry a wildcard or open another branch.

#include "messages/ids.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace poseidon::subjects {

/// A name as one token; "=" for the empty one.
std::string token(std::string_view name);
/// The name in a token; nothing when it is none that token() makes.
std::optional<std::string> name_of(std::string_view token);

/// The ledger's stream, and the subject below which are those it stores.
std::string ledger_stream(std::string_view cluster);
std::string ledger(std::string_view cluster);

/// Commands to one node: stop, extend, logs, stats (request and reply).
std::string node_commands(std::string_view cluster, const node_name& node);
/// Streams from one node to their readers in one process.
std::string streams(std::string_view cluster, std::string_view process, const node_name& node);
/// An edge asks the machines' nodes for a route that it does not know.
std::string route_questions(std::string_view cluster);

/// Heartbeats of one process, and of all.
std::string heartbeat(std::string_view cluster, std::string_view process);
std::string heartbeats(std::string_view cluster);
/// What one notifier says of its part, and what all do.
std::string notifier(std::string_view cluster, std::string_view process);
std::string notifiers(std::string_view cluster);
/// The ledger's state, in parts, from one member.
std::string snapshots(std::string_view cluster, std::string_view process);

} // namespace poseidon::subjects
