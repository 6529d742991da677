// The tail in SQLite: what is answered is there after a restart; a snapshot takes the place of what it covers (crash
// points 3 and 22).

#include "actors/fold/fold.hpp"
#include "actors/kit/actor_scheduler.hpp"
#include "actors/ledger/tail.hpp"
#include "actors/ledger/tail_table.hpp"

#include <gtest/gtest.h>

#include <filesystem>

namespace poseidon {
namespace {

struct quiet : caf::actor_system_config {
  quiet() {
    actor_scheduler::use(*this);
    set("scheduler.max-threads", 2);
    set("logger.verbosity", caf::atom("quiet"));
  }
};

class tail_test : public ::testing::Test {
protected:
  tail_test() {
    auto pattern = (std::filesystem::temp_directory_path() / "poseidon-tail-XXXXXX").string();
    if (!::mkdtemp(pattern.data())) throw std::runtime_error("no temporary folder");
    folder = pattern;
    open();
  }
  ~tail_test() override {
    close();
    std::filesystem::remove_all(folder);
  }
  void open() {
    auto opened = spawn_sqlite_tail(system, folder / "tail.db");
    if (!opened) throw std::runtime_error(opened.error.detail);
    tail = *opened;
  }
  void close() {
    caf::anon_send_exit(tail, caf::exit_reason::user_shutdown);
    caf::scoped_actor self(system);
    self->wait_for(tail);
    tail = nullptr;
  }
  template <class Reply, class Message>
  Reply ask(Message m) {
    caf::scoped_actor self(system);
    Reply reply;
    self->request(tail, std::chrono::seconds(30), std::move(m))
        .receive([&](Reply& r) { reply = std::move(r); }, [](caf::error&) { FAIL() << "no answer"; });
    return reply;
  }
  tail_contents_ptr load() { return *ask<outcome<tail_contents_ptr>>(load_tail{}); }
  static placed_entry entry_at(std::uint64_t sequence) {
    auto e = std::make_shared<entry>();
    e->id = {1, sequence};
    e->appender = "test";
    e->body = put_setting_entry{"n", std::to_string(sequence)};
    return {{1, sequence}, {static_cast<std::int64_t>(1000 + sequence)}, e};
  }
  bool append(std::vector<placed_entry> entries) {
    return ask<outcome<done>>(append_tail{std::make_shared<const std::vector<placed_entry>>(std::move(entries))}).ok();
  }

  quiet config;
  caf::actor_system system{config};
  std::filesystem::path folder;
  tail_actor tail;
};

TEST_F(tail_test, is_empty_at_first) {
  EXPECT_FALSE(load()->snapshot);
  EXPECT_TRUE(load()->entries.empty());
}

TEST_F(tail_test, keeps_entries_over_a_restart) {
  ASSERT_TRUE(append({entry_at(1), entry_at(2)}));
  ASSERT_TRUE(append({entry_at(3)}));
  close();
  open();
  const auto found = load();
  ASSERT_EQ(found->entries.size(), 3u);
  EXPECT_EQ(found->entries[2].at, (position{1, 3}));
  EXPECT_EQ(found->entries[2].logged_at.ms, 1003);
  EXPECT_EQ(found->entries[2].what->id, (entry_id{1, 3}));
  EXPECT_EQ(std::get<put_setting_entry>(found->entries[2].what->body).value, "3");
}

TEST_F(tail_test, batches_of_the_first_schema_are_kept) {
  ASSERT_TRUE(append({entry_at(1), entry_at(2)}));
  close();
  {
    auto now = *open_store(folder / "tail.db", tail_schema());
    auto read = now->prepare("SELECT bytes FROM batches");
    ASSERT_TRUE(read.step());
    const store_schema first{"the ledger's tail", {tail_schema().upgrades.front()}};
    auto old = *open_store(folder / "old.db", first);
    old->prepare("INSERT INTO batches (incarnation, sequence, bytes) VALUES (1, 2, ?)").blob(read.bytes_at(0)).run();
  }
  std::filesystem::remove(folder / "tail.db-wal");
  std::filesystem::rename(folder / "old.db", folder / "tail.db");
  open();
  ASSERT_EQ(load()->entries.size(), 2u);
  ASSERT_TRUE(append({entry_at(3)}));
  EXPECT_EQ(load()->entries.back().at, (position{1, 3}));
}

TEST_F(tail_test, a_snapshot_takes_the_place_of_what_it_covers) {
  ASSERT_TRUE(append({entry_at(1), entry_at(2)}));
  ASSERT_TRUE(append({entry_at(3), entry_at(4)}));
  tail_snapshot snapshot{{1, 3}, {1, 3}, {1003}, std::string("\0bytes", 6), "digest"};
  ASSERT_TRUE(ask<outcome<done>>(save_tail_snapshot{std::make_shared<const tail_snapshot>(snapshot)}).ok());
  close();
  open();
  const auto found = load();
  ASSERT_TRUE(found->snapshot);
  EXPECT_EQ(found->snapshot->at, snapshot.at);
  EXPECT_EQ(found->snapshot->last, snapshot.last);
  EXPECT_EQ(found->snapshot->logged_at, snapshot.logged_at);
  EXPECT_EQ(found->snapshot->bytes, snapshot.bytes);
  EXPECT_EQ(found->snapshot->digest, "digest");
  ASSERT_FALSE(found->entries.empty());
  EXPECT_GE(found->entries.front().at, (position{1, 3})) << "the batch that it cuts stays whole";
  EXPECT_EQ(found->entries.back().at, (position{1, 4}));
  snapshot.at = {2, 1};
  ASSERT_TRUE(ask<outcome<done>>(save_tail_snapshot{std::make_shared<const tail_snapshot>(snapshot)}).ok());
  EXPECT_TRUE(load()->entries.empty());
  EXPECT_EQ(load()->snapshot->at, (position{2, 1}));
}

} // namespace
} // namespace poseidon
