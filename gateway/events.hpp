#pragma once
// Events of the API: made from ledger changes, kept in a bounded ring, from which every stream reads at its own pace.

#include "gateway/view.hpp"

#include <deque>
#include <functional>
#include <mutex>

namespace poseidon::gateway {

/// One event, ready to be sent.
struct event {
  std::string id;       ///< "<incarnation>-<sequence>[.<n>]"; of a passing one "<type>:<instance>:…"
  std::string type;     ///< "instance.running"
  std::string instance; ///< empty: of none
  position at;          ///< of its entry; of a passing one, the position it came after
  std::uint32_t number = 0; ///< among the events of its entry
  bool passing = false; ///< not from the ledger (progress): can't be resumed from
  bool admin_only = false;
  std::string frame;    ///< SSE: id, event, data, blank line
};
using event_ptr = std::shared_ptr<const event>;

/// What an event needs beside its subject.
struct event_context {
  std::shared_ptr<const url_rules> urls;
  wall_time now;
};

/// The events of one entry, in order; none for entries that no reader of the API would notice.
std::vector<event_ptr> events_of(const applied_change& applied, const event_context& context);
/// The event as JSON: what the frame carries as data.
std::string_view json_of(const event& one);
/// Where an instance stands after its last change, for who missed what came before: the id is that change's.
event_ptr missed_event(const instance_item& item, const event_context& context);
/// `instance.progress`: a phase was entered, or a pull went on.
event_ptr progress_event(const instance_item& item, position at, const event_context& context);
/// The first frame of a stream that can't resume: the full state follows as `instance.state` frames, then `synced`.
/// Only `synced` has an id: a client that was cut off before it asks for the full state again.
std::string reset_frame(position at, std::size_t instances, wall_time now);
std::string synced_frame(position at, wall_time now);
/// One instance of that full state.
std::string state_frame(const instance_item& item, position at, const event_context& context);

/// The last events, and who waits for the next. Thread-safe. An index counts events since the process began.
class event_ring {
public:
  explicit event_ring(std::size_t most = 16'384) : most_(most) {}

  /// Begins anew at this position: what was before it can't be resumed from.
  void reset(position at);
  void append(std::vector<event_ptr> events, position at);
  /// Called (from any thread, not more than needed) when there are new events; `lasting`: some of them are no passing ones.
  using wake = std::function<void(bool lasting)>;
  void subscribe(wake told);

  /// Index after the newest.
  std::uint64_t end() const;
  position at() const;
  /// Events [from, …): at most `most`. Nothing when `from` has left the ring.
  std::optional<std::vector<event_ptr>> read(std::uint64_t from, std::size_t most) const;

  /// Where to go on after that event.
  struct resume_point {
    std::uint64_t from = 0;
    position after;        ///< skip events before this (the client has been at a gateway that is ahead)
    std::uint32_t number = 0; ///< and of this entry's those up to this one
  };
  /// Nothing when the event is unknown: too old, of another ledger, or no event id.
  std::optional<resume_point> resume(std::string_view last_event_id) const;

private:
  std::size_t most_;
  mutable std::mutex mutex_;
  std::deque<event_ptr> events_;
  std::uint64_t first_ = 0; ///< index of events_.front()
  position floor_, at_;
  std::vector<wake> wakes_;
};

} // namespace poseidon::gateway
