#include "nodes/notifier/http_webhooks.hpp"

#include "nodes/notifier/http_delivery.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include <thread>

namespace poseidon {
namespace {

namespace asio = boost::asio;
using send_answer = std::function<void(outcome<receiver_reply>)>;

/// One receiver, with a thread of its own.
class lane {
public:
  lane(webhook_target target, webhook_address address, millis timeout, const std::string& ca, std::shared_ptr<const clock> time)
      : target_(std::move(target)), address_(std::move(address)), timeout_(timeout), time_(std::move(time)), tls_(asio::ssl::context::tls_client) {
    tls_.set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1);
    tls_.set_default_verify_paths();
    if (!ca.empty()) tls_.load_verify_file(ca);
    thread_ = std::thread([this] { io_.run(); });
  }
  ~lane() {
    io_.stop();
    thread_.join();
  }
  lane(const lane&) = delete;
  lane& operator=(const lane&) = delete;

  void send(const delivery_attempt& what, send_answer done) {
    delivery_plan plan{address_, {}, timeout_};
    plan.request = target_.kind == receiver_kind::discord ? discord_request_of(what) : webhook_request_of(what, target_.key, time_->wall_now());
    asio::post(io_, [this, plan = std::move(plan), done = std::move(done)]() mutable { deliver_over_http(io_, tls_, std::move(plan), std::move(done)); });
  }

private:
  webhook_target target_;
  webhook_address address_;
  millis timeout_;
  std::shared_ptr<const clock> time_;
  asio::ssl::context tls_;
  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_{io_.get_executor()};
  std::thread thread_; ///< last: it ends before what it uses
};

class http_webhooks final : public webhook_port {
public:
  std::map<std::string, std::unique_ptr<lane>> lanes;
  void send(const std::string& receiver, const delivery_attempt& what, send_answer done) override {
    const auto found = lanes.find(receiver);
    if (found == lanes.end()) return done(failure{errc::forbidden, "there is no receiver " + receiver, {}, {}, {}});
    found->second->send(what, std::move(done));
  }
};

} // namespace

outcome<std::shared_ptr<webhook_port>> make_http_webhooks(http_webhooks_options options) {
  auto port = std::make_shared<http_webhooks>();
  for (auto& target : options.targets) {
    auto address = parse_webhook_address(target.url.reveal());
    if (!address) return failure{errc::bad_request, target.name + ": " + address.error.detail, {}, {}, {}};
    const auto name = target.name;
    try {
      port->lanes.emplace(name, std::make_unique<lane>(std::move(target), std::move(*address), options.timeout, options.ca, options.time));
    } catch (const boost::system::system_error& error) {
      return failure{errc::invalid_field, "notify.ca: " + options.ca + " can't be read as certificates: " + error.what(), {}, {}, {}};
    }
  }
  return outcome<std::shared_ptr<webhook_port>>{std::move(port)};
}

} // namespace poseidon
