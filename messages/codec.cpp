#include "messages/codec.hpp"

#include "messages/json.hpp"
#include "messages/msgpack.hpp"

namespace poseidon {
namespace {

failure newer(std::string_view what, std::uint32_t found, std::uint32_t known) {
  return {errc::conflict,
          std::string(what) + " has schema " + std::to_string(found) + ", written by a newer Poseidon; this one reads up to " +
              std::to_string(known),
          std::nullopt, {}, {}};
}

/// The schema number alone, so that a newer form is named as such even where its other fields can't be read.
struct schema_only {
  std::uint32_t schema = 0, version = 0;
};
POSEIDON_FIELDS(schema_only, schema, version)

/// Mostly one allocation.
template <class T>
std::string pack_roomy(const T& value) {
  std::string out;
  out.reserve(1024);
  pack_to(out, value);
  return out;
}

} // namespace

std::string encode(const entry& value) { return pack_roomy(value); }

outcome<entry> decode_entry(std::string_view bytes) {
  auto read = unpack<entry>(bytes);
  if (read && read->version <= entry::current_version) return read;
  if (auto head = unpack<schema_only>(bytes); head && head->version > entry::current_version)
    return newer("the entry", head->version, entry::current_version);
  return read;
}

std::string encode(const entry_body& value) { return pack_roomy(value); }
outcome<entry_body> decode_entry_body(std::string_view bytes) { return unpack<entry_body>(bytes); }

std::string encode(const journal_record& value) { return pack_roomy(value); }

outcome<journal_record> decode_record(std::string_view bytes) {
  auto read = unpack<journal_record>(bytes);
  if (read && read->schema <= journal_record::current_schema) return read;
  if (auto head = unpack<schema_only>(bytes); head && head->schema > journal_record::current_schema)
    return newer("the record", head->schema, journal_record::current_schema);
  return read;
}

std::string encode(const inventory_item& value) { return pack(value); }
outcome<inventory_item> decode_inventory_item(std::string_view bytes) { return unpack<inventory_item>(bytes); }

std::string encode(const instance_spec& value) { return pack(value); }
outcome<instance_spec> decode_spec(std::string_view bytes) { return unpack<instance_spec>(bytes); }
std::string canonical_json(const instance_spec& spec) { return dump_json(to_json(spec)); }

} // namespace poseidon
