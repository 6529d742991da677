#pragma once
// What the process and its dialer say to each other over their socket pair (SOCK_SEQPACKET, one struct a packet, same
// machine, same program: native byte order). Fixed sizes only: the privileged side parses nothing of variable shape.

#include <cstdint>
#include <type_traits>

namespace poseidon::dialer_wire {

inline constexpr std::uint32_t version = 1;
inline constexpr std::size_t cgroup_bytes_max = 256;

enum class op : std::uint32_t {
  open = 1,   ///< pid, start_ticks, cgroup -> handle
  socket = 2, ///< handle, port -> a TCP socket inside the namespace, connecting to 127.0.0.1:port
  signal = 3, ///< handle, signo
  close = 4,  ///< handle
  shim = 5,   ///< pid, start_ticks, container id (in `cgroup`) -> handle that takes signals only
};

struct request {
  std::uint32_t version = dialer_wire::version;
  op what{};
  std::uint64_t id = 0; ///< repeated in the reply
  std::uint64_t handle = 0;
  std::uint64_t start_ticks = 0;
  std::int32_t pid = 0;
  std::int32_t signo = 0;
  std::uint16_t port = 0;
  std::uint16_t cgroup_bytes = 0; ///< of `cgroup` that count; 0: not checked
  std::uint32_t reserved = 0;
  char cgroup[cgroup_bytes_max] = {};
};
static_assert(sizeof(request) == 304 && std::is_trivially_copyable_v<request>);

enum class status : std::int32_t {
  ok = 0,
  malformed,      ///< not a request, or one with impossible values
  unknown_handle, ///< closed, evicted, or never given: open again
  gone,           ///< the process has ended
  mismatch,       ///< that pid is another process now, or not in that control group, or shares the dialer's own network, or is no shim
  denied,         ///< the dialer lacks the privilege
  exhausted,      ///< out of descriptors
  failed,         ///< see `error`
};

struct reply {
  std::uint32_t version = dialer_wire::version;
  dialer_wire::status status{};
  std::uint64_t id = 0;
  std::uint64_t handle = 0;
  std::int32_t error = 0; ///< errno, where one is at the root
  std::uint32_t reserved = 0;
};
static_assert(sizeof(reply) == 32 && std::is_trivially_copyable_v<reply>);

} // namespace poseidon::dialer_wire
