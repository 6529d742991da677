#pragma once
// Strong identifiers: two kinds can't be exchanged by mistake.

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace poseidon {

/// A name or identifier in text; any UTF-8 unless its own comment says otherwise.
template <class Tag>
struct strong_id {
  std::string value;
  bool empty() const { return value.empty(); }
  const std::string& str() const { return value; }
  friend auto operator<=>(const strong_id&, const strong_id&) = default;
};

/// An instance's identity in API and URL: lower-case letters and digits, minted at admission, kept by reset and move.
using instance_id = strong_id<struct instance_tag>;
/// A challenge's slug: [a-z0-9][a-z0-9._-]{0,63}.
using challenge_id = strong_id<struct challenge_tag>;
/// A node's name: [A-Za-z0-9][A-Za-z0-9._-]{0,63}.
using node_name = strong_id<struct node_tag>;
/// `team:<id>`, `user:<id>` or `shared`.
using owner_key = strong_id<struct owner_tag>;
/// Identifies one request of a client.
using request_id = strong_id<struct request_tag>;
/// "sha256:<64 hex digits>" of a resolved spec's canonical JSON.
using spec_digest = strong_id<struct spec_tag>;
/// An API key's public name.
using key_id = strong_id<struct key_tag>;
/// A machine: kernel boot id + pid namespace inode, "<uuid>/<inode>".
using machine_id = strong_id<struct machine_tag>;
/// An engine's own container identifier.
using container_id = strong_id<struct container_tag>;

/// 128 random bits: ledger entries and process runs. Text form: 32 hex digits.
template <class Tag>
struct random_id {
  std::uint64_t high = 0, low = 0;
  bool empty() const { return high == 0 && low == 0; }
  friend auto operator<=>(const random_id&, const random_id&) = default;
};
using entry_id = random_id<struct entry_tag>;
/// One run of one process.
using run_id = random_id<struct run_tag>;
/// The identity written into a node's DATA at its first start.
using data_id = random_id<struct data_tag>;

/// 32 lower-case hex digits.
std::string to_hex(std::uint64_t high, std::uint64_t low);
/// Reads 32 hex digits; false when malformed.
bool from_hex(std::string_view text, std::uint64_t& high, std::uint64_t& low);
template <class Tag>
std::string to_string(const random_id<Tag>& id) { return to_hex(id.high, id.low); }

/// A place in the ledger: the log's incarnation, and the entry's sequence in it.
struct position {
  std::uint64_t incarnation = 0, sequence = 0;
  friend auto operator<=>(const position&, const position&) = default;
};
/// "<incarnation>-<sequence>", the form of event ids.
std::string to_string(position at);
std::optional<position> position_from_string(std::string_view text);

/// The fencing token: position and id of the entry that assigned an instance to a node (LEDGER.md, docs/ownership.md).
struct epoch {
  std::uint64_t incarnation = 0, sequence = 0;
  entry_id entry;
  bool empty() const { return sequence == 0 && incarnation == 0; }
  friend auto operator<=>(const epoch&, const epoch&) = default;
};
/// "<incarnation>-<sequence>-<32 hex digits>", the form in labels.
std::string to_string(const epoch& e);
std::optional<epoch> epoch_from_string(std::string_view text);

/// At most one live instance a slot. `challenge` is the challenge's id, or an inline spec's digest.
struct slot {
  owner_key owner;
  std::string challenge;
  friend auto operator<=>(const slot&, const slot&) = default;
};

} // namespace poseidon

template <class Tag>
struct std::hash<poseidon::strong_id<Tag>> {
  std::size_t operator()(const poseidon::strong_id<Tag>& id) const { return std::hash<std::string>{}(id.value); }
};
template <class Tag>
struct std::hash<poseidon::random_id<Tag>> {
  std::size_t operator()(const poseidon::random_id<Tag>& id) const { return id.low ^ (id.high * 0x9e3779b97f4a7c15ull); }
};
template <>
struct std::hash<poseidon::slot> {
  std::size_t operator()(const poseidon::slot& s) const {
    return std::hash<std::string>{}(s.owner.value) * 31 + std::hash<std::string>{}(s.challenge);
  }
};
