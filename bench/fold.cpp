// The fold alone: entries a second on one core, and what a live instance costs a replica.

#include "actors/fold/fold.hpp"
#include "bench/bench.hpp"

#include <deque>
#include <stdexcept>

namespace poseidon::bench {
namespace {

constexpr std::size_t challenges = 20, nodes = 8;

/// Writes a log as a busy cluster would.
class script {
public:
  script() {
    put(incarnation_entry{1, {1, 1}, {}, {}});
    for (std::size_t n = 0; n < nodes; ++n) {
      node_up_entry up;
      up.node = {"node-" + std::to_string(n)};
      up.run = {7, n};
      up.data = {8, n};
      up.capacity = {1ull << 46, 1u << 30, 0};
      up.incarnation = 1;
      up.at = {1, last_};
      put(up);
    }
    auto spec = std::make_shared<instance_spec>();
    spec->services.emplace_back().image = "registry.example/web:1";
    spec->reserve = {1u << 20, 1};
    for (std::size_t c = 0; c < challenges; ++c) {
      const auto digest = "sha256:" + std::string(62, 'a') + std::to_string(10 + c);
      put(put_challenge_entry{{"challenge-" + std::to_string(c)}, digest, {digest}, spec, "{}", {}});
    }
  }

  const placed_entry& put(entry_body body) {
    auto e = std::make_shared<entry>();
    e->id = {0x1234, ++last_};
    e->appender = "gateway-1";
    e->folded = {1, last_ - 1};
    e->at = wall_time{1'700'000'000'000 + static_cast<std::int64_t>(last_)};
    e->body = std::move(body);
    return log.emplace_back(placed_entry{{1, last_}, e->at, e});
  }
  struct epoch last_epoch() const { return {1, last_, {0x1234, last_}}; }

  start_entry start_of(std::size_t user, bool key) {
    start_entry e;
    const auto name = std::to_string(100'000 + user);
    e.instance = {"k3" + std::string(18, 'x') + name};
    e.owner.user = "player-" + name;
    e.key = {"user:player-" + name};
    e.challenge = {"challenge-" + std::to_string(user % challenges)};
    e.host = "0123456789abcd" + name + ".ctf.example";
    if (key) {
      e.idempotency_key = "key-1:6f1c2f4e-8c1d-4b6e-9d53-1f0a4c" + name;
      e.body_digest = std::string(64, 'd');
    }
    e.actor = "key:platform";
    return e;
  }
  running_entry running_of(const start_entry& start, const struct epoch& epoch) {
    return {{start.instance, epoch, {}, {7, 0}, 1}, {1'700'000'000'000}, {1'700'003'600'000}, {{8000, port_protocol::http, "web"}}};
  }

  std::deque<placed_entry> log; ///< written and not yet folded

private:
  std::uint64_t last_ = 0;
};

/// Folds what has been written, and drops it.
void fold_all(ledger_state& state, script& s) {
  ledger_change change;
  for (; !s.log.empty(); s.log.pop_front())
    if (const auto v = fold(state, s.log.front(), change); v.kind == verdict_kind::refused || v.kind == verdict_kind::without_effect)
      throw std::runtime_error("an entry was not accepted: " + v.why.detail);
}

struct live_instance {
  start_entry start;
  struct epoch epoch;
};

/// Where the fold put it.
fact_head head_of(const ledger_state& state, const live_instance& i, std::uint64_t number) {
  const auto& row = state.instances.at(state.instances.find(i.start.instance));
  return {row.id, row.epoch, row.node, row.node_run, number};
}

/// Lifecycles of four entries over `standing` live instances; only the fold is timed.
row entries_a_second(std::size_t standing) {
  ledger_state state;
  script s;
  fold_all(state, s);
  std::deque<live_instance> live;
  double seconds = 0;
  std::size_t folded = 0, user = 0;
  const auto timed = [&](bool count) {
    const auto entries = s.log.size();
    const auto from = thread_cpu_seconds();
    fold_all(state, s);
    if (!count) return;
    seconds += thread_cpu_seconds() - from;
    folded += entries;
  };
  for (std::size_t batch = 0; batch < 220; ++batch) {
    const bool count = live.size() >= standing;
    std::vector<live_instance> fresh;
    for (int i = 0; i < 1000; ++i) {
      fresh.push_back({s.start_of(user++, true), {}});
      s.put(fresh.back().start);
      fresh.back().epoch = s.last_epoch();
    }
    timed(count);
    for (const auto& f : fresh) {
      auto e = s.running_of(f.start, f.epoch);
      e.head = head_of(state, f, 1);
      s.put(e);
    }
    timed(count);
    live.insert(live.end(), fresh.begin(), fresh.end());
    for (int i = 0; live.size() > standing && i < 1000; ++i, live.pop_front()) {
      s.put(stopping_entry{head_of(state, live.front(), 2), end_reason::stopped, "key:platform"});
      s.put(ended_entry{head_of(state, live.front(), 3), end_reason::stopped, {}, {1}, "key:platform"});
    }
    timed(count);
    if (batch % 50 == 49) s.put(compact_entry{state.at});
    timed(false);
  }
  return {"fold: entries, " + std::to_string(standing) + " live", static_cast<double>(folded) / seconds, "entries/s", {}, 500'000, false};
}

/// Heap bytes a live, running instance costs; `key`: bound to an idempotency key, too.
row bytes_a_row(bool key) {
  constexpr std::size_t count = 100'000;
  ledger_state state;
  script s;
  // What does not grow with the instances: the ring of entry ids is filled first.
  fold_all(state, s);
  for (std::size_t i = 0; i < seen_entries::capacity; ++i) s.put(put_setting_entry{"a.setting", "1"}), fold_all(state, s);
  const auto before = heap_bytes();
  for (std::size_t i = 0; i < count; ++i) {
    const live_instance one{s.start_of(i, key), {}};
    s.put(one.start);
    fold_all(state, s);
    auto e = s.running_of(one.start, {});
    e.head = head_of(state, one, 1);
    s.put(e);
    fold_all(state, s);
  }
  const auto grown = static_cast<double>(heap_bytes() - before) / count;
  return {key ? "fold: a row and its key, of 100,000" : "fold: a row, of 100,000", grown, "B", {}, key ? std::nullopt : std::optional{1024.0}};
}

const part fold_part{"fold", [] {
                       return std::vector<row>{entries_a_second(1'000), entries_a_second(50'000), bytes_a_row(false), bytes_a_row(true)};
                     }};

} // namespace
} // namespace poseidon::bench
