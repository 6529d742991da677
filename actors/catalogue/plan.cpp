#include "actors/catalogue/plan.hpp"

#include <algorithm>
#include <set>

namespace poseidon {
namespace {

bool broken(const config::challenge_folder& folder) { return !folder.value && !folder.nothing_to_run; }

/// What a broken folder was: by memory, else by its name.
challenge_id id_of_broken(const config::challenge_folder& folder, const folder_ids& before) {
  if (auto known = before.find(folder.folder); known != before.end()) return known->second;
  const auto slash = folder.folder.find_last_of('/');
  return {config::slug_of(slash == std::string::npos ? folder.folder : folder.folder.substr(slash + 1))};
}

} // namespace

catalogue_plan plan_catalogue(const config::challenge_listing& listing, const std::map<challenge_id, known_challenge>& ledger,
                              const folder_ids& before) {
  catalogue_plan plan;
  std::set<challenge_id> present;
  bool may_drop = listing.problems.empty();
  if (!listing.problems.empty()) plan.problems.push_back({"", "", listing.problems});
  for (auto& folder : listing.folders) {
    if (broken(folder)) {
      auto id = id_of_broken(folder, before);
      plan.problems.push_back({folder.folder, id.value, folder.problems});
      may_drop = may_drop && (before.contains(folder.folder) || ledger.contains(id));
      present.insert(std::move(id));
    } else if (folder.value) {
      auto known = ledger.find(folder.value->id);
      if (known == ledger.end() || known->second.revision != folder.value->revision) plan.put.push_back(*folder.value);
      present.insert(folder.value->id);
    }
  }
  if (may_drop)
    for (auto& [id, row] : ledger)
      if (!present.contains(id)) plan.drop.push_back(id);
  return plan;
}

folder_ids remember_ids(const config::challenge_listing& listing, const folder_ids& before) {
  folder_ids ids;
  for (auto& folder : listing.folders) {
    if (folder.value)
      ids[folder.folder] = folder.value->id;
    else if (auto known = before.find(folder.folder); broken(folder) && known != before.end())
      ids.insert(*known);
  }
  return ids;
}

bool same_texts(const config::challenge_listing& a, const config::challenge_listing& b) {
  return a.problems == b.problems &&
         std::equal(a.folders.begin(), a.folders.end(), b.folders.begin(), b.folders.end(), [](auto& x, auto& y) {
           return x.folder == y.folder && x.text_digest == y.text_digest && x.problems == y.problems && x.value.has_value() == y.value.has_value();
         });
}

} // namespace poseidon
