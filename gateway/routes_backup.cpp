// The backup of this process, as a stream of pieces: it may be large, and the client slow.

#include "gateway/event_stream.hpp"
#include "gateway/routes_support.hpp"

#include <algorithm>

namespace poseidon::gateway {

namespace {

constexpr std::size_t piece_bytes = 256u << 10;

class backup_stream : public std::enable_shared_from_this<backup_stream> {
public:
  backup_stream(const call& c, std::shared_ptr<stream_ticket> ticket) : call_(c), ticket_(std::move(ticket)) {}

  void begin() {
    call_.services().actors->backup([self = shared_from_this()](outcome<backup_bytes> made) {
      if (!made) return self->call_.problem(made.error);
      self->bytes_ = std::move(*made);
      self->call_.stream("application/octet-stream", [self] { self->sent(); });
    });
  }

private:
  void sent() {
    if (at_ == bytes_->size()) return call_.wire().end();
    const auto size = std::min(piece_bytes, bytes_->size() - at_);
    auto piece = std::make_shared<const std::string>(bytes_->substr(at_, size));
    at_ += size;
    call_.wire().write(std::move(piece));
  }

  call call_;
  std::shared_ptr<stream_ticket> ticket_;
  backup_bytes bytes_;
  std::size_t at_ = 0;
};

void backup(const call& c) {
  auto ticket = stream_ticket::take(c.services());
  if (!ticket) return c.problem(errc::queue_full, "as many streams as allowed are open (api.streams)");
  std::make_shared<backup_stream>(c, std::move(ticket))->begin();
}

} // namespace

std::vector<route> backup_routes() { return {{http_method::get, "/v1/backup", scope::admin, backup}}; }

} // namespace poseidon::gateway
