#include "nodes/notifier/event_source.hpp"

#include "gateway/events.hpp"

#include <algorithm>

namespace poseidon {
namespace {

class event_source final : public notification_source {
public:
  event_source(gateway::url_rules urls, std::string watch_key)
      : urls_(std::make_shared<const gateway::url_rules>(std::move(urls))), model_(std::move(watch_key)) {}

  void load(const ledger_image& image) override { model_.load(image); }

  std::vector<notification_ptr> apply(const std::vector<ledger_change>& changes) override {
    std::vector<notification_ptr> made;
    for (auto& applied : model_.apply(changes)) {
      // The entry's own time: told again after a crash, it reads the same.
      const gateway::event_context context{urls_, applied.change->logged_at};
      for (auto& event : gateway::events_of(applied, context)) {
        std::string challenge;
        for (auto& row : applied.rows)
          if (row.item.row->id.value == event->instance) challenge = row.item.row->challenge.value;
        made.push_back(notification_of(*event, std::move(challenge)));
      }
    }
    return made;
  }

  std::vector<notification_ptr> missed(const ledger_image& image, struct position after) override {
    std::vector<row_ptr> rows;
    for (auto& row : image.instances)
      if (row->changed > after) rows.push_back(row);
    std::ranges::sort(rows, {}, [](auto& row) { return std::pair{row->changed, row->id.value}; });
    std::vector<notification_ptr> made;
    for (auto& row : rows) {
      const auto item = model_.find(row->id.value);
      if (!item) continue;
      const gateway::event_context context{urls_, row->ended_at.value_or(row->running_at.value_or(row->created_at))};
      made.push_back(notification_of(*gateway::missed_event(*item, context), row->challenge.value));
    }
    return made;
  }

private:
  static notification_ptr notification_of(const gateway::event& event, std::string challenge) {
    return std::make_shared<const notification>(
        notification{event.id, event.type, event.instance, std::move(challenge), event.at, std::string{gateway::json_of(event)}});
  }
  std::shared_ptr<const gateway::url_rules> urls_;
  gateway::view model_;
};

} // namespace

std::unique_ptr<notification_source> make_event_source(gateway::url_rules urls, std::string watch_key) {
  return std::make_unique<event_source>(std::move(urls), std::move(watch_key));
}

} // namespace poseidon
