#include "gateway/body.hpp"

#include "messages/digest.hpp"

#include <algorithm>
#include <charconv>

namespace poseidon::gateway {

using user_id = strong_id<struct user_tag>;
using team_id = strong_id<struct team_tag>;

/// As sent: ids may be integers.
struct owner_body {
  user_id user;
  std::optional<team_id> team;
  std::optional<std::string> user_name, team_name;
};
POSEIDON_FIELDS(owner_body, user, team, user_name, team_name)

struct start_body {
  std::optional<challenge_id> challenge;
  nlohmann::json spec;
  owner_body owner;
  nlohmann::json metadata;
  std::optional<secret> flag;
};
POSEIDON_FIELDS(start_body, challenge, spec, owner, metadata, flag)

namespace {

constexpr std::size_t longest_id = 256, longest_name = 256, longest_metadata = 16 * 1024, longest_flag = 4 * 1024;
constexpr std::string_view id_path[] = {"owner.user", "owner.team"};

failure fail(errc code, std::string detail, std::vector<field_problem> errors = {}) {
  return {code, std::move(detail), std::nullopt, std::move(errors), {}};
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; });
}

void check_id(std::string_view path, std::string_view value, std::vector<field_problem>& problems) {
  if (value.empty()) return problems.push_back({std::string(path), "must not be empty"});
  if (value.size() > longest_id) problems.push_back({std::string(path), "must be at most 256 bytes long"});
  if (has_control(value)) problems.push_back({std::string(path), "must not have control characters"});
}

void check_name(std::string_view path, const std::optional<std::string>& value, std::vector<field_problem>& problems) {
  if (!value) return;
  if (value->size() > longest_name) problems.push_back({std::string(path), "must be at most 256 bytes long"});
  if (has_control(*value)) problems.push_back({std::string(path), "must not have control characters"});
}

std::vector<field_problem> check_start(const start_body& body, const nlohmann::json& sent, const std::string& metadata) {
  std::vector<field_problem> problems;
  if (sent.contains("owner"))
    check_id(id_path[0], body.owner.user.value, problems);
  else
    problems.push_back({"owner", "is missing"});
  if (body.owner.team) check_id(id_path[1], body.owner.team->value, problems);
  check_name("owner.user_name", body.owner.user_name, problems);
  check_name("owner.team_name", body.owner.team_name, problems);
  bool challenge = body.challenge.has_value(), inline_spec = !body.spec.is_null();
  if (challenge == inline_spec) problems.push_back({"challenge", "give either a challenge or a spec"});
  if (challenge && body.challenge->empty()) problems.push_back({"challenge", "must not be empty"});
  if (!body.metadata.is_null() && !body.metadata.is_object()) problems.push_back({"metadata", "expected an object"});
  if (metadata.size() > longest_metadata) problems.push_back({"metadata", "must be at most 16 KiB long as JSON"});
  if (body.flag && body.flag->reveal().size() > longest_flag) problems.push_back({"flag", "must be at most 4 KiB long"});
  return problems;
}

bool is_json(std::string_view content_type) {
  auto type = content_type.substr(0, content_type.find(';'));
  while (type.ends_with(' ')) type.remove_suffix(1);
  std::string lower(type);
  for (auto& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower == "application/json" || (lower.starts_with("application/") && lower.ends_with("+json"));
}

} // namespace

outcome<nlohmann::json> read_body(const http_request& request, bool optional) {
  if (request.body.empty() && optional) return nlohmann::json::object();
  auto type = request.header("content-type");
  if (!type.empty() && !is_json(type)) return fail(errc::unsupported_media_type, "the body is " + std::string(type) + ", not application/json");
  auto parsed = parse_json(request.body);
  if (!parsed) return std::move(parsed.error);
  if (!parsed->is_object()) return fail(errc::invalid_field, "the body is not a JSON object", {{"", "expected an object"}});
  return parsed;
}

outcome<start_request> read_start(const nlohmann::json& sent) {
  auto body = from_json<start_body>(sent);
  std::vector<field_problem> problems;
  if (!body) problems = body.error.errors;
  start_body empty;
  auto& read = body ? *body : empty;
  auto metadata = read.metadata.is_object() ? dump_json(read.metadata) : std::string{};
  if (body) problems = check_start(read, sent, metadata);
  if (!problems.empty()) return fail(errc::invalid_field, "the request has invalid fields", std::move(problems));
  start_request result;
  result.owner.user = read.owner.user.value;
  if (read.owner.team) result.owner.team = read.owner.team->value;
  result.owner.user_name = read.owner.user_name;
  result.owner.team_name = read.owner.team_name;
  if (read.challenge) result.challenge = *read.challenge;
  result.spec = read.spec;
  result.metadata = std::move(metadata);
  if (read.flag) result.flag = *read.flag;
  result.digest = sha256_hex(dump_json(sent));
  return result;
}

bool wait_request::satisfied(const instance_row& row) const {
  if (!is_live(row)) return true;
  return state && api_state(row) >= *state; // in the order of a life: what lies behind can't come any more
}

std::optional<std::string> query_reader::text(std::string_view name) {
  known_.emplace_back(name);
  auto value = request_.parameter(name);
  return value ? std::optional<std::string>(*value) : std::nullopt;
}

bool query_reader::flag(std::string_view name) {
  auto value = text(name);
  if (!value || *value == "false" || *value == "0") return false;
  if (*value != "true" && *value != "1" && !value->empty()) problem(name, "expected true or false");
  return true;
}

std::size_t query_reader::number(std::string_view name, std::size_t standard, std::size_t least, std::size_t most) {
  auto value = text(name);
  if (!value) return standard;
  std::size_t number = 0;
  auto [end, ec] = std::from_chars(value->data(), value->data() + value->size(), number);
  if (ec != std::errc{} || end != value->data() + value->size() || number < least || number > most) {
    problem(name, "expected a number from " + std::to_string(least) + " to " + std::to_string(most));
    return standard;
  }
  return number;
}

wait_request query_reader::wait(millis longest) {
  wait_request result;
  auto state = text("wait"), timeout = text("timeout");
  result.timeout = std::min(result.timeout, longest);
  if (timeout) {
    if (auto span = parse_span(*timeout))
      result.timeout = std::min(*span, longest);
    else
      problem("timeout", "expected a duration like 30s or 500ms");
  }
  if (!state) return result;
  result.wanted = true;
  if (*state == "ended") return result;
  result.state = enum_from_string<instance_state>(*state);
  if (!result.state) problem("wait", "expected a state, or \"ended\"");
  return result;
}

millis query_reader::duration(std::string_view name, millis longest) {
  auto value = text(name);
  if (!value) return millis{0};
  auto span = parse_span(*value);
  if (span && *span <= longest && span->count() > 0) return *span;
  problem(name, "expected a duration like 1800s or 30m, of at most " + std::to_string(longest.count() / 3'600'000) + "h");
  return millis{0};
}

void query_reader::problem(std::string_view name, std::string detail) { problems_.push_back({std::string(name), std::move(detail)}); }

std::optional<failure> query_reader::finish() {
  for (auto& [name, value] : request_.query)
    if (std::find(known_.begin(), known_.end(), name) == known_.end()) problem(name, "there is no such parameter");
  if (problems_.empty()) return std::nullopt;
  return fail(errc::invalid_field, "the query has invalid parameters", std::move(problems_));
}

std::optional<millis> parse_span(std::string_view text) {
  std::int64_t number = 0;
  auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (ec != std::errc{} || number < 0 || number > 86'400'000) return std::nullopt;
  auto unit = text.substr(static_cast<std::size_t>(end - text.data()));
  if (unit == "ms") return millis{number};
  if (unit == "s" || unit.empty()) return millis{number * 1000};
  if (unit == "m") return millis{number * 60'000};
  if (unit == "h") return millis{number * 3'600'000};
  return std::nullopt;
}

} // namespace poseidon::gateway
