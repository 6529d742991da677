#pragma once
// The front's state and the members that do its work; only the files of this folder use it.

#include "actors/log/jetstream/jetstream_log.hpp"
#include "actors/log/jetstream/message_order.hpp"

#include <unordered_map>

namespace poseidon {

struct jetstream_front {
  static constexpr const char* name = "jetstream_log";
  enum timer : std::uint64_t { wake_up = 1 };
  using read_promise = caf::typed_response_promise<outcome<logged_entry>>;
  using trim_promise = caf::typed_response_promise<outcome<done>>;
  /// A read for a follower, or for a question.
  struct open_read {
    caf::actor_addr follower;
    std::uint64_t after = 0;
    std::optional<read_promise> question;
  };
  struct open_trim {
    std::uint64_t before = 0;
    trim_promise answer;
  };

  jetstream_log_actor::pointer self = nullptr;
  jetstream_front_deps deps;
  std::unique_ptr<log_transport> transport;
  std::optional<append_window> window;
  std::optional<link_plan> plan;
  std::optional<recent_entries> recent;
  writer_id writer;
  message_order order;
  log_extent extent;
  log_followers followers;
  failure trouble; ///< why the log is away
  bool decided = false; ///< the first attempt has succeeded or failed
  std::vector<std::function<void()>> waiting; ///< questions until then
  std::uint64_t next_token = 1;
  std::unordered_map<std::uint64_t, open_read> reads;
  std::unordered_map<std::uint64_t, open_trim> trims;
  std::optional<boot_time> armed;

  // jetstream_log.cpp: the port
  void start(std::unique_ptr<log_transport> over);
  void append(const append_to_log& m);
  caf::result<outcome<log_extent>> follow(const follow_log& m);
  void follow_now(const follow_log& m, caf::typed_response_promise<outcome<log_extent>> answer);
  void consumed(const log_consumed& m);
  caf::result<outcome<logged_entry>> read(const read_log& m);
  void read_now(std::uint64_t sequence, read_promise answer);
  caf::result<outcome<log_extent>> get_extent();
  caf::result<outcome<done>> trim(const trim_log& m);
  void deliver_to(log_follower& follower);
  void when_decided(std::function<void()> question);
  void pump();
  void tell_failed(std::vector<failed_append> failed);

  // jetstream_events.cpp: what the transport tells, and time
  void wake();
  void rearm();
  void lose(const failure& why, bool wait);
  void decide();
  void on(const link_opened& m);
  void on(const link_closed& m);
  void on(const message_came& m);
  void on(const publish_acknowledged& m);
  void on(const publish_refused& m);
  void on(const stream_checked& m);
  void on(const stream_was_read& m);
  void on(const stream_trimmed& m);
};

} // namespace poseidon
