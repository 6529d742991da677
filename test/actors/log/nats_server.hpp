#pragma once
// NATS servers of a test's own: on loopback, with their own folder, ended by their pid.

#include "test/support/temporary_folder.hpp"

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include <sys/types.h>

namespace poseidon::test {

/// One server's place; where the others of its cluster are.
struct nats_server_options {
  std::string name = "n1";
  std::vector<std::uint16_t> routes; ///< cluster ports of all servers of the cluster; empty: none
  std::uint16_t cluster_port = 0;
  std::string config;     ///< a file to run it with, instead of one that is made
  std::uint16_t port = 0; ///< the one that `config` names
};

/// A port that was free a moment ago.
std::uint16_t free_port();

class nats_server {
public:
  /// Starts it and waits until it answers. Throws with words when there is no nats-server, or it does not start.
  explicit nats_server(nats_server_options options = {});
  ~nats_server() { kill(); }
  nats_server(const nats_server&) = delete;
  nats_server& operator=(const nats_server&) = delete;

  std::string url() const { return "nats://127.0.0.1:" + std::to_string(port_); }
  /// kill -9, and waits until it is gone.
  void kill();
  /// Starts it again on what it left behind, at the same address.
  void start();
  bool runs() const { return pid_ > 0; }
  /// Stands still when freeze() returns, until thaw().
  void freeze();
  void thaw();

  /// While it does not run: its store wiped, copied, brought back.
  void wipe();
  void copy_store();
  void restore_copy();
  const std::string& name() const { return options_.name; }
  /// What it wrote, for a failure's message.
  std::string written() const;

private:
  void write_config() const;
  void await_answer();
  std::filesystem::path store() const { return folder_.path() / "store"; }

  nats_server_options options_;
  temporary_folder folder_;
  std::uint16_t port_;
  pid_t pid_ = 0;
};

/// Servers of one test; they need not all run.
class nats_cluster {
public:
  /// Three that are one cluster.
  void make_three();
  std::vector<std::string> urls() const;
  nats_server& named(const std::string& name);
  std::vector<std::unique_ptr<nats_server>> servers;
};

} // namespace poseidon::test
