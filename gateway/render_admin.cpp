#include "gateway/render.hpp"

namespace poseidon::gateway {

namespace {

std::string_view node_state(const node_row& node, const std::optional<node_report>& report) {
  if (node.lost) return "lost";
  return report && report->suspect ? "suspect" : to_string(node.mode);
}

void write_service(json_writer& out, const service_spec& service) {
  out.begin_object();
  out.text("name", service.name).text("image", service.image);
  out.key("ports").begin_array();
  for (auto& port : service.ports)
    out.begin_object().number("port", port.port).text("protocol", to_string(port.protocol)).text("name", port.name).end_object();
  out.end_array();
  out.number("memory_bytes", service.limits.memory_bytes).number("cpu_millis", service.limits.cpu_millis);
  out.text("security", to_string(service.security));
  out.end_object();
}

/// How far a drain has come; null: none is under way.
void write_drain(json_writer& out, const node_row& node, std::optional<wall_time> since) {
  if (node.mode != node_mode::draining) {
    out.null("drain");
    return;
  }
  const bool limited = node.drain_limit_ms > 0;
  out.key("drain").begin_object().number("left", node.instances).boolean("move", node.drain_move);
  out.number_or_null("limit_ms", limited ? std::optional(node.drain_limit_ms) : std::nullopt);
  out.time_or_null("since", since);
  out.time_or_null("ends_at", limited && since ? std::optional(*since + millis{node.drain_limit_ms}) : std::nullopt).end_object();
}

} // namespace

void write_node(json_writer& out, const node_row& node, const std::optional<node_report>& report, std::optional<wall_time> mode_since) {
  out.begin_object();
  out.text("name", node.name.value).text("state", node_state(node, report)).text("version", node.version);
  out.text("machine", node.machine.value).number("instances", node.instances);
  out.key("capacity").begin_object();
  out.number("memory_bytes", node.capacity.memory_bytes).number("cpu_millis", node.capacity.cpu_millis);
  out.number("instances", node.capacity.instances).end_object();
  out.key("reserved").begin_object();
  out.number("memory_bytes", node.reserved_memory_bytes).number("cpu_millis", node.reserved_cpu_millis).end_object();
  out.key("tags").begin_object();
  for (auto& [name, value] : node.tags) out.text(name, value);
  out.end_object();
  out.text("up_at", to_string(node.up_at));
  write_drain(out, node, mode_since);
  if (report) {
    out.key("load").begin_object().number("cpu_permille", report->cpu_permille).number("memory_permille", report->memory_permille).end_object();
    out.number("silent_ms", report->silent_ms).text_or_null("trouble", report->trouble.detail);
  } else {
    out.key("load").null().key("silent_ms").null().key("trouble").null();
  }
  out.end_object();
}

void write_challenge(json_writer& out, const challenge_row& challenge, const std::string* confidential, std::uint64_t live_instances) {
  auto& spec = *challenge.spec;
  out.begin_object();
  out.text("id", challenge.id.value).text("revision", challenge.revision).boolean("enabled", challenge.enabled);
  out.raw("metadata", challenge.metadata.empty() ? std::string_view("{}") : std::string_view(challenge.metadata));
  out.number("live_instances", live_instances).number("lifetime_ms", spec.lifetime_ms).number("start_limit_ms", spec.start_limit_ms);
  out.text("network", to_string(spec.network)).text("restart", to_string(spec.restart)).number("cost", spec.cost);
  out.key("extension").begin_object();
  out.number("step_ms", spec.extension.step_ms).number("after_percent", spec.extension.after_percent);
  out.number("max_ms", spec.extension.max_ms).number("below_load_percent", spec.extension.below_load_percent).end_object();
  out.key("services").begin_array();
  for (auto& service : spec.services) write_service(out, service);
  out.end_array();
  if (confidential) out.raw("confidential", confidential->empty() ? "{}" : *confidential);
  out.end_object();
}

void write_key(json_writer& out, const put_key_entry& key) {
  out.begin_object().text("id", key.key.value);
  out.key("scopes").begin_array();
  for (auto& scope : key.scopes) out.text(scope);
  out.end_array();
  out.text_or_null("note", key.note).time("created_at", key.created_at).end_object();
}

int status_of(const failure& why) { return describe(why.code).http_status; }

std::string render_problem(const failure& why, int status) {
  auto& info = describe(why.code);
  std::string text;
  json_writer out(text);
  out.begin_object();
  out.text("type", std::string("urn:poseidon:error:").append(to_string(why.code))).text("title", info.title);
  out.number("status", status != 0 ? status : info.http_status).text("code", to_string(why.code));
  out.text("detail", why.detail.empty() ? info.remedy : std::string_view(why.detail));
  out.number_or_null("retry_after_ms", why.retry_after_ms);
  out.key("errors").begin_array();
  for (auto& problem : why.errors) out.begin_object().text("path", problem.path).text("detail", problem.detail).end_object();
  out.end_array();
  if (!why.log_tail.empty()) out.text("log_tail", why.log_tail);
  out.end_object();
  return text;
}

} // namespace poseidon::gateway
