#include "nodes/cli/joining.hpp"

#include "messages/digest.hpp"
#include "messages/random.hpp"
#include "nodes/cli/nats_setup.hpp"
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

std::string first_line_of(const std::string& text) { return text.substr(0, text.find_first_of("\r\n")); }

bool names_user(const config::join_token& token) {
  return !token.nats_user.empty() || !token.nats_credentials.empty() || !token.nats_seed.empty();
}

} // namespace

outcome<config::join_token> make_join_token(const config::settings& settings) {
  if (settings.nats.urls.empty())
    return failure{errc::invalid_field, "a cluster needs NATS: name its servers with --nats nats://HOST:PORT", {}, {}, {}};
  if (auto failed = prepare_data_folder(settings.data, settings.user)) return failed;
  auto key = read_or_make_secret(settings.data + "/cluster.key", 0600, "", [] { return to_hex(random_bytes(system_random(), key_bytes)); });
  if (!key) return key.error;
  auto credentials = text_of(settings.nats.credentials), ca = text_of(settings.nats.ca), seed = text_of(settings.nats.nkey);
  if (!credentials) return credentials.error;
  if (!seed) return seed.error;
  if (!ca) return ca.error;
  config::join_token token;
  token.cluster = settings.cluster;
  token.nats_urls = settings.nats.urls;
  token.replicas = settings.nats.replicas;
  token.nats_user = settings.nats.user;
  token.nats_password = settings.nats.password;
  token.nats_credentials = secret{*credentials};
  token.nats_seed = secret{first_line_of(*seed)};
  token.nats_ca = *ca;
  token.key = *key;
  return token;
}

outcome<config::join_token> make_join_token(const config::settings& settings, const std::vector<std::string>& roles) {
  auto token = make_join_token(settings);
  if (!token) return token;
  token->roles = roles;
  if (!only_follow(roles) || !names_user(*token)) return token;
  const auto authority = read_nats_authority(settings.data);
  if (!authority) return authority.error;
  if (!*authority)
    return failure{errc::invalid_field, "NATS knows its users, and " + settings.data + " has none for processes that only follow the ledger: make the token where "
                   "`poseidon cluster init --server-config` was run, or give such a user of your own in the settings of that process (nats.nkey, nats.credentials or nats.user)", {}, {}, {}};
  token->nats_user.clear();
  token->nats_password = {};
  token->nats_credentials = {};
  token->nats_seed = (*authority)->follower;
  return token;
}

outcome<std::vector<std::string>> set_up_nats(const config::settings& settings, const std::vector<std::string>& urls, const std::string& folder) {
  const auto& data = settings.data;
  if (auto failed = prepare_data_folder(data, settings.user)) return failed;
  const auto authority = read_or_make_nats_authority(data, settings.cluster);
  if (!authority) return authority.error;
  if (auto failed = write_secret(data + "/nats.nk", authority->member)) return failed;
  if (auto failed = write_file(data + "/nats-ca.pem", 0644, authority->signer.certificate)) return failed;
  return write_server_files(*authority, settings.cluster, urls, folder);
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
  if (!token.nats_seed.empty())
    if (auto failed = write_secret(data + "/nats.nk", token.nats_seed)) return failed;
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
