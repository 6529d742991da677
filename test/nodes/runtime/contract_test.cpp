#include "test/nodes/runtime/contract.hpp"

#include "nodes/runtime/engine/image_reference.hpp"

#include <algorithm>

namespace poseidon::test {

namespace {

class runtime_contract : public ::testing::TestWithParam<std::pair<const char*, bench_ptr (*)()>> {
protected:
  void SetUp() override {
    bench = GetParam().second();
    begin();
  }
  void begin() {
    auto info = wait_for<runtime_info>(*bench, [&](auto to) { rt().start(to); });
    ASSERT_TRUE(info) << info.error.detail;
    EXPECT_FALSE(info->isolation.empty());
    auto seen = exits;
    rt().watch([seen](const service_exited& exit) {
      std::lock_guard lock(seen->mutex);
      seen->all.push_back(exit);
    });
  }
  runtime& rt() { return bench->under_test(); }
  outcome<group_state> ensure(launch_plan_ptr plan) {
    return wait_for<group_state>(*bench, [&](auto to) { rt().ensure(plan, millis(30000), {}, to); });
  }
  outcome<done> stop(const group_key& key, millis grace = millis(0)) {
    return wait_for<done>(*bench, [&](auto to) { rt().stop(key, "", grace, to); });
  }
  outcome<done> remove(const group_key& key) {
    return wait_for<done>(*bench, [&](auto to) { rt().remove(key, to); });
  }
  outcome<group_state> inspect(const group_key& key) {
    return wait_for<group_state>(*bench, [&](auto to) { rt().inspect(key, to); });
  }
  /// Ours: the probe's own container may still be on its way out.
  std::vector<runtime_object> list() {
    auto all = wait_for<std::vector<runtime_object>>(*bench, [&](auto to) { rt().list(to); });
    EXPECT_TRUE(all) << all.error.detail;
    auto objects = all.value.value_or(std::vector<runtime_object>());
    std::erase_if(objects, [](auto& object) { return object.labels[labels::instance] == "probe"; });
    return objects;
  }
  std::size_t exit_count() {
    std::lock_guard lock(exits->mutex);
    return exits->all.size();
  }
  service_exited exit_at(std::size_t i) {
    std::lock_guard lock(exits->mutex);
    return exits->all.at(i);
  }

  struct seen_exits {
    std::mutex mutex;
    std::vector<service_exited> all;
  };
  bench_ptr bench;
  std::shared_ptr<seen_exits> exits = std::make_shared<seen_exits>();
};

TEST_P(runtime_contract, ensure_runs_a_group_and_says_where_it_is) {
  auto plan = bench->plan("a1");
  auto state = ensure(plan);
  ASSERT_TRUE(state) << state.error.detail;
  EXPECT_EQ(state->key, plan->key);
  ASSERT_EQ(state->services.size(), 1u);
  auto& service = state->services[0];
  EXPECT_TRUE(service.running);
  EXPECT_EQ(service.service, "main");
  EXPECT_EQ(service.where.port, 8000);
  EXPECT_FALSE(service.where.container.empty());
  EXPECT_TRUE(remove(plan->key));
}

TEST_P(runtime_contract, ensure_twice_is_ensure_once) {
  auto plan = bench->plan("b1");
  auto first = ensure(plan), second = ensure(plan);
  ASSERT_TRUE(first) << first.error.detail;
  ASSERT_TRUE(second) << second.error.detail;
  EXPECT_EQ(first->services, second->services);
  EXPECT_EQ(list().size(), 1u);
}

TEST_P(runtime_contract, concurrent_ensures_of_one_group_make_one) {
  auto plan = bench->plan("b2");
  std::vector<taken<group_state>> answers(5);
  for (auto& answer : answers)
    rt().ensure(plan, millis(30000), {}, answer.taker());
  ASSERT_TRUE(
      bench->wait([&] { return std::all_of(answers.begin(), answers.end(), [](auto& one) { return one.there(); }); }));
  for (auto& answer : answers) {
    ASSERT_TRUE(answer.value()) << answer.value().error.detail;
    EXPECT_EQ(answer.value()->services[0].where.container, answers[0].value()->services[0].where.container);
  }
  EXPECT_EQ(list().size(), 1u);
}

TEST_P(runtime_contract, a_new_process_adopts_what_runs) {
  auto plan = bench->plan("c1");
  auto first = ensure(plan);
  ASSERT_TRUE(first) << first.error.detail;
  bench->restart_process();
  begin();
  auto objects = list();
  ASSERT_EQ(objects.size(), 1u);
  EXPECT_EQ(objects[0].kind, object_kind::container);
  EXPECT_TRUE(objects[0].running);
  EXPECT_EQ(objects[0].labels[labels::instance], "c1");
  EXPECT_EQ(objects[0].labels[labels::epoch], to_string(plan->key.epoch));
  EXPECT_EQ(objects[0].state.where, first->services[0].where);
  auto again = ensure(plan);
  ASSERT_TRUE(again) << again.error.detail;
  EXPECT_EQ(again->services, first->services);
  // Adopted is watched.
  bench->crash(plan->key, "main");
  EXPECT_TRUE(bench->wait([&] { return exit_count() == 1; }));
}

TEST_P(runtime_contract, labels_say_whose_it_is) {
  auto plan = bench->plan("d1");
  ASSERT_TRUE(ensure(plan));
  auto objects = list();
  ASSERT_EQ(objects.size(), 1u);
  auto& all = objects[0].labels;
  EXPECT_EQ(all[labels::slot], "user:alice/hello");
  EXPECT_EQ(all[labels::owner], "user:alice");
  EXPECT_EQ(all[labels::challenge], "hello");
  EXPECT_EQ(all[labels::service], "main");
  EXPECT_EQ(all[labels::host], "d1.localhost");
  EXPECT_EQ(all[labels::created_at], to_rfc3339(plan->created_at));
  EXPECT_EQ(all[labels::expires_max], to_rfc3339(plan->expires_max));
  EXPECT_EQ(all[labels::schema], labels::schema_version);
  EXPECT_FALSE(all[labels::cluster].empty());
  EXPECT_FALSE(all[labels::node].empty());
}

TEST_P(runtime_contract, remove_leaves_nothing_and_may_be_repeated) {
  auto plan = bench->plan("e1");
  ASSERT_TRUE(ensure(plan));
  EXPECT_TRUE(remove(plan->key));
  EXPECT_TRUE(list().empty());
  EXPECT_TRUE(remove(plan->key));
  EXPECT_EQ(inspect(plan->key).error.code, errc::unknown_instance);
  EXPECT_EQ(exit_count(), 0u) << "an end that was asked for is no news";
}

TEST_P(runtime_contract, remove_of_an_unknown_group_is_done) {
  EXPECT_TRUE(remove(bench->plan("nobody")->key));
  EXPECT_TRUE(stop(bench->plan("nobody")->key));
}

TEST_P(runtime_contract, stop_ends_the_processes_and_keeps_the_containers) {
  auto plan = bench->plan("f1");
  ASSERT_TRUE(ensure(plan));
  ASSERT_TRUE(stop(plan->key, millis(2000)));
  auto state = inspect(plan->key);
  ASSERT_TRUE(state) << state.error.detail;
  EXPECT_FALSE(state->running());
  EXPECT_EQ(exit_count(), 0u);
  EXPECT_EQ(list().size(), 1u);
}

TEST_P(runtime_contract, a_service_that_ignores_term_is_killed_after_the_grace) {
  auto plan = bench->plan_that_ignores_term("f2");
  ASSERT_TRUE(ensure(plan));
  ASSERT_TRUE(stop(plan->key, millis(300)));
  EXPECT_FALSE(inspect(plan->key)->running());
}

TEST_P(runtime_contract, start_again_runs_the_same_containers) {
  auto plan = bench->plan("g1");
  auto first = ensure(plan);
  ASSERT_TRUE(first);
  ASSERT_TRUE(stop(plan->key));
  auto second = wait_for<group_state>(*bench, [&](auto to) { rt().start_again(plan->key, millis(20000), to); });
  ASSERT_TRUE(second) << second.error.detail;
  EXPECT_TRUE(second->running());
  EXPECT_EQ(second->services[0].where.container, first->services[0].where.container);
  EXPECT_NE(second->services[0].where.pid, first->services[0].where.pid);
  bench->crash(plan->key, "main");
  EXPECT_TRUE(bench->wait([&] { return exit_count() == 1; })) << "what was started again is watched again";
}

TEST_P(runtime_contract, start_again_of_an_unknown_group_fails) {
  auto state =
      wait_for<group_state>(*bench, [&](auto to) { rt().start_again(bench->plan("nobody")->key, millis(20000), to); });
  EXPECT_EQ(state.error.code, errc::unknown_instance);
}

TEST_P(runtime_contract, a_crash_is_told_once) {
  auto plan = bench->plan("h1");
  ASSERT_TRUE(ensure(plan));
  bench->crash(plan->key, "main");
  ASSERT_TRUE(bench->wait([&] { return exit_count() > 0; }));
  EXPECT_EQ(exit_at(0).key, plan->key);
  EXPECT_EQ(exit_at(0).service, "main");
  EXPECT_EQ(exit_at(0).exit_code, 137);
  auto state = inspect(plan->key);
  ASSERT_TRUE(state);
  EXPECT_FALSE(state->running());
  EXPECT_EQ(exit_count(), 1u);
}

TEST_P(runtime_contract, a_missing_image_is_image_missing) {
  auto plan = bench->plan_without_image("i1");
  EXPECT_EQ(ensure(plan).error.code, errc::image_missing);
  EXPECT_TRUE(remove(plan->key));
  EXPECT_TRUE(list().empty());
}

TEST_P(runtime_contract, a_service_that_ends_at_once_is_exited_at_start_with_its_last_words) {
  auto plan = bench->plan_that_exits("j1");
  auto state = ensure(plan);
  if (state) {
    // It was alive when it was looked at: then the watcher is told.
    EXPECT_TRUE(bench->wait([&] { return exit_count() == 1; }));
    EXPECT_EQ(exit_at(0).exit_code, 3);
  } else {
    EXPECT_EQ(state.error.code, errc::exited_at_start);
    EXPECT_NE(state.error.log_tail.find("boom"), std::string::npos);
  }
  EXPECT_TRUE(remove(plan->key));
  EXPECT_TRUE(list().empty());
}

TEST_P(runtime_contract, remove_cuts_an_ensure_short) {
  auto plan = bench->plan("k1");
  taken<group_state> started;
  taken<done> removed;
  rt().ensure(plan, millis(30000), {}, started.taker());
  rt().remove(plan->key, removed.taker());
  ASSERT_TRUE(bench->wait([&] { return started.there() && removed.there(); }));
  EXPECT_TRUE(removed.value()) << removed.value().error.detail;
  EXPECT_TRUE(list().empty());
}

TEST_P(runtime_contract, calls_of_a_group_are_done_in_order) {
  auto plan = bench->plan("k2");
  taken<group_state> first, second;
  taken<done> removed;
  rt().ensure(plan, millis(30000), {}, first.taker());
  rt().remove(plan->key, removed.taker());
  rt().ensure(plan, millis(30000), {}, second.taker());
  ASSERT_TRUE(bench->wait([&] { return second.there(); }));
  EXPECT_TRUE(first.there() && removed.there());
  ASSERT_TRUE(second.value()) << second.value().error.detail;
  EXPECT_TRUE(inspect(plan->key)->running());
}

TEST_P(runtime_contract, thirty_at_once) {
  std::vector<launch_plan_ptr> plans;
  std::vector<taken<group_state>> answers(30);
  for (int i = 0; i < 30; ++i)
    plans.push_back(bench->plan("many" + std::to_string(i)));
  for (std::size_t i = 0; i < 30; ++i)
    rt().ensure(plans[i], millis(60000), {}, answers[i].taker());
  ASSERT_TRUE(
      bench->wait([&] { return std::all_of(answers.begin(), answers.end(), [](auto& one) { return one.there(); }); },
                  millis(60000)));
  for (auto& answer : answers)
    EXPECT_TRUE(answer.value()) << answer.value().error.detail;
  EXPECT_EQ(list().size(), 30u);
  std::vector<taken<done>> removed(30);
  for (std::size_t i = 0; i < 30; ++i)
    rt().remove(plans[i]->key, removed[i].taker());
  ASSERT_TRUE(
      bench->wait([&] { return std::all_of(removed.begin(), removed.end(), [](auto& one) { return one.there(); }); },
                  millis(60000)));
  EXPECT_TRUE(list().empty());
  EXPECT_EQ(exit_count(), 0u);
}

TEST_P(runtime_contract, two_epochs_are_two_groups) {
  auto old = bench->plan("l1", 1), fresh = bench->plan("l1", 2);
  ASSERT_TRUE(ensure(old));
  ASSERT_TRUE(ensure(fresh));
  EXPECT_EQ(list().size(), 2u);
  EXPECT_TRUE(remove(old->key));
  EXPECT_TRUE(inspect(fresh->key)->running());
}

TEST_P(runtime_contract, objects_can_be_removed_one_by_one) {
  auto plan = bench->plan("m1");
  ASSERT_TRUE(ensure(plan));
  for (auto& object : list())
    EXPECT_TRUE(wait_for<done>(*bench, [&](auto to) { rt().remove_object(object, to); }));
  EXPECT_TRUE(list().empty());
  EXPECT_EQ(exit_count(), 0u);
}

TEST_P(runtime_contract, lists_the_images_that_are_there_by_their_full_names) {
  auto plan = bench->plan("im1");
  ASSERT_TRUE(ensure(plan));
  auto image = engine::parse_image_reference(plan->spec->services.front().image);
  ASSERT_TRUE(image);
  for (int i = 0; i < 2; ++i) { // the second one from memory
    auto images = wait_for<std::vector<std::string>>(*bench, [&](auto to) { rt().list_images(to); });
    ASSERT_TRUE(images) << images.error.detail;
    EXPECT_TRUE(std::binary_search(images->begin(), images->end(), image->full_name()));
    EXPECT_LE(images->size(), 256u);
    auto missing = engine::parse_image_reference(bench->plan_without_image("im2")->spec->services.front().image);
    EXPECT_FALSE(missing && std::binary_search(images->begin(), images->end(), missing->full_name()));
  }
}

TEST_P(runtime_contract, stats_of_a_running_group) {
  auto plan = bench->plan("n1");
  ASSERT_TRUE(ensure(plan));
  auto stats = wait_for<group_stats>(*bench, [&](auto to) { rt().stats(plan->key, to); });
  ASSERT_TRUE(stats) << stats.error.detail;
  EXPECT_EQ(stats->memory_limit_bytes, 64ull << 20);
  EXPECT_GE(stats->pids, 1u);
}

TEST_P(runtime_contract, logs_end_with_an_end) {
  auto plan = bench->plan("o1");
  ASSERT_TRUE(ensure(plan));
  std::mutex mutex;
  bool ended = false;
  auto result = wait_for<done>(*bench, [&](auto to) {
    rt().logs(
        {plan->key, "", false, 10},
        [&](const log_chunk& chunk) {
          std::lock_guard lock(mutex);
          ended = ended || chunk.end;
        },
        to);
  });
  EXPECT_TRUE(result) << result.error.detail;
  EXPECT_TRUE(ended);
}

TEST_P(runtime_contract, followed_logs_can_be_cancelled) {
  auto plan = bench->plan("o2");
  ASSERT_TRUE(ensure(plan));
  taken<done> finished;
  auto cancel = rt().logs(
      {plan->key, "", true, 10}, [](const log_chunk&) {}, finished.taker());
  EXPECT_TRUE(inspect(plan->key));
  EXPECT_FALSE(finished.there());
  cancel.cancel();
  EXPECT_TRUE(bench->wait([&] { return finished.there(); }));
  EXPECT_EQ(finished.count(), 1);
}

/// A log that is being followed: what came of it, from any thread.
struct followed {
  std::mutex mutex;
  std::string text;
  std::size_t largest = 0;
  taken<done> finished;
  bool begun = false;
  log_reading reading;

  void begin(runtime& rt, const group_key& key, std::uint64_t credit = unlimited_credit, std::int32_t tail = -1) {
    log_request request{key, "", true, tail};
    request.through_restarts = true;
    request.credit_bytes = credit;
    request.begun = [this] {
      std::lock_guard lock(mutex);
      begun = true;
    };
    reading = rt.logs(
        std::move(request),
        [this](const log_chunk& chunk) {
          std::lock_guard lock(mutex);
          text += chunk.text;
          largest = std::max(largest, chunk.text.size());
        },
        finished.taker());
  }
  std::string read() {
    std::lock_guard lock(mutex);
    return text;
  }
  bool has_begun() {
    std::lock_guard lock(mutex);
    return begun;
  }
};

TEST_P(runtime_contract, output_comes_as_it_is_written_through_a_restart_and_ends_with_the_group) {
  auto plan = bench->plan_that_talks("o3");
  ASSERT_TRUE(ensure(plan));
  followed log;
  log.begin(rt(), plan->key);
  EXPECT_TRUE(bench->wait([&] { return log.read() == "hello\n"; })) << log.read();
  EXPECT_TRUE(log.has_begun());
  bench->write(plan->key, "first\n");
  EXPECT_TRUE(bench->wait([&] { return log.read() == "hello\nfirst\n"; })) << log.read();
  bench->crash(plan->key, "main");
  ASSERT_TRUE(bench->wait([&] { return exit_count() == 1; }));
  EXPECT_FALSE(log.finished.there()) << "it may be started again";
  ASSERT_TRUE(wait_for<group_state>(*bench, [&](auto to) { rt().start_again(plan->key, millis(30000), to); }));
  EXPECT_TRUE(bench->wait([&] { return log.read() == "hello\nfirst\nhello\n"; })) << log.read();
  bench->write(plan->key, "second\n");
  EXPECT_TRUE(bench->wait([&] { return log.read() == "hello\nfirst\nhello\nsecond\n"; })) << log.read();
  ASSERT_TRUE(remove(plan->key));
  ASSERT_TRUE(bench->wait([&] { return log.finished.there(); }));
  EXPECT_EQ(log.finished.value().error.code, errc::instance_ended);
  EXPECT_EQ(log.read(), "hello\nfirst\nhello\nsecond\n") << "each line once";
}

TEST_P(runtime_contract, no_more_is_handed_over_than_there_is_credit_for) {
  auto plan = bench->plan_that_talks("o4");
  ASSERT_TRUE(ensure(plan));
  followed log;
  log.begin(rt(), plan->key, 5);
  EXPECT_TRUE(bench->wait([&] { return log.read().size() == 5; }));
  bench->write(plan->key, "more\n");
  EXPECT_TRUE(inspect(plan->key)) << "time passes";
  EXPECT_EQ(log.read(), "hello");
  log.reading.more(3);
  EXPECT_TRUE(bench->wait([&] { return log.read() == "hello\nmo"; })) << log.read();
  log.reading.more(1000);
  EXPECT_TRUE(bench->wait([&] { return log.read() == "hello\nmore\n"; })) << log.read();
  log.reading.cancel();
  EXPECT_TRUE(bench->wait([&] { return log.finished.there(); }));
  EXPECT_TRUE(log.finished.value()) << "as was asked";
}

TEST_P(runtime_contract, what_is_followed_begins_with_the_lines_asked_for) {
  auto plan = bench->plan_that_talks("o5");
  ASSERT_TRUE(ensure(plan));
  bench->write(plan->key, "one\ntwo\nthree\n");
  followed all, tail;
  all.begin(rt(), plan->key);
  ASSERT_TRUE(bench->wait([&] { return all.read() == "hello\none\ntwo\nthree\n"; })) << all.read();
  tail.begin(rt(), plan->key, unlimited_credit, 2);
  EXPECT_TRUE(bench->wait([&] { return tail.read() == "two\nthree\n"; })) << tail.read();
}

TEST_P(runtime_contract, what_does_not_exist_is_not_followed) {
  followed log;
  log.begin(rt(), bench->plan("o6")->key);
  ASSERT_TRUE(bench->wait([&] { return log.finished.there(); }));
  EXPECT_EQ(log.finished.value().error.code, errc::unknown_instance);
  EXPECT_FALSE(log.has_begun());
}

TEST_P(runtime_contract, the_instance_file_follows_the_plan) {
  auto plan = bench->plan("p1");
  EXPECT_FALSE(wait_for<done>(*bench, [&](auto to) { rt().update_instance_file(plan, to); }))
      << "there is no such group yet";
  ASSERT_TRUE(ensure(plan));
  plan = bench->plan("p1");
  plan->expires_at = wall_time{1'700'003'600'000};
  EXPECT_TRUE(wait_for<done>(*bench, [&](auto to) { rt().update_instance_file(plan, to); }));
}

TEST_P(runtime_contract, what_is_open_at_the_end_is_answered) {
  taken<group_state> answer;
  rt().ensure(bench->plan("q1"), millis(30000), {}, answer.taker());
  bench->restart_process();
  EXPECT_TRUE(bench->wait([&] { return answer.there(); }));
  EXPECT_EQ(answer.count(), 1);
}

std::string bench_name(const ::testing::TestParamInfo<runtime_contract::ParamType>& info) { return info.param.first; }
INSTANTIATE_TEST_SUITE_P(each, runtime_contract,
                         ::testing::Values(std::pair("docker", &make_docker_bench),
                                           std::pair("simulated", &make_simulated_bench)),
                         bench_name);

} // namespace
} // namespace poseidon::test
