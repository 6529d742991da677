#pragma once
// The table of errors as text: docs/errors.md is this, and a test compares them.

#include <string>

namespace poseidon {

/// The whole page: every error with its code, HTTP status, meaning and remedy, in sections.
std::string errors_document();

} // namespace poseidon
