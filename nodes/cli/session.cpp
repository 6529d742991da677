#include "nodes/cli/session.hpp"

#include "config/settings_load.hpp"
#include "nodes/cli/tables.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>

namespace poseidon::cli {
namespace {

using nlohmann::json;

std::string patience(std::int64_t ms) { return ms < 1'000 ? "a moment" : span(ms); }

bool is_socket(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISSOCK(info.st_mode);
}

/// The address that a listener of this machine is reached at.
std::string reachable(const config::listen_address& listen) {
  auto out = listen;
  if (out.host == "0.0.0.0") out.host = "127.0.0.1";
  if (out.host == "::") out.host = "::1";
  return config::to_text(out);
}

int code_of(int status, const std::string& code) {
  if (status == 401 || status == 403) return not_allowed;
  if (status == 404 || code.starts_with("unknown_")) return not_found;
  return refused;
}

} // namespace

std::string text_at(const json& object, std::string_view member) {
  if (!object.is_object()) return {};
  auto found = object.find(member);
  if (found == object.end() || found->is_null()) return {};
  return found->is_string() ? found->get<std::string>() : found->dump();
}

void session::fail(int code, const std::string& text) {
  err << "error: " << text << "\n";
  throw command_failed{code};
}

void session::print_json(const json& value) {
  out << value.dump(2, ' ', false, json::error_handler_t::replace) << "\n";
}

const http_target& session::target() {
  if (!target_) look_up();
  return *target_;
}

/// --address, POSEIDON_ADDR, the address that a running process has left in DATA, the settings' addresses; in this
/// order.
void session::look_up() {
  auto variable = [&](const char* name) {
    auto found = around_.environment.find(name);
    return found == around_.environment.end() ? std::string() : found->second;
  };
  config::settings_input input;
  input.environment = around_.environment;
  input.host_name = around_.host_name;
  if (auto file = options.config.empty() ? config::settings_file({}, around_.environment) : options.config) {
    auto text = config::read_settings_file(*file);
    if (!text) fail(wrong_usage, text.error.detail);
    input.file_text = *text;
    input.file_name = *file;
  }
  auto settings = config::load_settings(input).values;
  auto data = options.data.empty() ? settings.data : options.data;

  std::string address = options.address.empty() ? variable("POSEIDON_ADDR") : options.address;
  if (address.empty()) address = first_line(data + "/api.address");
  if (address.empty()) {
    // A Unix socket needs no key of root; else the first address.
    for (auto& listen : settings.api.listen)
      if (address.empty() || (listen.is_unix() && is_socket(listen.path))) address = reachable(listen);
  }
  auto parsed = parse_target(address);
  if (!parsed) fail(wrong_usage, parsed.error.detail);
  target_ = *parsed;
  key_ = !options.key.empty() ? options.key : variable("POSEIDON_KEY");
  if (key_.empty()) key_ = first_line(data + "/admin.key");
}

void session::tell_problem(const http_reply& reply) {
  auto problem = json::parse(reply.body, nullptr, false);
  auto code = text_at(problem, "code");
  if (options.json && problem.is_object()) {
    err << problem.dump(2, ' ', false, json::error_handler_t::replace) << "\n";
    throw command_failed{code_of(reply.status, code)};
  }
  auto title = text_at(problem, "title"), detail = text_at(problem, "detail");
  err << "error: " << (title.empty() ? "the server answered " + std::to_string(reply.status) : title)
      << (code.empty() ? "" : " (" + code + ")") << "\n";
  if (!detail.empty()) err << "  " << detail << "\n";
  if (problem.is_object() && problem.contains("errors") && problem["errors"].is_array())
    for (auto& each : problem["errors"])
      err << "  " << text_at(each, "path") << ": " << text_at(each, "detail") << "\n";
  if (auto tail = text_at(problem, "log_tail"); !tail.empty()) err << "  last lines of its log:\n" << tail << "\n";
  if (reply.status == 401 && key_.empty())
    err << "  give a key: POSEIDON_KEY, --key, or --data DIR where DIR/admin.key can be read\n";
  if (problem.is_object() && problem.contains("retry_after_ms") && problem["retry_after_ms"].is_number_integer())
    err << "  it may succeed in " << patience(problem["retry_after_ms"].get<std::int64_t>()) << "\n";
  throw command_failed{code_of(reply.status, code)};
}

http_reply session::send(http_request request, millis limit) {
  auto& where = target();
  if (!key_.empty()) request.headers.emplace_back("Authorization", "Bearer " + key_);
  if (!request.body.empty()) request.headers.emplace_back("Content-Type", "application/json");
  auto reply = exchange(where, request, limit);
  if (!reply)
    fail(unreachable,
         reply.error.detail + "; is Poseidon running there? (POSEIDON_ADDR or --address name another place)");
  if (reply->status >= 400) tell_problem(*reply);
  return std::move(*reply);
}

json session::call(const std::string& method, const std::string& path, const json& body, millis limit) {
  auto reply =
      send({method, path, body.is_null() ? "" : body.dump(-1, ' ', false, json::error_handler_t::replace), {}}, limit);
  if (reply.body.empty()) return nullptr;
  auto value = json::parse(reply.body, nullptr, false);
  if (value.is_discarded()) fail(refused, "the answer is no JSON; is this really Poseidon at " + target().text() + "?");
  return value;
}

void session::follow(http_request request, const body_sink& sink, millis limit) {
  auto& where = target();
  if (!key_.empty()) request.headers.emplace_back("Authorization", "Bearer " + key_);
  auto reply = stream(where, request, limit, sink);
  if (!reply) fail(unreachable, reply.error.detail);
  if (reply->status >= 400) tell_problem(*reply);
}

json session::list(const std::string& path_and_query) {
  auto items = json::array();
  std::string cursor;
  do {
    auto path = path_and_query;
    if (!cursor.empty()) path += (path.find('?') == std::string::npos ? "?cursor=" : "&cursor=") + url_encode(cursor);
    auto page = call("GET", path);
    if (!page.is_object() || !page.contains("items") || !page["items"].is_array())
      fail(refused, "the answer is no list");
    for (auto& item : page["items"])
      items.push_back(std::move(item));
    cursor = text_at(page, "next");
  } while (!cursor.empty());
  return items;
}

std::string first_line(const std::string& file) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  return line;
}

} // namespace poseidon::cli
