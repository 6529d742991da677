#pragma once

#include "messages/errors.hpp"

#include <cstdint>
#include <span>
#include <string>

namespace poseidon {

/// Keeps of this thread's capabilities only those in `capabilities` (CAP_* numbers) that it has, empties the bounding,
/// inheritable and ambient sets where it may, and sets no_new_privs. Call while the process has one thread.
failure keep_capabilities(std::span<const int> capabilities);

/// What became of drop_privilege.
struct privilege_report {
  bool dropped = false;    ///< false: not root, or no such user; nothing was changed then
  std::string user;        ///< whom the process runs as
  std::string explanation; ///< one line for the log
};

/// Turns a root process into `user` for good, with that user's supplementary groups and the groups that own `sockets`
/// (the engine's, so that it stays reachable; a socket that is not there, or root's group, adds none). Only the capability to
/// bind ports below 1024 is kept. Call in the process's only thread, after start_dialer. A user that does not exist
/// changes nothing. Errors: operation_not_permitted, and the process is then in an unfit state: end it.
outcome<privilege_report> drop_privilege(const std::string& user, std::span<const std::string> sockets = {});

/// Raises the soft limit of open descriptors to the hard one; returns the limit then in force.
std::uint64_t raise_descriptor_limit();

} // namespace poseidon
