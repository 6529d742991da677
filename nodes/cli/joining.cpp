#include "nodes/cli/joining.hpp"

#include "messages/digest.hpp"
#include "messages/random.hpp"
#include "nodes/host/data_folder.hpp"

#include <filesystem>

namespace poseidon::cli {
namespace {

constexpr std::size_t key_bytes = 32;

std::string joined_file(const std::string& data) { return data + "/cluster.json"; }

outcome<std::string> text_of(const std::string& file) {
  if (file.empty()) return std::string{};
  return config::read_settings_file(file);
}

} // namespace

outcome<config::join_token> make_join_token(const config::settings& settings) {
  if (settings.nats.urls.empty())
    return failure{errc::invalid_field, "a cluster needs NATS: name its servers with --nats nats://HOST:PORT", {}, {}, {}};
  if (auto failed = prepare_data_folder(settings.data, settings.user)) return failed;
  auto key = read_or_make_secret(settings.data + "/cluster.key", 0600, "", [] { return to_hex(random_bytes(system_random(), key_bytes)); });
  if (!key) return key.error;
  auto credentials = text_of(settings.nats.credentials), ca = text_of(settings.nats.ca);
  if (!credentials) return credentials.error;
  if (!ca) return ca.error;
  config::join_token token;
  token.cluster = settings.cluster;
  token.nats_urls = settings.nats.urls;
  token.replicas = settings.nats.replicas;
  token.nats_user = settings.nats.user;
  token.nats_password = settings.nats.password;
  token.nats_credentials = secret{*credentials};
  token.nats_ca = *ca;
  token.key = *key;
  return token;
}

failure write_joined(const config::join_token& token, const config::settings& settings) {
  const auto& data = settings.data;
  if (auto failed = prepare_data_folder(data, settings.user)) return failed;
  const auto key = read_or_make_secret(data + "/cluster.key", 0600, "", [&] { return token.key.reveal(); });
  if (!key) return key.error;
  if (key->reveal() != token.key.reveal())
    return {errc::conflict, data + " belongs to another cluster (its cluster.key differs): name another with --data, or move it away", {}, {}, {}};
  if (!token.nats_credentials.empty())
    if (auto failed = write_secret(data + "/nats.creds", token.nats_credentials)) return failed;
  if (!token.nats_ca.empty())
    if (auto failed = write_line(data + "/nats-ca.pem", token.nats_ca)) return failed;
  if (auto failed = write_secret(joined_file(data), secret{config::joined_settings(token, std::filesystem::absolute(data).string())})) return failed;
  return prepare_data_folder(data, settings.user); // hands the new files over
}

outcome<std::optional<std::string>> read_joined(const std::string& data) {
  std::error_code error;
  if (!std::filesystem::exists(joined_file(data), error)) return std::optional<std::string>{};
  auto text = config::read_settings_file(joined_file(data));
  if (!text) return text.error;
  return std::optional{std::move(*text)};
}

config::loaded_settings load_member_settings(config::settings_input input) {
  auto loaded = config::load_settings(input);
  auto joined = read_joined(loaded.values.data);
  if (!joined) {
    loaded.problems.push_back({joined_file(loaded.values.data), joined.error.detail});
    return loaded;
  }
  if (!*joined) return loaded;
  input.joined_text = std::move(**joined);
  input.joined_name = joined_file(loaded.values.data);
  return config::load_settings(input);
}

} // namespace poseidon::cli
