// config, doctor, version, completion: what needs no server.

#include "config/settings_load.hpp"
#include "messages/json.hpp"
#include "nodes/cli/commands.hpp"
#include "nodes/cli/doctor.hpp"
#include "nodes/cli/tables.hpp"

#include <memory>

namespace poseidon::cli {
namespace {

using nlohmann::json;

int list_settings(session& s) {
  auto loaded = settings_here(s, false);
  auto views = config::list_settings(loaded);
  if (s.options.json) {
    json items = json::array();
    for (auto& view : views)
      items.push_back(to_json(view));
    s.print_json({{"items", items}, {"next", nullptr}});
  } else {
    std::vector<std::vector<std::string>> rows;
    for (auto& v : views)
      rows.push_back({v.name, v.value.empty() ? "-" : v.value,
                      v.source == config::setting_source::default_ ? "" : std::string(to_string(v.source)),
                      v.default_value.empty() ? "-" : v.default_value});
    s.out << table({"SETTING", "VALUE", "FROM", "DEFAULT"}, rows);
  }
  return loaded.problems.empty() ? done_well : wrong_usage;
}

int get_setting(session& s, const std::string& name) {
  auto loaded = settings_here(s, true);
  for (auto& view : config::list_settings(loaded)) {
    if (view.name != name) continue;
    if (s.options.json)
      s.print_json(to_json(view));
    else
      s.out << view.value << "\n";
    return done_well;
  }
  s.fail(not_found, "no such setting: " + name);
}

int set_setting(session& s, const std::string& name, const std::string& value) {
  auto parsed = json::parse(value, nullptr, false);
  bool structured = parsed.is_array() || parsed.is_number_integer() || parsed.is_boolean();
  auto reply = s.call("PATCH", "/v1/settings", {{name, structured ? parsed : json(value)}});
  if (s.options.json)
    s.print_json(reply);
  else
    s.out << name << " = " << value << "\n";
  return done_well;
}

int doctor(session& s) {
  auto loaded = settings_here(s, true);
  // A running process knows which engine it was given; settings that name one here are looked at instead.
  auto in_use = loaded.sources.contains("engine") ? std::string() : first_line(loaded.values.data + "/engine.address");
  auto findings = judge(examine(loaded.values, in_use));
  bool faulty = !loaded.problems.empty();
  json items = json::array();
  for (auto& f : findings) {
    faulty = faulty || f.level == finding_level::fault;
    items.push_back(to_json(f));
  }
  if (s.options.json) {
    s.print_json({{"items", items}, {"next", nullptr}});
    return faulty ? refused : done_well;
  }
  for (auto& f : findings) {
    auto mark = f.level == finding_level::fine ? "ok    " : f.level == finding_level::warning ? "warn  " : "FAULT ";
    if (s.options.quiet && f.level == finding_level::fine) continue;
    s.out << mark << f.what << ": " << printable(f.detail) << "\n";
    if (!f.remedy.empty()) s.out << "      " << f.remedy << "\n";
  }
  s.out << (faulty ? "Poseidon will not work here before the faults are mended.\n" : "Poseidon can work here.\n");
  return faulty ? refused : done_well;
}

int version(session& s, bool brief) {
  auto& v = s.around().version;
  if (s.options.json)
    s.print_json({{"name", "poseidon"}, {"version", v}});
  else
    s.out << (brief ? "" : "poseidon ") << v << "\n";
  return done_well;
}

} // namespace

void add_local_commands(CLI::App& app, chosen& choice) {
  auto* config =
      app.add_subcommand("config", "every setting with value, source and default; --config FILE reads that file");
  config->fallthrough();
  auto example = std::make_shared<bool>(false);
  config->add_flag("--example", *example, "a settings file with everything in it, commented out");
  config->callback([&choice, example, config] {
    if (!config->get_subcommands().empty()) return;
    choice.run = [example](session& s) {
      return *example ? (s.out << config::example_file(), static_cast<int>(done_well)) : list_settings(s);
    };
  });
  auto name = std::make_shared<std::string>(), value = std::make_shared<std::string>();
  auto* get = config->add_subcommand("get", "the value of one setting here");
  get->add_option("setting", *name, "like edge.domain")->required();
  get->callback([&choice, name] { choice.run = [name](session& s) { return get_setting(s, *name); }; });
  auto* set = config->add_subcommand("set", "change a live setting of the running server");
  set->add_option("setting", *name, "like limits.per_owner")->required();
  set->add_option("value", *value, "as in the file; a list as JSON")->required();
  set->callback(
      [&choice, name, value] { choice.run = [name, value](session& s) { return set_setting(s, *name, *value); }; });

  app.add_subcommand("doctor", "what is wrong with this machine, and how to mend it")->callback([&choice] {
    choice.run = doctor;
  });

  auto brief = std::make_shared<bool>(false);
  auto* v = app.add_subcommand("version", "which Poseidon this is");
  v->add_flag("--short", *brief, "the number alone");
  v->callback([&choice, brief] { choice.run = [brief](session& s) { return version(s, *brief); }; });

  auto shell = std::make_shared<std::string>();
  auto* completion =
      app.add_subcommand("completion", "a script that completes commands: source <(poseidon completion bash)");
  completion->add_option("shell", *shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  completion->callback([&choice, shell, &app] {
    choice.run = [shell, &app](session& s) { return s.out << completion_script(app, *shell), done_well; };
  });
}

} // namespace poseidon::cli
