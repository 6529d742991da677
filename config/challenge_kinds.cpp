// JSON Schema fragments for the kinds of values that challenges hold.

#include "config/challenge_fields.hpp"

namespace poseidon::config {

using nlohmann::json;

json duration_schema() {
  return {{"type", {"string", "integer"}},
          {"pattern", "^(0|([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?)$"},
          {"minLength", 1},
          {"minimum", 0},
          {"maximum", 0},
          {"examples", {"30m", "90s", "1h30m"}}};
}
json size_schema() {
  return {{"type", {"string", "integer"}},
          {"pattern", "^[0-9]+(\\.[0-9]+)?([bB]|[kKmMgGtT]([iI]?[bB])?)?$"},
          {"minimum", 0},
          {"examples", {"512m", "512MiB"}}};
}
json cpus_schema(double min) {
  return {
      {"type", {"number", "string"}}, {"pattern", "^[0-9]+(\\.[0-9]+)?$"}, {"minimum", min}, {"examples", {0.25, 2}}};
}
json percent_schema() { return {{"type", "string"}, {"pattern", "^[0-9]{1,3}%$"}, {"examples", {"50%"}}}; }
json count_schema(std::uint32_t min, std::uint32_t max) {
  return {{"type", "integer"}, {"minimum", min}, {"maximum", max}};
}
json flag_schema() { return {{"type", "boolean"}}; }
json text_schema(std::size_t max) { return {{"type", "string"}, {"maxLength", max}}; }
json text_or_number_schema(std::size_t max) { return {{"type", {"string", "integer"}}, {"maxLength", max}}; }
json list_schema(json item, std::size_t max) {
  return {{"type", "array"}, {"maxItems", max}, {"items", std::move(item)}};
}

json words_schema(const std::vector<std::string>& words) { return {{"enum", words}}; }

} // namespace poseidon::config
