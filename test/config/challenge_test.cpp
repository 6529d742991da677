#include "config/challenge.hpp"
#include "config/challenge_fields.hpp"
#include "messages/digest.hpp"
#include "messages/json.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace poseidon::config {
namespace {

using nlohmann::json;
using testing::HasSubstr;

constexpr const char* full = R"(
name: Everything
category: web
value: 100
flags: ["flag{secret}", {type: regex, content: "f.*"}]
solution: writeup.md
tags: [a, b]
image: registry.example/web:1
instance:
  command: [httpd, -f, -p, "8000", 7]
  environment: {MODE: ctf, LEVEL: 3}
  ports: [{port: 8000, protocol: http, name: web}, 9000, {port: 7, protocol: tls-passthrough}]
  health: {http: /ready, port: 9000}
  limits: {memory: 64MiB, cpus: 0.25, pids: 64, disk: 1GiB}
  reserve: {memory: 32MiB, cpus: 0.05}
  lifetime: 30m
  start_limit: 1m
  extension: {step: 10m, after: 40%, max: 30m, below_load: 90%}
  restart: always
  network: egress
  security: docker
  capabilities: [NET_BIND_SERVICE, CAP_CHOWN]
  no_new_privileges: false
  read_only: true
  tmpfs: [/tmp]
  user: 1000:1000
  init: true
  stop_signal: SIGINT
  stop_grace: 5s
  pull: always
  runtime: crun
  capture_logs: true
  cost: 3
  placement: {require: {gpu: "yes"}, prefer: {zone: a}}
  volumes: [{name: work, path: /home, keep: instance}]
)";

outcome<challenge> parse(std::string_view text, std::string_view folder = "Some Folder") {
  return parse_challenge(text, folder, {});
}

std::string problems_of(const failure& f) {
  std::string out;
  for (auto& p : f.errors)
    out += p.path + ": " + p.detail + "\n";
  return out;
}

/// The problems of `instance: {…}` with a fine image.
std::string wrong(std::string_view instance) {
  auto result = parse("image: a/b:1\ninstance: " + std::string(instance));
  return result ? "" : problems_of(result.error);
}

TEST(challenge, everything_is_read) {
  auto c = parse(full);
  ASSERT_TRUE(c) << problems_of(c.error);
  EXPECT_EQ(c->id.value, "some-folder");
  auto& spec = *c->spec;
  ASSERT_EQ(spec.services.size(), 1u);
  auto& s = spec.services[0];
  EXPECT_EQ(s.image, "registry.example/web:1");
  EXPECT_EQ(s.command, (std::vector<std::string>{"httpd", "-f", "-p", "8000", "7"}));
  EXPECT_EQ(s.environment, (std::map<std::string, std::string>{{"MODE", "ctf"}, {"LEVEL", "3"}}));
  EXPECT_EQ(s.ports, (std::vector<port_spec>{{8000, port_protocol::http, "web"},
                                             {9000, port_protocol::http, "port-9000"},
                                             {7, port_protocol::tls_passthrough, "port-7"}}));
  EXPECT_EQ(s.health, (health_spec{health_kind::http, 9000, "/ready"}));
  EXPECT_EQ(s.limits, (limit_spec{64ull << 20, 250, 64, 1ull << 30}));
  EXPECT_EQ(spec.reserve, (reserve_spec{32ull << 20, 50}));
  EXPECT_EQ(spec.lifetime_ms, 1'800'000);
  EXPECT_EQ(spec.start_limit_ms, 60'000);
  EXPECT_EQ(spec.extension, (extension_spec{600'000, 40, 1'800'000, 90}));
  EXPECT_EQ(spec.restart, restart_mode::always);
  EXPECT_EQ(spec.network, network_mode::egress);
  EXPECT_EQ(s.security, security_mode::docker);
  EXPECT_EQ(s.capabilities, (std::vector<std::string>{"NET_BIND_SERVICE", "CHOWN"}));
  EXPECT_FALSE(s.no_new_privileges);
  EXPECT_TRUE(s.read_only && s.init && spec.capture_logs);
  EXPECT_EQ(s.tmpfs, std::vector<std::string>{"/tmp"});
  EXPECT_EQ(s.user, "1000:1000");
  EXPECT_EQ(s.stop_signal, "SIGINT");
  EXPECT_EQ(s.stop_grace_ms, 5000);
  EXPECT_EQ(s.pull, pull_mode::always);
  EXPECT_EQ(s.runtime, "crun");
  EXPECT_EQ(spec.cost, 3u);
  EXPECT_EQ(s.volumes, (std::vector<volume_spec>{{"work", "/home"}}));
}

TEST(challenge, every_field_of_the_table_is_in_that_example_and_changes_the_spec) {
  auto document = parse(full);
  ASSERT_TRUE(document);
  for (auto& row : instance_fields()) {
    if (row.name == "id" || row.name == "image") continue;
    EXPECT_THAT(full, HasSubstr("\n  " + std::string(row.name) + ": ")) << row.name;
    std::istringstream lines(full);
    std::string line, without;
    while (std::getline(lines, line))
      if (!line.starts_with("  " + std::string(row.name) + ": ")) without += line + "\n";
    auto other = parse(without);
    ASSERT_TRUE(other) << row.name << problems_of(other.error);
    EXPECT_NE(other->spec_id, document->spec_id) << row.name << " has no effect";
  }
}

TEST(challenge, what_is_not_said_has_a_default) {
  auto c = parse("image: web\n", "web_1");
  ASSERT_TRUE(c) << problems_of(c.error);
  EXPECT_EQ(c->id.value, "web_1");
  instance_spec expected;
  expected.services.emplace_back();
  expected.services[0].image = "web";
  EXPECT_EQ(*c->spec, expected);
  challenge_defaults mine;
  mine.values.memory = {100ull << 20};
  mine.values.cpus = {5};
  mine.values.lifetime = millis{60'000};
  mine.values.restart_max = 1;
  mine.capture_logs = true;
  auto d = parse_challenge("image: web\ninstance: {extension: {step: 10s}}", "web", mine);
  ASSERT_TRUE(d) << problems_of(d.error);
  EXPECT_EQ(d->spec->reserve, (reserve_spec{50ull << 20, 1}));
  EXPECT_EQ(d->spec->extension, (extension_spec{10'000, 50, 60'000, 100}));
  EXPECT_EQ(d->spec->restart_max, 1u);
  EXPECT_TRUE(d->spec->capture_logs);
}

TEST(challenge, other_keys_are_kept_and_flags_apart) {
  auto c = parse(full);
  ASSERT_TRUE(c);
  auto metadata = json::parse(c->metadata);
  EXPECT_EQ(metadata, json({{"name", "Everything"},
                            {"category", "web"},
                            {"value", 100},
                            {"tags", {"a", "b"}},
                            {"image", "registry.example/web:1"}}));
  auto confidential = json::parse(c->confidential.reveal());
  EXPECT_EQ(confidential["flags"][0], "flag{secret}");
  EXPECT_EQ(confidential["solution"], "writeup.md");
  EXPECT_EQ(c->metadata.find("secret"), std::string::npos);
}

TEST(challenge, the_revision_follows_spec_and_metadata_and_nothing_else) {
  auto base = parse(full);
  ASSERT_TRUE(base);
  EXPECT_EQ(base->spec_id, digest_of(*base->spec));
  EXPECT_TRUE(base->revision.starts_with("sha256:") && base->revision.size() == 71);
  auto changed = [&](std::string from, std::string to) {
    std::string text = full;
    text.replace(text.find(from), from.size(), to);
    auto c = parse(text);
    EXPECT_TRUE(c) << problems_of(c.error);
    return std::pair(c->revision, c->spec_id.value);
  };
  EXPECT_NE(changed("lifetime: 30m", "lifetime: 31m").second, base->spec_id.value);
  EXPECT_NE(changed("lifetime: 30m", "lifetime: 31m").first, base->revision);
  EXPECT_NE(changed("value: 100", "value: 99").first, base->revision);
  EXPECT_EQ(changed("value: 100", "value: 99").second, base->spec_id.value);
  EXPECT_NE(changed("flag{secret}", "flag{other}").first, base->revision);
  EXPECT_EQ(changed("lifetime: 30m", "lifetime: 1800s # the same").first, base->revision);
  EXPECT_EQ(changed("64MiB", "64m").first, base->revision);
}

TEST(challenge, all_problems_come_at_once_with_their_path) {
  auto text = wrong(R"(
  comamnd: [a]
  command: httpd -f
  environment: {1X: a, POSEIDON_USER: me, PI: 3.14}
  ports: [{port: 0}, {port: 80, name: "A B"}, {prot: 1}, x]
  health: {http: ready}
  limits: {memory: 1m, cpus: lots, pids: 0, disk: "1 GB"}
  lifetime: 30
  extension: {after: 50}
  restart: sometimes
  capabilities: [NET_BIND_SERVCE, ALL]
  read_only: yes
  tmpfs: [tmp, /a/../b, /c, /c]
  user: ""
  stop_signal: SIGSEGV
  volumes: [{name: work, path: /home, keep: owner}, {name: x}]
  services: []
  env: {}
  pull:
)");
  for (auto expected : {"instance.comamnd: unknown key; did you mean command?",
                        "instance.command: is not a list",
                        "instance.environment.1X: is not a variable",
                        "instance.environment.POSEIDON_USER: names with POSEIDON_",
                        "instance.environment.PI: is not text: write it in quotes, like \"3.14\"",
                        "instance.ports[0].port: 0 is out of range: 1 to 65535",
                        "instance.ports[1].name: \"A B\" is not a name",
                        "instance.ports[2].prot: unknown key; did you mean port?",
                        "instance.ports[3]: is not a mapping",
                        "instance.health.http: \"ready\" is not a path",
                        "instance.limits.memory: 1MiB is too little: at least 6MiB",
                        "instance.limits.cpus: \"lots\" is not a number of cores",
                        "instance.limits.pids: 0 is out of range",
                        "instance.limits.disk: \"1 GB\" is not a size",
                        "instance.lifetime: \"30\" is not a duration: say the unit",
                        "instance.extension.after: \"50\" is not a percentage: write it like 50%",
                        "instance.extension: names no step",
                        "instance.restart: \"sometimes\" is none of no, on-failure, always",
                        "did you mean NET_BIND_SERVICE?",
                        "instance.capabilities[1]: ALL is never granted",
                        "instance.read_only: is neither true nor false",
                        "instance.tmpfs[0]: \"tmp\" is not a folder",
                        "instance.tmpfs[1]:",
                        "instance.tmpfs[3]: is named twice",
                        "instance.user: \"\" is not a user",
                        "instance.stop_signal: \"SIGSEGV\" is not a signal",
                        "instance.volumes[0].keep: owner is reserved",
                        "instance.volumes[1]: needs name and path",
                        "instance.services: unknown key; one container",
                        "instance.env: unknown key; did you mean environment?",
                        "instance.pull: has no value"})
    EXPECT_THAT(text, HasSubstr(expected));
}

TEST(challenge, contradictions_are_told) {
  EXPECT_THAT(wrong("{ports: [80, 80]}"), HasSubstr("instance.ports[1]: 80 is named twice"));
  EXPECT_THAT(wrong("{ports: [{port: 80, name: a}, {port: 81, name: a}]}"), HasSubstr("has the name a too"));
  EXPECT_THAT(wrong("{health: {http: /, tcp: 80}}"), HasSubstr("one of http and tcp"));
  EXPECT_THAT(wrong("{health: {tcp: 80, port: 80}}"), HasSubstr("remove port"));
  EXPECT_THAT(wrong("{health: always}"), HasSubstr("is none of {http"));
  EXPECT_THAT(wrong("{extension: {step: 10m, max: 5m}}"), HasSubstr("max is less than one step"));
  EXPECT_THAT(wrong("{security: strict, read_only: false}"), HasSubstr("instance.read_only: security strict"));
  EXPECT_THAT(wrong("{security: strict, user: 0:0}"), HasSubstr("instance.user: security strict"));
  EXPECT_THAT(wrong("{volumes: [{name: a, path: /a}, {name: a, path: /b}]}"), HasSubstr("another volume"));
  EXPECT_THAT(wrong("[]"), HasSubstr("instance: is not a mapping"));
  EXPECT_EQ(wrong("{security: strict}"), "");
  EXPECT_TRUE(parse("image: a\ninstance: {security: strict}")->spec->services[0].read_only);
}

TEST(challenge, images_as_authors_write_them) {
  EXPECT_EQ(parse("image: registry://r.example:5000/a/b@sha256:0123")->spec->services[0].image,
            "r.example:5000/a/b@sha256:0123");
  EXPECT_EQ(parse("image: .\ninstance: {image: 'a:1'}")->spec->services[0].image, "a:1");
  EXPECT_THAT(problems_of(parse("image: .").error), HasSubstr("image: \".\" is a folder to build from"));
  EXPECT_THAT(problems_of(parse("name: x").error), HasSubstr("image: names no image"));
  for (auto bad : {"'a b'", "'-rf'", "'a:'", "''", "[a]", "5"})
    EXPECT_FALSE(parse(std::string("image: ") + bad)) << bad;
  EXPECT_FALSE(parse("image: " + std::string(600, 'a')));
}

TEST(challenge, ids_come_from_the_folder_or_the_file) {
  EXPECT_EQ(slug_of("Web 101: Über!"), "web-101-ber");
  EXPECT_EQ(slug_of("a.b_c-d"), "a.b_c-d");
  EXPECT_EQ(slug_of("..x.."), "x");
  EXPECT_EQ(slug_of("ÄÖ"), "");
  EXPECT_EQ(slug_of(std::string(100, 'a')).size(), 64u);
  EXPECT_EQ(parse("image: a\ninstance: {id: other}")->id.value, "other");
  EXPECT_THAT(wrong("{id: Not An Id}"), HasSubstr("instance.id: \"Not An Id\" is not an id"));
  EXPECT_THAT(problems_of(parse("image: a", "ÄÖ").error), HasSubstr("instance.id: the folder's name makes no id"));
}

TEST(challenge, text_that_is_no_mapping) {
  EXPECT_THAT(problems_of(parse("- a").error), HasSubstr("a challenge is a mapping"));
  EXPECT_THAT(problems_of(parse("").error), HasSubstr("a challenge is a mapping"));
  EXPECT_THAT(problems_of(parse("image: [").error), HasSubstr("not well-formed"));
  EXPECT_THAT(problems_of(parse("image: a\nimage: b").error), HasSubstr("given twice"));
  EXPECT_TRUE(parse("image: a\nname: \"\xff\xfe\""));
}

TEST(inline_spec, takes_the_same_path_in_both_forms) {
  auto expected = parse("image: a:1\ninstance: {ports: [8000], lifetime: 5m}");
  ASSERT_TRUE(expected);
  auto flat = parse_inline_spec(json::parse(R"({"image": "a:1", "ports": [8000], "lifetime": "5m"})"), {});
  auto nested =
      parse_inline_spec(json::parse(R"({"image": "a:1", "instance": {"ports": [8000], "lifetime": "5m"}})"), {});
  ASSERT_TRUE(flat) << problems_of(flat.error);
  ASSERT_TRUE(nested) << problems_of(nested.error);
  EXPECT_EQ(**flat, *expected->spec);
  EXPECT_EQ(digest_of(**nested), expected->spec_id);
}

TEST(inline_spec, problems_name_the_place_in_the_request) {
  auto problems = [](const char* text) { return problems_of(parse_inline_spec(json::parse(text), {}).error); };
  EXPECT_THAT(problems(R"({"image": "a", "lifetime": 5})"), HasSubstr("spec.lifetime: "));
  EXPECT_THAT(problems(R"({"image": "a", "instance": {"lifetme": "5m"}})"),
              HasSubstr("spec.instance.lifetme: unknown key; did you mean lifetime?"));
  EXPECT_THAT(problems(R"({"image": "a", "instance": {}, "lifetime": "5m"})"), HasSubstr("spec.lifetime: unknown key"));
  EXPECT_THAT(problems(R"({"ports": [1]})"), HasSubstr("spec.image: names no image"));
  EXPECT_THAT(problems(R"({"image": "a", "id": "x"})"), HasSubstr("spec.id: an inline spec has no id"));
  EXPECT_THAT(problems("[]"), HasSubstr("spec: is not an object"));
}

TEST(placement, labels_are_read_and_checked) {
  auto fine = parse_challenge("image: a\ninstance: {placement: {require: {gpu: \"yes\", rack: 7}, prefer: {zone: eu/a}}}", "x", {});
  ASSERT_TRUE(fine) << fine.error.detail;
  const std::map<std::string, std::string> required{{"gpu", "yes"}, {"rack", "7"}}, preferred{{"zone", "eu/a"}};
  EXPECT_EQ(fine->spec->placement.require, required);
  EXPECT_EQ(fine->spec->placement.prefer, preferred);
  EXPECT_TRUE(parse_challenge("image: a", "x", {})->spec->placement.require.empty());
  const auto problem = [](const std::string& placement) {
    auto wrong = parse_challenge("image: a\ninstance: {placement: " + placement + "}", "x", {});
    return wrong || wrong.error.errors.empty() ? std::string{} : wrong.error.errors[0].path + ": " + wrong.error.errors[0].detail;
  };
  EXPECT_NE(problem("{require: [gpu]}").find("instance.placement.require: is not a mapping: write it like {gpu: \"yes\"}"), std::string::npos);
  EXPECT_NE(problem("{require: {gpu: \"a b\"}}").find("instance.placement.require.gpu: \"gpu=a b\" is not a label, like gpu=yes"), std::string::npos);
  EXPECT_NE(problem("{prefer: {gpu: true}}").find("write it in quotes"), std::string::npos);
  EXPECT_NE(problem("{requires: {gpu: a}}").find("unknown key"), std::string::npos);
}

} // namespace
} // namespace poseidon::config
