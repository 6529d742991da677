#pragma once
// A state with something of everything, and a backup of it.

#include "actors/fold/snapshot.hpp"
#include "actors/ledger/tail.hpp"
#include "nodes/backup/backup_file.hpp"
#include "test/support/fold_ledger.hpp"
#include "test/support/virtual_clock.hpp"

namespace poseidon::test {

inline start_entry start_of(const std::string& user) {
  auto spec = std::make_shared<instance_spec>();
  spec->services.emplace_back().image = "test";
  start_entry start;
  start.instance = {"i-" + user};
  start.owner.user = user;
  start.key = {"user:" + user};
  start.spec = {"sha256:x"};
  start.inline_spec = spec;
  start.host = user + ".localhost";
  return start;
}

inline void fill(fold_ledger& ledger) {
  ledger.put(put_key_entry{{"k1"}, std::string(64, 'a'), {"platform"}, "ctfd", {1}});
  ledger.put(put_setting_entry{"log.level", "\"debug\""});
  ledger.put(start_of("alice"));
  ledger.put(start_of("bob"));
}

inline tail_snapshot snapshot_of(const ledger_state& state) {
  auto encoded = encode_snapshot(state);
  return {state.at, {7, 8}, {1'700'000'000'000}, std::move(encoded.bytes), std::move(encoded.digest)};
}

inline backup sample_backup(const ledger_state& state) {
  const auto snapshot = snapshot_of(state);
  backup made;
  made.manifest = {1, "0.1.0", "club", "n1", {1'700'000'000'500}, snapshot.at, snapshot.digest, 2, 2, 1, 0};
  made.contents = {snapshot.last, snapshot.logged_at, {snapshot.bytes}, {3, 4},
                   {{"cluster.key", 0600, {std::string(64, 'c') + "\n"}}, {"admin.key", 0640, {"psk_a_b\n"}}, {"poseidon.yml", 0600, {"edge: {domain: x}\n"}}}};
  return made;
}

} // namespace poseidon::test
