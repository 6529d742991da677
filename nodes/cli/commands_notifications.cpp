// notifications.

#include "nodes/cli/commands.hpp"
#include "nodes/cli/tables.hpp"

#include <memory>

namespace poseidon::cli {
namespace {

using nlohmann::json;

int list_receivers(session& s) {
  const auto items = s.list("/v1/notifications");
  if (s.options.json) return s.print_json({{"items", items}, {"next", nullptr}}), done_well;
  const auto now = s.around().now();
  std::vector<std::vector<std::string>> rows;
  for (auto& r : items) {
    auto state = text_at(r, "state");
    if (auto since = text_at(r, "failing_since"); !since.empty()) state += " since " + when(since, now);
    rows.push_back({text_at(r, "name"), text_at(r, "type"), state, text_at(r, "pending"), text_at(r, "delivered"), text_at(r, "dead"),
                    when(text_at(r, "last_delivered_at"), now), printable(text_at(r, "last_error"))});
  }
  if (s.options.quiet)
    for (auto& row : rows) s.out << row[0] << "\n";
  else
    s.out << table({"NAME", "TYPE", "STATE", "PENDING", "DELIVERED", "DEAD", "LAST DELIVERY", "LAST ERROR"}, rows);
  return done_well;
}

int list_dead(session& s, const std::string& receiver) {
  const auto items = s.list(receiver.empty() ? "/v1/notifications/dead" : "/v1/notifications/dead?receiver=" + url_encode(receiver));
  if (s.options.json) return s.print_json({{"items", items}, {"next", nullptr}}), done_well;
  std::vector<std::vector<std::string>> rows;
  for (auto& d : items)
    rows.push_back({text_at(d, "id"), text_at(d, "receiver"), text_at(d, "type"), text_at(d, "challenge"), text_at(d, "instance"), text_at(d, "attempts"),
                    when(text_at(d, "died_at"), s.around().now()), printable(text_at(d, "reason"))});
  if (s.options.quiet)
    for (auto& row : rows) s.out << row[0] << "\n";
  else
    s.out << table({"ID", "RECEIVER", "EVENT", "CHALLENGE", "INSTANCE", "ATTEMPTS", "GIVEN UP", "REASON"}, rows);
  return done_well;
}

/// What `replay` was told to send again.
struct replay_options {
  std::string id, receiver;
  bool all = false;
};

int replay(session& s, const replay_options& what) {
  if ((what.id.empty() ? 0 : 1) + (what.all ? 1 : 0) + (what.receiver.empty() ? 0 : 1) != 1)
    s.fail(wrong_usage, "name one dead letter by its id, or --receiver NAME, or --all");
  const auto path = "/v1/notifications/dead/" + (what.id.empty() ? std::string("replay") : url_encode(what.id) + "/replay");
  const auto query = what.all ? std::string("?all=true") : what.receiver.empty() ? std::string{} : "?receiver=" + url_encode(what.receiver);
  const auto reply = s.call("POST", path + query);
  if (s.options.json) return s.print_json(reply), done_well;
  s.out << text_at(reply, "replayed") << " sent again\n";
  return done_well;
}

} // namespace

void add_notification_commands(CLI::App& app, chosen& choice) {
  auto* group = app.add_subcommand("notifications", "webhooks and Discord channels, and what they did not get");
  group->require_subcommand(1);
  group->fallthrough();
  group->add_subcommand("ls", "all receivers and how they fare")->alias("list")->callback([&choice] { choice.run = list_receivers; });
  auto receiver = std::make_shared<std::string>();
  auto* dead = group->add_subcommand("dead", "events that were given up");
  dead->add_option("--receiver", *receiver, "of this one alone")->type_name("NAME");
  dead->callback([&choice, receiver] { choice.run = [receiver](session& s) { return list_dead(s, *receiver); }; });
  auto what = std::make_shared<replay_options>();
  auto* again = group->add_subcommand("replay", "send dead letters again");
  again->add_option("id", what->id, "one, by its id");
  again->add_option("--receiver", what->receiver, "those of this one")->type_name("NAME");
  again->add_flag("--all", what->all, "every one");
  again->callback([&choice, what] { choice.run = [what](session& s) { return replay(s, *what); }; });
}

} // namespace poseidon::cli
