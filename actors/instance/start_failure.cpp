#include "actors/instance/start_failure.hpp"

#include <algorithm>

namespace poseidon {
namespace {

bool speaks_of_permission(const std::string& output) {
  return output.find("peration not permitted") != std::string::npos;
}

} // namespace

bool is_unclear(errc code) { return code == errc::engine_timeout || code == errc::unknown_outcome; }

bool node_cannot(errc code) {
  switch (code) {
  case errc::engine_unavailable: case errc::engine_error: case errc::image_missing: case errc::image_denied:
  case errc::image_pull_failed: case errc::no_space: case errc::name_conflict: case errc::isolation_unproven:
  case errc::start_refused: case errc::shutting_down: case errc::internal: return true;
  default: return false;
  }
}

failure exit_failure(const service_exited& exit, std::string log_tail) {
  failure f;
  if (exit.out_of_memory) {
    f.code = errc::out_of_memory;
    f.detail = "service " + exit.service + " ran out of memory at start: raise limits.memory";
  } else if (speaks_of_permission(log_tail)) {
    f.code = errc::operation_not_permitted;
    f.detail = "service " + exit.service + " was denied an operation and ended with code " + std::to_string(exit.exit_code) +
               ": list the capability it needs under capabilities, or try security: docker";
  } else {
    f.code = errc::exited_at_start;
    f.detail = "service " + exit.service + " ended with code " + std::to_string(exit.exit_code) + " before it was reachable";
  }
  f.log_tail = std::move(log_tail);
  return f;
}

millis probe_delay(millis first, millis probing_for) {
  if (probing_for < millis{200}) return first;
  return std::max(first, std::clamp(probing_for / 20, millis{10}, millis{250}));
}

millis back_off(std::uint32_t attempt, millis first, millis longest) {
  auto delay = first;
  for (std::uint32_t i = 0; i < attempt && delay < longest; ++i) delay *= 2;
  return std::min(delay, longest);
}

} // namespace poseidon
