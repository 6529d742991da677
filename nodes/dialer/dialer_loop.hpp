#pragma once

#include "nodes/dialer/handle_table.hpp"
#include "nodes/dialer/protocol.hpp"

namespace poseidon {

/// The dialer's work: answers one request after another until the other end of the socket goes. Single-threaded; trusts
/// no field of a request.
class dialer_loop {
public:
  /// `socket`: its end of the pair. `own_network`: the namespace to live in between requests.
  dialer_loop(int socket, unique_fd own_network, std::size_t handles);
  /// Serves until the peer closes; returns the exit code of the process.
  int run();

private:
  /// The answer to one request; `passed` becomes the descriptor that goes with it.
  dialer_wire::reply answer(const dialer_wire::request& asked, unique_fd& passed);
  void open(const dialer_wire::request& asked, dialer_wire::reply& reply);
  void open_shim(const dialer_wire::request& asked, dialer_wire::reply& reply);
  void make_socket(const dialer_wire::request& asked, dialer_wire::reply& reply, unique_fd& passed);
  void signal(const dialer_wire::request& asked, dialer_wire::reply& reply);
  /// The live process under the handle; sets the reply's status and returns null otherwise.
  held_process* living(std::uint64_t handle, dialer_wire::reply& reply);
  bool send(const dialer_wire::reply& reply, int passed);

  int socket_;
  unique_fd own_network_;
  handle_table handles_;
};

} // namespace poseidon
