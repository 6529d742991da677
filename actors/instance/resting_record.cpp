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

/// The head of one allocation; the folded bytes follow it.
struct resting_record::folded {
  std::shared_ptr<const common> shared;
  std::size_t size;
  char* bytes() { return reinterpret_cast<char*>(this + 1); }
};

void resting_record::drop::operator()(folded* bytes) const {
  bytes->~folded();
  ::operator delete(bytes);
}

resting_record::resting_record(const awake_record& awake) {
  auto shared = common_of(*awake.record);
  std::string packed;
  packed.reserve(1024);
  compact::writer out(packed, shared->texts);
  compact::put(out, *awake.record);
  compact::put(out, awake.where ? std::optional<endpoint>(*awake.where) : std::nullopt);
  folded_.reset(new (::operator new(sizeof(folded) + packed.size())) folded{std::move(shared), packed.size()});
  std::memcpy(folded_->bytes(), packed.data(), packed.size());
}

awake_record resting_record::wake() {
  const auto from = std::move(folded_);
  awake_record awake{std::make_shared<journal_record>(), nullptr};
  compact::reader in({from->bytes(), from->size}, from->shared->texts);
  compact::get(in, *awake.record);
  awake.record->spec = from->shared->spec;
  std::optional<endpoint> known;
  compact::get(in, known);
  if (known) awake.where = std::make_unique<endpoint>(std::move(*known));
  return awake;
}

} // namespace poseidon
