#pragma once
// One Poseidon process: its roots, spawned in order, watched, ended in order.

#include "config/settings_load.hpp"
#include "nodes/dialer/dialer.hpp"

#include <functional>
#include <memory>
#include <string>

namespace poseidon {

/// What a process needs from whoever starts it.
struct process_input {
  std::shared_ptr<const config::loaded_settings> settings;
  dialer_process dialer;        ///< forked before the first thread
  std::string registry_logins;  ///< path of a docker config.json; may be missing
  std::function<void(const std::string& what)> root_ended; ///< a root actor ended by itself: the process can't go on; any thread
};

/// Where it can be reached.
struct process_addresses {
  std::string api, edge, node;  ///< "http://127.0.0.1:8080", "http://127.0.0.1:8081", "n1"; empty where the role is not run
};

class process {
public:
  explicit process(process_input input);
  ~process();
  process(const process&) = delete;
  process& operator=(const process&) = delete;

  /// Opens DATA, binds, spawns, waits until the node is registered or says why it is not. Errors: conflict (an address or DATA is in
  /// use by another process), no_space, operation_not_permitted, internal.
  outcome<process_addresses> start();
  /// Whether its actors still answer: asks one, and waits for at most `limit`. Between start and stop.
  bool answers(millis limit) const;
  /// Ends in order; containers stay unless the setting stop_instances_on_exit says otherwise. May be repeated.
  void stop();

private:
  struct parts;
  std::unique_ptr<parts> parts_;
};

} // namespace poseidon
