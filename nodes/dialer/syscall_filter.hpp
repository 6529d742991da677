#pragma once

namespace poseidon {

/// Leaves this thread only the system calls that the dialer's loop makes, some of them only with its own arguments: no
/// file can be written, no program run, no process traced, no namespace entered but a network's. Everything else answers
/// EPERM from then on. Needs no_new_privs. False where the kernel (or this processor's port) has no such filters.
bool install_syscall_filter();

} // namespace poseidon
