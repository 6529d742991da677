// A simulated process's groups: ensure, start again, stop, remove, each in its turn.

#include "nodes/runtime/simulated_process.hpp"

#include "nodes/runtime/engine/error_map.hpp"
#include "nodes/runtime/engine/image_reference.hpp"

#include <algorithm>

namespace poseidon {

void simulated_process::ensure(launch_plan_ptr plan, millis timeout,
                               std::function<void(const group_progress&)> progress, answer<group_state> to) {
  auto work = std::make_shared<ensure_work>();
  work->plan = plan;
  work->progress = std::move(progress);
  work->left = timeout;
  work->reply = open<group_state>(std::move(to));
  in_turn(plan->key, work, [this, work](std::function<void()> next) {
    work->next = std::move(next);
    bool empty = !work->plan->spec || work->plan->spec->services.empty();
    if (empty)
      finish(work, because(errc::invalid_spec, "a group needs a service"));
    else
      pull_missing(work, 0);
  });
}

void simulated_process::finish(const work_ptr& work, failure problem) {
  if (!std::exchange(work->open, false)) return;
  if (problem)
    work->reply(std::move(problem));
  else
    work->reply(look(work->plan->key));
  work->next();
}

void simulated_process::start_again(group_key key, millis timeout, answer<group_state> to) {
  auto reply = open<group_state>(std::move(to));
  in_turn(key, nullptr, [this, key, timeout, reply](std::function<void()> next) {
    ask(
        timeout,
        [key](simulated_engine& engine) {
          auto found = engine.all().find(key);
          if (found == engine.all().end() || found->second.containers.empty())
            return because(errc::unknown_instance, "no such group");
          for (auto& container : found->second.containers)
            engine.start(container);
          return failure();
        },
        [this, key, reply, next](failure problem) {
          if (problem)
            reply(problem);
          else
            reply(look(key));
          next();
        });
  });
}

void simulated_process::stop(group_key key, std::string, millis grace, answer<done> to) {
  auto reply = open<done>(std::move(to));
  in_turn(
      key, nullptr,
      [this, key, grace, reply](std::function<void()> next) {
        // Signals need no engine: the processes are held by their pidfds.
        expected_.insert(key);
        if (grace.count() > 0) end_processes(key, 143, true);
        auto kill = [this, key, reply, next] {
          end_processes(key, 137, false);
          expected_.erase(key);
          reply(done());
          next();
        };
        after(runs(key) && grace.count() > 0 ? grace : millis(1), kill);
      },
      true);
}

void simulated_process::remove(group_key key, answer<done> to) {
  auto reply = open<done>(std::move(to));
  in_turn(
      key, nullptr,
      [this, key, reply](std::function<void()> next) {
        ask(
            millis(30000),
            [this, key](simulated_engine& engine) {
              expected_.insert(key);
              end_processes(key, 137, false);
              engine.all().erase(key);
              expected_.erase(key);
              return failure();
            },
            [this, key, reply, next](failure problem) {
              if (problem)
                reply(problem);
              else
                reply(done());
              if (!problem) read_on(key);
              files_.erase(key);
              watched_.erase(key);
              next();
            });
      },
      true);
}

/// What is named as present, and what containers are made of.
void simulated_process::list_images(answer<std::vector<std::string>> to) {
  auto reply = open<std::vector<std::string>>(std::move(to));
  auto names = std::make_shared<std::set<std::string>>();
  ask(
      millis(10000),
      [names](simulated_engine& engine) {
        const auto add = [&](const std::string& image) {
          if (auto known = engine::parse_image_reference(image)) names->insert(known->full_name());
        };
        for (auto& [image, what] : engine.images)
          if (what.present) add(image);
        for (auto& [key, group] : engine.groups())
          for (auto& container : group.containers) add(container.plan->spec->services[container.service].image);
        return failure();
      },
      [names, reply](failure problem) {
        if (problem) return reply(problem);
        reply(std::vector<std::string>(names->begin(), names->end()));
      });
}

void simulated_process::pull(std::string image, millis timeout, std::function<void(std::uint32_t)> progress,
                             answer<done> to) {
  auto reply = open<done>(std::move(to));
  after(std::min(timeout, engine_->image(image).pull_time), [this, image, timeout, progress, reply] {
    auto& wanted = engine_->image(image);
    if (!wanted.exists) return reply(because(errc::image_missing, image + ": manifest unknown"));
    if (wanted.pull_time > timeout) return reply(because(errc::image_pull_failed, image + " was not pulled in time"));
    wanted.present = true;
    if (progress) progress(100);
    reply(done());
  });
}

void simulated_process::in_turn(const group_key& key, work_ptr ensure, std::function<void(std::function<void()>)> begin,
                                bool ends) {
  auto& turn = turns_[key];
  if (ends && turn.current) turn.current->given_up = true;
  if (ends)
    for (auto& one : turn.waiting)
      if (one.ensure) one.ensure->given_up = true;
  turn.waiting.push_back({std::move(ensure), std::move(begin)});
  if (!turn.busy) after(millis(0), [this, key] { take_turn(key); });
  turn.busy = true;
}

void simulated_process::take_turn(const group_key& key) {
  auto found = turns_.find(key);
  if (found == turns_.end()) return;
  if (found->second.waiting.empty()) {
    turns_.erase(found);
    return;
  }
  auto entry = std::move(found->second.waiting.front());
  found->second.waiting.pop_front();
  found->second.current = entry.ensure;
  entry.begin([this, key] {
    if (auto again = turns_.find(key); again != turns_.end()) again->second.current.reset();
    after(millis(0), [this, key] { take_turn(key); });
  });
}

void simulated_process::pull_missing(const work_ptr& work, std::size_t service) {
  if (work->given_up) return finish(work, because(errc::superseded, "stopped while it was starting"));
  auto& services = work->plan->spec->services;
  if (service == services.size()) return create(work);
  auto& wanted = services[service];
  if (engine_->image(wanted.image).present) return pull_missing(work, service + 1);
  if (wanted.pull == pull_mode::never)
    return finish(work, because(errc::image_missing, wanted.image + " is not on this node"));
  tell(work, group_step::pulling, 0);
  work->left -= engine_->image(wanted.image).pull_time;
  pull(
      wanted.image, work->left + engine_->image(wanted.image).pull_time,
      [this, work](std::uint32_t percent) { tell(work, group_step::pulling, percent); },
      [this, work, service](outcome<done> pulled) {
        if (!pulled)
          finish(work, pulled.error);
        else
          pull_missing(work, service + 1);
      });
}

void simulated_process::create(const work_ptr& work) {
  tell(work, group_step::creating);
  auto owner = owner_;
  files_[work->plan->key] = work->plan;
  ask_engine_even_dead(
      work,
      [work, owner](simulated_engine& engine) {
        for (std::size_t i = 0; i < work->plan->spec->services.size(); ++i)
          engine.create(work->plan, i, owner.cluster, owner.node);
        return failure();
      },
      [this, work] {
        if (work->given_up) return finish(work, because(errc::superseded, "stopped while it was starting"));
        tell(work, group_step::starting);
        start_created(work);
      });
}

void simulated_process::start_created(const work_ptr& work) {
  expected_.insert(work->plan->key);
  ask_engine_even_dead(
      work,
      [work](simulated_engine& engine) {
        auto found = engine.all().find(work->plan->key);
        if (found == engine.all().end()) return because(errc::engine_error, "the container is gone");
        for (auto& container : found->second.containers) {
          engine.start(container);
          if (!container.running)
            return engine::map_early_exit(container.exit_code, container.out_of_memory, "", container.output);
        }
        return failure();
      },
      [this, work] { finish(work, failure()); });
}

void simulated_process::ask_engine_even_dead(const work_ptr& work, std::function<failure(simulated_engine&)> effect,
                                             std::function<void()> go_on) {
  std::weak_ptr<bool> alive = alive_;
  auto guarded = [this, alive, work, go_on = std::move(go_on)](failure problem) {
    if (!alive.lock() || !work->open) return;
    expected_.erase(work->plan->key);
    if (problem)
      finish(work, std::move(problem));
    else
      go_on();
  };
  if (!engine_->call(std::move(effect), guarded))
    after(std::clamp(work->left, millis(1), simulated_call_timeout),
          [guarded] { guarded(because(errc::engine_timeout, "the engine did not answer in time")); });
}

void simulated_process::end_processes(const group_key& key, std::int32_t exit_code, bool by_term) {
  auto found = engine_->all().find(key);
  if (found == engine_->all().end() || !mine(found->second)) return;
  for (auto& container : found->second.containers) {
    bool deaf = by_term && engine_->image(container.plan->spec->services[container.service].image).ignores_term;
    if (container.running && !deaf) engine_->end(container, exit_code, false);
  }
}

} // namespace poseidon
