#pragma once
// The one list of errors. Code, HTTP status and words live in one table (errors.cpp); docs/errors.md is generated from it.

#include "messages/enums.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace poseidon {

/// Everything that can go wrong and be told to a client. The names are the API's `code`.
enum class errc : std::uint8_t {
  ok = 0,
  // the request
  bad_request, invalid_json, invalid_field, body_too_large, header_too_large, unsupported_media_type, method_not_allowed,
  unauthenticated, forbidden, not_found, unknown_instance, unknown_challenge, unknown_node, unknown_key, unknown_setting,
  idempotency_mismatch, conflict, request_timeout,
  // admission
  owner_limit_reached, challenge_limit_reached, cluster_limit_reached, rate_limited, capacity_exhausted, queue_full, rebuilding,
  paused, draining, challenge_disabled,
  // a running instance
  extension_refused, instance_ended, instance_not_running, not_captured,
  // the engine and what it starts
  engine_unavailable, engine_error, engine_timeout, image_missing, image_denied, image_pull_failed, no_space, name_conflict,
  out_of_memory, exited_at_start, never_healthy, operation_not_permitted, invalid_spec, start_limit_exceeded, isolation_unproven,
  service_died, start_refused,
  // the system
  ledger_unavailable, stale, superseded, unknown_outcome, shutting_down, internal,
};
POSEIDON_ENUM(errc, ok, bad_request, invalid_json, invalid_field, body_too_large, header_too_large, unsupported_media_type,
              method_not_allowed, unauthenticated, forbidden, not_found, unknown_instance, unknown_challenge, unknown_node,
              unknown_key, unknown_setting, idempotency_mismatch, conflict, request_timeout, owner_limit_reached,
              challenge_limit_reached, cluster_limit_reached, rate_limited, capacity_exhausted, queue_full, rebuilding, paused,
              draining, challenge_disabled, extension_refused, instance_ended, instance_not_running, not_captured,
              engine_unavailable, engine_error, engine_timeout, image_missing, image_denied, image_pull_failed, no_space,
              name_conflict, out_of_memory, exited_at_start, never_healthy, operation_not_permitted, invalid_spec,
              start_limit_exceeded, isolation_unproven, service_died, start_refused, ledger_unavailable, stale, superseded,
              unknown_outcome, shutting_down, internal)

/// One row of the error table.
struct error_info {
  errc code;
  int http_status;
  std::string_view title;  ///< short, for people
  std::string_view remedy; ///< what to do about it
  bool retry;              ///< the same request may succeed later
};
/// The row of `code`.
const error_info& describe(errc code);
/// Every row, in order.
std::span<const error_info> all_errors();

/// One problem with one field: a JSON path ("instance.limits.memory") and what is wrong with it.
struct field_problem {
  std::string path, detail;
  friend bool operator==(const field_problem&, const field_problem&) = default;
};
POSEIDON_FIELDS(field_problem, path, detail)

/// A failure on its way to whoever asked.
struct failure {
  errc code = errc::ok;
  std::string detail;                         ///< what, where, what to do; never a secret
  std::optional<std::int64_t> retry_after_ms; ///< when the same request may succeed
  std::vector<field_problem> errors;          ///< every problem of a bad input, at once
  std::string log_tail;                       ///< last lines of a container that did not start
  explicit operator bool() const { return code != errc::ok; }
  friend bool operator==(const failure&, const failure&) = default;
};
POSEIDON_FIELDS(failure, code, detail, retry_after_ms, errors, log_tail)

/// A value, or the failure that took its place: the reply of an actor for which a failure is an answer, not a fault.
template <class T>
struct outcome {
  std::optional<T> value;
  failure error;
  outcome() = default;
  outcome(T v) : value(std::move(v)) {}
  outcome(failure f) : error(std::move(f)) {}
  bool ok() const { return value.has_value(); }
  explicit operator bool() const { return ok(); }
  T& operator*() { return *value; }
  const T& operator*() const { return *value; }
  T* operator->() { return &*value; }
  const T* operator->() const { return &*value; }
};

} // namespace poseidon
