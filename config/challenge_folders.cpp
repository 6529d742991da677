#include "config/challenge_folders.hpp"

#include "config/yaml.hpp"
#include "messages/digest.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace poseidon::config {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t largest_file_bytes = 1 << 20;
constexpr int deepest_folder = 16;

std::optional<std::string> read_file(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::string text(largest_file_bytes + 1, '\0');
  if (!in) return std::nullopt;
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad()) return std::nullopt;
  text.resize(static_cast<std::size_t>(in.gcount()));
  return text; // one that is too large is refused by the YAML reader
}

/// True for a challenge that the platform shows but nobody has to run.
bool has_nothing_to_run(const std::string& text) {
  auto document = parse_yaml(text);
  if (!document.value || !document.value->is_object()) return false;
  auto absent = [&](const char* key) { return !document.value->contains(key) || document.value->at(key).is_null(); };
  return absent("image") && absent("instance");
}

challenge_folder read_folder(const fs::path& file, const std::string& relative, const std::string& name,
                             const challenge_defaults& defaults, const challenge_listing* before) {
  challenge_folder out;
  out.folder = relative;
  auto text = read_file(file);
  if (!text) {
    out.problems.push_back({"", "can't read " + file.filename().string() + ": may this user read it?"});
    return out;
  }
  out.text_digest = "sha256:" + sha256_hex(*text);
  if (before) {
    auto same = std::ranges::find_if(
        before->folders, [&](auto& f) { return f.folder == relative && f.text_digest == out.text_digest && f.value; });
    if (same != before->folders.end()) return *same;
  }
  if ((out.nothing_to_run = has_nothing_to_run(*text))) return out;
  auto parsed = parse_challenge(*text, name, defaults);
  if (parsed)
    out.value = std::move(*parsed);
  else
    out.problems = std::move(parsed.error.errors);
  return out;
}

/// Every folder that claims an id which another one claims too loses its value.
void refuse_doubles(std::vector<challenge_folder>& folders) {
  std::map<std::string, std::vector<challenge_folder*>> claims;
  for (auto& f : folders)
    if (f.value) claims[f.value->id.value].push_back(&f);
  for (auto& [id, claimants] : claims) {
    if (claimants.size() < 2) continue;
    std::string all;
    for (auto* f : claimants)
      all += (all.empty() ? "" : ", ") + f->folder;
    for (auto* f : claimants) {
      f->value.reset();
      f->problems.push_back({"instance.id", "several folders are challenge " + id + " (" + all +
                                                "): rename a folder, or give instance.id"});
    }
  }
}

class walk {
public:
  walk(const challenge_defaults& defaults, const challenge_listing* before) : defaults_(defaults), before_(before) {}
  challenge_listing out;

  void folder(const fs::path& dir, const std::string& relative, const std::string& name, int depth) {
    std::error_code error;
    std::vector<fs::directory_entry> below;
    for (fs::directory_iterator it(dir, error), end; !error && it != end; it.increment(error))
      below.push_back(*it);
    if (error) return out.problems.push_back({relative, "can't read this directory: " + error.message()});
    std::ranges::sort(below, {}, [](auto& e) { return e.path().filename().string(); });
    for (auto& entry : below) {
      auto file = entry.path().filename().string();
      if (file.starts_with(".") || entry.is_symlink(error)) continue;
      if (file == "challenge.yml" || file == "challenge.yaml") {
        out.folders.push_back(read_folder(entry.path(), relative, name, defaults_, before_));
      } else if (entry.is_directory(error)) {
        auto inner = relative == "." ? file : relative + "/" + file;
        if (depth < deepest_folder)
          folder(entry.path(), inner, file, depth + 1);
        else
          out.problems.push_back({inner, "nested deeper than 16 folders; not looked into"});
      }
    }
  }

private:
  const challenge_defaults& defaults_;
  const challenge_listing* before_;
};

} // namespace

challenge_listing read_challenges(const std::string& dir, const challenge_defaults& defaults,
                                  const challenge_listing* before) {
  walk w(defaults, before);
  std::error_code error;
  if (!fs::is_directory(dir, error)) {
    w.out.problems.push_back({dir, "is not a directory that can be read; set challenges.dir to one"});
    return std::move(w.out);
  }
  auto absolute = fs::weakly_canonical(dir, error);
  w.folder(dir, ".", absolute.filename().string(), 0);
  std::ranges::sort(w.out.folders, {}, &challenge_folder::folder);
  refuse_doubles(w.out.folders);
  return std::move(w.out);
}

} // namespace poseidon::config
