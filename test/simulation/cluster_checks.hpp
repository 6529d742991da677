#pragma once
// What must hold of a simulated cluster, whatever happens to it (DESIGN: invariants).

#include "test/simulation/cluster.hpp"

#include <deque>

namespace poseidon::simulation {

class cluster_checks {
public:
  cluster_checks(cluster& of, std::uint32_t most_of_an_owner) : of_(of), most_of_an_owner_(most_of_an_owner) {}

  /// After each step: what was appended, and now and then engines and replicas.
  void look();
  /// Everything at once, whenever it was looked at last.
  void look_at_all();
  void violate(std::string what);
  const std::deque<std::string>& violations() const { return violations_; }

  // What the rest has to know to judge.
  void stop_asked(const instance_id& id) { stops_.insert(id); }
  void torn();
  void clocks_set() { clocks_set_ = true; }
  /// This node's copies may vanish: its journal or its engine's containers were lost.
  void may_lose(const node_name& node) { lossy_.insert(node); }
  bool was_torn() const { return torn_; }
  std::uint64_t losses() const { return losses_; }

private:
  void look_at_log();
  void look_at_expiries();
  void follow(const logged_entry& entry) const;
  void look_at_engines();
  void look_at_copies(machine& m);
  void look_at_replicas();
  void check_licences(machine& m, const ledger_image& state);
  void check_image(machine& m, const ledger_image& state);
  void check_end(const instance_row& row);
  void check_digest(machine& m);

  cluster& of_;
  const std::uint32_t most_of_an_owner_;
  std::deque<std::string> violations_;
  std::set<instance_id> stops_, expired_;
  std::set<node_name> lossy_;
  bool torn_ = false, clocks_set_ = false;
  const std::string followed_ = std::getenv("POSEIDON_SIMULATION_FOLLOW") ? std::getenv("POSEIDON_SIMULATION_FOLLOW") : ""; ///< entries that name it are printed
  std::string log_;                 ///< identity of the log that was read
  std::uint64_t read_ = 0, losses_ = 0;
  std::int64_t engines_at_ = 0, replicas_at_ = 0;
  std::map<struct position, std::pair<std::string, std::string>> digests_; ///< and whose
  std::uint64_t opened_ = 0; ///< the highest incarnation that the log ever held
  std::uint64_t forked_ = 0; ///< incarnations up to here may have had several endings
  /// Copies that may not be, by machine, and since when; routes to them.
  using found_since = std::map<std::pair<std::string, group_key>, std::int64_t>;
  found_since unlicensed_, misrouted_;
  std::set<std::pair<std::string, group_key>> still_;
  std::set<instance_id> ends_seen_;
};

} // namespace poseidon::simulation
