#pragma once
// The JSON of the API (INTERFACE.md, docs/api.md). Pure: time and addresses are arguments; secrets only where asked for.

#include "gateway/json_writer.hpp"
#include "messages/commands.hpp"
#include "messages/state.hpp"

namespace poseidon::gateway {

/// How URLs are made.
struct url_rules {
  std::string public_url;          ///< "https://{label}.ctf.example"; empty: scheme, host and port of the edge
  std::string edge_scheme = "http";
  std::uint16_t edge_port = 80;
  std::string api_url;             ///< "http://127.0.0.1:8080", without a slash at the end
};

/// The instance's own URL.
std::string instance_url(const url_rules& rules, std::string_view host);
/// Port that goes with it.
std::uint16_t instance_port(const url_rules& rules);

/// What is known about an instance beside its row; may be lost at any time.
struct live_details {
  std::optional<poseidon::phase> phase;
  std::optional<std::uint32_t> percent;
  std::string note;
};

/// How often room came free of late: `count` times from `first` to `last`.
struct release_rate {
  std::uint32_t count = 0;
  wall_time first, last;
};
/// Releases older than this say nothing about the next.
inline constexpr millis releases_remembered{300'000};

/// One instance, ready to be rendered.
struct instance_item {
  row_ptr row;
  live_details live;
  std::string watch_token;
  std::optional<std::uint32_t> queue_position;
  std::optional<wall_time> queue_served_at; ///< when as many as wait ahead have reached their deadlines
  std::optional<release_rate> releases;     ///< of late
  std::optional<placement_decision> placement;
  bool explained = false;                   ///< the placement is shown, also an unknown one
};

/// When this queued instance will be served, from now: the sooner of the deadlines ahead of it and the rate at which room
/// has come free of late. Nothing when neither is known.
std::optional<std::int64_t> queue_eta_ms(const instance_item& item, wall_time now);

/// Whether the owner may extend now, as far as the row tells. The instance's node decides.
struct extension_view {
  bool allowed = false;
  std::optional<wall_time> next_at; ///< when it will be, if ever
  std::int64_t remaining_ms = 0;    ///< of the sum of all extensions
  std::string reason;               ///< why not; empty when allowed
};
extension_view extension_of(const instance_row& row, wall_time now);

void write_instance(json_writer& out, const instance_item& item, const url_rules& urls, wall_time now);
std::string render_instance(const instance_item& item, const url_rules& urls, wall_time now);

/// What was heard last of a node, beside what the ledger says of it.
struct node_report {
  std::uint32_t cpu_permille = 0, memory_permille = 0; ///< the machine's load
  std::int64_t silent_ms = 0;                          ///< since then
  bool suspect = false;
  failure trouble;                                     ///< why it can't start instances; ok: it can
};

/// A node. `state`: lost, suspect, draining, cordoned or ready, whichever comes first. `mode_since`: when its mode was
/// set, where this process has seen it.
void write_node(json_writer& out, const node_row& node, const std::optional<node_report>& report, std::optional<wall_time> mode_since);
/// A challenge. `confidential` (JSON text of flags and solutions) only for who may see it; null: left out.
void write_challenge(json_writer& out, const challenge_row& challenge, const std::string* confidential, std::uint64_t live_instances);
/// A key, never its secret.
void write_key(json_writer& out, const put_key_entry& key);

/// RFC 9457. `status` 0: from the table of errors.
std::string render_problem(const failure& why, int status = 0);
/// HTTP status of a failure.
int status_of(const failure& why);

} // namespace poseidon::gateway
