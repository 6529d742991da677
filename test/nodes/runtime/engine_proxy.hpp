#pragma once
// Stands between a runtime and an engine: notes each call, and holds those that a test wants held.

#include "test/nodes/runtime/engine_fixture.hpp"

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace poseidon::test {

/// A call is spelled "POST /containers/*/start": without version, query, and the object's name.
class engine_proxy {
public:
  /// Listens on a socket of its own, and connects to `engine_socket` for each call.
  explicit engine_proxy(std::string engine_socket);
  ~engine_proxy();
  std::string address() const { return "unix://" + path(); }
  /// How often each call was made since the last forget().
  std::map<std::string, int> calls() const;
  void forget();
  /// From now on `call` waits, before it gets to the engine, until it is let go.
  void hold(const std::string& call);
  /// Waits until `count` calls wait; false when they don't come.
  bool wait_held(std::size_t count, std::chrono::seconds limit = std::chrono::seconds(30));
  /// Lets the one that has waited for longest go; all of them, and all later ones.
  void let_one_go();
  void let_go();
  /// Calls that wait now.
  std::size_t held() const;

private:
  std::string path() const { return folder_.path() + "/proxy.sock"; }
  void accept();
  void serve(int client);
  void wait_turn(const std::string& call);

  std::string engine_;
  scratch_folder folder_;
  int listener_ = -1;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool ending_ = false;
  std::map<std::string, int> calls_;
  std::string holding_;
  std::uint64_t came_ = 0;
  std::set<std::uint64_t> waiting_; ///< in order of arrival
  std::set<int> open_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

} // namespace poseidon::test
