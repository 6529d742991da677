#pragma once

#include <signal.h>
#include <sys/types.h>
#include <sys/wait.h>

namespace poseidon::test {

/// Stops a child and waits until each of its threads stands still: SIGSTOP alone lets them run on until one of them was
/// scheduled to take the signal, which is long on a busy machine. Returns at once if the child has ended.
inline void stop_process(pid_t child) {
  ::kill(child, SIGSTOP);
  siginfo_t what{};
  ::waitid(P_PID, static_cast<id_t>(child), &what, WSTOPPED | WEXITED | WNOWAIT);
}

} // namespace poseidon::test
