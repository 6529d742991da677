#include "gateway/metrics.hpp"

#include "gateway/view.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <sstream>

namespace poseidon::gateway {

namespace {

namespace prom = prometheus;

const prom::Histogram::BucketBoundaries request_buckets{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60};
const prom::Histogram::BucketBoundaries phase_buckets{0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300};
constexpr std::array<const char*, 5> status_classes{"1xx", "2xx", "3xx", "4xx", "5xx"};

prom::MetricFamily gauge_family(std::string name, std::string help) {
  prom::MetricFamily family;
  family.name = std::move(name);
  family.help = std::move(help);
  family.type = prom::MetricType::Gauge;
  return family;
}

void add_gauge(prom::MetricFamily& family, std::vector<std::pair<std::string, std::string>> labels, double value) {
  prom::ClientMetric metric;
  for (auto& [name, text] : labels) metric.label.push_back({name, text});
  metric.gauge.value = value;
  family.metric.push_back(std::move(metric));
}

std::vector<prom::MetricFamily> node_families(const view& model) {
  auto capacity = gauge_family("poseidon_node_capacity", "What a node offers: bytes, thousandths of a core.");
  auto reserved = gauge_family("poseidon_node_reserved", "What live instances reserve on a node.");
  auto instances = gauge_family("poseidon_node_instances", "Live instances on a node.");
  auto up = gauge_family("poseidon_node_ready", "1: takes new instances; 0: cordoned, draining or lost.");
  for (auto& node : model.nodes()) {
    auto& name = node->name.value;
    add_gauge(capacity, {{"node", name}, {"resource", "memory_bytes"}}, static_cast<double>(node->capacity.memory_bytes));
    add_gauge(capacity, {{"node", name}, {"resource", "cpu_millis"}}, node->capacity.cpu_millis);
    add_gauge(reserved, {{"node", name}, {"resource", "memory_bytes"}}, static_cast<double>(node->reserved_memory_bytes));
    add_gauge(reserved, {{"node", name}, {"resource", "cpu_millis"}}, node->reserved_cpu_millis);
    add_gauge(instances, {{"node", name}}, node->instances);
    add_gauge(up, {{"node", name}}, !node->lost && node->mode == node_mode::ready ? 1 : 0);
  }
  return {std::move(capacity), std::move(reserved), std::move(instances), std::move(up)};
}

std::vector<prom::MetricFamily> view_families(const view& model, std::size_t connections, std::size_t streams) {
  auto families = node_families(model);
  auto states = gauge_family("poseidon_instances", "Instances by state; ended ones as long as they are kept.");
  auto counts = model.count_by_state();
  for (auto state : poseidon_enum_values(instance_state{}))
    add_gauge(states, {{"state", std::string(to_string(state))}}, static_cast<double>(counts[static_cast<std::size_t>(state)]));
  auto sequence = gauge_family("poseidon_ledger_sequence", "Sequence of the last entry folded.");
  auto incarnation = gauge_family("poseidon_ledger_incarnation", "Incarnation of the log.");
  auto at = model.at();
  add_gauge(sequence, {}, static_cast<double>(at.sequence));
  add_gauge(incarnation, {}, static_cast<double>(at.incarnation));
  auto paused = gauge_family("poseidon_paused", "1 while new starts are paused.");
  add_gauge(paused, {}, model.admin()->paused ? 1 : 0);
  auto open = gauge_family("poseidon_http_connections", "Connections open on the API.");
  add_gauge(open, {}, static_cast<double>(connections));
  auto following = gauge_family("poseidon_http_streams", "Event and log streams open on the API.");
  add_gauge(following, {}, static_cast<double>(streams));
  auto build = gauge_family("poseidon_build_info", "The program's version.");
  add_gauge(build, {{"version", POSEIDON_VERSION}}, 1);
  for (auto* family : {&states, &sequence, &incarnation, &paused, &open, &following, &build}) families.push_back(std::move(*family));
  return families;
}

prom::MetricFamily counter_family(std::string name, std::string help) {
  auto family = gauge_family(std::move(name), std::move(help));
  family.type = prom::MetricType::Counter;
  return family;
}

std::vector<prom::MetricFamily> receiver_families(const std::vector<receiver_status>& receivers) {
  if (receivers.empty()) return {};
  auto total = counter_family("poseidon_notifications_total", "What became of attempts to tell a receiver of an event.");
  auto pending = gauge_family("poseidon_notifications_pending", "Events stored for a receiver and not delivered yet.");
  auto dead = gauge_family("poseidon_notifications_dead", "Dead letters that are kept.");
  auto failing = gauge_family("poseidon_notifications_failing", "1 while a receiver takes no events.");
  for (auto& r : receivers) {
    const auto count = [&](const char* result, std::uint64_t value) {
      prom::ClientMetric metric;
      metric.label = {{"receiver", r.name}, {"result", result}};
      metric.counter.value = static_cast<double>(value);
      total.metric.push_back(std::move(metric));
    };
    count("delivered", r.delivered);
    count("retried", r.retried);
    count("dead", r.buried);
    add_gauge(pending, {{"receiver", r.name}}, static_cast<double>(r.pending));
    add_gauge(dead, {{"receiver", r.name}}, static_cast<double>(r.dead));
    add_gauge(failing, {{"receiver", r.name}}, r.failing_since ? 1 : 0);
  }
  return {std::move(total), std::move(pending), std::move(dead), std::move(failing)};
}

} // namespace

struct metrics::state {
  prom::Registry registry;
  std::vector<std::array<prom::Counter*, status_classes.size()>> requests;
  std::vector<prom::Histogram*> latencies;
  std::vector<prom::Histogram*> phases;
  prom::Counter* entries = nullptr;
};

metrics::metrics(const std::vector<std::pair<std::string, std::string>>& operations) : state_(std::make_unique<state>()) {
  auto& registry = state_->registry;
  auto& requests = prom::BuildCounter().Name("poseidon_http_requests_total").Help("Answered requests.").Register(registry);
  auto& latencies =
      prom::BuildHistogram().Name("poseidon_http_request_seconds").Help("From the whole request to its answer; waits included.").Register(registry);
  auto all = operations;
  all.emplace_back("", "none");
  for (auto& [method, path] : all) {
    auto& counters = state_->requests.emplace_back();
    for (std::size_t i = 0; i < status_classes.size(); ++i)
      counters[i] = &requests.Add({{"method", method}, {"route", path}, {"status", status_classes[i]}});
    state_->latencies.push_back(&latencies.Add({{"method", method}, {"route", path}}, request_buckets));
  }
  auto& phases = prom::BuildHistogram().Name("poseidon_phase_seconds").Help("Time that instances spent in a phase of the lifecycle.").Register(registry);
  for (auto phase : poseidon_enum_values(poseidon::phase{}))
    state_->phases.push_back(&phases.Add({{"phase", std::string(to_string(phase))}}, phase_buckets));
  state_->entries =
      &prom::BuildCounter().Name("poseidon_ledger_entries_total").Help("Entries applied to the read model.").Register(registry).Add({});
}

metrics::~metrics() = default;

void metrics::answered(std::size_t operation, int status, double seconds) {
  auto index = std::min(operation, state_->requests.size() - 1);
  auto status_class = static_cast<std::size_t>(std::clamp(status / 100, 1, 5) - 1);
  state_->requests[index][status_class]->Increment();
  state_->latencies[index]->Observe(seconds);
}

void metrics::phase_left(const phase_timing& timing) {
  auto index = static_cast<std::size_t>(timing.phase);
  if (index < state_->phases.size()) state_->phases[index]->Observe(static_cast<double>(timing.took_ms) / 1000.0);
}

void metrics::entry_applied() { state_->entries->Increment(); }

std::string metrics::render(const view& model, std::size_t connections, std::size_t streams, const std::vector<receiver_status>& receivers) const {
  auto families = state_->registry.Collect();
  // An operation that nobody has asked for yet would only be noise.
  for (auto& family : families) {
    bool per_request = family.name.starts_with("poseidon_http_request");
    std::erase_if(family.metric, [&](auto& m) { return per_request && m.counter.value == 0 && m.histogram.sample_count == 0; });
  }
  for (auto& family : view_families(model, connections, streams)) families.push_back(std::move(family));
  for (auto& family : receiver_families(receivers)) families.push_back(std::move(family));
  std::ostringstream out;
  prom::TextSerializer().Serialize(out, families);
  return out.str();
}

} // namespace poseidon::gateway
