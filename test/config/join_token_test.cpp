#include "config/join_token.hpp"

#include "config/settings_load.hpp"

#include <gtest/gtest.h>

namespace poseidon::config {
namespace {

join_token full() {
  join_token token;
  token.cluster = "club";
  token.nats_urls = {"tls://n1.example:4222", "tls://n2.example:4222"};
  token.replicas = 3;
  token.nats_user = "node";
  token.nats_password = secret{"p/a+s=s"};
  token.nats_credentials = secret{"-----BEGIN NATS USER JWT-----\nabc\n"};
  token.nats_seed = secret{"SUSEED"};
  token.roles = {"edge", "notifier"};
  token.nats_ca = "-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----\n";
  token.key = secret{std::string(64, 'a')};
  return token;
}

TEST(join_token, travels_as_one_word) {
  const auto word = to_word(full()).reveal();
  EXPECT_EQ(word.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."), std::string::npos) << word;
  const auto read = join_token_from(word + "\n");
  ASSERT_TRUE(read) << read.error.detail;
  EXPECT_EQ(read->cluster, "club");
  EXPECT_EQ(read->nats_urls, full().nats_urls);
  EXPECT_EQ(read->replicas, 3u);
  EXPECT_EQ(read->nats_user, "node");
  EXPECT_EQ(read->nats_password.reveal(), "p/a+s=s");
  EXPECT_EQ(read->nats_credentials.reveal(), full().nats_credentials.reveal());
  EXPECT_EQ(read->nats_ca, full().nats_ca);
  EXPECT_EQ(read->nats_seed.reveal(), "SUSEED");
  EXPECT_EQ(read->roles, full().roles);
  EXPECT_EQ(read->key.reveal(), full().key.reveal());
}

TEST(join_token, any_letter_lost_or_changed_is_noticed) {
  const auto word = to_word(full()).reveal();
  for (std::size_t length = 0; length < word.size(); ++length) EXPECT_FALSE(join_token_from(word.substr(0, length))) << length;
  for (std::size_t i = 0; i < word.size(); ++i) {
    auto other = word;
    other[i] = other[i] == 'x' ? 'y' : 'x';
    const auto read = join_token_from(other);
    EXPECT_TRUE(!read || (read->key.reveal() == full().key.reveal() && i + 1 == word.size())) << i; // the last digit's unused bits
  }
}

TEST(join_token, says_what_is_wrong) {
  EXPECT_NE(join_token_from("hello").error.detail.find("does not begin with"), std::string::npos);
  EXPECT_EQ(join_token_from("poseidon-join-2.abc").error.code, errc::conflict);
  EXPECT_EQ(join_token_from("").error.code, errc::bad_request);
}

TEST(join_token, its_settings_lie_below_everything_else) {
  settings_input input;
  input.joined_text = joined_settings(full(), "/data");
  input.joined_name = "/data/cluster.json";
  input.host_name = "here";
  auto loaded = load_settings(input);
  for (auto& problem : loaded.problems) EXPECT_TRUE(problem.path == "nats.user" || problem.path == "nats.nkey") << problem.detail; // several kinds of user at once
  EXPECT_EQ(loaded.values.cluster, "club");
  EXPECT_EQ(loaded.values.nats.urls, full().nats_urls);
  EXPECT_EQ(loaded.values.nats.credentials, "/data/nats.creds");
  EXPECT_EQ(loaded.values.nats.nkey, "/data/nats.nk");
  EXPECT_EQ(loaded.values.nats.ca, "/data/nats-ca.pem");
  EXPECT_EQ(loaded.values.roles, (std::vector<role>{role::edge, role::notifier}));
  EXPECT_EQ(loaded.sources["cluster"], setting_source::joined);
  input.file_text = "cluster: other\n";
  input.file_name = "poseidon.yml";
  loaded = load_settings(input);
  EXPECT_EQ(loaded.values.cluster, "other");
  EXPECT_EQ(loaded.sources["cluster"], setting_source::file);
}

} // namespace
} // namespace poseidon::config
