#include "nodes/edge_link/link_gate.hpp"

#include <algorithm>

namespace poseidon {
namespace {

failure refusal(errc code, std::string detail) { return {code, std::move(detail), {}, {}, {}}; }

} // namespace

link_effects link_gate::opened(link_id id, boot_time now) {
  if (links_.size() >= options_.links_max) return {close_link{id, "too many links"}};
  links_[id].hello_due = now + options_.hello_limit;
  return {};
}

link_effects link_gate::received(link_id id, const link_frame& frame) {
  link_effects todo;
  const auto at = links_.find(id);
  if (at == links_.end()) return todo;
  auto& link = at->second;
  if (!link.greeted) {
    if (const auto* hello = std::get_if<link_hello>(&frame.what)) greet(id, link, *hello, todo);
    else todo.push_back(close_link{id, "it said no hello"});
    return todo;
  }
  std::visit(overloaded{
                 [&](const put_route& m) { take(id, link, frame.request, m, todo); },
                 [&](const end_route& m) { take(id, link, frame.request, m, todo); },
                 [&](const announce_route& m) { take(id, link, frame.request, m, todo); },
                 [&](const hold_route& m) {
                   if (!link.complete) link.told.insert(m.host);
                 },
                 [&](const link_complete&) {
                   if (link.complete) return;
                   link.complete = true;
                   todo.push_back(retain_routes{link.node, std::exchange(link.told, {})});
                 },
                 [&](const auto&) { todo.push_back(close_link{id, "it speaks as an edge does"}); },
             },
             frame.what);
  return todo;
}

link_effects link_gate::closed(link_id id) {
  links_.erase(id); // its routes stay: a killed node process leaves its instances reachable
  return {};
}

link_effects link_gate::routed(link_id id, std::uint64_t request, const outcome<route_acked>& how) {
  if (request == 0 || !links_.contains(id)) return {};
  if (how) return {send_frame{id, {request, *how}}};
  return {send_frame{id, {request, link_refused{how.error}}}};
}

link_effects link_gate::due(boot_time now) {
  link_effects todo;
  for (auto at = links_.begin(); at != links_.end();) {
    const auto each = at++;
    if (each->second.greeted || each->second.hello_due > now) continue;
    todo.push_back(close_link{each->first, "it said no hello"});
    links_.erase(each);
  }
  return todo;
}

std::optional<boot_time> link_gate::next() const {
  std::optional<boot_time> first;
  for (const auto& [id, link] : links_)
    if (!link.greeted) first = first ? std::min(*first, link.hello_due) : link.hello_due;
  return first;
}

std::size_t link_gate::nodes() const {
  return static_cast<std::size_t>(std::count_if(links_.begin(), links_.end(), [](const auto& each) { return each.second.greeted; }));
}

void link_gate::greet(link_id id, link& link, const link_hello& hello, link_effects& todo) {
  failure why;
  if (hello.version > link_version)
    why = refusal(errc::conflict, "the node speaks version " + std::to_string(hello.version) + " of the link, this edge " + std::to_string(link_version));
  else if (hello.cluster != options_.cluster) why = refusal(errc::conflict, "this edge belongs to cluster " + options_.cluster);
  else if (hello.machine != options_.machine) why = refusal(errc::conflict, "the node runs on another machine, or in another pid namespace");
  else if (hello.node.empty()) why = refusal(errc::bad_request, "a node without a name");
  if (why) {
    todo.push_back(send_frame{id, {0, link_refused{why}}});
    todo.push_back(close_link{id, why.detail});
    return;
  }
  // A new run of the node: nothing that the old one still had under way may come after it.
  for (auto at = links_.begin(); at != links_.end();) {
    const auto each = at++;
    if (each->first == id || !each->second.greeted || each->second.node != hello.node) continue;
    todo.push_back(close_link{each->first, "its node came back"});
    links_.erase(each);
  }
  link.greeted = true;
  link.node = hello.node;
  todo.push_back(send_frame{id, {0, link_welcome{link_version, options_.edge}}});
}

void link_gate::take(link_id id, link& link, std::uint64_t request, route_message what, link_effects& todo) {
  if (!link.complete) link.told.insert(host_of(what));
  if (const auto* put = std::get_if<put_route>(&what); put && put->route.machine != options_.machine) {
    if (request != 0) todo.push_back(send_frame{id, {request, link_refused{refusal(errc::invalid_field, "a route of another machine")}}});
    return;
  }
  todo.push_back(ask_router{id, request, link.node, std::move(what)});
}

} // namespace poseidon
