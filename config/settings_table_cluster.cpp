// The settings of a cluster: NATS, notifiers, membership (see settings_table.cpp).

#include "config/settings_table_parts.hpp"

namespace poseidon::config {
namespace {

using namespace std::chrono_literals;
using text = std::string;
using count = std::uint32_t;

void add_nats(std::vector<setting_row>& t) {
  t.push_back(make_list_row<text>(
      AT(nats.urls),
      {.help = "NATS servers whose JetStream carries the ledger's log; none: it is kept in DATA, for this process alone",
       .flag = "--nats",
       .placeholder = "nats://HOST:PORT[,…]",
       .check = check_nats_url}));
  t.push_back(make_row<count>(AT(nats.replicas),
                              {.help = "servers that keep a copy of the log; above 1 needs nats-server 2.10.23 or newer on each",
                               .min = 1u,
                               .max = 5u}));
  t.push_back(make_row<text>(AT(nats.credentials), {.help = "file with a NATS user's credentials (.creds)"}));
  t.push_back(make_row<text>(AT(nats.nkey), {.help = "file with a NATS user's seed (SU…), instead of one with credentials", .flag = "--nats-nkey", .placeholder = "FILE"}));
  t.push_back(make_row<text>(AT(nats.user), {.help = "NATS user, instead of a file"}));
  t.push_back(make_row<secret>(AT(nats.password), {.help = "that user's password"}));
  t.push_back(make_row<text>(AT(nats.ca), {.help = "file with the certificates that sign the NATS servers'; default: the system's", .flag = "--nats-ca", .placeholder = "FILE"}));
}

/// Items are mappings; from the environment they come as one JSON array.
setting_row make_receivers_row() {
  setting_row row{.name = "notify.receivers",
                  .type = "receiver",
                  .range = {},
                  .flag = {},
                  .placeholder = {},
                  .help = "who is told of events: {name, type: webhook or discord, url or url_file, secret or secret_file, events, challenges} "
                          "(docs/notifications.md)",
                  .list = true,
                  .objects = true,
                  .text = {},
                  .items = {},
                  .set = {}};
  row.items = [](const settings& s) {
    std::vector<text> out;
    for (auto& receiver : s.notify.receivers) out.push_back(to_text(receiver));
    return out;
  };
  row.text = [items = row.items](const settings& s) {
    text out;
    for (auto& item : items(s)) out += (out.empty() ? "" : ", ") + item;
    return out;
  };
  row.set = [](settings& s, const raw_value& raw) -> std::optional<text> {
    std::vector<text> problems;
    auto read = parse_receivers(raw, problems);
    if (!problems.empty()) {
      text all;
      for (auto& problem : problems) all += (all.empty() ? "" : "; ") + problem;
      return all;
    }
    s.notify.receivers = std::move(read);
    return std::nullopt;
  };
  return row;
}

void add_notify(std::vector<setting_row>& t) {
  t.push_back(make_receivers_row());
  t.push_back(make_list_row<text>(
      AT(notify.members), {.help = "names (setting node) of the notifiers that share the instances whatever happens; none: those that are heard",
                           .check = check_name}));
  t.push_back(make_row<millis>(AT(notify.timeout), {.help = "a receiver answers within", .min = 100ms, .max = 5min}));
  t.push_back(make_row<millis>(
      AT(notify.give_up), {.help = "an event that could not be delivered for this long becomes a dead letter", .min = 1s, .max = 720h}));
  t.push_back(make_row<millis>(
      AT(notify.longest_retry), {.help = "longest wait between two attempts; the first waits a second", .min = 1s, .max = 1h}));
  t.push_back(make_row<count>(
      AT(notify.parallel), {.help = "requests under way to one webhook at once; to Discord it is one", .min = 1u, .max = 256u}));
  t.push_back(make_row<millis>(AT(notify.dead_keep), {.help = "dead letters are kept this long", .min = 1min, .max = 8760h}));
  t.push_back(make_row<text>(
      AT(notify.ca), {.help = "file with certificates that receivers' may be signed by, beside the system's"}));
}

void add_membership(std::vector<setting_row>& t) {
  t.push_back(make_row<millis>(
      AT(membership.suspect_after),
      {.help = "a node that is silent for so long is suspect: new instances go elsewhere while they can", .min = 2s, .max = 10min}));
  t.push_back(make_row<millis>(
      AT(membership.lost_after),
      {.help = "a node that is silent for so long is lost: what ran there has ended", .min = 4s, .max = 24h}));
  t.push_back(make_row<bool>(
      AT(nodes.recreate_lost),
      {.help = "what ran on a node that is lost starts anew on others, under the same URL and with its deadline, instead of ending", .live = true}));
}

} // namespace

void add_cluster_settings(std::vector<setting_row>& table) {
  add_nats(table);
  add_notify(table);
  add_membership(table);
}

} // namespace poseidon::config
