#pragma once
// What notifiers say to each other once a second (docs/notifications.md, "Several notifiers").

#include "messages/errors.hpp"
#include "messages/ids.hpp"

namespace poseidon {

/// Of one receiver: who this notifier believes to share it, and how far it is with its own part.
struct notifier_word {
  std::string process;           ///< name, as of its node
  run_id run;
  std::string key_check;         ///< of the cluster key: one with another key is no member
  std::string receiver;
  std::string rule;              ///< digest of what the receiver wants: notifiers share one only if they agree on that
  std::vector<std::string> view; ///< who shares it now, sorted; empty: not known yet
  std::vector<std::string> next; ///< it tells of nothing any more that is not its own under this sharing
  /// Events of its own under `view` in (after, up_to] have been delivered or given up, but for these.
  struct position after, up_to;
  std::vector<std::string> open; ///< event ids
};
POSEIDON_FIELDS(notifier_word, process, run, key_check, receiver, rule, view, next, after, up_to, open)

std::string encode_frame(const notifier_word& what);
/// Errors: as decode_envelope; bad_request when it is no such word.
outcome<notifier_word> decode_notifier_word(std::string_view frame);

/// Where one notifier's words go, and where everybody's are heard.
std::string notifier_subject(std::string_view cluster, std::string_view process);
std::string notifier_subjects(std::string_view cluster);

} // namespace poseidon
