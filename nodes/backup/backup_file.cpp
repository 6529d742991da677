#include "nodes/backup/backup_file.hpp"

#include "messages/digest.hpp"
#include "messages/json.hpp"
#include "messages/msgpack.hpp"

namespace poseidon {
namespace {

constexpr std::string_view mark = "poseidon-backup ";
constexpr std::size_t checksum_digits = 64, longest_manifest = 64u << 10;

failure unusable(std::string why) { return {errc::bad_request, "this backup can't be used: " + std::move(why), {}, {}, {}}; }

/// The manifest and where it ends.
struct read_head {
  backup_manifest manifest;
  std::size_t payload = 0;
};

outcome<read_head> head_of(std::string_view bytes) {
  const auto first = mark.size() + checksum_digits;
  if (!bytes.starts_with(mark)) return unusable("it is no backup of Poseidon");
  if (bytes.size() <= first || bytes[first] != '\n') return unusable("it is cut");
  if (sha256_hex(bytes.substr(first + 1)) != bytes.substr(mark.size(), checksum_digits)) return unusable("it is cut or damaged (its checksum differs)");
  const auto end = bytes.find('\n', first + 1);
  if (end == std::string_view::npos || end - first > longest_manifest) return unusable("it has no manifest");
  const auto json = parse_json(bytes.substr(first + 1, end - first - 1), 4);
  if (!json || !json->is_object()) return unusable("its manifest can't be read");
  const auto schema = json->find("schema");
  if (schema == json->end() || !schema->is_number_unsigned()) return unusable("its manifest names no schema");
  if (schema->get<std::uint64_t>() > backup_manifest::current_schema)
    return failure{errc::conflict, "this backup is of a newer Poseidon (schema " + schema->dump() + "; this one reads up to " +
                                       std::to_string(backup_manifest::current_schema) + "): restore it with that one", {}, {}, {}};
  auto manifest = from_json<backup_manifest>(*json);
  if (!manifest) return unusable("its manifest can't be read: " + manifest.error.detail);
  return read_head{std::move(*manifest), end + 1};
}

} // namespace

std::string encode_backup(const backup& what) {
  auto body = dump_json(to_json(what.manifest)) + "\n";
  body += pack(what.contents);
  return std::string{mark} + sha256_hex(body) + "\n" + body;
}

outcome<backup_manifest> read_manifest(std::string_view bytes) {
  auto head = head_of(bytes);
  if (!head) return head.error;
  return std::move(head->manifest);
}

outcome<backup> decode_backup(std::string_view bytes) {
  auto head = head_of(bytes);
  if (!head) return head.error;
  auto contents = unpack<backup_contents>(bytes.substr(head->payload));
  if (!contents) return unusable(contents.error.detail);
  for (const auto& file : contents->files)
    if (file.name.empty() || file.name.front() == '.' || file.name.find('/') != std::string::npos) return unusable("it names a file outside DATA");
  return backup{std::move(head->manifest), std::move(*contents)};
}

} // namespace poseidon
