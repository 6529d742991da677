#include "nodes/runtime/engine/events.hpp"

#include <nlohmann/json.hpp>

#include <charconv>

namespace poseidon::engine {

std::vector<std::string> json_splitter::feed(std::string_view bytes) {
  std::vector<std::string> complete;
  for (char c : bytes) {
    if (depth_ == 0 && c != '{') continue;
    if (!skipping_) buffer_ += c;
    if (in_string_) {
      if (escaped_)
        escaped_ = false;
      else if (c == '\\')
        escaped_ = true;
      else if (c == '"')
        in_string_ = false;
    } else if (c == '"') {
      in_string_ = true;
    } else if (c == '{') {
      ++depth_;
    } else if (c == '}' && --depth_ == 0) {
      if (!skipping_) complete.push_back(std::move(buffer_));
      buffer_.clear();
      skipping_ = false;
    }
    if (buffer_.size() > limit_) {
      buffer_.clear();
      skipping_ = true;
      ++dropped_;
    }
  }
  return complete;
}

std::optional<engine_event> parse_event(const std::string& text) {
  auto whole = nlohmann::json::parse(text, nullptr, false);
  if (!whole.is_object()) return std::nullopt;
  auto string_at = [](const nlohmann::json& object, const char* name) {
    auto found = object.find(name);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  if (auto type = string_at(whole, "Type"); !type.empty() && type != "container") return std::nullopt;
  engine_event event;
  event.action = string_at(whole, "Action");
  if (event.action.empty()) event.action = string_at(whole, "status");
  if (auto actor = whole.find("Actor"); actor != whole.end() && actor->is_object()) {
    event.id = string_at(*actor, "ID");
    if (auto attributes = actor->find("Attributes"); attributes != actor->end() && attributes->is_object())
      for (auto& [name, value] : attributes->items())
        if (value.is_string()) event.attributes[name] = value.get<std::string>();
  }
  if (event.id.empty()) event.id = string_at(whole, "id");
  if (event.action.empty() || event.id.empty()) return std::nullopt;
  if (event.action == "remove") event.action = "destroy";
  if (event.action == "died") event.action = "die";
  for (auto name : {"exitCode", "containerExitCode"}) {
    auto found = event.attributes.find(name);
    if (found == event.attributes.end()) continue;
    std::int32_t code = 0;
    auto* end = found->second.data() + found->second.size();
    if (std::from_chars(found->second.data(), end, code).ptr == end) event.exit_code = code;
  }
  return event;
}

} // namespace poseidon::engine
