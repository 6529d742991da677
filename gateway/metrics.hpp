#pragma once
// What /metrics tells (docs/operations.md lists the names). Thread-safe.

#include "messages/commands.hpp"
#include "messages/notifications.hpp"

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace poseidon::gateway {

class view;

class metrics {
public:
  /// One label pair for each operation: method and pattern, in the order of their indices.
  explicit metrics(const std::vector<std::pair<std::string, std::string>>& operations);
  ~metrics();

  /// An answered request. `operation` beyond the list: a request that matched none.
  void answered(std::size_t operation, int status, double seconds);
  /// A phase of a lifecycle was left.
  void phase_left(const phase_timing& timing);
  /// An entry was applied to the view.
  void entry_applied();

  /// The text format, with gauges read from the view now.
  std::string render(const view& model, std::size_t connections, std::size_t streams, const std::vector<receiver_status>& receivers = {}) const;

private:
  struct state;
  std::unique_ptr<state> state_;
};

} // namespace poseidon::gateway
