#include "config/yaml.hpp"

#include <nlohmann/json.hpp>
#include <yaml-cpp/yaml.h>

#include <charconv>
#include <cmath>

namespace poseidon::config {
namespace {

using nlohmann::json;
constexpr std::size_t largest_text_bytes = 1 << 20;
constexpr std::size_t most_values = 100'000;
constexpr std::size_t deepest = 64;

std::string at_line(const YAML::Mark& mark) {
  return mark.is_null() ? "" : " (line " + std::to_string(mark.line + 1) + ")";
}

std::optional<json> number_of(const std::string& text) {
  auto body = text.starts_with('-') || text.starts_with('+') ? text.substr(1) : text;
  if (body.empty() || body.size() > 32) return std::nullopt;
  if (body.find_first_not_of("0123456789") == std::string::npos) {
    if (body.size() > 1 && body.front() == '0') return std::nullopt; // 0123 names something
    std::int64_t whole = 0;
    auto from = text.starts_with('+') ? body : text;
    auto [end, error] = std::from_chars(from.data(), from.data() + from.size(), whole);
    if (error == std::errc{} && end == from.data() + from.size()) return json(whole);
    return std::nullopt;
  }
  if (body.find_first_not_of("0123456789.eE+-") != std::string::npos) return std::nullopt;
  if (body.front() == 'e' || body.front() == 'E' || (body.size() > 1 && body.front() == '0' && body[1] != '.'))
    return std::nullopt;
  double real = 0;
  auto [end, error] = std::from_chars(body.data(), body.data() + body.size(), real);
  if (error != std::errc{} || end != body.data() + body.size() || !std::isfinite(real)) return std::nullopt;
  return json(text.starts_with('-') ? -real : real);
}

json scalar_of(const YAML::Node& node) {
  const auto& text = node.Scalar();
  if (node.Tag() == "!" || node.Tag() == "tag:yaml.org,2002:str") return text; // quoted
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") return nullptr;
  if (auto number = number_of(text)) return *number;
  return text;
}

class converter {
public:
  std::vector<field_problem> problems;

  json convert(const YAML::Node& node, const std::string& path, std::size_t depth) {
    if (stopped_) return nullptr;
    if (depth > deepest) return stop(path, "nested deeper than 64 levels" + at_line(node.Mark()));
    if (++values_ > most_values)
      return stop(path, "more than 100,000 values; aliases are counted as often as they are used");
    switch (node.Type()) {
    case YAML::NodeType::Scalar:
      return scalar_of(node);
    case YAML::NodeType::Sequence:
      return sequence(node, path, depth);
    case YAML::NodeType::Map:
      return map(node, path, depth);
    default:
      return nullptr;
    }
  }

private:
  std::size_t values_ = 0;
  bool stopped_ = false;

  json stop(const std::string& path, std::string detail) {
    problems.push_back({path, std::move(detail)});
    stopped_ = true;
    return nullptr;
  }

  json sequence(const YAML::Node& node, const std::string& path, std::size_t depth) {
    auto out = json::array();
    for (auto& item : node)
      out.push_back(convert(item, path + "[" + std::to_string(out.size()) + "]", depth + 1));
    return out;
  }

  json map(const YAML::Node& node, const std::string& path, std::size_t depth) {
    auto out = json::object();
    for (auto& item : node) {
      if (!item.first.IsScalar()) {
        problems.push_back({path, "a key must be text" + at_line(item.first.Mark())});
        continue;
      }
      const auto& key = item.first.Scalar();
      auto below = join_path(path, key);
      auto value = convert(item.second, below, depth + 1);
      if (!out.emplace(key, std::move(value)).second)
        problems.push_back({below, "given twice; keep one" + at_line(item.first.Mark())});
    }
    return out;
  }
};

} // namespace

std::string join_path(std::string_view path, std::string_view key) {
  std::string name(key);
  if (name.empty() || name.find_first_of(". []\"") != std::string::npos) name = "\"" + name + "\"";
  return path.empty() ? name : std::string(path) + "." + name;
}

yaml_document parse_yaml(std::string_view text) {
  if (text.size() > largest_text_bytes) return {nullptr, {{"", "the text is larger than 1 MiB"}}};
  try {
    auto documents = YAML::LoadAll(std::string(text));
    if (documents.size() > 1) return {nullptr, {{"", "more than one document (---) in the text; keep one"}}};
    converter c;
    auto value = documents.empty() ? json(nullptr) : c.convert(documents.front(), "", 0);
    if (!c.problems.empty()) return {nullptr, std::move(c.problems)};
    return {std::make_shared<const json>(std::move(value)), {}};
  } catch (const YAML::Exception& e) {
    return {nullptr, {{"", "not well-formed YAML or JSON: " + e.msg + at_line(e.mark)}}};
  }
}

} // namespace poseidon::config
