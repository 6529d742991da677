// challenges list, show, enable, disable, lint, schema.

#include "config/challenge_folders.hpp"
#include "config/settings_load.hpp"
#include "nodes/cli/commands.hpp"
#include "nodes/cli/tables.hpp"

#include <memory>

namespace poseidon::cli {
namespace {

using nlohmann::json;

int list(session& s) {
  auto items = s.list("/v1/challenges");
  if (s.options.json) return s.print_json({{"items", items}, {"next", nullptr}}), done_well;
  std::vector<std::vector<std::string>> rows;
  for (auto& item : items) {
    auto metadata = item.is_object() && item.contains("metadata") ? item["metadata"] : json();
    auto lifetime = item.is_object() && item.contains("lifetime_ms") && item["lifetime_ms"].is_number()
                        ? span(item["lifetime_ms"].get<std::int64_t>())
                        : "";
    rows.push_back({text_at(item, "id"), text_at(metadata, "name"),
                    text_at(item, "enabled") == "false" ? "disabled" : "enabled", text_at(item, "live_instances"),
                    lifetime, text_at(item, "revision").substr(0, 19)});
  }
  if (s.options.quiet)
    for (auto& row : rows)
      s.out << row[0] << "\n";
  else
    s.out << table({"ID", "NAME", "STATE", "LIVE", "LIFETIME", "REVISION"}, rows);
  return done_well;
}

int lint(session& s, const std::string& dir) {
  auto listing = config::read_challenges(dir, {});
  int wrong = 0, fine = 0;
  auto report = json::array();
  auto tell = [&](const std::string& folder, const std::string& id, const std::vector<field_problem>& problems) {
    wrong += !problems.empty();
    json errors = json::array();
    for (auto& p : problems) {
      errors.push_back({{"path", p.path}, {"detail", p.detail}});
      if (!s.options.json)
        s.out << folder << ": " << (p.path.empty() ? "" : p.path + ": ") << printable(p.detail) << "\n";
    }
    report.push_back({{"folder", folder}, {"challenge", id.empty() ? json(nullptr) : json(id)}, {"errors", errors}});
  };
  if (!listing.problems.empty()) tell(dir, "", listing.problems);
  for (auto& f : listing.folders) {
    if (f.nothing_to_run) continue;
    fine += f.value.has_value();
    tell(f.folder, f.value ? f.value->id.value : "", f.problems);
  }
  if (s.options.json)
    s.print_json({{"items", report}, {"next", nullptr}});
  else
    s.out << fine << (fine == 1 ? " challenge is" : " challenges are") << " fine"
          << (wrong ? ", " + std::to_string(wrong) + " not" : "") << "\n";
  return wrong ? refused : done_well;
}

int rescan(session& s) {
  auto report = s.call("POST", "/v1/challenges/rescan", nullptr, millis{120'000});
  auto problems = report.is_object() && report.contains("problems") ? report["problems"] : json::array();
  if (s.options.json) return s.print_json(report), problems.empty() ? done_well : refused;
  for (auto& folder : problems)
    for (auto& error : folder.is_object() && folder.contains("errors") ? folder["errors"] : json::array())
      s.out << printable(text_at(folder, "folder") + ": " + text_at(error, "path") + ": " + text_at(error, "detail"))
            << "\n";
  s.out << text_at(report, "challenges") << " challenges\n";
  return problems.empty() ? done_well : refused;
}

} // namespace

void add_challenge_commands(CLI::App& app, chosen& choice) {
  auto* group = app.add_subcommand("challenges", "list, check, enable and disable challenges");
  group->require_subcommand(1);
  group->fallthrough();
  group->add_subcommand("list", "what can be started")->callback([&choice] { choice.run = list; });
  auto id = std::make_shared<std::string>();
  auto* show = group->add_subcommand("show", "one challenge, as JSON");
  show->add_option("challenge", *id, "its id")->required();
  show->callback([&choice, id] {
    choice.run = [id](session& s) {
      return s.print_json(s.call("GET", "/v1/challenges/" + url_encode(*id))), done_well;
    };
  });
  for (auto [word, help] :
       {std::pair("disable", "no new instances of it; those that run go on"), {"enable", "new instances again"}}) {
    auto* command = group->add_subcommand(word, help);
    command->add_option("challenge", *id, "its id")->required();
    command->callback([&choice, id, word = std::string(word)] {
      choice.run = [id, word](session& s) {
        auto reply = s.call("POST", "/v1/challenges/" + url_encode(*id) + "/" + word);
        if (s.options.json)
          s.print_json(reply);
        else
          s.out << *id << "  " << word << "d\n";
        return done_well;
      };
    });
  }
  group->add_subcommand("rescan", "read the folders now, and tell their problems")->callback([&choice] {
    choice.run = rescan;
  });
  auto dir = std::make_shared<std::string>(".");
  auto* check = group->add_subcommand("lint", "check folders without a server; every problem with its path");
  check->add_option("dir", *dir, "directory with challenge folders (.)");
  check->callback([&choice, dir] { choice.run = [dir](session& s) { return lint(s, *dir); }; });
  group->add_subcommand("schema", "the JSON Schema of challenge.yml")->callback([&choice] {
    choice.run = [](session& s) { return s.out << config::challenge_schema_text(), done_well; };
  });
}

} // namespace poseidon::cli
