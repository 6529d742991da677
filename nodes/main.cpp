#include "nodes/cli/cli.hpp"
#include "nodes/host/host_clock.hpp"
#include "nodes/serve.hpp"

#include <algorithm>
#include <iostream>
#include <unistd.h>

namespace {

std::map<std::string, std::string> read_environment(char** variables) {
  std::map<std::string, std::string> environment;
  for (; *variables != nullptr; ++variables) {
    const std::string_view each{*variables};
    const auto equals = each.find('=');
    if (equals != std::string_view::npos) environment.emplace(each.substr(0, equals), each.substr(equals + 1));
  }
  return environment;
}

bool asks_for_help(const std::vector<std::string>& arguments) {
  return std::any_of(arguments.begin(), arguments.end(), [](const std::string& a) { return a == "--help" || a == "-h"; });
}

} // namespace

int main(int count, char** values, char** variables) {
  std::vector<std::string> arguments(values + 1, values + count);
  auto environment = read_environment(variables);
  if (!arguments.empty() && arguments.front() == "serve") {
    arguments.erase(arguments.begin());
    if (!asks_for_help(arguments)) return poseidon::serve(arguments, environment);
    std::cout << poseidon::cli::serve_help();
    return 0;
  }
  poseidon::cli::surroundings around;
  around.environment = std::move(environment);
  around.host_name = poseidon::read_host_name();
  around.version = POSEIDON_VERSION;
  around.now = [] { return poseidon::host_clock{}.wall_now(); };
  around.out_is_terminal = ::isatty(STDOUT_FILENO) == 1;
  around.err_is_terminal = ::isatty(STDERR_FILENO) == 1;
  return poseidon::cli::run_cli(arguments, around, std::cout, std::cerr);
}
