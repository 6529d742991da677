#pragma once
// TLS between the edges of a cluster: both sides prove that they hold the cluster's key, and there is nothing else to be had,
// renewed or revoked.

#include "messages/secret.hpp"

#include <boost/asio/ssl/context.hpp>

namespace poseidon {

/// TLS 1.3 with a pre-shared key and an ephemeral exchange on top of it; no certificates. Outlives every stream made with it.
class peer_tls {
public:
  /// `cluster_key`: any secret that all edges have; what is used is derived from it.
  explicit peer_tls(const secret& cluster_key);
  peer_tls(const peer_tls&) = delete;
  peer_tls& operator=(const peer_tls&) = delete;
  boost::asio::ssl::context& client() { return client_; }
  boost::asio::ssl::context& server() { return server_; }
  /// After a handshake: whether the peer has the key. Nothing may be said or believed before.
  static bool proved(SSL* stream);

private:
  void set_up(boost::asio::ssl::context& context);
  std::string key_;
  boost::asio::ssl::context client_{boost::asio::ssl::context::tls_client};
  boost::asio::ssl::context server_{boost::asio::ssl::context::tls_server};
};

} // namespace poseidon
