#pragma once
// Whether the log's servers are there at all: a node that can't reach them asks whether anybody else may (LEDGER.md rule 10).

#include <algorithm>
#include <atomic>
#include <mutex>
#include <string>
#include <vector>

namespace poseidon {

/// What the last look at the servers told. Thread-safe.
class server_presence {
public:
  /// Every server that was ever named: by the settings, or by another server.
  std::vector<std::string> known() const {
    const std::lock_guard lock{mutex_};
    return known_;
  }
  /// `all_refuse`: at each of these addresses the machine answered that nobody listens. One that does not answer may serve others.
  void looked(const std::vector<std::string>& urls, bool all_refuse) {
    {
      const std::lock_guard lock{mutex_};
      for (const auto& url : urls)
        if (std::ranges::find(known_, url) == known_.end()) known_.push_back(url);
    }
    none_ = all_refuse;
  }
  /// No server runs: the log is away for everybody, not for this process alone.
  bool none_listens() const { return none_; }

private:
  mutable std::mutex mutex_;
  std::vector<std::string> known_;
  std::atomic<bool> none_ = false;
};

} // namespace poseidon
