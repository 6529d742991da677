// cluster init, join: what makes several processes one cluster.

#include "nodes/cli/commands.hpp"
#include "nodes/cli/joining.hpp"

#include <algorithm>
#include <iostream>
#include <iterator>
#include <memory>

namespace poseidon::cli {

config::loaded_settings settings_here(session& s, bool tolerant, const std::vector<std::string>& flags) {
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
  for (auto& w : loaded.warnings)
    s.err << "warning: " << w << "\n";
  for (auto& p : loaded.problems)
    s.err << (tolerant ? "warning: " : "error: ") << p.path << ": " << p.detail << "\n";
  if (!tolerant && !loaded.problems.empty()) throw command_failed{wrong_usage};
  return loaded;
}

namespace {

[[noreturn]] void fail(session& s, const failure& why) { s.fail(why.code == errc::invalid_field || why.code == errc::bad_request ? wrong_usage : refused, why.detail); }

int init(session& s, const std::vector<std::string>& flags) {
  const auto loaded = settings_here(s, false, flags);
  auto token = make_join_token(loaded.values);
  if (!token) fail(s, token.error);
  if (auto failed = write_joined(*token, loaded.values)) fail(s, failed);
  const auto word = config::to_word(*token);
  if (s.options.json) s.print_json({{"cluster", token->cluster}, {"data", loaded.values.data}, {"token", word.reveal()}});
  else s.out << word.reveal() << "\n";
  if (!s.options.quiet && !s.options.json)
    s.err << "Whoever has this token is in the cluster " << token->cluster << ". On each machine:\n"
          << "  poseidon join TOKEN --data DIR\n  poseidon serve --data DIR --node NAME\n"
          << "This DATA (" << loaded.values.data << ") is a member already.\n";
  return done_well;
}

/// The token itself, or with "-" the first line of standard input: so that it stands in no list of processes.
std::string word_of(const std::string& given) {
  if (given != "-") return given;
  std::string line;
  std::getline(std::cin, line);
  return line;
}

int join(session& s, const std::string& given) {
  const auto token = config::join_token_from(word_of(given));
  if (!token) fail(s, token.error);
  const auto loaded = settings_here(s, true);
  if (auto failed = write_joined(*token, loaded.values)) fail(s, failed);
  if (s.options.json) s.print_json({{"cluster", token->cluster}, {"data", loaded.values.data}});
  else s.out << loaded.values.data << " is a member of the cluster " << token->cluster << " now: poseidon serve --data " << loaded.values.data << "\n";
  return done_well;
}

} // namespace

void add_cluster_commands(CLI::App& app, chosen& choice) {
  auto* cluster = app.add_subcommand("cluster", "several processes as one");
  cluster->require_subcommand(1);
  auto* make = cluster->add_subcommand("init", "make the cluster's key in DATA, and print the token that others join with");
  auto nats = std::make_shared<std::vector<std::string>>();
  auto name = std::make_shared<std::string>();
  make->add_option("--nats", *nats, "NATS servers: nats://HOST:PORT[,...]")->delimiter(',')->type_name("URL");
  make->add_option("--cluster", *name, "the cluster's name")->type_name("NAME");
  make->callback([&choice, nats, name] {
    choice.run = [nats, name](session& s) {
      std::vector<std::string> flags;
      for (auto& url : *nats) flags.insert(flags.end(), {"--nats", url});
      if (!name->empty()) flags.insert(flags.end(), {"--cluster", *name});
      return init(s, flags);
    };
  });
  auto word = std::make_shared<std::string>();
  auto* become = app.add_subcommand("join", "make DATA a member of the cluster that a token names; - reads it from standard input");
  become->add_option("token", *word, "what `poseidon cluster init` printed")->required()->type_name("TOKEN");
  become->callback([&choice, word] { choice.run = [word](session& s) { return join(s, *word); }; });
}

} // namespace poseidon::cli
