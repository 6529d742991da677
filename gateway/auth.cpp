#include "gateway/auth.hpp"

#include <algorithm>

#include <unistd.h>

namespace poseidon::gateway {

namespace {

constexpr std::string_view prefix = "psk_";
constexpr std::size_t shortest_secret = 16, longest_token = 256;

bool plain(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  });
}

failure unauthenticated(std::string detail) { return {errc::unauthenticated, std::move(detail), std::nullopt, {}, {}}; }

/// The token of "Bearer <token>", in any case of the first word.
std::optional<std::string_view> bearer_of(std::string_view header) {
  constexpr std::string_view word = "bearer ";
  if (header.size() <= word.size()) return std::nullopt;
  for (std::size_t i = 0; i < word.size(); ++i)
    if ((header[i] | (word[i] == ' ' ? 0 : 0x20)) != word[i]) return std::nullopt;
  header.remove_prefix(word.size());
  while (header.starts_with(' ')) header.remove_prefix(1);
  while (header.ends_with(' ')) header.remove_suffix(1);
  return header;
}

put_key_entry entry_of(const key_parts& parts, const std::vector<std::string>& scopes, const std::string& note, wall_time now) {
  return {key_id{std::string(parts.id)}, sha256_hex(parts.secret_part), scopes, note, now};
}

} // namespace

void scope_set::add(scope s) {
  bits |= static_cast<std::uint8_t>(1u << static_cast<unsigned>(s));
  if (s == scope::platform) add(scope::read);
  if (s == scope::admin) {
    add(scope::platform);
    add(scope::metrics);
  }
}

scope_set scopes_of(const std::vector<std::string>& names) {
  scope_set set;
  for (auto& name : names)
    if (auto known = enum_from_string<scope>(name)) set.add(*known);
  return set;
}

std::optional<key_parts> split_key(std::string_view token) {
  if (!token.starts_with(prefix) || token.size() > longest_token) return std::nullopt;
  token.remove_prefix(prefix.size());
  auto middle = token.find('_');
  if (middle == 0 || middle == std::string_view::npos) return std::nullopt;
  key_parts parts{token.substr(0, middle), token.substr(middle + 1)};
  if (parts.secret_part.size() < shortest_secret || !plain(parts.id) || !plain(parts.secret_part)) return std::nullopt;
  return parts;
}

new_key make_key(random_source& from, const std::vector<std::string>& scopes, const std::string& note, wall_time now) {
  auto id = to_base32(random_bytes(from, 5));
  auto hidden = to_base32(random_bytes(from, 25));
  auto entry = entry_of({id, hidden}, scopes, note, now);
  return {secret{std::string(prefix) + id + "_" + hidden}, std::move(entry)};
}

std::optional<put_key_entry> key_from_token(const secret& token, const std::vector<std::string>& scopes, const std::string& note, wall_time now) {
  auto parts = split_key(token.reveal());
  if (!parts) return std::nullopt;
  return entry_of(*parts, scopes, note, now);
}

void authenticator::load(const administration& admin) {
  keys_.clear();
  for (auto& key : admin.keys) keys_[key.key.value] = {key.sha256, {"key:" + key.key.value, scopes_of(key.scopes)}};
}

outcome<identity> authenticator::check_token(std::string_view token) const {
  auto parts = split_key(token);
  if (!parts) return unauthenticated("the bearer token is no key: keys read psk_<id>_<secret>");
  auto found = keys_.find(std::string(parts->id));
  // An unknown id costs the same as a wrong secret.
  auto digest = sha256_hex(parts->secret_part);
  static const std::string nothing(64, '0');
  bool same = equal_secrets(digest, found == keys_.end() ? nothing : found->second.sha256);
  if (!same || found == keys_.end()) return unauthenticated("there is no such key, or its secret is wrong");
  return found->second.who;
}

outcome<identity> authenticator::check(const http_request& request) const {
  auto header = request.header("authorization");
  if (!header.empty()) {
    auto token = bearer_of(header);
    if (!token) return unauthenticated("the Authorization header is not of the form: Bearer psk_<id>_<secret>");
    return check_token(*token);
  }
  if (request.peer && request.peer->unix_socket && (request.peer->uid == 0 || request.peer->uid == ::geteuid())) {
    identity who;
    who.actor = "unix:" + std::to_string(request.peer->uid);
    who.scopes.add(scope::admin);
    return who;
  }
  return unauthenticated("an API key is needed: Authorization: Bearer psk_<id>_<secret>");
}

} // namespace poseidon::gateway
