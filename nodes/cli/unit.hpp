#pragma once
// This program as a systemd service of this machine, as scripts/install-service makes it one.

#include "config/settings.hpp"
#include "messages/errors.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace poseidon::cli {

/// The unit's text: config/systemd/poseidon.service.
std::string_view unit_text();

/// Where it is installed; tests name a folder and record the commands.
struct unit_place {
  std::string root;                       ///< before every path; empty: this machine
  std::string program = "/proc/self/exe"; ///< what is installed as /usr/local/bin/poseidon
  /// Runs a program and waits for it; false when it failed or is not there.
  std::function<bool(const std::vector<std::string>&)> run;
};
/// This machine, for root.
unit_place this_machine();

/// Why no unit can be installed: no systemd, or not root.
failure can_install_unit(const unit_place& at);
/// User, program, settings file (where there is none), environment and unit; nothing is started.
failure install_unit(const unit_place& at, const config::settings& settings);
/// Enables and (re)starts it.
failure start_unit(const unit_place& at);

} // namespace poseidon::cli
