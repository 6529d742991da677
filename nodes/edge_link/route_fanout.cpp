#include "nodes/edge_link/route_fanout.hpp"

#include <algorithm>

namespace poseidon {
namespace {

constexpr link_id own_router = 0;

} // namespace

link_effects route_fanout::opened(link_id id, boot_time now) {
  links_[id] = {false, now + options_.welcome_limit, {}};
  return {send_frame{id, {0, link_hello{link_version, options_.cluster, options_.machine, options_.node, options_.run}}}};
}

link_effects route_fanout::received(link_id id, const link_frame& frame) {
  link_effects todo;
  const auto at = links_.find(id);
  if (at == links_.end()) return todo;
  auto& link = at->second;
  std::visit(overloaded{
                 [&](const link_welcome& welcome) {
                   if (link.welcomed) return;
                   link.welcomed = true;
                   link.edge = welcome.edge;
                   tell_everything(id, todo);
                 },
                 [&](const route_acked&) { answered(frame.request, id, {}, todo); },
                 [&](const link_refused& refused) {
                   if (frame.request != 0) return answered(frame.request, id, refused.why, todo);
                   todo.push_back(close_link{id, refused.why.detail});
                 },
                 [&](const auto&) { todo.push_back(close_link{id, "it speaks as a node does"}); },
             },
             frame.what);
  return todo;
}

link_effects route_fanout::closed(link_id id) {
  link_effects todo;
  if (links_.erase(id) != 0) without(id, todo);
  return todo;
}

link_effects route_fanout::tell(route_message what, std::uint64_t token, boot_time now) {
  link_effects todo;
  remember(what);
  const auto request = ++last_request_;
  waiting_tell waiting{token, ack_of(what), {}, false, {}, now + options_.answer_limit};
  if (options_.own_router) {
    waiting.missing.insert(own_router);
    todo.push_back(ask_router{own_router, request, {}, what});
  }
  for (const auto& [id, link] : links_) {
    if (!link.welcomed) continue;
    waiting.missing.insert(id);
    std::visit([&todo, request, to = id](const auto& message) { todo.push_back(send_frame{to, {request, message}}); }, what);
  }
  if (!waiting.missing.empty()) {
    waiting_.emplace(request, std::move(waiting));
    return todo;
  }
  if (std::holds_alternative<put_route>(what))
    todo.push_back(answer_teller{token, failure{errc::not_found, "no edge runs on this machine", {}, {}, {}}});
  else
    todo.push_back(answer_teller{token, ack_of(what)});
  return todo;
}

link_effects route_fanout::routed(std::uint64_t request, outcome<route_acked> how) {
  link_effects todo;
  answered(request, own_router, how.error, todo);
  return todo;
}

link_effects route_fanout::hold(const std::vector<hold_route>& held) {
  link_effects todo;
  if (complete_) return todo;
  complete_ = true;
  for (const auto& each : held) {
    const bool news = routes_.try_emplace(each.host, each).second; // what instances said meanwhile is newer
    if (!news) continue;
    for (const auto& [id, link] : links_)
      if (link.welcomed) todo.push_back(send_frame{id, {0, each}});
  }
  for (const auto& [id, link] : links_)
    if (link.welcomed) todo.push_back(send_frame{id, {0, link_complete{}}});
  return todo;
}

link_effects route_fanout::due(boot_time now) {
  link_effects todo;
  std::set<link_id> late;
  for (const auto& [id, link] : links_)
    if (!link.welcomed && link.welcome_due <= now) late.insert(id);
  for (const auto& [request, waiting] : waiting_)
    if (waiting.due <= now) late.insert(waiting.missing.begin(), waiting.missing.end());
  for (const auto id : late) {
    if (id != own_router) {
      todo.push_back(close_link{id, "it did not answer in time"});
      links_.erase(id);
    }
    without(id, todo);
  }
  return todo;
}

std::optional<boot_time> route_fanout::next() const {
  std::optional<boot_time> first;
  const auto consider = [&first](boot_time at) { first = first ? std::min(*first, at) : at; };
  for (const auto& [id, link] : links_)
    if (!link.welcomed) consider(link.welcome_due);
  // Requests are numbered as they come, with one limit for all.
  if (!waiting_.empty()) consider(waiting_.begin()->second.due);
  return first;
}

std::size_t route_fanout::linked() const {
  return static_cast<std::size_t>(std::count_if(links_.begin(), links_.end(), [](const auto& each) { return each.second.welcomed; }));
}

void route_fanout::remember(const route_message& what) {
  const auto& host = host_of(what);
  const auto& epoch = epoch_of(what);
  if (const auto at = routes_.find(host); at != routes_.end()) {
    const auto known = std::visit(overloaded{[](const put_route& m) { return m.route.epoch; }, [](const auto& m) { return m.epoch; }}, at->second);
    if (epoch < known) return; // the end of an older copy: the router judges it
  }
  std::visit([&](const auto& message) { routes_.insert_or_assign(host, known_route{message}); }, what);
  if (!std::holds_alternative<end_route>(what)) return;
  ends_.emplace_back(host, epoch);
  if (ends_.size() <= options_.ends_kept) return;
  const auto [oldest, its_epoch] = std::move(ends_.front());
  ends_.pop_front();
  const auto at = routes_.find(oldest);
  if (at == routes_.end()) return;
  const auto* over = std::get_if<end_route>(&at->second);
  if (over && over->epoch == its_epoch) routes_.erase(at);
}

void route_fanout::tell_everything(link_id id, link_effects& todo) const {
  for (const auto& [host, known] : routes_)
    std::visit([&todo, to = id](const auto& message) { todo.push_back(send_frame{to, {0, message}}); }, known);
  if (complete_) todo.push_back(send_frame{id, {0, link_complete{}}});
}

void route_fanout::answered(std::uint64_t request, link_id by, const failure& refused, link_effects& todo) {
  const auto at = waiting_.find(request);
  if (at == waiting_.end() || at->second.missing.erase(by) == 0) return;
  if (refused) at->second.refused = refused;
  else at->second.acknowledged = true;
  finish_if_done(at, todo);
}

void route_fanout::without(link_id id, link_effects& todo) {
  for (auto at = waiting_.begin(); at != waiting_.end();) {
    const auto each = at++;
    if (each->second.missing.erase(id) != 0) finish_if_done(each, todo);
  }
}

void route_fanout::finish_if_done(std::map<std::uint64_t, waiting_tell>::iterator at, link_effects& todo) {
  auto& waiting = at->second;
  if (!waiting.missing.empty()) return;
  outcome<route_acked> how{waiting.ack};
  if (waiting.refused) how = outcome<route_acked>{waiting.refused};
  else if (!waiting.acknowledged) how = outcome<route_acked>{failure{errc::unknown_outcome, "the edge on this machine went away", {}, {}, {}}};
  todo.push_back(answer_teller{waiting.token, std::move(how)});
  waiting_.erase(at);
}

} // namespace poseidon
