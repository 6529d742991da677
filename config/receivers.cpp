#include "config/receivers.hpp"

#include "config/suggest.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace poseidon::config {
namespace {

using nlohmann::json;
using texts = std::vector<std::string>;

constexpr std::size_t longest_name = 64, longest_url = 2048, most_patterns = 64;

bool is_name(const std::string& name) {
  return !name.empty() && name.size() <= longest_name && std::ranges::all_of(name, [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
  });
}

bool is_pattern(const std::string& pattern) {
  return !pattern.empty() && pattern.size() <= 200 && std::ranges::all_of(pattern, [](unsigned char c) { return c > ' ' && c < 0x7f; });
}

/// Reads one mapping; complains with the entry's place in front.
class reader {
public:
  reader(const json& from, std::string place, texts& problems) : from_(from), place_(std::move(place)), problems_(problems) {}

  void complain(const std::string& field, const std::string& what) { problems_.push_back(place_ + (field.empty() ? "" : "." + field) + " " + what); }

  std::string text(const char* field) {
    known_.push_back(field);
    const auto found = from_.find(field);
    if (found == from_.end()) return {};
    if (found->is_string()) return found->get<std::string>();
    complain(field, "is a text");
    return {};
  }
  texts patterns(const char* field) {
    known_.push_back(field);
    texts out;
    const auto found = from_.find(field);
    if (found == from_.end()) return out;
    const auto list = found->is_array() ? *found : json::array({*found});
    for (auto& item : list) {
      if (item.is_string() && is_pattern(item.get<std::string>())) out.push_back(item.get<std::string>());
      else complain(field, "is a list of patterns like instance.* or web-??");
    }
    if (list.empty()) complain(field, "is empty: leave it out, or name at least one");
    if (out.size() > most_patterns) complain(field, "has more than 64 patterns");
    return out;
  }
  void refuse_others() {
    for (auto& [key, value] : from_.items())
      if (std::ranges::find(known_, key) == known_.end()) complain(key, "is unknown" + did_you_mean(key, known_));
  }

private:
  const json& from_;
  std::string place_;
  texts& problems_;
  std::vector<std::string_view> known_;
};

void check(const receiver_settings& r, reader& in) {
  if (!is_name(r.name)) in.complain("name", "is 1 to 64 letters, digits, dots, dashes and underscores");
  if (r.url.empty() == r.url_file.empty()) in.complain("url", "is given either here or in a file (url_file)");
  if (!r.url.empty())
    if (auto problem = check_receiver_url(r.url.reveal())) in.complain("url", *problem);
  const bool signs = !r.key.empty() || !r.secret_file.empty();
  if (r.type == receiver_kind::discord && signs) in.complain("secret", "is for webhooks: Discord's address is the secret");
  if (r.type == receiver_kind::webhook && r.key.empty() == r.secret_file.empty())
    in.complain("secret", "signs the requests: give one here or in a file (secret_file)");
  if (!r.key.empty() && r.key.reveal().size() < shortest_receiver_key) in.complain("secret", "has at least 16 characters");
}

receiver_settings read_one(const json& from, const std::string& place, texts& problems) {
  receiver_settings r;
  reader in(from, place, problems);
  if (!from.is_object()) {
    in.complain("", "is a mapping like {name: ops, type: webhook, url: …, secret: …}");
    return r;
  }
  r.name = in.text("name");
  const auto type = in.text("type");
  if (auto kind = enum_from_string<receiver_kind>(type.empty() ? "webhook" : type)) r.type = *kind;
  else in.complain("type", "\"" + type + "\" is none of webhook, discord");
  r.url = secret{in.text("url")};
  r.url_file = in.text("url_file");
  r.key = secret{in.text("secret")};
  r.secret_file = in.text("secret_file");
  r.events = in.patterns("events");
  r.challenges = in.patterns("challenges");
  in.refuse_others();
  check(r, in);
  if (!r.events.empty()) return r;
  r.events = {"instance.*"};
  if (r.type == receiver_kind::discord) // what people want to see in a channel
    r.events = {"instance.running", "instance.failed", "instance.extended", "instance.stopped", "instance.expired", "instance.lost"};
  return r;
}

std::string place_of(std::size_t index) { return "[" + std::to_string(index) + "]"; }

} // namespace

std::optional<std::string> check_receiver_url(const std::string& url) {
  const auto start = url.starts_with("https://") ? 8u : url.starts_with("http://") ? 7u : 0u;
  const bool plain = std::ranges::all_of(url, [](unsigned char c) { return c > ' ' && c < 0x7f; });
  if (start == 0 || url.size() > longest_url || !plain || url.find_first_of("/?#", start) == start || url.size() == start)
    return "is an address like https://ctf.example/hooks/poseidon";
  const auto host = url.substr(start, url.find_first_of("/?#", start) - start);
  if (host.find('@') != std::string::npos) return "holds a user: a webhook is known by its signature";
  if (url.find('#') != std::string::npos) return "ends before the # (a receiver never sees what follows)";
  return std::nullopt;
}

std::vector<receiver_settings> parse_receivers(const std::variant<std::string, texts>& raw, texts& problems) {
  std::vector<receiver_settings> out;
  const auto* one = std::get_if<std::string>(&raw);
  const auto items = one ? texts{*one} : std::get<texts>(raw);
  for (auto& item : items) {
    if (item.empty()) continue;
    const auto value = json::parse(item, nullptr, false);
    if (value.is_discarded()) {
      problems.push_back(place_of(out.size()) + " is a mapping like {name: ops, type: webhook, url: …, secret: …}; in the environment, a JSON array of those");
      continue;
    }
    if (one && value.is_array())
      for (auto& each : value) out.push_back(read_one(each, place_of(out.size()), problems));
    else out.push_back(read_one(value, place_of(out.size()), problems));
  }
  return out;
}

std::string to_text(const receiver_settings& r) {
  std::string host = "from a file";
  if (const auto& url = r.url.reveal(); !url.empty()) {
    const auto start = url.find("://") + 3;
    host = url.substr(start, url.find_first_of("/?#", start) - start);
  }
  return r.name + " (" + std::string(to_string(r.type)) + ", " + host + ")";
}

} // namespace poseidon::config
