#pragma once
// The parts that the table of settings is put together from, and how a row names its setting.

#include "config/settings_rows.hpp"

// The member's path is the setting's name: the two can't differ.
#define AT(path)                                                                                                       \
#path, [](settings & s) -> auto& { return s.path; }

namespace poseidon::config {

/// Appends what makes processes one cluster: NATS, notifiers, membership.
void add_cluster_settings(std::vector<setting_row>& table);

} // namespace poseidon::config
