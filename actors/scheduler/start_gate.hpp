#pragma once
// What a gateway refuses by itself, because its replica would: a client in a loop does not fill the log. Pure.
// It never refuses what the fold would accept, as far as the replica has come; the fold has the last word on the rest.

#include "messages/commands.hpp"

#include <map>
#include <unordered_map>

namespace poseidon {

class start_gate {
public:
  /// Takes a whole image in place of what it knew.
  void load(const ledger_image& image);
  /// Takes one change. False when the image has to be loaded anew (the log began again).
  bool apply(const ledger_change& change);

  /// The row of a challenge; null: unknown.
  std::shared_ptr<const challenge_row> challenge(const challenge_id& id) const;
  /// Why this start would be refused; nothing: ask the fold. `slot_name` is the challenge's id or the spec's digest.
  std::optional<failure> refuse(const start_instance& request, const owner_key& key, const std::string& slot_name) const;

private:
  void put_row(const instance_row& row);
  void put_administration(const entry_body& cause);
  std::unordered_map<owner_key, std::map<instance_id, std::string>> owners_; ///< live ones, and each one's slot
  std::map<challenge_id, std::shared_ptr<const challenge_row>> challenges_;
  limit_table limits_;
  bool paused_ = false;
  std::string pause_message_;
};

/// The owner key of a request.
owner_key key_of_request(const start_instance& request);

} // namespace poseidon
