#pragma once
// Where the sources are: for tests of shipped examples, golden files and generated pages.

#include <string>

namespace poseidon::test {

/// The project's folder, without a slash at its end.
std::string source_folder();

} // namespace poseidon::test
