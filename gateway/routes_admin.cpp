// Challenges, nodes and keys.

#include "gateway/api.hpp"
#include "gateway/routes_support.hpp"

namespace poseidon::gateway {

/// POST /v1/keys.
struct key_body {
  std::vector<std::string> scopes;
  std::string note;
};
POSEIDON_FIELDS(key_body, scopes, note)

namespace {

constexpr millis longest_drain{7LL * 24 * 3'600'000};

// --- challenges -----------------------------------------------------------------------------------------------------

void write_one(const call& c, json_writer& out, const challenge_row& challenge) {
  auto& services = c.services();
  std::optional<std::string> confidential;
  if (c.who().scopes.has(scope::admin) && services.hooks->reveal) {
    if (challenge.confidential.bytes.empty())
      confidential = "{}";
    else if (auto opened = services.hooks->reveal(challenge))
      confidential = opened->reveal();
  }
  write_challenge(out, challenge, confidential ? &*confidential : nullptr, services.model->live_of(challenge.id.value));
}

void list_challenges(const call& c) {
  auto list = c.services().model->challenges();
  c.json(200, render_list(list, {}, [&](json_writer& out, auto& challenge) { write_one(c, out, *challenge); }));
}

void answer_challenge(const call& c) {
  auto challenge = c.services().model->challenge(c.param(0));
  if (!challenge) return c.problem(errc::unknown_challenge, "there is no challenge " + c.param(0));
  std::string text;
  json_writer out(text);
  write_one(c, out, *challenge);
  c.json(200, std::move(text));
}

/// The answer to an append can be ahead of the view by a moment: wait for nothing, render what was asked for.
void set_enabled(const call& c, bool enabled) {
  auto challenge = c.services().model->challenge(c.param(0));
  if (!challenge) return c.problem(errc::unknown_challenge, "there is no challenge " + c.param(0));
  append_for(c, enable_challenge_entry{challenge->id, enabled}, [c, challenge, enabled] {
    auto changed = *challenge;
    changed.enabled = enabled;
    std::string text;
    json_writer out(text);
    write_one(c, out, changed);
    c.json(200, std::move(text));
  });
}
void enable(const call& c) { set_enabled(c, true); }
void disable(const call& c) { set_enabled(c, false); }

void rescan(const call& c) {
  c.services().actors->rescan([c](outcome<catalogue_report> report) {
    if (!report) return c.problem(report.error);
    std::string text;
    json_writer out(text);
    out.begin_object().number("challenges", report->challenges).key("problems").begin_array();
    for (auto& problem : report->problems) {
      out.begin_object().text("folder", problem.folder).text_or_null("challenge", problem.challenge).key("errors").begin_array();
      for (auto& error : problem.errors) out.begin_object().text("path", error.path).text("detail", error.detail).end_object();
      out.end_array().end_object();
    }
    out.end_array().end_object();
    c.json(200, std::move(text));
  });
}

// --- nodes ----------------------------------------------------------------------------------------------------------

void write_node_for(const call& c, json_writer& out, const node_row& node) {
  auto& report = c.services().hooks->report;
  write_node(out, node, report ? report(node.name) : std::nullopt, c.services().model->mode_since(node));
}

void list_nodes(const call& c) {
  auto list = c.services().model->nodes();
  c.json(200, render_list(list, {}, [&c](json_writer& out, auto& node) { write_node_for(c, out, *node); }));
}

void answer_node(const call& c, const node_row& node) {
  std::string text;
  json_writer out(text);
  write_node_for(c, out, node);
  c.json(200, std::move(text));
}

void show_node(const call& c) {
  auto node = c.services().model->node(c.param(0));
  if (!node) return c.problem(errc::unknown_node, "there is no node " + c.param(0));
  answer_node(c, *node);
}

/// The answer can be ahead of the view by a moment: what was asked for is shown.
node_row as_marked(const node_row& node, const set_node_mode_entry& mark) {
  auto changed = node;
  changed.mode = mark.mode;
  changed.drain_limit_ms = mark.limit_ms;
  changed.drain_move = mark.move;
  return changed;
}

void set_mode(const call& c, set_node_mode_entry mark, std::function<void(const node_row&)> then) {
  auto node = c.services().model->node(c.param(0));
  if (!node) return c.problem(errc::unknown_node, "there is no node " + c.param(0));
  mark.node = node->name;
  append_for(c, mark, [c, node, mark, then = std::move(then)] {
    auto now = c.services().model->node(node->name.value);
    auto changed = as_marked(now ? *now : *node, mark);
    if (changed.mode_at == node->mode_at) changed.mode_at = {}; // of the mark before
    then(changed);
  });
}
void set_mode(const call& c, node_mode mode) {
  set_mode(c, {{}, mode, 0, false}, [c](const node_row& node) { answer_node(c, node); });
}

void answer_moved(const call& c, const node_row& node, const moved_instances& moved) {
  std::string text;
  json_writer out(text);
  out.begin_object().key("node");
  write_node_for(c, out, node);
  out.number("moved", moved.moved).number("stayed", moved.stayed).text_or_null("why", moved.why.detail).end_object();
  c.json(200, std::move(text));
}

void drain(const call& c) {
  query_reader query(c.request());
  const bool move = query.flag("move");
  const auto limit = query.duration("limit", longest_drain);
  if (!accept_query(c, query)) return;
  const set_node_mode_entry mark{{}, node_mode::draining, limit.count(), move};
  if (!move) return set_mode(c, mark, [c](const node_row& node) { answer_node(c, node); });
  set_mode(c, mark, [c](const node_row& node) {
    c.services().actors->move({node.name, c.who().actor}, [c, node](outcome<moved_instances> moved) {
      if (!moved) return c.problem(moved.error);
      answer_moved(c, node, *moved);
    });
  });
}
void cordon(const call& c) { set_mode(c, node_mode::cordoned); }
void uncordon(const call& c) { set_mode(c, node_mode::ready); }

// --- keys -----------------------------------------------------------------------------------------------------------

void list_keys(const call& c) {
  auto admin = c.services().model->admin();
  c.json(200, render_list(admin->keys, {}, [](json_writer& out, auto& key) { write_key(out, key); }));
}

void create_key(const call& c) {
  auto body = read_body(c.request());
  if (!body) return c.problem(body.error);
  auto wanted = from_json<key_body>(*body);
  if (!wanted) return c.problem(wanted.error);
  std::vector<field_problem> problems;
  if (wanted->scopes.empty()) problems.push_back({"scopes", "give at least one of admin, platform, read, metrics"});
  for (std::size_t i = 0; i < wanted->scopes.size(); ++i) {
    auto known = enum_from_string<scope>(wanted->scopes[i]);
    if (!known || *known == scope::none) problems.push_back({"scopes[" + std::to_string(i) + "]", "expected admin, platform, read or metrics"});
  }
  if (wanted->note.size() > 256) problems.push_back({"note", "must be at most 256 bytes long"});
  if (!problems.empty()) return c.problem(errc::invalid_field, "the request has invalid fields", std::move(problems));
  auto made = make_key(*c.services().random, wanted->scopes, wanted->note, c.services().now());
  append_for(c, made.entry, [c, made] {
    std::string key, text;
    json_writer inner(key);
    write_key(inner, made.entry);
    key.pop_back(); // the one place where the secret is shown
    json_writer out(text);
    text = key + ",\"key\":";
    out.text(made.token.reveal());
    c.json(201, text + "}", "/v1/keys/" + made.entry.key.value);
  });
}

void delete_key(const call& c) {
  auto admin = c.services().model->admin();
  bool known = std::any_of(admin->keys.begin(), admin->keys.end(), [&](auto& key) { return key.key.value == c.param(0); });
  if (!known) return c.problem(errc::unknown_key, "there is no key " + c.param(0));
  append_for(c, drop_key_entry{key_id{c.param(0)}}, [c] { c.finish({204, {}, {}, {}, false}); });
}

} // namespace

std::vector<route> challenge_routes() {
  return {
      {http_method::get, "/v1/challenges", scope::read, list_challenges},
      {http_method::post, "/v1/challenges/rescan", scope::admin, rescan},
      {http_method::get, "/v1/challenges/{id}", scope::read, answer_challenge},
      {http_method::post, "/v1/challenges/{id}/enable", scope::admin, enable},
      {http_method::post, "/v1/challenges/{id}/disable", scope::admin, disable},
  };
}

std::vector<route> node_routes() {
  return {
      {http_method::get, "/v1/nodes", scope::read, list_nodes},
      {http_method::get, "/v1/nodes/{name}", scope::read, show_node},
      {http_method::post, "/v1/nodes/{name}/drain", scope::admin, drain},
      {http_method::post, "/v1/nodes/{name}/cordon", scope::admin, cordon},
      {http_method::post, "/v1/nodes/{name}/uncordon", scope::admin, uncordon},
  };
}

std::vector<route> key_routes() {
  return {
      {http_method::get, "/v1/keys", scope::admin, list_keys},
      {http_method::post, "/v1/keys", scope::admin, create_key},
      {http_method::delete_, "/v1/keys/{id}", scope::admin, delete_key},
  };
}

} // namespace poseidon::gateway
