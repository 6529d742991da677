#include "gateway/auth.hpp"

#include <gtest/gtest.h>

#include <unistd.h>

namespace poseidon::gateway {

namespace {

struct auth_test : testing::Test {
  administration admin;
  authenticator auth;
  new_key add(std::vector<std::string> scopes) {
    auto made = make_key(system_random(), scopes, "note", wall_time{1});
    admin.keys.push_back(made.entry);
    auth.load(admin);
    return made;
  }
  outcome<identity> ask(std::string_view header, const peer_info* peer = nullptr) {
    http_request request;
    if (!header.empty()) request.headers = {{"Authorization", header}};
    request.peer = peer;
    return auth.check(request);
  }
};

} // namespace

TEST_F(auth_test, a_made_key_opens_and_nothing_like_it_does) {
  auto key = add({"platform"});
  auto token = key.token.reveal();
  auto who = ask("Bearer " + token);
  ASSERT_TRUE(who.ok());
  EXPECT_EQ(who->actor, "key:" + key.entry.key.value);
  EXPECT_TRUE(ask("bearer  " + token).ok());
  for (std::size_t i = 0; i < token.size(); ++i) {
    auto other = token;
    other[i] = other[i] == 'x' ? 'y' : 'x';
    EXPECT_FALSE(ask("Bearer " + other).ok()) << i;
  }
  EXPECT_FALSE(ask("Bearer " + token + "x").ok());
  EXPECT_FALSE(ask("Basic " + token).ok());
  EXPECT_FALSE(ask(token).ok());
  EXPECT_EQ(ask("").error.code, errc::unauthenticated);
}

TEST_F(auth_test, the_ledger_keeps_no_secret) {
  auto key = add({"admin"});
  auto parts = split_key(key.token.reveal());
  ASSERT_TRUE(parts);
  EXPECT_EQ(key.entry.sha256.size(), 64u);
  EXPECT_EQ(key.entry.sha256, sha256_hex(parts->secret_part));
  EXPECT_GE(parts->secret_part.size(), 40u);
}

TEST_F(auth_test, a_dropped_key_is_refused) {
  auto key = add({"admin"});
  admin.keys.clear();
  auth.load(admin);
  EXPECT_FALSE(ask("Bearer " + key.token.reveal()).ok());
}

TEST_F(auth_test, scopes_include_others) {
  auto all = scopes_of({"admin"}), platform = scopes_of({"platform"}), read = scopes_of({"read"}), metrics = scopes_of({"metrics"});
  for (auto s : {scope::none, scope::metrics, scope::read, scope::platform, scope::admin}) EXPECT_TRUE(all.has(s));
  EXPECT_TRUE(platform.has(scope::read));
  EXPECT_FALSE(platform.has(scope::admin));
  EXPECT_FALSE(platform.has(scope::metrics));
  EXPECT_FALSE(read.has(scope::platform));
  EXPECT_FALSE(metrics.has(scope::read));
  EXPECT_FALSE(scopes_of({"root"}).has(scope::read));
}

TEST_F(auth_test, a_unix_peer_is_trusted_by_its_user) {
  peer_info root{true, 0, {}}, own{true, ::geteuid(), {}}, other{true, 4'000'000'000u, {}}, tcp{false, 0, "127.0.0.1"};
  EXPECT_TRUE(ask("", &root).ok());
  EXPECT_TRUE(ask("", &own)->scopes.has(scope::admin));
  EXPECT_FALSE(ask("", &other).ok());
  EXPECT_FALSE(ask("", &tcp).ok());
  auto key = add({"read"});
  EXPECT_FALSE(ask("Bearer " + key.token.reveal(), &root)->scopes.has(scope::admin)) << "a key that is sent decides";
  EXPECT_FALSE(ask("Bearer psk_a_bbbbbbbbbbbbbbbbbbbb", &root).ok());
}

TEST_F(auth_test, a_key_can_be_given_as_text) {
  auto entry = key_from_token(secret{"psk_admin_0123456789abcdef"}, {"admin"}, "from the file", wall_time{5});
  ASSERT_TRUE(entry);
  admin.keys.push_back(*entry);
  auth.load(admin);
  EXPECT_TRUE(ask("Bearer psk_admin_0123456789abcdef").ok());
  for (auto bad : {"psk_admin_short", "psk__0123456789abcdef", "admin_0123456789abcdef", "psk_a b_0123456789abcdef", "psk_admin_0123456789abcde!"})
    EXPECT_FALSE(key_from_token(secret{bad}, {"admin"}, "", wall_time{5})) << bad;
}

} // namespace poseidon::gateway
