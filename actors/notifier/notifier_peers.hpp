#pragma once
// Which notifiers share a receiver, as far as this one has heard: pure, on its own boot clock.

#include "messages/bus.hpp"
#include "messages/time.hpp"

#include <map>
#include <optional>

namespace poseidon {

struct notifier_identity {
  std::string process; ///< this notifier's name
  run_id run;
  std::string key_check;
};
struct peer_limits {
  millis lost_after{15'000}; ///< silence after which another notifier's part passes to those that are left
  millis listen{3'000};      ///< before the first sharing: everybody has spoken by then
};

class notifier_peers {
public:
  notifier_peers(notifier_identity self, peer_limits limits) : self_(std::move(self)), limits_(limits) {}

  /// Where silence counts from: what was said while the bus was away was heard by nobody.
  void bus(bool connected, boot_time now);
  /// To be called once a second or so. True after a gap so long that this process itself was away: it listens anew.
  bool tick(boot_time now);
  /// True when it was said by another notifier of this cluster.
  bool heard(const notifier_word& word, boot_time now);

  /// Names of those that share a receiver, this one among them, sorted. Nothing while that is not known: the bus is away, or
  /// came a moment ago.
  std::optional<std::vector<std::string>> sharing(const std::string& receiver, const std::string& rule, boot_time now) const;
  /// Whether each other one of these has said that it tells of nothing that is not its own under this sharing.
  bool ready(const std::string& receiver, const std::vector<std::string>& sharing) const;

private:
  struct known {
    std::string rule;
    boot_time heard;
    std::vector<std::string> view, next;
  };
  void listen_anew(boot_time now);

  const notifier_identity self_;
  const peer_limits limits_;
  std::map<std::pair<std::string, std::string>, known> known_; ///< by receiver and process
  bool connected_ = false, listened_ = false;
  std::optional<boot_time> since_, ticked_;
};

} // namespace poseidon
