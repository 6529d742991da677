// The JSON Schema of challenges: made from the same tables that the parser reads by, and enforced by a validator of its
// own.

#include "config/challenge_fields.hpp"

// valijson's headers are not free of our warnings.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wpedantic"
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>
#pragma GCC diagnostic pop

namespace poseidon::config {
namespace {

using nlohmann::json;

json make_schema() {
  auto instance = object_schema(instance_fields());
  instance["type"] = {"object", "null"};
  instance["description"] = "how an instance of the challenge is run";
  return {{"$schema", "http://json-schema.org/draft-07/schema#"},
          {"title", "Poseidon challenge (challenge.yml)"},
          {"description", "Keys outside instance belong to the platform and are kept as they are."},
          {"type", "object"},
          {"properties",
           {{"image",
             {{"type", {"string", "null"}},
              {"maxLength", 512},
              {"description", "what is run, like registry.example/web:1"}}},
            {"instance", instance}}}};
}

const valijson::Schema& compiled_schema() {
  static const auto schema = [] {
    auto made = std::make_unique<valijson::Schema>();
    auto text = make_schema();
    valijson::SchemaParser(valijson::SchemaParser::kDraft7)
        .populateSchema(valijson::adapters::NlohmannJsonAdapter(text), *made);
    return made;
  }();
  return *schema;
}

/// "<root>", "[instance]", "[ports]", "[0]" as "instance.ports[0]".
std::string path_of(const std::vector<std::string>& context) {
  std::string out;
  for (auto& step : context) {
    if (step == "<root>") continue;
    auto name = step.size() > 2 ? step.substr(1, step.size() - 2) : step;
    bool index = name.find_first_not_of("0123456789") == std::string::npos;
    out += index ? "[" + name + "]" : (out.empty() ? "" : ".") + name;
  }
  return out;
}

std::string type_text(const json& schema) {
  if (schema.contains("enum")) {
    std::string out;
    for (auto& word : schema["enum"])
      out += (out.empty() ? "" : ", ") + word.get<std::string>();
    return out;
  }
  if (schema.contains("examples")) return "like " + schema["examples"][0].dump();
  if (schema["type"] == "boolean") return "true or false";
  if (schema["type"] == "integer") return "number";
  return schema["type"] == "object" ? "mapping" : "text";
}

void add_rows(std::string& out, const json& schema, const std::string& prefix) {
  for (auto& [name, field] : schema.at("properties").items()) {
    auto inner = field.contains("items") ? field["items"] : field;
    if (inner.contains("anyOf")) inner = inner["anyOf"][0];
    auto path = prefix + name + (field.contains("items") && inner.contains("properties") ? "[]" : "");
    out += "| `" + path + "` | " +
           (inner.contains("properties") ? "" : (field.contains("items") ? "list of " : "") + type_text(inner)) +
           " | " + field.value("description", "") + " |\n";
    if (inner.contains("properties")) add_rows(out, inner, path + ".");
  }
}

} // namespace

std::string challenge_schema_text() { return make_schema().dump(2) + "\n"; }

std::vector<field_problem> schema_problems(const json& document) {
  valijson::Validator validator;
  valijson::ValidationResults results;
  std::vector<field_problem> out;
  if (validator.validate(compiled_schema(), valijson::adapters::NlohmannJsonAdapter(document), &results)) return out;
  valijson::ValidationResults::Error error;
  while (results.popError(error))
    out.push_back({path_of(error.context), error.description});
  return out;
}

std::string challenge_reference() {
  std::string out = "| key | value | meaning |\n|---|---|---|\n";
  add_rows(out, object_schema(instance_fields()), "");
  return out;
}

} // namespace poseidon::config
