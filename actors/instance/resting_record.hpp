#pragma once

#include "messages/journal.hpp"

namespace poseidon {

/// Record and endpoint of an instance, to read and to change. `where` may be null.
struct awake_record {
  std::shared_ptr<journal_record> record;
  std::unique_ptr<endpoint> where;
};

/// The record and endpoint of an instance that runs and has nothing to do, folded small: there may be 100,000 of them, and an
/// instance is quiet for nearly all of its life. What instances of one challenge have in common is kept once.
class resting_record {
public:
  resting_record() = default;
  explicit resting_record(const awake_record& awake);
  /// Unfolds, and holds nothing any more. It must hold something.
  awake_record wake();

private:
  struct common;
  struct folded;
  struct drop {
    void operator()(folded* bytes) const;
  };
  static std::shared_ptr<const common> common_of(const journal_record& record);

  std::unique_ptr<folded, drop> folded_; ///< one pointer: it is a part of each live instance's actor
};

} // namespace poseidon
