#include "config/challenge.hpp"

#include "config/challenge_fields.hpp"
#include "config/yaml.hpp"
#include "messages/codec.hpp"
#include "messages/digest.hpp"

#include <algorithm>

namespace poseidon::config {
namespace {

using nlohmann::json;

/// Kept from everybody but administrators.
constexpr std::string_view confidential_keys[] = {"flag", "flags", "solution", "solutions"};

failure all_wrong(std::vector<field_problem> problems) {
  auto count = problems.size();
  return failure{errc::invalid_field,
                 std::to_string(count) + (count == 1 ? " problem" : " problems"),
                 {},
                 std::move(problems),
                 {}};
}

draft start_of(const challenge_defaults& given) {
  draft d;
  auto& defaults = given.values;
  d.service.limits.memory_bytes = defaults.memory.bytes;
  d.service.limits.cpu_millis = defaults.cpus.millis;
  d.service.limits.pids = defaults.pids;
  d.spec.lifetime_ms = defaults.lifetime.count();
  d.spec.start_limit_ms = defaults.start_limit.count();
  d.spec.restart_max = defaults.restart_max;
  d.spec.restart_window_ms = defaults.restart_window.count();
  d.spec.capture_logs = given.capture_logs;
  return d;
}

/// Default names, and doubles.
void finish_ports(std::vector<port_spec>& ports, const std::string& path, std::vector<field_problem>& problems) {
  bool web_free = std::ranges::count(ports, std::string("web"), &port_spec::name) == 0;
  for (std::size_t i = 0; i < ports.size(); ++i) {
    auto& port = ports[i];
    bool first_web = web_free && port.protocol == port_protocol::http;
    if (port.name.empty()) {
      port.name = first_web ? "web" : "port-" + std::to_string(port.port);
      web_free = web_free && !first_web;
    }
    for (std::size_t k = 0; k < i; ++k) {
      auto here = join_path(path, "ports") + "[" + std::to_string(i) + "]";
      if (port.port != 0 && ports[k].port == port.port)
        problems.push_back({here, std::to_string(port.port) + " is named twice"});
      else if (ports[k].name == port.name)
        problems.push_back({here, "another port has the name " + port.name + " too"});
    }
  }
}

void finish_security(draft& d, const std::string& path, std::vector<field_problem>& problems) {
  auto& s = d.service;
  if (s.security != security_mode::strict) return;
  if (d.writable_asked)
    problems.push_back({join_path(path, "read_only"),
                        "security strict means a read-only root: remove this, or use security: default"});
  auto user = s.user.substr(0, s.user.find(':'));
  if (user == "root" || user == "0")
    problems.push_back(
        {join_path(path, "user"), "security strict means no root user: name another, or use security: default"});
  s.read_only = true;
}

/// Everything that is decided once all fields are read.
void finish(draft& d, const std::string& path, std::vector<field_problem>& problems) {
  auto& limits = d.service.limits;
  d.spec.reserve.memory_bytes = d.reserve_memory_bytes.value_or(limits.memory_bytes / 2);
  d.spec.reserve.cpu_millis = d.reserve_cpu_millis.value_or(std::max<std::uint32_t>(limits.cpu_millis / 10, 1));
  if (d.has_extension) {
    d.spec.extension.max_ms = d.extension_max_ms.value_or(d.spec.lifetime_ms);
    if (d.extension_max_ms && *d.extension_max_ms < d.spec.extension.step_ms)
      problems.push_back({join_path(path, "extension"), "max is less than one step"});
  }
  finish_ports(d.service.ports, path, problems);
  finish_security(d, path, problems);
  d.spec.services = {d.service};
}

json schema_document(const json& image, const json& instance) {
  json document = json::object();
  if (!image.is_null()) document["image"] = image;
  document["instance"] = instance;
  return document;
}

/// Reads image and instance; the schema has the last word.
std::optional<draft> resolve(const json& image, const std::string& image_path, const json& instance,
                             const std::string& path, const challenge_defaults& defaults,
                             std::vector<field_problem>& problems) {
  auto d = start_of(defaults);
  auto image_row = std::ranges::find(instance_fields(), "image", &field_row::name);
  bool inner_image = instance.is_object() && instance.contains("image");
  if (!image.is_null() && !inner_image) image_row->read({image, image_path, problems}, d);
  if (!instance.is_null()) read_object({instance, path, problems}, instance_fields(), d);
  if (image.is_null() && !inner_image) problems.push_back({image_path, "names no image, like registry.example/web:1"});
  finish(d, path, problems);
  if (problems.empty()) problems = schema_problems(schema_document(inner_image ? json() : image, instance));
  if (!problems.empty()) return std::nullopt;
  return d;
}

json value_or_null(const json& object, std::string_view key) {
  auto found = object.find(key);
  return found == object.end() ? json() : *found;
}

} // namespace

challenge_defaults defaults_of(const settings& values) { return {values.defaults, values.capture.enabled}; }

std::string slug_of(std::string_view folder_name) {
  std::string out;
  for (char c : folder_name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    bool kept = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (!out.empty() && (c == '.' || c == '_'));
    if (kept)
      out += c;
    else if (!out.empty() && out.back() != '-')
      out += '-';
    if (out.size() == 64) break;
  }
  while (!out.empty() && (out.back() == '-' || out.back() == '.' || out.back() == '_'))
    out.pop_back();
  return out;
}

outcome<challenge> parse_challenge(std::string_view yaml, std::string_view folder_name,
                                   const challenge_defaults& defaults) {
  auto document = parse_yaml(yaml);
  if (!document.problems.empty()) return all_wrong(std::move(document.problems));
  auto& all = *document.value;
  if (!all.is_object())
    return all_wrong({{"", "a challenge is a mapping of keys to values, like image: registry.example/web:1"}});
  std::vector<field_problem> problems;
  auto d =
      resolve(value_or_null(all, "image"), "image", value_or_null(all, "instance"), "instance", defaults, problems);
  auto id = d && d->id.empty() ? slug_of(folder_name) : d ? d->id : std::string();
  if (d && id.empty()) problems.push_back({"instance.id", "the folder's name makes no id; give one here"});
  if (!problems.empty()) return all_wrong(std::move(problems));

  json metadata = json::object(), confidential = json::object();
  for (auto& [key, value] : all.items())
    if (std::ranges::count(confidential_keys, key) > 0)
      confidential[key] = value;
    else if (key != "instance")
      metadata[key] = value;
  challenge out;
  out.id = challenge_id{id};
  out.spec = std::make_shared<const instance_spec>(std::move(d->spec));
  out.spec_id = digest_of(*out.spec);
  // What YAML lets through but is no UTF-8 must not make a text that no reader takes.
  auto text_of = [](const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); };
  out.metadata = text_of(metadata);
  out.confidential = secret(text_of(confidential));
  out.revision = "sha256:" + sha256_hex(out.spec_id.value + "\n" + out.metadata + "\n" + out.confidential.reveal());
  return out;
}

outcome<spec_ptr> parse_inline_spec(const json& spec, const challenge_defaults& defaults, std::string_view root) {
  std::string path(root);
  if (!spec.is_object()) return all_wrong({{path, "is not an object"}});
  std::vector<field_problem> problems;
  bool nested = spec.contains("instance");
  if (nested)
    for (auto& [key, value] : spec.items())
      if (key != "image" && key != "instance")
        problems.push_back({join_path(path, key), "unknown key; what describes the instance goes into instance"});
  auto& instance = nested ? spec.at("instance") : spec;
  if (instance.is_object() && instance.contains("id"))
    problems.push_back({join_path(nested ? join_path(path, "instance") : path, "id"), "an inline spec has no id"});
  auto d = resolve(nested ? value_or_null(spec, "image") : json(), join_path(path, "image"), instance,
                   nested ? join_path(path, "instance") : path, defaults, problems);
  if (!d) return all_wrong(std::move(problems));
  return spec_ptr(std::make_shared<const instance_spec>(std::move(d->spec)));
}

} // namespace poseidon::config
