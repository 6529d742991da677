#pragma once
// A member's DATA: the cluster's key, NATS credentials, and the settings that a token brought.

#include "config/join_token.hpp"
#include "config/settings_load.hpp"

namespace poseidon::cli {

/// What a token needs from settings and DATA: the cluster key (made where there is none) and the files that the settings name.
/// Errors: invalid_field when no NATS server is named or the settings can't be shared; those of reading and writing files.
outcome<config::join_token> make_join_token(const config::settings& settings);

/// A token for members of these roles. Those that only follow the ledger get the follower's user, where this DATA has one to
/// give (nats_setup.hpp). invalid_field where NATS knows its users and this DATA has no such one: an edge is not given a node's.
outcome<config::join_token> make_join_token(const config::settings& settings, const std::vector<std::string>& roles);

/// Makes the cluster's NATS users and certificates in DATA where there are none (nats-authority.json, nats.nk, nats-ca.pem), and
/// writes configurations for the servers of `urls` to `folder`. The folders written.
outcome<std::vector<std::string>> set_up_nats(const config::settings& settings, const std::vector<std::string>& urls, const std::string& folder);

/// Writes DATA. conflict when it belongs to another cluster already.
failure write_joined(const config::join_token& token, const config::settings& settings);

/// What DATA/cluster.json says; nothing where there is none.
outcome<std::optional<std::string>> read_joined(const std::string& data);

/// Loads, with what DATA/cluster.json says below file, environment and flags.
config::loaded_settings load_member_settings(config::settings_input input);

} // namespace poseidon::cli
