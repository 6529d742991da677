#pragma once
// Output of ended instances, one file each in a folder of DATA: bounded each and altogether, and forgotten in time.

#include "messages/errors.hpp"
#include "messages/ids.hpp"
#include "messages/time.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace poseidon {

struct kept_log_bounds {
  std::uint64_t bytes_each = 256u << 10; ///< the last part is kept
  std::uint64_t bytes_all = 1u << 30;    ///< the oldest go first
  millis keep{86'400'000};
};

struct kept_log_file {
  std::string name;
  std::uint64_t bytes = 0;
  wall_time written_at;
};

/// The end of `text`, at most `bytes` long; where something was cut it begins at a line.
std::string_view last_part(std::string_view text, std::uint64_t bytes);
/// The last `lines` lines of `text`; 0 is all of it.
std::string_view last_lines(std::string_view text, std::uint32_t lines);
/// Names of the files that are too old, or beyond the bound of all; pure.
std::vector<std::string> logs_to_forget(std::vector<kept_log_file> files, const kept_log_bounds& bounds, wall_time now);

/// The folder. Made at the first write; what can't be written or read is told, never thrown. Blocks: not for an actor's handler
/// on CAF's workers.
class kept_logs {
public:
  explicit kept_logs(std::string folder = {}, kept_log_bounds bounds = {});
  /// Replaces what was kept of the instance. Errors: no_space, operation_not_permitted, internal.
  failure keep(const instance_id& instance, std::string_view text) const;
  /// Errors: unknown_instance when nothing is kept.
  outcome<std::string> read(const instance_id& instance, std::uint32_t lines) const;
  /// Removes what logs_to_forget names. Returns how many went.
  std::size_t forget(wall_time now) const;

private:
  std::string folder_;
  kept_log_bounds bounds_;
};

} // namespace poseidon
