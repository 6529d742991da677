#pragma once

#include "messages/route.hpp"
#include "nodes/dialer/unique_fd.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace poseidon {

/// Asks once about a host that the table does not know; calls `done`, from any thread, when the table holds whatever was to
/// be learnt.
using ask_unknown_host = std::function<void(const std::string& host, std::function<void()> done)>;

/// A connection to an instance of another machine: a socket like the instance's own, and the word, set before that closes, that
/// its end is not the regular one.
struct led_stream {
  unique_fd fd;
  std::shared_ptr<const std::atomic<bool>> torn;
};
/// Connects to an instance that runs elsewhere; calls `done` once, from any thread, within `limit`.
using reach_elsewhere =
    std::function<void(const route& to, const std::string& client, millis limit, std::function<void(outcome<led_stream>)> done)>;

/// Settings of the data plane.
struct edge_options {
  struct address {
    std::string host; ///< numeric, IPv4 or IPv6
    std::uint16_t port = 0; ///< 0: any free one
  };
  std::vector<address> listen{{"127.0.0.1", 8081}};
  unsigned threads = 2;
  machine_id machine; ///< whose instances are reached through the dialer
  std::size_t head_bytes_max = 16 << 10;
  millis head_timeout{10'000};
  millis connect_timeout{5'000};
  millis idle_timeout{600'000};
  millis ask_timeout{1'000}; ///< an unknown host is 404 after that
  std::size_t connections = 20'000;
  std::size_t connections_per_source = 256;
  std::size_t connections_per_instance = 1024;
  ask_unknown_host ask; ///< may be empty
  reach_elsewhere reach; ///< empty: only this machine's instances are served
};

/// What the data plane has done; for metrics.
struct edge_counters {
  std::atomic<std::uint64_t> accepted = 0, relayed = 0, cut = 0, refused = 0, unknown = 0, gone = 0, not_ready = 0, no_answer = 0,
                             too_many = 0;
};

} // namespace poseidon
