#pragma once
// How far a pull is, by the engine's progress messages. Pure.

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace poseidon::engine {

/// Folds progress messages; download counts two thirds, extraction one.
class pull_progress {
public:
  /// Takes one JSON message; true when the percentage rose.
  bool feed(const std::string& message);
  /// 0 to 100, never falling.
  std::uint32_t percent() const { return percent_; }
  /// The error message that ended the pull.
  const std::optional<std::string>& error() const { return error_; }

private:
  struct layer {
    double downloaded = 0, extracted = 0; ///< 0 to 1
  };
  std::map<std::string, layer> layers_;
  std::uint32_t percent_ = 0;
  std::optional<std::string> error_;
};

} // namespace poseidon::engine
