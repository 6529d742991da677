#include "actors/kit/children.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace poseidon {

children::children(caf::scheduled_actor* parent, std::function<boot_time()> now) : parent_(parent), now_(std::move(now)) {
  parent_->set_down_handler([this](caf::down_msg& m) { down(m); });
}

void children::start(child_spec spec) {
  fixed_.push_back({std::move(spec), {}, {}, {}});
  spawn(fixed_.back());
}

void children::spawn(fixed& child) {
  child.start_at.reset();
  child.handle = child.spec.make();
  parent_->monitor(child.handle);
  if (child.spec.on_start) child.spec.on_start(child.handle);
}

void children::watch(const caf::actor& child, ended on_end) {
  parent_->monitor(child);
  watched_[child.id()] = {child, std::move(on_end)};
  if (stopping_ && stage_ == 0) parent_->send_exit(child, caf::exit_reason::user_shutdown);
}

void children::down(const caf::down_msg& m) {
  if (auto it = watched_.find(m.source.id()); it != watched_.end()) {
    auto on_end = std::move(it->second.second);
    watched_.erase(it);
    if (on_end) on_end(m.reason);
  } else {
    auto child = std::find_if(fixed_.begin(), fixed_.end(), [&](auto& c) { return c.handle && c.handle.address() == m.source; });
    if (child == fixed_.end()) return;
    fixed_down(*child, m.reason);
  }
  if (stopping_ && stage_empty()) next_stage();
}

void children::fixed_down(fixed& child, const caf::error& reason) {
  child.handle = nullptr;
  if (stopping_) return;
  const auto now = now_();
  const auto decision = decide_restart(child.spec.rule, child.restarts, now);
  if (decision.allowed) {
    spdlog::warn("{} ended ({}); it starts again in {} ms", child.spec.name, caf::to_string(reason), decision.delay.count());
    note_restart(child.spec.rule, child.restarts, now);
    child.start_at = now + decision.delay;
    if (due_changed_) due_changed_();
  } else {
    spdlog::error("{} ended ({}) and is not started again", child.spec.name, caf::to_string(reason));
    if (auto give_up = child.spec.on_give_up) give_up(reason);
  }
}

std::optional<boot_time> children::next_due() const {
  auto due = kill_at_;
  for (auto& child : fixed_)
    if (child.start_at && (!due || *child.start_at < *due)) due = child.start_at;
  return due;
}

void children::on_time() {
  const auto now = now_();
  for (auto& child : fixed_)
    if (child.start_at && *child.start_at <= now) spawn(child);
  if (kill_at_ && *kill_at_ <= now) {
    kill_at_.reset();
    tell_stage(caf::exit_reason::kill);
  }
}

void children::shut_down(millis grace, std::function<void()> done) {
  done_ = std::move(done);
  grace_ = grace;
  if (stopping_) return;
  stopping_ = true;
  for (auto& child : fixed_) child.start_at.reset();
  stage_ = 0;
  tell_stage(caf::exit_reason::user_shutdown);
  set_due();
  if (stage_empty()) next_stage();
}

bool children::stage_empty() const {
  if (stage_ == 0) return watched_.empty();
  return stage_ > fixed_.size() || !fixed_[fixed_.size() - stage_].handle;
}

void children::next_stage() {
  while (stage_ <= fixed_.size() && stage_empty()) ++stage_;
  if (stage_ > fixed_.size()) {
    kill_at_.reset();
    if (auto done = std::exchange(done_, nullptr)) done();
    return;
  }
  tell_stage(caf::exit_reason::user_shutdown);
  set_due();
}

void children::tell_stage(caf::exit_reason reason) {
  if (reason == caf::exit_reason::kill) spdlog::warn("children outlived {} ms of grace and are killed", grace_.count());
  if (stage_ == 0)
    for (auto& [id, child] : watched_) parent_->send_exit(child.first, reason);
  else if (!stage_empty())
    parent_->send_exit(fixed_[fixed_.size() - stage_].handle, reason);
}

void children::set_due() {
  kill_at_ = now_() + grace_;
  if (due_changed_) due_changed_();
}

} // namespace poseidon
