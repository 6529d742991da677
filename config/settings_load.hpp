#pragma once
// Reading settings from flags, environment and file, and telling where each value comes from.

#include "config/settings.hpp"
#include "messages/errors.hpp"

#include <nlohmann/json_fwd.hpp>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace poseidon::config {

/// Where a value comes from; later ones win.
enum class setting_source : std::uint8_t { default_, joined, file, environment, flag };
POSEIDON_ENUM(setting_source, default_, joined, file, environment, flag)

/// Everything that settings are read from; nothing is fetched behind the caller's back.
struct settings_input {
  std::vector<std::string> flags;                 ///< arguments after `serve`: "--edge", "127.0.0.1:0", "--domain=x"
  std::map<std::string, std::string> environment; ///< the whole environment
  std::optional<std::string> file_text;           ///< YAML or JSON
  std::string file_name;                          ///< for messages
  std::optional<std::string> joined_text;         ///< what joining a cluster left in DATA; the same form
  std::string joined_name;
  std::string host_name;                          ///< default of `node`
};

/// One setting as `poseidon config` and GET /v1/settings show it; values as text, secrets as "***".
struct setting_view {
  std::string name, type, range, value, default_value;
  setting_source source = setting_source::default_;
  std::string environment, flag;
  bool live = false, secret = false;
  std::string help;
};
POSEIDON_FIELDS(setting_view, name, type, range, value, default_value, source, environment, flag, live, secret, help)

/// The result: usable only when there are no problems.
struct loaded_settings {
  settings values;
  std::map<std::string, setting_source, std::less<>> sources; ///< only of settings that were given
  std::vector<field_problem> problems;                        ///< all of them; `path` is the spelling that was used
  std::vector<std::string> warnings;                          ///< works, but is probably not meant
  std::string file_text;                                      ///< of the settings file, as it was read; may hold secrets
};

/// Reads and checks everything. Never throws.
loaded_settings load_settings(const settings_input& input);

/// The file that `--config FILE`, `--config=FILE` or POSEIDON_CONFIG names; nothing when none does.
std::optional<std::string> settings_file(const std::vector<std::string>& flags,
                                         const std::map<std::string, std::string>& environment);
/// Reads a settings file (at most 1 MiB); the problem when that fails.
outcome<std::string> read_settings_file(const std::string& file);

/// Every setting, in the order of the table.
std::vector<setting_view> list_settings(const loaded_settings& loaded);
/// Sets one live setting (PATCH /v1/settings, or its ledger entry); the problem when it is unknown, not live or out of
/// range.
std::optional<field_problem> set_live(settings& values, std::string_view name, const nlohmann::json& value);

/// A settings file with every setting, its help and its default, commented out: config/examples/poseidon.yml.
std::string example_file();
/// The flags of `serve`, for --help: one line each.
std::string flags_help();

} // namespace poseidon::config
