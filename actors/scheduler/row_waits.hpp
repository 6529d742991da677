#pragma once
// Who waits for an instance's row to say something. Pure; a token names a wait, and is its timer's.

#include "messages/state.hpp"

#include <functional>
#include <unordered_map>

namespace poseidon {

class row_waits {
public:
  using wanted = std::function<bool(const instance_row&)>;
  /// The row that was wanted, or null when its time ran out.
  using on_end = std::function<void(row_ptr)>;

  std::uint64_t add(const instance_id& instance, wanted predicate, on_end end) {
    const auto token = ++last_;
    waits_.emplace(token, wait{instance, std::move(predicate), std::move(end)});
    by_instance_.emplace(instance, token);
    return token;
  }
  /// Ends every wait that this row satisfies; answers their tokens.
  std::vector<std::uint64_t> see(const row_ptr& row) {
    std::vector<std::uint64_t> ended;
    auto [first, last] = by_instance_.equal_range(row->id);
    for (auto it = first; it != last; ++it)
      if (waits_.at(it->second).predicate(*row)) ended.push_back(it->second);
    for (auto token : ended) end(token, row);
    return ended;
  }
  /// Ends one without its row; false when it has ended already.
  bool expire(std::uint64_t token) { return end(token, nullptr); }
  bool empty() const { return waits_.empty(); }

private:
  struct wait {
    instance_id instance;
    wanted predicate;
    on_end end;
  };
  bool end(std::uint64_t token, row_ptr row) {
    auto found = waits_.find(token);
    if (found == waits_.end()) return false;
    auto wait = std::move(found->second);
    waits_.erase(found);
    auto [first, last] = by_instance_.equal_range(wait.instance);
    for (auto it = first; it != last; ++it)
      if (it->second == token) {
        by_instance_.erase(it);
        break;
      }
    wait.end(std::move(row));
    return true;
  }
  std::uint64_t last_ = 0;
  std::unordered_map<std::uint64_t, wait> waits_;
  std::unordered_multimap<instance_id, std::uint64_t> by_instance_;
};

} // namespace poseidon
