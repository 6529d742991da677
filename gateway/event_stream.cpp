#include "gateway/event_stream.hpp"

namespace poseidon::gateway {

namespace {

/// A piece is at most about this large: what one slow client costs.
constexpr std::size_t piece_bytes = 64 * 1024;
constexpr std::size_t batch = 256;
constexpr std::size_t state_page = 32;

bool ends_stream(const event& e) {
  return e.type == "instance.stopped" || e.type == "instance.expired" || e.type == "instance.failed" || e.type == "instance.lost";
}

class event_stream final : public subscriber, public std::enable_shared_from_this<event_stream> {
public:
  event_stream(const call& c, stream_filter filter, std::shared_ptr<stream_ticket> ticket)
      : call_(c), filter_(std::move(filter)), ticket_(std::move(ticket)) {}
  ~event_stream() override { leave(); }

  void begin(std::string_view last_event_id, stream_start start) {
    auto& services = call_.services();
    cursor_ = services.streams->seen();
    bool resumed = !last_event_id.empty() && resume(last_event_id);
    if (!last_event_id.empty() && !resumed) begin_state(true);
    if (last_event_id.empty() && start == stream_start::state) begin_state(false);
    if (last_event_id.empty() && start == stream_start::now) first_ = "retry: 2000\n\n" + synced_frame(services.events->at(), services.now());
    services.streams->add(*this);
    joined_ = true;
    auto self = shared_from_this();
    call_.stream("text/event-stream", [self] { self->pump(); });
    call_.wire().on_closed([self] { self->leave(); });
  }

  const stream_filter& filter() const override { return filter_; }
  void notify(std::uint64_t) override { pump(); }
  void skip(std::uint64_t from, std::uint64_t end) override {
    if (cursor_ == from && !listing_) cursor_ = end;
  }
  void heartbeat() override {
    static const auto comment = std::make_shared<const std::string>(": still here\n\n");
    call_.wire().write(comment);
  }

private:
  bool resume(std::string_view id) {
    auto point = call_.services().events->resume(id);
    if (!point) return false;
    cursor_ = point->from;
    seen_ = *point;
    first_ = "retry: 2000\n\n";
    return true;
  }

  /// The state is read page by page while events go on: those after this moment are sent after it.
  void begin_state(bool reset) {
    auto& services = call_.services();
    cursor_ = services.events->end();
    state_at_ = services.events->at();
    listing_ = true;
    listed_all_ = false;
    list_from_.clear();
    first_ += reset ? reset_frame(state_at_, services.model->live_count(), services.now()) : std::string("retry: 2000\n\n");
    if (!filter_.instance.empty()) list_one();
  }

  /// One instance's state is read at once: a client that has its answer's head sees every event after it.
  void list_one() {
    auto& services = call_.services();
    if (auto item = services.model->find(filter_.instance)) {
      first_ += state_frame(*item, state_at_, {services.urls, services.now()});
      over_ = !is_live(*item->row);
    }
    first_ += synced_frame(state_at_, services.now());
    listing_ = false;
  }

  void pump() {
    auto piece = std::make_shared<std::string>(std::move(first_));
    first_.clear();
    if (!call_.wire().open()) return;
    auto keep = shared_from_this();
    if (listing_) list_some(*piece);
    if (!listing_) read_some(*piece);
    if (piece->empty()) {
      if (over_) finish();
      return;
    }
    if (!call_.wire().write(piece)) first_ = std::move(*piece); // the one before it is on its way; its end calls again
  }

  void list_some(std::string& piece) {
    auto& services = call_.services();
    event_context context{services.urls, services.now()};
    while (!listed_all_ && piece.size() < piece_bytes) {
      instance_query query;
      query.states = {instance_state::queued, instance_state::pending, instance_state::running, instance_state::stopping};
      query.limit = state_page;
      query.cursor = list_from_;
      auto page = services.model->list(query);
      for (auto& item : page.items) piece += state_frame(item, state_at_, context);
      list_from_ = page.next;
      listed_all_ = page.next.empty();
    }
    if (!listed_all_) return;
    listing_ = false;
    piece += synced_frame(state_at_, services.now());
  }

  void read_some(std::string& piece) {
    auto& ring = *call_.services().events;
    while (piece.size() < piece_bytes && !over_) {
      auto events = ring.read(cursor_, batch);
      if (!events) { // too slow: the ring went past it
        begin_state(true);
        piece += std::exchange(first_, {});
        if (listing_) list_some(piece);
        return;
      }
      if (events->empty()) return;
      for (auto& e : *events) {
        ++cursor_;
        if (!filter_.accepts(*e) || seen_elsewhere(*e)) continue;
        piece += e->frame;
        over_ = over_ || (!filter_.instance.empty() && ends_stream(*e));
        if (piece.size() >= piece_bytes || over_) break;
      }
    }
  }

  bool seen_elsewhere(const event& e) const {
    return !e.passing && (e.at < seen_.after || (e.at == seen_.after && e.number <= seen_.number));
  }

  void finish() {
    leave();
    call_.wire().end();
  }

  void leave() {
    if (std::exchange(joined_, false)) call_.services().streams->remove(*this);
  }

  call call_;
  stream_filter filter_;
  std::shared_ptr<stream_ticket> ticket_;
  std::uint64_t cursor_ = 0; ///< ring index of the next event to look at
  event_ring::resume_point seen_; ///< what the client has seen elsewhere
  std::string first_;        ///< to be sent before anything else
  bool joined_ = false, listing_ = false, listed_all_ = false, over_ = false;
  std::string list_from_;
  position state_at_;
};

} // namespace

std::shared_ptr<stream_ticket> stream_ticket::take(api& services) {
  if (services.open_streams->fetch_add(1) < services.config->streams) return std::make_shared<stream_ticket>(*services.open_streams);
  services.open_streams->fetch_sub(1);
  return nullptr;
}

void open_event_stream(const call& c, stream_filter filter, std::string_view last_event_id, stream_start start) {
  auto ticket = stream_ticket::take(c.services());
  if (!ticket) return c.problem(errc::queue_full, "as many streams as allowed are open (api.streams)");
  std::make_shared<event_stream>(c, std::move(filter), std::move(ticket))->begin(last_event_id, start);
}

} // namespace poseidon::gateway
