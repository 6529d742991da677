#pragma once
// Rows, entries and changes for the gateway's tests.

#include "messages/state.hpp"

namespace poseidon::test {

inline constexpr wall_time sample_time{1'800'000'000'000}; // 2027-01-15T08:00:00Z

inline spec_ptr sample_spec() {
  instance_spec spec;
  service_spec service;
  service.image = "poseidon-test/busybox";
  service.ports = {{8000, port_protocol::http, "web"}};
  spec.services = {service};
  spec.lifetime_ms = 1'800'000;
  spec.extension = {600'000, 50, 1'800'000, 90};
  return std::make_shared<const instance_spec>(std::move(spec));
}

/// A queued row, created at that sequence.
inline instance_row sample_row(const std::string& id, std::uint64_t sequence, const std::string& user = "alice") {
  static const auto spec = sample_spec();
  static const auto source = std::make_shared<const spec_source>(spec_source{"sha256:abc", spec_digest{"sha256:def"}});
  instance_row row;
  row.id = {id};
  row.owner.user = user;
  row.key = key_of(row.owner);
  row.challenge = {"hello"};
  row.source = source;
  row.spec = spec;
  row.host = "0123456789abcdef0123.localhost";
  row.metadata = R"({"round":1})";
  row.created = row.changed = {1, sequence};
  row.created_at = sample_time;
  return row;
}

inline instance_row assigned(instance_row row, std::uint64_t sequence, const std::string& node = "n1") {
  row.phase = ledger_phase::assigned;
  row.node = {node};
  row.epoch = {1, sequence, {0, sequence}};
  row.changed = {1, sequence};
  return row;
}

inline instance_row running(instance_row row, std::uint64_t sequence) {
  if (row.phase == ledger_phase::queued) row = assigned(std::move(row), sequence);
  row.phase = ledger_phase::running;
  row.running_at = sample_time;
  row.expires_at = sample_time + millis{row.spec->lifetime_ms};
  row.ports = row.spec->services.front().ports;
  row.changed = {1, sequence};
  return row;
}

inline instance_row ended(instance_row row, std::uint64_t sequence, end_reason reason = end_reason::stopped) {
  row.phase = ledger_phase::ended;
  row.reason = reason;
  row.ended_at = sample_time;
  row.changed = {1, sequence};
  return row;
}

inline row_ptr shared(instance_row row) { return std::make_shared<const instance_row>(std::move(row)); }

inline entry_ptr cause(entry_body body) {
  entry e;
  e.appender = "test";
  e.body = std::move(body);
  return std::make_shared<const entry>(std::move(e));
}

inline ledger_change change(std::uint64_t sequence, entry_body body, std::vector<row_ptr> rows = {}) {
  ledger_change c;
  c.at = {1, sequence};
  c.logged_at = sample_time;
  c.cause = cause(std::move(body));
  c.instances = std::move(rows);
  return c;
}

inline start_entry start_of(const instance_row& row) {
  start_entry e;
  e.instance = row.id;
  e.actor = "key:k1";
  return e;
}

inline fact_head head_of(const instance_row& row) { return {row.id, row.epoch, row.node, {}, 1}; }

inline running_entry running_of(const instance_row& row) {
  running_entry e;
  e.head = head_of(row);
  return e;
}

inline ended_entry ended_of(const instance_row& row) {
  ended_entry e;
  e.head = head_of(row);
  e.reason = row.reason;
  return e;
}

} // namespace poseidon::test
