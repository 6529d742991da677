#pragma once
// A connection's state and members: requests in session.cpp, streamed answers in session_stream.cpp. For these two only.

#include "gateway/server/io_thread.hpp"
#include "gateway/server/request_reader.hpp"
#include "gateway/server/session.hpp"

namespace poseidon::gateway {

enum class stage : std::uint8_t { idle, head, body, handling, answering, streaming, lingering, closed };

/// One connection: reads a request, has it answered, reads the next. Its own thread only.
class session final : public session_base, public connection, public std::enable_shared_from_this<session> {
public:
  session(io_thread& thread, stream_socket socket, peer_info peer)
      : thread_(thread), socket_(std::move(socket)), peer_(std::move(peer)), reader_(thread.limits()) {
    request_.peer = &peer_;
    thread_.add(*this);
  }
  ~session() override {
    thread_.remove(*this);
    thread_.connections().remove();
  }

  void start() {
    boost::system::error_code ignored;
    socket_.non_blocking(true, ignored);
    await_request();
  }

  // session_base
  void check_deadline(steady_time now) override;
  void drain() override;
  void abort() override { close(); }

  // connection
  const http_request& current() const override { return request_; }
  bool open(std::uint64_t serial) const override {
    return serial == serial_ && (stage_ == stage::handling || stage_ == stage::streaming);
  }
  void respond(std::uint64_t serial, http_response response) override;
  void begin_stream(std::uint64_t serial, http_response head, std::function<void()> drained) override;
  bool write(std::uint64_t serial, std::shared_ptr<const std::string> piece) override;
  void end(std::uint64_t serial) override;
  void on_closed(std::uint64_t serial, std::function<void()> closed) override;
  loop& thread() override { return thread_; }

private:
  void expect_within(std::chrono::milliseconds span) { deadline_ = thread_.now() + span; }
  void await_request();
  void read_more();
  void parse();
  void expect_body();
  void dispatch();
  void refuse(int status, std::string_view detail);
  void send(http_response response);
  void answered();
  void watch_peer();
  void linger();
  void discard();
  void piece_sent(const boost::system::error_code& ec);
  void gone();
  void tell_closed();
  void close();

  io_thread& thread_;
  stream_socket socket_;
  peer_info peer_;
  request_reader reader_;
  http_request request_;
  std::string out_head_, out_body_, chunk_head_;
  std::shared_ptr<const std::string> piece_;
  std::function<void()> drained_, closed_;
  steady_time deadline_ = steady_time::max();
  std::uint64_t serial_ = 0;
  stage stage_ = stage::idle;
  bool keep_alive_ = true, head_only_ = false, chunked_ = false, writing_ = false, ending_ = false, watching_ = false;
};

} // namespace poseidon::gateway
