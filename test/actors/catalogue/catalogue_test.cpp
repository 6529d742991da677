#include "actors/catalogue/catalogue.hpp"

#include "actors/catalogue/plan.hpp"
#include "test/support/actor_fixture.hpp"
#include "test/support/fold_ledger.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace poseidon {
namespace {

using namespace test;
namespace fs = std::filesystem;

config::challenge_folder good(const std::string& folder, const std::string& revision = "r1", const std::string& id = {}) {
  config::challenge_folder f;
  f.folder = folder;
  f.text_digest = revision;
  config::challenge c;
  c.id = {id.empty() ? folder : id};
  c.revision = revision;
  c.spec_id = {"sha256:" + revision};
  auto spec = std::make_shared<instance_spec>();
  spec->services.emplace_back();
  c.spec = spec;
  c.metadata = "{}";
  c.confidential = secret{"{\"flags\":[\"" + revision + "\"]}"};
  f.value = c;
  return f;
}
config::challenge_folder broken(const std::string& folder) {
  config::challenge_folder f;
  f.folder = folder;
  f.text_digest = "broken";
  f.problems = {{"instance.limits", "too small"}};
  return f;
}

TEST(catalogue_plan, puts_what_is_new_or_changed_and_drops_what_is_gone) {
  config::challenge_listing l;
  l.folders = {good("a"), good("b", "r2"), good("c")};
  auto plan = plan_catalogue(l, {{{"a"}, {"r1"}}, {{"b"}, {"r1"}}, {{"z"}, {"r1"}}}, {});
  ASSERT_EQ(plan.put.size(), 2u);
  EXPECT_EQ(plan.put[0].id.value, "b");
  EXPECT_EQ(plan.put[1].id.value, "c");
  ASSERT_EQ(plan.drop.size(), 1u);
  EXPECT_EQ(plan.drop[0].value, "z");
}

TEST(catalogue_plan, a_broken_folder_keeps_its_last_good_revision_and_is_reported) {
  config::challenge_listing l;
  l.folders = {good("a"), broken("dir/Bad One")};
  std::map<challenge_id, known_challenge> ledger{{{"a"}, {"r1"}}, {{"bad-one"}, {"r1"}}, {{"z"}, {"r1"}}};
  auto plan = plan_catalogue(l, ledger, {});
  EXPECT_TRUE(plan.put.empty());
  ASSERT_EQ(plan.drop.size(), 1u);
  EXPECT_EQ(plan.drop[0].value, "z");
  ASSERT_EQ(plan.problems.size(), 1u);
  EXPECT_EQ(plan.problems[0].challenge, "bad-one");
}

TEST(catalogue_plan, remembers_an_id_that_is_not_the_folders_name) {
  config::challenge_listing l;
  l.folders = {good("folder", "r1", "other-id")};
  auto ids = remember_ids(l, {});
  config::challenge_listing later;
  later.folders = {broken("folder")};
  EXPECT_TRUE(plan_catalogue(later, {{{"other-id"}, {"r1"}}}, ids).drop.empty());
  EXPECT_EQ(remember_ids(later, ids), ids);
  config::challenge_listing gone;
  EXPECT_EQ(plan_catalogue(gone, {{{"other-id"}, {"r1"}}}, ids).drop.size(), 1u);
  EXPECT_TRUE(remember_ids(gone, ids).empty());
}

TEST(catalogue_plan, drops_nothing_while_a_broken_folder_may_be_any_of_them) {
  config::challenge_listing l;
  l.folders = {broken("new-folder")};
  EXPECT_TRUE(plan_catalogue(l, {{{"z"}, {"r1"}}}, {}).drop.empty());
}

TEST(catalogue_plan, drops_nothing_when_the_directory_can_not_be_read) {
  config::challenge_listing l;
  l.problems = {{"/srv/challenges", "no such directory"}};
  auto plan = plan_catalogue(l, {{{"z"}, {"r1"}}}, {});
  EXPECT_TRUE(plan.drop.empty());
  EXPECT_EQ(plan.problems.size(), 1u);
}

TEST(catalogue_plan, passes_over_what_has_nothing_to_run) {
  config::challenge_listing l;
  config::challenge_folder plain;
  plain.folder = "static";
  plain.nothing_to_run = true;
  l.folders = {plain};
  auto plan = plan_catalogue(l, {{{"static"}, {"r1"}}}, {});
  EXPECT_TRUE(plan.problems.empty());
  EXPECT_EQ(plan.drop.size(), 1u) << "it had something to run before";
}

struct catalogue_test : actor_test {
  std::shared_ptr<fold_ledger> ledger = std::make_shared<fold_ledger>(time);
  std::shared_ptr<config::challenge_listing> folders = std::make_shared<config::challenge_listing>();
  std::shared_ptr<int> reads = std::make_shared<int>(0);
  std::shared_ptr<bool> reader_silent = std::make_shared<bool>(false);
  ledger_actor ledger_handle = spawn_fold_ledger(system, ledger);
  folder_reader_actor reader;
  catalogue_deps deps;
  catalogue_actor catalogue;

  catalogue_test() {
    reader = system.spawn([folders = folders, reads = reads, silent = reader_silent](folder_reader_actor::pointer self) -> folder_reader_actor::behavior_type {
      return {[=](const folders_wanted&) -> caf::result<listing_ptr> {
        ++*reads;
        if (*silent) return self->make_response_promise<listing_ptr>();
        return listing_ptr(std::make_shared<const config::challenge_listing>(*folders));
      }};
    });
    deps.reader = reader;
    deps.ledger = ledger_handle;
    deps.timers = world.timers;
    deps.clock = std::shared_ptr<const clock>(&time, [](auto*) {});
    deps.seal = [](const secret& s, const challenge_id&) -> outcome<sealed_secret> { return sealed_secret{"sealed:" + s.reveal()}; };
  }
  ~catalogue_test() override {
    deps = {};
    for (auto a : {caf::actor_cast<caf::actor>(catalogue), caf::actor_cast<caf::actor>(reader), caf::actor_cast<caf::actor>(ledger_handle)})
      if (a) caf::anon_send_exit(a, caf::exit_reason::user_shutdown);
    ledger->subscribers.clear();
    run();
  }
  void begin() {
    catalogue = spawn_catalogue(system, deps);
    run();
  }
  std::shared_ptr<const challenge_row> row(const std::string& id) {
    auto found = ledger->state.challenges.find({id});
    return found == ledger->state.challenges.end() ? nullptr : found->second;
  }
  outcome<catalogue_report> rescan() { return *world.answer_now<outcome<catalogue_report>>(catalogue, rescan_challenges{}); }
};

TEST_F(catalogue_test, brings_the_ledger_to_the_folders_at_its_start) {
  folders->folders = {good("a"), good("b")};
  begin();
  ASSERT_NE(row("a"), nullptr);
  EXPECT_EQ(row("a")->revision, "r1");
  EXPECT_EQ(row("a")->confidential.bytes, "sealed:{\"flags\":[\"r1\"]}");
  EXPECT_EQ(ledger->appended.size(), 2u);
}

TEST_F(catalogue_test, appends_only_what_changed) {
  folders->folders = {good("a"), good("b")};
  begin();
  advance(millis{20'000});
  EXPECT_GE(*reads, 9);
  EXPECT_EQ(ledger->appended.size(), 2u);
  folders->folders[1] = good("b", "r2");
  folders->folders.erase(folders->folders.begin());
  advance(deps.period);
  EXPECT_EQ(row("a"), nullptr);
  EXPECT_EQ(row("b")->revision, "r2");
  EXPECT_EQ(ledger->appended.size(), 4u);
}

TEST_F(catalogue_test, a_broken_folder_keeps_its_revision_and_shows_in_the_report) {
  folders->folders = {good("a")};
  begin();
  folders->folders = {broken("a")};
  auto report = rescan();
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(row("a")->revision, "r1");
  ASSERT_EQ(report->problems.size(), 1u);
  EXPECT_EQ(report->problems[0].errors[0].path, "instance.limits");
  EXPECT_EQ(report->challenges, 1u);
  folders->folders = {good("a", "r3")};
  EXPECT_TRUE(rescan()->problems.empty());
  EXPECT_EQ(row("a")->revision, "r3");
}

TEST_F(catalogue_test, tries_again_what_the_ledger_did_not_take) {
  folders->folders = {good("a")};
  ledger->away = true;
  begin();
  EXPECT_EQ(rescan().error.code, errc::ledger_unavailable);
  ledger->away = false;
  advance(deps.period + millis{1});
  EXPECT_NE(row("a"), nullptr);
}

TEST_F(catalogue_test, puts_back_what_a_new_log_has_lost) {
  folders->folders = {good("a")};
  begin();
  ledger->put(drop_challenge_entry{{"a"}});
  run();
  advance(deps.period + millis{1});
  EXPECT_NE(row("a"), nullptr);
}

TEST_F(catalogue_test, a_reader_that_hangs_ends_the_request_and_not_the_catalogue) {
  begin();
  *reader_silent = true;
  auto answer = world.ask_later<outcome<catalogue_report>>(catalogue, rescan_challenges{});
  advance(deps.read_limit + millis{10});
  ASSERT_TRUE(answer->has_value());
  EXPECT_FALSE((*answer)->ok());
  *reader_silent = false;
  folders->folders = {good("a")};
  advance(deps.read_limit + deps.period * 2);
  EXPECT_NE(row("a"), nullptr);
}

TEST_F(catalogue_test, waits_for_the_ledgers_image) {
  folders->folders = {good("a")};
  ledger->silent = true;
  begin();
  EXPECT_EQ(rescan().error.code, errc::ledger_unavailable);
  ledger->silent = false;
  advance(deps.ledger_timeout + deps.period * 2);
  EXPECT_NE(row("a"), nullptr);
}

TEST_F(catalogue_test, a_challenge_whose_flags_can_not_be_sealed_is_a_problem) {
  folders->folders = {good("a")};
  deps.seal = [](const secret&, const challenge_id&) -> outcome<sealed_secret> { return failure{errc::internal, "no key", {}, {}, {}}; };
  begin();
  auto report = rescan();
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->problems.size(), 1u);
  EXPECT_EQ(row("a"), nullptr);
}

TEST_F(catalogue_test, a_reader_that_throws_is_a_problem_and_nothing_is_dropped) {
  ledger->put(put_challenge_entry{{"kept"}, "r1", {"sha256:k"}, good("kept").value->spec, "{}", {}});
  folders->problems = {{"", "input/output error"}};
  begin();
  auto report = rescan();
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->problems.size(), 1u);
  EXPECT_NE(row("kept"), nullptr);
}

TEST(folder_reader, reads_a_directory_on_a_thread_of_its_own) {
  auto dir = fs::temp_directory_path() / "poseidon-catalogue-test-XXXXXX";
  auto name = dir.string();
  ASSERT_NE(::mkdtemp(name.data()), nullptr);
  fs::create_directories(fs::path(name) / "hello");
  std::ofstream(fs::path(name) / "hello" / "challenge.yml") << "name: hello\nimage: web:1\ninstance:\n  ports: [{port: 8000}]\n";
  caf::actor_system_config config;
  {
    caf::actor_system real(config);
    auto reader = spawn_folder_reader(real, [name](const config::challenge_listing* before) { return config::read_challenges(name, {}, before); });
    listing_ptr got;
    caf::scoped_actor self(real);
    self->request(reader, std::chrono::seconds(20), folders_wanted{}).receive([&](listing_ptr l) { got = l; }, [](const caf::error&) {});
    self->send_exit(reader, caf::exit_reason::user_shutdown);
    ASSERT_TRUE(got);
    ASSERT_EQ(got->folders.size(), 1u);
    ASSERT_TRUE(got->folders[0].value.has_value()) << got->folders[0].problems.at(0).detail;
    EXPECT_EQ(got->folders[0].value->id.value, "hello");
  }
  fs::remove_all(name);
}

} // namespace
} // namespace poseidon
