#pragma once
// The dialer: the one part of Poseidon that keeps privilege. A small process that makes sockets inside instances' network
// namespaces and signals their processes, for its parent alone.

#include "messages/errors.hpp"
#include "nodes/dialer/unique_fd.hpp"

#include <sys/types.h>

#include <cstddef>
#include <string>

namespace poseidon {

/// A started dialer. It ends by itself when the last copy of `socket` is closed.
struct dialer_process {
  unique_fd socket; ///< hand it to a dialer_client
  pid_t pid = 0;
};

struct dialer_options {
  std::string user = "poseidon";  ///< as whom it runs, when started by root and where that user exists
  std::size_t handles_max = 4096; ///< processes held at once; fewer where descriptors are short
};

/// Forks the dialer. Call first in main, before any thread is started and before descriptors are opened that it need not
/// inherit (it closes all). It keeps only the capabilities and system calls that it needs.
/// Without privilege it starts all the same, and answers each request with operation_not_permitted.
/// Errors: internal (no process or socket could be made).
outcome<dialer_process> start_dialer(const dialer_options& options = {});

/// Waits until the dialer has ended, and reaps it; returns its exit code, or -1 (ended by a signal, or not our child).
/// Close the socket (or stop the client that owns it) before.
int reap_dialer(pid_t pid);

} // namespace poseidon
