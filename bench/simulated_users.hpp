#pragma once
// Nodes with a simulated engine in a folder of their own, and users who start and stop instances there.

#include "bench/simulated_node.hpp"
#include "test/support/temporary_folder.hpp"

namespace poseidon::bench {

/// Looks again and again; throws std::runtime_error with `what` when it does not hold in time.
void wait_until(const std::function<bool()>& holds, const char* what, double seconds = 60);

/// Registered nodes without limits, that know the challenge `hello`.
struct simulated_world {
  test::temporary_folder folder;
  std::shared_ptr<engine_loop> loop = std::make_shared<engine_loop>();
  std::shared_ptr<simulated_engine> engine = quick_engine(loop);
  std::uint64_t runs = 0;
  std::size_t nodes;
  std::optional<simulated_node> node;

  explicit simulated_world(std::size_t how_many = 1);
  /// Another run of the process, on the same files and engine.
  void begin();
};

/// Keeps `together` lifecycles under way until `count` have ended (`stops`), or until `count` run. Throws std::runtime_error
/// when they do not within `seconds`.
void run_users(simulated_world& w, std::size_t count, std::size_t together, bool stops, double seconds = 120);

} // namespace poseidon::bench
