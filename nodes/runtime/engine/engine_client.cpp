#include "nodes/runtime/engine/engine_client.hpp"

#include "nodes/runtime/engine/replies.hpp"

namespace poseidon::engine {

engine_reply engine_client::to_reply(http_reply reply) const {
  engine_reply result;
  result.status = reply.status;
  result.body = std::move(reply.body);
  switch (reply.fault) {
  case http_fault::none:
    break;
  case http_fault::unreachable:
    result.fault = {errc::engine_unavailable, "the engine can't be reached: " + reply.detail, {}, {}, {}};
    break;
  case http_fault::broken:
    result.fault = {
        errc::engine_unavailable, "the engine at " + socket_path_ + " broke off: " + reply.detail, {}, {}, {}};
    result.ambiguous = true;
    break;
  case http_fault::timed_out:
    result.fault = {errc::engine_timeout, "the engine at " + socket_path_ + " did not answer in time", {}, {}, {}};
    result.ambiguous = true;
    break;
  }
  return result;
}

task<engine_reply> engine_client::call(http_request request, steady_time deadline) {
  request.target = "/v" + to_string(version_) + request.target;
  auto reply = co_await pool_->call(std::move(request), std::min(deadline, after(call_timeout_)));
  co_return to_reply(std::move(reply));
}

task<outcome<api_version>> engine_client::negotiate(steady_time deadline) {
  http_request ping;
  ping.target = "/_ping";
  auto reply = co_await pool_->call(ping, deadline);
  if (reply.fault != http_fault::none) co_return to_reply(std::move(reply)).fault;
  auto newest = reply.header("Api-Version");
  if (reply.status != 200 || newest.empty()) {
    failure strange{errc::engine_unavailable, socket_path_ + " does not answer like a Docker Engine", {}, {}, {}};
    co_return strange;
  }
  http_request ask;
  ask.target = "/version";
  auto version = co_await pool_->call(ask, deadline);
  auto agreed =
      engine::negotiate(newest, version.fault == http_fault::none ? text_field(version.body, "MinAPIVersion") : "");
  if (agreed) version_ = *agreed;
  co_return agreed;
}

task<engine_reply> engine_client::get(std::string path, steady_time deadline) {
  http_request request;
  request.target = std::move(path);
  return call(std::move(request), deadline);
}

task<engine_reply> engine_client::post(std::string path, std::string body, steady_time deadline) {
  http_request request;
  request.method = "POST";
  request.target = std::move(path);
  request.body = std::move(body);
  return call(std::move(request), deadline);
}

task<engine_reply> engine_client::remove(std::string path, steady_time deadline) {
  http_request request;
  request.method = "DELETE";
  request.target = std::move(path);
  return call(std::move(request), deadline);
}

task<engine_reply> engine_client::stream(http_request request, steady_time deadline, std::chrono::milliseconds quiet,
                                         std::shared_ptr<stream_control> control,
                                         std::function<bool(std::string_view)> sink) {
  request.target = "/v" + to_string(version_) + request.target;
  auto reply = co_await pool_->stream(std::move(request), deadline, quiet, std::move(control), std::move(sink));
  co_return to_reply(std::move(reply));
}

} // namespace poseidon::engine
