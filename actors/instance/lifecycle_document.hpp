#pragma once
// The lifecycle's table as text: docs/lifecycle.md is this, and a test compares them.

#include <string>

namespace poseidon {

/// The whole page: a diagram (Mermaid), the table of rows, and the list of ignored pairs.
std::string lifecycle_document();

} // namespace poseidon
