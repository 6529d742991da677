#include "nodes/edge/peer_tls.hpp"

#include "messages/digest.hpp"

#include <openssl/ssl.h>

#include <cstring>
#include <stdexcept>

namespace poseidon {
namespace {

constexpr const char* identity = "poseidon edge";
constexpr const char* suites = "TLS_AES_128_GCM_SHA256"; // the one that OpenSSL uses with a key given by callback

int key_index() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

unsigned give_key(SSL* stream, unsigned char* key, unsigned room) {
  const auto* held = static_cast<const std::string*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(stream), key_index()));
  if (!held || held->size() > room) return 0;
  std::memcpy(key, held->data(), held->size());
  return static_cast<unsigned>(held->size());
}

unsigned on_client(SSL* stream, const char* /*hint*/, char* name, unsigned name_room, unsigned char* key, unsigned room) {
  if (std::strlen(identity) + 1 > name_room) return 0;
  std::strcpy(name, identity);
  return give_key(stream, key, room);
}

unsigned on_server(SSL* stream, const char* name, unsigned char* key, unsigned room) {
  return name && std::strcmp(name, identity) == 0 ? give_key(stream, key, room) : 0;
}

} // namespace

peer_tls::peer_tls(const secret& cluster_key) : key_(hmac_sha256(cluster_key.reveal(), "edge relay")) {
  set_up(client_);
  set_up(server_);
  // A server without the key would need a certificate that somebody trusts: there is none.
  SSL_CTX_set_verify(client_.native_handle(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_psk_client_callback(client_.native_handle(), on_client);
  SSL_CTX_set_psk_server_callback(server_.native_handle(), on_server);
}

void peer_tls::set_up(boost::asio::ssl::context& context) {
  auto* raw = context.native_handle();
  const bool done = SSL_CTX_set_min_proto_version(raw, TLS1_3_VERSION) == 1 && SSL_CTX_set_ciphersuites(raw, suites) == 1 &&
                    SSL_CTX_set_num_tickets(raw, 0) == 1 && SSL_CTX_set_ex_data(raw, key_index(), &key_) == 1;
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
  if (!done) throw std::runtime_error("OpenSSL can't do TLS 1.3 with a pre-shared key");
}

bool peer_tls::proved(SSL* stream) { return SSL_version(stream) == TLS1_3_VERSION && SSL_session_reused(stream) == 1; }

} // namespace poseidon
