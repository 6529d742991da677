#include "config/nats_server_file.hpp"

#include <gtest/gtest.h>

namespace poseidon::config {
namespace {

nats_server_plan plan() {
  nats_server_plan p;
  p.name = "poseidon-1";
  p.listen = "0.0.0.0:4222";
  p.folder = "/var/lib/nats";
  p.cluster = "a club";
  p.member = "UMEMBER";
  p.follower = "UFOLLOWER";
  return p;
}

std::string part(const std::string& text, const std::string& from, const std::string& to) {
  const auto begin = text.find(from);
  return text.substr(begin, text.find(to, begin + 1) - begin);
}

TEST(nats_server_file, gives_each_kind_of_process_what_it_needs) {
  const auto text = nats_server_file(plan());
  const auto member = part(text, "nkey: UMEMBER", "# edges"), follower = part(text, "nkey: UFOLLOWER", "]\n  }\n}");
  for (const char* right : {"STREAM.CREATE.poseidon-a=20club", "STREAM.PURGE.poseidon-a=20club", "\"poseidon.a=20club.>\""})
    EXPECT_NE(member.find(right), std::string::npos) << right;
  EXPECT_EQ(member.find("deny"), std::string::npos);
  for (const char* wrong : {"STREAM.CREATE", "STREAM.UPDATE", "STREAM.PURGE", "STREAM.DELETE", "MSG.DELETE"})
    EXPECT_EQ(follower.find(wrong), std::string::npos) << wrong;
  EXPECT_NE(follower.find("deny: [\"poseidon.a=20club.ledger.>\", \"poseidon.a=20club.node.>\"]"), std::string::npos) << follower;
  EXPECT_NE(follower.find("deny: [\"poseidon.a=20club.snapshot.>\"]"), std::string::npos) << "the state is asked for, not told";
  EXPECT_EQ(text.find("no_auth_user"), std::string::npos);
}

TEST(nats_server_file, speaks_tls_and_is_alone_unless_told) {
  auto p = plan();
  auto text = nats_server_file(p);
  EXPECT_NE(text.find("cert_file: \"/var/lib/nats/server.pem\""), std::string::npos);
  EXPECT_NE(text.find("store_dir: \"/var/lib/nats/store\""), std::string::npos);
  EXPECT_EQ(text.find("cluster {"), std::string::npos);
  p.cluster_listen = "0.0.0.0:6222";
  p.routes = {"n1.example:6222", "n2.example:6222"};
  text = nats_server_file(p);
  EXPECT_NE(text.find("\"nats-route://n2.example:6222\""), std::string::npos);
}

} // namespace
} // namespace poseidon::config
