#include "config/settings_load.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace poseidon::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

loaded_settings from_file(std::string text) {
  settings_input in;
  in.host_name = "box";
  in.file_name = "poseidon.yml";
  in.file_text = std::move(text);
  return load_settings(in);
}

std::string problems_of(const loaded_settings& loaded) {
  std::string out;
  for (auto& p : loaded.problems) out += p.path + ": " + p.detail + "\n";
  return out;
}

std::string problems_with(const std::string& receiver) { return problems_of(from_file("notify: {receivers: [" + receiver + "]}")); }

TEST(receivers, are_read_from_a_file) {
  const auto loaded = from_file(R"(
notify:
  receivers:
    - {name: ops, url: "https://ctf.example/hook?x=1", secret: 0123456789abcdef, events: [instance.*, node.lost], challenges: web-*}
    - name: chat
      type: discord
      url_file: /etc/poseidon/discord
  parallel: 4
  give_up: 2h
)");
  EXPECT_EQ(problems_of(loaded), "");
  auto& notify = loaded.values.notify;
  ASSERT_EQ(notify.receivers.size(), 2u);
  auto& ops = notify.receivers[0];
  EXPECT_EQ(ops.name, "ops");
  EXPECT_EQ(ops.type, receiver_kind::webhook);
  EXPECT_EQ(ops.url.reveal(), "https://ctf.example/hook?x=1");
  EXPECT_EQ(ops.key.reveal(), "0123456789abcdef");
  EXPECT_THAT(ops.events, ElementsAre("instance.*", "node.lost"));
  EXPECT_THAT(ops.challenges, ElementsAre("web-*"));
  auto& chat = notify.receivers[1];
  EXPECT_EQ(chat.type, receiver_kind::discord);
  EXPECT_EQ(chat.url_file, "/etc/poseidon/discord");
  EXPECT_THAT(chat.events, testing::Contains("instance.failed"));
  EXPECT_THAT(chat.events, Not(testing::Contains("instance.pending")));
  EXPECT_EQ(notify.parallel, 4u);
  EXPECT_EQ(notify.give_up, millis{7'200'000});
}

TEST(receivers, come_as_json_from_the_environment) {
  settings_input in;
  in.host_name = "box";
  in.environment["POSEIDON_NOTIFY_RECEIVERS"] = R"([{"name":"a","url":"http://127.0.0.1:1/","secret":"0123456789abcdef"},{"name":"b","type":"discord","url":"http://h/"}])";
  auto loaded = load_settings(in);
  EXPECT_EQ(problems_of(loaded), "");
  ASSERT_EQ(loaded.values.notify.receivers.size(), 2u);
  EXPECT_THAT(loaded.values.notify.receivers[0].events, ElementsAre("instance.*"));
  in.environment["POSEIDON_NOTIFY_RECEIVERS"] = "";
  loaded = load_settings(in);
  EXPECT_EQ(problems_of(loaded), "");
  EXPECT_THAT(loaded.values.notify.receivers, IsEmpty());
  in.environment["POSEIDON_NOTIFY_RECEIVERS"] = "nonsense";
  EXPECT_THAT(problems_of(load_settings(in)), HasSubstr("JSON array"));
}

TEST(receivers, are_shown_without_what_must_not_be_seen) {
  const auto loaded = from_file(R"(notify: {receivers: [{name: chat, type: discord, url: "https://discord.com/api/webhooks/1/token"},
    {name: ops, url: "http://h:81?token", secret: 0123456789abcdef}]})");
  std::string all;
  for (auto& view : list_settings(loaded)) all += view.name + "=" + view.value + "\n";
  EXPECT_THAT(all, HasSubstr("notify.receivers=chat (discord, discord.com), ops (webhook, h:81)\n"));
  EXPECT_THAT(all, Not(HasSubstr("token")));
  EXPECT_THAT(all, Not(HasSubstr("0123456789abcdef")));
}

TEST(receivers, that_can_not_work_are_refused_with_every_problem) {
  const auto problems = problems_with("{name: 'a b', type: fax, url: ftp://h, sekret: x, events: [], challenges: [5]}");
  for (auto text : {"[0].name is 1 to 64", "\"fax\" is none of webhook, discord", "[0].url is an address like", "[0].sekret is unknown; did you mean secret?",
                    "[0].events is empty", "[0].challenges is a list of patterns", "[0].secret signs the requests"})
    EXPECT_THAT(problems, HasSubstr(text));
  EXPECT_THAT(problems_with("{name: a, secret: 0123456789abcdef}"), HasSubstr("url is given either here or in a file"));
  EXPECT_THAT(problems_with("{name: a, url: 'http://h', url_file: f, secret: 0123456789abcdef}"), HasSubstr("url is given either here or in a file"));
  EXPECT_THAT(problems_with("{name: a, url: 'http://h', secret: short}"), HasSubstr("at least 16 characters"));
  EXPECT_THAT(problems_with("{name: a, type: discord, url: 'http://h', secret: 0123456789abcdef}"), HasSubstr("Discord's address is the secret"));
  EXPECT_THAT(problems_with("{name: a, url: 'http://u:p@h/', secret: 0123456789abcdef}"), HasSubstr("holds a user"));
  EXPECT_THAT(problems_with("{name: a, url: 'http://h/#x', secret: 0123456789abcdef}"), HasSubstr("ends before the #"));
  EXPECT_THAT(problems_with("hello"), HasSubstr("[0] is a mapping"));
  EXPECT_THAT(problems_with("{name: a, url: 'http://h/', secret: 0123456789abcdef}, {name: a, url: 'http://i/', secret: 0123456789abcdef}"), HasSubstr("a is named twice"));
  EXPECT_THAT(problems_of(from_file("cors: {x: [{a: 1}]}\napi: {cors_origins: [{a: 1}]}")), HasSubstr("api.cors_origins: takes a list, not this")) << "others take no mappings";
}

TEST(notifiers, that_share_the_work_name_themselves) {
  EXPECT_EQ(problems_of(from_file("node: a\nnotify: {members: [a, b]}")), "");
  EXPECT_THAT(problems_of(from_file("node: c\nnotify: {members: [a, b]}")), HasSubstr("notify.members: names this process (c) once"));
  EXPECT_EQ(problems_of(from_file("node: c\nroles: [node]\nnotify: {members: [a, b]}")), "");
}

} // namespace
} // namespace poseidon::config
