#include "config/join_token.hpp"

#include "messages/digest.hpp"
#include "messages/json.hpp"

#include <algorithm>

namespace poseidon::config {
namespace {

using nlohmann::json;

constexpr std::string_view mark = "poseidon-join-1.", family = "poseidon-join-";
constexpr std::size_t check_digits = 8, key_digits = 64, longest_word = 256u << 10;

std::string url_safe(std::string text) {
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  while (text.ends_with('=')) text.pop_back();
  return text;
}

std::optional<std::string> from_url_safe(std::string text) {
  std::ranges::replace(text, '-', '+');
  std::ranges::replace(text, '_', '/');
  while (text.size() % 4 != 0) text += '=';
  return from_base64(text);
}

std::string check_of(std::string_view bytes) { return sha256_hex(bytes).substr(0, check_digits); }

failure malformed(std::string why) { return {errc::bad_request, "this is no join token: " + std::move(why) + "; copy the whole line that `poseidon cluster init` printed", {}, {}, {}}; }

bool take(const json& from, const char* name, std::string& into) {
  const auto found = from.find(name);
  if (found == from.end() || !found->is_string()) return false;
  into = found->get<std::string>();
  return true;
}

std::string text_of(const json& from, const char* name) {
  std::string text;
  take(from, name, text);
  return text;
}

std::vector<std::string> texts_of(const json& from, const char* name) {
  std::vector<std::string> texts;
  if (const auto found = from.find(name); found != from.end() && found->is_array())
    for (auto& text : *found)
      if (text.is_string()) texts.push_back(text.get<std::string>());
  return texts;
}

} // namespace

secret to_word(const join_token& token) {
  json body{{"cluster", token.cluster}, {"urls", token.nats_urls}, {"replicas", token.replicas}, {"key", token.key.reveal()}};
  if (!token.nats_user.empty()) body["user"] = token.nats_user;
  if (!token.nats_password.empty()) body["password"] = token.nats_password.reveal();
  if (!token.nats_credentials.empty()) body["credentials"] = token.nats_credentials.reveal();
  if (!token.nats_seed.empty()) body["seed"] = token.nats_seed.reveal();
  if (!token.nats_ca.empty()) body["ca"] = token.nats_ca;
  if (!token.roles.empty()) body["roles"] = token.roles;
  const auto text = dump_json(body);
  return secret{std::string{mark} + check_of(text) + url_safe(to_base64(text))};
}

outcome<join_token> join_token_from(std::string_view word) {
  while (!word.empty() && std::isspace(static_cast<unsigned char>(word.back()))) word.remove_suffix(1);
  if (word.size() > longest_word) return malformed("it is too long");
  if (!word.starts_with(mark)) {
    if (word.starts_with(family)) return failure{errc::conflict, "this join token is of a newer Poseidon", {}, {}, {}};
    return malformed("it does not begin with " + std::string{mark});
  }
  word.remove_prefix(mark.size());
  if (word.size() <= check_digits) return malformed("it is cut");
  const auto bytes = from_url_safe(std::string{word.substr(check_digits)});
  if (!bytes || check_of(*bytes) != word.substr(0, check_digits)) return malformed("it is cut or mistyped");
  const auto body = parse_json(*bytes, 4);
  if (!body || !body->is_object()) return malformed("it holds no settings");
  join_token token;
  std::string key;
  if (!take(*body, "cluster", token.cluster) || !take(*body, "key", key) || key.size() != key_digits) return malformed("it names no cluster and key");
  token.key = secret{std::move(key)};
  token.nats_urls = texts_of(*body, "urls");
  token.roles = texts_of(*body, "roles");
  if (token.nats_urls.empty()) return malformed("it names no NATS server");
  if (const auto replicas = body->find("replicas"); replicas != body->end() && replicas->is_number_unsigned()) token.replicas = replicas->get<std::uint32_t>();
  token.nats_user = text_of(*body, "user");
  token.nats_password = secret{text_of(*body, "password")};
  token.nats_credentials = secret{text_of(*body, "credentials")};
  token.nats_seed = secret{text_of(*body, "seed")};
  token.nats_ca = text_of(*body, "ca");
  return token;
}

std::string joined_settings(const join_token& token, const std::string& data) {
  json nats{{"urls", token.nats_urls}, {"replicas", token.replicas}};
  if (!token.nats_user.empty()) nats["user"] = token.nats_user;
  if (!token.nats_password.empty()) nats["password"] = token.nats_password.reveal();
  if (!token.nats_credentials.empty()) nats["credentials"] = data + "/nats.creds";
  if (!token.nats_seed.empty()) nats["nkey"] = data + "/nats.nk";
  if (!token.nats_ca.empty()) nats["ca"] = data + "/nats-ca.pem";
  json settings{{"cluster", token.cluster}, {"nats", nats}};
  if (!token.roles.empty()) settings["roles"] = token.roles;
  return dump_json(settings);
}

} // namespace poseidon::config
