#include "actors/log/jetstream/server_version.hpp"

#include <nlohmann/json.hpp>

#include <charconv>

namespace poseidon {
namespace {

failure refused(std::string why) { return {errc::conflict, std::move(why), {}, {}, {}}; }

} // namespace

std::string to_string(const server_version& v) {
  return std::to_string(v.major) + '.' + std::to_string(v.minor) + '.' + std::to_string(v.patch);
}

std::optional<server_version> parse_version(std::string_view text) {
  server_version version;
  const char* at = text.data();
  const char* const end = at + text.size();
  for (auto* number : {&version.major, &version.minor, &version.patch}) {
    const auto read = std::from_chars(at, end, *number);
    if (read.ec != std::errc{}) return std::nullopt;
    at = read.ptr;
    if (number == &version.patch) break;
    if (at == end || *at++ != '.') return std::nullopt;
  }
  if (at != end && *at != '-' && *at != '+') return std::nullopt;
  return version;
}

outcome<server_info> parse_info_line(std::string_view line) {
  if (!line.starts_with("INFO ")) return refused("no NATS server answers there: it does not begin with INFO");
  const auto read = nlohmann::json::parse(line.substr(5), nullptr, false);
  const auto version = read.is_object() && read.contains("version") && read["version"].is_string()
                           ? parse_version(read["version"].get<std::string>())
                           : std::nullopt;
  if (!version) return refused("the server's INFO line names no version that could be read");
  server_info info{*version, read.contains("jetstream") && read["jetstream"] == true, {}};
  if (read.contains("connect_urls") && read["connect_urls"].is_array())
    for (const auto& other : read["connect_urls"])
      if (other.is_string()) info.others.push_back(other.get<std::string>());
  return info;
}

failure judge_server(const std::string& url, const server_info& info, std::uint32_t replicas) {
  const auto named = "the NATS server at " + url + " is version " + to_string(info.version);
  if (info.version < oldest_known) return refused(named + ": " + to_string(oldest_known) + " or newer is needed");
  if (replicas > 1 && info.version < oldest_for_replicas)
    return refused(named + ": nats.replicas above 1 needs " + to_string(oldest_for_replicas) +
                   " or newer on every server, older ones lose what they have acknowledged; upgrade it, or set nats.replicas to 1");
  if (!info.jetstream) return refused("the NATS server at " + url + " runs without JetStream: start it with -js, or jetstream {} in its file");
  return {};
}

} // namespace poseidon
