#pragma once
// Receivers of notifications, as a settings file names them. Pure.

#include "messages/enums.hpp"
#include "messages/notifications.hpp"
#include "messages/secret.hpp"

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace poseidon::config {

/// One entry of `notify.receivers`. A Discord address is a secret by itself: both addresses and keys are never shown.
struct receiver_settings {
  std::string name;
  receiver_kind type = receiver_kind::webhook;
  secret url;              ///< http or https
  std::string url_file;    ///< or: a file that holds it
  secret key;              ///< spelt `secret`: signs a webhook's requests
  std::string secret_file; ///< or: a file that holds it
  std::vector<std::string> events;     ///< patterns of event types; never empty
  std::vector<std::string> challenges; ///< patterns of challenge ids; empty: any, and events of no challenge
};

/// Reads receivers: a list of JSON texts, or one text that is a JSON array (or object). Problems name the entry and field.
std::vector<receiver_settings> parse_receivers(const std::variant<std::string, std::vector<std::string>>& raw, std::vector<std::string>& problems);
/// For people: name, type and host; nothing that must not be seen.
std::string to_text(const receiver_settings& receiver);
/// What is wrong with an address; nothing when it is fine.
std::optional<std::string> check_receiver_url(const std::string& url);
/// Shortest key that is taken.
inline constexpr std::size_t shortest_receiver_key = 16;

} // namespace poseidon::config
