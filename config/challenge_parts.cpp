// The parts of an instance that have fields of their own.

#include "config/challenge_fields.hpp"
#include "config/settings_rows.hpp"

#include <algorithm>

namespace poseidon::config {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

constexpr byte_size least_memory{6 << 20}; // engines refuse less
constexpr cpu_count least_cpus{10};
constexpr std::uint32_t most_pids = 1'000'000;

/// Fields of one port; they fill the draft's last port.
const field_table& port_fields() {
  static const field_table table{
      {"port", "where the service listens", count_schema(1, 65535),
       [](const place& at, draft& d) {
         if (auto n = read_count(at, 1, 65535)) d.service.ports.back().port = static_cast<std::uint16_t>(*n);
       }},
      {"protocol", "what it speaks; default http", words_schema(words_of<port_protocol>()),
       [](const place& at, draft& d) {
         if (auto v = read_enum<port_protocol>(at)) d.service.ports.back().protocol = *v;
       }},
      {"name", "for people and links; default web, or port-<n>", text_schema(32), [](const place& at, draft& d) {
         auto text = read_text(at, 32);
         if (text && (text->empty() || !is_made_of(*text, "-", false)))
           at.problem("\"" + *text + "\" is not a name of a-z, 0-9 and dash");
         else if (text)
           d.service.ports.back().name = std::move(*text);
       }}};
  return table;
}

const field_table& health_fields() {
  static const field_table table{
      {"http", "path that answers 2xx or 3xx", text_schema(1024),
       [](const place& at, draft& d) {
         auto path = read_text(at, 1024);
         if (!path) return;
         bool plain = path->starts_with("/") && std::ranges::all_of(*path, [](char c) { return c > ' ' && c < 0x7f; });
         if (!plain) return at.problem("\"" + *path + "\" is not a path, like / or /health");
         d.service.health.kind = health_kind::http;
         d.service.health.path = std::move(*path);
       }},
      {"tcp", "port that accepts a connection", count_schema(1, 65535),
       [](const place& at, draft& d) {
         if (auto n = read_count(at, 1, 65535)) d.service.health.port = static_cast<std::uint16_t>(*n);
       }},
      {"port", "with http: the port; default the first", count_schema(1, 65535), [](const place& at, draft& d) {
         if (auto n = read_count(at, 1, 65535)) d.service.health.port = static_cast<std::uint16_t>(*n);
       }}};
  return table;
}

const field_table& extension_fields() {
  static const field_table table{
      {"step", "time that one extension adds", duration_schema(),
       [](const place& at, draft& d) {
         if (auto v = read_duration(at, 1s, 720h)) d.spec.extension.step_ms = v->count();
       }},
      {"after", "share of the present span that has to have passed; default 50%", percent_schema(),
       [](const place& at, draft& d) {
         if (auto v = read_percent(at, 0, 100)) d.spec.extension.after_percent = *v;
       }},
      {"max", "sum of all extensions; default: the lifetime", duration_schema(),
       [](const place& at, draft& d) {
         if (auto v = read_duration(at, 1s, 720h)) d.extension_max_ms = v->count();
       }},
      {"below_load", "refused while the node's load is at or above this; default: never for load", percent_schema(),
       [](const place& at, draft& d) {
         if (auto v = read_percent(at, 1, 100)) d.spec.extension.below_load_percent = *v;
       }}};
  return table;
}

const field_table& volume_fields() {
  static const field_table table{{"name", "unique within the instance", text_schema(32),
                                  [](const place& at, draft& d) {
                                    auto text = read_text(at, 32);
                                    if (text && (text->empty() || !is_made_of(*text, "-", false)))
                                      at.problem("\"" + *text + "\" is not a name of a-z, 0-9 and dash");
                                    else if (text)
                                      d.service.volumes.back().name = std::move(*text);
                                  }},
                                 {"path", "where it is in the container", text_schema(1024),
                                  [](const place& at, draft& d) {
                                    auto path = read_text(at, 1024);
                                    if (path && is_folder(at, *path)) d.service.volumes.back().path = std::move(*path);
                                  }},
                                 {"keep", "instance: it lives as long as the instance, resets included",
                                  words_schema({"instance"}), [](const place& at, draft&) {
                                    if (at.value == "owner")
                                      at.problem("owner is reserved for a later version; instance is what there is");
                                    else
                                      read_word(at, {"instance"});
                                  }}};
  return table;
}

constexpr std::size_t most_labels = 16;

json labels_schema() {
  const auto part = "^[A-Za-z0-9._/-]{1,63}$";
  return {{"type", "object"},
          {"maxProperties", most_labels},
          {"propertyNames", {{"pattern", part}}},
          {"additionalProperties", {{"type", {"string", "integer"}}, {"pattern", part}}}};
}

void read_labels(const place& at, std::map<std::string, std::string>& into) {
  if (!at.value.is_object()) return at.problem("is not a mapping: write it like {gpu: \"yes\"}");
  if (at.value.size() > most_labels) return at.problem("has more than " + std::to_string(most_labels) + " labels");
  for (auto& [name, value] : at.value.items()) {
    auto here = at.item(value, at.path + "." + name);
    auto text = read_text(here, 63, true);
    if (!text) continue;
    if (!is_label_part(name) || !is_label_part(*text))
      here.problem("\"" + name + "=" + *text + "\" is not a label, like gpu=yes: 1 to 63 letters, digits, dots, dashes, underscores and slashes");
    else into[name] = std::move(*text);
  }
}

} // namespace

const field_table& placement_fields() {
  static const field_table table{
      {"require", "labels that a node must have, like {gpu: \"yes\"}", labels_schema(),
       [](const place& at, draft& d) { read_labels(at, d.spec.placement.require); }},
      {"prefer", "labels that make a node count as less loaded, by 20 points of load each", labels_schema(),
       [](const place& at, draft& d) { read_labels(at, d.spec.placement.prefer); }}};
  return table;
}

void read_ports(const place& at, draft& d) {
  read_list(at, 32, [&](const place& item) {
    d.service.ports.emplace_back();
    if (item.value.is_number()) {
      if (auto n = read_count(item, 1, 65535)) d.service.ports.back().port = static_cast<std::uint16_t>(*n);
      return;
    }
    auto before = item.problems.size();
    read_object(item, port_fields(), d);
    if (d.service.ports.back().port == 0 && item.problems.size() == before) item.problem("names no port");
  });
}

json ports_schema() {
  auto object = object_schema(port_fields());
  object["required"] = {"port"};
  return list_schema({{"anyOf", {object, count_schema(1, 65535)}}}, 32);
}

void read_health(const place& at, draft& d) {
  if (at.value == "image") return void(d.service.health.kind = health_kind::image);
  if (!at.value.is_object()) return at.problem("is none of {http: /path}, {tcp: port}, image");
  bool http = at.value.contains("http"), tcp = at.value.contains("tcp");
  if (http == tcp) return at.problem("takes one of http and tcp: {http: /path} or {tcp: port}");
  if (tcp && at.value.contains("port")) return at.problem("tcp names the port already; remove port");
  read_object(at, health_fields(), d);
}

json health_schema() {
  auto object = object_schema(health_fields());
  object["oneOf"] = {{{"required", {"http"}}}, {{"required", {"tcp"}}}};
  object["dependencies"] = {{"port", {"http"}}};
  return {{"anyOf", {object, {{"enum", {"image"}}}}}};
}

const field_table& limit_fields() {
  static const field_table table{{"memory", "ceiling; default 512 MiB", size_schema(),
                                  [](const place& at, draft& d) {
                                    if (auto v = read_size(at, least_memory)) d.service.limits.memory_bytes = v->bytes;
                                  }},
                                 {"cpus", "ceiling in cores; default 1", cpus_schema(0.01),
                                  [](const place& at, draft& d) {
                                    if (auto v = read_cpus(at, least_cpus)) d.service.limits.cpu_millis = v->millis;
                                  }},
                                 {"pids", "processes and threads at once; default 256", count_schema(1, most_pids),
                                  [](const place& at, draft& d) {
                                    if (auto v = read_count(at, 1, most_pids)) d.service.limits.pids = *v;
                                  }},
                                 {"disk", "what it may write, where the engine can limit it; default none",
                                  size_schema(), [](const place& at, draft& d) {
                                    if (auto v = read_size(at, byte_size{0})) d.service.limits.disk_bytes = v->bytes;
                                  }}};
  return table;
}

const field_table& reserve_fields() {
  static const field_table table{
      {"memory", "default: half the limit", size_schema(),
       [](const place& at, draft& d) {
         if (auto v = read_size(at, byte_size{0})) d.reserve_memory_bytes = v->bytes;
       }},
      {"cpus", "default: a tenth of the limit", cpus_schema(0), [](const place& at, draft& d) {
         if (auto v = read_cpus(at, cpu_count{0})) d.reserve_cpu_millis = v->millis;
       }}};
  return table;
}

void read_extension(const place& at, draft& d) {
  d.has_extension = true;
  read_object(at, extension_fields(), d);
  if (at.value.is_object() && !at.value.contains("step")) at.problem("names no step, like {step: 10m}");
}

void read_volumes(const place& at, draft& d) {
  read_list(at, 16, [&](const place& item) {
    d.service.volumes.emplace_back();
    auto before = item.problems.size();
    read_object(item, volume_fields(), d);
    auto made = d.service.volumes.back();
    if (item.problems.size() != before) return;
    if (made.name.empty() || made.path.empty()) return item.problem("needs name and path");
    for (std::size_t i = 0; i + 1 < d.service.volumes.size(); ++i)
      if (d.service.volumes[i].name == made.name || d.service.volumes[i].path == made.path)
        return item.problem("has the name or path of another volume");
  });
}

json volumes_schema() {
  auto object = object_schema(volume_fields());
  object["required"] = {"name", "path"};
  return list_schema(object, 16);
}

json extension_schema() {
  auto object = object_schema(extension_fields());
  object["required"] = {"step"};
  return object;
}

} // namespace poseidon::config
