#include "actors/instance/resting_record.hpp"

#include "actors/instance/compact.hpp"

namespace poseidon {

resting_record::resting_record(const journal_record& record, const endpoint* where) : spec_(record.spec) {
  std::string packed;
  packed.reserve(1024);
  compact::writer out(packed);
  compact::put(out, record);
  compact::put(out, where ? std::optional<endpoint>(*where) : std::nullopt);
  size_ = packed.size();
  bytes_ = std::make_unique<char[]>(size_);
  std::memcpy(bytes_.get(), packed.data(), size_);
}

std::shared_ptr<journal_record> resting_record::wake(std::unique_ptr<endpoint>& where) {
  auto record = std::make_shared<journal_record>();
  compact::reader in({bytes_.get(), size_});
  compact::get(in, *record);
  record->spec = std::move(spec_);
  std::optional<endpoint> known;
  compact::get(in, known);
  if (known) where = std::make_unique<endpoint>(std::move(*known));
  bytes_.reset();
  size_ = 0;
  return record;
}

} // namespace poseidon
