#include "config/nats_server_file.hpp"

#include "messages/subjects.hpp"

namespace poseidon::config {
namespace {

using subjects_list = std::vector<std::string>;

std::string list(const subjects_list& items) {
  std::string text = "[";
  for (std::size_t i = 0; i < items.size(); ++i) text += (i == 0 ? "" : ", ") + ("\"" + items[i] + "\"");
  return text + "]";
}

/// What a follower asks JetStream for.
subjects_list reads_of(const std::string& stream) {
  const std::string api = "$JS.API.";
  return {api + "INFO",
          api + "STREAM.INFO." + stream,
          api + "STREAM.NAMES",
          api + "STREAM.MSG.GET." + stream,
          api + "DIRECT.GET." + stream,
          api + "DIRECT.GET." + stream + ".>",
          api + "CONSUMER.CREATE." + stream,
          api + "CONSUMER.CREATE." + stream + ".>",
          api + "CONSUMER.INFO." + stream + ".*",
          api + "CONSUMER.DELETE." + stream + ".*",
          "$JS.FC." + stream + ".>",
          "_INBOX.>"};
}

std::string allowed(const std::string& what, const subjects_list& allow, const subjects_list& never) {
  std::string text = "          " + what + " {\n            allow: " + list(allow) + "\n";
  if (!never.empty()) text += "            deny: " + list(never) + "\n";
  return text + "          }\n";
}

struct rights {
  subjects_list publish, never_publish, subscribe, never_subscribe;
};

std::string user(const std::string& key, const rights& may) {
  return "      {\n        nkey: " + key + "\n        permissions {\n" + allowed("publish", may.publish, may.never_publish) +
         allowed("subscribe", may.subscribe, may.never_subscribe) + "        }\n      }\n";
}

std::string users(const nats_server_plan& plan) {
  const auto stream = subjects::ledger_stream(plan.cluster), all = "poseidon." + subjects::token(plan.cluster) + ".>";
  auto member = reads_of(stream), follower = member;
  for (const char* change : {"STREAM.CREATE.", "STREAM.UPDATE.", "STREAM.PURGE."}) member.push_back("$JS.API." + (change + stream));
  member.push_back(all);
  follower.push_back(all);
  const auto prefix = "poseidon." + subjects::token(plan.cluster);
  const rights members{member, {}, {all, "_INBOX.>"}, {}};
  const rights followers{follower, {subjects::ledger(plan.cluster) + ".>", prefix + ".node.>"},
                         {all, "_INBOX.>"}, {prefix + ".snapshot.>"}};
  return "    users: [\n      # gateways and nodes\n" + user(plan.member, members) +
         "      # edges and notifiers: they follow the ledger, and can't append to it, command a node, or tell anybody the state\n" +
         user(plan.follower, followers) + "    ]\n";
}

std::string tls(const nats_server_plan& plan, const std::string& indent) {
  return indent + "tls {\n" + indent + "  cert_file: \"" + plan.folder + "/server.pem\"\n" + indent + "  key_file: \"" + plan.folder +
         "/server-key.pem\"\n" + indent + "  ca_file: \"" + plan.folder + "/ca.pem\"\n" + indent + "  timeout: 5\n" + indent + "}\n";
}

} // namespace

std::string nats_server_file(const nats_server_plan& plan) {
  auto text = "# nats-server for the Poseidon cluster " + subjects::token(plan.cluster) + ", written by `poseidon cluster init`.\n" +
              "# Start it with: nats-server -c " + plan.folder + "/nats-server.conf\n" + "server_name: \"" + plan.name + "\"\nlisten: \"" + plan.listen +
              "\"\n" + tls(plan, "") + "jetstream {\n  store_dir: \"" + plan.folder + "/store\"\n}\n";
  text += "accounts {\n  POSEIDON {\n    jetstream: enabled\n" + users(plan) + "  }\n}\n";
  if (plan.cluster_listen.empty()) return text;
  text += "cluster {\n  name: \"poseidon\"\n  listen: \"" + plan.cluster_listen + "\"\n" + tls(plan, "  ") + "  routes: [\n";
  for (const auto& route : plan.routes) text += "    \"nats-route://" + route + "\"\n";
  return text + "  ]\n}\n";
}

} // namespace poseidon::config
