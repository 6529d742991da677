// poseidon-bench [PART...] [--json] [--list]: runs the named parts, or all; exits 1 when one failed, 2 when a goal was missed.

#include "bench/bench.hpp"

#include <nlohmann/json.hpp>

#include <cstdio>
#include <cstring>
#include <exception>
#include <set>

namespace {

using namespace poseidon::bench;

nlohmann::json to_json(const std::string& part, const row& r) {
  nlohmann::json j{{"part", part}, {"name", r.name}, {"figure", r.figure}, {"unit", r.unit}};
  j["reference"] = r.reference ? nlohmann::json(*r.reference) : nlohmann::json();
  j["ratio"] = r.ratio() ? nlohmann::json(*r.ratio()) : nlohmann::json();
  j["goal"] = r.goal ? nlohmann::json(*r.goal) : nlohmann::json();
  j["met"] = r.met() ? nlohmann::json(*r.met()) : nlohmann::json();
  return j;
}

std::string number(std::optional<double> value) {
  if (!value) return "-";
  char text[64];
  std::snprintf(text, sizeof text, *value >= 1000 ? "%.0f" : "%.3g", *value);
  return text;
}

void print(const row& r) {
  const auto met = r.met();
  std::printf("%-52s %12s %-12s %12s %8s %10s  %s\n", r.name.c_str(), number(r.figure).c_str(), r.unit.c_str(), number(r.reference).c_str(),
              number(r.ratio()).c_str(), number(r.goal).c_str(), !met ? "" : *met ? "ok" : "MISSED");
  std::fflush(stdout);
}

} // namespace

int main(int argc, char** argv) {
  bool json = false;
  std::set<std::string> wanted;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--json") == 0) json = true;
    else if (std::strcmp(argv[i], "--list") == 0) {
      for (const auto& [name, run] : all_parts()) std::puts(name.c_str());
      return 0;
    } else wanted.insert(argv[i]);
  }
  const bool some = !wanted.empty();
  bool failed = false, missed = false;
  auto rows = nlohmann::json::array();
  if (!json) std::printf("%-52s %12s %-12s %12s %8s %10s\n", "what", "figure", "unit", "reference", "ratio", "goal");
  for (const auto& [name, run] : all_parts()) {
    if (some && wanted.erase(name) == 0) continue;
    try {
      for (const auto& r : run()) {
        missed = missed || !r.met().value_or(true);
        if (json) rows.push_back(to_json(name, r));
        else print(r);
      }
    } catch (const std::exception& e) {
      std::fprintf(stderr, "%s: %s\n", name.c_str(), e.what());
      failed = true;
    }
  }
  for (const auto& name : wanted) { // what is left was no part's name
    std::fprintf(stderr, "%s: no such part (--list names them)\n", name.c_str());
    failed = true;
  }
  if (json) std::puts(rows.dump(1).c_str());
  return failed ? 1 : missed ? 2 : 0;
}
