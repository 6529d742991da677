#include "nodes/backup/backup_maker.hpp"

#include "actors/fold/snapshot.hpp"
#include "actors/kit/ask.hpp"
#include "actors/kit/handlers.hpp"

#include <fstream>
#include <iterator>

namespace poseidon {

namespace {

struct data_file {
  const char* name;
  std::uint32_t mode;
};
/// What joining and the first start left in DATA.
constexpr data_file files_of_data[] = {{"cluster.key", 0600}, {"admin.key", 0640},  {"cluster.json", 0600},      {"nats.creds", 0600},
                                       {"nats.nk", 0600},     {"nats-ca.pem", 0644}, {"nats-authority.json", 0600}};

std::vector<kept_file> read_files(const backup_deps& deps) {
  std::vector<kept_file> files;
  for (const auto& [name, mode] : files_of_data) {
    std::ifstream in{deps.data + "/" + name, std::ios::binary};
    if (in) files.push_back({name, mode, {std::string{std::istreambuf_iterator<char>{in}, {}}}});
  }
  if (!deps.settings.empty()) files.push_back({kept_settings, 0600, {deps.settings}});
  return files;
}

std::uint64_t count_live(const ledger_state& state) {
  std::uint64_t live = 0;
  state.instances.each([&](row_number, const fold_row& row) { live += is_live(row) ? 1 : 0; });
  return live;
}

struct backup_maker_state {
  gateway::backup_source::pointer self = nullptr;
  backup_deps deps;

  using answer = caf::typed_response_promise<outcome<gateway::backup_bytes>>;

  answer make() {
    auto promise = self->make_response_promise<outcome<gateway::backup_bytes>>();
    ask(
        self, deps.ledger, deps.snapshot_timeout, take_snapshot{},
        [this, promise](const tail_snapshot_ptr& snapshot) { identify(snapshot, promise); },
        [promise](failure why) mutable { promise.deliver(outcome<gateway::backup_bytes>{std::move(why)}); });
    return promise;
  }

  void identify(const tail_snapshot_ptr& snapshot, answer promise) {
    if (!deps.journal) {
      promise.deliver(pack_up(*snapshot, {}));
      return;
    }
    ask(
        self, deps.journal, deps.snapshot_timeout, load_records{},
        [this, snapshot, promise](const std::shared_ptr<const journal_contents>& held) mutable { promise.deliver(pack_up(*snapshot, held->data)); },
        [promise](failure why) mutable { promise.deliver(outcome<gateway::backup_bytes>{std::move(why)}); });
  }

  outcome<gateway::backup_bytes> pack_up(const tail_snapshot& snapshot, const data_id& data) const {
    const auto state = decode_snapshot(snapshot.bytes, snapshot.digest); // what can't be read back is no backup
    if (!state) return state.error;
    backup made;
    made.manifest = {backup_manifest::current_schema, deps.version, deps.cluster, deps.node, deps.clock->wall_now(), snapshot.at, snapshot.digest,
                     count_live(*state), state->instances.size(), state->admin.keys.size(), state->challenges.size()};
    made.contents = {snapshot.last, snapshot.logged_at, {snapshot.bytes}, data, read_files(deps)};
    return std::make_shared<const std::string>(encode_backup(made));
  }
};

gateway::backup_source::behavior_type backup_maker(gateway::backup_source::stateful_pointer<backup_maker_state> self, backup_deps deps) {
  install_handlers(self, "backup maker");
  auto& state = self->state;
  state.self = self;
  state.deps = std::move(deps);
  return {[&state](const gateway::make_backup&) { return state.make(); }};
}

} // namespace

gateway::backup_source spawn_backup_maker(caf::actor_system& system, backup_deps deps) {
  return system.spawn<caf::detached>(backup_maker, std::move(deps));
}

} // namespace poseidon
