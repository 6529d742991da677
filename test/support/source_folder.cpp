#include "test/support/source_folder.hpp"

namespace poseidon::test {

std::string source_folder() { return POSEIDON_SOURCE_DIR; }

} // namespace poseidon::test
