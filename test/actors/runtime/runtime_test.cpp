#include "actors/runtime/runtime.hpp"

#include "test/support/actor_fixture.hpp"
#include "test/support/hand_stream.hpp"

#include <thread>

namespace poseidon {
namespace {

using namespace test;

/// A port that keeps every callback until the test lets it answer.
struct held_port : runtime {
  template <class T>
  using all = std::vector<answer<T>>;
  all<runtime_info> starts;
  all<group_state> ensures, inspects, again;
  all<done> stops, removes, removed_objects, refreshes, log_ends;
  all<std::vector<runtime_object>> lists;
  all<group_stats> stat_calls;
  all<std::vector<std::string>> image_lists;
  std::vector<std::function<void(const group_progress&)>> progress;
  std::vector<std::function<void(const log_chunk&)>> chunks;
  std::vector<log_request> log_requests;
  std::vector<std::pair<std::string, millis>> stop_args;
  std::function<void(const service_exited&)> exits;
  std::function<void(const engine_changed&)> engine;

  void start(answer<runtime_info> a) override { starts.push_back(std::move(a)); }
  void ensure(launch_plan_ptr, millis, std::function<void(const group_progress&)> p, answer<group_state> a) override {
    progress.push_back(std::move(p));
    ensures.push_back(std::move(a));
  }
  void start_again(group_key, millis, answer<group_state> a) override { again.push_back(std::move(a)); }
  void stop(group_key, std::string signal, millis grace, answer<done> a) override {
    stop_args.emplace_back(signal, grace);
    stops.push_back(std::move(a));
  }
  void remove(group_key, answer<done> a) override { removes.push_back(std::move(a)); }
  void list(answer<std::vector<runtime_object>> a) override { lists.push_back(std::move(a)); }
  void remove_object(runtime_object, answer<done> a) override { removed_objects.push_back(std::move(a)); }
  void inspect(group_key, answer<group_state> a) override { inspects.push_back(std::move(a)); }
  log_reading logs(log_request r, std::function<void(const log_chunk&)> c, answer<done> a) override {
    log_requests.push_back(r);
    chunks.push_back(std::move(c));
    log_ends.push_back(std::move(a));
    return {[this] { ++cancelled; }, [this](std::uint64_t bytes) { credit += bytes; }};
  }
  std::size_t cancelled = 0;
  std::uint64_t credit = 0;
  void stats(group_key, answer<group_stats> a) override { stat_calls.push_back(std::move(a)); }
  void watch(std::function<void(const service_exited&)> w) override { exits = std::move(w); }
  void watch_engine(std::function<void(const engine_changed&)> w) override { engine = std::move(w); }
  void update_instance_file(launch_plan_ptr, answer<done> a) override { refreshes.push_back(std::move(a)); }
  void list_images(answer<std::vector<std::string>> a) override { image_lists.push_back(std::move(a)); }
  void pull(std::string, millis, std::function<void(std::uint32_t)>, answer<done>) override {}
};

struct runtime_test : actor_test {
  std::shared_ptr<held_port> port = std::make_shared<held_port>();
  runtime_actor runtime_handle;
  std::shared_ptr<std::vector<std::string>> heard = std::make_shared<std::vector<std::string>>();
  group_watcher watcher;
  engine_watcher engine_handle;
  const group_key key{{"x"}, {1, 2, {3, 4}}};

  runtime_test() {
    runtime_deps deps;
    deps.port = port;
    deps.timers = world.timers;
    deps.clock = std::shared_ptr<const clock>(&time, [](auto*) {});
    deps.log_bytes = 64;
    deps.most_streams = 3;
    runtime_handle = spawn_runtime(system, deps);
    watcher = system.spawn([heard = heard](group_watcher::pointer) -> group_watcher::behavior_type {
      return {[heard](const service_exited& e) { heard->push_back("exited " + std::to_string(e.exit_code)); },
              [heard](const group_progress& p) { heard->push_back("progress " + std::string(to_string(p.step))); }};
    });
    engine_handle = system.spawn([heard = heard](engine_watcher::pointer) -> engine_watcher::behavior_type {
      return {[heard](const engine_changed& e) { heard->push_back(e.up ? "up" : "down"); }};
    });
    caf::anon_send(runtime_handle, watch_engine{engine_handle});
    caf::anon_send(runtime_handle, watch_group{key, watcher});
    run();
  }
  ~runtime_test() override {
    for (auto a : {caf::actor_cast<caf::actor>(runtime_handle), caf::actor_cast<caf::actor>(watcher), caf::actor_cast<caf::actor>(engine_handle)})
      caf::anon_send_exit(a, caf::exit_reason::user_shutdown);
    run();
  }
  void started() {
    port->starts.back()(runtime_info{true, true, false, false, true, false, "held", "proved", 1, 2});
    run();
  }
  launch_plan_ptr plan() const {
    auto made = std::make_shared<launch_plan>();
    made->key = key;
    return made;
  }
  template <class R, class M>
  auto later(M m) { return world.ask_later<outcome<R>>(runtime_handle, std::move(m)); }
};

TEST_F(runtime_test, starts_the_port_again_until_it_succeeds_and_says_why_meanwhile) {
  ASSERT_EQ(port->starts.size(), 1u);
  port->starts[0](failure{errc::isolation_unproven, "a bridge was there", {}, {}, {}});
  run();
  EXPECT_EQ((**later<runtime_info>(get_runtime_info{})).error.code, errc::isolation_unproven);
  EXPECT_EQ((**later<done>(remove_group{key})).error.code, errc::isolation_unproven);
  EXPECT_TRUE(port->removes.empty());
  advance(millis{250});
  ASSERT_EQ(port->starts.size(), 2u);
  port->starts[1](failure{errc::engine_unavailable, "no socket", {}, {}, {}});
  run();
  advance(millis{400});
  EXPECT_EQ(port->starts.size(), 2u);
  advance(millis{150});
  ASSERT_EQ(port->starts.size(), 3u);
  EXPECT_TRUE(heard->empty());
  started();
  EXPECT_EQ(*heard, std::vector<std::string>{"up"});
  EXPECT_EQ((**later<runtime_info>(get_runtime_info{}))->engine, "held");
}

TEST_F(runtime_test, a_start_that_hangs_is_tried_again) {
  advance(millis{60'000 + 5'000 + 250});
  EXPECT_EQ(port->starts.size(), 2u);
}

TEST_F(runtime_test, answers_travel_back_from_any_thread) {
  started();
  auto answer = later<group_state>(inspect_group{key});
  EXPECT_FALSE(answer->has_value());
  std::thread([&] { port->inspects.at(0)(group_state{key, {}}); }).join();
  run();
  ASSERT_TRUE(answer->has_value());
  EXPECT_EQ((**answer)->key, key);
}

TEST_F(runtime_test, every_request_ends_and_what_comes_late_is_dropped) {
  started();
  auto a = later<group_state>(inspect_group{key});
  auto b = later<done>(stop_group{key, 900});
  auto c = later<group_state>(ensure_group{plan(), 300'000});
  EXPECT_EQ(port->stop_args[0], (std::pair<std::string, millis>{"", millis{900}}));
  advance(millis{15'000});
  ASSERT_TRUE(a->has_value());
  EXPECT_EQ((*a)->error.code, errc::engine_timeout);
  EXPECT_FALSE(b->has_value());
  advance(millis{900});
  ASSERT_TRUE(b->has_value());
  EXPECT_FALSE(c->has_value());
  port->inspects[0](group_state{key, {}});
  port->stops[0](done{});
  run();
  advance(millis{300'000});
  ASSERT_TRUE(c->has_value());
  EXPECT_EQ((*c)->error.code, errc::engine_timeout);
}

TEST_F(runtime_test, an_answer_counts_once) {
  started();
  auto a = later<done>(remove_group{key});
  port->removes[0](done{});
  port->removes[0](failure{errc::engine_error, "again", {}, {}, {}});
  run();
  ASSERT_TRUE(a->has_value());
  EXPECT_TRUE((*a)->ok());
}

TEST_F(runtime_test, progress_and_exits_go_to_the_groups_watcher) {
  started();
  heard->clear();
  later<group_state>(ensure_group{plan(), 1'000});
  port->progress[0]({key, group_step::pulling, 40});
  port->exits({key, "main", 137, false});
  port->exits({{{"other"}, {}}, "main", 1, false});
  run();
  EXPECT_EQ(*heard, (std::vector<std::string>{"progress pulling", "exited 137"}));
  caf::anon_send(runtime_handle, unwatch_group{key});
  port->exits({key, "main", 1, false});
  run();
  EXPECT_EQ(heard->size(), 2u);
}

TEST_F(runtime_test, a_watcher_that_has_ended_is_forgotten) {
  started();
  caf::anon_send_exit(watcher, caf::exit_reason::kill);
  run();
  heard->clear();
  port->exits({key, "main", 137, false});
  run();
  EXPECT_TRUE(heard->empty());
}

TEST_F(runtime_test, the_engines_changes_reach_who_watches_it) {
  started();
  heard->clear();
  port->engine({false});
  port->engine({true});
  run();
  EXPECT_EQ(*heard, (std::vector<std::string>{"down", "up"}));
}

TEST_F(runtime_test, a_log_is_its_end_from_a_whole_line_on) {
  started();
  auto a = later<log_text>(read_group_logs{key, "main", 0});
  EXPECT_EQ(port->log_requests[0].tail_lines, -1);
  for (int i = 0; i < 100; ++i) port->chunks[0]({"main", "line " + std::to_string(i) + "\n", false, false});
  port->log_ends[0](done{});
  run();
  ASSERT_TRUE(a->has_value() && (*a)->ok());
  auto& text = (**a)->text;
  EXPECT_LE(text.size(), 64u);
  EXPECT_TRUE(text.starts_with("line ")) << text;
  EXPECT_TRUE(text.ends_with("line 99\n"));
  auto b = later<log_text>(read_group_logs{key, "main", 5});
  EXPECT_EQ(port->log_requests[1].tail_lines, 5);
  port->chunks[1]({"main", "short", false, false});
  port->log_ends[1](done{});
  run();
  EXPECT_EQ((**b)->text, "short");
}

struct log_stream_test : runtime_test {
  hand_reader_ptr reader = std::make_shared<hand_reader>();
  stream_sink sink = spawn_hand_reader(system, reader);
  const stream_id stream{5, 6};
  stream_source source;

  ~log_stream_test() override {
    source = nullptr;
    caf::anon_send_exit(sink, caf::exit_reason::user_shutdown);
    sink = nullptr;
    run();
  }
  auto ask_for(bool follow = true) { return later<stream_opened>(open_group_log_stream{key, {stream, key.instance, "main", 7, follow, 1'000}, sink}); }
  void open() {
    auto answer = ask_for();
    EXPECT_FALSE(answer->has_value()) << "not before the engine sends";
    port->log_requests.back().begun();
    run();
    ASSERT_TRUE(answer->has_value() && (*answer)->ok());
    source = (**answer)->source;
  }
  void chunk(std::string text) {
    port->chunks.back()({"main", std::move(text), false, false});
    run();
  }
  template <class Word>
  void say(Word word) {
    caf::anon_send(source, std::move(word));
    run();
  }
};

TEST_F(log_stream_test, what_the_engine_sends_is_numbered_and_credit_reaches_it) {
  started();
  open();
  const auto& asked = port->log_requests.back();
  EXPECT_EQ(asked.tail_lines, 7);
  EXPECT_TRUE(asked.follow && asked.through_restarts);
  EXPECT_EQ(asked.credit_bytes, 1'000u);
  chunk("one\n");
  chunk("two\n");
  EXPECT_EQ(reader->text, "one\ntwo\n");
  EXPECT_EQ(reader->numbers, (std::vector<std::uint64_t>{1, 2}));
  say(stream_credit{stream, 300});
  EXPECT_EQ(port->credit, 300u);
  port->log_ends.back()(done{});
  run();
  ASSERT_TRUE(reader->end);
  EXPECT_FALSE(reader->end->why);
  EXPECT_EQ(reader->end->pieces, 2u);
}

TEST_F(log_stream_test, a_refusal_is_the_answer) {
  started();
  auto answer = ask_for();
  port->log_ends.back()(failure{errc::unknown_instance, "not here", {}, {}, {}});
  run();
  ASSERT_TRUE(answer->has_value());
  EXPECT_EQ((*answer)->error.code, errc::unknown_instance);
  EXPECT_FALSE(reader->end);
}

TEST_F(log_stream_test, an_empty_log_that_is_not_followed_opens_and_ends) {
  started();
  auto answer = ask_for(false);
  EXPECT_FALSE(port->log_requests.back().through_restarts);
  port->log_ends.back()(done{});
  run();
  EXPECT_TRUE(answer->has_value() && (*answer)->ok());
  ASSERT_TRUE(reader->end);
  EXPECT_FALSE(reader->end->why);
}

TEST_F(log_stream_test, why_it_broke_off_is_told) {
  started();
  open();
  chunk("x");
  port->log_ends.back()(failure{errc::engine_unavailable, "it broke off", {}, {}, {}});
  run();
  ASSERT_TRUE(reader->end);
  EXPECT_EQ(reader->end->why.code, errc::engine_unavailable);
}

TEST_F(log_stream_test, closing_and_the_readers_death_cancel_at_the_engine) {
  started();
  open();
  say(close_stream{stream});
  EXPECT_EQ(port->cancelled, 1u);
  open();
  caf::anon_send_exit(sink, caf::exit_reason::kill);
  run();
  EXPECT_EQ(port->cancelled, 2u);
}

TEST_F(log_stream_test, a_silent_reader_is_gone_after_half_a_minute_and_one_that_speaks_is_not) {
  started();
  open();
  for (int i = 0; i < 10; ++i) {
    advance(millis{20'000});
    say(stream_credit{stream, 0});
  }
  EXPECT_EQ(port->cancelled, 0u);
  advance(millis{29'000});
  EXPECT_EQ(port->cancelled, 0u);
  advance(millis{2'000});
  EXPECT_EQ(port->cancelled, 1u);
  ASSERT_TRUE(reader->end);
  EXPECT_EQ(reader->end->why.code, errc::request_timeout);
}

TEST_F(log_stream_test, so_many_and_no_more_are_open_at_once) {
  started();
  std::vector<stream_source> sources;
  for (int i = 0; i < 3; ++i) {
    open();
    sources.push_back(source);
  }
  auto refused = ask_for();
  ASSERT_TRUE(refused->has_value());
  EXPECT_EQ((*refused)->error.code, errc::queue_full);
  for (auto& one : sources) caf::anon_send(one, close_stream{stream});
  sources.clear();
  source = nullptr;
  run();
  open();
}

TEST_F(log_stream_test, large_chunks_become_pieces_that_fit_anywhere) {
  started();
  open();
  chunk(std::string(100'000, 'x'));
  EXPECT_EQ(reader->text.size(), 100'000u);
  EXPECT_EQ(reader->numbers.size(), 4u);
}

TEST_F(runtime_test, lists_and_the_rest_are_passed_on) {
  started();
  auto list = later<object_list>(list_objects{});
  port->lists[0](std::vector<runtime_object>(3));
  auto images = later<image_list>(list_images{});
  port->image_lists[0](std::vector<std::string>{"a", "b"});
  auto stats = later<group_stats>(read_group_stats{key});
  port->stat_calls[0](group_stats{1, 2, 3, 4});
  auto refresh = later<done>(refresh_group_file{});
  port->refreshes[0](done{});
  auto object = later<done>(remove_object{});
  port->removed_objects[0](failure{errc::engine_error, "busy", {}, {}, {}});
  auto again = later<group_state>(start_group_again{key, 1'000});
  port->again[0](failure{errc::unknown_instance, "gone", {}, {}, {}});
  run();
  EXPECT_EQ((**list)->objects.size(), 3u);
  EXPECT_EQ((**images)->images, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ((**stats)->pids, 4u);
  EXPECT_TRUE((*refresh)->ok());
  EXPECT_EQ((*object)->error.code, errc::engine_error);
  EXPECT_EQ((*again)->error.code, errc::unknown_instance);
}

TEST_F(runtime_test, callbacks_after_its_end_are_harmless) {
  started();
  heard->clear();
  auto open = later<done>(remove_group{key});
  caf::anon_send_exit(runtime_handle, caf::exit_reason::user_shutdown);
  run();
  ASSERT_TRUE(open->has_value()) << "what is open at its end is answered";
  EXPECT_EQ((*open)->error.code, errc::shutting_down);
  port->removes[0](done{});
  port->exits({key, "main", 137, false});
  port->engine({true});
  run();
  EXPECT_TRUE(heard->empty());
}

} // namespace
} // namespace poseidon
