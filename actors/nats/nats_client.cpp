#include "actors/nats/nats_client.hpp"

#include "messages/nkey.hpp"

#include <fstream>

namespace poseidon {
namespace {

constexpr std::int64_t connect_ms = 2'000, ping_ms = 2'000, write_ms = 5'000;
constexpr int lost_pings = 2;
constexpr std::chrono::seconds callbacks_limit{5};

void on_complete(void* closure) { static_cast<nats_callbacks*>(closure)->ended(); }

failure unusable(const std::string& setting, const std::string& file, const std::string& why) {
  return {errc::ledger_unavailable, setting + " names " + file + ", which can't be used: " + why, {}, {}, {}};
}

failure set_user(natsOptions* options, const nats_servers& servers) {
  if (!servers.credentials_file.empty() &&
      natsOptions_SetUserCredentialsFromFiles(options, servers.credentials_file.c_str(), nullptr) != NATS_OK)
    return unusable("nats.credentials", servers.credentials_file, nats_GetLastError(nullptr));
  if (!servers.user.empty()) natsOptions_SetUserInfo(options, servers.user.c_str(), servers.password.reveal().c_str());
  if (servers.nkey_file.empty()) return {};
  std::ifstream in{servers.nkey_file};
  std::string seed;
  if (!std::getline(in, seed)) return unusable("nats.nkey", servers.nkey_file, "it can't be read");
  const auto open = public_nkey(seed);
  if (!open) return unusable("nats.nkey", servers.nkey_file, open.error.detail);
  natsOptions_SetNKeyFromSeed(options, open->c_str(), servers.nkey_file.c_str());
  return {};
}

/// What somebody who reads the log may do about it.
const char* advice(natsStatus status) {
  switch (status) {
  case NATS_SSL_ERROR: return "; the server's certificate is not vouched for by nats.ca, or is for another name than nats.urls says";
  case NATS_SECURE_CONNECTION_REQUIRED: return "; the server wants TLS: use tls:// in nats.urls";
  case NATS_SECURE_CONNECTION_WANTED: return "; the server speaks no TLS: use nats:// in nats.urls (on loopback), or give it a certificate";
  case NATS_CONNECTION_AUTH_FAILED: return "; the server does not know this user: look at nats.nkey, nats.credentials, or nats.user and nats.password";
  case NATS_NOT_PERMITTED: return "; the server does not let this user do that";
  default: return "";
  }
}

} // namespace

void nats_callbacks::began() {
  const std::lock_guard lock{mutex_};
  ++running_;
}

void nats_callbacks::ended() {
  const std::lock_guard lock{mutex_};
  --running_;
  done_.notify_all();
}

void nats_callbacks::await_end(natsSubscription* of) {
  began();
  if (natsSubscription_SetOnCompleteCB(of, on_complete, this) != NATS_OK) ended();
}

bool nats_callbacks::wait() {
  std::unique_lock lock{mutex_};
  return done_.wait_for(lock, callbacks_limit, [this] { return running_ == 0; });
}

outcome<nats_options_ptr> make_nats_options(const nats_servers& servers) {
  natsOptions* made = nullptr;
  natsOptions_Create(&made);
  nats_options_ptr options{made};
  std::vector<const char*> urls;
  bool secure = !servers.ca_file.empty();
  for (const auto& url : servers.urls) {
    urls.push_back(url.c_str());
    secure = secure || url.starts_with("tls://");
  }
  natsOptions_SetServers(made, urls.data(), static_cast<int>(urls.size()));
  natsOptions_SetName(made, servers.client.c_str());
  natsOptions_SetTimeout(made, connect_ms);
  natsOptions_SetAllowReconnect(made, false);
  natsOptions_SetPingInterval(made, ping_ms);
  natsOptions_SetMaxPingsOut(made, lost_pings);
  natsOptions_SetWriteDeadline(made, write_ms);
  natsOptions_SetSendAsap(made, true);
  natsOptions_UseGlobalMessageDelivery(made, true);
  if (auto failed = set_user(made, servers)) return failed;
  if (secure) natsOptions_SetSecure(made, true);
  if (!servers.ca_file.empty() && natsOptions_LoadCATrustedCertificates(made, servers.ca_file.c_str()) != NATS_OK)
    return unusable("nats.ca", servers.ca_file, "it holds no certificates");
  return options;
}

failure nats_failure(natsStatus status, const std::string& what) {
  const char* detail = nats_GetLastError(nullptr);
  auto text = what + ": " + natsStatus_GetText(status);
  if (detail && *detail) text += std::string(" (") + detail + ")";
  text += advice(status);
  return {status == NATS_NOT_FOUND ? errc::not_found : errc::ledger_unavailable, std::move(text), {}, {}, {}};
}

outcome<std::string> make_nats_inbox() {
  natsInbox* inbox = nullptr;
  if (const auto status = natsInbox_Create(&inbox); status != NATS_OK) return nats_failure(status, "no inbox");
  std::string name = reinterpret_cast<const char*>(inbox);
  natsInbox_Destroy(inbox);
  return name;
}

} // namespace poseidon
