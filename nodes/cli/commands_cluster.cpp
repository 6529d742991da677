// cluster init, join: what makes several processes one cluster.

#include "nodes/cli/commands.hpp"
#include "nodes/cli/joining.hpp"
#include "nodes/cli/nats_setup.hpp"
#include "nodes/cli/unit.hpp"
#include "nodes/host/data_folder.hpp"

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <memory>

namespace poseidon::cli {

config::loaded_settings settings_here(session& s, bool tolerant, const std::vector<std::string>& flags, bool tell) {
  config::settings_input input;
  input.environment = s.around().environment;
  input.host_name = s.around().host_name;
  auto file = s.options.config.empty() ? config::settings_file({}, input.environment) : std::optional(s.options.config);
  if (file) {
    auto text = config::read_settings_file(*file);
    if (!text) s.fail(wrong_usage, text.error.detail);
    input.file_text = *text;
    input.file_name = *file;
  }
  if (!s.options.data.empty()) input.flags = {"--data", s.options.data};
  std::ranges::copy(flags, std::back_inserter(input.flags));
  auto loaded = load_member_settings(std::move(input));
  if (!tell) return loaded;
  for (auto& w : loaded.warnings)
    s.err << "warning: " << w << "\n";
  for (auto& p : loaded.problems)
    s.err << (tolerant ? "warning: " : "error: ") << p.path << ": " << p.detail << "\n";
  if (!tolerant && !loaded.problems.empty()) throw command_failed{wrong_usage};
  return loaded;
}

namespace {

[[noreturn]] void fail(session& s, const failure& why) { s.fail(why.code == errc::invalid_field || why.code == errc::bad_request ? wrong_usage : refused, why.detail); }

/// What `cluster init` was told.
struct init_options {
  std::vector<std::string> nats;
  std::string cluster, server_config;
  std::uint32_t replicas = 0; ///< 0: as the settings say or, for servers that are set up here, as many as usual_replicas()
};

/// Settings of a process whose user and certificates are about to be made in its DATA.
config::loaded_settings settings_to_be(session& s, const init_options& told) {
  std::vector<std::string> flags;
  for (auto& url : told.nats) flags.insert(flags.end(), {"--nats", url});
  if (!told.cluster.empty()) flags.insert(flags.end(), {"--cluster", told.cluster});
  if (told.server_config.empty()) return settings_here(s, false, flags);
  const auto data = std::filesystem::absolute(settings_here(s, true, flags, false).values.data).string();
  flags.insert(flags.end(), {"--nats-nkey", data + "/nats.nk", "--nats-ca", data + "/nats-ca.pem"});
  return settings_here(s, false, flags);
}

void tell_server_files(session& s, const std::vector<std::string>& folders) {
  for (auto& folder : folders) s.err << "NATS server: " << folder << "/nats-server.conf (start it with nats-server -c)\n";
  s.err << "On another machine the folder lies at the same place. Its keys are for the server alone.\n";
}

std::uint32_t replicas_for(session& s, const init_options& told, const config::settings& settings) {
  const auto servers = settings.nats.urls.size();
  if (told.server_config.empty()) return told.replicas ? told.replicas : settings.nats.replicas;
  const auto wanted = told.replicas ? told.replicas : std::max(settings.nats.replicas, usual_replicas(servers));
  if (wanted > servers)
    s.fail(wrong_usage, std::to_string(wanted) + " copies of the log need as many servers, and --nats names " + std::to_string(servers));
  return wanted;
}

int init(session& s, const init_options& told) {
  const auto loaded = settings_to_be(s, told);
  auto settings = loaded.values;
  settings.nats.replicas = replicas_for(s, told, settings);
  std::vector<std::string> folders;
  if (!told.server_config.empty()) {
    if (settings.nats.urls.empty()) s.fail(wrong_usage, "name the servers with --nats tls://HOST:PORT");
    for (auto& url : settings.nats.urls)
      if (!url.starts_with("tls://")) s.fail(wrong_usage, "the servers that --server-config sets up speak TLS: write " + url + " as tls://");
    auto written = set_up_nats(settings, settings.nats.urls, told.server_config);
    if (!written) fail(s, written.error);
    folders = std::move(*written);
  }
  auto token = make_join_token(settings);
  if (!token) fail(s, token.error);
  if (auto failed = write_joined(*token, settings)) fail(s, failed);
  const auto word = config::to_word(*token);
  if (s.options.json) s.print_json({{"cluster", token->cluster}, {"data", settings.data}, {"token", word.reveal()}, {"nats_servers", folders}});
  else s.out << word.reveal() << "\n";
  if (s.options.quiet || s.options.json) return done_well;
  if (!folders.empty()) tell_server_files(s, folders);
  s.err << "Whoever has this token is in the cluster " << token->cluster << ". On each machine:\n"
        << "  poseidon join TOKEN --data DIR\n  poseidon serve --data DIR --node NAME\n"
        << "This DATA (" << settings.data << ") is a member already.\n";
  return done_well;
}

/// A token of the cluster that this DATA belongs to.
int token(session& s, const std::vector<std::string>& roles) {
  for (auto& name : roles)
    if (!enum_from_string<config::role>(name)) s.fail(wrong_usage, "there is no role " + name + ": gateway, node, edge, notifier");
  const auto loaded = settings_here(s, false);
  auto made = make_join_token(loaded.values, roles);
  if (!made) fail(s, made.error);
  const auto word = config::to_word(*made);
  if (s.options.json) s.print_json({{"cluster", made->cluster}, {"roles", roles}, {"token", word.reveal()}});
  else s.out << word.reveal() << "\n";
  return done_well;
}

/// The token itself, or with "-" the first line of standard input: so that it stands in no list of processes.
std::string word_of(const std::string& given) {
  if (given != "-") return given;
  std::string line;
  std::getline(std::cin, line);
  return line;
}

int join(session& s, const std::string& given, bool unit) {
  const auto token = config::join_token_from(word_of(given));
  if (!token) fail(s, token.error);
  const auto loaded = settings_here(s, true);
  const auto here = this_machine();
  if (unit)
    if (auto why = can_install_unit(here)) fail(s, why);
  if (auto failed = write_joined(*token, loaded.values)) fail(s, failed);
  if (unit) {
    if (auto failed = install_unit(here, loaded.values)) fail(s, failed);
    if (auto failed = prepare_data_folder(loaded.values.data, loaded.values.user)) fail(s, failed); // the user may be new
    if (auto failed = start_unit(here)) fail(s, failed);
  }
  if (s.options.json) s.print_json({{"cluster", token->cluster}, {"data", loaded.values.data}, {"unit", unit}});
  else
    s.out << loaded.values.data << " is a member of the cluster " << token->cluster << " now: "
          << (unit ? "the service poseidon runs (systemctl status poseidon)" : "poseidon serve --data " + loaded.values.data) << "\n";
  return done_well;
}

} // namespace

void add_cluster_commands(CLI::App& app, chosen& choice) {
  auto* cluster = app.add_subcommand("cluster", "several processes as one");
  cluster->require_subcommand(1);
  auto* make = cluster->add_subcommand("init", "make the cluster's key in DATA, and print the token that others join with");
  auto told = std::make_shared<init_options>();
  make->add_option("--nats", told->nats, "NATS servers: nats://HOST:PORT or tls://HOST:PORT[,...]")->delimiter(',')->type_name("URL");
  make->add_option("--cluster", told->cluster, "the cluster's name")->type_name("NAME");
  make->add_option("--server-config", told->server_config,
                   "also make NATS users and certificates, and write a nats-server configuration for each server to this folder")
      ->type_name("DIR");
  make->add_option("--replicas", told->replicas, "servers that keep a copy of the log; with --server-config all of three or five by default")
      ->check(CLI::Range(1, 5))
      ->type_name("N");
  make->callback([&choice, told] { choice.run = [told](session& s) { return init(s, *told); }; });

  auto* again = cluster->add_subcommand("token", "print a token of the cluster that DATA belongs to");
  auto roles = std::make_shared<std::vector<std::string>>();
  again->add_option("--roles", *roles, "what its members are to be; edge and notifier alone get a NATS user that can't append to the ledger")
      ->delimiter(',')
      ->type_name("ROLE[,...]");
  again->callback([&choice, roles] { choice.run = [roles](session& s) { return token(s, *roles); }; });

  auto word = std::make_shared<std::string>();
  auto unit = std::make_shared<bool>(false);
  auto* become = app.add_subcommand("join", "make DATA a member of the cluster that a token names; - reads it from standard input");
  become->add_option("token", *word, "what `poseidon cluster init` printed")->required()->type_name("TOKEN");
  become->add_flag("--unit", *unit, "also install this program as a systemd service here, and start it");
  become->callback([&choice, word, unit] { choice.run = [word, unit](session& s) { return join(s, *word, *unit); }; });
}

} // namespace poseidon::cli
