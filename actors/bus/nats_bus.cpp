// One thread connects, publishes, subscribes and ends what is overdue; the client's threads only pass on what comes.

#include "actors/bus/nats_bus.hpp"

#include "actors/bus/open_requests.hpp"
#include "actors/nats/nats_client.hpp"

#include <spdlog/spdlog.h>

#include <atomic>
#include <charconv>
#include <deque>
#include <mutex>
#include <thread>

namespace poseidon {
namespace {

constexpr std::size_t most_waiting = 65'536;
constexpr std::chrono::milliseconds shortest_wait{100}, longest_wait{2'000}, look_every{50};

struct outgoing {
  std::string subject, reply, frame;
  std::uint64_t request = 0; ///< 0: none
};

struct subscription {
  std::string subject, group;
  bus_handler handler;
};

/// What the client's callbacks use. It outlives them.
struct incoming : nats_callbacks {
  std::function<void(std::uint64_t, outcome<std::string>)> replied;
  std::function<void(outgoing)> post;
  std::atomic<bool> closed = false;
};

/// A subscription's closure; lives as long as its link.
struct listener {
  incoming* to = nullptr;
  const bus_handler* handler = nullptr;
};

std::string bytes_of(natsMsg* message) {
  return {natsMsg_GetData(message), static_cast<std::size_t>(natsMsg_GetDataLength(message))};
}

void on_closed(natsConnection*, void* closure) {
  auto& to = *static_cast<incoming*>(closure);
  to.closed = true;
  to.ended();
}

void on_reply(natsConnection*, natsSubscription*, natsMsg* raw, void* closure) {
  const nats_message_ptr message{raw};
  const std::string_view subject{natsMsg_GetSubject(raw)};
  std::uint64_t id = 0;
  std::from_chars(subject.data() + subject.rfind('.') + 1, subject.data() + subject.size(), id);
  auto& to = *static_cast<incoming*>(closure);
  if (natsMsg_IsNoResponders(raw)) to.replied(id, failure{errc::engine_unavailable, "nobody answers there", 2'000, {}, {}});
  else to.replied(id, bytes_of(raw));
}

void on_frame(natsConnection*, natsSubscription*, natsMsg* raw, void* closure) {
  const nats_message_ptr message{raw};
  auto& from = *static_cast<listener*>(closure);
  bus_message came{natsMsg_GetSubject(raw), bytes_of(raw), [](std::string) {}};
  if (const char* reply = natsMsg_GetReply(raw); reply && *reply)
    came.answer = [post = from.to->post, to = std::string(reply)](std::string frame) { post({to, {}, std::move(frame), 0}); };
  (*from.handler)(std::move(came));
}

/// One connection. Used by the bus's thread alone.
class link {
public:
  explicit link(std::shared_ptr<incoming> to) : to_(std::move(to)) {}
  ~link() {
    for (auto& made : made_) natsSubscription_Unsubscribe(made.get());
    made_.clear();
    connection_.reset();
    if (to_->wait()) return;
    spdlog::error("bus: the NATS client did not end a connection's callbacks; what they use is kept");
    static_cast<void>(new std::pair(to_, std::move(listeners_)));
  }
  link(const link&) = delete;
  link& operator=(const link&) = delete;

  failure connect(const nats_servers& servers) {
    const auto made = make_nats_options(servers);
    if (!made) return made.error;
    const auto& options = *made;
    natsOptions_SetClosedCB(options.get(), on_closed, to_.get());
    natsConnection* connection = nullptr;
    to_->began();
    if (const auto status = natsConnection_Connect(&connection, options.get()); status != NATS_OK) {
      to_->ended(); // one that never stood tells of no end
      return nats_failure(status, "no connection to NATS");
    }
    connection_.reset(connection);
    auto inbox = make_nats_inbox();
    if (!inbox) return inbox.error;
    inbox_ = *inbox;
    return listen(inbox_ + ".*", {}, on_reply, to_.get());
  }
  failure subscribe(const subscription& wanted) {
    listeners_.push_back(std::make_unique<listener>(listener{to_.get(), &wanted.handler}));
    return listen(wanted.subject, wanted.group, on_frame, listeners_.back().get());
  }
  bool publish(const outgoing& what) {
    const auto reply = what.request == 0 ? what.reply : inbox_ + '.' + std::to_string(what.request);
    const auto size = static_cast<int>(what.frame.size());
    const auto status = reply.empty() ? natsConnection_Publish(connection_.get(), what.subject.c_str(), what.frame.data(), size)
                                      : natsConnection_PublishRequest(connection_.get(), what.subject.c_str(), reply.c_str(), what.frame.data(), size);
    if (status != NATS_OK) spdlog::debug("bus: not sent to {}: {}", what.subject, natsStatus_GetText(status));
    return status == NATS_OK;
  }
  bool closed() const { return to_->closed; }

private:
  failure listen(const std::string& subject, const std::string& group, natsMsgHandler handler, void* closure) {
    natsSubscription* made = nullptr;
    const auto status = group.empty()
                            ? natsConnection_Subscribe(&made, connection_.get(), subject.c_str(), handler, closure)
                            : natsConnection_QueueSubscribe(&made, connection_.get(), subject.c_str(), group.c_str(), handler, closure);
    if (status != NATS_OK) return nats_failure(status, "no subscription to " + subject);
    made_.emplace_back(made);
    to_->await_end(made);
    return {};
  }
  std::shared_ptr<incoming> to_;
  std::vector<std::unique_ptr<listener>> listeners_;
  std::vector<nats_subscription_ptr> made_;
  std::string inbox_;
  nats_connection_ptr connection_;
};

class nats_bus final : public bus {
public:
  nats_bus(nats_servers servers, std::shared_ptr<const clock> time)
      : servers_(std::move(servers)), requests_(std::move(time)), thread_([this] { run(); }) {}
  ~nats_bus() override {
    {
      const std::lock_guard lock{mutex_};
      ending_ = true;
    }
    wake_.notify_all();
    thread_.join();
    requests_.fail_all({errc::shutting_down, "the bus has ended", {}, {}, {}});
  }

  void publish(std::string subject, std::string frame) override { post({std::move(subject), {}, std::move(frame), 0}); }
  void request(std::string subject, std::string frame, millis limit, bus_answer done) override {
    const auto id = requests_.open(limit, std::move(done));
    if (!post({std::move(subject), {}, std::move(frame), id})) requests_.close(id, not_sent());
  }
  void subscribe(std::string subject, std::string group, bus_handler handler) override {
    {
      const std::lock_guard lock{mutex_};
      subscriptions_.push_back({std::move(subject), std::move(group), std::move(handler)});
    }
    wake_.notify_all();
  }
  void watch(std::function<void(bool)> told) override {
    const std::lock_guard lock{mutex_};
    if (connected_) told(true);
    watchers_.push_back(std::move(told));
  }

private:
  static failure not_sent() { return {errc::engine_unavailable, "the bus is not connected", 2'000, {}, {}}; }

  bool post(outgoing what) {
    {
      const std::lock_guard lock{mutex_};
      if (!connected_ || waiting_.size() >= most_waiting) return false;
      waiting_.push_back(std::move(what));
    }
    wake_.notify_all();
    return true;
  }

  void run() {
    auto wait = shortest_wait;
    while (!rest(std::chrono::milliseconds{0})) {
      if (auto made = connect()) {
        wait = shortest_wait;
        serve(*made);
        lose();
      } else if (rest(wait)) {
        return;
      } else {
        wait = std::min(wait * 2, longest_wait);
      }
    }
  }
  /// Waits for the end; true when it is there.
  bool rest(std::chrono::milliseconds most) {
    std::unique_lock lock{mutex_};
    return wake_.wait_for(lock, most, [this] { return ending_; });
  }

  std::unique_ptr<link> connect() {
    auto to = std::make_shared<incoming>();
    to->replied = [this](std::uint64_t id, outcome<std::string> reply) { requests_.close(id, std::move(reply)); };
    to->post = [this](outgoing what) { post(std::move(what)); };
    auto made = std::make_unique<link>(std::move(to));
    if (const auto failed = made->connect(servers_)) {
      if (std::exchange(trouble_, failed.detail) != failed.detail) spdlog::warn("bus: {}", failed.detail);
      return nullptr;
    }
    trouble_.clear();
    return made;
  }

  void serve(link& open) {
    std::size_t subscribed = 0;
    std::unique_lock lock{mutex_};
    while (!ending_ && !open.closed()) {
      for (; subscribed < subscriptions_.size(); ++subscribed) {
        const auto& next = subscriptions_[subscribed]; // a deque: it stays where it is
        lock.unlock();
        if (const auto failed = open.subscribe(next)) return spdlog::warn("bus: {}", failed.detail);
        lock.lock();
      }
      if (!connected_) tell(true);
      auto batch = std::exchange(waiting_, {});
      lock.unlock();
      for (auto& what : batch)
        if (!open.publish(what) && what.request != 0) requests_.close(what.request, not_sent());
      requests_.expire();
      lock.lock();
      wake_.wait_for(lock, look_every, [&] { return ending_ || !waiting_.empty() || subscribed < subscriptions_.size(); });
    }
  }
  /// Under the mutex: watchers only pass on.
  void tell(bool connected) {
    connected_ = connected;
    spdlog::info("bus: {}", connected ? "connected" : "the connection is lost");
    for (auto& told : watchers_) told(connected);
  }
  void lose() {
    {
      const std::lock_guard lock{mutex_};
      waiting_.clear();
      if (connected_) tell(false);
    }
    requests_.fail_all({errc::unknown_outcome, "the connection to NATS was lost before an answer came", 1'000, {}, {}});
  }

  const nats_servers servers_;
  open_requests requests_;
  std::string trouble_; ///< of the thread alone: so that it is told once
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<subscription> subscriptions_;
  std::vector<std::function<void(bool)>> watchers_;
  std::deque<outgoing> waiting_;
  bool connected_ = false, ending_ = false;
  std::thread thread_; ///< last
};

} // namespace

std::unique_ptr<bus> make_nats_bus(nats_servers servers, std::shared_ptr<const clock> time) {
  return std::make_unique<nats_bus>(std::move(servers), std::move(time));
}

} // namespace poseidon
