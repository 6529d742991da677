#include "nodes/probe/socket_probe.hpp"

#include "nodes/probe/probe_answer.hpp"

#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/write.hpp>

#include <array>

namespace poseidon {

namespace {

namespace asio = boost::asio;
using answer_handler = std::function<void(outcome<done>)>;

/// One http attempt on a connected socket; keeps itself alive until it has answered.
class http_attempt : public std::enable_shared_from_this<http_attempt> {
public:
  http_attempt(asio::io_context& io, unique_fd fd, const probe_endpoint& request, answer_handler answer)
      : strand_(asio::make_strand(io)), socket_(strand_, fd.release()), timer_(strand_), path_(request.health.path),
        request_(probe_request(path_, request.host)), answer_(std::move(answer)) {}

  void begin(millis timeout) {
    asio::dispatch(strand_, [self = shared_from_this(), timeout] {
      self->timer_.expires_after(timeout);
      self->timer_.async_wait([self](boost::system::error_code error) {
        if (!error) self->finish({errc::never_healthy, "GET " + self->path_ + " was not answered in time", {}, {}, {}});
      });
      asio::async_write(self->socket_, asio::buffer(self->request_),
                        [self](boost::system::error_code error, std::size_t) { self->written(error); });
    });
  }

private:
  void written(boost::system::error_code error) {
    if (error) finish({errc::never_healthy, "the service closed the connection", {}, {}, {}});
    else read();
  }
  void read() {
    socket_.async_read_some(asio::buffer(buffer_), [self = shared_from_this()](boost::system::error_code error, std::size_t size) {
      self->received(error, size);
    });
  }
  void received(boost::system::error_code error, std::size_t size) {
    seen_.append(buffer_.data(), size);
    if (auto judged = judge_probe_answer(seen_, path_)) finish(*judged);
    else if (error) finish({errc::never_healthy, "the service closed the connection before it answered GET " + path_, {}, {}, {}});
    else read();
  }
  void finish(failure result) {
    if (!answer_) return;
    auto answer = std::exchange(answer_, nullptr);
    timer_.cancel();
    boost::system::error_code ignored;
    socket_.close(ignored);
    answer(result ? outcome<done>{std::move(result)} : outcome<done>{done{}});
  }

  asio::strand<asio::io_context::executor_type> strand_;
  asio::posix::stream_descriptor socket_;
  asio::steady_timer timer_;
  std::string path_, request_, seen_;
  std::array<char, 512> buffer_{};
  answer_handler answer_;
};

class socket_probe : public probe_port {
public:
  socket_probe(asio::io_context& io, dialer_client& dialer) : io_(io), dialer_(dialer) {}

  void probe(const probe_endpoint& request, std::function<void(outcome<done>)> answer) override {
    const auto port = request.health.port != 0 ? request.health.port : request.where.port;
    const millis timeout{request.timeout_ms};
    dialer_.async_connect(request.where, port, timeout, [this, request, timeout, answer = std::move(answer)](outcome<unique_fd> fd) mutable {
      if (!fd) answer(fd.error.code == errc::instance_not_running || fd.error.code == errc::request_timeout
                          ? failure{errc::never_healthy, fd.error.detail, {}, {}, {}}
                          : fd.error);
      else if (request.health.kind != health_kind::http) answer(done{});
      else std::make_shared<http_attempt>(io_, std::move(*fd), request, std::move(answer))->begin(timeout);
    });
  }

private:
  asio::io_context& io_;
  dialer_client& dialer_;
};

} // namespace

std::unique_ptr<probe_port> make_socket_probe(asio::io_context& io, dialer_client& dialer) {
  return std::make_unique<socket_probe>(io, dialer);
}

} // namespace poseidon
