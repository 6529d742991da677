#include "gateway/server/request_reader.hpp"

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

namespace poseidon::gateway {

namespace {

namespace http = boost::beast::http;
constexpr std::size_t read_size = 4096;

std::string_view view_of(boost::beast::string_view text) { return {text.data(), text.size()}; }

} // namespace

struct request_reader::state {
  const server_limits& limits;
  boost::beast::flat_buffer buffer;
  std::optional<http::request_parser<http::string_body>> parser;
  bool continue_told = false;
  explicit state(const server_limits& l) : limits(l) {}
};

request_reader::request_reader(const server_limits& limits) : state_(std::make_unique<state>(limits)) { begin(); }
request_reader::~request_reader() = default;

std::pair<void*, std::size_t> request_reader::room() {
  auto space = state_->buffer.prepare(read_size);
  return {space.data(), space.size()};
}

void request_reader::wrote(std::size_t bytes) { state_->buffer.commit(bytes); }
bool request_reader::has_input() const { return state_->buffer.size() > 0; }
void request_reader::drop_input() { state_->buffer.consume(state_->buffer.size()); }

void request_reader::begin() {
  auto& parser = state_->parser.emplace();
  parser.header_limit(static_cast<std::uint32_t>(state_->limits.header_bytes));
  parser.body_limit(state_->limits.body_bytes);
  parser.eager(true);
  state_->continue_told = false;
}

request_reader::step request_reader::read() {
  auto& parser = *state_->parser;
  auto& buffer = state_->buffer;
  while (buffer.size() > 0) {
    boost::system::error_code ec;
    auto used = parser.put(buffer.data(), ec);
    buffer.consume(used);
    if (ec && ec != http::error::need_more) {
      status_ = ec == http::error::header_limit ? 431 : ec == http::error::body_limit ? 413 : 400;
      detail_ = status_ == 431   ? "the request's head is larger than allowed"
                : status_ == 413 ? "the request's body is larger than allowed"
                                 : "not a well-formed HTTP/1.1 request: " + ec.message();
      return step::bad;
    }
    if (parser.is_done()) return step::done;
    if (ec == http::error::need_more || used == 0) break;
  }
  return step::more;
}

bool request_reader::head_done() const { return state_->parser->is_header_done(); }

bool request_reader::wants_continue() {
  auto& message = state_->parser->get();
  if (std::exchange(state_->continue_told, true)) return false;
  return message.version() >= 11 && boost::beast::iequals(message[http::field::expect], "100-continue");
}

void request_reader::take(http_request& request) {
  auto& message = state_->parser->get();
  request.method = method_from_string(view_of(message.method_string()));
  parse_target(view_of(message.target()), request);
  request.headers.clear();
  for (auto& field : message) request.headers.emplace_back(view_of(field.name_string()), view_of(field.value()));
  request.body = std::move(message.body());
}

bool request_reader::keep_alive() const { return state_->parser->keep_alive(); }
bool request_reader::is_http_1_1() const { return state_->parser->get().version() >= 11; }

} // namespace poseidon::gateway
