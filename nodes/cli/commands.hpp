#pragma once
// The commands, grouped; each adds itself to the parser and says what it does once chosen.

#include "config/settings_load.hpp"
#include "nodes/cli/session.hpp"

#include <CLI/CLI.hpp>

#include <functional>

namespace poseidon::cli {

/// What a command does; the result is the exit code.
using action = std::function<int(session&)>;
/// Where a parsed command leaves its action.
struct chosen {
  action run;
};

/// start, ps, show, extend, reset, stop.
void add_instance_commands(CLI::App& app, chosen& choice);
/// logs, events.
void add_stream_commands(CLI::App& app, chosen& choice);
/// challenges.
void add_challenge_commands(CLI::App& app, chosen& choice);
/// nodes, keys, pause, resume, gc.
void add_admin_commands(CLI::App& app, chosen& choice);
/// notifications.
void add_notification_commands(CLI::App& app, chosen& choice);
/// backup, restore.
void add_backup_commands(CLI::App& app, chosen& choice);
/// config, version, completion, doctor.
void add_local_commands(CLI::App& app, chosen& choice);

/// cluster, join.
void add_cluster_commands(CLI::App& app, chosen& choice);

/// The settings that serve would start with here, with `flags`; problems and warnings are told, problems end the command
/// unless `tolerant`. Not told: for a look at what will be changed anyway.
config::loaded_settings settings_here(session& s, bool tolerant, const std::vector<std::string>& flags = {}, bool tell = true);

/// A completion script for bash, zsh or fish, made from the parser's own commands and options.
std::string completion_script(const CLI::App& app, const std::string& shell);

/// Shows an instance, for people.
void show_instance(session& s, const nlohmann::json& instance);
/// Waits until an instance runs or ended, telling progress on `err`; the last state. `limit` ends it with ran_out.
nlohmann::json wait_until_running(session& s, nlohmann::json instance, millis limit);
/// The exit code that an instance's state means for somebody who waited for it to run.
int code_of_state(const std::string& state);
/// Reads an option's duration, like 30s; ends the command when it is none.
millis duration_option(session& s, const std::string& name, const std::string& text);

} // namespace poseidon::cli
