#pragma once

#include "nodes/edge_link/link_messages.hpp"

namespace poseidon::test {

inline const machine_id this_machine{"boot/1"};

inline struct epoch epoch_of(std::uint64_t sequence) { return {1, sequence, {7, sequence}}; }

inline put_route put(const std::string& host, std::uint64_t sequence = 1, std::optional<boot_time> deadline = {}) {
  endpoint where;
  where.pid = 10;
  where.start_ticks = 5;
  where.port = 80;
  return {{host, {host}, epoch_of(sequence), this_machine, where, deadline}};
}
inline end_route over(const std::string& host, std::uint64_t sequence = 1) {
  return {host, {host}, epoch_of(sequence), end_reason::stopped, wall_time{}, false};
}
inline hold_route held(const std::string& host, std::uint64_t sequence = 1) { return {host, {host}, epoch_of(sequence)}; }

} // namespace poseidon::test
