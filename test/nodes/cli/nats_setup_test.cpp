// What `cluster init --server-config` writes, tried on a real nats-server: TLS, and what each user may do.

#include "nodes/cli/nats_setup.hpp"

#include "actors/bus/nats_bus.hpp"
#include "nodes/cli/joining.hpp"
#include "test/actors/log/jetstream_under_test.hpp"
#include "test/actors/log/log_fixture.hpp"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <condition_variable>
#include <fstream>

namespace poseidon::test {
namespace {

using cli::certified_key;

std::unique_ptr<X509, decltype(&X509_free)> read_certificate(const std::string& text) {
  const std::unique_ptr<BIO, decltype(&BIO_free_all)> bio{BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), &BIO_free_all};
  return {PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr), &X509_free};
}

TEST(certificates, are_signed_by_the_authority_for_the_servers_names) {
  const auto authority = cli::make_authority("a club"), other = cli::make_authority("a club");
  ASSERT_TRUE(authority) << authority.error.detail;
  const auto server = cli::make_server_certificate(*authority, {"nats.example", "10.0.0.5", "::1"});
  ASSERT_TRUE(server) << server.error.detail;
  const auto read = read_certificate(server->certificate), issuer = read_certificate(authority->certificate), stranger = read_certificate(other->certificate);
  EXPECT_EQ(X509_verify(read.get(), X509_get0_pubkey(issuer.get())), 1);
  EXPECT_NE(X509_verify(read.get(), X509_get0_pubkey(stranger.get())), 1);
  EXPECT_EQ(X509_check_host(read.get(), "nats.example", 0, 0, nullptr), 1);
  EXPECT_NE(X509_check_host(read.get(), "other.example", 0, 0, nullptr), 1);
  EXPECT_EQ(X509_check_ip_asc(read.get(), "10.0.0.5", 0), 1);
  EXPECT_EQ(X509_check_ip_asc(read.get(), "::1", 0), 1);
  EXPECT_FALSE(cli::make_server_certificate({"no certificate", secret{"no key"}}, {"x"}));
}

/// A server on the very files that were written, and its users.
class secured : public ::testing::Test, public log_test_base {
protected:
  void SetUp() override {
    port = free_port();
    settings.data = folder.file("data");
    settings.cluster = "Zoë's test";
    settings.user = "no-such-user";
    settings.nats.urls = {"tls://127.0.0.1:" + std::to_string(port)};
    settings.nats.nkey = settings.data + "/nats.nk";
    settings.nats.ca = settings.data + "/nats-ca.pem";
    const auto written = cli::set_up_nats(settings, settings.nats.urls, folder.file("server"));
    ASSERT_TRUE(written) << written.error.detail;
    ASSERT_EQ(*written, std::vector<std::string>{folder.file("server")});
    nats_server_options how;
    how.config = folder.file("server") + "/nats-server.conf";
    how.port = port;
    server.emplace(how);
    timers.emplace(system, time);
  }
  void TearDown() override {
    for (auto& log : logs) end(system, log);
  }
  /// The log as a member of these roles has it, after a token brought what it needs.
  jetstream_options member(const std::string& name, const std::vector<std::string>& roles) {
    const auto token = cli::make_join_token(settings, roles);
    if (!token) throw std::runtime_error(token.error.detail);
    auto joined = settings;
    joined.data = folder.file(name);
    if (auto failed = cli::write_joined(*token, joined)) throw std::runtime_error(failed.detail);
    jetstream_options options;
    options.urls = settings.nats.urls;
    options.client = name;
    options.nkey_file = joined.data + "/nats.nk";
    options.ca_file = joined.data + "/nats-ca.pem";
    options.cluster = settings.cluster;
    options.may_make = !cli::only_follow(roles);
    return options;
  }
  log_actor open(const jetstream_options& options) {
    logs.push_back(spawn_jetstream_log(system, {timers->actor, &time, &system_random(), {}}, options));
    return logs.back();
  }
  /// The first answer of a log that can't be opened.
  std::string trouble(const log_actor& log) {
    follower asking(system, log);
    const auto answer = asking.ask<log_extent>(get_log_extent{});
    return answer ? "it answers" : answer.error.detail;
  }

  temporary_folder folder;
  config::settings settings;
  std::uint16_t port = 0;
  const real_clock time;
  std::optional<nats_server> server;
  std::optional<ticking_timers> timers;
  std::vector<log_actor> logs;
};

TEST_F(secured, a_member_appends_and_follows_over_tls) {
  const auto log = open(member("m", {}));
  await_log(system, log);
  follower f(system, log);
  ASSERT_TRUE(f.follow(0));
  f.append(make_entries(200));
  f.take(200);
  EXPECT_EQ(f.seen.size(), 200u) << server->written();
  EXPECT_TRUE(f.failed.empty());
  EXPECT_TRUE(f.ask<logged_entry>(read_log{100}));
  EXPECT_TRUE(f.ask<done>(trim_log{50})) << "the log's beginning may be dropped";
  EXPECT_EQ(server->written().find("Violation"), std::string::npos) << server->written();
}

TEST_F(secured, an_edge_follows_and_can_append_nothing) {
  const auto log = open(member("m", {}));
  await_log(system, log);
  follower f(system, log);
  ASSERT_TRUE(f.follow(0));
  f.append(make_entries(10));
  f.take(10);
  const auto edge = open(member("e", {"edge"}));
  await_log(system, edge);
  follower g(system, edge);
  ASSERT_TRUE(g.follow(0));
  g.take(10);
  ASSERT_EQ(g.seen.size(), 10u) << server->written();
  EXPECT_TRUE(g.ask<logged_entry>(read_log{5}));
  EXPECT_EQ(server->written().find("Violation"), std::string::npos) << server->written();
  g.append(make_entries(3));
  while (g.failed.size() < 3 && g.take_message(follower::limit, true)) {}
  ASSERT_EQ(g.failed.size(), 3u);
  EXPECT_EQ(g.failed[0].why.code, errc::ledger_unavailable);
  EXPECT_NE(g.failed[0].why.detail.find("does not let this user append"), std::string::npos) << g.failed[0].why.detail;
  EXPECT_FALSE(g.ask<done>(trim_log{5})) << "nor drop anything";
  f.append(make_entries(1));
  f.take(1);
  g.take(1);
  EXPECT_EQ(g.seen.size(), 11u) << "it follows on";
  EXPECT_EQ(f.seen.size(), 11u) << "nothing of the edge's was stored";
}

TEST_F(secured, an_edge_commands_no_node) {
  std::mutex mutex;
  std::condition_variable came;
  std::vector<std::string> heard;
  const auto shared = std::shared_ptr<const clock>(&time, [](auto*) {});
  const auto node = make_nats_bus(member("n", {}), shared), edge = make_nats_bus(member("e", {"edge"}), shared);
  const auto prefix = "poseidon.Zo=C3=AB=27s=20test.";
  for (const char* branch : {"node.n1", "heartbeat.*"})
    node->subscribe(prefix + std::string(branch), {}, [&](bus_message m) {
      const std::lock_guard lock{mutex};
      heard.push_back(m.subject);
      came.notify_all();
    });
  std::unique_lock lock{mutex};
  const auto until = std::chrono::steady_clock::now() + follower::limit;
  while (heard.empty() && std::chrono::steady_clock::now() < until) { // until both are connected
    lock.unlock();
    edge->publish(prefix + std::string("node.n1"), "stop");
    edge->publish(prefix + std::string("heartbeat.e"), "here");
    lock.lock();
    came.wait_for(lock, std::chrono::milliseconds{50}, [&] { return !heard.empty(); });
  }
  ASSERT_FALSE(heard.empty());
  for (auto& subject : heard) EXPECT_TRUE(subject.ends_with("heartbeat.e")) << subject;
}

TEST_F(secured, a_server_that_somebody_else_vouches_for_is_refused) {
  auto options = member("m", {});
  const auto other = cli::make_authority("other");
  ASSERT_TRUE(other);
  std::ofstream{options.ca_file} << other->certificate;
  const auto why = trouble(open(options));
  EXPECT_NE(why.find("nats.ca"), std::string::npos) << why;
}

TEST_F(secured, an_unknown_user_is_refused) {
  auto options = member("m", {});
  std::ofstream{options.nkey_file} << "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY\n";
  const auto why = trouble(open(options));
  EXPECT_NE(why.find("does not know this user"), std::string::npos) << why;
}

TEST_F(secured, a_certificate_for_another_name_is_refused) {
  const auto authority = cli::read_nats_authority(settings.data);
  ASSERT_TRUE(authority && *authority);
  const auto certified = cli::make_server_certificate((*authority)->signer, {"nats.example"});
  ASSERT_TRUE(certified);
  std::ofstream{folder.file("server") + "/server.pem"} << certified->certificate;
  std::ofstream{folder.file("server") + "/server-key.pem"} << certified->key.reveal();
  server->kill();
  server->start();
  const auto why = trouble(open(member("m", {})));
  EXPECT_NE(why.find("another name"), std::string::npos) << why;
}

TEST(nats_setup, an_odd_number_of_servers_keeps_a_copy) {
  std::vector<std::uint32_t> found;
  for (std::size_t servers = 1; servers <= 7; ++servers) found.push_back(cli::usual_replicas(servers));
  EXPECT_EQ(found, (std::vector<std::uint32_t>{1, 1, 3, 3, 5, 5, 5}));
}

TEST_F(secured, users_and_authority_stay_when_it_is_done_again) {
  std::ifstream before{settings.data + "/nats.nk"};
  const std::string seed{std::istreambuf_iterator<char>{before}, {}};
  ASSERT_TRUE(cli::set_up_nats(settings, {"tls://a.example:4222", "tls://b.example", "tls://[::1]:4224"}, folder.file("three")));
  std::ifstream after{settings.data + "/nats.nk"};
  EXPECT_EQ(seed, std::string(std::istreambuf_iterator<char>{after}, {}));
  std::ifstream third{folder.file("three") + "/3/nats-server.conf"};
  const std::string text{std::istreambuf_iterator<char>{third}, {}};
  EXPECT_NE(text.find("listen: \"[::1]:4224\""), std::string::npos) << text;
  EXPECT_NE(text.find("\"nats-route://b.example:6222\""), std::string::npos) << text;
}

} // namespace
} // namespace poseidon::test
