#pragma once

#include <map>
#include <string>
#include <vector>

namespace poseidon {

/// `poseidon serve`: runs until SIGTERM or SIGINT. Returns the process's exit code: 0 ended as asked, 1 could not start or a part
/// of it died, 2 bad settings (all of them told). Call before any thread is started.
int serve(const std::vector<std::string>& flags, const std::map<std::string, std::string>& environment);

} // namespace poseidon
