#pragma once
// What several routes do.

#include "gateway/body.hpp"
#include "gateway/hub.hpp"
#include "gateway/rate_limits.hpp"

namespace poseidon::gateway {

inline failure make_failure(errc code, std::string detail) { return {code, std::move(detail), std::nullopt, {}, {}}; }

/// Answers with the row as it is now; `row` comes from a reply, and may be newer than the view.
void answer_row(const call& c, int status, const row_ptr& row, std::string location = {});
/// Adds why it is where it is, for a GET with scope platform.
void explain_for(const call& c, instance_item& item);
/// The view's item, with that row where it is newer.
instance_item item_for(api& services, const row_ptr& row);
/// Answers with the instance once the wait is over, its time has run out, or the client has left.
void answer_after_wait(const call& c, int status, const row_ptr& row, const wait_request& wait, std::string location = {});
/// The instance that the path names; answered with unknown_instance when there is none.
std::optional<instance_item> path_instance(const call& c);
/// Reads the query; answers and gives false when it is wrong.
bool accept_query(const call& c, query_reader& query);
/// Appends for an administrator; `done` runs when it took effect, else the call is answered with the problem.
void append_for(const call& c, entry_body body, std::function<void()> done);

/// {items, next}
template <class Items, class Write>
std::string render_list(const Items& items, std::string_view next, Write&& write) {
  std::string text;
  json_writer out(text);
  out.begin_object().key("items").begin_array();
  for (auto& item : items) write(out, item);
  out.end_array().text_or_null("next", next).end_object();
  return text;
}

} // namespace poseidon::gateway
