// What the services of a simulated engine write, as it comes.

#include "nodes/runtime/engine/log_frames.hpp"
#include "nodes/runtime/simulated_process.hpp"

#include <algorithm>

namespace poseidon {

namespace {

constexpr std::size_t most_chunk = 16384; // as large as the real engine's pieces

const simulated_container* find_service(const simulated_engine::group& group, const std::string& service) {
  for (auto& container : group.containers)
    if (service.empty() || container.plan->spec->services[container.service].name == service) return &container;
  return nullptr;
}

} // namespace

log_reading simulated_process::logs(log_request request, std::function<void(const log_chunk&)> chunk, answer<done> to) {
  const auto number = ++last_number_;
  reader made{request, std::move(chunk), open<done>(std::move(to)), 0, request.credit_bytes};
  readers_.emplace(number, std::move(made));
  ask(
      millis(30000),
      [this, number, request](simulated_engine& engine) {
        auto found = engine.all().find(request.key);
        if (found == engine.all().end()) return because(errc::unknown_instance, "no such group");
        auto* container = find_service(found->second, request.service);
        if (!container) return because(errc::not_found, "the instance has no service " + request.service);
        auto& output = container->output;
        auto reading = readers_.find(number);
        if (request.tail_lines >= 0 && reading != readers_.end())
          reading->second.at = output.size() - engine::tail_of(output, static_cast<std::size_t>(request.tail_lines), output.size()).size();
        return failure();
      },
      [this, number, request](failure problem) {
        if (problem) return end_reading(number, std::move(problem));
        auto found = readers_.find(number);
        if (found == readers_.end()) return;
        found->second.begun = true;
        if (request.begun) request.begun();
        read_on(number);
      });
  std::weak_ptr<bool> weak = alive_;
  auto later = [this, weak](std::function<void()> work) {
    if (weak.lock()) after(millis(0), std::move(work));
  };
  return {[this, later, number] { later([this, number] { end_reading(number, {}); }); },
          [this, later, number](std::uint64_t bytes) {
            later([this, number, bytes] {
              auto found = readers_.find(number);
              if (found == readers_.end()) return;
              auto& credit = found->second.credit;
              credit += std::min(bytes, unlimited_credit - credit);
              read_on(number);
            });
          }};
}

void simulated_process::read_on(const group_key& key) {
  std::vector<std::uint64_t> numbers;
  for (auto& [number, one] : readers_)
    if (one.request.key == key) numbers.push_back(number);
  for (auto number : numbers)
    read_on(number);
}

void simulated_process::read_on(std::uint64_t number) {
  auto reading = readers_.find(number);
  if (reading == readers_.end() || !reading->second.begun) return;
  auto& one = reading->second;
  const bool goes_on = one.request.follow && one.request.through_restarts;
  auto group = engine_->groups().find(one.request.key);
  auto* container = group == engine_->groups().end() ? nullptr : find_service(group->second, one.request.service);
  if (!container)
    return end_reading(number, goes_on ? because(errc::instance_ended, "the container is gone: its instance has ended, or was reset") : failure());
  auto name = container->plan->spec->services[container->service].name;
  while (one.at < container->output.size() && one.credit > 0) {
    auto size = static_cast<std::size_t>(std::min<std::uint64_t>({container->output.size() - one.at, one.credit, most_chunk}));
    log_chunk now{name, container->output.substr(one.at, size), false, false};
    one.at += size;
    if (one.credit != unlimited_credit) one.credit -= size;
    one.chunk(now);
  }
  const bool all = one.at >= container->output.size();
  if (all && (!one.request.follow || (!container->running && !one.request.through_restarts))) end_reading(number, {});
}

void simulated_process::end_reading(std::uint64_t number, failure why) {
  auto found = readers_.extract(number);
  if (found.empty()) return;
  auto& one = found.mapped();
  if (one.begun) one.chunk({one.request.service, "", false, true});
  if (why) one.reply(std::move(why));
  else one.reply(done());
}

} // namespace poseidon
