#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace poseidon::config {

/// The candidate that is most like `word`, by edit distance with swaps; empty when none is near enough to be meant.
std::string nearest(std::string_view word, const std::vector<std::string_view>& candidates);
/// "; did you mean X?", or empty.
std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& candidates);

} // namespace poseidon::config
