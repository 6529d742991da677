#include "gateway/router.hpp"

#include <algorithm>

namespace poseidon::gateway {

namespace {

struct segments {
  std::string_view rest;
  bool next(std::string_view& out) {
    if (rest.empty() || rest.front() != '/') return false;
    rest.remove_prefix(1);
    auto end = rest.find('/');
    out = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end);
    return true;
  }
};

bool is_parameter(std::string_view segment) { return segment.starts_with('{'); }

/// How many literal segments agreed; nothing when the path does not fit.
std::optional<int> fit(std::string_view pattern, std::string_view path) {
  segments a{pattern}, b{path};
  std::string_view wanted, got;
  int literals = 0;
  for (;;) {
    bool more_wanted = a.next(wanted), more_got = b.next(got);
    if (more_wanted != more_got) return std::nullopt;
    if (!more_wanted) return b.rest.empty() ? std::optional(literals) : std::nullopt;
    if (is_parameter(wanted)) {
      if (got.empty()) return std::nullopt;
    } else if (wanted == got) {
      ++literals;
    } else {
      return std::nullopt;
    }
  }
}

void read_params(std::string_view pattern, std::string_view path, route_match& match) {
  segments a{pattern}, b{path};
  std::string_view wanted, got;
  while (a.next(wanted) && b.next(got)) {
    if (!is_parameter(wanted)) continue;
    auto value = percent_decode(got);
    match.malformed = match.malformed || !value;
    match.params.push_back(value.value_or(std::string{}));
  }
}

} // namespace

route_match match_route(std::span<const route> routes, http_method method, std::string_view path) {
  route_match match;
  int best = -1;
  auto wanted = method == http_method::head ? http_method::get : method;
  std::vector<std::pair<http_method, int>> fitting;
  for (std::size_t i = 0; i < routes.size(); ++i) {
    auto literals = fit(routes[i].pattern, path);
    if (!literals) continue;
    fitting.emplace_back(routes[i].method, *literals);
    if (*literals > best) {
      best = *literals;
      match.route.reset();
    }
    if (*literals == best && routes[i].method == wanted) match.route = i;
  }
  for (auto& [allowed, literals] : fitting)
    if (literals == best) match.allowed.push_back(allowed);
  if (match.route) read_params(routes[*match.route].pattern, path, match);
  return match;
}

std::string allow_header(const std::vector<http_method>& methods) {
  std::string text;
  auto add = [&](std::string_view name) { text.append(text.empty() ? "" : ", ").append(name); };
  for (auto method : methods) {
    add(to_string(method));
    if (method == http_method::get) add("HEAD");
  }
  add("OPTIONS");
  return text;
}

} // namespace poseidon::gateway
