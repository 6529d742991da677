// Events as Discord shows them: one embed each.

#include "nodes/notifier/webhook_form.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

namespace poseidon {
namespace {

using nlohmann::json;

// Discord refuses longer ones.
constexpr std::size_t most_title = 256, most_value = 1024, most_description = 2048;
constexpr std::size_t most_log_tail = 900;

struct look {
  std::string_view type, verb;
  int colour;
};
constexpr std::array looks{
    look{"instance.queued", "queued", 0x95a5a6},   look{"instance.pending", "starting", 0x95a5a6},
    look{"instance.running", "running", 0x2ecc71}, look{"instance.extended", "extended", 0x3498db},
    look{"instance.reset", "reset", 0x9b59b6},     look{"instance.restarted", "restarted", 0xe67e22},
    look{"instance.stopping", "stopping", 0x95a5a6}, look{"instance.stopped", "stopped", 0x607d8b},
    look{"instance.expiring", "ends soon", 0xf1c40f}, look{"instance.expired", "expired", 0xf1c40f}, look{"instance.failed", "failed", 0xe74c3c},
    look{"instance.lost", "lost", 0xc0392b},
};
constexpr int other_colour = 0x7f8c8d;

/// At most `most` bytes, no character cut in two.
std::string cut(std::string text, std::size_t most) {
  if (text.size() <= most) return text;
  constexpr std::string_view mark = "…";
  auto end = most - mark.size();
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  text.erase(end);
  return text.append(mark);
}

std::string text_at(const json& object, const char* name) {
  const auto found = object.is_object() ? object.find(name) : object.end();
  return object.is_object() && found != object.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

/// What players write (names) is shown as it is: no formatting of theirs.
std::string plain(const std::string& text) {
  std::string out;
  for (char c : text) {
    if (std::string_view("\\*_~`|>[]#<@").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

void add_field(json& fields, const char* name, const std::string& value, bool beside = true) {
  if (!value.empty()) fields.push_back({{"name", name}, {"value", cut(value, most_value)}, {"inline", beside}});
}

std::string owner_of(const json& instance) {
  const auto owner = instance.value("owner", json::object());
  const auto team = text_at(owner, "team_name").empty() ? text_at(owner, "team") : text_at(owner, "team_name");
  const auto user = text_at(owner, "user_name").empty() ? text_at(owner, "user") : text_at(owner, "user_name");
  if (team.empty()) return user;
  return user.empty() ? team : team + " (" + user + ")";
}

/// Discord shows <t:…:R> as "in 12 minutes", in the reader's own time.
std::string time_of(const json& instance, const char* name) {
  const auto at = from_rfc3339(text_at(instance, name));
  return at ? "<t:" + std::to_string(at->ms / 1000) + ":R>" : std::string{};
}

std::string failure_of_instance(const json& instance) {
  const auto why = instance.value("failure", json());
  if (!why.is_object()) return {};
  auto text = text_at(why, "code") + ": " + plain(text_at(why, "detail"));
  auto tail = text_at(why, "log_tail");
  if (tail.size() > most_log_tail) tail = "…" + tail.substr(tail.size() - most_log_tail);
  for (std::size_t at = 0; (at = tail.find("```", at)) != std::string::npos; at += 3) tail.replace(at, 3, "'''");
  if (!tail.empty()) text += "\n```\n" + tail + "\n```";
  return text;
}

json embed_of(const json& event, const std::string& type) {
  const auto found = std::find_if(looks.begin(), looks.end(), [&](auto& l) { return l.type == type; });
  const auto instance = event.value("instance", json());
  json embed{{"color", found == looks.end() ? other_colour : found->colour}, {"timestamp", text_at(event, "at")}};
  if (!instance.is_object()) {
    embed["title"] = cut(type, most_title);
    const auto detail = event.value("detail", json::object());
    if (!detail.empty()) embed["description"] = cut(plain(detail.dump()), most_description);
    return embed;
  }
  const auto challenge = text_at(instance, "challenge").empty() ? std::string("an inline spec") : text_at(instance, "challenge");
  embed["title"] = cut(plain(challenge) + " " + (found == looks.end() ? type.substr(type.find('.') + 1) : std::string{found->verb}), most_title);
  auto fields = json::array();
  add_field(fields, "Owner", plain(owner_of(instance)));
  add_field(fields, "Node", plain(text_at(instance, "node")));
  const bool live = instance.value("ended_at", json()).is_null();
  if (live) add_field(fields, "Expires", time_of(instance, "expires_at"));
  if (live && type != "instance.stopping") {
    add_field(fields, "URL", text_at(instance, "url"), false);
    if (auto url = text_at(instance, "url"); url.starts_with("http")) embed["url"] = url;
  }
  add_field(fields, "Reason", text_at(instance, "reason"));
  add_field(fields, "By", plain(text_at(event, "actor")));
  add_field(fields, "Failure", failure_of_instance(instance), false);
  embed["fields"] = std::move(fields);
  embed["footer"] = {{"text", cut(text_at(instance, "id"), 100)}};
  return embed;
}

} // namespace

webhook_request discord_request_of(const delivery_attempt& what) {
  const auto event = json::parse(what.what->body, nullptr, false);
  json message{{"username", "Poseidon"}, {"allowed_mentions", {{"parse", json::array()}}}};
  message["embeds"] = json::array({embed_of(event.is_object() ? event : json::object(), what.what->type)});
  webhook_request request;
  request.body = message.dump(-1, ' ', false, json::error_handler_t::replace);
  request.headers = {{"Content-Type", "application/json"}, {"User-Agent", "DiscordBot (poseidon, " POSEIDON_VERSION ")"}};
  return request;
}

} // namespace poseidon
