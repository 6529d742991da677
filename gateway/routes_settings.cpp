// Settings that may change while the process runs.

#include "gateway/api.hpp"
#include "gateway/routes_support.hpp"
#include "gateway/settings_view.hpp"

#include "config/limits.hpp"

namespace poseidon::gateway {

namespace {

void write_setting(json_writer& out, const shown_setting& setting) {
  auto& view = setting.view;
  out.begin_object().text("name", view.name).text("type", view.type).text_or_null("range", view.range);
  out.text("value", view.value).text("default", view.default_value).text("source", setting.source);
  out.boolean("live", view.live).boolean("secret", view.secret).text("environment", view.environment);
  out.text_or_null("flag", view.flag).text("help", view.help).end_object();
}

bool need_settings(const call& c) {
  if (c.services().hooks->settings) return true;
  c.problem(errc::unknown_setting, "this gateway has no table of settings");
  return false;
}

void show_all(const call& c) {
  if (!need_settings(c)) return;
  auto& services = c.services();
  auto list = shown_settings(*services.hooks->settings, services.model->admin()->settings);
  c.json(200, render_list(list, {}, [](json_writer& out, auto& setting) { write_setting(out, setting); }));
}

/// null goes back to the configured value: only the name has to be right.
std::optional<field_problem> check_name(const config::loaded_settings& loaded, const std::string& name) {
  for (auto& view : config::list_settings(loaded))
    if (view.name == name) return view.live ? std::nullopt : std::optional(field_problem{name, "can't change while running"});
  return field_problem{name, "unknown setting"};
}

/// Every problem of the whole body; nothing is changed unless all of it is right.
std::vector<field_problem> check(const config::loaded_settings& loaded, const std::map<std::string, std::string>& before, const nlohmann::json& body) {
  std::vector<field_problem> problems;
  auto values = effective_settings(loaded, before);
  for (auto& [name, value] : body.items())
    if (auto problem = value.is_null() ? check_name(loaded, name) : config::set_live(values, name, value)) problems.push_back(std::move(*problem));
  return problems;
}

/// Appends one entry after the other, then answers with the settings.
struct setting_run : std::enable_shared_from_this<setting_run> {
  call c;
  std::vector<entry_body> entries;
  std::size_t next = 0;
  explicit setting_run(const call& the_call) : c(the_call) {}
  void go() {
    if (next == entries.size()) return show_all(c);
    append_for(c, entries[next++], [self = shared_from_this()] { self->go(); });
  }
};

void change(const call& c) {
  if (!need_settings(c)) return;
  auto body = read_body(c.request());
  if (!body) return c.problem(body.error);
  auto& loaded = *c.services().hooks->settings;
  auto overrides = c.services().model->admin()->settings;
  auto problems = check(loaded, overrides, *body);
  if (!problems.empty()) return c.problem(errc::invalid_field, "some settings can't be set so", std::move(problems));
  auto run = std::make_shared<setting_run>(c);
  for (auto& [name, value] : body->items()) {
    auto text = value.is_null() ? std::string{} : dump_json(value);
    if (text.empty())
      overrides.erase(name);
    else
      overrides[name] = text;
    run->entries.push_back(put_setting_entry{name, text});
  }
  auto limits = config::limits_of(effective_settings(loaded, overrides));
  if (limits != c.services().model->admin()->limits) run->entries.push_back(put_limits_entry{limits});
  run->go();
}

} // namespace

std::vector<route> settings_routes() {
  return {
      {http_method::get, "/v1/settings", scope::admin, show_all},
      {http_method::put, "/v1/settings", scope::admin, change},
      {http_method::patch, "/v1/settings", scope::admin, change},
  };
}

} // namespace poseidon::gateway
