// Which events an entry makes, and how they read.

#include "gateway/events.hpp"

namespace poseidon::gateway {

namespace {

/// One event on its way: type, subject, and detail as JSON text.
struct draft {
  std::string type;
  const instance_item* item = nullptr;
  std::string detail = "{}";
  bool admin_only = false;
};

template <class Write>
std::string detail_of(Write&& write) {
  std::string text;
  json_writer out(text);
  out.begin_object();
  write(out);
  out.end_object();
  return text;
}

std::string event_json(std::string_view id, std::string_view type, std::string_view actor, const instance_item* item,
                       std::string_view detail, wall_time at, const event_context& context) {
  std::string text;
  text.reserve(item ? 2048 : 256);
  json_writer out(text);
  out.begin_object().text("id", id).time("at", at).text("type", type).text_or_null("actor", actor);
  if (item) {
    out.key("instance");
    write_instance(out, *item, *context.urls, context.now);
  } else {
    out.null("instance");
  }
  out.raw("detail", detail).end_object();
  return text;
}

/// JSON has no line breaks of its own here: one data line is enough.
std::string frame_of(std::string_view id, std::string_view type, std::string_view json) {
  std::string text;
  text.reserve(json.size() + 64);
  if (!id.empty()) text.append("id: ").append(id).append("\n");
  return text.append("event: ").append(type).append("\ndata: ").append(json).append("\n\n");
}

/// Who did it, as far as the entry says.
std::string actor_of(const entry& cause) {
  return std::visit(
      [&](auto& body) -> std::string {
        if constexpr (requires { body.actor; }) {
          if (!body.actor.empty()) return body.actor;
        }
        if constexpr (requires { body.head; }) return "node:" + body.head.node.value;
        if constexpr (std::is_same_v<std::decay_t<decltype(body)>, node_up_entry>) return "node:" + body.node.value;
        return cause.appender.empty() ? std::string{} : "process:" + cause.appender;
      },
      cause.body);
}

std::string state_type(const instance_row& row) { return "instance." + std::string(to_string(api_state(row))); }

/// What an entry means for the instance that it names; other rows that it changed are told by their new state.
struct subject_event {
  const row_change& row;
  std::optional<draft> operator()(const deadline_moved_entry& e) const {
    auto detail = detail_of([&](json_writer& out) { out.number("extensions_used_ms", e.extensions_used_ms); });
    return draft{"instance.extended", &row.item, std::move(detail), false};
  }
  std::optional<draft> operator()(const expiring_entry& e) const {
    auto detail = detail_of([&](json_writer& out) { out.time("expires_at", e.expires_at); });
    return draft{"instance.expiring", &row.item, std::move(detail), false};
  }
  std::optional<draft> operator()(const restarted_entry& e) const {
    auto detail = detail_of([&](json_writer& out) {
      out.text("service", e.service).number("exit_code", e.exit_code).number("count", e.count);
    });
    return draft{"instance.restarted", &row.item, std::move(detail), false};
  }
  std::optional<draft> operator()(const move_entry& e) const {
    auto detail = detail_of([&](json_writer& out) { out.text("reason", to_string(e.reason)); });
    return draft{e.reason == move_reason::reset ? "instance.reset" : "instance.moved", &row.item, std::move(detail), false};
  }
  std::optional<draft> operator()(const refused_entry& e) const {
    auto detail = detail_of([&](json_writer& out) {
      out.text("node", e.head.node.value).text("code", to_string(e.why.code)).text("detail", e.why.detail);
    });
    auto& now = *row.item.row;
    return draft{is_live(now) ? "instance.refused" : state_type(now), &row.item, std::move(detail), false};
  }
  template <class Other>
  std::optional<draft> operator()(const Other&) const { return std::nullopt; }
};

const instance_id* subject_of(const entry_body& body) {
  return std::visit(
      [](auto& e) -> const instance_id* {
        if constexpr (requires { e.head.instance; }) return &e.head.instance;
        else if constexpr (requires { e.instance; }) return &e.instance;
        else return nullptr;
      },
      body);
}

std::optional<draft> row_event(const row_change& row, const entry& cause) {
  auto* subject = subject_of(cause.body);
  if (subject && *subject == row.item.row->id) {
    if (auto own = std::visit(subject_event{row}, cause.body)) return own;
  }
  auto state = api_state(*row.item.row);
  if (row.before == state) return std::nullopt;
  return draft{state_type(*row.item.row), &row.item, "{}", false};
}

draft named(std::string type, std::string_view field, std::string_view name, bool admin_only = false) {
  return {std::move(type), nullptr, detail_of([&](json_writer& out) { out.text(field, name); }), admin_only};
}

struct other_event {
  using result = std::optional<draft>;
  result operator()(const node_up_entry& e) const { return named("node.up", "node", e.node.value); }
  result operator()(const node_lost_entry& e) const { return named("node.lost", "node", e.node.value); }
  result operator()(const set_node_mode_entry& e) const {
    if (e.mode != node_mode::draining) return named("node." + std::string(to_string(e.mode)), "node", e.node.value);
    auto detail = detail_of([&](json_writer& out) {
      out.text("node", e.node.value).boolean("move", e.move);
      out.number_or_null("limit_ms", e.limit_ms > 0 ? std::optional(e.limit_ms) : std::nullopt);
    });
    return draft{"node.draining", nullptr, std::move(detail), false};
  }
  result operator()(const put_challenge_entry& e) const { return named("challenge.changed", "challenge", e.challenge.value); }
  result operator()(const drop_challenge_entry& e) const { return named("challenge.removed", "challenge", e.challenge.value); }
  result operator()(const enable_challenge_entry& e) const {
    return named(e.enabled ? "challenge.enabled" : "challenge.disabled", "challenge", e.challenge.value);
  }
  result operator()(const put_key_entry& e) const { return named("key.created", "key", e.key.value, true); }
  result operator()(const drop_key_entry& e) const { return named("key.deleted", "key", e.key.value, true); }
  result operator()(const put_setting_entry& e) const { return named("setting.changed", "name", e.name, true); }
  result operator()(const put_limits_entry&) const { return draft{"limits.changed", nullptr, "{}", true}; }
  result operator()(const set_pause_entry& e) const {
    return named(e.paused ? "system.paused" : "system.resumed", "message", e.message);
  }
  result operator()(const incarnation_entry& e) const {
    return draft{"system.incarnation", nullptr, detail_of([&](json_writer& out) { out.number("number", e.number); }), false};
  }
  template <class Other>
  result operator()(const Other&) const { return std::nullopt; }
};

/// Administrative entries have an effect, and an event, only when they changed something.
bool had_effect(const ledger_change& change) {
  return change.administration || !change.nodes.empty() || !change.challenges.empty() || !change.dropped_challenges.empty() ||
         std::holds_alternative<incarnation_entry>(change.cause->body);
}

event_ptr passing_event(std::string id, std::string type, const instance_item& item, position at, const event_context& context) {
  auto made = std::make_shared<event>();
  made->frame = frame_of({}, type, event_json(id, type, {}, &item, "{}", context.now, context));
  made->id = std::move(id);
  made->type = std::move(type);
  made->instance = item.row->id.value;
  made->at = at;
  made->passing = true;
  return made;
}

} // namespace

std::vector<event_ptr> events_of(const applied_change& applied, const event_context& context) {
  auto& change = *applied.change;
  std::vector<draft> drafts;
  if (had_effect(change))
    if (auto other = std::visit(other_event{}, change.cause->body)) drafts.push_back(std::move(*other));
  for (auto& node : applied.drained) drafts.push_back(named("node.drained", "node", node.value));
  for (auto& row : applied.rows)
    if (auto one = row_event(row, *change.cause)) drafts.push_back(std::move(*one));
  std::vector<event_ptr> result;
  auto actor = drafts.empty() ? std::string{} : actor_of(*change.cause);
  for (auto& d : drafts) {
    auto made = std::make_shared<event>();
    made->id = to_string(change.at);
    if (!result.empty()) made->id += "." + std::to_string(result.size());
    made->frame = frame_of(made->id, d.type, event_json(made->id, d.type, actor, d.item, d.detail, change.logged_at, context));
    made->type = std::move(d.type);
    if (d.item) made->instance = d.item->row->id.value;
    made->at = change.at;
    made->number = static_cast<std::uint32_t>(result.size());
    made->admin_only = d.admin_only;
    result.push_back(std::move(made));
  }
  return result;
}

std::string_view json_of(const event& one) {
  constexpr std::string_view before = "\ndata: ", after = "\n\n";
  std::string_view frame = one.frame;
  frame.remove_prefix(frame.find(before) + before.size());
  frame.remove_suffix(after.size());
  return frame;
}

event_ptr missed_event(const instance_item& item, const event_context& context) {
  auto& row = *item.row;
  auto made = std::make_shared<event>();
  made->id = to_string(row.changed);
  made->type = state_type(row);
  auto detail = detail_of([](json_writer& out) { out.boolean("missed", true); });
  made->frame = frame_of(made->id, made->type, event_json(made->id, made->type, {}, &item, detail, context.now, context));
  made->instance = row.id.value;
  made->at = row.changed;
  return made;
}

event_ptr progress_event(const instance_item& item, position at, const event_context& context) {
  auto id = "progress:" + item.row->id.value + ":" + std::to_string(context.now.ms);
  return passing_event(std::move(id), "instance.progress", item, at, context);
}

std::string reset_frame(position at, std::size_t instances, wall_time now) {
  auto detail = detail_of([&](json_writer& out) { out.number("instances", instances); });
  return frame_of({}, "reset", event_json(to_string(at), "reset", {}, nullptr, detail, now, {}));
}

std::string synced_frame(position at, wall_time now) {
  return frame_of(to_string(at), "synced", event_json(to_string(at), "synced", {}, nullptr, "{}", now, {}));
}

std::string state_frame(const instance_item& item, position at, const event_context& context) {
  return frame_of({}, "instance.state", event_json(to_string(at), "instance.state", {}, &item, "{}", context.now, context));
}

} // namespace poseidon::gateway
