#include "nodes/cli/joining.hpp"

#include "test/support/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <sys/stat.h>

namespace poseidon::cli {
namespace {

struct joining_test : ::testing::Test {
  test::temporary_folder folder;
  config::settings settings_of(const std::string& name) {
    config::settings s;
    s.data = folder.path().string() + "/" + name;
    s.cluster = "club";
    s.user = "no-such-user";
    s.nats.urls = {"nats://127.0.0.1:4222"};
    return s;
  }
  std::string text(const std::string& file) {
    std::ifstream in{folder.path().string() + "/" + file};
    return {std::istreambuf_iterator<char>{in}, {}};
  }
};

TEST_F(joining_test, a_token_makes_another_data_a_member) {
  const auto first = settings_of("a");
  auto token = make_join_token(first);
  ASSERT_TRUE(token) << token.error.detail;
  EXPECT_FALSE(write_joined(*token, settings_of("b")));
  EXPECT_EQ(text("a/cluster.key"), text("b/cluster.key"));
  EXPECT_EQ(make_join_token(first)->key.reveal(), token->key.reveal()); // asked again: the same cluster
  config::settings_input input;
  input.flags = {"--data", settings_of("b").data};
  input.host_name = "here";
  const auto loaded = load_member_settings(input);
  EXPECT_TRUE(loaded.problems.empty());
  EXPECT_EQ(loaded.values.cluster, "club");
  EXPECT_EQ(loaded.values.nats.urls, first.nats.urls);
}

TEST_F(joining_test, secrets_lie_where_only_the_user_reads_them) {
  auto s = settings_of("a");
  const auto creds = folder.path().string() + "/given.creds";
  std::ofstream{creds} << "the credentials\nin two lines\n";
  s.nats.credentials = creds;
  const auto token = make_join_token(s);
  ASSERT_TRUE(token);
  EXPECT_FALSE(write_joined(*token, settings_of("b")));
  EXPECT_EQ(text("b/nats.creds"), "the credentials\nin two lines\n\n");
  for (const char* file : {"b/nats.creds", "b/cluster.key", "b/cluster.json"}) {
    struct stat found {};
    ASSERT_EQ(::stat((folder.path().string() + "/" + file).c_str(), &found), 0) << file;
    EXPECT_EQ(found.st_mode & 0777, 0600u) << file;
  }
}

TEST_F(joining_test, a_token_of_a_role_never_carries_another_roles_user) {
  auto s = settings_of("a");
  ASSERT_TRUE(set_up_nats(s, {"tls://nats.example:4222"}, folder.path().string() + "/server"));
  s.nats.urls = {"tls://nats.example:4222"};
  s.nats.nkey = s.data + "/nats.nk";
  const auto member = make_join_token(s, {}), edge = make_join_token(s, {"edge"}), mixed = make_join_token(s, {"edge", "node"});
  ASSERT_TRUE(member && edge && mixed);
  EXPECT_NE(edge->nats_seed, member->nats_seed);
  EXPECT_EQ(mixed->nats_seed, member->nats_seed);
  EXPECT_EQ(edge->roles, std::vector<std::string>{"edge"});
  EXPECT_FALSE(write_joined(*edge, settings_of("b")));
  EXPECT_EQ(text("b/nats.nk"), edge->nats_seed.reveal() + "\n");
  EXPECT_EQ(text("b/nats-authority.json"), "");
  auto own = settings_of("c"); // NATS set up by somebody else
  own.nats.user = "poseidon";
  EXPECT_EQ(make_join_token(own, {"edge"}).error.code, errc::invalid_field);
  EXPECT_TRUE(make_join_token(settings_of("c"), {"edge"})) << "on loopback there may be no users at all";
}

TEST_F(joining_test, another_clusters_data_is_left_alone) {
  ASSERT_TRUE(make_join_token(settings_of("a")));
  const auto other = make_join_token(settings_of("b"));
  const auto before = text("a/cluster.key");
  EXPECT_EQ(write_joined(*other, settings_of("a")).code, errc::conflict);
  EXPECT_EQ(text("a/cluster.key"), before);
  EXPECT_EQ(text("a/cluster.json"), "");
}

TEST_F(joining_test, without_nats_there_is_no_cluster) {
  auto s = settings_of("a");
  s.nats.urls.clear();
  EXPECT_EQ(make_join_token(s).error.code, errc::invalid_field);
}

} // namespace
} // namespace poseidon::cli
