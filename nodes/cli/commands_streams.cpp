// logs, events.

#include "nodes/cli/commands.hpp"
#include "nodes/cli/sse.hpp"
#include "nodes/cli/tables.hpp"

#include <memory>

namespace poseidon::cli {
namespace {

using nlohmann::json;

struct log_options {
  std::string id;
  bool follow = false;
};
struct event_options {
  std::string id, since;
  std::uint32_t count = 0;
};

int logs(session& s, const log_options& o) {
  auto path = "/v1/instances/" + url_encode(o.id) + "/logs";
  if (!o.follow) {
    s.out << s.send({"GET", path, "", {}}, millis{30'000}).body;
    return done_well;
  }
  s.follow({"GET", path + "?follow=true", "", {}}, [&](std::string_view piece) {
    s.out << piece << std::flush;
    return static_cast<bool>(s.out);
  });
  return done_well;
}

std::string event_line(const json& event, wall_time now) {
  auto instance = event.is_object() && event.contains("instance") ? event["instance"] : json();
  auto owner = instance.is_object() && instance.contains("owner") ? text_at(instance["owner"], "key") : std::string();
  auto detail = event.is_object() && event.contains("detail") ? event["detail"] : json();
  auto at = from_rfc3339(text_at(event, "at"));
  std::string out = (at ? local_time(*at, now) : std::string()) + "  " + printable(text_at(event, "type"));
  for (auto& part :
       {text_at(instance, "id"), text_at(instance, "challenge"), owner, text_at(event, "actor"),
        detail.is_object() && !detail.empty() ? detail.dump(-1, ' ', false, json::error_handler_t::replace) : ""})
    if (!part.empty()) out += "  " + printable(part);
  return out + "\n";
}

int events(session& s, const event_options& o) {
  auto path = o.id.empty() ? std::string("/v1/events") : "/v1/instances/" + url_encode(o.id) + "/events";
  sse_reader reader;
  std::string since = o.since;
  std::uint64_t seen = 0;
  bool ended = false;
  // A server that ends the stream (a restart) is asked again from the last event on; one that is gone ends the command.
  while (!ended) {
    http_request request{"GET", path, "", {{"Accept", "text/event-stream"}}};
    if (!since.empty()) request.headers.emplace_back("Last-Event-ID", since);
    auto before = seen;
    reader.restart();
    s.follow(std::move(request), [&](std::string_view piece) {
      return reader.feed(piece, [&](const sse_event& event) {
        auto value = json::parse(event.data, nullptr, false);
        if (s.options.json)
          s.out << event.data << "\n" << std::flush;
        else if (event.type == "reset")
          s.err << "events were missed; what follows starts from the present state\n";
        else if (value.is_object())
          s.out << event_line(value, s.around().now()) << std::flush;
        auto state = value.is_object() && value.contains("instance") ? text_at(value["instance"], "state") : "";
        ++seen;
        ended = (o.count != 0 && seen >= o.count) || !s.out;
        // The stream of one instance is over with it.
        if (!o.id.empty() && (state == "stopped" || state == "expired" || state == "failed" || state == "lost"))
          ended = true;
        return !ended;
      });
    });
    ended = ended || seen == before; // closed at once, without an event: don't ask in a loop
    since = reader.last_id();
  }
  return done_well;
}

} // namespace

void add_stream_commands(CLI::App& app, chosen& choice) {
  auto* command = app.add_subcommand("logs", "what an instance has written");
  auto l = std::make_shared<log_options>();
  command->add_option("instance", l->id, "its id")->required();
  command->add_flag("-f,--follow", l->follow, "and what it goes on to write");
  command->callback([&choice, l] { choice.run = [l](session& s) { return logs(s, *l); }; });

  command = app.add_subcommand("events", "what happens, as it happens");
  auto e = std::make_shared<event_options>();
  command->add_option("instance", e->id, "of this instance only");
  command->add_option("--since", e->since, "from the event with this id on")->type_name("ID");
  command->add_option("--count", e->count, "end after so many events")->type_name("N");
  command->callback([&choice, e] { choice.run = [e](session& s) { return events(s, *e); }; });
}

} // namespace poseidon::cli
