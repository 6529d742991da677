#pragma once
// Files that are built into the program (gateway/openapi.json, gateway/docs.html).

#include <string_view>

namespace poseidon::gateway {

std::string_view openapi_text();
std::string_view docs_page();

} // namespace poseidon::gateway
