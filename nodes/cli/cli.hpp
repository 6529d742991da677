#pragma once
// The command line: everything but `serve`, which main does itself.

#include "messages/time.hpp"

#include <functional>
#include <iosfwd>
#include <map>
#include <string>
#include <vector>

namespace poseidon::cli {

/// Exit codes, for scripts; `poseidon --help` lists them.
enum exit_code : int {
  done_well = 0,
  refused = 1,      ///< the server refused or failed, or a check found a fault
  wrong_usage = 2,  ///< command, option or setting is wrong
  unreachable = 3,  ///< no server answers
  not_found = 4,    ///< no such instance, challenge, node, key, setting
  not_allowed = 5,  ///< the key is missing, wrong, or lacks the scope
  start_failed = 6, ///< the instance ended before it ran
  ran_out = 7,      ///< the time given with --timeout is over
};

/// What surrounds the command line, so that tests can replace it.
struct surroundings {
  std::map<std::string, std::string> environment; ///< the whole environment
  std::string host_name;
  std::string version;
  std::function<wall_time()> now;
  bool out_is_terminal = false, err_is_terminal = false;
};

/// Runs one command; `arguments` are those after the program's name. Answers go to `out`; progress, warnings and errors
/// to `err`.
int run_cli(const std::vector<std::string>& arguments, const surroundings& around, std::ostream& out,
            std::ostream& err);

/// The help of `poseidon serve`.
std::string serve_help();

} // namespace poseidon::cli
