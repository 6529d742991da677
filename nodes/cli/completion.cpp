// Completion scripts, made from the parser's own commands and options: what --help shows is what completes.

#include "nodes/cli/commands.hpp"

namespace poseidon::cli {
namespace {

struct word {
  std::string text, help;
};
/// A command's path ("nodes drain", "" for none) and what may follow it.
struct level {
  std::string path;
  std::vector<word> words;
  std::string dynamic; ///< command that prints further words; empty: none
};

std::string shell_quoted(const std::string& text) {
  std::string out = "'";
  for (char c : text)
    out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

/// Instances and challenges are asked of the server; an error prints nothing.
std::string dynamic_for(const std::string& path) {
  for (auto with_instance : {"show", "logs", "extend", "reset", "stop", "events"})
    if (path == with_instance) return "poseidon ps -q";
  for (auto with_challenge : {"start", "challenges show", "challenges disable", "challenges enable"})
    if (path == with_challenge) return "poseidon challenges list -q";
  for (auto with_node : {"nodes drain", "nodes cordon", "nodes uncordon"})
    if (path == with_node) return "poseidon nodes ls -q";
  return {};
}

void collect(const CLI::App& app, const std::string& path, std::vector<level>& out) {
  level here{path, {}, dynamic_for(path)};
  for (auto* command : app.get_subcommands({}))
    here.words.push_back({command->get_name(), command->get_description()});
  for (auto* option : app.get_options())
    for (auto& name : option->get_lnames())
      here.words.push_back({"--" + name, option->get_description()});
  if (path == "completion") here.words.insert(here.words.end(), {{"bash", ""}, {"zsh", ""}, {"fish", ""}});
  out.push_back(std::move(here));
  for (auto* command : app.get_subcommands({}))
    collect(*command, path.empty() ? command->get_name() : path + " " + command->get_name(), out);
}

std::string joined(const std::vector<word>& words) {
  std::string out;
  for (auto& w : words)
    out += (out.empty() ? "" : " ") + w.text;
  return out;
}

/// Follows the typed words as far as they name commands, into `path`; the same in bash and zsh.
std::string walk(const std::vector<level>& levels) {
  std::string known;
  for (auto& l : levels)
    if (!l.path.empty()) known += (known.empty() ? "" : "|") + shell_quoted(l.path);
  return "  for word in \"${typed[@]}\"; do\n    case \"${at:+$at }$word\" in\n      " + known +
         ") at=\"${at:+$at }$word\" ;;\n    esac\n  done\n";
}

std::string cases(const std::vector<level>& levels) {
  std::string out = "  case \"$at\" in\n";
  for (auto& l : levels)
    out += "    " + shell_quoted(l.path) + ") found=" + shell_quoted(joined(l.words)) +
           (l.dynamic.empty() ? "" : "; more=" + shell_quoted(l.dynamic)) + " ;;\n";
  return out + "  esac\n";
}

std::string bash(const std::vector<level>& levels) {
  return "# bash completion for poseidon\n_poseidon() {\n  local at='' word found='' more='' "
         "current=\"${COMP_WORDS[COMP_CWORD]}\"\n"
         "  local typed=(\"${COMP_WORDS[@]:1:COMP_CWORD-1}\")\n" +
         walk(levels) + cases(levels) +
         "  if [ -n \"$more\" ] && [ \"${current:0:1}\" != - ]; then found=\"$found $($more 2>/dev/null)\"; fi\n"
         "  COMPREPLY=($(compgen -W \"$found\" -- \"$current\"))\n"
         "  if [ ${#COMPREPLY[@]} = 0 ]; then COMPREPLY=($(compgen -f -- \"$current\")); fi\n}\ncomplete -F _poseidon "
         "poseidon\n";
}

std::string zsh(const std::vector<level>& levels) {
  return "#compdef poseidon\n_poseidon() {\n  local at='' word found='' more=''\n  local -a typed\n  "
         "typed=(\"${(@)words[2,CURRENT-1]}\")\n" +
         walk(levels) + cases(levels) +
         "  if [[ -n $more && $words[CURRENT] != -* ]]; then found=\"$found ${(f)\"$(${=more} 2>/dev/null)\"}\"; fi\n"
         "  compadd -- ${=found}\n  _files\n}\ncompdef _poseidon poseidon\n";
}

std::string fish(const std::vector<level>& levels) {
  std::string out = "# fish completion for poseidon\ncomplete -c poseidon -f\n";
  for (auto& l : levels) {
    std::string condition = "__fish_use_subcommand";
    if (!l.path.empty()) {
      condition.clear();
      for (std::size_t start = 0; start <= l.path.size();) {
        auto blank = std::min(l.path.find(' ', start), l.path.size());
        condition += (condition.empty() ? "" : "; and ") + std::string("__fish_seen_subcommand_from ") +
                     l.path.substr(start, blank - start);
        start = blank + 1;
      }
    }
    for (auto& w : l.words) {
      bool option = w.text.starts_with("--");
      out += "complete -c poseidon -n " + shell_quoted(l.path.empty() && option ? "true" : condition) +
             (option ? " -l " + w.text.substr(2) : " -a " + w.text) +
             (w.help.empty() ? "" : " -d " + shell_quoted(w.help)) + "\n";
    }
    if (!l.dynamic.empty())
      out += "complete -c poseidon -n " + shell_quoted(condition) + " -a '(" + l.dynamic + " 2>/dev/null)'\n";
  }
  return out;
}

} // namespace

std::string completion_script(const CLI::App& app, const std::string& shell) {
  std::vector<level> levels;
  collect(app, "", levels);
  return shell == "bash" ? bash(levels) : shell == "zsh" ? zsh(levels) : fish(levels);
}

} // namespace poseidon::cli
