#include "nodes/dialer/dialer_core.hpp"

#include <boost/asio/post.hpp>

#include <csignal>

namespace poseidon {

dialer_client::dialer_client(boost::asio::io_context& io, unique_fd socket)
    : core_(std::make_shared<core>(io, std::move(socket))) {
  core_->start();
}

dialer_client::~dialer_client() { stop(); }

void dialer_client::async_connect(const endpoint& where, std::uint16_t port, millis timeout, connect_handler done) {
  auto asked = std::make_shared<core::job>(core_->on(), where);
  asked->port = port;
  asked->connected = std::move(done);
  boost::asio::post(core_->on(), [core = core_, asked, timeout] { core->submit(asked, timeout); });
}

void dialer_client::async_signal(const endpoint& where, int signo, millis timeout, signal_handler done) {
  auto asked = std::make_shared<core::job>(core_->on(), where);
  asked->signo = signo;
  asked->signalled = std::move(done);
  boost::asio::post(core_->on(), [core = core_, asked, timeout] { core->submit(asked, timeout); });
}

void dialer_client::async_end_shim(const endpoint& where, millis timeout, signal_handler done) {
  auto asked = std::make_shared<core::job>(core_->on(), where);
  asked->open = dialer_wire::op::shim;
  asked->where.cgroup = where.container.value;
  asked->signo = SIGKILL;
  asked->signalled = std::move(done);
  boost::asio::post(core_->on(), [core = core_, asked, timeout] { core->submit(asked, timeout); });
}

void dialer_client::stop() {
  boost::asio::post(core_->on(), [core = core_] { core->stop(); });
}

} // namespace poseidon
