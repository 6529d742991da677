#include "gateway/log_follow.hpp"

#include "gateway/event_stream.hpp"
#include "gateway/streams.hpp"
#include "messages/random.hpp"

namespace poseidon::gateway {

namespace {

constexpr std::uint32_t log_window = 256u << 10; ///< bytes under way to one client
constexpr std::size_t piece_bytes = 64u << 10;
constexpr millis still_reading{10'000};

class log_follow : public std::enable_shared_from_this<log_follow> {
public:
  log_follow(const call& c, read_logs what, std::shared_ptr<stream_ticket> ticket)
      : call_(c), what_(std::move(what)), ticket_(std::move(ticket)) {}

  /// Opening decides between an error and a stream.
  void begin() {
    call_.wire().on_closed([self = shared_from_this()] { self->stop(); });
    open();
  }

private:
  void open() {
    if (auto item = call_.services().model->find(what_.instance.value)) epoch_ = item->row->epoch;
    read_log_stream wanted{mint<stream_id>(*call_.services().random), what_.instance, what_.service, what_.tail, true, log_window};
    std::weak_ptr<log_follow> weak = shared_from_this();
    stream_events told;
    told.opened = [self = shared_from_this()](const failure& why) { self->opened(why); }; // also to a client that only listens
    told.piece = [weak](std::string text) {
      if (auto self = weak.lock()) self->came(std::move(text));
    };
    told.ended = [weak](const failure& why) {
      if (auto self = weak.lock()) self->ended(why);
    };
    reading_ = call_.services().actors->follow(std::move(wanted), std::move(told));
  }

  void opened(const failure& why) {
    if (why) return refused(why);
    anew_ = false;
    begin_answer();
    say_alive();
  }

  void refused(failure why) {
    reading_.reset();
    if (streaming_) return look_later(); // anew after a reset
    const bool ended = why.code == errc::instance_ended || why.code == errc::unknown_instance || why.code == errc::not_captured;
    if (!ended) return call_.problem(why);
    call_.services().actors->logs(what_, [self = shared_from_this()](outcome<log_text> kept) {
      if (self->stopped_) return;
      if (!kept) return self->call_.problem(kept.error);
      self->waiting_ = std::move(kept->text);
      self->over_ = true;
      self->begin_answer();
    });
  }

  void begin_answer() {
    if (std::exchange(streaming_, true)) return;
    busy_ = true; // the head
    call_.stream("text/plain; charset=utf-8", [self = shared_from_this()] { self->sent(); });
  }

  void came(std::string text) {
    waiting_ += text;
    pump();
  }

  void pump() {
    if (busy_ || stopped_ || !streaming_) return;
    if (waiting_.empty()) {
      if (over_) finish();
      return;
    }
    auto piece = std::make_shared<const std::string>(waiting_.substr(0, piece_bytes));
    if (!call_.wire().write(piece)) return;
    waiting_.erase(0, piece->size());
    under_way_ = static_cast<std::uint32_t>(piece->size());
    busy_ = true;
  }

  /// The client's socket has taken it: the source may send so much more.
  void sent() {
    busy_ = false;
    if (auto taken = std::exchange(under_way_, 0); taken > 0 && reading_) reading_->credit(taken);
    pump();
  }

  void say_alive() {
    timer_ = call_.wire().thread().after(still_reading, [weak = weak_from_this()] {
      auto self = weak.lock();
      if (!self || !self->reading_) return;
      self->reading_->credit(0);
      self->say_alive();
    });
  }

  void ended(const failure& why) {
    reading_.reset();
    call_.wire().thread().cancel(timer_);
    over_ = true;
    if (why && why.code != errc::instance_ended) {
      broken_ = true;
      waiting_ += "\nposeidon: the log breaks off here: " + why.detail + "\n";
    }
    pump();
  }

  void finish() {
    if (broken_ || !is_here()) return call_.wire().end();
    look_later();
  }

  bool is_here() const {
    auto item = call_.services().model->find(what_.instance.value);
    return item && is_live(*item->row);
  }

  /// The containers are gone, the instance is not: it ends in a moment, or was reset and begins anew.
  void look_later() {
    over_ = false;
    timer_ = call_.wire().thread().after(call_.services().config->log_poll, [weak = weak_from_this()] {
      auto self = weak.lock();
      if (!self || self->stopped_) return;
      auto item = self->call_.services().model->find(self->what_.instance.value);
      if (!item || !is_live(*item->row)) return self->call_.wire().end();
      if (item->row->epoch == self->epoch_ && !self->anew_) return self->look_later();
      self->anew_ = true; // until it is there
      self->what_.tail = 0;
      self->open();
    });
  }

  void stop() {
    if (!streaming_) return; // the answer goes to whoever still listens
    stopped_ = true;
    call_.wire().thread().cancel(timer_);
    reading_.reset();
  }

  call call_;
  read_logs what_;
  std::shared_ptr<stream_ticket> ticket_;
  std::shared_ptr<open_stream> reading_;
  epoch epoch_; ///< of the containers that are read
  std::string waiting_;
  std::uint32_t under_way_ = 0;
  loop::timer_id timer_ = 0;
  bool streaming_ = false, busy_ = false, over_ = false, broken_ = false, stopped_ = false;
  bool anew_ = false; ///< it was reset: the new containers are not there yet
};

} // namespace

void follow_logs(const call& c, read_logs what) {
  auto ticket = stream_ticket::take(c.services());
  if (!ticket) return c.problem(errc::queue_full, "as many streams as allowed are open (api.streams)");
  std::make_shared<log_follow>(c, std::move(what), std::move(ticket))->begin();
}

} // namespace poseidon::gateway
