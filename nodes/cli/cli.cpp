#include "nodes/cli/cli.hpp"

#include "config/settings_load.hpp"
#include "config/suggest.hpp"
#include "nodes/cli/commands.hpp"

#include <algorithm>

namespace poseidon::cli {
namespace {

constexpr const char* footer = R"(
Where the server is: --address, else POSEIDON_ADDR, else DATA/api.address, else the setting api.listen.
The key: --key, else POSEIDON_KEY, else DATA/admin.key; DATA is --data, else POSEIDON_DATA, else the setting data.

Exit codes: 0 done · 1 refused or failed · 2 wrong usage · 3 no server answers · 4 not found · 5 not allowed ·
6 the instance ended before it ran · 7 the time of --timeout is over

"poseidon COMMAND --help" tells more. Examples:
  poseidon start hello --user alice --wait
  poseidon ps --team blue
  poseidon stop --challenge hello)";

/// `serve` is run by main; here it is for the list of commands and for completion.
void add_serve(CLI::App& app, chosen& choice) {
  auto* command = app.add_subcommand("serve", "run Poseidon on this machine");
  command->footer("Every setting works as an environment variable too, and in the file; poseidon config lists them.");
  for (auto& view : config::list_settings({})) {
    if (view.flag.empty()) continue;
    bool is_switch = view.type == "true or false";
    // Read by config, which knows every spelling; registered for help and completion only.
    if (is_switch)
      command->add_flag(view.flag, view.help);
    else
      command->add_option(view.flag, view.help)->expected(0, -1);
  }
  command->add_option("--join", "join the cluster of this token first (poseidon cluster init)");
  command->add_option("--config", "settings file, YAML or JSON (POSEIDON_CONFIG)");
  command->callback([&choice] {
    choice.run = [](session& s) -> int {
      s.fail(wrong_usage, "serve is the program's own; it can't be run from here");
    };
  });
}

void add_common(CLI::App& app, common_options& options) {
  app.add_option("--address", options.address,
                 "where the server is, like http://127.0.0.1:8080 or unix:/run/poseidon/api.sock")
      ->type_name("ADDR");
  app.add_option("--key", options.key, "API key")->type_name("KEY");
  app.add_option("--data", options.data, "DATA of a server on this machine")->type_name("DIR");
  app.add_option("--config", options.config, "settings file of a server on this machine")->type_name("FILE");
  app.add_flag("--json", options.json, "answers as JSON, for programs");
  app.add_flag("-q,--quiet", options.quiet, "no progress; lists show ids only");
}

/// For an unknown command CLI11 says only that one is required; this names it, and what was probably meant.
std::string complaint(const CLI::App& app, const std::vector<std::string>& arguments, const CLI::ParseError& error) {
  std::vector<std::string> names;
  for (auto* command : app.get_subcommands({}))
    names.push_back(command->get_name());
  auto named = std::ranges::find_if(arguments, [](auto& argument) { return !argument.starts_with("-"); });
  if (named == arguments.end() || std::ranges::count(names, *named) > 0) return error.what();
  return "there is no command '" + *named + "'" + config::did_you_mean(*named, std::vector<std::string_view>(names.begin(), names.end()));
}

} // namespace

std::string serve_help() {
  return "Usage: poseidon serve [OPTIONS]\n\nRuns Poseidon on this machine until SIGTERM; containers stay, and the "
         "next start adopts them.\n\n" +
         config::flags_help() + "  --join TOKEN                     join the cluster of this token first (poseidon cluster init prints it)\n" +
         "\nEvery setting works in the file and as an environment variable too: poseidon config lists them all.\n";
}

int run_cli(const std::vector<std::string>& arguments, const surroundings& around, std::ostream& out,
            std::ostream& err) {
  session s(around, out, err);
  chosen choice;
  CLI::App app{"Poseidon gives every user their own short-lived container instance of a challenge.", "poseidon"};
  app.require_subcommand(1);
  app.fallthrough();
  app.set_help_flag("-h,--help", "this help");
  app.set_version_flag("--version", "poseidon " + around.version, "which Poseidon this is");
  add_common(app, s.options);
  add_serve(app, choice);
  add_instance_commands(app, choice);
  add_stream_commands(app, choice);
  add_challenge_commands(app, choice);
  add_admin_commands(app, choice);
  add_notification_commands(app, choice);
  add_cluster_commands(app, choice);
  add_backup_commands(app, choice);
  add_local_commands(app, choice);
  app.footer(footer + 1); // last: subcommands would inherit it
  try {
    auto reversed = arguments;
    std::ranges::reverse(reversed);
    if (arguments.empty()) {
      out << app.help();
      return wrong_usage;
    }
    if (arguments.front() == "serve") {
      out << serve_help();
      return done_well;
    }
    app.parse(reversed);
    return choice.run(s);
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) return app.exit(e, out, err); // help, version
    err << "error: " << complaint(app, arguments, e) << "\nSee poseidon --help.\n";
    return wrong_usage;
  } catch (const command_failed& failed) {
    return failed.code;
  }
}

} // namespace poseidon::cli
