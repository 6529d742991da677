#include "messages/nkey.hpp"

#include "messages/digest.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <memory>
#include <optional>

namespace poseidon {
namespace {

constexpr std::uint8_t seed_prefix = 18 << 3, user_prefix = 20 << 3; // 'S' and 'U' as the first letter
constexpr std::size_t key_bytes = 32, check_bytes = 2;
constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

std::uint16_t checksum(std::string_view bytes) { // CRC-16/XMODEM
  std::uint16_t crc = 0;
  for (const auto c : bytes) {
    crc = static_cast<std::uint16_t>(crc ^ static_cast<unsigned char>(c) << 8);
    for (int bit = 0; bit < 8; ++bit) crc = static_cast<std::uint16_t>((crc & 0x8000) ? crc << 1 ^ 0x1021 : crc << 1);
  }
  return crc;
}

std::string spell(std::string bytes) {
  const auto crc = checksum(bytes);
  bytes += static_cast<char>(crc & 0xff);
  bytes += static_cast<char>(crc >> 8);
  auto text = to_base32(bytes);
  std::ranges::transform(text, text.begin(), [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  return text;
}

std::optional<std::string> read(std::string_view text) {
  std::string bytes;
  std::uint32_t held = 0;
  int bits = 0;
  for (const auto c : text) {
    const auto value = digits.find(c);
    if (value == std::string_view::npos) return std::nullopt;
    held = held << 5 | static_cast<std::uint32_t>(value);
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes += static_cast<char>(held >> bits & 0xff);
  }
  const bool more = (held & ((1u << bits) - 1)) != 0; // the last digit says something beyond the bytes: mistyped
  if (more || bytes.size() <= check_bytes) return std::nullopt;
  const auto body = bytes.size() - check_bytes;
  const auto said = static_cast<std::uint16_t>(static_cast<unsigned char>(bytes[body]) | static_cast<unsigned char>(bytes[body + 1]) << 8);
  bytes.resize(body);
  return checksum(bytes) == said ? std::optional{bytes} : std::nullopt;
}

} // namespace

secret make_nkey_seed(random_source& from) {
  std::string bytes;
  bytes += static_cast<char>(seed_prefix | user_prefix >> 5);
  bytes += static_cast<char>((user_prefix & 31) << 3);
  return secret{spell(bytes + random_bytes(from, key_bytes))};
}

outcome<std::string> public_nkey(std::string_view seed) {
  const auto begin = seed.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return failure{errc::invalid_field, "no seed of a NATS user (it begins with SU)", {}, {}, {}};
  seed = seed.substr(begin, seed.find_last_not_of(" \t\r\n") + 1 - begin);
  const auto bytes = read(seed);
  if (!seed.starts_with("SU") || !bytes || bytes->size() != key_bytes + 2)
    return failure{errc::invalid_field, "no seed of a NATS user (it begins with SU), or a mistyped one", {}, {}, {}};
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key{
      EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, reinterpret_cast<const unsigned char*>(bytes->data()) + 2, key_bytes), &EVP_PKEY_free};
  std::string open(key_bytes, '\0');
  auto size = open.size();
  if (!key || EVP_PKEY_get_raw_public_key(key.get(), reinterpret_cast<unsigned char*>(open.data()), &size) != 1)
    return failure{errc::internal, "OpenSSL makes no public key of it", {}, {}, {}};
  return spell(std::string(1, static_cast<char>(user_prefix)) + open);
}

} // namespace poseidon
