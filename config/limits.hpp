#pragma once
// Settings as the table that admission judges by.

#include "config/settings.hpp"
#include "messages/entries.hpp"

namespace poseidon::config {

/// The limits and placement weights of these settings.
limit_table limits_of(const settings& values);

} // namespace poseidon::config
