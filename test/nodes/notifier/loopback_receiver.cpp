#include "test/nodes/notifier/loopback_receiver.hpp"

#include <boost/asio/read_until.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace poseidon::test {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const auto size = BIO_get_mem_data(bio, &data);
  std::string text(data, static_cast<std::size_t>(size));
  BIO_free(bio);
  return text;
}

std::size_t content_length(const std::string& head) {
  constexpr std::string_view name = "Content-Length: ";
  const auto at = head.find(name);
  return at == std::string::npos ? 0 : std::stoul(head.substr(at + name.size()));
}

} // namespace

test_certificate make_certificate(const std::string& host) {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* cert = X509_new();
  X509_set_version(cert, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
  X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
  X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
  X509_set_pubkey(cert, key);
  auto* name = X509_get_subject_name(cert);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(host.c_str()), -1, -1, 0);
  X509_set_issuer_name(cert, name);
  const auto names = (host.find_first_not_of("0123456789.") == std::string::npos ? "IP:" : "DNS:") + host;
  for (auto [id, value] : {std::pair{NID_subject_alt_name, names}, {NID_basic_constraints, std::string("critical,CA:TRUE")}}) {
    auto* extension = X509V3_EXT_conf_nid(nullptr, nullptr, id, value.c_str());
    X509_add_ext(cert, extension, -1);
    X509_EXTENSION_free(extension);
  }
  X509_sign(cert, key, EVP_sha256());
  auto* cert_text = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(cert_text, cert);
  auto* key_text = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(key_text, key, nullptr, nullptr, 0, nullptr, nullptr);
  test_certificate made{text_of(cert_text), text_of(key_text)};
  X509_free(cert);
  EVP_PKEY_free(key);
  return made;
}

loopback_receiver::loopback_receiver(std::string reply, std::optional<test_certificate> tls)
    : reply_(std::move(reply)), acceptor_(io_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)) {
  if (tls) {
    tls_.emplace(asio::ssl::context::tls_server);
    tls_->use_certificate_chain(asio::buffer(tls->certificate));
    tls_->use_private_key(asio::buffer(tls->key), asio::ssl::context::pem);
  }
  port_ = acceptor_.local_endpoint().port();
  thread_ = std::thread([this] { run(); });
}

loopback_receiver::~loopback_receiver() {
  ending_ = true;
  boost::system::error_code ignored;
  tcp::socket waker(io_);
  waker.connect(tcp::endpoint(asio::ip::address_v4::loopback(), port_), ignored); // out of accept
  thread_.join();
}

std::string loopback_receiver::url(const std::string& path) const {
  return std::string(tls_ ? "https" : "http") + "://127.0.0.1:" + std::to_string(port_) + path;
}

std::vector<std::string> loopback_receiver::requests() const {
  const std::lock_guard lock{mutex_};
  return requests_;
}

void loopback_receiver::run() {
  while (!ending_) {
    tcp::socket socket(io_);
    boost::system::error_code failed;
    acceptor_.accept(socket, failed);
    if (failed || ending_) return;
    if (tls_) {
      asio::ssl::stream<tcp::socket> stream(std::move(socket), *tls_);
      stream.handshake(asio::ssl::stream_base::server, failed);
      if (!failed) serve(stream);
    } else {
      serve(socket);
      if (reply_.empty()) held_.push_back(std::move(socket));
    }
  }
}

template <class Stream>
void loopback_receiver::serve(Stream& stream) {
  boost::system::error_code failed;
  std::string text;
  const auto head = asio::read_until(stream, asio::dynamic_buffer(text), "\r\n\r\n", failed);
  if (failed) return;
  const auto wanted = head + content_length(text.substr(0, head));
  if (text.size() < wanted) asio::read(stream, asio::dynamic_buffer(text), asio::transfer_exactly(wanted - text.size()), failed);
  {
    const std::lock_guard lock{mutex_};
    requests_.push_back(text);
  }
  if (!reply_.empty()) asio::write(stream, asio::buffer(reply_), failed);
}

} // namespace poseidon::test
