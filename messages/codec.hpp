#pragma once
// Codecs of what is stored and sent as a whole, compiled once: the light way to them (msgpack.hpp and json.hpp are heavy).

#include "messages/journal.hpp"

namespace poseidon {

/// msgpack of a ledger entry.
std::string encode(const entry& value);
/// Reads one; an entry of a newer schema is refused with words (stale bytes never stop others: the failure is the answer).
outcome<entry> decode_entry(std::string_view bytes);

/// msgpack of an entry's body alone, {"kind", "payload"}.
std::string encode(const entry_body& value);
outcome<entry_body> decode_entry_body(std::string_view bytes);

/// msgpack of a node's record, the flag in it as it is: for DATA only.
std::string encode(const journal_record& value);
/// Reads one; a record of a newer schema is refused with words.
outcome<journal_record> decode_record(std::string_view bytes);

/// msgpack of what a tombstone says.
std::string encode(const inventory_item& value);
outcome<inventory_item> decode_inventory_item(std::string_view bytes);

/// msgpack of a spec.
std::string encode(const instance_spec& value);
outcome<instance_spec> decode_spec(std::string_view bytes);
/// Canonical JSON: keys sorted, no blanks, every field; what spec digests are made of.
std::string canonical_json(const instance_spec& spec);

} // namespace poseidon
