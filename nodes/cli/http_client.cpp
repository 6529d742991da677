#include "nodes/cli/http_client.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include <algorithm>
#include <optional>

namespace poseidon::cli {
namespace {

namespace net = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using beast::error_code;

constexpr std::uint64_t largest_body_bytes = 64 << 20;

std::string lower(std::string_view text) {
  std::string out(text);
  for (auto& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return out;
}

/// One connection; its asynchronous calls run to their end in place, so that each has a deadline.
template <class Protocol> class connection {
public:
  connection() : stream_(context_) {}

  template <class Endpoints> error_code connect(const Endpoints& endpoints, millis limit) {
    stream_.expires_after(limit);
    error_code result = net::error::host_not_found;
    stream_.async_connect(endpoints, [&](error_code e, auto&&...) { result = e; });
    run();
    return result;
  }
  error_code write(const http::request<http::string_body>& request) {
    error_code result;
    http::async_write(stream_, request, [&](error_code e, std::size_t) { result = e; });
    run();
    return result;
  }
  template <class Parser> error_code read_head(Parser& parser) {
    error_code result;
    http::async_read_header(stream_, buffer_, parser, [&](error_code e, std::size_t) { result = e; });
    run();
    return result;
  }
  template <class Parser> error_code read_some(Parser& parser) {
    error_code result;
    http::async_read_some(stream_, buffer_, parser, [&](error_code e, std::size_t) { result = e; });
    run();
    return result;
  }
  void no_deadline() { stream_.expires_never(); }

private:
  void run() {
    context_.restart();
    context_.run();
  }
  net::io_context context_;
  beast::basic_stream<Protocol> stream_;
  beast::flat_buffer buffer_;
};

failure broken(const http_target& target, error_code why) {
  if (why == beast::error::timeout)
    return {errc::request_timeout, "no answer from " + target.text() + " in time", {}, {}, {}};
  auto detail = "can't reach " + target.text() + ": " + why.message();
  return {errc::engine_unavailable, std::move(detail), {}, {}, {}};
}

http::request<http::string_body> to_beast(const http_target& target, const http_request& request) {
  http::request<http::string_body> out{http::string_to_verb(request.method), request.path, 11};
  auto host = target.host.find(':') == std::string::npos ? target.host : "[" + target.host + "]";
  out.set(http::field::host, target.socket.empty() ? host + ":" + target.port : "localhost");
  out.set(http::field::connection, "close");
  for (auto& [name, value] : request.headers)
    out.set(name, value);
  out.body() = request.body;
  if (!request.body.empty() || request.method != "GET") out.prepare_payload();
  return out;
}

http_reply head_of(const http::response<http::string_body>& message) {
  http_reply reply;
  reply.status = static_cast<int>(message.result_int());
  for (auto& field : message)
    reply.headers.emplace_back(lower({field.name_string().data(), field.name_string().size()}),
                               std::string(field.value().data(), field.value().size()));
  return reply;
}

/// Reads the answer on a connection that has the request. A null sink: everything into the reply.
template <class Protocol>
outcome<http_reply> read_reply(connection<Protocol>& line, const http_target& target, bool head_only,
                               const body_sink* sink) {
  http::response_parser<http::string_body> parser;
  parser.body_limit(sink ? std::numeric_limits<std::uint64_t>::max() : largest_body_bytes);
  parser.skip(head_only);
  if (auto e = line.read_head(parser)) return broken(target, e);
  auto reply = head_of(parser.get());
  bool streaming = sink && reply.status == 200;
  if (streaming) line.no_deadline();
  while (!parser.is_done()) {
    auto e = line.read_some(parser);
    if (e == http::error::end_of_stream && !parser.get().has_content_length()) break;
    if (e) return broken(target, e);
    auto& body = parser.get().body();
    if (!streaming || body.empty()) continue;
    bool more = (*sink)(body);
    body.clear();
    if (!more) return reply;
  }
  reply.body = std::move(parser.get().body());
  return reply;
}

template <class Protocol, class Endpoints>
outcome<http_reply> run_on(const Endpoints& endpoints, const http_target& target, const http_request& request,
                           millis limit, const body_sink* sink) {
  connection<Protocol> line;
  if (auto e = line.connect(endpoints, limit)) return broken(target, e);
  if (auto e = line.write(to_beast(target, request))) return broken(target, e);
  return read_reply(line, target, request.method == "HEAD", sink);
}

outcome<http_reply> run(const http_target& target, const http_request& request, millis limit, const body_sink* sink) {
  if (!target.socket.empty())
    return run_on<net::local::stream_protocol>(net::local::stream_protocol::endpoint(target.socket), target, request,
                                               limit, sink);
  net::io_context context;
  net::ip::tcp::resolver resolver(context);
  error_code e;
  auto host = target.host.ends_with(".localhost") ? std::string("localhost")
                                                  : target.host; // older resolvers know only the latter
  auto endpoints = resolver.resolve(host, target.port, e);
  if (e) return broken(target, e);
  return run_on<net::ip::tcp>(endpoints, target, request, limit, sink);
}

} // namespace

std::string http_target::text() const {
  if (!socket.empty()) return "unix:" + socket;
  return "http://" + (host.find(':') == std::string::npos ? host : "[" + host + "]") + ":" + port;
}

outcome<http_target> parse_target(std::string_view text) {
  auto wrong = [&](std::string why) {
    return failure{errc::bad_request, "\"" + std::string(text) + "\" " + std::move(why), {}, {}, {}};
  };
  auto rest = text;
  if (rest.starts_with("unix:")) {
    rest.remove_prefix(5);
    if (rest.starts_with("//")) rest.remove_prefix(2);
    if (!rest.starts_with("/")) return wrong("needs an absolute path, like unix:/run/poseidon/api.sock");
    return http_target{"localhost", "", std::string(rest)};
  }
  if (rest.starts_with("https://"))
    return wrong(
        "needs TLS, which this client doesn't speak: give the gateway's own address, like http://127.0.0.1:8080");
  if (rest.starts_with("http://")) rest.remove_prefix(7);
  if (rest.ends_with("/")) rest.remove_suffix(1);
  auto colon = rest.rfind(':');
  auto bracket = rest.rfind(']');
  bool has_port = colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
  std::string host(rest.substr(0, has_port ? colon : rest.size())), port(has_port ? rest.substr(colon + 1) : "80");
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  bool numeric = !port.empty() && port.size() <= 5 && port.find_first_not_of("0123456789") == std::string::npos;
  if (host.empty() || host.find('/') != std::string::npos || !numeric)
    return wrong("is no address, like http://127.0.0.1:8080 or unix:/run/poseidon/api.sock");
  return http_target{host, port, ""};
}

std::string http_reply::header(std::string_view name) const {
  auto found = std::ranges::find(headers, name, [](auto& h) { return std::string_view(h.first); });
  return found == headers.end() ? std::string() : found->second;
}

outcome<http_reply> exchange(const http_target& target, const http_request& request, millis limit) {
  return run(target, request, limit, nullptr);
}

outcome<http_reply> stream(const http_target& target, const http_request& request, millis limit,
                           const body_sink& sink) {
  return run(target, request, limit, &sink);
}

std::string url_encode(std::string_view text) {
  constexpr char digits[] = "0123456789ABCDEF";
  std::string out;
  for (char c : text) {
    bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
                 c == '_' || c == '~';
    auto byte = static_cast<unsigned char>(c);
    if (plain)
      out += c;
    else
      (out += '%') += {digits[byte >> 4], digits[byte & 15]};
  }
  return out;
}

} // namespace poseidon::cli
