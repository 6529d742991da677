#include "messages/state.hpp"

namespace poseidon {
namespace {

instance_state ended_state(end_reason reason) {
  switch (reason) {
  case end_reason::expired: return instance_state::expired;
  case end_reason::failed: return instance_state::failed;
  case end_reason::lost: return instance_state::lost;
  default: return instance_state::stopped;
  }
}

} // namespace

instance_state api_state(const instance_row& row) {
  if (row.phase == ledger_phase::ended) return ended_state(row.reason);
  if (row.stop_mark || row.phase == ledger_phase::stopping) return instance_state::stopping;
  switch (row.phase) {
  case ledger_phase::queued: return instance_state::queued;
  case ledger_phase::running: return instance_state::running;
  default: return instance_state::pending;
  }
}

} // namespace poseidon
