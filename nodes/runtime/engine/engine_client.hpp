#pragma once
// The Docker Engine's HTTP API as coroutines: version prefix, faults as failures. One io thread.

#include "nodes/runtime/engine/address.hpp"
#include "nodes/runtime/engine/error_map.hpp"
#include "nodes/runtime/engine/http_pool.hpp"

#include <string>

namespace poseidon::engine {

/// What the engine said. `fault` is set when it said nothing; `ambiguous`: it may nevertheless have done what was
/// asked.
struct engine_reply {
  unsigned status = 0;
  std::string body;
  failure fault;
  bool ambiguous = false;
  bool ok() const { return !fault && status / 100 == 2; }
  bool missing() const { return !fault && status == 404; }
  /// The failure of a reply that is not ok.
  failure why(engine_call call, const std::string& subject) const {
    return fault ? fault : map_error(call, status, error_message(body), subject);
  }
};

class engine_client {
public:
  /// `call_timeout`: the longest that one call may take, whatever its deadline; streams have none but their own.
  engine_client(asio::io_context& io, std::string socket_path, std::size_t connections,
                std::chrono::milliseconds call_timeout)
      : socket_path_(std::move(socket_path)), call_timeout_(call_timeout), pool_(std::make_shared<http_pool>(io, socket_path_, connections)) {}

  /// Asks /_ping, and agrees on the version that all later calls carry.
  task<outcome<api_version>> negotiate(steady_time deadline);

  task<engine_reply> get(std::string path, steady_time deadline);
  task<engine_reply> post(std::string path, std::string body, steady_time deadline);
  task<engine_reply> remove(std::string path, steady_time deadline);

  /// Streams a reply's body; see http_pool::stream.
  task<engine_reply> stream(http_request request, steady_time deadline, std::chrono::milliseconds quiet,
                            std::shared_ptr<stream_control> control, std::function<bool(std::string_view)> sink);

  api_version version() const { return version_; }
  void drop_idle() { pool_->drop_idle(); }

private:
  task<engine_reply> call(http_request request, steady_time deadline);
  engine_reply to_reply(http_reply reply) const;

  std::string socket_path_;
  std::chrono::milliseconds call_timeout_;
  std::shared_ptr<http_pool> pool_;
  api_version version_ = oldest_known;
};

} // namespace poseidon::engine
