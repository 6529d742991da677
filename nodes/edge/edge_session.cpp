#include "nodes/edge/edge_session.hpp"

#include <boost/asio/post.hpp>

#include <sys/socket.h>

#include <cerrno>

namespace poseidon {

using boost::system::error_code;

namespace {

constexpr int attempts_max = 3; ///< at choosing: the route may change while a connect is under way
constexpr std::size_t drain_bytes_max = 1 << 20;
constexpr millis drain_time_max{2'000};

} // namespace

edge_session::edge_session(edge_worker& worker, socket client, boost::asio::ip::address source)
    : worker_(worker), shared_(worker.shared()), client_(std::move(client)), instance_(worker.io()), source_(std::move(source)) {}

edge_session::~edge_session() { close(); }

void edge_session::start() {
  expire_in(shared_.options.head_timeout);
  read_more_head();
}

void edge_session::close() {
  if (phase_ == phase::closed) return;
  phase_ = phase::closed;
  if (joined_) joined_->leave(link_);
  if (link_.cut.load(std::memory_order_acquire)) shared_.counters.cut.fetch_add(1, std::memory_order_relaxed);
  error_code ignored;
  client_.close(ignored);
  instance_.close(ignored);
  shared_.limits.leave(source_);
  worker_.forget(*this);
}

void edge_session::run_out() {
  switch (phase_) {
  case phase::head:
    // Who sent nothing at all (a browser's spare connection) expects no answer.
    if (head_bytes_.empty()) return close();
    return answer(refusal(408, "The request's head took too long"));
  case phase::asking: return answer(unknown_host());
  case phase::connecting:
  case phase::relaying:
  case phase::replying: return close();
  case phase::closed: return;
  }
}

void edge_session::read_more_head() {
  client_.async_wait(socket::wait_read, [self = shared_from_this()](error_code error) {
    if (self->phase_ != phase::head) return;
    if (error) return self->close();
    self->on_head_bytes();
  });
}

void edge_session::on_head_bytes() {
  const auto room = std::min(edge_worker::scratch_bytes, shared_.options.head_bytes_max + 1 - head_bytes_.size());
  const auto got = ::recv(client_.native_handle(), worker_.scratch(), room, 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return read_more_head();
  if (got <= 0) return close();
  const auto seen = head_bytes_.size();
  head_bytes_.append(worker_.scratch(), static_cast<std::size_t>(got));
  const auto progress = find_head(head_bytes_, seen);
  switch (progress.what) {
  case head_progress::state::refused: return answer(refusal(400, progress.why));
  case head_progress::state::incomplete:
    if (head_bytes_.size() > shared_.options.head_bytes_max)
      return answer(refusal(431, "The request's head is larger than is read here"));
    return read_more_head();
  case head_progress::state::complete: break;
  }
  if (progress.length > shared_.options.head_bytes_max)
    return answer(refusal(431, "The request's head is larger than is read here"));
  head_ = read_head(std::string_view{head_bytes_}.substr(0, progress.length));
  form_ = {head_.wants_html, head_.is_head};
  if (head_.refused_status != 0) return answer(refusal(head_.refused_status, head_.why));
  choose();
}

void edge_session::choose() {
  const auto route = shared_.table.find(head_.host);
  if (!route && shared_.options.ask && !asked_) return ask();
  const auto reply = reply_of(route, shared_.time.boot_now(), shared_.time.wall_now());
  if (reply.status != 0) return answer(reply);
  const auto& where = route->entry.route;
  const bool elsewhere = is_elsewhere(where) || (where.where.pid > 0 && !where.machine.empty() && where.machine != shared_.options.machine);
  if (elsewhere && !shared_.options.reach) return answer(no_answer("it runs on a machine that this edge can't reach"));
  if (++attempts_ > attempts_max) return answer(no_answer("its route keeps changing"));
  if (elsewhere) connect_elsewhere(route);
  else connect(route);
}

void edge_session::ask() {
  asked_ = true;
  phase_ = phase::asking;
  expire_in(shared_.options.ask_timeout);
  shared_.options.ask(head_.host, [weak = weak_from_this(), worker = worker_.shared_from_this()] {
    boost::asio::post(worker->io(), [weak] {
      if (const auto self = weak.lock(); self && self->phase_ == phase::asking) self->choose();
    });
  });
}

void edge_session::connect(const edge_route_ptr& route) {
  phase_ = phase::connecting;
  // The dialer answers within its timeout; this one is only the net below it.
  expire_in(shared_.options.connect_timeout * 2);
  const auto& where = route->entry.route.where;
  shared_.dialer.async_connect(
      where, where.port, shared_.options.connect_timeout,
      [weak = weak_from_this(), route, worker = worker_.shared_from_this()](outcome<unique_fd> got) {
        auto held = std::make_shared<outcome<unique_fd>>(std::move(got)); // handlers are copied
        boost::asio::post(worker->io(), [weak, route, held] {
          const auto self = weak.lock();
          if (self && self->phase_ == phase::connecting) self->on_connected(route, std::move(*held));
        });
      });
}

void edge_session::on_connected(const edge_route_ptr& route, outcome<unique_fd> got) {
  if (got) return lead_to(route, got->release());
  on_unreachable(route, got.error.code);
}

void edge_session::connect_elsewhere(const edge_route_ptr& route) {
  phase_ = phase::connecting;
  expire_in(shared_.options.connect_timeout * 2);
  shared_.options.reach(route->entry.route, source_.to_string(), shared_.options.connect_timeout,
                        [weak = weak_from_this(), route, worker = worker_.shared_from_this()](outcome<led_stream> got) {
                          auto held = std::make_shared<outcome<led_stream>>(std::move(got)); // handlers are copied
                          boost::asio::post(worker->io(), [weak, route, held] {
                            const auto self = weak.lock();
                            if (self && self->phase_ == phase::connecting) self->on_led(route, std::move(*held));
                          });
                        });
}

void edge_session::on_led(const edge_route_ptr& route, outcome<led_stream> got) {
  if (!got) return on_unreachable(route, got.error.code);
  torn_ = got->torn;
  lead_to(route, got->fd.release());
}

void edge_session::on_unreachable(const edge_route_ptr& route, errc why) {
  // The route may have gone or moved meanwhile: then that is the answer.
  if (shared_.table.find(head_.host) != route) return choose();
  switch (why) {
  case errc::instance_not_running: return answer(no_answer("nothing listens on its port"));
  case errc::service_died: return answer(no_answer("it has just ended"));
  case errc::request_timeout: return answer(no_answer("it took too long"));
  default: return answer(no_answer("it can't be reached from here"));
  }
}

void edge_session::lead_to(const edge_route_ptr& route, int fd) {
  error_code error;
  instance_.assign(boost::asio::ip::tcp::v4(), fd, error);
  if (error) {
    ::close(fd);
    return answer(no_answer("it can't be reached from here"));
  }
  link_.client = client_.native_handle();
  link_.instance = fd;
  switch (route->connections->join(link_, shared_.options.connections_per_instance)) {
  case connection_set::joined::closed:
    instance_.close(error);
    return choose();
  case connection_set::joined::full: return answer(too_many("to this instance"));
  case connection_set::joined::yes: break;
  }
  joined_ = route->connections;
  instance_.set_option(boost::asio::ip::tcp::no_delay{true}, error);
  phase_ = phase::relaying;
  shared_.counters.relayed.fetch_add(1, std::memory_order_relaxed);
  touch();
  up_.backlog = std::exchange(head_bytes_, {});
  head_ = {}; // its views have nothing to point at any more
  pump(up_);
  if (phase_ == phase::relaying) pump(down_);
}

void edge_session::answer(const own_reply& reply) {
  auto& counters = shared_.counters;
  auto& counter = reply.status == 404   ? counters.unknown
                  : reply.status == 410 ? counters.gone
                  : reply.status == 502 ? counters.no_answer
                  : reply.status != 503 ? counters.refused
                  : reply.reload        ? counters.not_ready
                                        : counters.too_many;
  counter.fetch_add(1, std::memory_order_relaxed);
  phase_ = phase::replying;
  expire_in(drain_time_max);
  reply_ = render(reply, form_, shared_.time.wall_now());
  write_reply();
}

void edge_session::write_reply() {
  const auto sent = reply_.empty() ? 0 : ::send(client_.native_handle(), reply_.data(), reply_.size(), MSG_NOSIGNAL);
  if (sent < 0 && errno != EAGAIN && errno != EINTR) return close();
  if (sent > 0) reply_.erase(0, static_cast<std::size_t>(sent));
  if (reply_.empty()) {
    ::shutdown(client_.native_handle(), SHUT_WR);
    expire_in(drain_time_max);
    return drain();
  }
  client_.async_wait(socket::wait_write, [self = shared_from_this()](error_code error) {
    if (self->phase_ != phase::replying) return;
    if (error) self->close();
    else self->write_reply();
  });
}

/// Reads away what the client still sends: closing with unread bytes would reset the connection, and the reply with it.
void edge_session::drain() {
  for (int i = 0; i < 16; ++i) {
    const auto got = ::recv(client_.native_handle(), worker_.scratch(), edge_worker::scratch_bytes, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) break;
    if (got > 0) drained_ += static_cast<std::size_t>(got);
    if (got <= 0 || drained_ > drain_bytes_max) return close();
  }
  client_.async_wait(socket::wait_read, [self = shared_from_this()](error_code error) {
    if (self->phase_ != phase::replying) return;
    if (error) self->close();
    else self->drain();
  });
}

} // namespace poseidon
