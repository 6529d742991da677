#pragma once
// What the ledger's rows mean to an edge. Pure.

#include "messages/commands.hpp"
#include "messages/state.hpp"

#include <unordered_map>
#include <variant>

namespace poseidon {

using route_news = std::variant<std::monostate, put_route, announce_route, end_route>;

/// Who runs where, as far as an edge cares: instances of other machines are reached through the edges there; of its own machine
/// their nodes tell more, and sooner.
class route_view {
public:
  explicit route_view(machine_id own) : own_(std::move(own)) {}

  /// A row after a change. Nothing for what runs on the own machine, for a node that is not known yet, and for what ended more
  /// than a day before `now`. An announcement is meant for who knows nothing newer: it takes no route back.
  route_news told(const row_ptr& row, wall_time now);
  /// A node came, or came back: its machine may be another one now. The news of its instances.
  std::vector<route_news> told(const node_row& node, wall_time now);

private:
  route_news news_of(const instance_row& row, wall_time now) const;
  void place(const row_ptr& row);

  machine_id own_;
  std::unordered_map<node_name, machine_id> machines_;
  std::unordered_map<node_name, std::unordered_map<instance_id, row_ptr>> rows_; ///< assigned, running or stopping
  std::unordered_map<instance_id, node_name> places_;
};

} // namespace poseidon
