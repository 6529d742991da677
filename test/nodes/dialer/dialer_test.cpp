// The dialer and its client against processes in real network namespaces. Needs root.

#include <utility>

#include "nodes/dialer/dialer.hpp"
#include "nodes/dialer/dialer_client.hpp"
#include "nodes/dialer/protocol.hpp"
#include "test/support/namespace_process.hpp"
#include "test/support/stopped_process.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <future>
#include <optional>
#include <random>
#include <thread>

namespace poseidon {
namespace {

using namespace std::chrono_literals;
using test::namespace_process;

void set_timeout(int fd) {
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) & ~O_NONBLOCK);
  timeval limit{10, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
}

std::function<void(int)> greet(std::string text) {
  return [text](int fd) { test::write_all(fd, text); };
}

class dialer_test : public testing::Test {
protected:
  void SetUp() override {
    ASSERT_EQ(::geteuid(), 0u) << "the dialer's tests need root: they make network namespaces";
    start({});
  }
  void start(const dialer_options& options) {
    auto started = start_dialer(options);
    ASSERT_TRUE(started) << started.error.detail;
    pid = started->pid;
    client.emplace(io, std::move(started->socket));
    runner = std::thread{[this] { io.run(); }};
  }
  void TearDown() override { stop(); }
  void stop() {
    if (client) client->stop();
    work.reset();
    if (runner.joinable()) runner.join();
    client.reset();
    if (pid > 0) {
      EXPECT_EQ(reap_dialer(pid), 0);
    }
    pid = 0;
  }
  void restart(const dialer_options& options) {
    stop();
    io.restart();
    work.emplace(io.get_executor());
    start(options);
  }
  std::string status_of_dialer() const {
    std::ifstream file{"/proc/" + std::to_string(pid) + "/status"};
    return {std::istreambuf_iterator<char>{file}, {}};
  }
  outcome<unique_fd> connect(const endpoint& where, std::uint16_t port, millis timeout = 5s) {
    std::promise<outcome<unique_fd>> answer;
    client->async_connect(where, port, timeout, [&](outcome<unique_fd> got) { answer.set_value(std::move(got)); });
    return answer.get_future().get();
  }
  failure signal(const endpoint& where, int signo) {
    std::promise<failure> answer;
    client->async_signal(where, signo, 5s, [&](failure got) { answer.set_value(std::move(got)); });
    return answer.get_future().get();
  }
  std::string read_from(const endpoint& where, std::uint16_t port) {
    auto got = connect(where, port);
    if (!got) return "failed: " + got.error.detail;
    set_timeout(got->get());
    return test::read_until(got->get(), "");
  }

  boost::asio::io_context io;
  std::optional<boost::asio::executor_work_guard<boost::asio::io_context::executor_type>> work{io.get_executor()};
  std::optional<dialer_client> client;
  std::thread runner;
  pid_t pid = 0;
};

TEST_F(dialer_test, connects_inside_the_right_namespace) {
  namespace_process one{80, greet("one")}, two{80, greet("two")};
  EXPECT_EQ(read_from(one.where(), 80), "one");
  EXPECT_EQ(read_from(two.where(), 80), "two");
  EXPECT_EQ(read_from(one.where(), 80), "one");
}

TEST_F(dialer_test, says_when_nothing_listens) {
  namespace_process one{80, greet("one")};
  EXPECT_EQ(connect(one.where(), 81).error.code, errc::instance_not_running);
  namespace_process silent{80, greet(""), test::listening::no};
  EXPECT_EQ(connect(silent.where(), 80).error.code, errc::instance_not_running);
}

TEST_F(dialer_test, refuses_a_pid_that_means_another_process) {
  namespace_process one{80, greet("one")};
  auto earlier = one.where();
  earlier.start_ticks -= 1;
  EXPECT_EQ(connect(earlier, 80).error.code, errc::service_died);
  EXPECT_EQ(signal(earlier, SIGKILL).code, errc::service_died);
  EXPECT_EQ(read_from(one.where(), 80), "one") << "it must not have been killed";
}

TEST_F(dialer_test, refuses_another_control_group) {
  namespace_process one{80, greet("one")};
  auto where = one.where();
  where.cgroup = "docker/0f3a9bb0c9c7-not-there";
  EXPECT_EQ(connect(where, 80).error.code, errc::service_died);
  auto text = one.text_of("cgroup");
  where.cgroup = text.substr(text.rfind(':') + 1);
  where.cgroup.pop_back();
  EXPECT_EQ(read_from(where, 80), "one");
  where.cgroup = "docker/0f3a9bb0c9c7-not-there";
  EXPECT_EQ(connect(where, 80).error.code, errc::service_died) << "also with a handle for the right one in store";
}

TEST_F(dialer_test, refuses_a_process_in_its_own_network) {
  namespace_process neighbour{0, greet("host"), test::listening::yes, false};
  EXPECT_EQ(connect(neighbour.where(), neighbour.where().port).error.code, errc::service_died);
}

TEST_F(dialer_test, refuses_impossible_endpoints) {
  endpoint none;
  EXPECT_EQ(connect(none, 80).error.code, errc::bad_request);
  namespace_process one{80, greet("one")};
  EXPECT_EQ(connect(one.where(), 0).error.code, errc::bad_request);
  auto long_group = one.where();
  long_group.cgroup.assign(5000, 'x');
  EXPECT_EQ(connect(long_group, 80).error.code, errc::bad_request);
  endpoint own;
  own.pid = ::getpid();
  own.start_ticks = 1;
  EXPECT_EQ(connect(own, 80).error.code, errc::bad_request) << "its parent is no instance";
  EXPECT_EQ(signal(one.where(), 4711).code, errc::bad_request);
}

TEST_F(dialer_test, says_when_the_process_has_ended) {
  namespace_process one{80, greet("one")};
  EXPECT_EQ(read_from(one.where(), 80), "one");
  one.stop();
  EXPECT_EQ(connect(one.where(), 80).error.code, errc::service_died);
  EXPECT_EQ(connect(one.where(), 80).error.code, errc::service_died) << "and again, without the handle";
}

TEST_F(dialer_test, signals) {
  namespace_process one{80, greet("one")};
  EXPECT_EQ(signal(one.where(), 0).code, errc::ok);
  ASSERT_EQ(signal(one.where(), SIGKILL).code, errc::ok);
  EXPECT_EQ(one.wait_for_signal(), SIGKILL);
  EXPECT_EQ(signal(one.where(), SIGKILL).code, errc::service_died);
}

/// A process in this machine's own network whose command line is a shim's; it waits for its standard input.
struct stand_in_shim {
  explicit stand_in_shim(const std::string& container) {
    int input[2];
    if (::pipe2(input, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
    const char* arguments[] = {"containerd-shim-test", "-c", "read x", "-id", container.c_str(), nullptr};
    pid = ::fork();
    if (pid == 0) {
      ::dup2(input[0], 0);
      ::execv("/bin/sh", const_cast<char**>(arguments));
      ::_exit(127);
    }
    ::close(input[0]);
    keep.reset(input[1]);
    // Its command line is the new one once exec has closed the pipe's copy of ours: the name tells.
    while (text_of("cmdline").find("containerd-shim") == std::string::npos) std::this_thread::yield();
  }
  ~stand_in_shim() {
    if (pid <= 0) return;
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
  }
  std::string text_of(const char* name) const {
    std::ifstream file{"/proc/" + std::to_string(pid) + "/" + name};
    return {std::istreambuf_iterator<char>{file}, {}};
  }
  endpoint where(const std::string& container) const {
    endpoint found;
    found.container.value = container;
    found.pid = pid;
    found.start_ticks = start_ticks_of_stat(text_of("stat")).value_or(0);
    return found;
  }
  pid_t pid = 0;
  unique_fd keep;
};

TEST_F(dialer_test, ends_the_shim_of_the_container_that_is_named_and_nothing_else) {
  const std::string id(64, 'a'), other(64, 'b');
  stand_in_shim shim{id};
  const auto end = [this](const endpoint& where) {
    std::promise<failure> answer;
    client->async_end_shim(where, 5s, [&](failure got) { answer.set_value(std::move(got)); });
    return answer.get_future().get();
  };
  EXPECT_EQ(signal(shim.where(id), SIGKILL).code, errc::service_died) << "as an instance it can't be signalled";
  EXPECT_EQ(end(shim.where(other)).code, errc::service_died) << "another container's";
  endpoint unnamed = shim.where("");
  EXPECT_TRUE(end(unnamed));
  namespace_process instance{80, greet("one")};
  auto no_shim = instance.where();
  no_shim.container.value = id;
  EXPECT_EQ(end(no_shim).code, errc::service_died);
  EXPECT_EQ(read_from(instance.where(), 80), "one");
  EXPECT_EQ(::waitpid(shim.pid, nullptr, WNOHANG), 0) << "alive until now";
  EXPECT_FALSE(end(shim.where(id)));
  int status = 0;
  const auto killed = shim.pid;
  ASSERT_EQ(::waitpid(std::exchange(shim.pid, 0), &status, 0), killed);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

TEST_F(dialer_test, a_connect_that_hangs_ends_at_its_timeout) {
  namespace_process one{80, greet("one"), test::listening::full};
  const auto first = connect(one.where(), 80);
  EXPECT_TRUE(first);
  EXPECT_EQ(connect(one.where(), 80, 100ms).error.code, errc::request_timeout);
}

TEST_F(dialer_test, every_call_is_answered_when_the_dialer_dies) {
  namespace_process one{80, greet("one")};
  EXPECT_EQ(read_from(one.where(), 80), "one");
  test::stop_process(pid); // so that requests pile up
  std::atomic<int> answers = 0;
  std::promise<void> all;
  constexpr int calls = 2000; // more than the socket holds
  for (int i = 0; i < calls; ++i)
    client->async_connect(one.where(), 80, 30s, [&](outcome<unique_fd> got) {
      EXPECT_EQ(got.error.code, errc::shutting_down);
      if (++answers == calls) all.set_value();
    });
  ::kill(pid, SIGKILL);
  EXPECT_EQ(reap_dialer(pid), -1);
  pid = 0;
  ASSERT_EQ(all.get_future().wait_for(20s), std::future_status::ready);
  EXPECT_EQ(connect(one.where(), 80).error.code, errc::shutting_down);
}

TEST_F(dialer_test, every_call_is_answered_while_the_dialer_hangs) {
  namespace_process one{80, greet("one")};
  test::stop_process(pid);
  EXPECT_EQ(connect(one.where(), 80, 50ms).error.code, errc::request_timeout);
  ::kill(pid, SIGCONT);
  EXPECT_EQ(read_from(one.where(), 80), "one");
}

TEST_F(dialer_test, many_at_once) {
  namespace_process one{80, greet("one")}, two{80, greet("two")};
  std::atomic<int> answers = 0, right = 0;
  std::promise<void> all;
  constexpr int calls = 400;
  for (int i = 0; i < calls; ++i)
    client->async_connect(i % 2 ? one.where() : two.where(), 80, 20s, [&, i](outcome<unique_fd> got) {
      if (got) {
        set_timeout(got->get());
        if (test::read_until(got->get(), "") == (i % 2 ? "one" : "two")) ++right;
      }
      if (++answers == calls) all.set_value();
    });
  ASSERT_EQ(all.get_future().wait_for(30s), std::future_status::ready);
  EXPECT_EQ(right, calls);
}

TEST_F(dialer_test, stop_answers_what_is_under_way) {
  namespace_process one{80, greet("one")};
  test::stop_process(pid);
  std::promise<outcome<unique_fd>> answer;
  client->async_connect(one.where(), 80, 30s, [&](outcome<unique_fd> got) { answer.set_value(std::move(got)); });
  client->stop();
  EXPECT_EQ(answer.get_future().get().error.code, errc::shutting_down);
  ::kill(pid, SIGCONT);
}

TEST_F(dialer_test, keeps_only_the_privilege_it_needs) {
  namespace_process one{80, greet("one")};
  EXPECT_EQ(read_from(one.where(), 80), "one"); // by now it has confined itself
  const auto status = status_of_dialer();
  // CAP_KILL (5), CAP_SYS_PTRACE (19), CAP_SYS_ADMIN (21)
  for (const char* set : {"CapPrm:\t", "CapEff:\t", "CapBnd:\t"})
    EXPECT_NE(status.find(std::string{set} + "0000000000280020"), std::string::npos) << status;
  EXPECT_NE(status.find("CapAmb:\t0000000000000000"), std::string::npos);
  EXPECT_NE(status.find("CapInh:\t0000000000000000"), std::string::npos);
  EXPECT_NE(status.find("NoNewPrivs:\t1"), std::string::npos);
  EXPECT_NE(status.find("Seccomp:\t2"), std::string::npos) << "its system calls are filtered";
  int open_files = 0;
  for ([[maybe_unused]] const auto& each : std::filesystem::directory_iterator{"/proc/" + std::to_string(pid) + "/fd"}) ++open_files;
  EXPECT_EQ(open_files, 3 + 1 + 1 + 2) << "standard ones, socket, own network, one process's two: nothing of its parent's";
}

TEST_F(dialer_test, works_as_an_ordinary_user) {
  restart({"nobody", 4096});
  namespace_process one{80, greet("one")};
  EXPECT_EQ(read_from(one.where(), 80), "one");
  EXPECT_NE(status_of_dialer().find("Uid:\t65534\t65534\t65534\t65534"), std::string::npos);
  EXPECT_NE(status_of_dialer().find("CapEff:\t0000000000280020"), std::string::npos);
  ASSERT_EQ(signal(one.where(), SIGKILL).code, errc::ok) << "a process of root's, by its capability";
  EXPECT_EQ(one.wait_for_signal(), SIGKILL);
}

TEST_F(dialer_test, what_was_evicted_is_opened_again) {
  restart({"poseidon", 1});
  namespace_process one{80, greet("one")}, two{80, greet("two")}, three{80, greet("three")};
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(read_from(one.where(), 80), "one");
    EXPECT_EQ(read_from(two.where(), 80), "two");
    EXPECT_EQ(signal(three.where(), 0).code, errc::ok);
  }
  one.stop();
  EXPECT_EQ(connect(one.where(), 80).error.code, errc::service_died);
}

TEST_F(dialer_test, reaches_an_address_without_a_pid) {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(::listen(listener, 5), 0);
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  endpoint where;
  where.address = "127.0.0.1";
  EXPECT_TRUE(connect(where, ntohs(address.sin_port)));
  ::close(listener);
  EXPECT_EQ(connect(where, ntohs(address.sin_port)).error.code, errc::instance_not_running);
  where.address = "instance.example";
  EXPECT_EQ(connect(where, 80).error.code, errc::bad_request) << "names are not looked up";
}

// --- the protocol itself, without the client ---------------------------------------------------------------------------

class dialer_protocol : public testing::Test {
protected:
  void SetUp() override {
    ASSERT_EQ(::geteuid(), 0u) << "the dialer's tests need root: they make network namespaces";
    auto started = start_dialer();
    ASSERT_TRUE(started);
    dialer = std::move(*started);
    timeval limit{10, 0};
    ::setsockopt(dialer.socket.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  }
  void TearDown() override {
    dialer.socket.reset();
    EXPECT_EQ(reap_dialer(dialer.pid), 0) << "it ends with its parent's socket";
  }
  dialer_wire::reply ask(const void* packet, std::size_t size) {
    EXPECT_EQ(::send(dialer.socket.get(), packet, size, MSG_NOSIGNAL), static_cast<ssize_t>(size));
    dialer_wire::reply got;
    EXPECT_EQ(::recv(dialer.socket.get(), &got, sizeof got, 0), static_cast<ssize_t>(sizeof got));
    return got;
  }
  dialer_wire::reply ask(const dialer_wire::request& request) { return ask(&request, sizeof request); }

  dialer_process dialer;
};

TEST_F(dialer_protocol, handles_are_given_used_and_closed) {
  namespace_process one{80, greet("one")};
  dialer_wire::request request;
  request.what = dialer_wire::op::open;
  request.id = 7;
  request.pid = one.pid();
  request.start_ticks = one.where().start_ticks;
  const auto opened = ask(request);
  EXPECT_EQ(opened.status, dialer_wire::status::ok);
  EXPECT_EQ(opened.id, 7u);
  request.handle = opened.handle;
  request.what = dialer_wire::op::socket;
  request.port = 80;
  EXPECT_EQ(ask(request).status, dialer_wire::status::ok);
  request.what = dialer_wire::op::close;
  EXPECT_EQ(ask(request).status, dialer_wire::status::ok);
  EXPECT_EQ(ask(request).status, dialer_wire::status::unknown_handle);
  request.what = dialer_wire::op::socket;
  EXPECT_EQ(ask(request).status, dialer_wire::status::unknown_handle);
  request.what = dialer_wire::op::signal;
  EXPECT_EQ(ask(request).status, dialer_wire::status::unknown_handle);
}

TEST_F(dialer_protocol, survives_any_bytes) {
  std::mt19937_64 random{20240607};
  for (int i = 0; i < 3000; ++i) {
    std::string packet(1 + random() % 400, '\0');
    for (auto& byte : packet) byte = static_cast<char>(random());
    if (i % 2 == 0) { // near a request
      dialer_wire::request near;
      near.what = static_cast<dialer_wire::op>(random() % 6);
      near.pid = static_cast<std::int32_t>(random() % 3 == 0 ? random() : 0);
      near.cgroup_bytes = static_cast<std::uint16_t>(random() % 400);
      near.start_ticks = random() % 5;
      near.handle = random() % 3;
      near.port = static_cast<std::uint16_t>(random() % 2 * 80);
      packet.assign(reinterpret_cast<const char*>(&near), sizeof near);
    }
    EXPECT_NE(ask(packet.data(), packet.size()).status, dialer_wire::status::ok);
  }
}

} // namespace
} // namespace poseidon
