#include "gateway/log_follow.hpp"

#include "gateway/event_stream.hpp"

namespace poseidon::gateway {

namespace {

/// This much of the end of what was sent identifies the place in what comes next.
constexpr std::size_t overlap_bytes = 4096;

class log_follow : public std::enable_shared_from_this<log_follow> {
public:
  log_follow(const call& c, read_logs what, std::shared_ptr<stream_ticket> ticket)
      : call_(c), what_(std::move(what)), ticket_(std::move(ticket)) {}

  /// The first read decides between an error and a stream.
  void begin() {
    ask([self = shared_from_this()](outcome<log_text> reply) {
      if (!reply) return self->call_.problem(reply.error);
      self->what_.tail = 0; // what follows is compared with everything
      self->open(std::move(reply->text));
    });
  }

private:
  void ask(then<log_text> done) { call_.services().actors->logs(what_, std::move(done)); }

  void open(std::string text) {
    auto self = shared_from_this();
    call_.stream("text/plain; charset=utf-8", [self] { self->sent(); });
    call_.wire().on_closed([self] { self->stop(); });
    seen_ = text;
    next_ = std::move(text);
  }

  void sent() {
    if (stopped_) return;
    if (!next_.empty()) {
      call_.wire().write(std::make_shared<const std::string>(std::exchange(next_, {})));
      return;
    }
    if (over_) return call_.wire().end();
    auto self = shared_from_this();
    timer_ = call_.wire().thread().after(call_.services().config->log_poll, [self] { self->poll(); });
  }

  void poll() {
    if (stopped_) return;
    auto item = call_.services().model->find(what_.instance.value);
    over_ = !item || !is_live(*item->row); // looked at before the read: the last output is not missed
    ask([self = shared_from_this()](outcome<log_text> reply) { self->grown(std::move(reply)); });
  }

  void grown(outcome<log_text> reply) {
    if (stopped_) return;
    if (reply) {
      next_ = new_output(seen_, reply->text);
      seen_ = std::move(reply->text);
    }
    sent();
  }

  void stop() {
    stopped_ = true;
    call_.wire().thread().cancel(timer_);
  }

  call call_;
  read_logs what_;
  std::shared_ptr<stream_ticket> ticket_;
  std::string seen_, next_;
  loop::timer_id timer_ = 0;
  bool over_ = false, stopped_ = false;
};

} // namespace

std::string_view new_output(std::string_view before, std::string_view next) {
  if (next.starts_with(before)) return next.substr(before.size());
  auto mark = before.substr(before.size() - std::min(before.size(), overlap_bytes));
  auto at = next.rfind(mark);
  return at == std::string_view::npos ? next : next.substr(at + mark.size());
}

void follow_logs(const call& c, read_logs what) {
  auto ticket = stream_ticket::take(c.services());
  if (!ticket) return c.problem(errc::queue_full, "as many streams as allowed are open (api.streams)");
  std::make_shared<log_follow>(c, std::move(what), std::move(ticket))->begin();
}

} // namespace poseidon::gateway
