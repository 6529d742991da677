#include "actors/instance/plan.hpp"

namespace poseidon {
namespace {

constexpr millis clock_allowance{3'600'000};

millis longest_life(const instance_spec& spec) {
  const auto extensions = spec.extension.step_ms > 0 ? (spec.extension.max_ms > 0 ? spec.extension.max_ms : spec.lifetime_ms) : 0;
  return millis{spec.start_limit_ms + spec.lifetime_ms + extensions};
}

} // namespace

launch_plan_ptr make_plan(const journal_record& record, wall_time now) {
  auto plan = std::make_shared<launch_plan>();
  plan->key = {record.instance, record.epoch};
  plan->spec = record.spec;
  plan->owner = record.key.value;
  plan->challenge = record.challenge.empty() ? record.spec_id.value : record.challenge.value;
  plan->slot = plan->owner + "/" + plan->challenge;
  plan->host = record.host;
  plan->url = record.url;
  plan->user = record.owner.user;
  plan->team = record.owner.team.value_or("");
  plan->created_at = record.created_at;
  plan->expires_max = now + longest_life(*record.spec) + clock_allowance;
  if (record.deadline) plan->expires_at = record.deadline->wall;
  plan->flag = record.flag;
  return plan;
}

route make_route(const journal_record& record, const machine_id& machine, const endpoint& where, std::optional<boot_time> deadline) {
  return {record.host, record.instance, record.epoch, machine, where, deadline};
}

const service_state* routed_service(const instance_spec& spec, const group_state& group) {
  if (spec.services.empty()) return nullptr;
  for (auto& service : group.services)
    if (service.service == spec.services.front().name) return &service;
  return nullptr;
}

fact_head next_head(journal_record& record, const node_name& node, const run_id& run) {
  return {record.instance, record.epoch, node, run, record.next_fact++};
}

} // namespace poseidon
