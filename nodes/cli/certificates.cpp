#include "nodes/cli/certificates.hpp"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <arpa/inet.h>

#include <memory>

namespace poseidon::cli {
namespace {

constexpr long day_seconds = 86'400, years_seconds = 3'652 * day_seconds;

template <auto Free>
struct freeing {
  template <class T>
  void operator()(T* handle) const {
    Free(handle);
  }
};
using key_ptr = std::unique_ptr<EVP_PKEY, freeing<EVP_PKEY_free>>;
using certificate_ptr = std::unique_ptr<X509, freeing<X509_free>>;
using bio_ptr = std::unique_ptr<BIO, freeing<BIO_free_all>>;

failure failed(const char* what) { return {errc::internal, std::string("OpenSSL could not ") + what, {}, {}, {}}; }

key_ptr make_key() { return key_ptr{EVP_EC_gen("P-256")}; }

std::string text_of(const bio_ptr& from) {
  char* bytes = nullptr;
  const auto size = BIO_get_mem_data(from.get(), &bytes);
  return {bytes, static_cast<std::size_t>(size)};
}

bool extend(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, freeing<X509_EXTENSION_free>> made{X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str())};
  return made && X509_add_ext(certificate, made.get(), -1) == 1;
}

/// Version, serial number, validity, key and subject; issuer and extensions are the caller's.
certificate_ptr begin_certificate(EVP_PKEY* key, const std::string& name) {
  certificate_ptr made{X509_new()};
  unsigned char serial[16];
  if (!made || RAND_bytes(serial, sizeof serial) != 1) return nullptr;
  serial[0] &= 0x7f; // a positive number
  const std::unique_ptr<BIGNUM, freeing<BN_free>> number{BN_bin2bn(serial, sizeof serial, nullptr)};
  BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(made.get()));
  X509_set_version(made.get(), X509_VERSION_3);
  X509_gmtime_adj(X509_getm_notBefore(made.get()), -day_seconds); // clocks of other machines may be behind
  X509_gmtime_adj(X509_getm_notAfter(made.get()), years_seconds);
  X509_set_pubkey(made.get(), key);
  const auto* bytes = reinterpret_cast<const unsigned char*>(name.c_str());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(made.get()), "CN", MBSTRING_UTF8, bytes, static_cast<int>(name.size()), -1, 0);
  return made;
}

outcome<certified_key> in_pem(X509* certificate, EVP_PKEY* key) {
  const bio_ptr open{BIO_new(BIO_s_mem())}, hidden{BIO_new(BIO_s_mem())};
  if (PEM_write_bio_X509(open.get(), certificate) != 1 || PEM_write_bio_PrivateKey(hidden.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1)
    return failed("write a certificate");
  return certified_key{text_of(open), secret{text_of(hidden)}};
}

bool is_address(const std::string& host) {
  unsigned char bytes[16];
  return ::inet_pton(AF_INET, host.c_str(), bytes) == 1 || ::inet_pton(AF_INET6, host.c_str(), bytes) == 1;
}

std::string short_name(std::string name) {
  constexpr std::size_t longest = 64; // of a common name
  if (name.size() > longest) name.resize(longest);
  return name;
}

} // namespace

outcome<certified_key> make_authority(const std::string& cluster) {
  const auto key = make_key();
  if (!key) return failed("make a key");
  const auto made = begin_certificate(key.get(), short_name("Poseidon cluster " + cluster));
  if (!made) return failed("make a certificate");
  auto* c = made.get();
  X509_set_issuer_name(c, X509_get_subject_name(c));
  const bool good = extend(c, c, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") && extend(c, c, NID_key_usage, "critical,keyCertSign,cRLSign") &&
                    extend(c, c, NID_subject_key_identifier, "hash");
  if (!good || X509_sign(c, key.get(), EVP_sha256()) == 0) return failed("sign a certificate");
  return in_pem(c, key.get());
}

outcome<certified_key> make_server_certificate(const certified_key& authority, const std::vector<std::string>& hosts) {
  const auto read = [](const std::string& text) { return bio_ptr{BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))}; };
  const certificate_ptr issuer{PEM_read_bio_X509(read(authority.certificate).get(), nullptr, nullptr, nullptr)};
  const key_ptr signer{PEM_read_bio_PrivateKey(read(authority.key.reveal()).get(), nullptr, nullptr, nullptr)};
  if (!issuer || !signer || hosts.empty()) return failure{errc::invalid_field, "the cluster's certificate authority can't be used", {}, {}, {}};
  const auto key = make_key();
  if (!key) return failed("make a key");
  const auto made = begin_certificate(key.get(), short_name(hosts.front()));
  if (!made) return failed("make a certificate");
  auto* c = made.get();
  X509_set_issuer_name(c, X509_get_subject_name(issuer.get()));
  std::string names;
  for (const auto& host : hosts) names += (names.empty() ? "" : ",") + std::string(is_address(host) ? "IP:" : "DNS:") + host;
  const bool good = extend(c, issuer.get(), NID_basic_constraints, "critical,CA:FALSE") &&
                    extend(c, issuer.get(), NID_key_usage, "critical,digitalSignature,keyAgreement") &&
                    extend(c, issuer.get(), NID_ext_key_usage, "serverAuth,clientAuth") && // the latter to other servers of the cluster
                    extend(c, issuer.get(), NID_subject_alt_name, names) && extend(c, issuer.get(), NID_authority_key_identifier, "keyid");
  if (!good) return failure{errc::invalid_field, "no certificate can be made for " + names, {}, {}, {}};
  if (X509_sign(c, signer.get(), EVP_sha256()) == 0) return failed("sign a certificate");
  return in_pem(c, key.get());
}

} // namespace poseidon::cli
