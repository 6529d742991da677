#pragma once
// The table of settings: one row each, in the order in which they are shown. Internal to config/.

#include "config/settings.hpp"

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace poseidon::config {

/// A value as a source wrote it: one text, or a list of texts.
using raw_value = std::variant<std::string, std::vector<std::string>>;

/// One setting.
struct setting_row {
  std::string_view name;        ///< dotted; equals the member's path in `settings`
  std::string_view type;        ///< for people: "duration", "size", …
  std::string range;            ///< for people: "1s to 24h"; may be empty
  std::string_view flag;        ///< "--edge"; may be empty
  std::string_view placeholder; ///< of the flag's value; empty for a switch
  std::string_view help;
  bool live = false;   ///< may change while running (PATCH /v1/settings)
  bool secret = false; ///< value is never shown
  bool list = false;
  bool objects = false; ///< of a list: its items are mappings; each is read and shown as JSON text
  std::function<std::string(const settings&)> text;                           ///< the value, shown
  std::function<std::vector<std::string>(const settings&)> items;             ///< of a list
  std::function<std::optional<std::string>(settings&, const raw_value&)> set; ///< the problem, if any
  /// POSEIDON_EDGE_IDLE_TIMEOUT
  std::string environment() const;
};

/// Every row.
const std::vector<setting_row>& settings_table();
/// The row of that dotted name, or nullptr.
const setting_row* find_setting(std::string_view name);
/// Names of all settings, for suggestions.
std::vector<std::string_view> setting_names();

/// Checks between settings; adds to problems and warnings.
void check_together(const settings& values, std::vector<struct setting_conflict>& conflicts,
                    std::vector<std::string>& warnings);
/// A problem that no setting has by itself.
struct setting_conflict {
  std::string name, detail;
};

} // namespace poseidon::config
