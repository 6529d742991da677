// The pure parts of the engine's client.

#include "nodes/runtime/engine/address.hpp"
#include "nodes/runtime/engine/cgroup_path.hpp"
#include "nodes/runtime/engine/credentials.hpp"
#include "nodes/runtime/engine/error_map.hpp"
#include "nodes/runtime/engine/events.hpp"
#include "nodes/runtime/engine/image_reference.hpp"
#include "nodes/runtime/engine/log_frames.hpp"
#include "nodes/runtime/engine/probe_image.hpp"
#include "nodes/runtime/engine/process_watch.hpp"
#include "nodes/runtime/engine/pull_progress.hpp"
#include "nodes/runtime/engine/replies.hpp"
#include "nodes/runtime/engine/sizes.hpp"

#include <gtest/gtest.h>

#include <csignal>

namespace poseidon::engine {

namespace {

TEST(image_reference, takes_apart_what_the_engine_accepts) {
  auto plain = parse_image_reference("nginx");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->registry, "docker.io");
  EXPECT_EQ(plain->repository, "library/nginx");
  EXPECT_EQ(plain->pull_tag(), "latest");
  auto full = parse_image_reference("registry.example:5000/team/web:1.2");
  ASSERT_TRUE(full);
  EXPECT_EQ(full->registry, "registry.example:5000");
  EXPECT_EQ(full->repository, "team/web");
  EXPECT_EQ(full->tag, "1.2");
  EXPECT_EQ(full->pull_name(), "registry.example:5000/team/web");
  auto local = parse_image_reference("localhost/a");
  ASSERT_TRUE(local);
  EXPECT_EQ(local->registry, "localhost");
  auto user = parse_image_reference("user/a:x");
  ASSERT_TRUE(user);
  EXPECT_EQ(user->registry, "docker.io");
  EXPECT_EQ(user->repository, "user/a");
}

TEST(image_reference, has_one_full_name_however_it_is_written) {
  for (auto text : {"nginx", "nginx:latest", "library/nginx", "docker.io/library/nginx:latest", "index.docker.io/library/nginx"})
    EXPECT_EQ(parse_image_reference(text)->full_name(), "docker.io/library/nginx:latest") << text;
  EXPECT_EQ(parse_image_reference("r.example:5000/a:1")->full_name(), "r.example:5000/a:1");
  const std::string digest = "sha256:" + std::string(64, 'a');
  EXPECT_EQ(parse_image_reference("r.example/a:1@" + digest)->full_name(), "r.example/a@" + digest);
}

TEST(image_list, keeps_the_newest_tags_before_digests_and_passes_over_what_has_no_name) {
  const std::string digest = "sha256:" + std::string(64, 'a');
  const std::string body = R"([{"Created": 1, "RepoTags": ["old:1"], "RepoDigests": null},
                               {"Created": 3, "RepoTags": ["web:2", "<none>:<none>"], "RepoDigests": ["web@)" + digest + R"("]},
                               {"Created": 2, "RepoTags": null}, 5])";
  using names = std::vector<std::string>;
  EXPECT_EQ(*parse_image_list(body, 10), (names{"docker.io/library/old:1", "docker.io/library/web:2", "docker.io/library/web@" + digest}));
  EXPECT_EQ(*parse_image_list(body, 1), (names{"docker.io/library/web:2"}));
  EXPECT_EQ(*parse_image_list("[]", 10), names{});
  EXPECT_FALSE(parse_image_list("{}", 10));
}

TEST(image_reference, a_digest_is_the_tag_to_pull) {
  auto digest = "sha256:" + std::string(64, 'a');
  auto image = parse_image_reference("r.example/a:1@" + digest);
  ASSERT_TRUE(image);
  EXPECT_EQ(image->tag, "1");
  EXPECT_EQ(image->pull_tag(), digest);
  auto alone = parse_image_reference("a@" + digest);
  ASSERT_TRUE(alone);
  EXPECT_EQ(alone->tag, "");
}

TEST(image_reference, refuses_what_is_none) {
  for (auto text :
       {"", ":", "a:", "A", "a b", "r.example/", "/a", "a//b", "a@sha256:xyz", "a:-x", "r.example:5000/", "a:b/c:d e"})
    EXPECT_FALSE(parse_image_reference(text)) << text;
}

TEST(credentials, come_from_auths_in_each_spelling) {
  std::vector<field_problem> problems;
  auto logins = parse_logins(R"({"auths": {
      "https://index.docker.io/v1/": {"auth": "YWxpY2U6czNjOnJldA=="},
      "registry.example:5000": {"username": "bob", "password": "pw"},
      "ghcr.example": {"auth": "", "identitytoken": "tok"}}})",
                             problems);
  EXPECT_TRUE(problems.empty());
  ASSERT_EQ(logins.size(), 3u);
  EXPECT_EQ(logins["docker.io"].user, "alice");
  EXPECT_EQ(logins["docker.io"].password.reveal(), "s3c:ret");
  EXPECT_EQ(logins["registry.example:5000"].user, "bob");
  EXPECT_EQ(logins["ghcr.example"].identity_token.reveal(), "tok");
}

TEST(credentials, problems_leave_the_rest_usable_and_tell_no_secret) {
  std::vector<field_problem> problems;
  auto logins = parse_logins(R"({"credsStore": "secretservice", "auths": {"a.example": {}, "b.example": {"auth": "!!"},
      "c.example": {"auth": "bm9jb2xvbg=="}, "d.example": 5, "e.example": {"auth": "dTpwdw=="}}})",
                             problems);
  EXPECT_EQ(logins.size(), 1u);
  EXPECT_EQ(problems.size(), 5u);
  for (auto& problem : problems)
    EXPECT_EQ(problem.detail.find("pw"), std::string::npos);
  problems.clear();
  EXPECT_TRUE(parse_logins("nonsense", problems).empty());
  EXPECT_EQ(problems.size(), 1u);
}

TEST(credentials, header_is_url_safe_base64_of_json) {
  registry_login login{"r.example", "u?>>", secret("p"), {}};
  auto header = auth_header(login).reveal();
  EXPECT_EQ(header.find_first_of("+/"), std::string::npos);
  std::string plain;
  ASSERT_TRUE(base64_decode(header, plain));
  EXPECT_NE(plain.find(R"("username":"u?>>")"), std::string::npos);
}

TEST(base64, round_trips_every_length) {
  std::string bytes;
  for (int i = 0; i < 300; ++i) {
    std::string back;
    ASSERT_TRUE(base64_decode(base64_encode(bytes, i % 2), back));
    ASSERT_EQ(back, bytes);
    bytes += static_cast<char>(i * 7);
  }
  std::string out;
  EXPECT_FALSE(base64_decode("a", out));
  EXPECT_FALSE(base64_decode("ab c", out));
}

struct error_row {
  engine_call call;
  unsigned status;
  const char* message;
  errc expected;
};

TEST(error_map, each_answer_of_an_engine_is_one_error) {
  const error_row rows[] = {
      {engine_call::create, 404, "No such image: nowhere:1", errc::image_missing},
      {engine_call::create, 409, R"(Conflict. The container name "/x" is already in use by container "abc".)",
       errc::name_conflict},
      {engine_call::create, 500,
       R"(container create: creating container storage: the container name "x" is already in use by abc)",
       errc::name_conflict},
      {engine_call::create, 400, "invalid reference format", errc::invalid_spec},
      {engine_call::create, 400, "Minimum memory limit allowed is 6MB", errc::invalid_spec},
      {engine_call::create, 400, "Unknown runtime specified foo", errc::invalid_spec},
      {engine_call::create, 500, "mkdir /var/lib/docker/overlay2/x: no space left on device", errc::no_space},
      {engine_call::create, 500, "something else", errc::engine_error},
      {engine_call::start, 500, "write /x: disk quota exceeded", errc::no_space},
      {engine_call::start, 400,
       R"(OCI runtime create failed: container_linux.go:380: starting container process caused: exec: "nope": executable file not found in $PATH: unknown)",
       errc::start_refused},
      {engine_call::start, 400,
       "failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: "
       "container init was OOM-killed (memory limit too low?): unknown",
       errc::out_of_memory},
      {engine_call::start, 500, "fork/exec: cannot allocate memory", errc::out_of_memory},
      {engine_call::start, 500, "error setting rlimit type 7: operation not permitted: unknown",
       errc::operation_not_permitted},
      {engine_call::start, 404, "network abc not found", errc::engine_error},
      {engine_call::start, 500, "driver failed programming external connectivity", errc::engine_error},
      {engine_call::pull, 404, "manifest for r.example/a:1 not found: manifest unknown: manifest unknown",
       errc::image_missing},
      {engine_call::pull, 404,
       "pull access denied for a, repository does not exist or may require 'docker login': denied: requested access to "
       "the resource is denied",
       errc::image_denied},
      {engine_call::pull, 500, "Head \"http://r.example/v2/a/manifests/1\": no basic auth credentials",
       errc::image_denied},
      {engine_call::pull, 500, "unauthorized: authentication required", errc::image_denied},
      {engine_call::pull, 500, "dial tcp 127.0.0.1:1: connect: connection refused", errc::image_pull_failed},
      {engine_call::pull, 0, "write /var/lib/docker/tmp/x: no space left on device", errc::no_space},
      {engine_call::network, 409, "network with name x already exists", errc::name_conflict},
      {engine_call::network, 500, "could not find an available, non-overlapping IPv4 address pool", errc::engine_error},
      {engine_call::inspect, 404, "No such container: x", errc::unknown_instance},
      {engine_call::other, 500, "json: cannot unmarshal", errc::engine_error},
  };
  for (auto& row : rows) {
    auto mapped = map_error(row.call, row.status, row.message, "");
    EXPECT_EQ(mapped.code, row.expected) << row.message << " became " << to_string(mapped.code);
    EXPECT_NE(mapped.detail.find(row.message), std::string::npos);
  }
  EXPECT_TRUE(map_error(engine_call::pull, 429, "toomanyrequests: slow down", "").retry_after_ms);
}

TEST(error_map, a_process_that_the_engine_does_not_know_is_told_from_other_clashes) {
  EXPECT_TRUE(means_leftover("task e628d438: already exists: unknown"));
  EXPECT_TRUE(means_leftover("id already in use"));
  EXPECT_TRUE(means_leftover("runc create failed: container with given ID already exists"));
  EXPECT_TRUE(means_leftover("failed to start shim: mkdir /run/x/moby/c9fd0bfd: file exists: unknown"));
  EXPECT_FALSE(means_leftover("failed to start shim: no such file"));
  EXPECT_FALSE(means_leftover("endpoint with name poseidon-1 already exists in network poseidon-2"));
  EXPECT_FALSE(means_leftover("The container name \"/x\" is already in use by container \"abc\""));
  EXPECT_FALSE(means_leftover("OCI runtime create failed: no such file or directory"));
}

TEST(error_map, not_permitted_names_the_setting_to_try) {
  EXPECT_NE(map_early_exit(1, false, "", "nginx: bind() to 0.0.0.0:80 failed (13: Permission denied)")
                .detail.find("NET_BIND_SERVICE"),
            std::string::npos);
  EXPECT_NE(map_early_exit(1, false, "", "chown(/var/run) failed (1: Operation not permitted)").detail.find("CHOWN"),
            std::string::npos);
  EXPECT_NE(map_early_exit(1, false, "", "open /x: Read-only file system").detail.find("read_only"), std::string::npos);
  EXPECT_NE(map_early_exit(1, false, "", "mount: Operation not permitted").detail.find("security: docker"),
            std::string::npos);
  EXPECT_EQ(map_early_exit(1, false, "", "mount: Operation not permitted").code, errc::operation_not_permitted);
}

TEST(error_map, early_exits) {
  auto plain = map_early_exit(3, false, "", "boom\n");
  EXPECT_EQ(plain.code, errc::exited_at_start);
  EXPECT_EQ(plain.log_tail, "boom\n");
  EXPECT_NE(plain.detail.find("code 3"), std::string::npos);
  EXPECT_EQ(map_early_exit(137, true, "", "").code, errc::out_of_memory);
}

TEST(error_map, words_of_a_body) {
  EXPECT_EQ(error_message(R"({"message":"no"})"), "no");
  EXPECT_EQ(error_message(R"({"cause":"c","response":500})"), "c");
  EXPECT_EQ(error_message("plain words\n"), "plain words");
  EXPECT_EQ(error_message(""), "");
}

TEST(json_splitter, cuts_at_every_place) {
  std::string stream = R"({"a":"}{\"\\"})"
                       "\r\n"
                       R"({"b":{"c":1}}{"d":2})";
  std::vector<std::string> whole = json_splitter().feed(stream);
  ASSERT_EQ(whole.size(), 3u);
  EXPECT_EQ(whole[0], R"({"a":"}{\"\\"})");
  for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
    json_splitter splitter;
    auto parts = splitter.feed(std::string_view(stream).substr(0, cut));
    for (auto& part : splitter.feed(std::string_view(stream).substr(cut)))
      parts.push_back(part);
    ASSERT_EQ(parts, whole) << cut;
  }
}

TEST(json_splitter, drops_what_is_too_long_and_goes_on) {
  json_splitter splitter(16);
  EXPECT_TRUE(splitter.feed(R"({"x":"aaaaaaaaaaaaaaaaaaaaaaaa"})").empty());
  EXPECT_EQ(splitter.feed(R"({"y":1})").size(), 1u);
  EXPECT_EQ(splitter.dropped(), 1u);
}

TEST(events, of_old_and_new_engines_read_the_same) {
  auto old =
      parse_event(R"({"status":"die","id":"abc","from":"img","Type":"container","Action":"die","Actor":{"ID":"abc",
      "Attributes":{"exitCode":"3","poseidon.cluster":"c"}},"scope":"local","time":1,"timeNano":1})");
  auto modern =
      parse_event(R"({"Type":"container","Action":"die","Actor":{"ID":"abc","Attributes":{"exitCode":"3"}},"time":1})");
  auto podman = parse_event(
      R"({"Type":"container","Action":"died","Actor":{"ID":"abc","Attributes":{"containerExitCode":"3"}}})");
  for (auto& event : {old, modern, podman}) {
    ASSERT_TRUE(event);
    EXPECT_EQ(event->action, "die");
    EXPECT_EQ(event->id, "abc");
    EXPECT_EQ(event->exit_code, 3);
  }
  EXPECT_EQ(parse_event(R"({"Type":"container","Action":"remove","Actor":{"ID":"abc"}})")->action, "destroy");
  EXPECT_FALSE(parse_event(R"({"Type":"network","Action":"connect","Actor":{"ID":"abc"}})"));
  EXPECT_FALSE(parse_event("{}"));
  EXPECT_FALSE(parse_event("nonsense"));
}

TEST(cgroup_path, finds_the_container_in_every_form) {
  std::string id(64, 'a');
  id.replace(0, 4, "0123");
  const std::string forms[] = {
      "12:pids:/docker/" + id + "\n1:name=systemd:/docker/" + id + "\n0::/system.slice/containerd.service\n",
      "0::/docker/" + id + "\n",
      "0::/system.slice/docker-" + id + ".scope\n",
      "4:memory:/system.slice/docker-" + id + ".scope\n",
      "0::/machine.slice/libpod-" + id + ".scope/container\n",
      "0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-" + id + ".scope\n",
      "5:devices:/outer/docker/" + std::string(64, 'b') + "/docker/" + id + "\n",
      "0::/../" + id + "\n",
  };
  for (auto& form : forms)
    EXPECT_EQ(cgroup_part(form, id), id) << form;
  auto other = "0::/docker/" + std::string(64, 'c') + "\n";
  EXPECT_EQ(cgroup_part(other, id), "");
  EXPECT_TRUE(names_a_container(other));
  EXPECT_EQ(cgroup_part("0::/\n", id), "");
  EXPECT_FALSE(names_a_container("0::/\n"));
  EXPECT_EQ(cgroup_part(forms[0], ""), "");
}

TEST(cgroup_path, start_ticks_despite_odd_names) {
  std::string rest;
  for (int i = 3; i <= 30; ++i)
    rest += " " + std::to_string(i * 10);
  EXPECT_EQ(start_ticks_of("42 (httpd)" + rest), 220u);
  EXPECT_EQ(start_ticks_of("42 (a) b (c) d)" + rest + "\n"), 220u);
  EXPECT_FALSE(start_ticks_of("42 (httpd) 1 2 3"));
  EXPECT_FALSE(start_ticks_of(""));
}

std::string frame(char stream, const std::string& text) {
  std::string head{stream, 0, 0, 0, 0, 0, static_cast<char>(text.size() >> 8), static_cast<char>(text.size())};
  return head + text;
}

TEST(log_frames, come_apart_at_every_cut) {
  auto stream = frame(1, "out\n") + frame(2, "err\n") + frame(1, "") + frame(1, std::string(700, 'x'));
  for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
    log_demux demux;
    std::string out, err;
    for (auto part : {std::string_view(stream).substr(0, cut), std::string_view(stream).substr(cut)})
      for (auto& piece : demux.feed(part))
        (piece.error_stream ? err : out) += piece.text;
    ASSERT_EQ(out, "out\n" + std::string(700, 'x')) << cut;
    ASSERT_EQ(err, "err\n") << cut;
  }
}

TEST(log_frames, a_terminals_stream_passes) {
  log_demux demux;
  std::string text;
  for (auto part : {"h", "ello\n", "\x01 odd"})
    for (auto& piece : demux.feed(part))
      text += piece.text;
  EXPECT_EQ(text, "hello\n\x01 odd");
}

TEST(log_stamps, are_taken_off_and_the_moment_after_is_told) {
  auto frame = [](int stream, const std::string& text) {
    std::string head{static_cast<char>(stream), 0, 0, 0, 0, 0, 0, static_cast<char>(text.size())};
    return head + text;
  };
  const std::string first = "2026-01-02T03:04:05.123456789Z ", second = "2026-01-02T03:04:06Z ";
  const auto bytes = frame(1, first + "one and ") + frame(2, second + "two\n");
  for (std::size_t cut = 1; cut < bytes.size(); ++cut) { // wherever the engine cuts
    log_demux demux(true);
    std::string out, error;
    for (auto part : {bytes.substr(0, cut), bytes.substr(cut)})
      for (auto& piece : demux.feed(part)) (piece.error_stream ? error : out) += piece.text;
    EXPECT_EQ(out, "one and ") << cut;
    EXPECT_EQ(error, "two\n") << cut;
    EXPECT_EQ(demux.last_stamp(), "2026-01-02T03:04:06Z");
  }
  log_demux raw(true); // with a terminal: no frames, a stamp at every line
  std::string out;
  for (auto& piece : raw.feed(first + "one\n" + second + "two\n")) out += piece.text;
  EXPECT_EQ(out, "one\ntwo\n");
  EXPECT_EQ(moment_after("2026-01-02T03:04:05.123456789Z"), "1767323045.123456790");
  EXPECT_EQ(moment_after("2026-01-02T03:04:05.999999999Z"), "1767323046.000000000");
  EXPECT_EQ(moment_after("2026-01-02T03:04:05.5Z"), "1767323045.500000001");
  EXPECT_EQ(moment_after("2026-01-02T03:04:05Z"), "1767323045.000000001");
  for (auto* none : {"", "x", "2026-01-02T03:04:05", "2026-01-02T03:04:05.5+01:00"}) EXPECT_EQ(moment_after(none), "") << none;
}

TEST(log_frames, tail) {
  EXPECT_EQ(tail_of("a\nb\nc\n", 2, 100), "b\nc\n");
  EXPECT_EQ(tail_of("a\nb\nc", 1, 100), "c");
  EXPECT_EQ(tail_of("a\nb", 9, 100), "a\nb");
  EXPECT_EQ(tail_of("", 2, 100), "");
  EXPECT_EQ(tail_of(std::string(500, 'x'), 2, 100).size(), 100u);
}

TEST(sizes, as_docker_spells_them) {
  EXPECT_EQ(parse_size("1024"), 1024u);
  EXPECT_EQ(parse_size("512m"), 512u << 20);
  EXPECT_EQ(parse_size("512MiB"), 512u << 20);
  EXPECT_EQ(parse_size("512 MB"), 512u << 20);
  EXPECT_EQ(parse_size("1.5g"), 3u << 29);
  EXPECT_EQ(parse_size("0"), 0u);
  for (auto text : {"", "x", "-1", "5x", "5mm", "1e3", "m", "99999999P", "nan", "inf", "5mib5"})
    EXPECT_FALSE(parse_size(text)) << text;
  EXPECT_EQ(format_size(512u << 20), "512 MiB");
  EXPECT_EQ(format_size(3u << 29), "1.5 GiB");
  EXPECT_EQ(format_size(7), "7 B");
}

TEST(pull_progress, rises_to_a_hundred) {
  pull_progress pull;
  EXPECT_FALSE(pull.feed(R"({"status":"Pulling from team/web","id":"1"})"));
  pull.feed(R"({"status":"Pulling fs layer","progressDetail":{},"id":"a"})");
  pull.feed(R"({"status":"Pulling fs layer","progressDetail":{},"id":"b"})");
  EXPECT_EQ(pull.percent(), 0u);
  EXPECT_TRUE(pull.feed(R"({"status":"Downloading","progressDetail":{"current":50,"total":100},"id":"a"})"));
  EXPECT_EQ(pull.percent(), 16u);
  pull.feed(R"({"status":"Already exists","progressDetail":{},"id":"b"})");
  EXPECT_EQ(pull.percent(), 66u);
  pull.feed(R"({"status":"Extracting","progressDetail":{"current":1,"total":2},"id":"a"})");
  EXPECT_EQ(pull.percent(), 91u);
  EXPECT_FALSE(pull.feed(R"({"status":"Downloading","progressDetail":{"current":1,"total":100},"id":"a"})"))
      << "never falls";
  pull.feed(R"({"status":"Pull complete","id":"a"})");
  EXPECT_EQ(pull.percent(), 100u);
  EXPECT_FALSE(pull.error());
  pull.feed(R"({"errorDetail":{"message":"m"},"error":"e"})");
  EXPECT_EQ(pull.error(), "e");
  EXPECT_FALSE(pull.feed("nonsense"));
  EXPECT_FALSE(pull.feed(R"({"status":5,"id":[]})"));
}

TEST(address, only_this_machines_sockets) {
  EXPECT_EQ(*socket_path("unix:///run/docker.sock"), "/run/docker.sock");
  EXPECT_EQ(*socket_path("/run/docker.sock"), "/run/docker.sock");
  for (auto text : {"tcp://10.0.0.1:2375", "ssh://x", "https://x", "", "unix://", "unix://relative", "npipe://x"}) {
    auto path = socket_path(text);
    ASSERT_FALSE(path) << text;
    EXPECT_EQ(path.error.code, errc::engine_unavailable);
    EXPECT_FALSE(path.error.detail.empty());
  }
  EXPECT_FALSE(socket_path("unix:///" + std::string(200, 'x')));
}

TEST(address, the_highest_version_that_both_know) {
  EXPECT_EQ(*negotiate("1.41", "1.12"), (api_version{1, 41}));
  EXPECT_EQ(*negotiate("1.56", "1.40"), newest_known);
  EXPECT_EQ(*negotiate("1.24", ""), (api_version{1, 24}));
  EXPECT_FALSE(negotiate("1.23", "1.12"));
  EXPECT_FALSE(negotiate("1.99", "1.60"));
  EXPECT_FALSE(negotiate("nonsense", ""));
  EXPECT_EQ(to_string(api_version{1, 41}), "1.41");
  EXPECT_EQ(url_encode(R"({"a b":1}/~)"), "%7B%22a%20b%22%3A1%7D%2F~");
}

TEST(signals, by_name_and_number) {
  EXPECT_EQ(signal_number("SIGTERM"), SIGTERM);
  EXPECT_EQ(signal_number("usr1"), SIGUSR1);
  EXPECT_EQ(signal_number("9"), SIGKILL);
  for (auto text : {"", "SIG", "SIGNOPE", "0", "-1", "99", "9x"})
    EXPECT_FALSE(signal_number(text)) << text;
}

TEST(probe, only_a_live_loopback_is_isolation) {
  EXPECT_EQ(judge_probe("lo up\nend\n"), "");
  EXPECT_NE(judge_probe("lo up\neth0 up\nend\n"), "");
  EXPECT_NE(judge_probe("lo down\nend\n"), "");
  EXPECT_NE(judge_probe("lo up\n"), "") << "cut short";
  EXPECT_NE(judge_probe("end\n"), "");
  EXPECT_NE(judge_probe(""), "");
}

TEST(probe, its_archive_is_a_tar) {
  EXPECT_EQ(probe_program().substr(1, 3), "ELF");
  auto archive = make_tar({{"probe", "12345", 0755}});
  ASSERT_EQ(archive.size(), 512u + 512 + 1024);
  EXPECT_EQ(archive.substr(0, 6), std::string("probe\0", 6));
  EXPECT_EQ(archive.substr(100, 7), "0000755");
  EXPECT_EQ(archive.substr(124, 11), "00000000005");
  EXPECT_EQ(archive.substr(257, 5), "ustar");
  unsigned sum = 0;
  for (std::size_t i = 0; i < 512; ++i)
    sum += i >= 148 && i < 156 ? ' ' : static_cast<unsigned char>(archive[i]);
  EXPECT_EQ(std::stoul(archive.substr(148, 6), nullptr, 8), sum);
  EXPECT_EQ(archive.substr(512, 5), "12345");
}

} // namespace
} // namespace poseidon::engine
