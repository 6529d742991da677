// The settings, each declared once: member path (which is its name), range, live or not, flag, help.

#include "config/settings_table_parts.hpp"

#include <algorithm>

namespace poseidon::config {
namespace {

using namespace std::chrono_literals;
using text = std::string;
using count = std::uint32_t;
using list = listen_address;

constexpr count many = 10'000'000;

void add_process(std::vector<setting_row>& t) {
  t.push_back(make_row<text>(AT(data), {.help = "directory of ledger, journal, keys and secrets",
                                        .flag = "--data",
                                        .placeholder = "DIR",
                                        .check = check_data}));
  t.push_back(make_row<text>(
      AT(cluster),
      {.help = "name of the installation; labels everything it makes, so two on one engine never touch each other's",
       .flag = "--cluster",
       .placeholder = "NAME",
       .check = check_name}));
  t.push_back(make_row<text>(AT(node), {.help = "name of this node; default: the host name",
                                        .flag = "--node",
                                        .placeholder = "NAME",
                                        .check = check_name}));
  t.push_back(make_list_row<text>(
      AT(labels), {.help = "labels of this node that challenges may require or prefer (instance.placement)",
                   .flag = "--labels",
                   .placeholder = "NAME=VALUE[,…]",
                   .check = check_label}));
  t.push_back(make_list_row<role>(AT(roles),
                                  {.help = "what this process does", .flag = "--roles", .placeholder = "ROLE[,ROLE]"}));
  t.push_back(make_row<text>(AT(engine),
                             {.help = "Unix socket of the container engine; default: DOCKER_HOST, else the usual one",
                              .flag = "--engine",
                              .placeholder = "unix:///…",
                              .check = check_engine}));
  t.push_back(make_row<text>(
      AT(user),
      {.help = "user to which serve, started as root, drops everything but its dialer, where that user exists"}));
  t.push_back(make_row<count>(AT(threads), {.help = "worker threads; 0: one a core", .min = 0u, .max = 1024u}));
  t.push_back(make_row<bool>(
      AT(stop_instances_on_exit),
      {.help = "remove every instance when the process ends; for development", .flag = "--stop-instances-on-exit"}));
  t.push_back(
      make_row<millis>(AT(shutdown_limit), {.help = "an ordered end takes at most this long", .min = 1s, .max = 5min}));
}

void add_api(std::vector<setting_row>& t) {
  t.push_back(make_list_row<list>(
      AT(api.listen),
      {.help = "addresses of the API; port 0 picks a free one", .flag = "--api", .placeholder = "HOST:PORT[,…]"}));
  t.push_back(
      make_row<text>(AT(api.public_url), {.help = "address of the API as clients see it, like "
                                                  "https://poseidon.example; default: the first address it listens on",
                                          .check = check_origin}));
  t.push_back(make_row<secret>(AT(api.admin_key),
                               {.help = "the admin key; default: made at the first start and kept in DATA/admin.key"}));
  t.push_back(make_list_row<text>(AT(api.cors_origins),
                                  {.help = "origins whose pages may call the API from a browser; * is every one",
                                   .live = true,
                                   .check = check_cors}));
  t.push_back(
      make_row<bool>(AT(api.inline_specs),
                     {.help = "lets keys of scope platform start an inline spec; admin always may", .live = true}));
  t.push_back(make_row<byte_size>(
      AT(api.body_limit), {.help = "largest request body", .min = byte_size{1 << 10}, .max = byte_size{64 << 20}}));
  t.push_back(make_row<byte_size>(
      AT(api.header_limit), {.help = "largest request head", .min = byte_size{1 << 10}, .max = byte_size{1 << 20}}));
  t.push_back(make_row<millis>(AT(api.header_timeout),
                               {.help = "a request's head has to be there within", .min = 100ms, .max = 5min}));
  t.push_back(make_row<millis>(AT(api.body_timeout),
                               {.help = "a request's body has to be there within", .min = 100ms, .max = 5min}));
  t.push_back(make_row<millis>(AT(api.request_timeout),
                               {.help = "a request is answered within, waits excepted", .min = 1s, .max = 10min}));
  t.push_back(make_row<millis>(AT(api.idle_timeout),
                               {.help = "a kept connection without a request is closed after", .min = 1s, .max = 1h}));
  t.push_back(make_row<millis>(AT(api.wait_limit), {.help = "longest ?wait=", .min = 1s, .max = 10min}));
  t.push_back(make_row<count>(AT(api.connections), {.help = "connections at once", .min = 1u, .max = 1'000'000u}));
  t.push_back(
      make_row<count>(AT(api.streams), {.help = "event and log streams at once", .min = 0u, .max = 1'000'000u}));
}

void add_edge(std::vector<setting_row>& t) {
  t.push_back(make_list_row<list>(
      AT(edge.listen),
      {.help = "addresses on which players reach instances", .flag = "--edge", .placeholder = "HOST:PORT[,…]"}));
  t.push_back(make_list_row<list>(
      AT(edge.admin_listen), {.help = "addresses of the edge's own /healthz, for a load balancer; none by default"}));
  t.push_back(make_row<text>(
      AT(edge.link_dir), {.help = "directory in which edge processes of this machine have the sockets that its node processes look for"}));
  t.push_back(make_list_row<list>(
      AT(edge.relay_listen), {.help = "addresses on which edges of other machines reach this machine's instances (TLS, with the cluster's key); "
                                      "none by default"}));
  t.push_back(make_row<text>(
      AT(edge.relay_advertise), {.help = "HOST:PORT under which they do; default: the first of edge.relay_listen", .check = check_relay}));
  t.push_back(make_row<text>(AT(edge.domain),
                             {.help = "instances are <label>.DOMAIN; *.localhost opens in browsers on this machine",
                              .flag = "--domain",
                              .placeholder = "NAME",
                              .check = check_domain}));
  t.push_back(
      make_row<text>(AT(edge.public_url), {.help = "pattern of every instance's URL behind a proxy, like "
                                                   "https://{label}.ctf.example; default: edge address and domain",
                                           .flag = "--public-url",
                                           .placeholder = "URL",
                                           .check = check_public_url}));
  t.push_back(
      make_row<byte_size>(AT(edge.head_limit), {.help = "largest request head that is read to find the instance",
                                                .min = byte_size{1 << 10},
                                                .max = byte_size{256 << 10}}));
  t.push_back(
      make_row<millis>(AT(edge.head_timeout), {.help = "the head has to be there within", .min = 100ms, .max = 5min}));
  t.push_back(make_row<millis>(AT(edge.idle_timeout),
                               {.help = "a connection on which nothing moves is closed after", .min = 1s, .max = 24h}));
  t.push_back(make_row<millis>(AT(edge.connect_timeout),
                               {.help = "an instance has to accept a connection within", .min = 100ms, .max = 1min}));
  t.push_back(make_row<count>(AT(edge.connections), {.help = "connections at once", .min = 1u, .max = 1'000'000u}));
  t.push_back(make_row<count>(AT(edge.connections_per_source),
                              {.help = "of these from one address", .min = 1u, .max = 1'000'000u}));
  t.push_back(make_row<count>(AT(edge.connections_per_instance),
                              {.help = "of these to one instance", .min = 1u, .max = 1'000'000u}));
}

void add_admission(std::vector<setting_row>& t) {
  t.push_back(
      make_row<text>(AT(challenges.dir), {.help = "directory below which challenge folders are found; none by default",
                                          .flag = "--challenges",
                                          .placeholder = "DIR"}));
  t.push_back(make_row<millis>(AT(challenges.reread_interval),
                               {.help = "changes in it are looked for this often", .min = 100ms, .max = 1h}));
  t.push_back(make_row<log_format>(
      AT(log.format), {.help = "how the log is written", .flag = "--log-format", .placeholder = "FORMAT"}));
  t.push_back(make_row<log_level>(
      AT(log.level),
      {.help = "the least that is logged", .live = true, .flag = "--log-level", .placeholder = "LEVEL"}));
  t.push_back(
      make_row<count>(AT(limits.per_owner),
                      {.help = "live instances of one owner (a team where one is given, else a user); 0: no limit",
                       .min = 0u,
                       .max = many,
                       .live = true}));
  t.push_back(make_row<count>(AT(limits.per_user),
                              {.help = "live instances that one user has started, in whichever team; 0: no limit",
                               .min = 0u,
                               .max = many,
                               .live = true}));
  t.push_back(make_row<count>(
      AT(limits.per_team), {.help = "live instances of one team; 0: no limit", .min = 0u, .max = many, .live = true}));
  t.push_back(
      make_row<count>(AT(limits.per_challenge),
                      {.help = "live instances of one challenge; 0: no limit", .min = 0u, .max = many, .live = true}));
  t.push_back(make_row<count>(
      AT(limits.per_node),
      {.help = "live instances on one node; 0: no limit but its capacity", .min = 0u, .max = many, .live = true}));
  t.push_back(make_row<count>(
      AT(limits.cluster), {.help = "live instances altogether; 0: no limit", .min = 0u, .max = many, .live = true}));
  t.push_back(make_row<count>(
      AT(limits.cost_per_owner),
      {.help = "sum of the costs of one owner's live instances; 0: no limit", .min = 0u, .max = many, .live = true}));
  t.push_back(make_row<count>(
      AT(limits.cost_cluster),
      {.help = "sum of the costs of all live instances; 0: no limit", .min = 0u, .max = many, .live = true}));
  t.push_back(make_row<count>(
      AT(limits.queue),
      {.help = "starts that wait for room; 0: none waits", .min = 0u, .max = 1'000'000u, .live = true}));
  t.push_back(
      make_row<count>(AT(rate.per_minute), {.help = "starts, resets and extensions of one owner a minute; 0: no limit",
                                            .min = 0u,
                                            .max = many,
                                            .live = true}));
  t.push_back(make_row<count>(AT(rate.burst),
                              {.help = "of these at once, after a quiet time", .min = 1u, .max = many, .live = true}));
  t.push_back(make_row<placement_strategy>(
      AT(placement.strategy),
      {.help = "spread: the least loaded node that fits; pack: the fullest one that fits", .live = true}));
  t.push_back(
      make_row<percent>(AT(placement.cpu),
                        {.help = "weight of a node's cpu load", .min = percent{0}, .max = percent{100}, .live = true}));
  t.push_back(make_row<percent>(
      AT(placement.memory),
      {.help = "weight of a node's memory load", .min = percent{0}, .max = percent{100}, .live = true}));
  t.push_back(make_row<percent>(
      AT(placement.containers),
      {.help = "weight of a node's number of containers", .min = percent{0}, .max = percent{100}, .live = true}));
}

void add_node(std::vector<setting_row>& t) {
  t.push_back(make_row<byte_size>(AT(capacity.memory),
                                  {.help = "memory that this node offers to reservations; 0: what the machine has",
                                   .min = byte_size{0},
                                   .max = byte_size{1ull << 50}}));
  t.push_back(make_row<cpu_count>(AT(capacity.cpus),
                                  {.help = "cores that this node offers to reservations; 0: what the machine has",
                                   .min = cpu_count{0},
                                   .max = cpu_count{100'000'000}}));
  t.push_back(
      make_row<count>(AT(capacity.containers), {.help = "containers on this node", .min = 1u, .max = 1'000'000u}));
  t.push_back(make_row<millis>(
      AT(reaper.interval), {.help = "the engine is compared with what should exist this often", .min = 1s, .max = 1h}));
  t.push_back(make_row<millis>(AT(reaper.window),
                               {.help = "an object younger than this is never reaped", .min = 5s, .max = 24h}));
  t.push_back(make_row<byte_size>(
      AT(defaults.memory),
      {.help = "memory limit of a service that names none", .min = byte_size{6 << 20}, .max = byte_size{1ull << 50}}));
  t.push_back(make_row<cpu_count>(
      AT(defaults.cpus),
      {.help = "cpu limit of a service that names none", .min = cpu_count{10}, .max = cpu_count{100'000'000}}));
  t.push_back(make_row<count>(AT(defaults.pids),
                              {.help = "process limit of a service that names none", .min = 4u, .max = 1'000'000u}));
  t.push_back(make_row<millis>(AT(defaults.lifetime),
                               {.help = "lifetime of an instance whose challenge names none", .min = 1s, .max = 720h}));
  t.push_back(make_row<millis>(
      AT(defaults.start_limit),
      {.help = "an instance whose challenge names no limit has to run within", .min = 1s, .max = 24h}));
  t.push_back(make_row<count>(
      AT(defaults.restart_max),
      {.help = "a dead service is started again this often within the window", .min = 0u, .max = 1000u}));
  t.push_back(make_row<millis>(AT(defaults.restart_window), {.help = "the window", .min = 1s, .max = 24h}));
  t.push_back(make_row<millis>(
      AT(lifecycle.expiring_notice),
      {.help = "the event instance.expiring comes this long before the deadline", .min = 0ms, .max = 24h}));
  t.push_back(make_row<millis>(AT(lifecycle.health_interval),
                               {.help = "a starting instance is probed this often at first", .min = 5ms, .max = 1min}));
  t.push_back(
      make_row<millis>(AT(lifecycle.health_timeout), {.help = "a probe is answered within", .min = 50ms, .max = 1min}));
  t.push_back(make_row<bool>(AT(capture.enabled), {.help = "keep the logs of every instance when it ends"}));
  t.push_back(make_row<byte_size>(
      AT(capture.limit),
      {.help = "the last part of an ended instance's logs that is kept", .min = byte_size{1 << 10}, .max = byte_size{16 << 20}}));
  t.push_back(make_row<byte_size>(
      AT(capture.total),
      {.help = "kept logs of a node altogether; the oldest go first", .min = byte_size{1 << 20}, .max = byte_size{1ull << 50}}));
  t.push_back(make_row<millis>(
      AT(capture.keep), {.help = "kept logs are readable this long after the end", .min = 1s, .max = 8760h}));
  t.push_back(make_row<byte_size>(
      AT(capture.engine_limit),
      {.help = "log of one container that the engine holds", .min = byte_size{64 << 10}, .max = byte_size{1 << 30}}));
}

void add_runtime(std::vector<setting_row>& t) {
  t.push_back(
      make_row<count>(AT(runtime.parallel),
                      {.help = "starts under way in the engine at once; the others wait", .min = 1u, .max = 256u}));
  t.push_back(make_row<count>(AT(runtime.parallel_pulls), {.help = "pulls at once", .min = 1u, .max = 64u}));
  t.push_back(make_row<millis>(AT(runtime.request_timeout),
                               {.help = "the engine answers a request within", .min = 1s, .max = 10min}));
  t.push_back(make_row<millis>(AT(runtime.pull_timeout), {.help = "a pull takes at most", .min = 1s, .max = 24h}));
  t.push_back(make_row<millis>(
      AT(runtime.list_interval),
      {.help = "containers are listed this often, beside the engine's events", .min = 1s, .max = 10min}));
  t.push_back(
      make_row<text>(AT(runtime.oci), {.help = "OCI runtime, like runc, crun, runsc; default: the engine's own"}));
  t.push_back(make_row<text>(AT(runtime.registry_credentials),
                             {.help = "file with registry logins, as docker login writes it (~/.docker/config.json)"}));
  t.push_back(make_row<count>(AT(ledger.snapshot_every),
                              {.help = "entries between two snapshots of the ledger", .min = 100u, .max = many}));
  t.push_back(make_row<millis>(
      AT(ledger.keep), {.help = "ended instances and events are readable this long", .min = 1min, .max = 8760h}));
}

} // namespace

const std::vector<setting_row>& settings_table() {
  static const auto table = [] {
    std::vector<setting_row> t;
    add_process(t);
    add_api(t);
    add_edge(t);
    add_admission(t);
    add_node(t);
    add_runtime(t);
    add_cluster_settings(t);
    return t;
  }();
  return table;
}

const setting_row* find_setting(std::string_view name) {
  auto& table = settings_table();
  auto found = std::ranges::find(table, name, &setting_row::name);
  return found == table.end() ? nullptr : &*found;
}

std::vector<std::string_view> setting_names() {
  std::vector<std::string_view> names;
  for (auto& row : settings_table())
    names.push_back(row.name);
  return names;
}

std::string setting_row::environment() const {
  std::string out = "POSEIDON_";
  for (char c : name)
    out += c == '.' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  return out;
}

} // namespace poseidon::config
