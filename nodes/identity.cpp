#include "nodes/identity.hpp"

#include "gateway/auth.hpp"
#include "nodes/host/data_folder.hpp"
#include "nodes/host/host_clock.hpp"

namespace poseidon {

namespace {

constexpr const char* label_place = "{label}";

outcome<secret> read_cluster_key(const std::string& data) {
  const auto file = data + "/cluster.key";
  auto text = read_or_make_secret(file, 0600, "", [] { return to_hex(random_bytes(system_random(), seal_key_bytes)); });
  if (!text) return text;
  std::uint64_t words[4];
  const auto& hex = text->reveal();
  bool good = hex.size() == 2 * seal_key_bytes;
  for (int half = 0; good && half < 2; ++half) good = from_hex(hex.substr(half * 32, 32), words[half * 2], words[half * 2 + 1]);
  if (!good)
    return failure{errc::invalid_field, file + " holds no key (64 hex digits); restore it from a backup, or remove it to begin anew", {}, {}, {}};
  std::string key;
  for (auto word : words)
    for (int shift = 56; shift >= 0; shift -= 8) key += static_cast<char>(word >> shift & 0xff);
  return secret{std::move(key)};
}

} // namespace

std::string identity::host_of(const instance_id& instance) const {
  auto host = host_pattern;
  host.replace(host.find(label_place), std::string_view{label_place}.size(), host_label(cluster_key, instance));
  return host;
}

outcome<sealed_secret> identity::seal_for(const secret& plain, const std::string& context) const {
  return seal(plain, cluster_key, context, system_random());
}

outcome<secret> identity::open_for(const sealed_secret& sealed, const std::string& context) const { return open(sealed, cluster_key, context); }

outcome<identity> read_identity(const config::settings& settings, wall_time now) {
  identity self;
  auto key = read_cluster_key(settings.data);
  if (!key) return key.error;
  self.cluster_key = *key;
  auto admin = settings.api.admin_key.empty()
                   ? read_or_make_secret(settings.data + "/admin.key", 0640, settings.user,
                                         [&] { return gateway::make_key(system_random(), {"admin"}, "admin.key", now).token.reveal(); })
                   : outcome<secret>{settings.api.admin_key};
  if (!admin) return admin.error;
  if (!gateway::key_from_token(*admin, {"admin"}, "admin.key", now))
    return failure{errc::invalid_field, "the administrator's key (DATA/admin.key, or the setting api.admin_key) must read psk_<id>_<secret>", {}, {}, {}};
  self.admin_key = *admin;
  self.node = {settings.node};
  self.run = mint<run_id>(system_random());
  self.machine = read_machine_id();
  self.boot_id = read_boot_id();
  self.host_pattern = config::host_pattern(settings.edge);
  self.urls.public_url = settings.edge.public_url;
  self.urls.api_url = settings.api.public_url;
  return self;
}

} // namespace poseidon
