#pragma once
// A backup as one file: a line with the checksum of what follows, a line of JSON that says what it is, then msgpack. Pure.
// It holds secrets (the cluster's key, the administrator's): whoever has it is in the cluster.

#include "messages/blob.hpp"
#include "messages/entries.hpp"

namespace poseidon {

/// What a backup is, readable by people: the file's second line.
struct backup_manifest {
  static constexpr std::uint32_t current_schema = 1;
  std::uint32_t schema = current_schema;
  std::string version, cluster, node; ///< of the process that made it
  wall_time made_at;
  struct position position;           ///< of the ledger
  std::string digest;                 ///< of the state there
  std::uint64_t live_instances = 0, instances = 0, keys = 0, challenges = 0;
};
POSEIDON_FIELDS(backup_manifest, schema, version, cluster, node, made_at, position, digest, live_instances, instances, keys, challenges)

/// A file of DATA.
struct kept_file {
  std::string name;       ///< without a folder
  std::uint32_t mode = 0600;
  blob content;
};
POSEIDON_FIELDS(kept_file, name, mode, content)

/// The ledger's state at the manifest's position, and what else DATA held.
struct backup_contents {
  entry_id last_entry;  ///< the entry at that position
  wall_time logged_at;  ///< the log's timestamp of it
  blob snapshot;        ///< as encode_snapshot makes it; its digest is the manifest's
  data_id data;         ///< identity of the node's DATA; empty: the process ran no node
  std::vector<kept_file> files;
};
POSEIDON_FIELDS(backup_contents, last_entry, logged_at, snapshot, data, files)

struct backup {
  backup_manifest manifest;
  backup_contents contents;
};

std::string encode_backup(const backup& what);
/// bad_request: no backup, cut or damaged; conflict: made by a newer Poseidon.
outcome<backup> decode_backup(std::string_view bytes);
/// The same checks as far as the manifest.
outcome<backup_manifest> read_manifest(std::string_view bytes);

} // namespace poseidon
