#include "nodes/runtime/engine/credentials.hpp"

#include <nlohmann/json.hpp>

namespace poseidon::engine {

using nlohmann::json;

namespace {

std::string server_of(std::string key) {
  if (auto scheme = key.find("://"); scheme != std::string::npos) key.erase(0, scheme + 3);
  if (auto slash = key.find('/'); slash != std::string::npos) key.resize(slash);
  return key;
}

std::string text_of(const json& object, const char* name) {
  auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// One entry of `auths`; empty text when it is fine, else what is wrong.
std::string parse_entry(const json& entry, registry_login& login) {
  if (!entry.is_object()) return "is not an object";
  login.user = text_of(entry, "username");
  login.password = secret(text_of(entry, "password"));
  login.identity_token = secret(text_of(entry, "identitytoken"));
  if (auto packed = text_of(entry, "auth"); !packed.empty()) {
    std::string plain;
    if (!base64_decode(packed, plain)) return "auth is not base64";
    auto colon = plain.find(':');
    if (colon == std::string::npos) return "auth is not user:password";
    login.user = plain.substr(0, colon);
    auto password = plain.substr(colon + 1);
    while (!password.empty() && password.back() == '\0')
      password.pop_back();
    login.password = secret(password);
  }
  if (login.password.empty() && login.identity_token.empty())
    return "holds no password; credential helpers are not asked";
  return {};
}

} // namespace

registry_logins parse_logins(const std::string& text, std::vector<field_problem>& problems) {
  registry_logins logins;
  auto config = json::parse(text, nullptr, false);
  if (!config.is_object()) {
    problems.push_back({"", "is not a JSON object"});
    return logins;
  }
  for (auto name : {"credsStore", "credHelpers"})
    if (config.contains(name)) problems.push_back({name, "credential helpers are not asked: put logins under auths"});
  auto auths = config.find("auths");
  if (auths == config.end()) return logins;
  if (!auths->is_object()) {
    problems.push_back({"auths", "is not an object"});
    return logins;
  }
  for (auto& [key, entry] : auths->items()) {
    registry_login login;
    login.server = server_of(key);
    if (auto problem = parse_entry(entry, login); !problem.empty()) {
      problems.push_back({"auths." + key, problem});
      continue;
    }
    auto registry =
        login.server == "index.docker.io" || login.server == "registry-1.docker.io" ? "docker.io" : login.server;
    logins[registry] = std::move(login);
  }
  return logins;
}

secret auth_header(const registry_login& login) {
  json header = {{"serveraddress", login.server}};
  if (!login.identity_token.empty()) {
    header["identitytoken"] = login.identity_token.reveal();
  } else {
    header["username"] = login.user;
    header["password"] = login.password.reveal();
  }
  return secret(base64_encode(header.dump(-1, ' ', false, json::error_handler_t::replace), true));
}

std::string base64_encode(std::string_view bytes, bool url_safe) {
  static constexpr char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  static constexpr char url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  auto* digits = url_safe ? url : plain;
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    auto count = std::min<std::size_t>(3, bytes.size() - i);
    for (std::size_t j = 0; j < 3; ++j)
      group = group << 8 | (j < count ? std::uint32_t(static_cast<unsigned char>(bytes[i + j])) : 0u);
    for (std::size_t j = 0; j < 4; ++j)
      text += j <= count ? digits[group >> (18 - 6 * j) & 63] : '=';
  }
  return text;
}

bool base64_decode(std::string_view text, std::string& bytes) {
  while (!text.empty() && text.back() == '=')
    text.remove_suffix(1);
  if (text.size() % 4 == 1) return false;
  bytes.clear();
  std::uint32_t buffer = 0;
  int bits = 0;
  for (char c : text) {
    int value = c >= 'A' && c <= 'Z'   ? c - 'A'
                : c >= 'a' && c <= 'z' ? c - 'a' + 26
                : c >= '0' && c <= '9' ? c - '0' + 52
                : c == '+' || c == '-' ? 62
                : c == '/' || c == '_' ? 63
                                       : -1;
    if (value < 0) return false;
    buffer = (buffer << 6 | std::uint32_t(value)) & 0xffffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes += static_cast<char>(buffer >> bits & 0xff);
    }
  }
  return true;
}

} // namespace poseidon::engine
