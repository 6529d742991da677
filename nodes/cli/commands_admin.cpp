// nodes, keys, pause, resume, gc.

#include "nodes/cli/commands.hpp"
#include "nodes/cli/tables.hpp"

#include <algorithm>
#include <memory>

namespace poseidon::cli {
namespace {

using nlohmann::json;

json at(const json& object, const char* name) {
  return object.is_object() && object.contains(name) ? object[name] : json();
}

/// "48 MiB of 4 GiB"
std::string share(const json& reserved, const json& capacity, const char* field,
                  const std::function<std::string(std::uint64_t)>& show) {
  auto a = at(reserved, field), b = at(capacity, field);
  if (!a.is_number() || !b.is_number()) return {};
  return show(a.get<std::uint64_t>()) + " of " + show(b.get<std::uint64_t>());
}

/// "  3 moved, 1 stayed: no other node has room"; empty where nothing was to be moved.
std::string moved_text(const json& reply) {
  if (!at(reply, "moved").is_number()) return {};
  auto text = "  " + text_at(reply, "moved") + " moved";
  if (text_at(reply, "stayed") != "0") text += ", " + text_at(reply, "stayed") + " stayed: " + text_at(reply, "why");
  return text;
}

/// "cpu 12 %, memory 40 %"; empty for a node that is not heard.
std::string load_of(const json& node) {
  auto load = at(node, "load");
  auto cpu = at(load, "cpu_permille"), memory = at(load, "memory_permille");
  if (!cpu.is_number() || !memory.is_number()) return {};
  auto percent = [](const json& permille) { return std::to_string((permille.get<std::uint64_t>() + 5) / 10) + " %"; };
  return "cpu " + percent(cpu) + ", memory " + percent(memory);
}

/// "draining, 3 left, 12 min": with the time until the rest is evicted, or the limit where nobody saw when it began.
std::string state_of_node(const json& node, wall_time now) {
  auto state = text_at(node, "state");
  auto drain = at(node, "drain");
  if (!drain.is_object()) return state;
  state += text_at(drain, "left") == "0" ? ", empty" : ", " + text_at(drain, "left") + " left";
  if (text_at(drain, "left") == "0") return state;
  if (auto end = from_rfc3339(text_at(drain, "ends_at"))) return state + ", " + span(std::max<std::int64_t>(0, (*end - now).count()));
  if (auto limit = at(drain, "limit_ms"); limit.is_number()) return state + ", limit " + span(limit.get<std::int64_t>());
  return state;
}

int list_nodes(session& s) {
  auto items = s.list("/v1/nodes");
  if (s.options.json) return s.print_json({{"items", items}, {"next", nullptr}}), done_well;
  std::vector<std::vector<std::string>> rows;
  auto cores = [](std::uint64_t m) { return std::to_string(m / 1000) + "." + std::to_string(m % 1000 / 100); };
  for (auto& n : items) {
    auto reserved = at(n, "reserved"), capacity = at(n, "capacity");
    rows.push_back({text_at(n, "name"), state_of_node(n, s.around().now()), text_at(n, "instances"),
                    share(reserved, capacity, "memory_bytes", bytes), share(reserved, capacity, "cpu_millis", cores),
                    load_of(n), text_at(n, "trouble")});
  }
  if (s.options.quiet)
    for (auto& row : rows)
      s.out << row[0] << "\n";
  else
    s.out << table({"NAME", "STATE", "INSTANCES", "MEMORY", "CORES", "LOAD", "TROUBLE"}, rows);
  return done_well;
}

int list_keys(session& s) {
  auto items = s.list("/v1/keys");
  if (s.options.json) return s.print_json({{"items", items}, {"next", nullptr}}), done_well;
  std::vector<std::vector<std::string>> rows;
  for (auto& k : items) {
    std::string scopes;
    for (auto& scope : at(k, "scopes"))
      scopes += (scopes.empty() ? "" : ",") + (scope.is_string() ? scope.get<std::string>() : scope.dump());
    rows.push_back({text_at(k, "id"), scopes, text_at(k, "note"), when(text_at(k, "created_at"), s.around().now())});
  }
  s.out << table({"ID", "SCOPES", "NOTE", "CREATED"}, rows);
  return done_well;
}

int create_key(session& s, const std::vector<std::string>& scopes, const std::string& note) {
  auto reply = s.call("POST", "/v1/keys", {{"scopes", scopes}, {"note", note}});
  if (s.options.json) return s.print_json(reply), done_well;
  s.out << text_at(reply, "key") << "\n";
  if (!s.options.quiet)
    s.err << "this is the only time that the key is shown; its id is " << printable(text_at(reply, "id")) << "\n";
  return done_well;
}

int gc(session& s, bool dry) {
  auto report = s.call("POST", dry ? "/v1/gc?dry_run=true" : "/v1/gc", nullptr, millis{120'000});
  if (s.options.json) return s.print_json(report), done_well;
  auto removed = at(report, "removed"), kept = at(report, "kept");
  for (auto& line : removed)
    s.out << (dry ? "would remove " : "removed ") << printable(line.is_string() ? line.get<std::string>() : line.dump())
          << "\n";
  if (!s.options.quiet)
    for (auto& line : kept)
      s.out << "kept " << printable(line.is_string() ? line.get<std::string>() : line.dump()) << "\n";
  if (removed.empty()) s.out << "nothing to remove\n";
  return done_well;
}

/// As the API reads it.
std::string duration_query(millis span) {
  const auto ms = span.count();
  return ms % 1000 == 0 ? std::to_string(ms / 1000) + "s" : std::to_string(ms) + "ms";
}

void add_nodes(CLI::App& app, chosen& choice) {
  auto* group = app.add_subcommand("nodes", "list, drain and cordon nodes");
  group->require_subcommand(1);
  group->fallthrough();
  group->add_subcommand("ls", "all nodes")->alias("list")->callback([&choice] { choice.run = list_nodes; });
  auto name = std::make_shared<std::string>();
  auto move = std::make_shared<bool>(false);
  auto limit = std::make_shared<std::string>();
  for (auto [word, help, done] : {std::tuple("drain", "no new instances and no extensions; done when it is empty", "draining"),
                                  {"cordon", "no new instances; those there go on", "cordoned"},
                                  {"uncordon", "new instances again", "ready"}}) {
    auto* command = group->add_subcommand(word, help);
    command->add_option("node", *name, "its name")->required();
    if (word == std::string_view("drain")) {
      command->add_flag("--move", *move, "start its instances anew on other nodes");
      command->add_option("--limit", *limit, "evict what is left after this long, like 30m")->type_name("TIME");
    }
    command->callback([&choice, name, move, limit, word = std::string(word), done = std::string(done)] {
      choice.run = [name, move, limit, word, done](session& s) {
        std::string query = *move ? "?move=true" : "";
        if (!limit->empty())
          query += (query.empty() ? "?limit=" : "&limit=") + duration_query(duration_option(s, "--limit", *limit));
        auto reply = s.call("POST", "/v1/nodes/" + url_encode(*name) + "/" + word + query, nullptr, millis{120'000});
        if (s.options.json)
          s.print_json(reply);
        else
          s.out << *name << "  " << done << moved_text(reply) << "\n";
        return done_well;
      };
    });
  }
}

void add_keys(CLI::App& app, chosen& choice) {
  auto* group = app.add_subcommand("keys", "list, create and delete API keys");
  group->require_subcommand(1);
  group->fallthrough();
  group->add_subcommand("list", "all keys, without their secrets")->alias("ls")->callback([&choice] {
    choice.run = list_keys;
  });
  auto scopes = std::make_shared<std::vector<std::string>>(std::vector<std::string>{"platform"});
  auto note = std::make_shared<std::string>();
  auto* create = group->add_subcommand("create", "make a key and show it, once");
  create->add_option("--scope", *scopes, "admin, platform, read, metrics; may be repeated (platform)")
      ->delimiter(',')
      ->type_name("SCOPE");
  create->add_option("--note", *note, "who has it")->type_name("TEXT");
  create->callback(
      [&choice, scopes, note] { choice.run = [scopes, note](session& s) { return create_key(s, *scopes, *note); }; });
  auto id = std::make_shared<std::string>();
  auto* drop = group->add_subcommand("delete", "make a key invalid at once");
  drop->add_option("key", *id, "its id")->required();
  drop->callback([&choice, id] {
    choice.run = [id](session& s) {
      s.call("DELETE", "/v1/keys/" + url_encode(*id));
      if (!s.options.json) s.out << *id << "  deleted\n";
      return done_well;
    };
  });
}

} // namespace

void add_admin_commands(CLI::App& app, chosen& choice) {
  add_nodes(app, choice);
  add_keys(app, choice);
  auto message = std::make_shared<std::string>();
  auto* pause = app.add_subcommand("pause", "no new starts until resume; what runs goes on");
  pause->add_option("-m,--message", *message, "shown to whoever tries")->type_name("TEXT");
  pause->callback([&choice, message] {
    choice.run = [message](session& s) {
      s.call("POST", "/v1/pause", {{"message", *message}});
      if (!s.options.json) s.out << "paused\n";
      return done_well;
    };
  });
  app.add_subcommand("resume", "new starts again")->callback([&choice] {
    choice.run = [](session& s) {
      s.call("POST", "/v1/resume");
      if (!s.options.json) s.out << "resumed\n";
      return done_well;
    };
  });
  auto dry = std::make_shared<bool>(false);
  auto* collect = app.add_subcommand("gc", "remove what is ours in the engine and belongs to no instance");
  collect->add_flag("--dry-run", *dry, "only tell");
  collect->callback([&choice, dry] { choice.run = [dry](session& s) { return gc(s, *dry); }; });
}

} // namespace poseidon::cli
