#include "config/settings_load.hpp"
#include "test/support/source_folder.hpp"
#include "config/settings_table.hpp"
#include "messages/errors.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <regex>
#include <set>
#include <sstream>

namespace poseidon::config {
namespace {

using testing::HasSubstr;

settings_input some() {
  settings_input in;
  in.host_name = "box";
  in.file_name = "poseidon.yml";
  return in;
}

loaded_settings from_file(std::string text) {
  auto in = some();
  in.file_text = std::move(text);
  return load_settings(in);
}

std::string problems_of(const loaded_settings& l) {
  std::string out;
  for (auto& p : l.problems)
    out += p.path + ": " + p.detail + "\n";
  return out;
}

std::string warnings_of(std::string file) {
  std::string out;
  for (auto& w : from_file(std::move(file)).warnings)
    out += w + "\n";
  return out;
}

TEST(settings, defaults_hold_without_any_source) {
  auto l = load_settings(some());
  EXPECT_EQ(problems_of(l), "");
  EXPECT_TRUE(l.warnings.empty());
  EXPECT_TRUE(l.sources.empty());
  EXPECT_EQ(l.values.node, "box");
  EXPECT_EQ(to_text(l.values.api.listen.at(0)), "127.0.0.1:8080");
  EXPECT_EQ(to_text(l.values.api.listen.at(1)), "unix:/run/poseidon/api.sock");
  EXPECT_EQ(to_text(l.values.edge.listen.at(0)), "127.0.0.1:8081");
  EXPECT_EQ(l.values.edge.domain, "localhost");
  EXPECT_TRUE(l.values.has(role::gateway) && l.values.has(role::node) && l.values.has(role::edge));
}

TEST(settings, every_default_is_in_its_own_range_and_reads_back) {
  settings s;
  s.node = "box";
  for (auto& row : settings_table()) {
    if (row.secret) continue;
    settings copy = s;
    auto raw = row.list ? raw_value(row.items(s)) : raw_value(row.text(s));
    EXPECT_EQ(row.set(copy, raw), std::nullopt) << row.name;
    EXPECT_EQ(row.text(copy), row.text(s)) << row.name;
  }
}

TEST(settings, names_flags_and_variables_are_unique_and_documented) {
  std::set<std::string> seen;
  for (auto& row : settings_table()) {
    EXPECT_TRUE(seen.insert(std::string(row.name)).second) << row.name;
    EXPECT_TRUE(seen.insert(row.environment()).second) << row.environment();
    EXPECT_TRUE(row.flag.empty() || seen.insert(std::string(row.flag)).second) << row.flag;
    EXPECT_FALSE(row.help.empty()) << row.name;
  }
  EXPECT_EQ(find_setting("edge.idle_timeout")->environment(), "POSEIDON_EDGE_IDLE_TIMEOUT");
}

TEST(settings, flags_win_over_environment_over_file) {
  auto in = some();
  in.file_text = "edge: {domain: file.example, idle_timeout: 1m}\nlog.level: warn\n";
  in.environment = {{"POSEIDON_EDGE_DOMAIN", "env.example"}, {"POSEIDON_LOG_LEVEL", "error"}, {"PATH", "/bin"}};
  in.flags = {"--domain", "flag.example", "--config", "poseidon.yml", "--stop-instances-on-exit", "--data=/tmp/x"};
  auto l = load_settings(in);
  EXPECT_EQ(problems_of(l), "");
  EXPECT_EQ(l.values.edge.domain, "flag.example");
  EXPECT_EQ(l.values.log.level, log_level::error);
  EXPECT_EQ(l.values.edge.idle_timeout, millis{60'000});
  EXPECT_TRUE(l.values.stop_instances_on_exit);
  EXPECT_EQ(l.values.data, "/tmp/x");
  EXPECT_EQ(l.sources["edge.domain"], setting_source::flag);
  EXPECT_EQ(l.sources["log.level"], setting_source::environment);
  EXPECT_EQ(l.sources["edge.idle_timeout"], setting_source::file);
}

/// A settings file (JSON) with that one setting.
std::string file_with(std::string_view name, const nlohmann::json& value) {
  auto dot = name.find('.');
  if (dot == std::string_view::npos) return nlohmann::json{{std::string(name), value}}.dump();
  nlohmann::json inner{{std::string(name.substr(dot + 1)), value}};
  return nlohmann::json{{std::string(name.substr(0, dot)), inner}}.dump();
}

TEST(settings, every_setting_can_be_given_in_each_spelling) {
  settings defaults;
  defaults.node = "box";
  for (auto& row : settings_table()) {
    std::string name(row.name), value = row.secret ? "k" : row.text(defaults);
    auto in = some();
    in.environment[row.environment()] = value;
    auto l = load_settings(in);
    bool emptied = row.name == "api.listen" || row.name == "edge.listen";
    EXPECT_TRUE(problems_of(l).empty() || emptied) << name << problems_of(l);
    EXPECT_EQ(l.sources[name], setting_source::environment) << name;
    auto f = from_file(file_with(name, row.list ? nlohmann::json(row.items(defaults)) : nlohmann::json(value)));
    EXPECT_EQ(problems_of(f), "") << name;
    EXPECT_EQ(f.sources[name], setting_source::file) << name;
    if (row.flag.empty()) continue;
    auto flagged = some();
    flagged.flags = {std::string(row.flag) + "=" + value};
    auto g = load_settings(flagged);
    EXPECT_EQ(problems_of(g), "") << name;
    EXPECT_EQ(g.sources[name], setting_source::flag) << name;
  }
}

TEST(settings, lists_come_as_sequence_text_or_repeated_flag) {
  auto in = some();
  in.file_text = "api: {listen: ['127.0.0.1:1', 'unix:/x']}\nroles: gateway, node\n";
  in.flags = {"--edge", "127.0.0.1:0", "--edge", "[::1]:0"};
  auto l = load_settings(in);
  EXPECT_EQ(problems_of(l), "");
  EXPECT_EQ(l.values.api.listen.size(), 2u);
  EXPECT_EQ(l.values.edge.listen.size(), 2u);
  EXPECT_EQ(l.values.roles, (std::vector{role::gateway, role::node}));
  in.flags = {"--roles", "gateway,edge", "--api=127.0.0.1:0"};
  l = load_settings(in);
  EXPECT_EQ(l.values.roles, (std::vector{role::gateway, role::edge}));
  EXPECT_EQ(l.values.api.listen.size(), 1u);
}

TEST(settings, all_problems_are_reported_at_once_with_their_path) {
  auto in = some();
  in.file_text = "edge:\n  idle_timout: 30m\n  domain: [a, b]\n  head_timeout: 30\nlimits: {queue: -1}\nnonsense: 1\n"
                 "log: {format: xml}\ndata:\napi: 5\n";
  in.environment = {{"POSEIDON_CAPACITY_MEMORY", "lots"}, {"POSEIDON_REAPER_INTERVAL", "1ms"}};
  in.flags = {"--enigne", "--data"};
  auto text = problems_of(load_settings(in));
  EXPECT_THAT(text, HasSubstr("edge.idle_timout: unknown setting; did you mean edge.idle_timeout?"));
  EXPECT_THAT(text, HasSubstr("edge.domain: takes one value, not a list"));
  EXPECT_THAT(text, HasSubstr("edge.head_timeout: \"30\" is not a duration: say the unit"));
  EXPECT_THAT(text, HasSubstr("limits.queue: \"-1\" is not a whole number"));
  EXPECT_THAT(text, HasSubstr("nonsense: unknown setting"));
  EXPECT_THAT(text, HasSubstr("log.format: \"xml\" is none of text, json"));
  EXPECT_THAT(text, HasSubstr("data: has no value"));
  EXPECT_THAT(text, HasSubstr("api: is a group"));
  EXPECT_THAT(text, HasSubstr("POSEIDON_CAPACITY_MEMORY: \"lots\" is not a size"));
  EXPECT_THAT(text, HasSubstr("POSEIDON_REAPER_INTERVAL: 1ms is out of range: 1s to 1h"));
  EXPECT_THAT(text, HasSubstr("--enigne: unknown flag; did you mean --engine?"));
  EXPECT_THAT(text, HasSubstr("--data: needs a value"));
}

TEST(settings, a_broken_file_and_doubles_are_problems) {
  EXPECT_THAT(problems_of(from_file("a: [")), HasSubstr("poseidon.yml: not well-formed"));
  EXPECT_THAT(problems_of(from_file("[1]")), HasSubstr("poseidon.yml: a settings file is a mapping"));
  EXPECT_THAT(problems_of(from_file("edge: {domain: a.example}\nedge.domain: b.example")), HasSubstr("given twice"));
  EXPECT_EQ(problems_of(from_file("# nothing\n")), "");
  EXPECT_EQ(problems_of(from_file("edge:\n  # all of it commented out\n")), "");
  auto in = some();
  in.flags = {"--data", "/a", "--data", "/b", "stray"};
  EXPECT_THAT(problems_of(load_settings(in)), HasSubstr("--data: given twice"));
  EXPECT_THAT(problems_of(load_settings(in)), HasSubstr("stray: unexpected argument"));
}

TEST(settings, remedies_of_errors_name_settings_that_exist) {
  std::set<std::string> groups;
  for (auto name : setting_names()) groups.insert(std::string(name.substr(0, name.find('.'))));
  const std::regex dotted("[a-z_]+(\\.[a-z_]+)+");
  std::size_t named = 0;
  for (auto& error : all_errors()) {
    const std::string remedy(error.remedy);
    for (std::sregex_iterator at(remedy.begin(), remedy.end(), dotted), end; at != end; ++at) {
      const auto name = at->str();
      if (!groups.contains(name.substr(0, name.find('.')))) continue; // a challenge's field: instance.…
      ++named;
      EXPECT_NE(find_setting(name), nullptr) << to_string(error.code) << " speaks of " << name;
    }
  }
  EXPECT_GE(named, 5u);
}

TEST(settings, contradictions_are_problems) {
  EXPECT_THAT(problems_of(from_file("roles: []")), HasSubstr("roles: name at least one"));
  EXPECT_THAT(problems_of(from_file("roles: [node, node]")), HasSubstr("roles: node is named twice"));
  EXPECT_THAT(problems_of(from_file("api: {listen: []}")), HasSubstr("api.listen: the role gateway"));
  EXPECT_THAT(problems_of(from_file("edge: {relay_listen: ['unix:/run/x.sock']}")), HasSubstr("edge.relay_listen: other machines"));
  EXPECT_THAT(problems_of(from_file("edge: {relay_listen: ['0.0.0.0:7443']}")), HasSubstr("edge.relay_advertise: say under which address"));
  EXPECT_THAT(problems_of(from_file("edge: {relay_listen: ['0.0.0.0:7443'], relay_advertise: edge1.example}")), HasSubstr("edge.relay_advertise: \"edge1.example\""));
  EXPECT_EQ(problems_of(from_file("edge: {relay_listen: ['0.0.0.0:7443'], relay_advertise: 'edge1.example:7443'}")), "");
  EXPECT_THAT(problems_of(from_file("placement: {cpu: 0%, memory: 0%, containers: 0%}")), HasSubstr("placement.cpu"));
  EXPECT_THAT(problems_of(from_file("reaper: {window: 5s}")), HasSubstr("reaper.window"));
  EXPECT_THAT(problems_of(from_file("edge: {connections: 10}")), HasSubstr("edge.connections_per_source"));
  auto in = some();
  in.host_name = "not a name";
  EXPECT_THAT(problems_of(load_settings(in)), HasSubstr("give --node NAME"));
}

TEST(settings, engines_and_urls_are_judged) {
  auto in = some();
  in.environment["DOCKER_HOST"] = "tcp://10.0.0.1:2375";
  EXPECT_THAT(problems_of(load_settings(in)), HasSubstr("DOCKER_HOST: an engine over TCP is refused"));
  in.environment["DOCKER_HOST"] = "unix:///a/docker.sock";
  EXPECT_EQ(load_settings(in).values.engine, "unix:///a/docker.sock");
  in.environment["POSEIDON_ENGINE"] = "unix:///other.sock";
  EXPECT_EQ(load_settings(in).values.engine, "unix:///other.sock");
  for (auto bad : {"https://ctf.example", "https://x.{label}.ctf.example", "ftp://{label}.x", "https://{label}.x/path",
                   "{label}.x", "https://{label}.{label}.x"})
    EXPECT_THAT(problems_of(from_file(file_with("edge.public_url", bad))), HasSubstr("edge.public_url")) << bad;
  auto l = from_file("edge: {public_url: \"https://{label}.ctf.example:8443\"}");
  EXPECT_EQ(problems_of(l), "");
  EXPECT_EQ(host_pattern(l.values.edge), "{label}.ctf.example");
  EXPECT_EQ(host_pattern(settings{}.edge), "{label}.localhost");
}

TEST(settings, what_is_probably_not_meant_is_warned_about) {
  EXPECT_THAT(warnings_of("edge: {listen: '0.0.0.0:8081'}"), HasSubstr("edge.listen is open"));
  EXPECT_EQ(warnings_of("edge: {listen: '0.0.0.0:8081', domain: 203-0-113-7.sslip.io}"), "");
  std::string public_edge = "edge: {public_url: 'https://{label}.ctf.example'}\n";
  EXPECT_THAT(warnings_of(public_edge + "api: {public_url: 'https://api.ctf.example'}"), HasSubstr("cookies"));
  EXPECT_EQ(warnings_of(public_edge + "api: {public_url: 'https://api.example'}"), "");
  EXPECT_THAT(warnings_of("api: {listen: '0.0.0.0:8080'}"), HasSubstr("without TLS"));
  EXPECT_EQ(warnings_of("api: {listen: '0.0.0.0:8080', public_url: 'https://api.example'}"), "");
  auto in = some();
  in.environment = {{"POSEIDON_EDGE_DOMIAN", "x"}, {"POSEIDON_KEY", "k"}, {"POSEIDON_TEST_ENGINE", "x"}};
  auto l = load_settings(in);
  ASSERT_EQ(l.warnings.size(), 1u);
  EXPECT_THAT(l.warnings[0], HasSubstr("did you mean POSEIDON_EDGE_DOMAIN?"));
}

TEST(settings, the_list_shows_values_sources_and_no_secret) {
  auto in = some();
  in.environment["POSEIDON_API_ADMIN_KEY"] = "topsecret";
  in.flags = {"--domain", "ctf.example"};
  auto views = list_settings(load_settings(in));
  ASSERT_EQ(views.size(), settings_table().size());
  std::map<std::string, setting_view> by_name;
  for (auto& v : views) {
    EXPECT_EQ((v.value + v.default_value).find("topsecret"), std::string::npos);
    by_name[v.name] = v;
  }
  EXPECT_EQ(by_name["api.admin_key"].value, "***");
  EXPECT_TRUE(by_name["api.admin_key"].secret);
  EXPECT_EQ(by_name["edge.domain"].value, "ctf.example");
  EXPECT_EQ(by_name["edge.domain"].default_value, "localhost");
  EXPECT_EQ(by_name["edge.domain"].source, setting_source::flag);
}

TEST(settings, only_live_ones_change_while_running) {
  settings s;
  EXPECT_EQ(set_live(s, "limits.per_owner", 7), std::nullopt);
  EXPECT_EQ(s.limits.per_owner, 7u);
  EXPECT_EQ(set_live(s, "api.cors_origins", nlohmann::json::array({"https://a.example"})), std::nullopt);
  EXPECT_THAT(set_live(s, "data", "/x")->detail, HasSubstr("can't change while running"));
  EXPECT_THAT(set_live(s, "limits.per_ownr", 7)->detail, HasSubstr("did you mean limits.per_owner?"));
  EXPECT_TRUE(set_live(s, "limits.per_owner", "many").has_value());
  EXPECT_TRUE(set_live(s, "limits.per_owner", nullptr).has_value());
  EXPECT_EQ(set_live(s, "placement.cpu", "0%"), std::nullopt);
  EXPECT_EQ(set_live(s, "placement.memory", "0%"), std::nullopt);
  EXPECT_TRUE(set_live(s, "placement.containers", "0%").has_value());
  EXPECT_EQ(s.placement.containers, percent{20});
}

TEST(settings, the_file_is_found_and_read) {
  EXPECT_EQ(settings_file({"--data", "x", "--config", "a.yml"}, {{"POSEIDON_CONFIG", "b.yml"}}), "a.yml");
  EXPECT_EQ(settings_file({"--config=c.yml"}, {}), "c.yml");
  EXPECT_EQ(settings_file({}, {{"POSEIDON_CONFIG", "b.yml"}}), "b.yml");
  EXPECT_EQ(settings_file({}, {}), std::nullopt);
  EXPECT_FALSE(read_settings_file("/nowhere/poseidon.yml"));
  EXPECT_FALSE(read_settings_file("/"));
}

TEST(settings, nats_on_another_machine_needs_tls_and_a_user) {
  const auto nats = [](std::string text) { return problems_of(from_file("nats: {" + text + "}")); };
  EXPECT_EQ(nats("urls: [nats://127.0.0.1:4222, 'nats://[::1]:4222', nats://localhost]"), "");
  EXPECT_NE(nats("urls: nats://10.0.0.7:4222").find("tls://"), std::string::npos);
  EXPECT_NE(nats("urls: tls://10.0.0.7:4222").find("nats.credentials"), std::string::npos);
  EXPECT_EQ(nats("urls: tls://nats.example:4222, credentials: /etc/poseidon/nats.creds"), "");
  EXPECT_EQ(nats("urls: tls://nats.example:4222, user: poseidon, password: x"), "");
  EXPECT_NE(nats("credentials: a, user: b").find("nats.user"), std::string::npos);
  EXPECT_NE(nats("replicas: 2").find("1, 3 or 5"), std::string::npos);
  EXPECT_NE(nats("urls: http://127.0.0.1").find("nats://127.0.0.1:4222"), std::string::npos);
  EXPECT_NE(nats("urls: nats://me:secret@127.0.0.1").find("nats.user"), std::string::npos);
  EXPECT_EQ(nats("urls: nats://me:secret@127.0.0.1").find("secret"), std::string::npos);
}

TEST(settings, the_shipped_example_is_what_the_table_says_and_loads) {
  auto text = read_settings_file(poseidon::test::source_folder() + "/config/examples/poseidon.yml");
  ASSERT_TRUE(text) << text.error.detail;
  EXPECT_EQ(*text, example_file()) << "regenerate it: poseidon config --example > config/examples/poseidon.yml";
  EXPECT_EQ(problems_of(from_file(*text)), "");
  // With every setting uncommented it still loads, and says the defaults.
  std::istringstream lines(*text);
  std::string uncommented, line;
  while (std::getline(lines, line)) {
    auto mark = line.find('#');
    if (mark != std::string::npos && mark + 1 < line.size() && line[mark + 1] != ' ') line.erase(mark, 1);
    uncommented += line + "\n";
  }
  auto node = uncommented.find("node: \"\"");
  ASSERT_NE(node, std::string::npos);
  uncommented.replace(node, 8, "node: box");
  auto l = from_file(uncommented);
  EXPECT_EQ(problems_of(l), "");
  EXPECT_EQ(l.sources.size(), settings_table().size());
  settings defaults;
  defaults.node = "box";
  for (auto& row : settings_table())
    EXPECT_EQ(row.text(l.values), row.text(defaults)) << row.name;
}

TEST(settings, help_names_every_flag) {
  auto help = flags_help();
  for (auto flag : {"--config", "--data", "--api", "--edge", "--domain", "--challenges", "--engine", "--roles",
                    "--node", "--cluster", "--log-format", "--stop-instances-on-exit"})
    EXPECT_THAT(help, HasSubstr(flag));
}

TEST(settings, labels_of_a_node_have_a_name_and_a_value_each) {
  const std::map<std::string, std::string> wanted{{"gpu", "yes"}, {"zone", "eu/a"}};
  EXPECT_EQ(labels_of(from_file("labels: [gpu=yes, zone=eu/a]").values), wanted);
  EXPECT_TRUE(labels_of({}).empty());
  EXPECT_THAT(problems_of(from_file("labels: [gpu]")), HasSubstr("is not a label, like gpu=yes"));
  EXPECT_THAT(problems_of(from_file("labels: [gpu=]")), HasSubstr("is not a label"));
  EXPECT_THAT(problems_of(from_file("labels: [gpu=a, gpu=b]")), HasSubstr("one name is given twice"));
  EXPECT_THAT(problems_of(from_file("placement: {strategy: tight}")), HasSubstr("none of spread, pack"));
}

} // namespace
} // namespace poseidon::config
