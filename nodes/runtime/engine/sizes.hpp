#pragma once
// Sizes in text, as Docker spells them. Pure.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace poseidon::engine {

/// "512m", "512MiB", "1.5g", "2TB", "1024": bytes, every unit a power of 1024 as in Docker; nothing when malformed or
/// too large.
std::optional<std::uint64_t> parse_size(std::string_view text);
/// "512 MiB": one unit, at most one decimal.
std::string format_size(std::uint64_t bytes);

} // namespace poseidon::engine
