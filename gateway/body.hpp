#pragma once
// Reading what clients send: bodies and query parameters, strictly, with every problem at once. Heavy (nlohmann): for
// .cpp files only.

#include "gateway/http.hpp"
#include "messages/commands.hpp"
#include "messages/json.hpp"

namespace poseidon::gateway {

/// The body as one JSON object. An empty body is `{}` where `optional`.
outcome<nlohmann::json> read_body(const http_request& request, bool optional = false);

/// POST /v1/instances.
struct start_request {
  owner_ref owner;
  challenge_id challenge;   ///< empty: inline
  nlohmann::json spec;      ///< null: of the challenge
  std::string metadata;     ///< JSON text of an object
  secret flag;
  std::string digest;       ///< of the whole body, for idempotency
};
outcome<start_request> read_start(const nlohmann::json& body);

/// ?wait=running&timeout=30s
struct wait_request {
  std::optional<instance_state> state; ///< nothing with `wanted`: any ended state
  bool wanted = false;
  millis timeout{30'000};
  /// Whether a wait for it is over: the state is there, or can't come any more.
  bool satisfied(const instance_row& row) const;
};

/// Collects the problems of a query string: unknown and malformed parameters.
class query_reader {
public:
  explicit query_reader(const http_request& request) : request_(request) {}
  std::optional<std::string> text(std::string_view name);
  bool flag(std::string_view name);
  std::size_t number(std::string_view name, std::size_t standard, std::size_t least, std::size_t most);
  template <named_enum E>
  std::vector<E> words(std::string_view name);
  wait_request wait(millis longest);
  /// 0 when it is not given.
  millis duration(std::string_view name, millis longest);
  void problem(std::string_view name, std::string detail);
  /// Nothing, when all that was sent has been asked for and was right.
  std::optional<failure> finish();

private:
  const http_request& request_;
  std::vector<std::string> known_;
  std::vector<field_problem> problems_;
};

/// "30s", "500ms", "2m", "1h", or plain seconds.
std::optional<millis> parse_span(std::string_view text);

template <named_enum E>
std::vector<E> query_reader::words(std::string_view name) {
  std::vector<E> result;
  auto value = text(name);
  std::string_view rest = value ? std::string_view(*value) : std::string_view{};
  while (!rest.empty()) {
    auto end = rest.find(',');
    auto word = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
    if (auto known = enum_from_string<E>(word))
      result.push_back(*known);
    else
      problem(name, "\"" + std::string(word) + "\" is not one of its words");
  }
  return result;
}

} // namespace poseidon::gateway
