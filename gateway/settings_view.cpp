#include "gateway/settings_view.hpp"

#include <nlohmann/json.hpp>

namespace poseidon::gateway {

config::settings effective_settings(const config::loaded_settings& loaded, const std::map<std::string, std::string>& overrides) {
  auto values = loaded.values;
  for (auto& [name, text] : overrides) {
    auto value = nlohmann::json::parse(text, nullptr, false);
    if (value.is_discarded()) continue;
    auto copy = values;
    if (!config::set_live(copy, name, value)) values = std::move(copy);
  }
  return values;
}

std::vector<shown_setting> shown_settings(const config::loaded_settings& loaded, const std::map<std::string, std::string>& overrides) {
  auto now = loaded;
  now.values = effective_settings(loaded, overrides);
  std::vector<shown_setting> result;
  for (auto& view : config::list_settings(now)) {
    bool changed = view.live && overrides.contains(view.name);
    auto source = changed ? std::string("ledger") : std::string(to_string(view.source));
    result.push_back({std::move(view), std::move(source)});
  }
  return result;
}

} // namespace poseidon::gateway
