#pragma once
// Image references as the engine reads them. Pure.

#include <optional>
#include <string>

namespace poseidon::engine {

/// "registry.example:5000/team/web:1@sha256:…" in its parts.
struct image_reference {
  std::string registry;   ///< "docker.io" when none is named
  std::string repository; ///< "library/nginx" for "nginx"
  std::string tag;        ///< "latest" when neither tag nor digest is given; empty with a digest alone
  std::string digest;     ///< "sha256:…" or empty
  /// "docker.io/library/nginx:latest": one name for whatever was written; with the digest instead of a tag where there is one.
  std::string full_name() const;
  /// What POST /images/create takes as fromImage: with the registry unless it is docker.io.
  std::string pull_name() const;
  /// What it takes as tag: the digest when there is one.
  std::string pull_tag() const { return digest.empty() ? tag : digest; }
};

/// Reads a reference; nothing when it is malformed.
std::optional<image_reference> parse_image_reference(const std::string& text);

} // namespace poseidon::engine
