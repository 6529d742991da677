// Keys, settings, limits, challenges, pause, forgetting.

#include "actors/fold/step.hpp"

#include <algorithm>

namespace poseidon::folding {
namespace {

auto key_place(administration& admin, const key_id& key) {
  return std::lower_bound(admin.keys.begin(), admin.keys.end(), key, [](const auto& have, const auto& want) { return have.key < want; });
}

verdict put(step& st, std::shared_ptr<const challenge_row> row) {
  st.change.challenges.push_back(row);
  st.state.challenges.insert_or_assign(row->id, std::move(row));
  return accept();
}

} // namespace

verdict judge(step& st, const put_key_entry& e) {
  auto& admin = st.state.admin;
  const auto at = key_place(admin, e.key);
  if (at != admin.keys.end() && at->key == e.key) *at = e;
  else admin.keys.insert(at, e);
  st.change.administration = true;
  return accept();
}

verdict judge(step& st, const drop_key_entry& e) {
  auto& admin = st.state.admin;
  const auto at = key_place(admin, e.key);
  if (at == admin.keys.end() || at->key != e.key) return refuse(errc::unknown_key, "no key " + e.key.value);
  admin.keys.erase(at);
  st.change.administration = true;
  return accept();
}

verdict judge(step& st, const put_setting_entry& e) {
  auto& settings = st.state.admin.settings;
  if (e.value.empty()) settings.erase(e.name);
  else settings.insert_or_assign(e.name, e.value);
  st.change.administration = true;
  return accept();
}

verdict judge(step& st, const put_limits_entry& e) {
  auto& s = st.state;
  s.admin.limits = e.limits;
  recount_users(s);
  st.change.administration = true;
  st.released = true;
  return accept();
}

verdict judge(step& st, const set_pause_entry& e) {
  auto& admin = st.state.admin;
  admin.paused = e.paused;
  admin.pause_message = e.paused ? e.message : std::string{};
  st.change.administration = true;
  return accept();
}

verdict judge(step& st, const put_challenge_entry& e) {
  auto& s = st.state;
  const auto known = s.specs.find(e.spec);
  const auto body = known ? known : e.body;
  if (!body || body->services.empty()) return refuse(errc::invalid_spec, "challenge " + e.challenge.value + " comes without its spec");
  auto row = std::make_shared<challenge_row>();
  row->id = e.challenge;
  row->revision = e.revision;
  row->spec_id = e.spec;
  row->spec = s.specs.acquire(e.spec, body);
  row->metadata = e.metadata;
  row->confidential = e.confidential;
  if (const auto before = s.challenges.find(e.challenge); before != s.challenges.end()) {
    row->enabled = before->second->enabled;
    s.specs.release(before->second->spec_id);
  }
  return put(st, std::move(row));
}

verdict judge(step& st, const drop_challenge_entry& e) {
  auto& s = st.state;
  const auto at = s.challenges.find(e.challenge);
  if (at == s.challenges.end()) return refuse(errc::unknown_challenge, "no challenge " + e.challenge.value);
  s.specs.release(at->second->spec_id);
  s.challenges.erase(at);
  st.change.dropped_challenges.push_back(e.challenge);
  return accept();
}

verdict judge(step& st, const enable_challenge_entry& e) {
  const auto at = st.state.challenges.find(e.challenge);
  if (at == st.state.challenges.end()) return refuse(errc::unknown_challenge, "no challenge " + e.challenge.value);
  auto row = std::make_shared<challenge_row>(*at->second);
  row->enabled = e.enabled;
  return put(st, std::move(row));
}

verdict judge(step& st, const compact_entry& e) {
  auto& s = st.state;
  std::vector<row_number> gone;
  s.instances.each([&](row_number n, const fold_row& row) {
    if (is_live(row) || row.changed > e.up_to) return;
    const auto copy = s.withdrawn.lower_bound({row.id, {}}); // a copy of it may still have to be fenced
    if (copy == s.withdrawn.end() || copy->first.first != row.id) gone.push_back(n);
  });
  for (const auto n : gone) {
    st.change.forgotten.push_back(s.instances.at(n).id);
    s.specs.release(s.instances.at(n).source->spec_id);
    s.instances.forget(n);
  }
  s.bound_keys.drop_if([&](const bound_key& key) { return key.changed <= e.up_to && s.instances.find(key.instance) == no_row; });
  return accept();
}

verdict judge(step& st, const activate_entry& e) {
  auto& s = st.state;
  if (e.fold_version <= s.fold_version) return no_effect(errc::stale, "version " + std::to_string(s.fold_version) + " is in force");
  if (e.fold_version > s.newest)
    return refuse(errc::conflict, "the rules of version " + std::to_string(e.fold_version) + " are in force, and this Poseidon folds up to version " +
                                      std::to_string(s.newest) + ": upgrade it");
  s.fold_version = e.fold_version;
  return accept();
}

} // namespace poseidon::folding
