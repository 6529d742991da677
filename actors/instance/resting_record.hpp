#pragma once

#include "messages/journal.hpp"

namespace poseidon {

/// The record and endpoint of an instance that runs and has nothing to do, folded small: there may be 100,000 of them, and an
/// instance is quiet for nearly all of its life. What instances of one challenge have in common is kept once.
class resting_record {
public:
  resting_record() = default;
  /// `where` may be null.
  resting_record(const journal_record& record, const endpoint* where);
  /// True when it holds something.
  explicit operator bool() const { return bytes_ != nullptr; }
  /// Unfolds, and holds nothing any more. `where` stays as it is when none was given.
  std::shared_ptr<journal_record> wake(std::unique_ptr<endpoint>& where);

private:
  struct common;
  static std::shared_ptr<const common> common_of(const journal_record& record);

  std::shared_ptr<const common> common_;
  std::unique_ptr<char[]> bytes_;
  std::size_t size_ = 0;
};

} // namespace poseidon
