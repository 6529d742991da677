// Names, labels, bodies and replies: what we send, and how we read what comes back.

#include "nodes/runtime/engine/create_body.hpp"
#include "nodes/runtime/engine/replies.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace poseidon::engine {

namespace {

using nlohmann::json;

launch_plan sample(instance_spec spec = {}) {
  if (spec.services.empty()) spec.services.emplace_back();
  for (auto& service : spec.services)
    service.image = "web:1";
  launch_plan plan;
  plan.key.instance.value = "abc";
  plan.key.epoch.incarnation = 1;
  plan.key.epoch.sequence = 5;
  plan.key.epoch.entry = {1, 2};
  plan.spec = std::make_shared<instance_spec>(std::move(spec));
  plan.owner = "team:7";
  plan.challenge = "hello";
  plan.slot = "team:7/hello";
  plan.host = "h.localhost";
  plan.url = "http://h.localhost/";
  plan.user = "Zoë";
  plan.team = "7";
  plan.created_at = wall_time{0};
  plan.expires_max = wall_time{60'000};
  return plan;
}

create_options usual() {
  create_options options;
  options.owner = {"c", "n"};
  options.instance_folder = "/data/instances/x";
  return options;
}

json body_of(const launch_plan& plan, std::size_t service = 0, const create_options& options = usual()) {
  auto body = create_body(plan, service, options);
  EXPECT_TRUE(body) << body.error.detail;
  return json::parse(body.value.value_or("{}"));
}

bool holds(const json& array, const std::string& text) {
  return std::find(array.begin(), array.end(), text) != array.end();
}

TEST(names, depend_on_everything_that_tells_groups_apart) {
  auto key = sample().key;
  auto name = container_name({"c", "n"}, key, "main");
  EXPECT_EQ(name.size(), 29u);
  EXPECT_TRUE(name.starts_with("poseidon-"));
  EXPECT_EQ(name, container_name({"c", "n"}, key, "main"));
  auto other = key;
  other.epoch.sequence = 6;
  for (auto& different : {container_name({"d", "n"}, key, "main"), container_name({"c", "m"}, key, "main"),
                          container_name({"c", "n"}, key, "db"), container_name({"c", "n"}, other, "main"),
                          group_name({"c", "n"}, key), volume_name({"c", "n"}, key, "main")})
    EXPECT_NE(name, different);
  EXPECT_NE(container_name({"ab", "c"}, key, "x"), container_name({"a", "bc"}, key, "x"));
}

TEST(names, labels_lead_back_to_the_group) {
  auto plan = sample();
  auto all = container_labels({"c", "n"}, plan, 0);
  EXPECT_EQ(group_of({"c", "n"}, all), plan.key);
  EXPECT_FALSE(group_of({"c", "other"}, all));
  EXPECT_FALSE(group_of({"other", "n"}, all));
  EXPECT_FALSE(group_of({"c", "n"}, {}));
  all[labels::epoch] = "nonsense";
  EXPECT_FALSE(group_of({"c", "n"}, all));
  for (auto name :
       {labels::cluster, labels::node, labels::instance, labels::slot, labels::owner, labels::challenge, labels::epoch,
        labels::service, labels::host, labels::created_at, labels::expires_max, labels::schema})
    EXPECT_TRUE(all.count(name)) << name;
}

TEST(names, ports_survive_the_label) {
  std::vector<port_spec> ports{{80, port_protocol::http, "web"}, {22, port_protocol::tcp, "ssh/x"}};
  EXPECT_EQ(ports_from_label(ports_to_label(ports)), ports);
  EXPECT_TRUE(ports_from_label("").empty());
  EXPECT_TRUE(ports_from_label("x,1/y/z,99999999/tcp/a,//,80").empty());
}

TEST(create_body, isolated_by_default) {
  auto body = body_of(sample());
  EXPECT_EQ(body["NetworkDisabled"], true);
  EXPECT_EQ(body["HostConfig"]["NetworkMode"], "none");
  EXPECT_EQ(body["HostConfig"]["AutoRemove"], false);
  EXPECT_EQ(body["HostConfig"]["RestartPolicy"]["Name"], "no");
  EXPECT_EQ(body["HostConfig"]["Privileged"], false);
  EXPECT_EQ(body["HostConfig"]["PublishAllPorts"], false);
  EXPECT_EQ(body["HostConfig"]["LogConfig"]["Type"], "json-file");
  EXPECT_FALSE(body["HostConfig"]["LogConfig"]["Config"]["max-size"].get<std::string>().empty());
  EXPECT_EQ(body["Healthcheck"]["Test"], json::array({"NONE"}));
}

TEST(create_body, security_profiles) {
  instance_spec spec;
  spec.services.emplace_back();
  spec.services[0].capabilities = {"NET_BIND_SERVICE"};
  auto usual_profile = body_of(sample(spec))["HostConfig"];
  EXPECT_EQ(usual_profile["CapDrop"], json::array({"ALL"}));
  EXPECT_EQ(usual_profile["CapAdd"], json::array({"NET_BIND_SERVICE"}));
  EXPECT_TRUE(holds(usual_profile["SecurityOpt"], "no-new-privileges:true"));
  EXPECT_EQ(usual_profile["ReadonlyRootfs"], false);
  spec.services[0].no_new_privileges = false;
  EXPECT_TRUE(body_of(sample(spec))["HostConfig"]["SecurityOpt"].empty());
  spec.services[0].security = security_mode::docker;
  EXPECT_FALSE(body_of(sample(spec))["HostConfig"].contains("CapDrop"));
  spec.services[0].security = security_mode::strict;
  auto strict = body_of(sample(spec));
  EXPECT_EQ(strict["HostConfig"]["ReadonlyRootfs"], true);
  EXPECT_TRUE(holds(strict["HostConfig"]["SecurityOpt"], "no-new-privileges:true"));
  EXPECT_EQ(strict["User"], "65534:65534");
}

TEST(create_body, strict_keeps_a_users_image_and_refuses_root) {
  instance_spec spec;
  spec.services.emplace_back();
  spec.services[0].security = security_mode::strict;
  EXPECT_TRUE(needs_image_user(spec.services[0]));
  auto options = usual();
  options.image_user = "app";
  EXPECT_FALSE(body_of(sample(spec), 0, options).contains("User"));
  for (auto root : {"root", "0", "0:0", "root:1000"}) {
    spec.services[0].user = root;
    EXPECT_EQ(create_body(sample(spec), 0, usual()).error.code, errc::invalid_spec) << root;
  }
  spec.services[0].user = "1000";
  EXPECT_FALSE(needs_image_user(spec.services[0]));
  EXPECT_EQ(body_of(sample(spec))["User"], "1000");
}

TEST(create_body, limits_are_ceilings) {
  instance_spec spec;
  spec.services.emplace_back();
  auto& limits = spec.services[0].limits;
  limits.memory_bytes = 64 << 20;
  limits.cpu_millis = 250;
  limits.pids = 64;
  limits.disk_bytes = 1 << 30;
  auto host = body_of(sample(spec))["HostConfig"];
  EXPECT_EQ(host["Memory"], 64 << 20);
  EXPECT_EQ(host["MemorySwap"], 64 << 20);
  EXPECT_EQ(host["NanoCpus"], 250'000'000);
  EXPECT_EQ(host["PidsLimit"], 64);
  EXPECT_FALSE(host.contains("StorageOpt")) << "only where the storage can";
  auto options = usual();
  options.disk_limits = true;
  EXPECT_EQ(body_of(sample(spec), 0, options)["HostConfig"]["StorageOpt"]["size"], "1073741824");
  options.open_files = 0;
  auto ulimits = body_of(sample(spec), 0, options)["HostConfig"]["Ulimits"];
  ASSERT_EQ(ulimits.size(), 1u);
  EXPECT_EQ(ulimits[0]["Name"], "core");
}

TEST(create_body, gvisor_has_its_own_spelling) {
  instance_spec spec;
  spec.services.emplace_back();
  spec.services[0].runtime = "runsc";
  auto body = body_of(sample(spec));
  EXPECT_FALSE(body.contains("NetworkDisabled"));
  EXPECT_EQ(body["HostConfig"]["NetworkMode"], "none");
  EXPECT_EQ(body["HostConfig"]["PidsLimit"], 512);
  EXPECT_EQ(body["HostConfig"]["Runtime"], "runsc");
  // The same when it is the node's own.
  spec.services[0].runtime.clear();
  EXPECT_FALSE(body_of(sample(spec))["HostConfig"].contains("Runtime"));
  auto options = usual();
  options.oci_runtime = "runsc";
  EXPECT_EQ(body_of(sample(spec), 0, options), body);
}

TEST(create_body, what_the_spec_asks_for) {
  instance_spec spec;
  spec.services.emplace_back();
  auto& service = spec.services[0];
  service.command = {"httpd", "-f"};
  service.environment = {{"MODE", "ctf"}, {"POSEIDON_USER", "mallory"}};
  service.tmpfs = {"/tmp", "/run:size=1m"};
  service.init = true;
  service.stop_signal = "SIGINT";
  service.user = "1000:1000";
  service.volumes = {{"work", "/home"}};
  service.health.kind = health_kind::image;
  auto plan = sample(spec);
  auto body = body_of(plan);
  EXPECT_EQ(body["Cmd"], json::array({"httpd", "-f"}));
  EXPECT_EQ(body["User"], "1000:1000");
  EXPECT_EQ(body["StopSignal"], "SIGINT");
  EXPECT_EQ(body["HostConfig"]["Init"], true);
  EXPECT_EQ(body["HostConfig"]["Tmpfs"], (json{{"/tmp", ""}, {"/run", "size=1m"}}));
  EXPECT_FALSE(body.contains("Healthcheck")) << "the image's own";
  for (auto entry : {"MODE=ctf", "POSEIDON_INSTANCE=abc", "POSEIDON_CHALLENGE=hello", "POSEIDON_USER=Zoë",
                     "POSEIDON_TEAM=7", "POSEIDON_URL=http://h.localhost/"})
    EXPECT_TRUE(holds(body["Env"], entry)) << entry;
  EXPECT_FALSE(holds(body["Env"], "POSEIDON_USER=mallory"));
  auto& mounts = body["HostConfig"]["Mounts"];
  ASSERT_EQ(mounts.size(), 2u);
  EXPECT_EQ(mounts[0]["Target"], "/run/poseidon");
  EXPECT_EQ(mounts[0]["ReadOnly"], true);
  EXPECT_EQ(mounts[1]["Source"], volume_name({"c", "n"}, plan.key, "work"));
  EXPECT_EQ(mounts[1]["VolumeOptions"]["Labels"][labels::cluster], "c");
}

TEST(create_body, a_flag_only_when_there_is_one) {
  auto plan = sample();
  auto has_flag = [](const json& body) {
    return std::any_of(body["Env"].begin(), body["Env"].end(),
                       [](auto& entry) { return entry.template get<std::string>().starts_with("POSEIDON_FLAG="); });
  };
  EXPECT_FALSE(has_flag(body_of(plan)));
  plan.flag = secret("flag{x}");
  EXPECT_TRUE(has_flag(body_of(plan)));
  EXPECT_EQ(instance_file(plan).find("flag{x}"), std::string::npos);
}

TEST(create_body, services_of_a_group_share_a_network) {
  instance_spec spec;
  spec.services.resize(2);
  spec.services[1].name = "db";
  auto options = usual();
  options.joins = "poseidon-first";
  auto joined = body_of(sample(spec), 1, options);
  EXPECT_EQ(joined["HostConfig"]["NetworkMode"], "container:poseidon-first");
  EXPECT_FALSE(joined.contains("NetworkDisabled"));
  options.network = "poseidon-net";
  auto bridged = body_of(sample(spec), 1, options);
  EXPECT_EQ(bridged["HostConfig"]["NetworkMode"], "poseidon-net");
  EXPECT_EQ(bridged["NetworkingConfig"]["EndpointsConfig"]["poseidon-net"]["Aliases"], json::array({"db"}));
}

TEST(network_body, internal_unless_egress_and_never_twice) {
  instance_spec spec;
  spec.network = network_mode::bridge;
  auto bridge = json::parse(network_body(sample(spec), {"c", "n"}, "10.201.0.16/28"));
  EXPECT_EQ(bridge["CheckDuplicate"], true);
  EXPECT_EQ(bridge["Internal"], true);
  EXPECT_EQ(bridge["IPAM"]["Config"][0]["Subnet"], "10.201.0.16/28");
  EXPECT_EQ(bridge["Labels"][labels::instance], "abc");
  EXPECT_LE(bridge["Options"]["com.docker.network.bridge.name"].get<std::string>().size(), 15u);
  spec.network = network_mode::egress;
  auto egress = json::parse(network_body(sample(spec), {"c", "n"}, ""));
  EXPECT_EQ(egress["Internal"], false);
  EXPECT_FALSE(egress.contains("IPAM"));
}

TEST(subnets, of_a_pool) {
  EXPECT_EQ(subnet_of("10.201.0.0/16", 0), "10.201.0.0/28");
  EXPECT_EQ(subnet_of("10.201.0.0/16", 17), "10.201.1.16/28");
  EXPECT_EQ(subnet_of("10.201.0.0/16", 4095), "10.201.255.240/28");
  EXPECT_EQ(subnet_of("10.201.0.0/16", 4096), "");
  EXPECT_EQ(subnet_of("10.201.0.0/28", 0), "10.201.0.0/28");
  for (auto pool : {"", "10.201.0.0", "x/16", "10.201.0.0/29", "10.201.0.0/4", "10.201.0.0/16x"})
    EXPECT_EQ(subnet_of(pool, 0), "") << pool;
}

TEST(instance_file, tells_the_deadline_when_there_is_one) {
  auto plan = sample();
  auto before = json::parse(instance_file(plan));
  EXPECT_EQ(before["instance"], "abc");
  EXPECT_EQ(before["user"], "Zoë");
  EXPECT_TRUE(before["expires_at"].is_null());
  plan.expires_at = wall_time{60'000};
  EXPECT_EQ(json::parse(instance_file(plan))["expires_at"], "1970-01-01T00:01:00.000Z");
}

TEST(replies, a_container) {
  auto container = parse_container(
      R"({"Id":"i","Name":"/n","State":{"Status":"running","Running":true,"Pid":7,"ExitCode":0,"OOMKilled":false,
      "Health":{"Status":"healthy"}},"Config":{"Image":"web:1","StopSignal":"SIGINT","ExposedPorts":{"8000/tcp":{},"53/udp":{}},
      "Healthcheck":{"Test":["CMD","x"]},"Labels":{"poseidon.service":"main"}},"HostConfig":{"NetworkMode":"none"}})");
  ASSERT_TRUE(container);
  auto state = to_service_state(*container);
  EXPECT_EQ(container->name, "n");
  EXPECT_EQ(state.service, "main");
  EXPECT_TRUE(state.running);
  EXPECT_TRUE(state.image_health);
  EXPECT_TRUE(state.healthy);
  EXPECT_EQ(state.where.pid, 7);
  EXPECT_EQ(state.where.port, 8000) << "the image's one exposed TCP port";
  for (auto text : {"", "[]", "{}", R"({"Id":5,"State":{}})", R"({"Id":"x","State":[]})"})
    EXPECT_FALSE(parse_container(text)) << text;
}

TEST(replies, no_port_when_the_image_exposes_two) {
  auto container = parse_container(R"({"Id":"i","State":{},"Config":{"ExposedPorts":{"80/tcp":{},"443/tcp":{}}}})");
  ASSERT_TRUE(container);
  EXPECT_EQ(to_service_state(*container).where.port, 0);
  EXPECT_TRUE(to_service_state(*container).ports.empty());
}

TEST(replies, lists) {
  auto containers =
      parse_container_list(R"([{"Id":"a","Names":["/x"],"State":"running","Created":5,"Labels":{"k":"v"}}])");
  ASSERT_TRUE(containers);
  EXPECT_EQ(containers->at(0).name, "x");
  EXPECT_EQ(containers->at(0).created_unix_ms, 5000);
  auto networks =
      parse_network_list(R"([{"Id":"a","Name":"n","Created":"2024-05-01T10:00:00.123456789+02:00","Labels":null}])");
  ASSERT_TRUE(networks);
  EXPECT_GT(networks->at(0).created_unix_ms, 1'700'000'000'000);
  auto volumes = parse_volume_list(
      R"({"Volumes":[{"Name":"v","CreatedAt":"2024-05-01T10:00:00+02:00","Labels":{}}],"Warnings":null})");
  ASSERT_TRUE(volumes);
  EXPECT_EQ(volumes->at(0).id, "v");
  EXPECT_TRUE(parse_volume_list(R"({"Volumes":null})")->empty());
  EXPECT_FALSE(parse_container_list("{}"));
  EXPECT_FALSE(parse_container_list("nonsense"));
}

TEST(replies, facts_of_an_engine) {
  auto facts =
      parse_facts(R"({"ServerVersion":"20.10.24","Driver":"overlay2","DriverStatus":[["Backing Filesystem","xfs"]],
      "SecurityOptions":["name=seccomp,profile=default","name=rootless"],"LiveRestoreEnabled":true,"MemTotal":1024,"NCPU":2})");
  ASSERT_TRUE(facts);
  EXPECT_TRUE(facts->rootless);
  EXPECT_TRUE(facts->live_restore);
  EXPECT_TRUE(facts->may_limit_disk());
  EXPECT_EQ(facts->cpus, 2u);
  EXPECT_FALSE(
      parse_facts(R"({"Driver":"overlay2","DriverStatus":[["Backing Filesystem","extfs"]]})")->may_limit_disk());
  EXPECT_EQ(parse_facts(R"({"Runtimes":{"runc":{"path":"runc"},"crun":{"path":"/usr/bin/crun"}}})")->runtimes,
            (std::set<std::string>{"crun", "runc"}));
  EXPECT_TRUE(parse_facts(R"({"Runtimes":null})")->runtimes.empty());
}

TEST(replies, stats_without_the_page_cache) {
  auto stats = parse_stats(R"({"memory_stats":{"usage":100,"limit":1000,"stats":{"total_inactive_file":30}},
      "cpu_stats":{"cpu_usage":{"total_usage":5}},"pids_stats":{"current":2}})");
  ASSERT_TRUE(stats);
  EXPECT_EQ(stats->memory_bytes, 70u);
  EXPECT_EQ(stats->memory_limit_bytes, 1000u);
  EXPECT_EQ(stats->cpu_usage_ns, 5u);
  EXPECT_EQ(stats->pids, 2u);
  EXPECT_EQ(parse_stats("{}")->memory_bytes, 0u);
}

} // namespace
} // namespace poseidon::engine
