#pragma once
// DATA: the one folder in which a process keeps what has to survive it.

#include "messages/errors.hpp"
#include "messages/secret.hpp"

#include <functional>
#include <string>
#include <string_view>

namespace poseidon {

/// Makes the folder (0750) and its parents where they are missing. As root, hands it and what lies directly in it to
/// `user` where that user exists: the process will run as it. Errors: operation_not_permitted, no_space, internal, with the path.
failure prepare_data_folder(const std::string& path, const std::string& user);

/// Makes the folder that a Unix socket at `path` will lie in, where it is missing (0755, as root handed to `user`). `setting`: what
/// names another place. Errors: as above.
failure prepare_socket_folder(const std::string& path, const std::string& user, const std::string& setting);

/// Writes all of it to an open file, however the kernel cuts it. False: errno says why, and a part may be written.
bool write_all(int fd, std::string_view bytes);

/// Writes one line to `file`, atomically and synced. Errors: no_space, operation_not_permitted, internal.
failure write_line(const std::string& file, const std::string& text);

/// Writes what only the process's user may read to `file`, atomically and synced. Errors: as write_line.
failure write_secret(const std::string& file, const secret& text);

/// Writes these very bytes to `file` with `mode`, atomically and synced. Errors: as write_line.
failure write_file(const std::string& file, unsigned mode, std::string_view bytes);

/// The secret in `file`; made by `make` and written with `mode` (atomically, then synced) when there is none yet.
/// `group` names the group that may read it where mode allows; empty or unknown: the process's own.
outcome<secret> read_or_make_secret(const std::string& file, unsigned mode, const std::string& group, const std::function<std::string()>& make);

} // namespace poseidon
