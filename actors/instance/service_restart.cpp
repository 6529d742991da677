#include "actors/instance/service_restart.hpp"

namespace poseidon {

restart_rule rule_of(const instance_spec& spec) {
  return {spec.restart_max, millis{spec.restart_window_ms}, millis{100}, millis{5'000}};
}

restart_decision decide_service_restart(const instance_spec& spec, const service_exited& exit, const std::vector<boot_time>& recent,
                                        boot_time now) {
  if (spec.restart == restart_mode::no) return {};
  if (spec.restart == restart_mode::on_failure && exit.exit_code == 0 && !exit.out_of_memory) return {};
  return decide_restart(rule_of(spec), recent, now);
}

} // namespace poseidon
