#pragma once
// The gateway's read model: what the API reads without asking anybody. One writer (view_actor) applies the ledger's
// changes and the nodes' telemetry; any thread reads. Rows are shared with the replica, never copied.

#include "gateway/render.hpp"
#include "gateway/view_index.hpp"

#include <atomic>
#include <deque>
#include <shared_mutex>

namespace poseidon::gateway {

/// What to list; every part that is set has to match.
struct instance_query {
  std::optional<std::string> user, team, challenge, node;
  std::vector<instance_state> states; ///< empty: any
  std::size_t limit = 100;
  std::string cursor; ///< `next` of the page before; empty: from the start
};
/// Live ones first, then newest first. A page may be shorter than the limit while `next` goes on.
struct instance_page {
  std::vector<instance_item> items;
  std::string next;          ///< empty: that was all
  bool cursor_valid = true;
};

/// One row that an entry changed, in the entry's order: for events.
struct row_change {
  instance_item item;
  std::optional<instance_state> before; ///< last state told of; nothing for a new one
};
/// What one entry did to the view.
struct applied_change {
  const ledger_change* change = nullptr;
  std::vector<row_change> rows;
  std::vector<node_name> drained; ///< draining nodes whose last instance is gone
};

class view {
public:
  /// `watch_key` signs watch URLs.
  explicit view(std::string watch_key) : watch_key_(std::move(watch_key)) {}

  // the one writer
  void load(const ledger_image& image);
  std::vector<applied_change> apply(const std::vector<ledger_change>& changes);
  /// The item after it; nothing when unknown, or of an older epoch.
  std::optional<instance_item> note_progress(const instance_progress& progress);

  // any thread
  /// Takes over a row that a reply carried, when it is newer: who was answered reads what it was told.
  void observe(const row_ptr& row);
  std::optional<instance_item> find(std::string_view id) const;
  /// Why it is where it is, as this process has seen it assigned; nothing: it has not, or the instance has ended.
  std::optional<placement_decision> placement_of(std::string_view id) const;
  instance_page list(const instance_query& query) const;
  std::vector<std::shared_ptr<const node_row>> nodes() const;
  std::shared_ptr<const node_row> node(std::string_view name) const;
  /// When the node's mode was set, where this process has seen it.
  std::optional<wall_time> mode_since(const node_row& node) const;
  std::vector<std::shared_ptr<const challenge_row>> challenges() const;
  std::shared_ptr<const challenge_row> challenge(std::string_view id) const;
  std::uint64_t live_of(std::string_view challenge) const;
  std::shared_ptr<const administration> admin() const;
  /// Changes whenever admin() does; readers keep what they derived of it.
  std::uint64_t admin_version() const { return admin_version_.load(std::memory_order_acquire); }
  position at() const;
  bool loaded() const { return loaded_.load(std::memory_order_acquire); }
  std::array<std::uint64_t, instance_states> count_by_state() const;
  std::uint64_t live_count() const;
  /// Rows held now.
  std::size_t size() const;

  std::string watch_token(std::string_view id) const;

private:
  slot_entry* find_entry(std::string_view id) const;
  slot_entry& upsert(const row_ptr& row);
  void forget(const instance_id& id);
  void apply_admin(const ledger_change& change);
  instance_item item_of(const slot_entry& entry) const;
  std::optional<wall_time> queue_estimate(std::uint32_t queue_position) const;
  std::optional<release_rate> releases() const;
  void note_release(wall_time at);
  void put_nodes(const ledger_change& change, applied_change& applied);
  void put_decisions(const ledger_change& change);

  std::string watch_key_;
  mutable std::shared_mutex mutex_;
  slot_table table_;
  std::map<std::string, std::shared_ptr<const node_row>, std::less<>> nodes_;
  std::map<std::string, std::pair<position, wall_time>, std::less<>> modes_; ///< of each node: which entry set its mode, when
  decision_words words_;
  std::size_t decisions_ = 0;            ///< kept
  std::deque<wall_time> releases_;       ///< room came free, of late
  std::map<std::string, std::shared_ptr<const challenge_row>, std::less<>> challenges_;
  std::shared_ptr<const administration> admin_ = std::make_shared<administration>();
  std::atomic<std::uint64_t> admin_version_{1};
  std::atomic<bool> loaded_{false};
  position at_;
};

} // namespace poseidon::gateway
