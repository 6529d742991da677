#include "nodes/edge/own_reply.hpp"

#include <time.h>

namespace poseidon {
namespace {

constexpr int not_ready_retry_seconds = 1;
constexpr int full_retry_seconds = 5;

std::string_view reason_phrase(int status) {
  switch (status) {
  case 400: return "Bad Request";
  case 404: return "Not Found";
  case 408: return "Request Timeout";
  case 410: return "Gone";
  case 431: return "Request Header Fields Too Large";
  case 502: return "Bad Gateway";
  case 503: return "Service Unavailable";
  case 505: return "HTTP Version Not Supported";
  default: return "Error";
  }
}

std::string_view words_of(end_reason reason) {
  switch (reason) {
  case end_reason::stopped: return "it was stopped";
  case end_reason::expired: return "its time was up";
  case end_reason::solved: return "it was solved";
  case end_reason::idle: return "nobody used it";
  case end_reason::failed: return "it failed";
  case end_reason::lost: return "its machine was lost";
  case end_reason::fenced:
  case end_reason::superseded: return "another one took its place";
  case end_reason::evicted: return "its machine was taken out of service";
  case end_reason::none: break;
  }
  return "it ended";
}

std::string http_date(wall_time now) {
  const time_t seconds = now.ms / 1000;
  tm parts{};
  ::gmtime_r(&seconds, &parts);
  char text[64];
  return {text, ::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts)};
}

std::string page(const own_reply& reply) {
  std::string html = "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
                     "<meta name=\"viewport\" content=\"width=device-width\">\n";
  if (reply.reload) html += "<meta http-equiv=\"refresh\" content=\"" + std::to_string(reply.retry_after_seconds) + "\">\n";
  html += "<title>" + reply.title +
          "</title>\n<style>body{font:16px/1.5 system-ui,sans-serif;margin:15vh auto;max-width:32em;padding:0 1em;"
          "color:#223;background:#f7f8fa}@media(prefers-color-scheme:dark){body{color:#dde;background:#16181d}}"
          "small{opacity:.6}</style></head>\n<body><h1>" +
          reply.title + "</h1><p>" + reply.detail + "</p><p><small>" + std::to_string(reply.status) +
          " &middot; Poseidon</small></p></body></html>\n";
  return html;
}

} // namespace

std::string render(const own_reply& reply, reply_form form, wall_time now) {
  const std::string body = form.html ? page(reply) : reply.title + ": " + reply.detail + "\n";
  std::string text = "HTTP/1.1 " + std::to_string(reply.status) + " ";
  text += reason_phrase(reply.status);
  text += "\r\nDate: " + http_date(now) + "\r\nServer: poseidon\r\nContent-Type: ";
  text += form.html ? "text/html; charset=utf-8" : "text/plain; charset=utf-8";
  text += "\r\nContent-Length: " + std::to_string(body.size());
  if (reply.retry_after_seconds > 0) text += "\r\nRetry-After: " + std::to_string(reply.retry_after_seconds);
  text += "\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff"
          "\r\nContent-Security-Policy: default-src 'none'; style-src 'unsafe-inline'"
          "\r\nConnection: close\r\n\r\n";
  if (!form.head_only) text += body;
  return text;
}

own_reply refusal(int status, std::string_view why) {
  std::string detail{why};
  return {status, "Request refused", detail + ".", 0, false};
}

own_reply unknown_host() { return {404, "No such instance", "No instance is known under this host name.", 0, false}; }

own_reply not_ready() {
  return {503, "Not ready yet", "The instance is being prepared. It will be here in a moment.", not_ready_retry_seconds, true};
}

own_reply gone(end_reason reason, wall_time at) {
  std::string detail{"The instance is gone: "};
  detail += words_of(reason);
  return {410, "Instance ended", detail + " (" + std::string{to_string(reason)} + ", " + to_rfc3339(at) + ").", 0, false};
}

own_reply no_answer(std::string_view why) {
  std::string detail{"The instance runs, but its service did not answer: "};
  detail += why;
  return {502, "No answer", detail + ".", 0, false};
}

own_reply too_many(std::string_view of_what) {
  std::string detail{"Too many connections "};
  detail += of_what;
  return {503, "Too many connections", detail + ". Try again in a moment.", full_retry_seconds, false};
}

own_reply reply_of(const edge_route_ptr& route, boot_time boot_now, wall_time wall_now) {
  if (!route) return unknown_host();
  const auto& entry = route->entry;
  switch (entry.phase) {
  case route_phase::pending:
  case route_phase::replaced: return not_ready();
  case route_phase::ended:
    return wall_now - entry.since < route_table::limits{}.ended_kept ? gone(entry.reason, entry.since) : unknown_host();
  case route_phase::ready: break;
  }
  // The edge is the judge of the deadline: whoever ends the instance may not have said so yet.
  if (entry.route.deadline && *entry.route.deadline <= boot_now)
    return gone(end_reason::expired, wall_now - (boot_now - *entry.route.deadline));
  return {};
}

} // namespace poseidon
