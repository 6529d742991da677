#include <utility>

#include "nodes/edge/source_limits.hpp"

namespace poseidon {

std::uint64_t source_limits::key_of(const boost::asio::ip::address& source) {
  if (source.is_v4()) return source.to_v4().to_uint();
  const auto v6 = source.to_v6();
  const auto bytes = v6.to_bytes();
  if (v6.is_v4_mapped())
    return (std::uint64_t{bytes[12]} << 24) | (std::uint64_t{bytes[13]} << 16) | (std::uint64_t{bytes[14]} << 8) | bytes[15];
  std::uint64_t network = 0;
  for (std::size_t i = 0; i < 8; ++i) network = network << 8 | bytes[i];
  // Apart from every IPv4 address: no global IPv6 network has its upper half zero, save loopback's.
  return network == 0 ? ~std::uint64_t{0} : network;
}

source_limits::entered source_limits::enter(const boost::asio::ip::address& source) {
  if (total_.fetch_add(1, std::memory_order_relaxed) >= most_) {
    total_.fetch_sub(1, std::memory_order_relaxed);
    return entered::full;
  }
  const auto key = key_of(source);
  auto& part = shards_[(key * 0x9e3779b97f4a7c15ull >> 32) % shards_.size()];
  const std::lock_guard lock{part.mutex};
  auto& count = part.counts[key];
  if (count >= most_per_source_) {
    total_.fetch_sub(1, std::memory_order_relaxed);
    return entered::source_full;
  }
  ++count;
  return entered::yes;
}

void source_limits::leave(const boost::asio::ip::address& source) {
  total_.fetch_sub(1, std::memory_order_relaxed);
  const auto key = key_of(source);
  auto& part = shards_[(key * 0x9e3779b97f4a7c15ull >> 32) % shards_.size()];
  const std::lock_guard lock{part.mutex};
  if (const auto found = part.counts.find(key); found != part.counts.end() && --found->second == 0) part.counts.erase(found);
}

} // namespace poseidon
