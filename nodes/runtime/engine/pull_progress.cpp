#include "nodes/runtime/engine/pull_progress.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace poseidon::engine {

namespace {

double share(const nlohmann::json& message) {
  auto detail = message.find("progressDetail");
  if (detail == message.end() || !detail->is_object()) return 0;
  auto current = detail->value("current", 0.0), total = detail->value("total", 0.0);
  return total > 0 ? std::clamp(current / total, 0.0, 1.0) : 0;
}

} // namespace

bool pull_progress::feed(const std::string& text) try {
  auto message = nlohmann::json::parse(text, nullptr, false);
  if (!message.is_object()) return false;
  if (message.contains("error") || message.contains("errorDetail")) {
    auto words = message.value("error", std::string());
    if (words.empty() && message["errorDetail"].is_object())
      words = message["errorDetail"].value("message", std::string("unknown error"));
    error_ = words;
    return false;
  }
  auto status = message.value("status", std::string());
  auto id = message.value("id", std::string());
  if (id.empty() || status.starts_with("Pulling from")) return false;
  auto& layer = layers_[id];
  if (status == "Downloading")
    layer.downloaded = std::max(layer.downloaded, share(message));
  else if (status == "Verifying Checksum" || status == "Download complete")
    layer.downloaded = 1;
  else if (status == "Extracting")
    layer = {1, std::max(layer.extracted, share(message))};
  else if (status == "Pull complete" || status == "Already exists")
    layer = {1, 1};
  double sum = 0;
  for (auto& [name, one] : layers_)
    sum += (2 * one.downloaded + one.extracted) / 3;
  auto now = static_cast<std::uint32_t>(100 * sum / static_cast<double>(layers_.size()));
  if (now <= percent_) return false;
  percent_ = now;
  return true;
} catch (const nlohmann::json::exception&) {
  return false; // a field of another type than the engine documents
}

} // namespace poseidon::engine
