#include "messages/errors.hpp"

namespace poseidon {
namespace {

// One row an enumerator, in its order; all_errors_in_order proves it at compile time.
constexpr error_info table[] = {
    {errc::ok, 200, "no error", "", false},
    // the request
    {errc::bad_request, 400, "the request is malformed", "Compare the request with /openapi.json.", false},
    {errc::invalid_json, 400, "the body is not valid JSON", "Send one JSON object, UTF-8, as application/json.", false},
    {errc::invalid_field, 422, "a field is invalid", "Every invalid field is listed in `errors`, with its path.", false},
    {errc::body_too_large, 413, "the body is too large", "Send less, or raise api.body_limit.", false},
    {errc::header_too_large, 431, "the request head is too large", "Send fewer or shorter headers.", false},
    {errc::unsupported_media_type, 415, "the body's type is not supported", "Send Content-Type: application/json.", false},
    {errc::method_not_allowed, 405, "the path does not have this method", "The Allow header lists those it has.", false},
    {errc::unauthenticated, 401, "no valid key", "Send Authorization: Bearer with a key that exists.", false},
    {errc::forbidden, 403, "the key does not allow this", "Use a key with the scope that `detail` names.", false},
    {errc::not_found, 404, "there is nothing at this path", "See /openapi.json for the paths that exist.", false},
    {errc::unknown_instance, 404, "no such instance", "Ended instances are forgotten after 7 days; check the id.", false},
    {errc::unknown_challenge, 404, "no such challenge", "List /v1/challenges; a broken folder is reported there.", false},
    {errc::unknown_node, 404, "no such node", "List /v1/nodes.", false},
    {errc::unknown_key, 404, "no such key", "List /v1/keys.", false},
    {errc::unknown_setting, 404, "no such setting", "List /v1/settings.", false},
    {errc::idempotency_mismatch, 422, "the idempotency key was used with another body",
     "Use a new Idempotency-Key for each new request.", false},
    {errc::conflict, 409, "the request conflicts with the present state", "Read the instance anew, then decide.", false},
    {errc::request_timeout, 408, "the request took too long to arrive", "Send the whole request at once.", true},
    // admission
    {errc::owner_limit_reached, 409, "the owner has as many instances as allowed",
     "Stop one of the owner's instances first, or raise limits.per_owner.", false},
    {errc::challenge_limit_reached, 409, "the challenge has as many instances as allowed",
     "Wait until one ends, or raise limits.per_challenge.", true},
    {errc::cluster_limit_reached, 503, "as many instances as allowed are live", "Wait until one ends, or raise limits.cluster.",
     true},
    {errc::rate_limited, 429, "too many requests of this owner", "Wait as Retry-After says.", true},
    {errc::capacity_exhausted, 503, "no node has room",
     "Wait until an instance ends, or add a node; `detail` names the resource that ran out.", true},
    {errc::queue_full, 503, "the queue is full", "Wait as Retry-After says, or raise limits.queue.", true},
    {errc::rebuilding, 503, "the ledger is being rebuilt", "Wait as Retry-After says: nodes are registering anew.", true},
    {errc::paused, 503, "new starts are paused", "Wait; an administrator resumes with `poseidon resume`.", true},
    {errc::draining, 503, "the node is draining", "Wait, or uncordon the node.", true},
    {errc::challenge_disabled, 409, "the challenge is disabled", "Enable it in /v1/challenges.", false},
    // a running instance
    {errc::extension_refused, 409, "the deadline can't be moved now", "`detail` says when the next extension is allowed.", true},
    {errc::instance_ended, 409, "the instance has ended", "Start a new one.", false},
    {errc::instance_not_running, 409, "the instance is not running", "Wait until its state is running.", true},
    {errc::not_captured, 404, "no logs were kept of this instance", "Set instance.capture_logs in the challenge, or capture.enabled for all.", false},
    // the engine and what it starts
    {errc::engine_unavailable, 503, "the container engine does not answer", "Check the engine (`poseidon doctor`).", true},
    {errc::engine_error, 502, "the container engine failed", "`detail` quotes the engine; see its log.", true},
    {errc::engine_timeout, 504, "the container engine took too long", "Check the engine's load and its disk.", true},
    {errc::image_missing, 422, "the image does not exist", "Check the image's name and tag, or set instance.pull of the challenge to missing.", false},
    {errc::image_denied, 422, "the registry refuses the image", "Check the registry's credentials.", false},
    {errc::image_pull_failed, 502, "the image could not be pulled", "Check the registry and the network to it.", true},
    {errc::no_space, 507, "no space is left on the engine's disk", "Free space where the engine keeps its data.", true},
    {errc::name_conflict, 409, "the engine has another object of this name", "Remove the object that `detail` names.", true},
    {errc::out_of_memory, 422, "the service ran out of memory while it started", "Raise instance.limits.memory of the challenge.", false},
    {errc::exited_at_start, 422, "the service ended while it started", "Read log_tail; check command and image.", false},
    {errc::never_healthy, 422, "the service did not become healthy in time",
     "Check health and port of the challenge; the service has to listen on 127.0.0.1 or on all addresses.", false},
    {errc::operation_not_permitted, 422, "the service was denied an operation",
     "Try `capabilities`, `read_only: false`, or `security: docker` in the challenge.", false},
    {errc::invalid_spec, 422, "the engine refuses the spec", "`detail` quotes the engine; mend the challenge.", false},
    {errc::start_limit_exceeded, 504, "the start took longer than allowed", "Raise instance.start_limit of the challenge, or pull the image ahead.", true},
    {errc::isolation_unproven, 503, "the node could not prove that instances are isolated",
     "See `poseidon doctor`: the node serves only once its probe container has only a live loopback.", true},
    {errc::service_died, 422, "the service died, more often than its restart policy allows", "Read log_tail.", false},
    {errc::start_refused, 422, "every node refused it", "`detail` says why the last one did.", false},
    // the system
    {errc::ledger_unavailable, 503, "the ledger does not answer", "Running instances go on; wait as Retry-After says.", true},
    {errc::stale, 409, "the request came too late to be judged", "Send it again.", true},
    {errc::superseded, 409, "a newer instance holds the slot", "Read the newer instance.", false},
    {errc::unknown_outcome, 504, "no answer came in time; it may have been done",
     "Look before you repeat, or repeat with the same Idempotency-Key.", true},
    {errc::shutting_down, 503, "the process is ending", "Wait until it is back, or ask another gateway.", true},
    {errc::internal, 500, "a fault of Poseidon", "Please report it, with the log lines of this request id.", false},
};

constexpr bool all_errors_in_order() {
  constexpr auto codes = poseidon_enum_values(errc{});
  if (std::size(table) != codes.size()) return false;
  for (std::size_t i = 0; i < codes.size(); ++i)
    if (table[i].code != codes[i] || static_cast<std::size_t>(codes[i]) != i) return false;
  return true;
}
static_assert(all_errors_in_order(), "the table has one row for each errc, in its order");

} // namespace

const error_info& describe(errc code) {
  auto index = static_cast<std::size_t>(code);
  return index < std::size(table) ? table[index] : describe(errc::internal);
}

std::span<const error_info> all_errors() { return table; }

} // namespace poseidon
