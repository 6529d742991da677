#pragma once
// What a runtime can do: the engine-neutral port behind which Docker Engine and the simulated engine stand. It speaks of
// instance groups (messages/runtime.hpp) and of nothing else.
//
// Every call returns at once and answers exactly once, through its callback, within the time that its comment names. A
// callback runs on the runtime's own thread (simulated: inside the injected timer) and must only hand the answer on.
// Calls for one group are done in the order in which they were made; `stop` and `remove` cut an `ensure` short.
// A destroyed runtime answers what is still open with `shutting_down`.

#include "messages/commands.hpp"

#include <functional>
#include <limits>

namespace poseidon {

/// Takes one answer.
template <class T>
using answer = std::function<void(outcome<T>)>;

inline constexpr std::uint64_t unlimited_credit = std::numeric_limits<std::uint64_t>::max();

/// What of a container's output is wanted.
struct log_request {
  group_key key;
  std::string service;          ///< empty: the group's first
  bool follow = false;          ///< go on until the container ends or the caller cancels
  std::int32_t tail_lines = -1; ///< last lines to begin with; -1: from the beginning
  bool through_restarts = false; ///< with `follow`: goes on when the container is started again; its removal ends it, with instance_ended
  std::uint64_t credit_bytes = unlimited_credit; ///< of text that may be handed over before there is more
  std::function<void()> begun{}; ///< called once the engine sends; may be empty
};

/// A log that is being read. Both may be called on any thread, also after its end; empty functions: there is nothing to do.
struct log_reading {
  std::function<void()> cancel; ///< then `done` comes at once
  std::function<void(std::uint64_t bytes)> more; ///< credit. Without any the engine is not read from
};

class runtime {
public:
  virtual ~runtime() = default;

  /// Finds the engine, agrees on an API version, proves isolation. Answers what the engine can do, or engine_unavailable,
  /// isolation_unproven. May be repeated; takes at most 60 s. Other calls before it has succeeded fail.
  virtual void start(answer<runtime_info>) = 0;

  /// Makes the group exist and run: pulls, creates and starts what is missing, adopts what is there under our labels. On a
  /// running group answers its state. Answers at the latest after `timeout`; a failed one may leave pieces, which `remove`
  /// takes away. `progress` may be empty.
  virtual void ensure(launch_plan_ptr plan, millis timeout, std::function<void(const group_progress&)> progress,
                      answer<group_state>) = 0;

  /// Starts the same, stopped containers again and answers fresh endpoints; a running one is left as it is.
  virtual void start_again(group_key key, millis timeout, answer<group_state>) = 0;

  /// Sends `signal` ("SIGTERM"; empty: as the container was created with) at once and KILL after `grace`; with no grace,
  /// KILL at once. Answers when all processes are dead, at the latest 10 s after the grace. An unknown group is stopped.
  virtual void stop(group_key key, std::string signal, millis grace, answer<done>) = 0;

  /// Kills and removes all that belongs to the group: containers, network, volumes, files. An unknown group is removed. At
  /// most 30 s.
  virtual void remove(group_key key, answer<done>) = 0;

  /// Everything in the engine that carries our cluster's and node's labels, and shims that outlived our containers. At most 30 s.
  virtual void list(answer<std::vector<runtime_object>>) = 0;

  /// Removes one object of `list`. One that is gone is removed. At most 30 s.
  virtual void remove_object(runtime_object object, answer<done>) = 0;

  /// The group as it is now; unknown_instance when the engine holds nothing of it. At most 10 s.
  virtual void inspect(group_key key, answer<group_state>) = 0;

  /// Output of one container in chunks; `done` comes after the last one. Chunks hold no more text than there is credit for.
  virtual log_reading logs(log_request request, std::function<void(const log_chunk&)> chunk, answer<done>) = 0;

  /// What the group uses now, summed over its services. At most 10 s.
  virtual void stats(group_key key, answer<group_stats>) = 0;

  /// Tells of every service that ended by itself: not those that `stop` or `remove` ended. One watcher; the last one counts.
  virtual void watch(std::function<void(const service_exited&)>) = 0;

  /// Tells when the engine went away (`up` false: the event stream is lost) and when it is back: what ended in between is
  /// told by `list` alone. One watcher; the last one counts.
  virtual void watch_engine(std::function<void(const engine_changed&)>) = 0;

  /// Rewrites /run/poseidon/instance.json (and flag) of the group from the plan, atomically. At most 10 s.
  virtual void update_instance_file(launch_plan_ptr plan, answer<done>) = 0;

  /// Full names of images that the engine holds ("docker.io/library/nginx:latest"; the newest 256 of them), sorted. What is
  /// answered may be a minute old, but never older than the last pull. At most 10 s.
  virtual void list_images(answer<std::vector<std::string>>) = 0;

  /// Brings an image up to date. Answers at the latest after `timeout`.
  virtual void pull(std::string image, millis timeout, std::function<void(std::uint32_t percent)> progress, answer<done>) = 0;
};

} // namespace poseidon
