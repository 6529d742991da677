#include "nodes/runtime/engine/http_pool.hpp"

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <limits>
#include <sys/socket.h>

namespace poseidon::engine {

namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;

namespace {

constexpr std::size_t idle_kept = 32;
constexpr std::uint64_t body_limit = 64ull << 20, error_body_limit = 1ull << 20;

auto into(error_code& error) { return asio::redirect_error(asio::use_awaitable, error); }

void fail(http_reply& reply, http_fault fault, const error_code& error) {
  reply.fault = error == beast::error::timeout ? http_fault::timed_out : fault;
  reply.detail = error == beast::error::timeout ? "no answer in time" : error.message();
}

http::request<http::string_body> to_wire(http_request& request) {
  http::request<http::string_body> wire;
  wire.version(11);
  wire.method_string(request.method);
  wire.target(request.target);
  wire.set(http::field::host, "engine");
  wire.set(http::field::user_agent, "poseidon/" POSEIDON_VERSION);
  if (!request.registry_auth.empty()) wire.set("X-Registry-Auth", request.registry_auth);
  if (!request.body.empty()) wire.set(http::field::content_type, request.content_type);
  wire.body() = std::move(request.body);
  if (wire.method() != http::verb::get || !wire.body().empty()) wire.prepare_payload();
  return wire;
}

template <class Message> void take_head(http_reply& reply, const Message& message) {
  reply.status = message.result_int();
  for (auto& field : message)
    reply.headers.emplace_back(field.name_string(), field.value());
}

} // namespace

std::string http_reply::header(std::string_view name) const {
  for (auto& [key, value] : headers)
    if (beast::iequals({key.data(), key.size()}, {name.data(), name.size()})) return value;
  return {};
}

struct http_pool::connection {
  explicit connection(asio::io_context& io) : stream(io.get_executor()) {}
  beast::basic_stream<asio::local::stream_protocol, asio::any_io_executor> stream;
  beast::flat_buffer buffer;
  bool fresh = true; ///< has carried no request yet

  /// True when the other side has neither closed it nor said something that nobody asked for.
  bool still_good() {
    char byte = 0;
    auto got = ::recv(stream.socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
  }
};

http_pool::http_pool(asio::io_context& io, std::string socket_path, std::size_t connections)
    : io_(io), path_(std::move(socket_path)), limit_(connections) {}
http_pool::~http_pool() = default;

void http_pool::drop_idle() { idle_.clear(); }

std::unique_ptr<http_pool::connection> http_pool::take_idle() {
  while (!idle_.empty()) {
    auto link = std::move(idle_.back());
    idle_.pop_back();
    if (link->still_good()) return link;
  }
  return nullptr;
}

task<std::unique_ptr<http_pool::connection>> http_pool::open(steady_time deadline, http_reply& reply) {
  auto link = std::make_unique<connection>(io_);
  link->stream.expires_at(deadline);
  error_code error;
  asio::local::stream_protocol::endpoint where(path_);
  co_await link->stream.async_connect(where, into(error));
  if (error) {
    fail(reply, http_fault::unreachable, error);
    reply.detail = path_ + ": " + reply.detail;
    link.reset();
  }
  co_return link;
}

task<bool> http_pool::exchange(connection& link, http_request& request, steady_time deadline, http_reply& reply) {
  auto wire = to_wire(request);
  error_code error;
  link.stream.expires_at(deadline);
  co_await http::async_write(link.stream, wire, into(error));
  if (error) {
    fail(reply, http_fault::broken, error);
    co_return false;
  }
  http::response_parser<http::string_body> parser;
  parser.body_limit(body_limit);
  co_await http::async_read(link.stream, link.buffer, parser, into(error));
  if (error) {
    fail(reply, http_fault::broken, error);
    co_return false;
  }
  link.fresh = false;
  auto message = parser.release();
  take_head(reply, message);
  reply.body = std::move(message.body());
  co_return message.keep_alive();
}

task<http_reply> http_pool::call(http_request request, steady_time deadline) {
  auto self = shared_from_this();
  http_reply reply;
  auto permit = co_await limit_.acquire(io_, deadline);
  if (!permit) {
    reply.fault = http_fault::unreachable;
    reply.detail = "no connection became free in time";
    co_return reply;
  }
  auto link = take_idle();
  if (!link) link = co_await open(deadline, reply);
  if (!link) co_return reply;
  auto again = request;
  bool reused = !link->fresh;
  bool keep = co_await exchange(*link, request, deadline, reply);
  // An idle connection may be closed while the request is on its way; a read may simply be asked again.
  if (reply.fault == http_fault::broken && reused && again.method == "GET") {
    reply = {};
    link = co_await open(deadline, reply);
    if (!link) co_return reply;
    keep = co_await exchange(*link, again, deadline, reply);
  }
  if (keep && idle_.size() < idle_kept) {
    link->stream.expires_never();
    idle_.push_back(std::move(link));
  }
  co_return reply;
}

task<http_reply> http_pool::stream(http_request request, steady_time deadline, std::chrono::milliseconds quiet,
                                   std::shared_ptr<stream_control> control,
                                   std::function<bool(std::string_view)> sink) {
  auto self = shared_from_this();
  http_reply reply;
  auto until = [&] {
    if (quiet.count() == 0) return deadline;
    return std::min(deadline, after(quiet));
  };
  auto link = co_await open(std::min(deadline, after(std::chrono::seconds(10))), reply);
  if (!link) co_return reply;
  struct closing {
    stream_control& control;
    ~closing() { control.close = nullptr; }
  } guard{*control};
  control->close = [raw = link.get()] { raw->stream.cancel(); };
  auto limit = [&] {
    auto at = until();
    if (at == steady_time::max())
      link->stream.expires_never();
    else
      link->stream.expires_at(at);
  };
  auto wire = to_wire(request);
  error_code error;
  limit();
  if (!control->cancelled) co_await http::async_write(link->stream, wire, into(error));
  http::response_parser<http::buffer_body> parser;
  // Not boost::none: Boost 1.74 takes that for less than any Content-Length, and errors come with one.
  parser.body_limit(std::numeric_limits<std::uint64_t>::max());
  if (!error && !control->cancelled) {
    limit();
    co_await http::async_read_header(link->stream, link->buffer, parser, into(error));
  }
  if (!error && !control->cancelled) take_head(reply, parser.get());
  const bool good = reply.status / 100 == 2;
  if (good && control->started) control->started();
  char piece[16384];
  while (!error && !control->cancelled && !parser.is_done()) {
    if (good && control->credit == 0) { // what the other side has for us waits in its socket
      link->stream.expires_never();
      co_await control->changed.wait(io_, std::min(deadline, after(std::chrono::hours(1))));
      if (std::chrono::steady_clock::now() >= deadline) error = beast::error::timeout;
      continue;
    }
    const auto most = good ? static_cast<std::size_t>(std::min<std::uint64_t>(sizeof piece, control->credit)) : sizeof piece;
    parser.get().body().data = piece;
    parser.get().body().size = most;
    limit();
    // read_some hands over what has come; read would wait until the piece is full.
    co_await http::async_read_some(link->stream, link->buffer, parser, into(error));
    if (error == http::error::need_buffer) error = {};
    std::string_view got(piece, most - parser.get().body().size);
    if (got.empty()) continue;
    if (!good) {
      if (reply.body.size() < error_body_limit) reply.body += got;
    } else if (!sink(got)) {
      control->cancelled = true;
    }
  }
  if (error && !control->cancelled) fail(reply, http_fault::broken, error);
  co_return reply;
}

} // namespace poseidon::engine
