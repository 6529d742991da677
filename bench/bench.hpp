#pragma once
// The benchmarks' registry: a part is a name and a function that yields rows. Each part's file registers itself:
//   const bench::part fold_part{"fold", run};

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace poseidon::bench {

/// One measured figure.
struct row {
  std::string name;
  double figure = 0;
  std::string unit;                  ///< "entries/s", "ms", "B"
  std::optional<double> reference{}; ///< the same of what it is compared with, measured in the same run
  std::optional<double> goal{};      ///< for the ratio when there is a reference, else for the figure
  bool lower_is_better = true;

  /// Figure to reference; nothing without one.
  std::optional<double> ratio() const { return reference ? std::optional{figure / *reference} : std::nullopt; }
  /// Nothing without a goal.
  std::optional<bool> met() const {
    if (!goal) return std::nullopt;
    const auto value = ratio().value_or(figure);
    return lower_is_better ? value <= *goal : value >= *goal;
  }
};

/// Runs by name; may throw std::exception, which is told, and fails the run.
using run_part = std::function<std::vector<row>()>;

/// Registers a part for the life of the program.
struct part {
  part(std::string name, run_part run);
};

/// Every part, by name.
const std::vector<std::pair<std::string, run_part>>& all_parts();

/// CPU time of the calling thread, in seconds.
double thread_cpu_seconds();
/// CPU time of the whole process, in seconds.
double process_cpu_seconds();
/// A monotonic clock, in seconds.
double now_seconds();
/// Bytes that the process has allocated from the heap and not given back.
std::size_t heap_bytes();

} // namespace poseidon::bench
