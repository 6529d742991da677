#pragma once

#include "nodes/edge/edge_table.hpp"

#include <condition_variable>
#include <filesystem>
#include <thread>

namespace poseidon {

/// Reads what a route_file wrote: an edge starts from it, whoever else is dead. No such file: an empty snapshot.
/// Errors: conflict (written by a newer Poseidon), internal (unreadable or damaged): start empty then, and say so.
outcome<route_snapshot> load_routes(const std::filesystem::path& path);

/// Keeps a file as new as the table, to within `interval`, from a thread of its own. A reader always finds a whole file.
class route_file {
public:
  route_file(std::filesystem::path path, machine_id machine, const edge_table& table, millis interval = millis{1'000});
  /// Writes a last time if something has changed.
  ~route_file();
  route_file(const route_file&) = delete;
  route_file& operator=(const route_file&) = delete;
  /// To be called after each change of the table. Thread-safe, does not wait.
  void changed();
  /// What the last write failed with; ok when it did not.
  failure last_failure() const;

private:
  void run();
  failure write() const;

  std::filesystem::path path_;
  machine_id machine_;
  const edge_table& table_;
  millis interval_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool changed_ = false, stopping_ = false;
  failure last_failure_;
  std::thread thread_;
};

} // namespace poseidon
