// The log on JetStream, one server and three: appends a second and their latency, against the bare C client that publishes
// the same bytes as fast as it can (64 in flight, one entry a message), in the same run; and what a killed leader costs.

#include "actors/log/jetstream/jetstream_log.hpp"
#include "bench/bench.hpp"
#include "messages/codec.hpp"
#include "messages/subjects.hpp"
#include "test/actors/log/nats_server.hpp"
#include "test/support/real_clock.hpp"
#include "test/support/ticking_timers.hpp"

#include <nats/nats.h>

#include <algorithm>

namespace poseidon::bench {
namespace {

constexpr std::size_t throughput_entries = 20'000, latency_entries = 500, stall_entries = 5'000;
constexpr int rounds = 2;
constexpr std::chrono::seconds limit{60};
constexpr const char* raw_stream = "bare";

entry_ptr make_entry() {
  auto made = std::make_shared<entry>();
  made->id = mint<entry_id>(system_random());
  made->appender = "gateway-1";
  start_entry body;
  body.instance = mint_instance_id(system_random());
  body.owner = {"alice@uni.example", "team-17", std::nullopt, "Team 17"};
  body.key = key_of(body.owner);
  body.loads = {{node_name{"node-1"}, 120, 300}, {node_name{"node-2"}, 80, 250}};
  made->body = body;
  return made;
}

double percentile(std::vector<double>& sorted, double part) {
  return sorted[std::min(sorted.size() - 1, static_cast<std::size_t>(static_cast<double>(sorted.size()) * part))];
}

/// The bare client on a stream of its own.
class bare_client {
public:
  bare_client(const std::vector<std::string>& urls, std::uint32_t replicas) {
    std::vector<const char*> all;
    for (const auto& url : urls) all.push_back(url.c_str());
    natsOptions_Create(&options_);
    natsOptions_SetServers(options_, all.data(), static_cast<int>(all.size()));
    natsOptions_SetSendAsap(options_, false); // its fastest way
    check(natsConnection_Connect(&connection_, options_));
    jsOptions how;
    jsOptions_Init(&how);
    how.PublishAsync.MaxPending = 64;
    how.PublishAsync.StallWait = 60'000;
    check(natsConnection_JetStream(&context_, connection_, &how));
    jsStreamConfig stream;
    jsStreamConfig_Init(&stream);
    const char* subjects[] = {raw_stream};
    stream.Name = raw_stream;
    stream.Subjects = subjects;
    stream.SubjectsLen = 1;
    stream.Replicas = replicas;
    stream.Storage = js_FileStorage;
    check(js_AddStream(nullptr, context_, &stream, nullptr, nullptr));
  }
  ~bare_client() {
    jsCtx_Destroy(context_);
    natsConnection_Destroy(connection_);
    natsOptions_Destroy(options_);
  }
  bare_client(const bare_client&) = delete;
  bare_client& operator=(const bare_client&) = delete;

  double publishes_a_second(const std::string& bytes) {
    const auto from = now_seconds();
    for (std::size_t i = 0; i < throughput_entries; ++i)
      check(js_PublishAsync(context_, raw_stream, bytes.data(), static_cast<int>(bytes.size()), nullptr));
    check(js_PublishAsyncComplete(context_, nullptr));
    return throughput_entries / (now_seconds() - from);
  }
  std::vector<double> one_by_one_ms(const std::string& bytes) {
    std::vector<double> ms;
    for (std::size_t i = 0; i < latency_entries; ++i) {
      const auto from = now_seconds();
      check(js_Publish(nullptr, context_, raw_stream, bytes.data(), static_cast<int>(bytes.size()), nullptr, nullptr));
      ms.push_back((now_seconds() - from) * 1000);
    }
    std::sort(ms.begin(), ms.end());
    return ms;
  }
  /// The server that leads a stream.
  std::string leader(const std::string& stream) {
    jsStreamInfo* info = nullptr;
    check(js_GetStreamInfo(&info, context_, stream.c_str(), nullptr, nullptr));
    const std::string name = info->Cluster && info->Cluster->Leader ? info->Cluster->Leader : "";
    jsStreamInfo_Destroy(info);
    return name;
  }

private:
  static void check(natsStatus status) {
    if (status != NATS_OK) throw std::runtime_error(std::string("the bare client: ") + natsStatus_GetText(status));
  }
  natsOptions* options_ = nullptr;
  natsConnection* connection_ = nullptr;
  jsCtx* context_ = nullptr;
};

/// One log and one follower of it.
class log_client {
public:
  log_client(caf::actor_system& system, const timers_actor& timers, const jetstream_options& options)
      : system_(system), self_(system), log_(spawn_jetstream_log(system, {timers, &time_, &system_random(), {}}, options)) {
    go_on();
  }
  ~log_client() { test::end(system_, log_); }

  double appends_a_second() {
    std::vector<entry_ptr> entries;
    while (entries.size() < throughput_entries) entries.push_back(make_entry());
    const auto before = delivered_;
    failures_ = 0;
    const auto from = now_seconds();
    for (auto& e : entries) append(std::move(e));
    while (delivered_ - before + failures_ < throughput_entries) take();
    return static_cast<double>(delivered_ - before) / (now_seconds() - from);
  }
  std::vector<double> one_by_one_ms() {
    std::vector<double> ms;
    for (std::size_t i = 0; i < latency_entries; ++i) {
      const auto from = now_seconds();
      append(make_entry());
      for (const auto seen = delivered_; delivered_ == seen;) take();
      ms.push_back((now_seconds() - from) * 1000);
    }
    std::sort(ms.begin(), ms.end());
    return ms;
  }
  /// The longest time between two deliveries, while `meanwhile` runs after a quarter of the entries; each is tried until it is in.
  double longest_stall_ms(const std::function<void()>& meanwhile) {
    double longest = 0, last = now_seconds();
    bool done = false;
    failures_ = 0;
    for (const auto until = delivered_ + stall_entries; delivered_ < until;) {
      if (!done && delivered_ + 3 * stall_entries / 4 > until) meanwhile(), done = true;
      for (int n = 0; n < 32; ++n) append(make_entry());
      const auto before = delivered_;
      while (delivered_ - before + failures_ < 32) take(); // each is in, refused or unknown before the next are tried
      if (std::exchange(failures_, 0) > 0) self_->receive(caf::after(millis{20}) >> [] {});
      if (delivered_ == before) continue;
      const auto now = now_seconds();
      longest = std::max(longest, now - last);
      last = now;
    }
    return longest * 1000;
  }

private:
  log_sink sink() { return caf::actor_cast<log_sink>(self_->address()); }
  void append(entry_ptr what) { self_->send(log_, append_to_log{sink(), {std::move(what)}}); }
  void take() {
    self_->receive(
        [&](log_batch& b) {
          if (b.entries->back().sequence <= delivered_) return;
          delivered_ = b.entries->back().sequence;
          self_->send(log_, log_consumed{sink(), delivered_});
        },
        [&](log_append_failed&) { ++failures_; },
        [&](log_connection& c) {
          if (c.connected) go_on();
        },
        caf::after(limit) >> [] { throw std::runtime_error("the log delivers nothing"); });
  }
  /// Follows from what was delivered, once it answers.
  void go_on() {
    bool follows = false;
    for (const auto until = now_seconds() + 60; !follows;) {
      self_->request(log_, limit, follow_log{sink(), delivered_})
          .receive([&](outcome<log_extent>& answer) { follows = answer.ok(); }, [](caf::error&) {});
      if (!follows && now_seconds() > until) throw std::runtime_error("the log does not answer");
      if (!follows) self_->receive(caf::after(millis{20}) >> [] {});
    }
  }

  caf::actor_system& system_;
  const test::real_clock time_;
  caf::scoped_actor self_;
  log_actor log_;
  std::uint64_t delivered_ = 0;
  std::size_t failures_ = 0;
};

std::vector<row> measure(std::uint32_t replicas) {
  test::nats_cluster servers;
  if (replicas == 1) servers.servers.push_back(std::make_unique<test::nats_server>());
  else servers.make_three();
  jetstream_options options;
  options.urls = servers.urls();
  options.replicas = replicas;
  options.cluster = "bench";
  options.client = "bench";
  test::threaded_system world;
  const test::real_clock time;
  test::ticking_timers timers(world.system, time);
  log_client ours(world.system, timers.actor, options);
  bare_client bare(options.urls, replicas);
  const auto bytes = encode(*make_entry());

  double bare_rate = 0, our_rate = 0;
  for (int round = 0; round < rounds; ++round) { // the best of each: whatever else runs here only takes away
    bare_rate = std::max(bare_rate, bare.publishes_a_second(bytes));
    our_rate = std::max(our_rate, ours.appends_a_second());
  }
  auto bare_ms = bare.one_by_one_ms(bytes), our_ms = ours.one_by_one_ms();
  const auto named = [&](const char* what) { return "jetstream, " + std::to_string(replicas) + (replicas == 1 ? " server: " : " servers: ") + what; };
  std::vector<row> rows{{named("appends"), our_rate, "entries/s", bare_rate, 1.0, false},
                        {named("an append until delivered, p50"), percentile(our_ms, 0.5), "ms", percentile(bare_ms, 0.5)},
                        {named("an append until delivered, p99"), percentile(our_ms, 0.99), "ms", percentile(bare_ms, 0.99)}};
  if (replicas > 1) {
    const auto kill_leader = [&] { servers.named(bare.leader(subjects::ledger_stream(options.cluster))).kill(); };
    rows.push_back({named("longest stall when the leader is killed"), ours.longest_stall_ms(kill_leader), "ms"});
  }
  return rows;
}

const part one_part{"jetstream", [] { return measure(1); }};
const part three_part{"jetstream-three", [] { return measure(3); }};

} // namespace
} // namespace poseidon::bench
