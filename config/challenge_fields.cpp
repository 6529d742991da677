#include "config/challenge_fields.hpp"

#include "config/suggest.hpp"

#include <algorithm>
#include <array>

namespace poseidon::config {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

constexpr std::uint32_t most = 1'000'000;

constexpr std::array<std::string_view, 41> capability_names{"AUDIT_CONTROL",   "AUDIT_READ",   "AUDIT_WRITE",
                                                            "BLOCK_SUSPEND",   "BPF",          "CHECKPOINT_RESTORE",
                                                            "CHOWN",           "DAC_OVERRIDE", "DAC_READ_SEARCH",
                                                            "FOWNER",          "FSETID",       "IPC_LOCK",
                                                            "IPC_OWNER",       "KILL",         "LEASE",
                                                            "LINUX_IMMUTABLE", "MAC_ADMIN",    "MAC_OVERRIDE",
                                                            "MKNOD",           "NET_ADMIN",    "NET_BIND_SERVICE",
                                                            "NET_BROADCAST",   "NET_RAW",      "PERFMON",
                                                            "SETFCAP",         "SETGID",       "SETPCAP",
                                                            "SETUID",          "SYS_ADMIN",    "SYS_BOOT",
                                                            "SYS_CHROOT",      "SYS_MODULE",   "SYS_NICE",
                                                            "SYS_PACCT",       "SYS_PTRACE",   "SYS_RAWIO",
                                                            "SYS_RESOURCE",    "SYS_TIME",     "SYS_TTY_CONFIG",
                                                            "SYSLOG",          "WAKE_ALARM"};
constexpr std::array<std::string_view, 12> signal_names{"SIGTERM", "SIGINT",  "SIGQUIT", "SIGHUP",
                                                        "SIGKILL", "SIGUSR1", "SIGUSR2", "SIGABRT",
                                                        "SIGALRM", "SIGCONT", "SIGPWR",  "SIGWINCH"};
void read_image(const place& at, draft& d) {
  auto text = read_text(at, 512);
  if (!text) return;
  for (std::string_view scheme : {"registry://", "docker://"}) // ctfcli's way to say "already built"
    if (text->starts_with(scheme)) *text = text->substr(scheme.size());
  if (text->starts_with(".") || text->starts_with("/"))
    return at.problem(
        "\"" + *text +
        "\" is a folder to build from: build and push the image, then name it here or under instance.image");
  auto letter = [](char c) { return is_made_of({&c, 1}, "", true); };
  if (text->empty() || !is_made_of(*text, "._-/:@", true) || !letter(text->front()) || !letter(text->back()))
    return at.problem("\"" + *text + "\" is not an image, like registry.example/web:1");
  d.service.image = std::move(*text);
}

void read_id(const place& at, draft& d) {
  auto text = read_text(at, 64, true);
  if (!text) return;
  if (text->empty() || !is_made_of(*text, "._-", false) || !is_made_of(text->substr(0, 1), "", false))
    return at.problem("\"" + *text +
                      "\" is not an id: 1 to 64 of a-z, 0-9, dot, underscore and dash, a letter or digit first");
  d.id = std::move(*text);
}

void read_command(const place& at, draft& d) {
  read_list(at, 256, [&](const place& item) {
    if (auto text = read_text(item, 128 << 10, true)) d.service.command.push_back(std::move(*text));
  });
}

void read_environment(const place& at, draft& d) {
  if (!at.value.is_object()) return at.problem("is not a mapping: write it like {NAME: value}");
  if (at.value.size() > 256) return at.problem("has more than 256 variables");
  for (auto& [name, value] : at.value.items()) {
    auto here = at.item(value, at.path + "." + name);
    bool fine = !name.empty() && name.size() <= 256 && is_made_of(name, "_", true) && (name[0] < '0' || name[0] > '9');
    if (!fine)
      here.problem("is not a variable's name: letters, digits and underscores, no digit first");
    else if (name.starts_with("POSEIDON_"))
      here.problem("names with POSEIDON_ are set by Poseidon itself");
    else if (auto text = read_text(here, 128 << 10, true))
      d.service.environment[name] = std::move(*text);
  }
}

void read_capabilities(const place& at, draft& d) {
  read_list(at, 64, [&](const place& item) {
    auto text = read_text(item, 64);
    if (!text) return;
    if (text->starts_with("CAP_")) *text = text->substr(4);
    if (*text == "ALL") return item.problem("ALL is never granted; name each that is needed");
    if (std::ranges::count(capability_names, *text) == 0)
      return item.problem("\"" + *text + "\" is not a capability, like NET_BIND_SERVICE" +
                          did_you_mean(*text, {capability_names.begin(), capability_names.end()}));
    if (std::ranges::count(d.service.capabilities, *text) == 0) d.service.capabilities.push_back(std::move(*text));
  });
}

void read_tmpfs(const place& at, draft& d) {
  read_list(at, 32, [&](const place& item) {
    auto path = read_text(item, 1024);
    if (!path || !is_folder(item, *path)) return;
    if (std::ranges::count(d.service.tmpfs, *path) > 0) return item.problem("is named twice");
    d.service.tmpfs.push_back(std::move(*path));
  });
}

void read_user(const place& at, draft& d) {
  auto text = read_text(at, 128, true);
  if (!text) return;
  auto colon = text->find(':');
  auto part = [](std::string_view p) { return !p.empty() && is_made_of(p, "._-", true); };
  if (!part(text->substr(0, colon)) || (colon != std::string::npos && !part(text->substr(colon + 1))))
    return at.problem("\"" + *text + "\" is not a user, like \"1000:1000\" or www-data");
  d.service.user = std::move(*text);
}

void read_stop_signal(const place& at, draft& d) {
  auto text = read_text(at, 16);
  if (!text) return;
  if (!text->starts_with("SIG")) *text = "SIG" + *text;
  if (std::ranges::count(signal_names, *text) == 0)
    return at.problem("\"" + *text + "\" is not a signal that stops, like SIGTERM" +
                      did_you_mean(*text, {signal_names.begin(), signal_names.end()}));
  d.service.stop_signal = std::move(*text);
}

void add_container(field_table& t) {
  t.push_back({"id", "the challenge's id; default: the slug of the folder's name", text_or_number_schema(64), read_id});
  t.push_back({"image", "default: the challenge's own image", text_schema(512), read_image});
  t.push_back(
      {"command", "default: the image's own", list_schema(text_or_number_schema(128 << 10), 256), read_command});
  t.push_back({"environment",
               "variables; names with POSEIDON_ are Poseidon's",
               {{"type", "object"}, {"maxProperties", 256}, {"additionalProperties", text_or_number_schema(128 << 10)}},
               read_environment});
  t.push_back({"ports", "what the service listens on; default: the one port that the image exposes", ports_schema(),
               read_ports});
  t.push_back({"health", "how readiness is proved: {http: /path}, {tcp: port} or image; default: tcp on the first port",
               health_schema(), read_health});
  t.push_back({"limits", "ceilings", object_schema(limit_fields()),
               [](const place& at, draft& d) { read_object(at, limit_fields(), d); }});
  t.push_back({"reserve", "what placement counts", object_schema(reserve_fields()),
               [](const place& at, draft& d) { read_object(at, reserve_fields(), d); }});
  t.push_back({"placement", "which nodes it may run on, by their labels (setting labels); default: any", object_schema(placement_fields()),
               [](const place& at, draft& d) { read_object(at, placement_fields(), d); }});
}

void add_time(field_table& t) {
  t.push_back({"lifetime", "from running on; default 1h", duration_schema(), [](const place& at, draft& d) {
                 if (auto v = read_duration(at, 1s, 720h)) d.spec.lifetime_ms = v->count();
               }});
  t.push_back(
      {"start_limit", "it has to be running within; default 5m", duration_schema(), [](const place& at, draft& d) {
         if (auto v = read_duration(at, 1s, 24h)) d.spec.start_limit_ms = v->count();
       }});
  t.push_back({"extension", "more time on request; default: none", extension_schema(), read_extension});
  t.push_back({"restart", "of a service that dies while running; default on-failure",
               words_schema(words_of<restart_mode>()), [](const place& at, draft& d) {
                 if (auto v = read_enum<restart_mode>(at)) d.spec.restart = *v;
               }});
  t.push_back({"stop_signal", "what a stop sends first; default SIGTERM", text_schema(16), read_stop_signal});
  t.push_back({"stop_grace", "time between that and KILL at a user's stop; default 0", duration_schema(),
               [](const place& at, draft& d) {
                 if (auto v = read_duration(at, 0ms, 5min)) d.service.stop_grace_ms = v->count();
               }});
  t.push_back({"capture_logs", "keep the logs when it ends; default: the setting capture.enabled", flag_schema(),
               [](const place& at, draft& d) {
                 if (auto v = read_flag(at)) d.spec.capture_logs = *v;
               }});
  t.push_back({"cost", "units that limits.cost_per_owner counts; default 1", count_schema(0, most),
               [](const place& at, draft& d) {
                 if (auto v = read_count(at, 0, most)) d.spec.cost = *v;
               }});
}

void add_confinement(field_table& t) {
  t.push_back({"network", "isolated: loopback only; bridge, egress: more; default isolated",
               words_schema(words_of<network_mode>()), [](const place& at, draft& d) {
                 if (auto v = read_enum<network_mode>(at)) d.spec.network = *v;
               }});
  t.push_back({"security",
               "strict: default, read-only root and no root user; default: no capabilities but those listed, no new "
               "privileges; docker: the engine's own",
               words_schema(words_of<security_mode>()), [](const place& at, draft& d) {
                 if (auto v = read_enum<security_mode>(at)) d.service.security = *v;
               }});
  t.push_back({"capabilities", "what the service may do beside, like NET_BIND_SERVICE",
               list_schema(text_schema(64), 64), read_capabilities});
  t.push_back({"no_new_privileges", "default true", flag_schema(), [](const place& at, draft& d) {
                 if (auto v = read_flag(at)) d.service.no_new_privileges = *v;
               }});
  t.push_back({"read_only", "root file system; default false, with security strict true", flag_schema(),
               [](const place& at, draft& d) {
                 auto v = read_flag(at);
                 if (v) d.service.read_only = *v, d.writable_asked = !*v;
               }});
  t.push_back({"tmpfs", "folders in memory", list_schema(text_schema(1024), 32), read_tmpfs});
  t.push_back({"user", "default: the image's own", text_or_number_schema(128), read_user});
  t.push_back({"init", "a tiny first process that reaps and passes signals on; default false", flag_schema(),
               [](const place& at, draft& d) {
                 if (auto v = read_flag(at)) d.service.init = *v;
               }});
  t.push_back({"runtime", "OCI runtime, like runc, crun, runsc; default: the engine's own", text_schema(64),
               [](const place& at, draft& d) {
                 auto text = read_text(at, 64);
                 if (text && (text->empty() || !is_made_of(*text, "._-", true)))
                   at.problem("\"" + *text + "\" is not a runtime's name");
                 else if (text)
                   d.service.runtime = std::move(*text);
               }});
  t.push_back({"pull", "when the image is pulled; default missing", words_schema(words_of<pull_mode>()),
               [](const place& at, draft& d) {
                 if (auto v = read_enum<pull_mode>(at)) d.service.pull = *v;
               }});
  t.push_back({"volumes", "what survives a restart and a reset of the instance", volumes_schema(), read_volumes});
}

} // namespace

const field_table& instance_fields() {
  static const auto table = [] {
    field_table t;
    add_container(t);
    add_time(t);
    add_confinement(t);
    return t;
  }();
  return table;
}

} // namespace poseidon::config
