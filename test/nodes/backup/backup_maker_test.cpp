#include "nodes/backup/backup_maker.hpp"

#include "test/nodes/backup/backup_fixture.hpp"
#include "test/support/temporary_folder.hpp"
#include "test/support/threaded_system.hpp"

#include <gtest/gtest.h>

#include <fstream>

namespace poseidon::test {
namespace {

struct backup_maker_test : ::testing::Test, threaded_system {
  std::shared_ptr<virtual_clock> time = std::make_shared<virtual_clock>();
  fold_ledger ledger{*time};
  temporary_folder folder;
  backup_deps deps;

  backup_maker_test() {
    fill(ledger);
    std::ofstream{folder.file("cluster.key")} << "the key\n";
    std::ofstream{folder.file("ledger.sqlite")} << "not this";
    deps.clock = time;
    deps.data = folder.path().string();
    deps.version = "0.1.0";
    deps.cluster = "club";
    deps.node = "n1";
  }
  snapshot_source answering(outcome<tail_snapshot_ptr> with) {
    return system.spawn([with](snapshot_source::pointer) -> snapshot_source::behavior_type { return {[with](const take_snapshot&) { return with; }}; });
  }
  static journal_actor::behavior_type journal_of(journal_actor::pointer) {
    return {[](const commit_record&) -> outcome<done> { return done{}; }, [](const forget_record&) -> outcome<done> { return done{}; },
            [](const load_records&) -> outcome<std::shared_ptr<const journal_contents>> {
              auto held = std::make_shared<journal_contents>();
              held->data = {5, 6};
              return std::shared_ptr<const journal_contents>(held);
            },
            [](const flush_facts&) -> outcome<done> { return done{}; }};
  }
  outcome<gateway::backup_bytes> make() {
    const auto maker = spawn_backup_maker(system, deps);
    caf::scoped_actor self{system};
    outcome<gateway::backup_bytes> made{failure{errc::internal, "no answer", {}, {}, {}}};
    self->request(maker, std::chrono::seconds{20}, gateway::make_backup{})
        .receive([&](outcome<gateway::backup_bytes>& answer) { made = std::move(answer); }, [](caf::error&) {});
    end(system, maker);
    end(system, deps.ledger);
    if (deps.journal) end(system, deps.journal);
    return made;
  }
};

TEST_F(backup_maker_test, holds_the_ledgers_state_the_nodes_identity_and_what_a_new_machine_needs) {
  deps.ledger = answering(tail_snapshot_ptr(std::make_shared<tail_snapshot>(snapshot_of(ledger.state))));
  deps.journal = system.spawn(journal_of);
  deps.settings = "edge: {domain: x}\n";
  const auto made = make();
  ASSERT_TRUE(made) << made.error.detail;
  const auto read = decode_backup(**made);
  ASSERT_TRUE(read) << read.error.detail;
  EXPECT_EQ(read->manifest.node, "n1");
  EXPECT_EQ(read->manifest.position, ledger.state.at);
  EXPECT_EQ(read->manifest.keys, 1u);
  EXPECT_EQ(read->manifest.live_instances, 2u);
  EXPECT_EQ(read->contents.data, (data_id{5, 6}));
  std::map<std::string, std::string> files;
  for (auto& file : read->contents.files) files[file.name] = file.content.bytes;
  EXPECT_EQ(files, (std::map<std::string, std::string>{{"cluster.key", "the key\n"}, {"poseidon.yml", "edge: {domain: x}\n"}}));
}

TEST_F(backup_maker_test, tells_why_there_is_no_state) {
  deps.ledger = answering(failure{errc::ledger_unavailable, "the ledger is not there yet", 1'000, {}, {}});
  EXPECT_EQ(make().error.code, errc::ledger_unavailable);
}

} // namespace
} // namespace poseidon::test
