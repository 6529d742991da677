#include "messages/digest.hpp"

#include "messages/codec.hpp"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <cstdlib>
#include <cstring>
#include <memory>

namespace poseidon {
namespace {

constexpr std::size_t nonce_bytes = 12, tag_bytes = 16;

const unsigned char* raw(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }
unsigned char* raw(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }
int length(std::string_view text) { return static_cast<int>(text.size()); }

void fill_from_openssl(std::span<std::uint8_t> bytes) {
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) std::abort();
}

/// Asks OpenSSL for more than one id needs, since each call costs as much as a hundred bytes; what was given is wiped.
class openssl_random final : public random_source {
public:
  void fill(std::span<std::uint8_t> bytes) override {
    if (bytes.size() > most_from_stock) return fill_from_openssl(bytes);
    thread_local stock mine;
    if (mine.used + bytes.size() > sizeof mine.bytes) {
      fill_from_openssl(mine.bytes);
      mine.used = 0;
    }
    std::memcpy(bytes.data(), mine.bytes + mine.used, bytes.size());
    OPENSSL_cleanse(mine.bytes + mine.used, bytes.size());
    mine.used += bytes.size();
  }

private:
  static constexpr std::size_t most_from_stock = 16;
  struct stock {
    std::uint8_t bytes[512];
    std::size_t used = sizeof bytes;
  };
};

using cipher = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;
cipher new_cipher() { return {EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free}; }

// OpenSSL looks an algorithm up by its name at each use, which costs more than the use: these have been looked up.
const EVP_MD* sha256() {
  static const EVP_MD* const found = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return found;
}

using mac_context = std::unique_ptr<EVP_MAC_CTX, decltype(&EVP_MAC_CTX_free)>;
mac_context new_hmac() {
  static EVP_MAC_CTX* const blank = [] {
    auto* made = EVP_MAC_CTX_new(EVP_MAC_fetch(nullptr, "HMAC", nullptr));
    char digest[] = "SHA256";
    const OSSL_PARAM with[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0), OSSL_PARAM_construct_end()};
    return made && EVP_MAC_CTX_set_params(made, with) == 1 ? made : nullptr;
  }();
  return {blank ? EVP_MAC_CTX_dup(blank) : nullptr, &EVP_MAC_CTX_free};
}

failure fault(errc code, const char* detail) { return {code, detail, std::nullopt, {}, {}}; }

} // namespace

random_source& system_random() {
  static openssl_random source;
  return source;
}

instance_id mint_instance_id(random_source& from) { return instance_id{to_base32(random_bytes(from, 16))}; }

std::string random_bytes(random_source& from, std::size_t size) {
  std::string bytes(size, '\0');
  from.fill({raw(bytes), size});
  return bytes;
}

std::string to_hex(std::string_view bytes) {
  std::string text;
  text.reserve(2 * bytes.size());
  for (unsigned char c : bytes) {
    text += "0123456789abcdef"[c >> 4];
    text += "0123456789abcdef"[c & 15];
  }
  return text;
}

std::string to_base32(std::string_view bytes) {
  std::string text;
  unsigned held = 0, bits = 0; // bits of `held` not yet written
  for (unsigned char c : bytes) {
    held = (held << 8 | c) & 0xfff;
    for (bits += 8; bits >= 5; bits -= 5) text += "abcdefghijklmnopqrstuvwxyz234567"[held >> (bits - 5) & 31];
  }
  if (bits > 0) text += "abcdefghijklmnopqrstuvwxyz234567"[held << (5 - bits) & 31];
  return text;
}

std::string sha256_hex(std::string_view bytes) {
  std::string digest(32, '\0');
  if (EVP_Digest(bytes.data(), bytes.size(), raw(digest), nullptr, sha256(), nullptr) != 1) std::abort();
  return to_hex(digest);
}

std::string hmac_sha256(std::string_view key, std::string_view bytes) {
  std::string digest(32, '\0');
  const auto mac = new_hmac();
  std::size_t size = 0;
  const bool done = mac && EVP_MAC_init(mac.get(), raw(key), key.size(), nullptr) == 1 &&
                    EVP_MAC_update(mac.get(), raw(bytes), bytes.size()) == 1 &&
                    EVP_MAC_final(mac.get(), raw(digest), &size, digest.size()) == 1;
  if (!done) std::abort();
  return digest;
}

bool equal_secrets(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

spec_digest digest_of(const instance_spec& spec) { return spec_digest{"sha256:" + sha256_hex(canonical_json(spec))}; }

std::string host_label(const secret& cluster_secret, const instance_id& instance) {
  return to_hex(hmac_sha256(cluster_secret.reveal(), instance.value)).substr(0, 20);
}

outcome<sealed_secret> seal(const secret& plain, const secret& key, std::string_view context, random_source& from) {
  if (key.reveal().size() != seal_key_bytes) return fault(errc::internal, "the cluster key has a wrong size");
  auto nonce = random_bytes(from, nonce_bytes);
  std::string text(plain.reveal().size(), '\0'), tag(tag_bytes, '\0');
  auto c = new_cipher();
  int size = 0;
  bool sealed = c && EVP_EncryptInit_ex(c.get(), EVP_aes_256_gcm(), nullptr, raw(key.reveal()), raw(nonce)) == 1 &&
                EVP_EncryptUpdate(c.get(), nullptr, &size, raw(context), length(context)) == 1 &&
                EVP_EncryptUpdate(c.get(), raw(text), &size, raw(plain.reveal()), length(plain.reveal())) == 1 &&
                EVP_EncryptFinal_ex(c.get(), raw(text) + size, &size) == 1 &&
                EVP_CIPHER_CTX_ctrl(c.get(), EVP_CTRL_GCM_GET_TAG, tag_bytes, raw(tag)) == 1;
  if (!sealed) return fault(errc::internal, "the secret could not be sealed");
  return sealed_secret{nonce + text + tag};
}

outcome<secret> open(const sealed_secret& sealed, const secret& key, std::string_view context) {
  std::string_view all = sealed.bytes;
  if (key.reveal().size() != seal_key_bytes) return fault(errc::internal, "the cluster key has a wrong size");
  if (all.size() < nonce_bytes + tag_bytes) return fault(errc::forbidden, "the sealed secret is too short");
  auto nonce = all.substr(0, nonce_bytes), body = all.substr(nonce_bytes, all.size() - nonce_bytes - tag_bytes);
  std::string tag(all.substr(all.size() - tag_bytes)), text(body.size(), '\0');
  auto c = new_cipher();
  int size = 0;
  bool opened = c && EVP_DecryptInit_ex(c.get(), EVP_aes_256_gcm(), nullptr, raw(key.reveal()), raw(nonce)) == 1 &&
                EVP_DecryptUpdate(c.get(), nullptr, &size, raw(context), length(context)) == 1 &&
                EVP_DecryptUpdate(c.get(), raw(text), &size, raw(body), length(body)) == 1 &&
                EVP_CIPHER_CTX_ctrl(c.get(), EVP_CTRL_GCM_SET_TAG, tag_bytes, raw(tag)) == 1 &&
                EVP_DecryptFinal_ex(c.get(), raw(text) + size, &size) == 1;
  if (!opened) return fault(errc::forbidden, "the secret was sealed under another key, for another use, or was changed");
  return secret{std::move(text)};
}

} // namespace poseidon
