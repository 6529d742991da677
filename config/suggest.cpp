#include "config/suggest.hpp"

#include <algorithm>
#include <limits>

namespace poseidon::config {
namespace {

/// Optimal string alignment: insertions, deletions, replacements and swaps of neighbours cost one each.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> cost(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i)
    cost[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j)
    cost[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i)
    for (std::size_t j = 1; j <= b.size(); ++j) {
      auto& best = cost[i][j];
      best = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, cost[i - 1][j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) best = std::min(best, cost[i - 2][j - 2] + 1);
    }
  return cost[a.size()][b.size()];
}

} // namespace

std::string nearest(std::string_view word, const std::vector<std::string_view>& candidates) {
  std::string_view best;
  auto best_distance = std::numeric_limits<std::size_t>::max();
  if (word.size() > 64) return {};
  for (auto candidate : candidates)
    if (auto d = distance(word, candidate); d < best_distance) best = candidate, best_distance = d;
  auto allowed = std::max<std::size_t>(2, word.size() / 4);
  return best_distance <= allowed && best_distance < word.size() ? std::string(best) : std::string();
}

std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& candidates) {
  auto best = nearest(word, candidates);
  return best.empty() ? best : "; did you mean " + best + "?";
}

} // namespace poseidon::config
