#pragma once

#include <string>

namespace poseidon {

/// Sets up the process's log on stderr. `format`: text or json (one object a line); `level`: spdlog's names.
void set_up_logging(const std::string& format, const std::string& level);

/// Changes the least that is logged, from now on. Thread-safe.
void set_log_level(const std::string& level);

} // namespace poseidon
