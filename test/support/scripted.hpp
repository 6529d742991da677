#pragma once
// What a fake port does with its next call of a name: answer well, fail, lose the answer, or keep it until released.

#include "actors/interfaces.hpp"

#include <deque>
#include <map>

namespace poseidon::test {

struct reply_script {
  enum kind_t { ok, fail, lose, lose_request, hold } kind = ok;
  failure why;
};
inline reply_script fails(errc code, std::string detail = "scripted", std::string log_tail = "") {
  return {reply_script::fail, {code, std::move(detail), {}, {}, std::move(log_tail)}};
}
/// It happens, but nobody hears of it.
inline reply_script loses_answer() { return {reply_script::lose, {}}; }
/// It does not even happen.
inline reply_script loses_request() { return {reply_script::lose_request, {}}; }
inline reply_script holds() { return {reply_script::hold, {}}; }

/// Work to be done inside a fake's actor, where alone its promises may be kept.
struct run_inside {
  using poseidon_message = void;
  std::function<void()> run;
};
inline void accept_work(caf::scheduled_actor* fake) {
  fake->set_default_handler([](caf::scheduled_actor*, caf::message_view& m) -> caf::result<caf::message> {
    auto content = m.move_content_to_message();
    if (!content.match_elements<run_inside>()) return caf::sec::unexpected_message;
    content.get_as<run_inside>(0).run();
    return caf::message{};
  });
}

/// Scripts and the trace of everything that was asked for, in order, shared by the fakes of one test.
class script_book {
public:
  std::vector<std::string> trace;
  /// For the coming calls, one each; then `always`, then ok.
  std::map<std::string, std::deque<reply_script>> next;
  std::map<std::string, reply_script> always;

  void note(std::string what) { trace.push_back(std::move(what)); }
  /// How often something that begins so was asked for.
  std::size_t count(std::string_view beginning) const {
    std::size_t n = 0;
    for (auto& line : trace) n += line.starts_with(beginning);
    return n;
  }
  /// The first place of something that begins so; npos when it was never asked for.
  std::size_t find(std::string_view beginning) const {
    for (std::size_t i = 0; i < trace.size(); ++i)
      if (trace[i].starts_with(beginning)) return i;
    return std::string::npos;
  }
  reply_script take(const std::string& name) {
    if (auto& queue = next[name]; !queue.empty()) {
      auto script = std::move(queue.front());
      queue.pop_front();
      return script;
    }
    if (auto it = always.find(name); it != always.end()) return it->second;
    return {};
  }
  /// Gives the answers that are held; they go out when the world runs.
  void release() {
    for (auto& [fake, answer] : std::exchange(held_, {})) caf::anon_send(caf::actor_cast<caf::actor>(fake), run_inside{answer});
  }

  /// Answers `promise` as scripted for `name`; `work` does what the call does and yields its answer.
  template <class T>
  caf::typed_response_promise<outcome<T>> answer(caf::scheduled_actor* fake, const std::string& name, std::function<outcome<T>()> work) {
    caf::typed_response_promise<outcome<T>> promise = fake->make_response_promise<outcome<T>>();
    const auto script = take(name);
    switch (script.kind) {
    case reply_script::ok: promise.deliver(work()); break;
    case reply_script::fail: promise.deliver(outcome<T>(script.why)); break;
    case reply_script::lose:
      (void)work();
      kept_.emplace_back(promise);
      break;
    case reply_script::lose_request: kept_.emplace_back(promise); break;
    case reply_script::hold:
      held_.emplace_back(caf::strong_actor_ptr{fake->ctrl()}, [promise, work]() mutable { promise.deliver(work()); });
      break;
    }
    return promise;
  }
  /// Lets go of promises that are never kept.
  void drop() {
    kept_.clear();
    held_.clear();
  }

private:
  std::vector<caf::response_promise> kept_;
  std::vector<std::pair<caf::strong_actor_ptr, std::function<void()>>> held_;
};

} // namespace poseidon::test
