#pragma once
// A Docker Engine of the test's own, in a network namespace of its own, to be killed, paused and restarted; and a
// registry beside it. Needs root, dockerd and docker-registry; says so when they are missing.

#include "test/nodes/runtime/engine_fixture.hpp"

#include <sys/types.h>

#include <map>
#include <set>
#include <vector>

namespace poseidon::test {

class private_engine {
public:
  explicit private_engine(bool live_restore);
  ~private_engine();
  std::string address() const { return "unix://" + socket(); }
  std::string socket() const { return folder_.path() + "/engine.sock"; }
  /// Ends dockerd at once, as a crash does; containers and shims stay as they are.
  void kill();
  /// Ends it in order; without live-restore it stops its containers.
  void stop();
  /// Starts it (again), and waits until it answers.
  void start();
  /// Takes a container from what it knows at its next start, as a crash at a bad moment does; its processes stay.
  void forget(const std::string& container) const;
  /// Containers that have a shim of this engine's.
  std::set<std::string> shims() const;
  /// Stops its process in its tracks, and lets it go on.
  void pause();
  void go_on();
  /// A registry on 127.0.0.1:5000 of the engine's namespace, for user "player" with password "s3cret".
  void start_registry();
  void stop_registry();
  /// Options for a runtime on this engine.
  docker_options options(const test_cluster& cluster) const;
  std::string call(const std::string& method, const std::string& path, const std::string& body = {},
                   unsigned* status = nullptr, const std::string& content_type = "application/json",
                   const std::string& registry_auth = {}) const;

private:
  pid_t spawn(const std::vector<std::string>& command, const std::string& log);
  void remove_containers();
  void end_leftovers();
  std::map<std::string, std::string> shim_processes() const; ///< pid to container

  scratch_folder folder_;
  bool live_restore_;
  int network_ = -1; ///< the namespace
  pid_t engine_ = 0, registry_ = 0;
};

} // namespace poseidon::test
