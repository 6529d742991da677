#include "nodes/backup/restore.hpp"

#include "actors/fold/snapshot.hpp"
#include "actors/journal/journal.hpp"
#include "actors/ledger/tail.hpp"
#include "messages/json.hpp"
#include "nodes/host/data_folder.hpp"

#include <filesystem>

namespace poseidon {
namespace {

namespace fs = std::filesystem;

constexpr const char* stage = ".restoring"; ///< until everything is written, DATA holds nothing else
constexpr const char* joined = "cluster.json";

failure io_failed(const std::string& what, const std::error_code& error) {
  return {error == std::errc::no_space_on_device ? errc::no_space : errc::internal, what + ": " + error.message(), {}, {}, {}};
}

/// Something other than what an interrupted restore left.
failure occupied(const std::string& data) {
  std::error_code error;
  for (fs::directory_iterator at{data, error}, end; !error && at != end; at.increment(error))
    if (at->path().filename() != stage)
      return {errc::conflict, data + " is not empty (it holds " + at->path().filename().string() + "): move it away, or name another with --data", {}, {}, {}};
  return {};
}

/// Cluster and node as they were, also where another machine has another host name: the ledger's rows and the containers'
/// labels name them. File, environment and flags override it.
std::string joined_text(const backup& from) {
  auto settings = nlohmann::json::object();
  for (const auto& file : from.contents.files)
    if (file.name == joined)
      if (auto read = parse_json(file.content.bytes, 8); read && read->is_object()) settings = std::move(*read);
  settings["cluster"] = from.manifest.cluster;
  settings["node"] = from.manifest.node;
  return dump_json(settings);
}

failure write_files(const backup& from, const std::string& folder) {
  for (const auto& file : from.contents.files) {
    if (file.name == joined) continue;
    if (auto failed = write_file(folder + "/" + file.name, file.mode, file.content.bytes)) return failed;
  }
  if (auto failed = write_secret(folder + "/" + joined, secret{joined_text(from)})) return failed;
  if (!from.contents.data.empty())
    if (auto failed = make_sqlite_journal(folder + "/journal.sqlite", from.contents.data)) return failed;
  const tail_snapshot snapshot{from.manifest.position, from.contents.last_entry, from.contents.logged_at, from.contents.snapshot.bytes,
                               from.manifest.digest};
  return make_sqlite_tail(folder + "/tail.sqlite", snapshot);
}

} // namespace

failure restore_backup(const backup& from, const std::string& data, const std::string& user) {
  const auto state = decode_snapshot(from.contents.snapshot.bytes, from.manifest.digest);
  if (!state) return state.error;
  if (auto taken = occupied(data)) return taken;
  if (auto failed = prepare_data_folder(data, user)) return failed;
  const auto folder = fs::path{data} / stage;
  std::error_code error;
  fs::remove_all(folder, error);
  fs::create_directory(folder, error);
  if (error) return io_failed("cannot make " + folder.string(), error);
  if (auto failed = write_files(from, folder.string())) return failed;
  for (const auto& entry : fs::directory_iterator{folder, error}) {
    fs::rename(entry.path(), fs::path{data} / entry.path().filename(), error);
    if (error) return io_failed("cannot move " + entry.path().string(), error);
  }
  fs::remove(folder, error);
  return prepare_data_folder(data, user); // hands the new files over
}

} // namespace poseidon
