#include "actors/instance/lifecycle_document.hpp"

#include "actors/instance/lifecycle.hpp"

#include <map>
#include <vector>

namespace poseidon {
namespace {

constexpr const char* introduction = R"(# Lifecycle of an instance

Generated from the table in `actors/instance/lifecycle.hpp`; a test compares the two
(`POSEIDON_UPDATE_DOCS=1 test_actors_instance` writes this page anew). The table is a pure decision {from, on, to, effects};
the instance actor performs a row's effects in their order, in one place.

- The lifetime counts from `running`; until then the start limit is the deadline.
- `running` means that the health check has passed through the dial path and that the machine's edge has acknowledged the route.
- At the deadline the route is cut and TERM goes out at once, KILL at most 900 ms later. A user's stop honours the challenge's grace.
- `release_slot` is the last fact: `refused` when this node could not start it and another may, else `ended` with its reason.
- What is said (`say_…`) reaches the ledger with the next `commit`, never before the journal has it.

)";

std::string join(const std::vector<std::string>& words) {
  std::string text;
  for (auto& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

std::string diagram() {
  std::map<std::pair<phase, phase>, std::vector<std::string>> arrows;
  for (auto& row : lifecycle_rows)
    if (row.from != row.to) arrows[{row.from, row.to}].emplace_back(to_string(row.on));
  std::string text = "```mermaid\nstateDiagram-v2\n  [*] --> queued\n";
  for (auto& [ends, triggers] : arrows)
    text += "  " + std::string{to_string(ends.first)} + " --> " + std::string{to_string(ends.second)} + ": " + join(triggers) + "\n";
  return text + "  gone --> [*]\n```\n";
}

std::string effects_of(const transition& row) {
  std::vector<std::string> words;
  for (auto e : row.effects)
    if (e != effect::nothing) words.emplace_back(to_string(e));
  return join(words);
}

std::string rows() {
  std::string text = "\n## Rows\n\n| from | on | to | effects |\n|---|---|---|---|\n";
  for (auto& row : lifecycle_rows) {
    text += "| " + std::string{to_string(row.from)} + " | " + std::string{to_string(row.on)} + " | " + std::string{to_string(row.to)};
    text += " | " + effects_of(row) + " |\n";
  }
  return text;
}

std::string ignored() {
  std::string text = "\n## Ignored on purpose\n\nEvery other pair has a row above; the compiler checks it.\n\n| on | in |\n|---|---|\n";
  for (auto& pair : lifecycle_table::ignored) {
    std::vector<std::string> words;
    for (auto p : poseidon_enum_values(phase{}))
      if (is_ignored(p, pair.on)) words.emplace_back(to_string(p));
    text += "| " + std::string{to_string(pair.on)} + " | " + join(words) + " |\n";
  }
  return text;
}

} // namespace

std::string lifecycle_document() { return introduction + diagram() + rows() + ignored(); }

} // namespace poseidon
