#include "actors/instance/extension_policy.hpp"

#include <algorithm>

namespace poseidon {
namespace {

constexpr millis load_retry{30'000};

extension_decision refuse(std::string reason, std::optional<millis> next_in = {}) {
  extension_decision d;
  d.reason = std::move(reason);
  d.next_in = next_in;
  return d;
}

} // namespace

extension_decision decide_extension(const instance_spec& spec, const extension_request& request) {
  const auto& rule = spec.extension;
  if (rule.step_ms <= 0) return refuse("this challenge allows no extensions");
  const auto most = millis{rule.max_ms > 0 ? rule.max_ms : spec.lifetime_ms};
  if (request.used >= most) return refuse("all extensions are used up");
  const auto span = millis{spec.lifetime_ms} + request.used;
  const auto passed = span - request.remaining;
  const auto wanted = millis{(span.count() * rule.after_percent + 99) / 100};
  if (passed < wanted)
    return refuse("an extension is possible once " + std::to_string(rule.after_percent) + " % of the time has passed", wanted - passed);
  if (rule.below_load_percent < 100 && request.load_percent >= rule.below_load_percent)
    return refuse("the machine is too busy at present", load_retry);
  extension_decision d;
  d.allowed = true;
  d.step = std::min(millis{rule.step_ms}, most - request.used);
  return d;
}

failure extension_failure(const extension_decision& refused) {
  failure f;
  f.code = errc::extension_refused;
  f.detail = refused.reason;
  if (refused.next_in) f.retry_after_ms = refused.next_in->count();
  return f;
}

} // namespace poseidon
