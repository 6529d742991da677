#include "actors/nats/nats_client.hpp"

namespace poseidon {
namespace {

constexpr std::int64_t connect_ms = 2'000, ping_ms = 2'000, write_ms = 5'000;
constexpr int lost_pings = 2;
constexpr std::chrono::seconds callbacks_limit{5};

void on_complete(void* closure) { static_cast<nats_callbacks*>(closure)->ended(); }

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

nats_options_ptr make_nats_options(const nats_servers& servers) {
  natsOptions* made = nullptr;
  natsOptions_Create(&made);
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
  if (!servers.credentials_file.empty()) natsOptions_SetUserCredentialsFromFiles(made, servers.credentials_file.c_str(), nullptr);
  if (!servers.user.empty()) natsOptions_SetUserInfo(made, servers.user.c_str(), servers.password.reveal().c_str());
  if (secure) natsOptions_SetSecure(made, true);
  if (!servers.ca_file.empty()) natsOptions_LoadCATrustedCertificates(made, servers.ca_file.c_str());
  return nats_options_ptr{made};
}

failure nats_failure(natsStatus status, const std::string& what) {
  const char* detail = nats_GetLastError(nullptr);
  auto text = what + ": " + natsStatus_GetText(status);
  if (detail && *detail) text += std::string(" (") + detail + ")";
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
