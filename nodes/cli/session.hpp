#pragma once
// What every command works with: where the server is, the key, the streams, and what answers mean.

#include "nodes/cli/cli.hpp"
#include "nodes/cli/http_client.hpp"

#include <nlohmann/json.hpp>

#include <optional>
#include <ostream>

namespace poseidon::cli {

/// Options that every command takes.
struct common_options {
  std::string address, key, data, config;
  bool json = false, quiet = false;
};

/// Ends a command: what went wrong has been told already.
struct command_failed {
  int code;
};

/// One run of the program.
class session {
public:
  session(const surroundings& around, std::ostream& o, std::ostream& e) : around_(around), out(o), err(e) {}
  common_options options;

private:
  const surroundings& around_;

public:
  std::ostream& out;
  std::ostream& err;
  const surroundings& around() const { return around_; }

  /// Sends a request to the API. A problem (status of 400 and more) or no answer is told, and ends the command.
  nlohmann::json call(const std::string& method, const std::string& path, const nlohmann::json& body = nullptr,
                      millis limit = millis{30'000});
  /// The same, with headers of its own.
  http_reply send(http_request request, millis limit);
  /// A streaming request; ends the command like call when the answer is a problem.
  void follow(http_request request, const body_sink& sink, millis limit = millis{30'000});
  /// All items of a list, over all pages.
  nlohmann::json list(const std::string& path_and_query);
  /// Tells a failure and ends the command.
  [[noreturn]] void fail(int code, const std::string& text);
  /// Prints the JSON document, indented.
  void print_json(const nlohmann::json& value);

private:
  /// Address and key of the server, looked up once.
  const http_target& target();
  void look_up();
  [[noreturn]] void tell_problem(const http_reply& reply);
  std::optional<http_target> target_;
  std::string key_;
};

/// Of a file that a server left in DATA; empty when there is none to read.
std::string first_line(const std::string& file);
/// The value of a member as text: strings as they are, null and absent as "", others as JSON.
std::string text_at(const nlohmann::json& object, std::string_view member);

} // namespace poseidon::cli
