// Settings for people: the list of `poseidon config`, the example file, the flags of `serve --help`.

#include "config/settings_load.hpp"
#include "config/settings_table.hpp"

namespace poseidon::config {
namespace {

/// A value as YAML, in flow style; quoted where a plain one would read differently.
std::string as_yaml(const setting_row& row, const settings& s) {
  auto scalar = [](const std::string& text) {
    bool plain = !text.empty() && text.find_first_of("{}[],\"'#&*!|>%@` ") == std::string::npos && text.front() != '-';
    return plain ? text : "\"" + text + "\"";
  };
  if (!row.list) return row.type == "text" || row.type == "percentage" ? scalar(row.text(s)) : row.text(s);
  std::string out;
  for (auto& item : row.items(s))
    out += (out.empty() ? "" : ", ") + (row.type == "address" ? "\"" + item + "\"" : scalar(item));
  return "[" + out + "]";
}

/// `text` in lines of at most `width`, each with `prefix`.
std::string wrapped(const std::string& text, const std::string& prefix, std::size_t width) {
  std::string out, line;
  std::size_t start = 0;
  while (start < text.size()) {
    auto blank = text.find(' ', start);
    auto word = text.substr(start, blank == std::string::npos ? blank : blank - start);
    if (!line.empty() && prefix.size() + line.size() + 1 + word.size() > width) {
      out += prefix + line + "\n";
      line.clear();
    }
    line += (line.empty() ? "" : " ") + word;
    start = blank == std::string::npos ? text.size() : blank + 1;
  }
  return out + (line.empty() ? "" : prefix + line + "\n");
}

} // namespace

std::vector<setting_view> list_settings(const loaded_settings& loaded) {
  std::vector<setting_view> out;
  const settings defaults;
  for (auto& row : settings_table()) {
    auto source = loaded.sources.find(row.name);
    setting_view view{std::string(row.name),
                      (row.list ? "list of " : "") + std::string(row.type),
                      row.range,
                      row.text(loaded.values),
                      row.text(defaults),
                      source == loaded.sources.end() ? setting_source::default_ : source->second,
                      row.environment(),
                      std::string(row.flag),
                      row.live,
                      row.secret,
                      std::string(row.help)};
    out.push_back(std::move(view));
  }
  return out;
}

std::string example_file() {
  std::string out =
      "# Poseidon's settings. Every one is here with its default; uncomment what you change.\n"
      "# The same names work in the environment (edge.domain is POSEIDON_EDGE_DOMAIN) and, where noted, as flags of\n"
      "# `poseidon serve`: flags win over the environment, and that over this file. `poseidon config` shows what "
      "holds.\n";
  const settings defaults;
  std::string group;
  for (auto& row : settings_table()) {
    std::string name(row.name), indent;
    if (auto dot = name.find('.'); dot != std::string::npos) {
      if (group != name.substr(0, dot)) out += "\n" + (group = name.substr(0, dot)) + ":\n";
      name = name.substr(dot + 1);
      indent = "  ";
    } else {
      out += "\n";
    }
    auto about = std::string(row.help);
    if (!row.range.empty()) about += " (" + row.range + ")";
    if (!row.flag.empty()) about += " [" + std::string(row.flag) + "]";
    if (row.live) about += " [live]";
    out += wrapped(about, indent + "# ", 120) + indent + "#" + name + ": " + as_yaml(row, defaults) + "\n";
  }
  return out;
}

std::string flags_help() {
  std::string out = "  --config FILE                    settings file, YAML or JSON (POSEIDON_CONFIG)\n";
  for (auto& row : settings_table()) {
    if (row.flag.empty()) continue;
    auto left = "  " + std::string(row.flag) + (row.placeholder.empty() ? "" : " " + std::string(row.placeholder));
    std::size_t columns = 0; // UTF-8: continuation bytes take no column
    for (char c : left)
      columns += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    left += std::string(columns < 34 ? 35 - columns : 2, ' ');
    auto fallback = row.text(settings{});
    bool tell = !row.placeholder.empty() && !fallback.empty() && row.help.find("default:") == std::string_view::npos;
    out += left + std::string(row.help) + (tell ? " (default " + fallback + ")" : "") + "\n";
  }
  return out;
}

} // namespace poseidon::config
