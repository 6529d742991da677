// The log's transport over NATS: one thread publishes, one does everything that waits for an answer.

#include "actors/log/jetstream/nats_link.hpp"
#include "actors/log/jetstream/work_thread.hpp"

namespace poseidon {
namespace {

constexpr std::size_t read_bytes = 4u << 20; // of one batch that is read from the stream

class nats_transport : public log_transport {
public:
  explicit nats_transport(jetstream_options options) : options_(std::move(options)) {}
  ~nats_transport() override;

  void start(std::function<void(transport_event)> tell) override { tell_ = std::move(tell); }
  void open(std::uint64_t link) override;
  void publish(std::uint64_t link, outgoing_message what) override;
  void check(std::uint64_t link) override;
  void taken(std::uint64_t link) override;
  void read(std::uint64_t token, std::uint64_t after, std::size_t most) override;
  void trim(std::uint64_t token, std::uint64_t before) override;

private:
  failure connect(std::uint64_t link);
  failure drop_before(std::uint64_t entry);
  std::shared_ptr<nats_link> current(std::uint64_t link) const;
  void replace(std::shared_ptr<nats_link> with);

  jetstream_options options_;
  std::function<void(transport_event)> tell_;
  mutable std::mutex mutex_;
  std::shared_ptr<nats_link> link_;    ///< guarded by mutex_
  std::unique_ptr<log_reader> reader_; ///< of link_; used by asking_ alone
  bool read_lately_ = false;           ///< the same
  work_thread publishing_, asking_;    ///< last: they end before what they use
};

failure away() { return {errc::ledger_unavailable, "the log is not connected", {}, {}, {}}; }

nats_transport::~nats_transport() {
  if (const auto open = current(0)) open->callbacks().closed = true; // whatever still waits for it gives up
}

/// The open link; `link` 0: whichever it is.
std::shared_ptr<nats_link> nats_transport::current(std::uint64_t link) const {
  const std::lock_guard lock{mutex_};
  return link_ && (link == 0 || link_->callbacks().link == link) ? link_ : nullptr;
}

void nats_transport::replace(std::shared_ptr<nats_link> with) {
  const std::lock_guard lock{mutex_};
  link_.swap(with);
}

void nats_transport::open(std::uint64_t link) {
  asking_.post([this, link] {
    if (auto failed = connect(link)) tell_(link_closed{link, std::move(failed)});
  });
}

failure nats_transport::connect(std::uint64_t link) {
  reader_.reset();
  replace(nullptr);
  if (auto refused = check_servers(options_)) return refused;
  auto made = nats_link::connect(options_, link, tell_);
  if (!made) return made.error;
  const auto stream = (*made)->prepare(options_.replicas, options_.may_make);
  if (!stream) return stream.error;
  auto reader = std::make_unique<log_reader>(**made);
  auto found = reader->find();
  if (!found) return found.error;
  replace(*made);
  reader_ = std::move(reader);
  const auto next = found->end.next.message;
  tell_(link_opened{link, stream->identity, std::move(*found), stream->leader, (*made)->most_bytes()});
  if (auto failed = (*made)->follow(next)) (*made)->callbacks().close(failed); // told after link_opened, as every message is
  return {};
}

void nats_transport::publish(std::uint64_t link, outgoing_message what) {
  publishing_.post([this, link, what = std::move(what)] {
    if (const auto open = current(link)) open->publish(what);
    else tell_(publish_refused{link, what.number, away()});
  });
}

void nats_transport::check(std::uint64_t link) {
  asking_.post([this, link] {
    const auto open = current(link);
    if (!open) return;
    if (!std::exchange(read_lately_, false) && reader_) reader_->rest();
    tell_(stream_checked{link, open->check()});
  });
}

void nats_transport::taken(std::uint64_t link) {
  if (const auto open = current(link)) --open->callbacks().ahead;
}

void nats_transport::read(std::uint64_t token, std::uint64_t after, std::size_t most) {
  asking_.post([this, token, after, most] {
    read_lately_ = true;
    auto entries = reader_ ? reader_->read_after(after, most, read_bytes) : outcome<std::vector<logged_entry>>{away()};
    auto found = std::make_shared<const std::vector<logged_entry>>(entries ? std::move(*entries) : std::vector<logged_entry>{});
    tell_(stream_was_read{token, std::move(found), entries.error});
  });
}

void nats_transport::trim(std::uint64_t token, std::uint64_t before) {
  asking_.post([this, token, before] { tell_(stream_trimmed{token, drop_before(before)}); });
}

failure nats_transport::drop_before(std::uint64_t entry) {
  const auto open = current(0);
  if (!open || !reader_) return away();
  const auto first_kept = reader_->message_of(entry);
  if (!first_kept) return first_kept.error;
  log_reader ends{*open};
  const auto found = ends.find();
  if (!found) return found.error;
  return open->purge(first_kept->message, found->end.last);
}

} // namespace

log_actor spawn_jetstream_log(caf::actor_system& system, jetstream_front_deps deps, const jetstream_options& options) {
  return spawn_jetstream_front(system, std::move(deps), std::make_unique<nats_transport>(options));
}

} // namespace poseidon
