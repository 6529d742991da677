#include "actors/instance/resting_record.hpp"

#include "actors/instance/compact.hpp"

#include <map>
#include <mutex>

namespace poseidon {

struct resting_record::common {
  spec_ptr spec;
  std::vector<std::string> texts;
};

/// The one object of all records with this spec, revision and boot id; made when the first of them rests.
std::shared_ptr<const resting_record::common> resting_record::common_of(const journal_record& record) {
  using texts = std::vector<std::string>;
  static std::mutex mutex;
  static std::map<texts, std::weak_ptr<const common>> all;
  static std::size_t sweep_at = 64;
  texts shared{record.spec_id.value, record.revision, record.deadline ? record.deadline->boot_id : std::string{}};
  std::erase_if(shared, [](const std::string& text) { return text.empty(); }); // an empty one would be found in every text
  const std::lock_guard lock{mutex};
  if (const auto found = all.find(shared); found != all.end())
    if (auto known = found->second.lock(); known && known->spec == record.spec) return known;
  if (all.size() >= sweep_at) {
    std::erase_if(all, [](const auto& each) { return each.second.expired(); });
    sweep_at = 64 + 2 * all.size();
  }
  auto made = std::make_shared<const common>(common{record.spec, shared});
  all[std::move(shared)] = made;
  return made;
}

resting_record::resting_record(const journal_record& record, const endpoint* where) : common_(common_of(record)) {
  std::string packed;
  packed.reserve(1024);
  compact::writer out(packed, common_->texts);
  compact::put(out, record);
  compact::put(out, where ? std::optional<endpoint>(*where) : std::nullopt);
  size_ = packed.size();
  bytes_ = std::make_unique<char[]>(size_);
  std::memcpy(bytes_.get(), packed.data(), size_);
}

std::shared_ptr<journal_record> resting_record::wake(std::unique_ptr<endpoint>& where) {
  auto record = std::make_shared<journal_record>();
  compact::reader in({bytes_.get(), size_}, common_->texts);
  compact::get(in, *record);
  record->spec = common_->spec;
  std::optional<endpoint> known;
  compact::get(in, known);
  if (known) where = std::make_unique<endpoint>(std::move(*known));
  bytes_.reset();
  common_.reset();
  size_ = 0;
  return record;
}

} // namespace poseidon
