// start, ps, show, extend, reset, stop.

#include "config/units.hpp"
#include "nodes/cli/commands.hpp"
#include "nodes/cli/tables.hpp"

#include <fstream>
#include <iostream>
#include <memory>
#include <sstream>

namespace poseidon::cli {
namespace {

using nlohmann::json;
constexpr millis one_look{2'000}; // a wait is made of looks this long, so that progress is seen

struct wait_options {
  bool wait = false;
  std::string timeout = "5m";
};
void add_wait(CLI::App& command, wait_options& options) {
  command.add_flag("-w,--wait", options.wait, "until it runs, with progress");
  command.add_option("--timeout", options.timeout, "waits at most this long (5m)")->type_name("TIME");
}

struct start_options : wait_options {
  std::string challenge, spec, user, team, user_name, team_name, flag, metadata, key;
};
struct filter_options {
  std::string user, team, challenge, state, node;
  bool all = false;
};
struct stop_options {
  std::vector<std::string> ids;
  std::string challenge, team, reason;
  bool all = false;
};

std::string path_of(const std::string& id, const std::string& rest = {}) {
  return "/v1/instances/" + url_encode(id) + rest;
}

json read_json(session& s, const std::string& what, const std::string& text) {
  auto value = json::parse(text, nullptr, false);
  if (value.is_discarded()) s.fail(wrong_usage, what + " is not JSON");
  return value;
}

std::string read_file(session& s, const std::string& file) {
  std::ostringstream text;
  if (file == "-") {
    text << std::cin.rdbuf();
    return text.str();
  }
  std::ifstream in(file);
  if (!in) s.fail(wrong_usage, "can't read " + file);
  text << in.rdbuf();
  return text.str();
}

json start_body(session& s, const start_options& o) {
  json owner{{"user", o.user}};
  if (!o.team.empty()) owner["team"] = o.team;
  if (!o.user_name.empty()) owner["user_name"] = o.user_name;
  if (!o.team_name.empty()) owner["team_name"] = o.team_name;
  json body{{"owner", owner}};
  if (o.spec.empty() == o.challenge.empty()) s.fail(wrong_usage, "name a challenge, or give --spec FILE");
  if (o.spec.empty())
    body["challenge"] = o.challenge;
  else
    body["spec"] = read_json(s, o.spec, read_file(s, o.spec));
  if (!o.flag.empty()) body["flag"] = o.flag;
  if (!o.metadata.empty()) body["metadata"] = read_json(s, "--metadata", o.metadata);
  return body;
}

/// Shows what a command left; the exit code tells how a wait ended.
int finish(session& s, json instance, const wait_options& o) {
  if (o.wait) instance = wait_until_running(s, std::move(instance), duration_option(s, "--timeout", o.timeout));
  if (s.options.json)
    s.print_json(instance);
  else if (s.options.quiet)
    s.out << text_at(instance, "id") << "\n";
  else
    show_instance(s, instance);
  return o.wait ? code_of_state(text_at(instance, "state")) : done_well;
}

int start(session& s, const start_options& o) {
  http_request request{
      "POST", "/v1/instances", start_body(s, o).dump(-1, ' ', false, json::error_handler_t::replace), {}};
  if (!o.key.empty()) request.headers.emplace_back("Idempotency-Key", o.key);
  auto reply = s.send(std::move(request), millis{60'000});
  return finish(s, json::parse(reply.body, nullptr, false), o);
}

std::string query_of(const filter_options& o) {
  std::string out;
  for (auto& [name, value] :
       {std::pair("user", o.user), {"team", o.team}, {"challenge", o.challenge}, {"state", o.state}, {"node", o.node}})
    if (!value.empty()) out += (out.empty() ? "?" : "&") + std::string(name) + "=" + url_encode(value);
  return out;
}

bool has_ended(const std::string& state) {
  return state == "stopped" || state == "expired" || state == "failed" || state == "lost";
}

int ps(session& s, const filter_options& o) {
  auto items = s.list("/v1/instances" + query_of(o));
  json shown = json::array();
  for (auto& item : items)
    if (o.all || !o.state.empty() || !has_ended(text_at(item, "state"))) shown.push_back(item);
  if (s.options.json) return s.print_json({{"items", shown}, {"next", nullptr}}), done_well;
  std::vector<std::vector<std::string>> rows;
  auto now = s.around().now();
  for (auto& item : shown) {
    auto owner = item.is_object() && item.contains("owner") ? text_at(item["owner"], "key") : "";
    auto end = text_at(item, has_ended(text_at(item, "state")) ? "ended_at" : "expires_at");
    rows.push_back({text_at(item, "id"), text_at(item, "challenge"), owner, text_at(item, "state"), when(end, now),
                    text_at(item, "node"), text_at(item, "url")});
  }
  if (s.options.quiet)
    for (auto& row : rows)
      s.out << row[0] << "\n";
  else
    s.out << table({"ID", "CHALLENGE", "OWNER", "STATE", "ENDS", "NODE", "URL"}, rows);
  return done_well;
}

int stop_many(session& s, const stop_options& o) {
  if (o.all + !o.challenge.empty() + !o.team.empty() != 1)
    s.fail(wrong_usage, "name instances, or one of --challenge, --team, --all");
  auto query = o.all            ? "all=true"
               : o.team.empty() ? "challenge=" + url_encode(o.challenge)
                                : "team=" + url_encode(o.team);
  if (!o.reason.empty()) query += "&reason=" + url_encode(o.reason);
  auto reply = s.call("DELETE", "/v1/instances?" + query, nullptr, millis{120'000});
  auto failed = reply.is_object() && reply.contains("failed") ? reply["failed"] : json::array();
  int code = failed.empty() ? done_well : refused;
  if (s.options.json) return s.print_json(reply), code;
  auto count = reply.is_object() && reply.contains("items") ? std::to_string(reply["items"].size()) : "";
  s.out << "stopping " << (count.empty() ? "them" : count + (count == "1" ? " instance" : " instances")) << "\n";
  for (auto& each : failed)
    s.err << "error: "
          << printable(text_at(each, "id") + ": " + text_at(each, "detail") + " (" + text_at(each, "code") + ")")
          << "\n";
  return code;
}

int stop(session& s, const stop_options& o) {
  if (o.ids.empty()) return stop_many(s, o);
  if (o.all || !o.challenge.empty() || !o.team.empty())
    s.fail(wrong_usage, "instances and a selection (--challenge, --team, --all) don't go together");
  int worst = done_well;
  for (auto& id : o.ids) {
    try {
      auto instance = s.call("DELETE", path_of(id, o.reason.empty() ? "" : "?reason=" + url_encode(o.reason)));
      if (s.options.json)
        s.print_json(instance);
      else
        s.out << id << "  " << printable(text_at(instance, "state")) << "\n";
    } catch (const command_failed& failed) {
      worst = failed.code; // the others are stopped all the same
    }
  }
  return worst;
}

} // namespace

millis duration_option(session& s, const std::string& name, const std::string& text) {
  auto value = config::parse_duration(text);
  if (!value) s.fail(wrong_usage, name + ": " + value.problem);
  return *value.value;
}

int code_of_state(const std::string& state) {
  if (state == "running") return done_well;
  return has_ended(state) || state == "stopping" ? start_failed : ran_out;
}

/// "3, in about 2 min"
std::string queue_text(const json& queue) {
  auto text = text_at(queue, "position");
  if (!queue.is_object() || !queue.contains("eta_ms") || !queue["eta_ms"].is_number()) return text;
  return text + ", in about " + span(queue["eta_ms"].get<std::int64_t>());
}

/// The nodes that were not taken, each with the reason: "n2 fits as well (score 120 more), n3 is too small".
std::string passed_over(const json& placement) {
  if (!placement.is_object() || !placement.contains("candidates")) return {};
  std::string text;
  std::int64_t best = 0;
  for (auto& candidate : placement["candidates"]) {
    const auto node = text_at(candidate, "node"), why = text_at(candidate, "why_not");
    const auto points = candidate.contains("score") && candidate["score"].is_number() ? candidate["score"].get<std::int64_t>() : 0;
    if (node == text_at(placement, "node")) {
      best = points;
      continue;
    }
    text += (text.empty() ? "" : ", ") + node + " " + (why.empty() ? "fits as well (score " + std::to_string(points - best) + " more)" : why);
  }
  return text;
}

void show_instance(session& s, const json& instance) {
  auto now = s.around().now();
  auto inner = [&](const char* name) {
    return instance.is_object() && instance.contains(name) ? instance[name] : json();
  };
  auto owner = inner("owner"), failure = inner("failure"), progress = inner("progress"), extension = inner("extension"),
       queue = inner("queue"), placement = inner("placement");
  auto phase = text_at(progress, "phase"), percent = text_at(progress, "percent");
  std::string more;
  if (extension.is_object()) {
    more = text_at(extension, "allowed") == "true" ? "allowed now" : text_at(extension, "reason");
    if (auto next = text_at(extension, "next_at"); !next.empty()) more += ", from " + when(next, now);
  }
  s.out << pairs(
      {{"instance", text_at(instance, "id")},
       {"challenge", text_at(instance, "challenge")},
       {"owner", text_at(owner, "key")},
       {"state", text_at(instance, "state") +
                     (phase.empty() ? "" : ", " + phase + (percent.empty() ? "" : " " + percent + " %"))},
       {"reason", text_at(instance, "reason")},
       {"failure", failure.is_object() ? text_at(failure, "code") + ": " + text_at(failure, "detail") : ""},
       {"queue", queue_text(queue)},
       {"url", text_at(instance, "url")},
       {"connect",
        text_at(instance, "url") == text_at(instance, "connection_info") ? "" : text_at(instance, "connection_info")},
       {"node", text_at(instance, "node")},
       {"placement", text_at(placement, "reason")},
       {"passed over", passed_over(placement)},
       {"created", when(text_at(instance, "created_at"), now)},
       {"ends", when(text_at(instance, "expires_at"), now)},
       {"ended", when(text_at(instance, "ended_at"), now)},
       {"extension", has_ended(text_at(instance, "state")) ? "" : more}});
  if (auto tail = text_at(failure, "log_tail"); !tail.empty())
    s.out << "last lines of its log:\n" << tail << (tail.ends_with('\n') ? "" : "\n");
}

json wait_until_running(session& s, json instance, millis limit) {
  auto id = text_at(instance, "id");
  auto end = s.around().now() + limit;
  std::string told;
  bool line_open = false;
  auto tell = [&](const json& i) {
    if (s.options.quiet || s.options.json) return;
    auto progress = i.is_object() && i.contains("progress") ? i["progress"] : json();
    auto state = text_at(i, "state"), phase = text_at(progress, "phase"), percent = text_at(progress, "percent");
    auto now = printable(phase.empty() ? state : phase) + (percent.empty() ? "" : " " + percent + " %");
    if (now == told) return;
    told = now;
    if (s.around().err_is_terminal)
      s.err << "\r\033[K" << now << std::flush;
    else
      s.err << now << "\n";
    line_open = s.around().err_is_terminal;
  };
  tell(instance);
  for (auto state = text_at(instance, "state");
       (state == "pending" || state == "queued" || state == "stopping") && s.around().now() < end;
       state = text_at(instance, "state")) {
    auto left = std::min(one_look, end - s.around().now());
    instance = s.call(
        "GET", path_of(id, "?wait=running&timeout=" + std::to_string(std::max<std::int64_t>(left.count(), 1)) + "ms"),
        nullptr, left + millis{30'000});
    tell(instance);
  }
  if (line_open) s.err << "\r\033[K" << std::flush;
  return instance;
}

void add_instance_commands(CLI::App& app, chosen& choice) {
  auto* command = app.add_subcommand("start", "start an instance, or find the one that is there");
  auto o = std::make_shared<start_options>();
  command->add_option("challenge", o->challenge, "its id");
  command->add_option("-u,--user", o->user, "whose it is")->required()->type_name("ID");
  command->add_option("-t,--team", o->team, "the user's team; it then belongs to the team")->type_name("ID");
  command->add_option("--user-name", o->user_name, "shown name")->type_name("NAME");
  command->add_option("--team-name", o->team_name, "shown name")->type_name("NAME");
  command->add_option("--spec", o->spec, "an inline spec (JSON) in place of a challenge; - is standard input")
      ->type_name("FILE");
  command->add_option("--flag", o->flag, "the player's own flag")->type_name("TEXT");
  command->add_option("--metadata", o->metadata, "kept with the instance")->type_name("JSON");
  command->add_option("--idempotency-key", o->key, "the same key gives the same instance")->type_name("TEXT");
  add_wait(*command, *o);
  command->callback([&choice, o] { choice.run = [o](session& s) { return start(s, *o); }; });

  command = app.add_subcommand("ps", "list live instances");
  auto f = std::make_shared<filter_options>();
  command->add_option("-u,--user", f->user, "of this user")->type_name("ID");
  command->add_option("-t,--team", f->team, "of this team")->type_name("ID");
  command->add_option("-c,--challenge", f->challenge, "of this challenge")->type_name("ID");
  command->add_option("-s,--state", f->state, "in this state")->type_name("STATE");
  command->add_option("-n,--node", f->node, "on this node")->type_name("NAME");
  command->add_flag("-a,--all", f->all, "ended ones too");
  command->callback([&choice, f] { choice.run = [f](session& s) { return ps(s, *f); }; });

  struct one {
    std::string id;
    wait_options wait;
  };
  auto add_one = [&](const char* name, const char* help, const char* method, const char* rest, bool waits) {
    auto* c = app.add_subcommand(name, help);
    auto x = std::make_shared<one>();
    c->add_option("instance", x->id, "its id")->required();
    if (waits) add_wait(*c, x->wait);
    c->callback([&choice, x, method, rest] {
      choice.run = [x, method, rest](session& s) { return finish(s, s.call(method, path_of(x->id, rest)), x->wait); };
    });
  };
  add_one("show", "show one instance", "GET", "", true);
  add_one("extend", "give it more time, where the challenge allows it", "POST", "/extend", false);
  add_one("reset", "start it afresh, under the same URL", "POST", "/reset", true);

  command = app.add_subcommand("stop", "stop instances");
  auto x = std::make_shared<stop_options>();
  command->add_option("instances", x->ids, "their ids");
  command->add_option("-c,--challenge", x->challenge, "all of this challenge")->type_name("ID");
  command->add_option("-t,--team", x->team, "all of this team")->type_name("ID");
  command->add_flag("--all", x->all, "every instance");
  command->add_option("--reason", x->reason, "why, like solved")->type_name("WORD");
  command->callback([&choice, x] { choice.run = [x](session& s) { return stop(s, *x); }; });
}

} // namespace poseidon::cli
