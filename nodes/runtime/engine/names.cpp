#include "nodes/runtime/engine/names.hpp"

#include <nlohmann/json.hpp>
#include <openssl/evp.h>

#include <array>
#include <charconv>

namespace poseidon::engine {

namespace {

/// First 20 hex digits of SHA-256 over the parts, each preceded by its length: no two lists of parts look the same.
std::string short_hash(std::initializer_list<std::string_view> parts) {
  std::string text;
  for (auto part : parts)
    text += std::to_string(part.size()) + ":" + std::string(part);
  static const EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr); // else looked for at each call
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  EVP_Digest(text.data(), text.size(), digest.data(), nullptr, sha256, nullptr);
  static constexpr char digits[] = "0123456789abcdef";
  std::string hex;
  for (std::size_t i = 0; i < 10; ++i) {
    hex += digits[digest[i] >> 4];
    hex += digits[digest[i] & 15];
  }
  return hex;
}

} // namespace

std::string container_name(const identity& owner, const group_key& key, const std::string& service) {
  return "poseidon-" + short_hash({owner.cluster, owner.node, key.instance.value, to_string(key.epoch), service});
}

std::string group_name(const identity& owner, const group_key& key) {
  return "poseidon-" + short_hash({owner.cluster, owner.node, key.instance.value, to_string(key.epoch)});
}

std::string volume_name(const identity& owner, const group_key& key, const std::string& volume) {
  return "poseidon-" +
         short_hash({owner.cluster, owner.node, key.instance.value, to_string(key.epoch), "volume", volume});
}

std::map<std::string, std::string> group_labels(const identity& owner, const launch_plan& plan) {
  return {{labels::cluster, owner.cluster},
          {labels::node, owner.node},
          {labels::instance, plan.key.instance.value},
          {labels::slot, plan.slot},
          {labels::owner, plan.owner},
          {labels::challenge, plan.challenge},
          {labels::epoch, to_string(plan.key.epoch)},
          {labels::host, plan.host},
          {labels::created_at, to_rfc3339(plan.created_at)},
          {labels::expires_max, to_rfc3339(plan.expires_max)},
          {labels::schema, labels::schema_version}};
}

std::map<std::string, std::string> container_labels(const identity& owner, const launch_plan& plan,
                                                    std::size_t service) {
  auto all = group_labels(owner, plan);
  auto& spec = plan.spec->services.at(service);
  all[labels::service] = spec.name;
  all[order_label] = std::to_string(service);
  if (!spec.ports.empty()) all[ports_label] = ports_to_label(spec.ports);
  return all;
}

std::string label_filter(const identity& owner, const group_key* key) {
  auto wanted = nlohmann::json::array();
  wanted.push_back(std::string(labels::cluster) + "=" + owner.cluster);
  wanted.push_back(std::string(labels::node) + "=" + owner.node);
  if (key) {
    wanted.push_back(std::string(labels::instance) + "=" + key->instance.value);
    wanted.push_back(std::string(labels::epoch) + "=" + to_string(key->epoch));
  }
  return nlohmann::json{{"label", wanted}}.dump();
}

std::optional<group_key> group_of(const identity& owner, const std::map<std::string, std::string>& all) {
  auto value = [&](const char* name) {
    auto found = all.find(name);
    return found == all.end() ? std::string() : found->second;
  };
  if (value(labels::cluster) != owner.cluster || value(labels::node) != owner.node) return std::nullopt;
  auto parsed = epoch_from_string(value(labels::epoch));
  if (!parsed || value(labels::instance).empty()) return std::nullopt;
  return group_key{instance_id{value(labels::instance)}, *parsed};
}

std::string ports_to_label(const std::vector<port_spec>& ports) {
  std::string text;
  for (auto& port : ports) {
    if (!text.empty()) text += ',';
    text += std::to_string(port.port) + "/" + std::string(to_string(port.protocol)) + "/" + port.name;
  }
  return text;
}

std::vector<port_spec> ports_from_label(const std::string& text) {
  std::vector<port_spec> ports;
  std::size_t begin = 0;
  while (begin < text.size()) {
    auto end = std::min(text.find(',', begin), text.size());
    auto item = std::string_view(text).substr(begin, end - begin);
    begin = end + 1;
    auto first = item.find('/'), second = item.find('/', first + 1);
    if (first == std::string_view::npos || second == std::string_view::npos) continue;
    port_spec port;
    auto protocol = enum_from_string<port_protocol>(item.substr(first + 1, second - first - 1));
    auto [rest, error] = std::from_chars(item.data(), item.data() + first, port.port);
    if (error != std::errc() || rest != item.data() + first || !protocol) continue;
    port.protocol = *protocol;
    port.name = item.substr(second + 1);
    ports.push_back(std::move(port));
  }
  return ports;
}

} // namespace poseidon::engine
