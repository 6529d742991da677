#include "messages/errors_document.hpp"

#include "messages/errors.hpp"

namespace poseidon {
namespace {

constexpr const char* introduction = R"(# Errors

Generated from the table in `messages/errors.cpp`; a test compares the two (`POSEIDON_UPDATE_DOCS=1 test_messages` writes this
page anew).

The API answers a failed request with a problem (RFC 9457, `application/problem+json`):
`{type, title, status, code, detail, retry_after_ms, errors: [{path, detail}]}`. `code` is one of those below and never
changes its meaning; `title` is its meaning; `detail` says what happened this time, where, and what to do. An instance that failed
carries the same in `failure: {code, detail, log_tail}`.

**Again** marks errors after which the same request may succeed later: wait as long as `Retry-After` (`retry_after_ms`) says, else back off.
Send an `Idempotency-Key` with starts, so that repeating one is safe.
)";

struct section {
  errc first; ///< the section goes on until the next one's first
  const char* title;
};

constexpr section sections[] = {
    {errc::bad_request, "The request"},
    {errc::owner_limit_reached, "Admission: whether an instance may start now"},
    {errc::extension_refused, "A running instance"},
    {errc::engine_unavailable, "The engine, and what it starts"},
    {errc::ledger_unavailable, "The system"},
};

std::string row_of(const error_info& error) {
  return "| `" + std::string{to_string(error.code)} + "` | " + std::to_string(error.http_status) + " | " + std::string{error.title} + " | " +
         std::string{error.remedy} + " | " + (error.retry ? "yes" : "") + " |\n";
}

} // namespace

std::string errors_document() {
  std::string text = introduction;
  for (auto& error : all_errors()) {
    if (error.code == errc::ok) continue;
    for (auto& part : sections)
      if (part.first == error.code)
        text += "\n## " + std::string{part.title} + "\n\n| code | status | meaning | what to do | again |\n|---|---|---|---|---|\n";
    text += row_of(error);
  }
  return text;
}

} // namespace poseidon
