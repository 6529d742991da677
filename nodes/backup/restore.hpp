#pragma once
// A DATA made from a backup.

#include "nodes/backup/backup_file.hpp"

namespace poseidon {

/// Writes what the backup holds into `data`, which must be new or empty: keys, what joining brought, the ledger's state as
/// this member's tail, and a journal with the identity that the node had. The next start opens the log anew with it.
/// `user`: whom the files are handed to (prepare_data_folder). Errors: conflict when DATA holds something, or when the state
/// is of a newer Poseidon; bad_request when it can't be read; those of writing files.
failure restore_backup(const backup& from, const std::string& data, const std::string& user);

} // namespace poseidon
