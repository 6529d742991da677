#include "actors/catalogue/catalogue_diff.hpp"

#include <algorithm>

namespace poseidon {

namespace {

bool is_broken(const config::challenge_folder& folder) { return !folder.value && !folder.nothing_to_run; }

} // namespace

catalogue_diff compare_catalogue(const config::challenge_listing& listing, const std::vector<std::shared_ptr<const challenge_row>>& rows) {
  std::map<challenge_id, const challenge_row*> known;
  for (auto& row : rows) known.emplace(row->id, row.get());
  catalogue_diff diff;
  for (auto& folder : listing.folders) {
    if (!folder.value) continue;
    const auto found = known.find(folder.value->id);
    if (found == known.end() || found->second->revision != folder.value->revision) diff.put.push_back(&*folder.value);
    if (found != known.end()) known.erase(found);
  }
  const bool readable = listing.problems.empty() && std::none_of(listing.folders.begin(), listing.folders.end(), is_broken);
  if (readable)
    for (auto& [id, row] : known) diff.drop.push_back(id);
  return diff;
}

catalogue_report report_of(const config::challenge_listing& listing) {
  catalogue_report report;
  if (!listing.problems.empty()) report.problems.push_back({".", "", listing.problems});
  for (auto& folder : listing.folders) {
    if (folder.value) ++report.challenges;
    if (!folder.problems.empty())
      report.problems.push_back({folder.folder, folder.value ? folder.value->id.value : std::string{}, folder.problems});
  }
  return report;
}

} // namespace poseidon
