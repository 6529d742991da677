// The client's side of the socket pair, and the end of a connect.

#include "nodes/dialer/dialer_core.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace poseidon {

using boost::system::error_code;

dialer_client::core::core(boost::asio::io_context& io, unique_fd socket)
    : strand_(boost::asio::make_strand(io)), socket_(strand_) {
  if (!socket) return;
  ::fcntl(socket.get(), F_SETFL, ::fcntl(socket.get(), F_GETFL) | O_NONBLOCK);
  socket_.assign(socket.release());
}

void dialer_client::core::start() {
  if (socket_.is_open()) receive();
}

void dialer_client::core::stop() {
  if (stopped_) return;
  stopped_ = true;
  lost("the dialer's client was stopped");
  while (!active_.empty()) {
    const auto any = active_.begin()->second;
    finish(any, {errc::shutting_down, "the dialer's client was stopped", {}, {}, {}});
  }
}

void dialer_client::core::send(const dialer_wire::request& packet) {
  if (!socket_.is_open()) return;
  outbox_.push_back(packet);
  if (!writing_) flush();
}

void dialer_client::core::flush() {
  while (!outbox_.empty()) {
    if (::send(socket_.native_handle(), &outbox_.front(), sizeof outbox_.front(), MSG_NOSIGNAL | MSG_DONTWAIT) >= 0) {
      outbox_.pop_front();
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != ENOBUFS) return; // the dialer is gone: the reader says so to everybody
    writing_ = true;
    socket_.async_wait(socket_.wait_write, [self = shared_from_this()](error_code error) {
      self->writing_ = false;
      if (!error) self->flush();
    });
    return;
  }
}

void dialer_client::core::receive() {
  socket_.async_wait(socket_.wait_read, [self = shared_from_this()](error_code error) {
    if (error) return;
    while (self->receive_one())
      ;
    if (self->socket_.is_open()) self->receive();
  });
}

bool dialer_client::core::receive_one() {
  if (!socket_.is_open()) return false;
  dialer_wire::reply got;
  iovec data{&got, sizeof got};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  const auto length = ::recvmsg(socket_.native_handle(), &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  if (length < 0 && errno == EINTR) return true;
  if (length < 0 && errno == EAGAIN) return false;
  if (length <= 0) {
    lost("the dialer has ended");
    return false;
  }
  unique_fd passed;
  if (const auto* head = CMSG_FIRSTHDR(&message);
      head && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS && head->cmsg_len == CMSG_LEN(sizeof(int))) {
    int fd = -1;
    std::memcpy(&fd, CMSG_DATA(head), sizeof fd);
    passed.reset(fd);
  }
  if (length == sizeof got && got.version == dialer_wire::version) on_reply(got, std::move(passed));
  return true;
}

void dialer_client::core::lost(const std::string& why) {
  lost_why_ = why;
  error_code ignored;
  socket_.close(ignored);
  outbox_.clear();
  // Whoever waits for the dialer is answered; connects that have their socket already go on.
  std::vector<job_ptr> orphans;
  for (auto& [id, what] : expected_)
    if (what.asker) orphans.push_back(what.asker);
  for (auto& each : targets_) orphans.insert(orphans.end(), each.waiting.begin(), each.waiting.end());
  expected_.clear();
  targets_.clear();
  by_key_.clear();
  for (const auto& asked : orphans) finish(asked, {errc::shutting_down, why, {}, {}, {}});
}

void dialer_client::core::begin_by_address(const job_ptr& asked) {
  sockaddr_storage target{};
  socklen_t length = 0;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&target);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&target);
  if (::inet_pton(AF_INET, asked->where.address.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(asked->port);
    length = sizeof *v4;
  } else if (::inet_pton(AF_INET6, asked->where.address.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(asked->port);
    length = sizeof *v6;
  }
  if (length == 0 || asked->port == 0)
    return finish(asked, {errc::bad_request, "not a numeric address: " + asked->where.address, {}, {}, {}});
  unique_fd fd{::socket(target.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (!fd) return finish(asked, {errc::capacity_exhausted, std::strerror(errno), {}, {}, {}});
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&target), length) != 0 && errno != EINPROGRESS)
    return finish(asked, {errc::instance_not_running, std::strerror(errno), {}, {}, {}});
  finish_connect(asked, std::move(fd));
}

void dialer_client::core::finish_connect(const job_ptr& asked, unique_fd fd) {
  error_code error;
  asked->connecting.assign(fd.get(), error);
  if (error) return finish(asked, {errc::capacity_exhausted, error.message(), {}, {}, {}});
  fd.release();
  check_connected(asked);
}

void dialer_client::core::check_connected(const job_ptr& asked) {
  const int fd = asked->connecting.native_handle();
  pollfd watched{fd, POLLOUT, 0};
  if (::poll(&watched, 1, 0) == 0) {
    asked->connecting.async_wait(asked->connecting.wait_write, [self = shared_from_this(), asked](error_code error) {
      if (!error && !asked->done) self->check_connected(asked);
    });
    return;
  }
  int error = 0;
  socklen_t length = sizeof error;
  ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
  if (error == 0) return finish(asked, {}, unique_fd{asked->connecting.release()});
  if (error == ECONNREFUSED)
    return finish(asked, {errc::instance_not_running, "nothing listens on the service's port", {}, {}, {}});
  finish(asked, {errc::instance_not_running, std::string{"can't connect: "} + std::strerror(error), {}, {}, {}});
}

} // namespace poseidon
