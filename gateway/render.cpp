#include "gateway/render.hpp"

#include "actors/instance/extension_policy.hpp"

#include <algorithm>

namespace poseidon::gateway {

namespace {

const std::vector<port_spec>& ports_of(const instance_row& row) {
  static const std::vector<port_spec> none;
  if (!row.ports.empty() || !row.spec || row.spec->services.empty()) return row.ports;
  return row.spec->services.front().ports;
}

std::string_view label_of(std::string_view host) { return host.substr(0, host.find('.')); }

/// "pending" is made of several phases: the row's own until the node has told more.
std::optional<phase> shown_phase(const instance_item& item, instance_state state) {
  switch (state) {
  case instance_state::queued: return phase::queued;
  case instance_state::pending: return item.live.phase.value_or(phase::assigned);
  case instance_state::running: return item.live.phase == phase::restarting ? item.live.phase : std::nullopt;
  case instance_state::stopping: return item.live.phase >= phase::stopping ? item.live.phase : std::optional{phase::stopping};
  default: return std::nullopt;
  }
}

void write_owner(json_writer& out, const instance_row& row) {
  out.key("owner").begin_object();
  out.text("key", row.key.value).text_or_null("user", row.owner.user).optional_text("team", row.owner.team);
  out.optional_text("user_name", row.owner.user_name).optional_text("team_name", row.owner.team_name);
  out.end_object();
}

void write_failure(json_writer& out, const instance_row& row) {
  if (!row.why || !*row.why) {
    out.null("failure");
    return;
  }
  out.key("failure").begin_object();
  out.text("code", to_string(row.why->code)).text("detail", row.why->detail).text_or_null("log_tail", row.why->log_tail);
  out.end_object();
}

void write_endpoints(json_writer& out, const instance_row& row, const url_rules& urls, const std::string& url) {
  out.key("endpoints").begin_array();
  bool first = true;
  for (auto& port : ports_of(row)) {
    // The edge routes an instance's first port by its host name; others have no address of their own.
    bool routed = first && port.protocol == port_protocol::http;
    first = false;
    out.begin_object();
    out.text("name", port.name).text("protocol", to_string(port.protocol));
    out.text_or_null("host", routed ? std::string_view(row.host) : std::string_view{});
    out.number_or_null("port", routed ? std::optional<std::int64_t>(instance_port(urls)) : std::nullopt);
    out.text_or_null("url", routed ? std::string_view(url) : std::string_view{});
    out.end_object();
  }
  out.end_array();
}

void write_progress(json_writer& out, const instance_item& item, instance_state state) {
  auto phase = shown_phase(item, state);
  if (!phase) {
    out.null("progress");
    return;
  }
  out.key("progress").begin_object();
  out.text("phase", to_string(*phase));
  out.number_or_null("percent", item.live.percent ? std::optional<std::int64_t>(*item.live.percent) : std::nullopt);
  out.text_or_null("note", item.live.note);
  out.end_object();
}

void write_queue(json_writer& out, const instance_item& item, instance_state state, wall_time now) {
  if (state != instance_state::queued) {
    out.null("queue");
    return;
  }
  out.key("queue").begin_object();
  out.number("position", item.queue_position.value_or(item.row->queue_position));
  out.number_or_null("eta_ms", queue_eta_ms(item, now));
  out.end_object();
}

void write_placement(json_writer& out, const instance_item& item) {
  if (!item.placement) {
    out.null("placement");
    return;
  }
  out.key("placement").begin_object().text("node", item.placement->node.value).text("reason", item.placement->reason);
  out.key("candidates").begin_array();
  for (auto& candidate : item.placement->candidates) {
    const bool suited = candidate.why_not.empty();
    out.begin_object().text("node", candidate.node.value);
    out.number_or_null("score", suited ? std::optional(static_cast<std::int64_t>(candidate.score)) : std::nullopt);
    out.text_or_null("why_not", candidate.why_not).end_object();
  }
  out.end_array().end_object();
}

void write_extension(json_writer& out, const instance_row& row, wall_time now) {
  auto extension = extension_of(row, now);
  out.key("extension").begin_object();
  out.boolean("allowed", extension.allowed).time_or_null("next_at", extension.next_at);
  out.number("remaining_ms", extension.remaining_ms).text_or_null("reason", extension.reason);
  out.end_object();
}

std::string_view shown_reason(const instance_row& row) {
  if (row.reason != end_reason::none) return to_string(row.reason);
  return row.stop_mark ? to_string(*row.stop_mark) : std::string_view{};
}

} // namespace

std::string instance_url(const url_rules& rules, std::string_view host) {
  if (host.empty()) return {};
  if (!rules.public_url.empty()) {
    std::string url = rules.public_url;
    constexpr std::string_view mark = "{label}";
    if (auto at = url.find(mark); at != std::string::npos) url.replace(at, mark.size(), label_of(host));
    if (!url.ends_with('/')) url += '/';
    return url;
  }
  std::string url = rules.edge_scheme;
  url.append("://").append(host);
  bool usual = (rules.edge_scheme == "http" && rules.edge_port == 80) || (rules.edge_scheme == "https" && rules.edge_port == 443);
  if (!usual) url.append(":").append(std::to_string(rules.edge_port));
  return url + "/";
}

std::uint16_t instance_port(const url_rules& rules) {
  if (rules.public_url.empty()) return rules.edge_port;
  bool secure = rules.public_url.starts_with("https:");
  auto host = rules.public_url.find("://");
  auto colon = host == std::string::npos ? host : rules.public_url.find(':', host + 3);
  if (colon == std::string::npos) return secure ? 443 : 80;
  unsigned port = 0;
  for (auto i = colon + 1; i < rules.public_url.size() && rules.public_url[i] >= '0' && rules.public_url[i] <= '9'; ++i)
    port = std::min(port * 10 + static_cast<unsigned>(rules.public_url[i] - '0'), 65'535u);
  return static_cast<std::uint16_t>(port);
}

std::optional<std::int64_t> queue_eta_ms(const instance_item& item, wall_time now) {
  std::optional<std::int64_t> eta;
  if (item.queue_served_at) eta = std::max<std::int64_t>(0, (*item.queue_served_at - now).count());
  const auto place = item.queue_position.value_or(item.row->queue_position);
  // One release alone has no rate.
  if (item.releases && item.releases->count > 1 && place > 0 && now - item.releases->last <= releases_remembered) {
    const auto span = std::max<std::int64_t>(1, (now - item.releases->first).count());
    const auto by_rate = span * place / item.releases->count;
    eta = eta ? std::min(*eta, by_rate) : by_rate;
  }
  return eta;
}

extension_view extension_of(const instance_row& row, wall_time now) {
  extension_view view;
  auto& spec = *row.spec;
  auto most = spec.extension.max_ms > 0 ? spec.extension.max_ms : spec.lifetime_ms;
  view.remaining_ms = spec.extension.step_ms > 0 ? std::max<std::int64_t>(0, most - row.extensions_used_ms) : 0;
  if (row.phase != ledger_phase::running || row.stop_mark || !row.expires_at) {
    view.reason = "only a running instance can be extended";
    return view;
  }
  // Load is left out: it is the node's to judge, at the moment of the request.
  auto decision = decide_extension(spec, {*row.expires_at - now, millis{row.extensions_used_ms}, 0});
  view.allowed = decision.allowed;
  view.reason = decision.reason;
  if (decision.next_in) view.next_at = now + *decision.next_in;
  return view;
}

void write_instance(json_writer& out, const instance_item& item, const url_rules& urls, wall_time now) {
  auto& row = *item.row;
  auto state = api_state(row);
  bool live = is_live(row);
  auto url = instance_url(urls, row.host);
  auto& ports = ports_of(row);
  bool browsable = ports.empty() || ports.front().protocol == port_protocol::http;
  out.begin_object();
  out.text("id", row.id.value).text_or_null("challenge", row.challenge.value).text_or_null("revision", row.source->revision);
  write_owner(out, row);
  out.text("state", to_string(state)).text_or_null("reason", shown_reason(row));
  write_failure(out, row);
  out.text_or_null("url", browsable ? std::string_view(url) : std::string_view{}).text("host", row.host);
  out.text_or_null("connection_info", browsable ? std::string_view(url) : std::string_view{});
  write_endpoints(out, row, urls, url);
  if (live && !item.watch_token.empty())
    out.text("watch_url", urls.api_url + "/v1/watch/" + row.id.value + "?token=" + item.watch_token);
  else
    out.null("watch_url");
  out.text_or_null("node", row.node.value);
  out.raw("metadata", row.metadata.empty() ? std::string_view("{}") : std::string_view(row.metadata));
  out.time("created_at", row.created_at).time_or_null("running_at", row.running_at);
  out.time_or_null("expires_at", row.expires_at).time_or_null("ended_at", row.ended_at);
  auto remaining = live && row.expires_at ? std::optional(std::max<std::int64_t>(0, (*row.expires_at - now).count())) : std::nullopt;
  out.number_or_null("remaining_ms", remaining);
  out.number("restarts", row.restarts).text_or_null("stopped_by", row.stopped_by);
  write_extension(out, row, now);
  write_progress(out, item, state);
  write_queue(out, item, state, now);
  if (item.explained) write_placement(out, item);
  out.end_object();
}

std::string render_instance(const instance_item& item, const url_rules& urls, wall_time now) {
  std::string text;
  text.reserve(1536);
  json_writer out(text);
  write_instance(out, item, urls, now);
  return text;
}

} // namespace poseidon::gateway
