#include "nodes/notifier/http_delivery.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>

#include <algorithm>
#include <array>
#include <limits>

namespace poseidon {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;
using error_code = boost::system::error_code;

constexpr std::size_t most_head_bytes = 16 << 10;
constexpr std::size_t most_note = 200; ///< of an answer's body, more is not read

bool is_literal(const std::string& host) {
  error_code no;
  asio::ip::make_address(host, no);
  return !no;
}

/// What a person can read of an answer's body.
std::string note_of(std::string note) {
  std::ranges::replace_if(note, [](unsigned char c) { return c < ' ' || c >= 0x7f; }, ' ');
  return note;
}

template <class Stream>
class http_delivery : public std::enable_shared_from_this<http_delivery<Stream>> {
public:
  static constexpr bool secure = !std::is_same_v<Stream, beast::tcp_stream>;

  template <class... Tls>
  http_delivery(asio::io_context& io, delivery_plan plan, std::function<void(outcome<receiver_reply>)> done, Tls&... tls)
      : plan_(std::move(plan)), done_(std::move(done)), resolver_(io), deadline_(io), stream_(io, tls...) {}

  void start() {
    deadline_.expires_after(plan_.timeout);
    deadline_.async_wait([me = this->shared_from_this()](error_code cancelled) {
      if (!cancelled) me->fail(errc::request_timeout, "no answer within " + std::to_string(me->plan_.timeout.count()) + " ms");
    });
    resolver_.async_resolve(plan_.to.host, plan_.to.port, [me = this->shared_from_this()](error_code failed, const tcp::resolver::results_type& found) {
      if (failed) return me->fail_at("looking up " + me->plan_.to.host, failed);
      me->connect(found);
    });
  }

private:
  void connect(const tcp::resolver::results_type& found) {
    if (!done_) return;
    std::vector<tcp::endpoint> allowed;
    for (auto& one : found)
      if (!is_forbidden_address(one.endpoint().address().to_string())) allowed.push_back(one.endpoint());
    if (allowed.empty()) return fail(errc::forbidden, plan_.to.host + " has a link-local address: nothing is sent there");
    beast::get_lowest_layer(stream_).async_connect(allowed, [me = this->shared_from_this()](error_code failed, const tcp::endpoint&) {
      if (failed) return me->fail_at("connecting to " + me->plan_.to.authority(), failed);
      me->greet();
    });
  }

  void greet() {
    if constexpr (secure) {
      if (!is_literal(plan_.to.host)) SSL_set_tlsext_host_name(stream_.native_handle(), plan_.to.host.c_str());
      stream_.set_verify_mode(asio::ssl::verify_peer);
      stream_.set_verify_callback(asio::ssl::host_name_verification(plan_.to.host));
      stream_.async_handshake(asio::ssl::stream_base::client, [me = this->shared_from_this()](error_code failed) {
        if (failed) return me->fail_at("TLS with " + me->plan_.to.authority(), failed);
        me->write();
      });
    } else {
      write();
    }
  }

  void write() {
    if (!done_) return;
    request_.method(http::verb::post);
    request_.version(11);
    request_.target(plan_.to.target);
    request_.set(http::field::host, plan_.to.authority());
    for (auto& [name, value] : plan_.request.headers) request_.set(name, value);
    request_.keep_alive(false);
    request_.body() = std::move(plan_.request.body);
    request_.prepare_payload();
    http::async_write(stream_, request_, [me = this->shared_from_this()](error_code failed, std::size_t) {
      // An answer may be there all the same: a receiver need not read what it refuses.
      me->read_head(failed);
    });
  }

  void read_head(error_code written) {
    if (!done_) return;
    parser_.header_limit(most_head_bytes);
    parser_.body_limit(std::numeric_limits<std::uint64_t>::max()); // whatever its length is said to be: little of it is read
    http::async_read_header(stream_, buffer_, parser_, [me = this->shared_from_this(), written](error_code failed, std::size_t) {
      if (failed) return me->fail_at("asking " + me->plan_.to.authority(), written ? written : failed);
      me->head_read();
    });
  }

  void head_read() {
    if (!done_) return;
    const auto status = parser_.get().result_int();
    if ((status >= 200 && status < 300) || parser_.is_done()) return finish();
    auto& body = parser_.get().body();
    body.data = note_.data();
    body.size = note_.size();
    http::async_read(stream_, buffer_, parser_, [me = this->shared_from_this()](error_code, std::size_t) { me->finish(); });
  }

  void finish() {
    receiver_reply reply;
    reply.status = static_cast<int>(parser_.get().result_int());
    const auto wait = parser_.get()[http::field::retry_after];
    reply.retry_after = parse_retry_after({wait.data(), wait.size()});
    const auto& body = parser_.get().body();
    if (body.data) reply.note = note_of(std::string(note_.data(), note_.size() - body.size));
    end(std::move(reply));
  }

  void fail_at(const std::string& where, error_code why) { fail(errc::engine_unavailable, where + ": " + why.message()); }
  void fail(errc code, std::string detail) { end(failure{code, std::move(detail), {}, {}, {}}); }

  void end(outcome<receiver_reply> how) {
    auto done = std::exchange(done_, nullptr);
    if (!done) return;
    deadline_.cancel();
    resolver_.cancel();
    beast::get_lowest_layer(stream_).close();
    done(std::move(how));
  }

  delivery_plan plan_;
  std::function<void(outcome<receiver_reply>)> done_;
  tcp::resolver resolver_;
  asio::steady_timer deadline_;
  Stream stream_;
  beast::flat_buffer buffer_{2 * most_head_bytes};
  std::array<char, most_note> note_{};
  http::request<http::string_body> request_;
  http::response_parser<http::buffer_body> parser_;
};

} // namespace

void deliver_over_http(asio::io_context& io, asio::ssl::context& tls, delivery_plan plan, std::function<void(outcome<receiver_reply>)> done) {
  using secure_stream = beast::ssl_stream<beast::tcp_stream>;
  if (plan.to.secure) std::make_shared<http_delivery<secure_stream>>(io, std::move(plan), std::move(done), tls)->start();
  else std::make_shared<http_delivery<beast::tcp_stream>>(io, std::move(plan), std::move(done))->start();
}

} // namespace poseidon
