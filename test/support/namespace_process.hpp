#pragma once
// A stand-in for an isolated instance: a process in a network namespace of its own, with loopback up and one listener.

#include "messages/runtime.hpp"
#include "nodes/dialer/process_identity.hpp"
#include "nodes/dialer/unique_fd.hpp"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cstring>
#include <fstream>
#include <functional>
#include <iterator>
#include <stdexcept>
#include <string>

namespace poseidon::test {

/// All of fd until `text` bytes are written or the peer is gone.
inline bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const auto sent = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

/// Reads until the text ends with `end` (or, when that is empty, until end of file).
inline std::string read_until(int fd, std::string_view end) {
  std::string text;
  char buffer[65536];
  while (end.empty() || !std::string_view{text}.ends_with(end)) {
    const auto got = ::recv(fd, buffer, end.empty() ? sizeof buffer : 1, 0);
    if (got <= 0) break;
    text.append(buffer, static_cast<std::size_t>(got));
  }
  return text;
}

/// How the stand-in listens. `full`: connects that come after the first get no answer.
enum class listening { yes, no, full };

class namespace_process {
public:
  /// Serves each connection to 127.0.0.1:port with `serve`, in a process of its own. Port 0: one that is free, see where().
  /// `own_network` false: a process like any other on this machine; give it port 0, any other may be taken.
  explicit namespace_process(std::uint16_t port, std::function<void(int)> serve, listening how = listening::yes, bool own_network = true) {
    int ready[2];
    if (::pipe(ready) != 0) throw std::runtime_error("pipe");
    pid_ = ::fork();
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      ::close(ready[0]);
      ::_exit(run(port, serve, how, own_network, ready[1]));
    }
    ::close(ready[1]);
    std::uint16_t bound = 0;
    const bool up = ::read(ready[0], &bound, sizeof bound) == sizeof bound;
    ::close(ready[0]);
    if (!up) throw std::runtime_error("the stand-in for an instance did not start: " + reason(wait()));
    where_.container.value = "stand-in";
    where_.pid = pid_;
    where_.start_ticks = start_ticks_of_stat(text_of("stat")).value_or(0);
    where_.port = bound;
  }
  ~namespace_process() { stop(); }
  namespace_process(const namespace_process&) = delete;
  namespace_process& operator=(const namespace_process&) = delete;

  const endpoint& where() const { return where_; }
  pid_t pid() const { return pid_; }
  /// The text of /proc/PID/<name>.
  std::string text_of(const std::string& name) const {
    std::ifstream file{"/proc/" + std::to_string(pid_) + "/" + name};
    return {std::istreambuf_iterator<char>{file}, {}};
  }
  /// Waits for its end (after a signal); returns the signal that ended it, 0 for a normal exit.
  int wait_for_signal() {
    const int status = wait();
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  }
  void stop() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    wait();
  }

private:
  /// How far the child came before it gave up.
  enum step : int { made_network = 1, listened = 2, reported = 3, accepted = 4 };

  static std::string reason(int status) {
    if (!WIFEXITED(status)) return "it was killed";
    switch (WEXITSTATUS(status)) {
    case made_network: return "no network namespace of its own (these tests need root)";
    case listened: return "its port is taken";
    default: return "it could not report";
    }
  }

  int wait() {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = 0;
    return status;
  }

  static bool raise_loopback() {
    unique_fd any{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    ifreq request{};
    std::strcpy(request.ifr_name, "lo");
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    return ::ioctl(any.get(), SIOCSIFFLAGS, &request) == 0;
  }

  static int run(std::uint16_t port, const std::function<void(int)>& serve, listening how, bool own_network, int ready) {
    if (own_network && (::unshare(CLONE_NEWNET) != 0 || !raise_loopback())) return made_network;
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1;
    ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (how != listening::no && (::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
                                 ::listen(listener, how == listening::full ? 0 : 512) != 0))
      return listened;
    if (port == 0) {
      socklen_t size = sizeof address;
      if (::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) != 0) return listened;
      port = ntohs(address.sin_port);
    }
    ::signal(SIGCHLD, SIG_IGN);
    if (::write(ready, &port, sizeof port) != sizeof port) return reported;
    while (how == listening::yes) {
      const int connection = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
      if (connection < 0) return accepted;
      // A process each: no thread may be started in a copy of a process that has several (thread sanitizer).
      if (::fork() == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        ::close(listener);
        serve(connection);
        ::_exit(0);
      }
      ::close(connection);
    }
    for (;;) ::pause();
  }

  pid_t pid_ = 0;
  endpoint where_;
};

} // namespace poseidon::test
