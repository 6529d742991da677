#include "nodes/runtime/engine/image_reference.hpp"

#include <algorithm>

namespace poseidon::engine {

namespace {

bool lower_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

bool valid_path(const std::string& path) {
  if (path.empty() || path.front() == '/' || path.back() == '/' || path.find("//") != std::string::npos) return false;
  return lower_or_digit(path.front()) && std::all_of(path.begin(), path.end(), [](char c) {
           return lower_or_digit(c) || c == '.' || c == '_' || c == '-' || c == '/';
         });
}

bool valid_tag(const std::string& tag) {
  if (tag.empty() || tag.size() > 128 || tag.front() == '.' || tag.front() == '-') return false;
  return std::all_of(tag.begin(), tag.end(), [](char c) {
    return lower_or_digit(c) || (c >= 'A' && c <= 'Z') || c == '.' || c == '_' || c == '-';
  });
}

bool valid_digest(const std::string& digest) {
  auto colon = digest.find(':');
  if (colon == std::string::npos || colon == 0 || digest.size() - colon - 1 < 32) return false;
  return std::all_of(digest.begin() + std::ptrdiff_t(colon) + 1, digest.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

/// The part before the first slash names a registry when it could not be a folder of docker.io.
bool looks_like_registry(const std::string& part) {
  return part == "localhost" || part.find_first_of(".:") != std::string::npos;
}

} // namespace

std::string image_reference::full_name() const {
  return registry + "/" + repository + (digest.empty() ? ":" + tag : "@" + digest);
}

std::string image_reference::pull_name() const {
  return registry == "docker.io" ? repository : registry + "/" + repository;
}

std::optional<image_reference> parse_image_reference(const std::string& text) {
  image_reference image;
  auto rest = text;
  if (auto at = rest.find('@'); at != std::string::npos) {
    image.digest = rest.substr(at + 1);
    if (!valid_digest(image.digest)) return std::nullopt;
    rest.resize(at);
  }
  if (auto colon = rest.rfind(':'); colon != std::string::npos && rest.find('/', colon) == std::string::npos) {
    image.tag = rest.substr(colon + 1);
    if (!valid_tag(image.tag)) return std::nullopt;
    rest.resize(colon);
  }
  auto slash = rest.find('/');
  if (slash != std::string::npos && looks_like_registry(rest.substr(0, slash))) {
    image.registry = rest.substr(0, slash);
    image.repository = rest.substr(slash + 1);
  } else {
    image.registry = "docker.io";
    image.repository = slash == std::string::npos ? "library/" + rest : rest;
  }
  if (image.registry == "index.docker.io" || image.registry == "registry-1.docker.io") image.registry = "docker.io";
  if (image.registry == "docker.io" && !image.repository.empty() && image.repository.find('/') == std::string::npos) image.repository.insert(0, "library/"); // as Docker reads it
  if (!valid_path(image.repository) || (slash == std::string::npos && rest.empty())) return std::nullopt;
  if (image.tag.empty() && image.digest.empty()) image.tag = "latest";
  return image;
}

} // namespace poseidon::engine
