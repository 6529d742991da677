// backup, restore: a running server's state as one file, and a DATA made from it.

#include "messages/digest.hpp"
#include "messages/random.hpp"
#include "nodes/backup/restore.hpp"
#include "nodes/cli/commands.hpp"
#include "nodes/cli/tables.hpp"
#include "nodes/host/data_folder.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <sys/stat.h>
#include <unistd.h>

namespace poseidon::cli {
namespace {

using nlohmann::json;

constexpr const char* standard = "-";
constexpr millis backup_limit{310'000}; ///< until the first byte; a little above the server's own

/// A file next to the one that is wanted, 0600 from its first byte on; takes its place when it is whole.
class draft {
public:
  draft(session& s, const std::string& file) : session_(s), file_(file), name_(file + ".new") {
    fd_ = ::open(name_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd_ < 0) s.fail(refused, "can't write " + name_ + ": " + std::strerror(errno));
    ::fchmod(fd_, 0600); // also where an older one lay there
  }
  ~draft() {
    if (fd_ < 0) return;
    ::close(fd_);
    ::unlink(name_.c_str());
  }
  draft(const draft&) = delete;
  draft& operator=(const draft&) = delete;

  bool write(std::string_view bytes) { return write_all(fd_, bytes); }
  void keep() {
    if (::fsync(fd_) != 0 || ::rename(name_.c_str(), file_.c_str()) != 0) session_.fail(refused, "can't write " + file_ + ": " + std::strerror(errno));
    ::close(fd_);
    fd_ = -1;
  }

private:
  session& session_;
  std::string file_, name_;
  int fd_ = -1;
};

std::string counts_of(const backup_manifest& m) {
  return std::to_string(m.live_instances) + " live instances, " + std::to_string(m.keys) + " keys, " + std::to_string(m.challenges) + " challenges";
}

json to_json_document(const backup_manifest& m) {
  return {{"schema", m.schema},
          {"version", m.version},
          {"cluster", m.cluster},
          {"node", m.node},
          {"made_at", to_rfc3339(m.made_at)},
          {"position", to_string(m.position)},
          {"digest", m.digest},
          {"live_instances", m.live_instances},
          {"instances", m.instances},
          {"keys", m.keys},
          {"challenges", m.challenges}};
}

int make_backup(session& s, const std::string& file) {
  if (file == standard && s.around().out_is_terminal) s.fail(wrong_usage, "a backup holds secrets and is no text: redirect it, or name a file");
  std::string bytes;
  s.follow({"GET", "/v1/backup", "", {}}, [&](std::string_view piece) { return bytes.append(piece), true; }, backup_limit);
  const auto manifest = read_manifest(bytes);
  if (!manifest) s.fail(refused, "what came is no whole backup: " + manifest.error.detail);
  if (file == standard) {
    s.out << bytes << std::flush;
    return s.out ? done_well : refused;
  }
  draft out(s, file);
  if (!out.write(bytes)) s.fail(refused, "can't write " + file + ": " + std::strerror(errno));
  out.keep();
  if (s.options.json) return s.print_json(to_json_document(*manifest)), done_well;
  if (!s.options.quiet)
    s.out << file << ": cluster " << manifest->cluster << " at " << to_string(manifest->position) << ", " << counts_of(*manifest)
          << ".\nIt holds the cluster's keys: keep it where only you can read it.\n";
  return done_well;
}

std::string read_whole(session& s, const std::string& file) {
  if (file == standard) return {std::istreambuf_iterator<char>{std::cin}, {}};
  std::ifstream in{file, std::ios::binary};
  if (!in) s.fail(refused, "can't read " + file + ": " + std::strerror(errno));
  return {std::istreambuf_iterator<char>{in}, {}};
}

int restore(session& s, const std::string& file, bool only_look) {
  const auto from = decode_backup(read_whole(s, file));
  if (!from) s.fail(refused, from.error.detail);
  const auto& manifest = from->manifest;
  if (only_look) {
    if (s.options.json) return s.print_json(to_json_document(manifest)), done_well;
    s.out << "made " << to_rfc3339(manifest.made_at) << " by " << manifest.node << " of cluster " << manifest.cluster << ", Poseidon " << manifest.version
          << ", at " << to_string(manifest.position) << ": " << counts_of(manifest) << "\n";
    return done_well;
  }
  const auto here = settings_here(s, true).values;
  if (auto failed = restore_backup(*from, here.data, here.user)) s.fail(refused, failed.detail);
  if (s.options.json) return s.print_json({{"data", here.data}, {"backup", to_json_document(manifest)}}), done_well;
  s.out << here.data << " holds cluster " << manifest.cluster << " as of " << to_rfc3339(manifest.made_at) << ": " << counts_of(manifest) << ".\n"
        << "Start it with: poseidon serve --data " << here.data << "\n";
  for (const auto& kept : from->contents.files)
    if (kept.name == "poseidon.yml") s.out << "The settings file of then is " << here.data << "/poseidon.yml (--config uses it).\n";
  return done_well;
}

} // namespace

void add_backup_commands(CLI::App& app, chosen& choice) {
  auto file = std::make_shared<std::string>();
  auto* make = app.add_subcommand("backup", "everything that is needed to come back on another machine, from the running server into one file");
  make->add_option("file", *file, "where to (mode 0600; an older one is replaced); - is standard output")->required()->type_name("FILE");
  make->callback([&choice, file] { choice.run = [file](session& s) { return make_backup(s, *file); }; });

  auto from = std::make_shared<std::string>();
  auto look = std::make_shared<bool>(false);
  auto* back = app.add_subcommand("restore", "make DATA from a backup; DATA must be new or empty, and no server may run on it");
  back->add_option("file", *from, "what `poseidon backup` wrote; - is standard input")->required()->type_name("FILE");
  back->add_flag("--look", *look, "only check it, and say what it holds");
  back->callback([&choice, from, look] { choice.run = [from, look](session& s) { return restore(s, *from, *look); }; });
}

} // namespace poseidon::cli
