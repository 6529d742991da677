#include "actors/bus/memory_bus.hpp"

#include "actors/bus/open_requests.hpp"

#include <algorithm>
#include <mutex>

namespace poseidon {

namespace {

/// NATS's rule for the subjects that we use: whole, or with a last token `>` or any token `*`.
bool matches(std::string_view pattern, std::string_view subject) {
  while (!pattern.empty()) {
    const auto wanted = pattern.substr(0, pattern.find('.')), got = subject.substr(0, subject.find('.'));
    if (wanted == ">") return !subject.empty();
    if (subject.empty() || (wanted != "*" && wanted != got)) return false;
    pattern.remove_prefix(std::min(pattern.size(), wanted.size() + 1));
    subject.remove_prefix(std::min(subject.size(), got.size() + 1));
  }
  return subject.empty();
}

} // namespace

struct memory_bus_hub::shared : std::enable_shared_from_this<shared> {
  struct member {
    std::string name;
    bool away = false;
    std::vector<std::tuple<std::string, std::string, bus_handler>> subscriptions;
    std::vector<std::function<void(bool)>> watchers;
    std::shared_ptr<open_requests> requests;
  };
  std::shared_ptr<const clock> time;
  bus_courier courier;
  std::mutex mutex;
  std::vector<std::shared_ptr<member>> members;

  /// Hands over unless one of the two is cut off by then.
  void carry(const std::shared_ptr<member>& from, const std::shared_ptr<member>& to, std::function<void()> deliver) {
    auto arrive = [hub = shared_from_this(), from, to, deliver = std::move(deliver)] {
      bool cut = false;
      {
        const std::lock_guard lock{hub->mutex};
        cut = from->away || to->away;
      }
      if (!cut) deliver();
    };
    if (courier) courier(from->name, to->name, std::move(arrive));
    else arrive();
  }

  /// Whoever gets it; a group's first member that is there.
  std::vector<std::pair<std::shared_ptr<member>, bus_handler>> listeners(const member& from, const std::string& subject) {
    const std::lock_guard lock{mutex};
    std::vector<std::pair<std::shared_ptr<member>, bus_handler>> found;
    std::vector<std::string> served;
    if (from.away) return found;
    for (auto& one : members)
      for (auto& [pattern, group, handler] : one->subscriptions) {
        if (one->away || !matches(pattern, subject)) continue;
        if (!group.empty()) {
          if (std::ranges::find(served, group) != served.end()) continue;
          served.push_back(group);
        }
        found.emplace_back(one, handler);
      }
    return found;
  }
};

class memory_bus_hub::place final : public bus {
public:
  place(std::shared_ptr<shared> hub, std::shared_ptr<shared::member> self) : hub_(std::move(hub)), self_(std::move(self)) {}
  ~place() override {
    {
      const std::lock_guard lock{hub_->mutex};
      std::erase(hub_->members, self_);
    }
    self_->requests->fail_all({errc::shutting_down, "the bus has ended", {}, {}, {}});
  }
  void publish(std::string subject, std::string frame) override {
    for (auto& [to, handler] : hub_->listeners(*self_, subject))
      hub_->carry(self_, to, [handler = std::move(handler), subject, frame] { handler({subject, frame, [](std::string) {}}); });
  }
  void request(std::string subject, std::string frame, millis limit, bus_answer done) override {
    const auto to = hub_->listeners(*self_, subject);
    if (to.empty()) return done(failure{errc::engine_unavailable, "nobody answers there", 2'000, {}, {}});
    const auto id = self_->requests->open(limit, std::move(done));
    const auto from = to.front().first;
    auto answer = [hub = hub_, self = self_, from, id](std::string reply) {
      hub->carry(from, self, [self, id, reply = std::move(reply)]() mutable { self->requests->close(id, std::move(reply)); });
    };
    hub_->carry(self_, from, [handler = to.front().second, answer = std::move(answer), subject = std::move(subject), frame = std::move(frame)] {
      handler({subject, frame, answer});
    });
  }
  void subscribe(std::string subject, std::string group, bus_handler handler) override {
    const std::lock_guard lock{hub_->mutex};
    self_->subscriptions.emplace_back(std::move(subject), std::move(group), std::move(handler));
  }
  void watch(std::function<void(bool)> told) override {
    const std::lock_guard lock{hub_->mutex};
    if (!self_->away) told(true);
    self_->watchers.push_back(std::move(told));
  }

private:
  std::shared_ptr<shared> hub_;
  std::shared_ptr<shared::member> self_;
};

memory_bus_hub::memory_bus_hub(std::shared_ptr<const clock> time, bus_courier courier) : shared_(std::make_shared<shared>()) {
  shared_->time = std::move(time);
  shared_->courier = std::move(courier);
}
memory_bus_hub::~memory_bus_hub() = default;

std::unique_ptr<bus> memory_bus_hub::join(std::string name) {
  auto member = std::make_shared<shared::member>();
  member->name = std::move(name);
  member->requests = std::make_shared<open_requests>(shared_->time);
  const std::lock_guard lock{shared_->mutex};
  shared_->members.push_back(member);
  return std::make_unique<place>(shared_, std::move(member));
}

void memory_bus_hub::cut(const std::string& name, bool away) {
  std::vector<std::shared_ptr<shared::member>> changed;
  {
    const std::lock_guard lock{shared_->mutex};
    for (auto& member : shared_->members) {
      if (member->name != name || member->away == away) continue;
      member->away = away;
      for (auto& told : member->watchers) told(!away);
      changed.push_back(member);
    }
  }
  for (auto& member : changed)
    if (away) member->requests->fail_all({errc::unknown_outcome, "the connection was lost before an answer came", 1'000, {}, {}});
}

void memory_bus_hub::expire() {
  std::vector<std::shared_ptr<shared::member>> all;
  {
    const std::lock_guard lock{shared_->mutex};
    all = shared_->members;
  }
  for (auto& member : all) member->requests->expire();
}

} // namespace poseidon
