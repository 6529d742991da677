#pragma once
// YAML (and so JSON) text to JSON values, strictly and with bounds: what an author or administrator wrote is data, not
// trusted.

#include "messages/errors.hpp"

#include <nlohmann/json_fwd.hpp>

#include <memory>
#include <string_view>
#include <vector>

namespace poseidon::config {

/// The document, or every problem found on the way; `path` of a problem is the JSON path, empty for syntax errors.
struct yaml_document {
  std::shared_ptr<const nlohmann::json> value; ///< null when there are problems
  std::vector<field_problem> problems;
};

/// Reads one document. Plain scalars follow YAML 1.2's core rules: `no` and `on` are text, a number with a leading zero
/// is text too (it names something). Refused: keys that are not text, the same key twice, more than 1 MiB of text,
/// more than 100,000 values once aliases are expanded, nesting deeper than 64.
yaml_document parse_yaml(std::string_view text);

/// Extends a JSON path: ("a", "b") is "a.b"; a key with a dot or blank is quoted: a."b.c".
std::string join_path(std::string_view path, std::string_view key);

} // namespace poseidon::config
