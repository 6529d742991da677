// The gateway's side of a process.

#include "nodes/process_parts.hpp"

#include "actors/catalogue/catalogue.hpp"
#include "actors/scheduler/scheduler.hpp"
#include "config/challenge.hpp"
#include "config/limits.hpp"
#include "gateway/auth.hpp"
#include "gateway/settings_view.hpp"
#include "nodes/host/data_folder.hpp"
#include "nodes/host/logging.hpp"

namespace poseidon {

namespace {

/// What seals a challenge's flags; differs from every instance id.
std::string context_of(const challenge_id& challenge) { return "challenge:" + challenge.value; }

} // namespace

scheduler_deps process::parts::make_scheduler_deps() {
  scheduler_deps deps;
  deps.ledger = ledger;
  deps.timers = timers;
  deps.clock = time;
  deps.random = random;
  deps.nodes = make_directory();
  deps.host_of = [self = self](const instance_id& id) { return self->host_of(id); };
  deps.seal = [self = self](const secret& flag, const instance_id& id) { return self->seal_for(flag, id.value); };
  deps.loads = [this](const instance_spec& wanted) { return loads(wanted); };
  return deps;
}

void process::parts::spawn_gateway_side() {
  scheduler = spawn_scheduler(*system, make_scheduler_deps());
  watch(caf::actor_cast<caf::actor>(scheduler), "scheduler");
  if (!settings().challenges.dir.empty()) {
    catalogue_deps deps;
    deps.ledger = ledger;
    deps.timers = timers;
    deps.clock = time;
    deps.read = [dir = settings().challenges.dir, defaults = config::defaults_of(settings())](const config::challenge_listing* before) {
      return config::read_challenges(dir, defaults, before);
    };
    deps.period = settings().challenges.reread_interval;
    deps.seal = [self = self](const secret& plain, const challenge_id& id) { return self->seal_for(plain, context_of(id)); };
    catalogue = spawn_catalogue(*system, std::move(deps));
    watch(caf::actor_cast<caf::actor>(catalogue), "catalogue");
  }
  auto config = gateway::config_from(settings());
  config.server.threads = settings().threads != 0 ? settings().threads : std::max(1u, std::thread::hardware_concurrency());
  config.urls = self->urls;
  for (auto& address : settings().api.listen)
    if (!address.is_unix() && address.port != 0 && config.urls.api_url.empty()) config.urls.api_url = "http://" + config::to_text(address);
  config.watch_key = secret{hmac_sha256(self->cluster_key.reveal(), "watch")};
  gateway::gateway_deps deps;
  deps.system = &*system;
  deps.scheduler = scheduler;
  deps.ledger = ledger;
  deps.catalogue = catalogue;
  deps.notifier = [desk = desk] { return desk->notifier(); };
  deps.backups = [this] { return backups; };
  deps.clock = time;
  deps.random = random;
  deps.hooks.receivers = [desk = desk] { return desk->receivers(); };
  deps.hooks.reveal = [self = self](const challenge_row& row) { return self->open_for(row.confidential, context_of(row.id)); };
  deps.hooks.inline_spec = [defaults = config::defaults_of(settings())](const nlohmann::json& spec) {
    return config::parse_inline_spec(spec, defaults);
  };
  deps.hooks.settings = input.settings;
  deps.hooks.report = [this](const node_name& name) { return report(name); };
  deps.hooks.trouble = [node = local_node] { return node->trouble(); };
  api.emplace(std::move(config), std::move(deps));
}

failure process::parts::serve_api() {
  try {
    const auto bound = api->start();
    if (!bound.empty()) addresses.api = bound.front().url;
    for (auto& address : bound)
      if (address.port != 0 && api_url.empty()) api_url = address.url;
    return write_line(data("api.address"), addresses.api); // for the command line on this machine
  } catch (const std::runtime_error& error) {
    return {errc::conflict, error.what(), {}, {}, {}};
  }
}

void process::parts::spawn_backups() {
  if (!api) return;
  backup_deps deps;
  deps.ledger = snapshot_source{ledger};
  if (journal) deps.journal = caf::actor_cast<journal_actor>(journal);
  deps.clock = time;
  deps.data = settings().data;
  deps.version = POSEIDON_VERSION;
  deps.cluster = settings().cluster;
  deps.node = settings().node;
  deps.settings = input.settings->file_text;
  backups = spawn_backup_maker(*system, std::move(deps));
  watch(caf::actor_cast<caf::actor>(backups), "backup maker");
}

void process::parts::spawn_keeper() {
  keeper_deps deps;
  deps.ledger = ledger;
  if (settings().has(config::role::gateway)) deps.admin_key = *gateway::key_from_token(self->admin_key, {"admin"}, "admin.key", time->wall_now());
  deps.limits = [settings = input.settings](const std::map<std::string, std::string>& changed) {
    return config::limits_of(gateway::effective_settings(*settings, changed));
  };
  deps.apply = [settings = input.settings](const std::map<std::string, std::string>& changed) {
    set_log_level(std::string{to_string(gateway::effective_settings(*settings, changed).log.level)});
  };
  if (settings().nats.urls.empty() && settings().has(config::role::node)) deps.sole_node = self->node;
  deps.clock = time;
  keeper = spawn_administration_keeper(*system, std::move(deps));
  watch(caf::actor_cast<caf::actor>(keeper), "administration");
}

} // namespace poseidon
