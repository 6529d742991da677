#include "nodes/edge/route_file.hpp"

#include "messages/msgpack.hpp"
#include "nodes/dialer/unique_fd.hpp"

#include <fcntl.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

namespace poseidon {
namespace {

failure broken(const std::filesystem::path& path, const std::string& why) {
  return {errc::internal, "routes in " + path.string() + ": " + why, {}, {}, {}};
}

/// The schema number alone, readable whatever else has changed.
struct schema_only {
  std::uint32_t schema = 0;
};
POSEIDON_FIELDS(schema_only, schema)

} // namespace

outcome<route_snapshot> load_routes(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error) && !error) return route_snapshot{};
  std::ifstream file{path, std::ios::binary};
  const std::string bytes{std::istreambuf_iterator<char>{file}, {}};
  if (!file) return broken(path, "can't be read");
  if (const auto head = unpack<schema_only>(bytes); head && head->schema > route_snapshot::schema_now)
    return failure{errc::conflict,
                   "routes in " + path.string() + " have schema " + std::to_string(head->schema) +
                       ", written by a newer Poseidon; this one reads up to " + std::to_string(route_snapshot::schema_now),
                   {}, {}, {}};
  auto read = unpack<route_snapshot>(bytes);
  if (!read) return broken(path, "damaged: " + read.error.detail);
  return read;
}

route_file::route_file(std::filesystem::path path, machine_id machine, const edge_table& table, millis interval)
    : path_(std::move(path)), machine_(std::move(machine)), table_(table), interval_(interval), thread_([this] { run(); }) {}

route_file::~route_file() {
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void route_file::changed() {
  {
    const std::lock_guard lock{mutex_};
    if (changed_) return;
    changed_ = true;
  }
  wake_.notify_one();
}

failure route_file::last_failure() const {
  const std::lock_guard lock{mutex_};
  return last_failure_;
}

void route_file::run() {
  std::unique_lock lock{mutex_};
  while (!stopping_ || changed_) {
    wake_.wait(lock, [this] { return changed_ || stopping_; });
    if (!changed_) continue;
    changed_ = false;
    lock.unlock();
    auto failed = write();
    lock.lock();
    last_failure_ = std::move(failed);
    wake_.wait_for(lock, interval_, [this] { return stopping_; });
  }
}

failure route_file::write() const {
  route_snapshot image;
  image.machine = machine_;
  image.entries = table_.entries();
  const auto bytes = pack(image);
  auto beside = path_;
  beside += ".new";
  unique_fd file{::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)};
  if (!file) return broken(beside, std::strerror(errno));
  for (std::size_t done = 0; done < bytes.size();) {
    const auto wrote = ::write(file.get(), bytes.data() + done, bytes.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return broken(beside, std::strerror(errno));
    done += static_cast<std::size_t>(wrote);
  }
  file.reset();
  std::error_code error;
  std::filesystem::rename(beside, path_, error);
  if (error) return broken(path_, error.message());
  return {};
}

} // namespace poseidon
