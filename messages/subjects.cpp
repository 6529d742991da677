#include "messages/subjects.hpp"

namespace poseidon::subjects {
namespace {

bool is_plain(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
}

int digit_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

std::string subject(std::string_view cluster, std::string_view branch) {
  return "poseidon." + token(cluster) + '.' + std::string(branch);
}

std::string subject(std::string_view cluster, std::string_view branch, std::string_view name) {
  return subject(cluster, branch) + '.' + token(name);
}

} // namespace

std::string token(std::string_view name) {
  if (name.empty()) return "=";
  std::string text;
  for (char c : name) {
    if (is_plain(c)) text += c;
    else {
      auto byte = static_cast<unsigned char>(c);
      text += '=';
      text += "0123456789ABCDEF"[byte >> 4];
      text += "0123456789ABCDEF"[byte & 15];
    }
  }
  return text;
}

std::optional<std::string> name_of(std::string_view token) {
  if (token == "=") return std::string();
  std::string name;
  for (std::size_t i = 0; i < token.size(); ++i) {
    if (is_plain(token[i])) {
      name += token[i];
      continue;
    }
    if (token[i] != '=' || i + 2 >= token.size()) return std::nullopt;
    int high = digit_value(token[i + 1]), low = digit_value(token[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    name += static_cast<char>(high << 4 | low);
    i += 2;
  }
  if (name.empty() || subjects::token(name) != token) return std::nullopt;
  return name;
}

std::string ledger_stream(std::string_view cluster) { return "poseidon-" + token(cluster); }
std::string ledger(std::string_view cluster) { return subject(cluster, "ledger"); }
std::string node_commands(std::string_view cluster, const node_name& node) { return subject(cluster, "node", node.value); }
std::string streams(std::string_view cluster, std::string_view process, const node_name& node) {
  return subject(cluster, "stream", process) + '.' + token(node.value);
}
std::string route_questions(std::string_view cluster) { return subject(cluster, "route_question"); }
std::string heartbeat(std::string_view cluster, std::string_view process) { return subject(cluster, "heartbeat", process); }
std::string heartbeats(std::string_view cluster) { return subject(cluster, "heartbeat.*"); }
std::string notifier(std::string_view cluster, std::string_view process) { return subject(cluster, "notifier", process); }
std::string notifiers(std::string_view cluster) { return subject(cluster, "notifier.*"); }
std::string snapshots(std::string_view cluster, std::string_view process) { return subject(cluster, "snapshot", process); }

} // namespace poseidon::subjects
