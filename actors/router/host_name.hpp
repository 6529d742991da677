#pragma once
// How host names are compared: lower case, without port and without a trailing dot. Pure.

#include <optional>
#include <string>
#include <string_view>

namespace poseidon {

/// The host of a Host header's value ("Name.Example.:8080" gives "name.example"); nothing when it is not one: empty, too long
/// (253), a port that is no number up to 65535, or any byte that has no place in a host name or address.
std::optional<std::string> normal_host(std::string_view value);

} // namespace poseidon
