#pragma once
// Records and facts to commit.

#include "actors/journal/journal.hpp"
#include "messages/digest.hpp"

namespace poseidon::test {

inline group_key group(int n) { return {instance_id{"i" + std::to_string(n)}, {1, static_cast<std::uint64_t>(n), {7, 7}}}; }

inline journal_record record(int n) {
  static const auto spec = [] {
    auto made = std::make_shared<instance_spec>();
    made->services.resize(1);
    made->services[0].image = "poseidon-test/busybox";
    return made;
  }();
  static const auto digest = digest_of(*spec);
  journal_record r;
  r.instance = group(n).instance;
  r.epoch = group(n).epoch;
  r.run = {9, 9};
  r.owner.user = "Zoë";
  r.key = key_of(r.owner);
  r.challenge = challenge_id{"hello"};
  r.spec = spec;
  r.spec_id = digest;
  r.host = "h" + std::to_string(n) + ".localhost";
  r.flag = secret{"flag{ä}"};
  r.deadline = durable_deadline{"boot", {5'000}, {1'900'000'000'000}};
  return r;
}

/// A commit of the record, as it now is, with `facts` facts numbered on from its next_fact.
inline commit_record commit(journal_record& r, int facts) {
  commit_record m;
  for (int i = 0; i < facts; ++i) {
    restarted_entry fact;
    fact.head = {r.instance, r.epoch, node_name{"n"}, r.run, r.next_fact++};
    m.facts.emplace_back(fact);
  }
  m.record = std::make_shared<const journal_record>(r);
  return m;
}

} // namespace poseidon::test
