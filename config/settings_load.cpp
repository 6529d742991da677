#include "config/settings_load.hpp"

#include "config/settings_rows.hpp"
#include "config/suggest.hpp"
#include "config/yaml.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <fstream>
#include <sstream>

namespace poseidon::config {
namespace {

using nlohmann::json;
constexpr std::size_t largest_file_bytes = 1 << 20;

/// Variables with our prefix that are not settings.
bool is_other_variable(std::string_view name) {
  constexpr std::string_view others[] = {"POSEIDON_CONFIG", "POSEIDON_ADDR", "POSEIDON_KEY"};
  return std::ranges::count(others, name) > 0 || name.starts_with("POSEIDON_TEST_") ||
         name.starts_with("POSEIDON_BENCH_");
}

/// What a file's value says, as text; nothing for what no setting takes. `objects`: mappings, each as JSON text.
std::optional<raw_value> raw_of(const json& value, bool objects = false) {
  auto scalar = [objects](const json& v) -> std::optional<std::string> {
    if (objects && v.is_object()) return v.dump();
    if (v.is_string()) return v.get<std::string>();
    if (v.is_boolean() || v.is_number()) return v.dump();
    return std::nullopt;
  };
  if (auto text = scalar(value)) return raw_value(*text);
  if (!value.is_array()) return std::nullopt;
  std::vector<std::string> items;
  for (auto& item : value) {
    auto text = scalar(item);
    if (!text) return std::nullopt;
    items.push_back(*text);
  }
  return raw_value(std::move(items));
}

class loader {
public:
  loaded_settings out;

  /// Gives one setting a value; `path` is the spelling that was used, for a problem.
  void give(const setting_row& row, const raw_value& raw, setting_source source, const std::string& path) {
    if (auto problem = row.set(out.values, raw)) return out.problems.push_back({path, std::move(*problem)});
    out.sources[std::string(row.name)] = source;
  }

  void file(const std::optional<std::string>& text, const std::string& name, setting_source source) {
    if (!text) return;
    source_ = source;
    auto document = parse_yaml(*text);
    for (auto& p : document.problems)
      out.problems.push_back({p.path.empty() ? name : p.path, p.detail});
    if (!document.value || document.value->is_null()) return;
    if (!document.value->is_object())
      return out.problems.push_back({name, "a settings file is a mapping of names to values, like edge: {domain: ctf.example}"});
    object(*document.value, "");
  }

  void environment(const std::map<std::string, std::string>& environment) {
    if (auto host = environment.find("DOCKER_HOST"); host != environment.end() && !host->second.empty())
      give(*find_setting("engine"), host->second, setting_source::environment, "DOCKER_HOST");
    std::map<std::string, const setting_row*, std::less<>> names;
    std::vector<std::string_view> candidates;
    for (auto& row : settings_table())
      candidates.push_back(names.emplace(row.environment(), &row).first->first);
    for (auto& [name, value] : environment) {
      if (!name.starts_with("POSEIDON_") || is_other_variable(name)) continue;
      if (auto row = names.find(name); row != names.end())
        give(*row->second, value, setting_source::environment, name);
      else // Other programs set variables with this prefix too (a Kubernetes service of our name): no error.
        out.warnings.push_back("the environment variable " + name + " is no setting" + did_you_mean(name, candidates));
    }
  }

  void flags(const std::vector<std::string>& arguments) {
    for (std::size_t i = 0; i < arguments.size(); ++i) {
      std::string name = arguments[i].substr(0, arguments[i].find('='));
      std::optional<std::string> value;
      if (name.size() < arguments[i].size()) value = arguments[i].substr(name.size() + 1);
      auto row = row_of_flag(name);
      if (!row && name != "--config") {
        unknown_flag(name);
        continue;
      }
      bool is_switch = row && row->placeholder.empty();
      if (!value && is_switch) value = "true";
      if (!value && i + 1 < arguments.size() && !arguments[i + 1].starts_with("--")) value = arguments[++i];
      if (!value)
        out.problems.push_back({name, "needs a value"});
      else if (row)
        flag(*row, *value);
    }
  }

private:
  setting_source source_ = setting_source::file; ///< of the file at hand
  std::map<std::string_view, std::vector<std::string>> repeated_;

  void object(const json& value, const std::string& path) {
    for (auto& [key, item] : value.items()) {
      auto name = path.empty() ? key : path + "." + key; // "edge.domain: x" is the same as "edge: {domain: x}"
      if (auto row = find_setting(name))
        file_value(*row, item);
      else if (item.is_object() && is_group(name))
        object(item, name);
      else if (item.is_null() && is_group(name))
        continue; // a heading, everything below it commented out
      else
        out.problems.push_back({name, unknown(name)});
    }
  }

  void file_value(const setting_row& row, const json& item) {
    std::string name(row.name);
    if (item.is_null()) return out.problems.push_back({name, "has no value; give one or remove the line"});
    auto raw = raw_of(item, row.objects);
    if (!raw)
      return out.problems.push_back({name, "takes " + std::string(row.list ? "a list" : "one value") + ", not this"});
    if (auto seen = out.sources.find(name); seen != out.sources.end() && seen->second == source_)
      return out.problems.push_back({name, "given twice; keep one"});
    give(row, *raw, source_, name);
  }

  static bool is_group(const std::string& name) {
    return std::ranges::any_of(settings_table(), [&](auto& row) { return row.name.starts_with(name + "."); });
  }

  static std::string unknown(const std::string& name) {
    if (is_group(name)) return "is a group of settings, not one; write its settings below it";
    return "unknown setting" + did_you_mean(name, setting_names());
  }

  static const setting_row* row_of_flag(std::string_view flag) {
    auto& table = settings_table();
    auto found = std::ranges::find_if(table, [&](auto& row) { return !row.flag.empty() && row.flag == flag; });
    return found == table.end() ? nullptr : &*found;
  }

  void unknown_flag(const std::string& name) {
    std::vector<std::string_view> candidates{"--config"};
    for (auto& row : settings_table())
      if (!row.flag.empty()) candidates.push_back(row.flag);
    out.problems.push_back(
        {name, (name.starts_with("--") ? "unknown flag" : "unexpected argument") + did_you_mean(name, candidates)});
  }

  /// A list flag may be repeated and then adds up; any other may be given once.
  void flag(const setting_row& row, const std::string& value) {
    auto& all = repeated_[row.flag];
    if (!all.empty() && !row.list) return out.problems.push_back({std::string(row.flag), "given twice; keep one"});
    auto items = row.list ? split_list(value) : std::vector<std::string>{value};
    all.insert(all.end(), items.begin(), items.end());
    if (all.empty()) all.push_back(value);
    give(row, row.list ? raw_value(all) : raw_value(value), setting_source::flag, std::string(row.flag));
  }
};

} // namespace

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    auto comma = text.find(',');
    auto item = text.substr(0, comma);
    while (item.starts_with(' '))
      item.remove_prefix(1);
    while (item.ends_with(' '))
      item.remove_suffix(1);
    if (!item.empty()) out.emplace_back(item);
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
  }
  return out;
}

loaded_settings load_settings(const settings_input& input) {
  loader l;
  l.out.values.node = input.host_name;
  l.file(input.joined_text, input.joined_name, setting_source::joined);
  l.file(input.file_text, input.file_name, setting_source::file);
  l.environment(input.environment);
  l.flags(input.flags);
  auto& out = l.out;
  if (!out.sources.contains("node"))
    if (auto problem = find_setting("node")->set(out.values, input.host_name))
      out.problems.push_back({"node", "the host name does not serve: " + *problem + "; give --node NAME"});
  std::vector<setting_conflict> conflicts;
  check_together(out.values, conflicts, out.warnings);
  for (auto& c : conflicts)
    out.problems.push_back({c.name, c.detail});
  out.file_text = input.file_text.value_or("");
  return std::move(out);
}

std::optional<std::string> settings_file(const std::vector<std::string>& flags,
                                         const std::map<std::string, std::string>& environment) {
  for (std::size_t i = 0; i < flags.size(); ++i) {
    if (flags[i].starts_with("--config=")) return flags[i].substr(9);
    if (flags[i] == "--config" && i + 1 < flags.size()) return flags[i + 1];
  }
  auto named = environment.find("POSEIDON_CONFIG");
  return named == environment.end() || named->second.empty() ? std::nullopt : std::optional(named->second);
}

outcome<std::string> read_settings_file(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::string text(largest_file_bytes + 1, '\0');
  if (in) in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!in && !in.eof())
    return failure{errc::not_found,
                   "can't read the settings file " + file + ": does it exist, and may this user read it?",
                   {},
                   {},
                   {}};
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > largest_file_bytes)
    return failure{errc::body_too_large, "the settings file " + file + " is larger than 1 MiB", {}, {}, {}};
  return text;
}

std::optional<field_problem> set_live(settings& values, std::string_view name, const json& value) {
  auto row = find_setting(name);
  if (!row) return field_problem{std::string(name), "unknown setting" + did_you_mean(name, setting_names())};
  if (!row->live) return field_problem{std::string(name), "can't change while running; set it in the file and restart"};
  auto raw = raw_of(value);
  if (!raw) return field_problem{std::string(name), row->list ? "takes a list of texts" : "takes one value"};
  auto changed = values;
  if (auto problem = row->set(changed, *raw)) return field_problem{std::string(name), std::move(*problem)};
  std::vector<setting_conflict> conflicts;
  std::vector<std::string> warnings;
  check_together(changed, conflicts, warnings);
  if (!conflicts.empty()) return field_problem{std::string(name), conflicts.front().detail};
  values = std::move(changed);
  return std::nullopt;
}

} // namespace poseidon::config
