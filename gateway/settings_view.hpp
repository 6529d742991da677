#pragma once
// Settings as the process started with them, and as the ledger changed them since. Pure.

#include "config/settings_load.hpp"

namespace poseidon::gateway {

/// The values in force: `overrides` maps names to JSON text (administration::settings). One that no longer fits is left out.
config::settings effective_settings(const config::loaded_settings& loaded, const std::map<std::string, std::string>& overrides);

/// A setting and where its value comes from: a name of config::setting_source, or "ledger".
struct shown_setting {
  config::setting_view view;
  std::string source;
};
std::vector<shown_setting> shown_settings(const config::loaded_settings& loaded, const std::map<std::string, std::string>& overrides);

} // namespace poseidon::gateway
