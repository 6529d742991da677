#pragma once
// The inside of dialer_client: one strand owns everything here.

#include <utility>

#include "nodes/dialer/dialer_client.hpp"
#include "nodes/dialer/protocol.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>

#include <deque>
#include <list>
#include <unordered_map>

namespace poseidon {

class dialer_client::core : public std::enable_shared_from_this<dialer_client::core> {
public:
  using strand = boost::asio::strand<boost::asio::io_context::executor_type>;

  /// One call of connect or signal.
  struct job {
    job(strand& on, endpoint to) : where(std::move(to)), timer(on), connecting(on) {}
    endpoint where;
    std::uint16_t port = 0;
    int signo = 0;
    dialer_wire::op open = dialer_wire::op::open; ///< or shim: how its process is proved
    connect_handler connected; ///< one of these two is set
    signal_handler signalled;
    boost::asio::steady_timer timer;
    boost::asio::posix::stream_descriptor connecting; ///< the socket handed over, until it is connected
    int attempts = 0;
    bool done = false;
  };
  using job_ptr = std::shared_ptr<job>;

  core(boost::asio::io_context& io, unique_fd socket);
  void start();
  void stop();
  void submit(job_ptr asked, millis timeout);
  strand& on() { return strand_; }

private:
  /// A process that was asked for, and its handle once the dialer has opened it.
  struct target_key {
    std::int32_t pid;
    std::uint64_t start_ticks;
    bool operator==(const target_key&) const = default;
  };
  struct target_hash {
    std::size_t operator()(const target_key& key) const {
      return std::hash<std::uint64_t>{}(key.start_ticks * 0x9e3779b97f4a7c15ull ^ static_cast<std::uint32_t>(key.pid));
    }
  };
  struct target {
    target_key key;
    std::string cgroup;
    std::uint64_t handle = 0;
    std::vector<job_ptr> waiting; ///< for `handle`; not empty: an open is under way
  };
  using target_list = std::list<target>; ///< the most recently used first
  struct expected {
    job_ptr asker; ///< null: an open
    target_key key;
    dialer_wire::op what;
  };

  void begin(const job_ptr& asked);
  void begin_by_address(const job_ptr& asked);
  void use(target& found, const job_ptr& asked);
  target* find_or_make(const job_ptr& asked);
  void forget(const target_key& key);
  void shrink();

  void send(const dialer_wire::request& packet);
  void flush();
  void receive();
  bool receive_one();
  void on_reply(const dialer_wire::reply& got, unique_fd passed);
  void on_opened(const target_key& key, const dialer_wire::reply& got);
  void on_used(const job_ptr& asked, const expected& what, const dialer_wire::reply& got, unique_fd passed);
  void lost(const std::string& why);

  void finish_connect(const job_ptr& asked, unique_fd fd);
  void check_connected(const job_ptr& asked);
  void finish(const job_ptr& asked, failure failed, unique_fd fd = {});

  strand strand_;
  boost::asio::posix::stream_descriptor socket_;
  bool stopped_ = false;
  bool writing_ = false;
  std::string lost_why_;
  std::uint64_t next_id_ = 1;
  std::deque<dialer_wire::request> outbox_; ///< what the socket had no room for
  std::unordered_map<std::uint64_t, expected> expected_;
  std::unordered_map<job*, job_ptr> active_;
  target_list targets_;
  std::unordered_map<target_key, target_list::iterator, target_hash> by_key_;
};

} // namespace poseidon
