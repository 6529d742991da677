#include "actors/kit/handlers.hpp"

#include <caf/all.hpp>
#include <spdlog/spdlog.h>

namespace poseidon {
namespace {

std::string words(const caf::error& e) { return caf::to_string(e); }

} // namespace

void install_handlers(caf::scheduled_actor* self, const char* who) {
  self->set_default_handler([who](caf::scheduled_actor* me, caf::message_view&) -> caf::result<caf::message> {
    spdlog::warn("{} #{}: a message of an unexpected type was dropped", who, me->id());
    return caf::sec::unexpected_message;
  });
  self->set_exit_handler([who](caf::scheduled_actor* me, caf::exit_msg& m) {
    if (!m.reason) return;
    spdlog::debug("{} #{}: told to exit: {}", who, me->id(), words(m.reason));
    me->quit(std::move(m.reason));
  });
  self->set_down_handler([who](caf::scheduled_actor* me, caf::down_msg& m) {
    spdlog::debug("{} #{}: actor #{} ended: {}", who, me->id(), m.source.id(), words(m.reason));
  });
  self->set_error_handler([who](caf::scheduled_actor* me, caf::error& e) {
    spdlog::error("{} #{}: unhandled error: {}", who, me->id(), words(e));
    me->quit(std::move(e));
  });
  self->set_exception_handler([who](caf::scheduled_actor* me, std::exception_ptr& thrown) -> caf::error {
    try {
      std::rethrow_exception(thrown);
    } catch (const std::exception& e) {
      spdlog::error("{} #{}: exception: {}", who, me->id(), e.what());
    } catch (...) {
      spdlog::error("{} #{}: exception of an unknown type", who, me->id());
    }
    return caf::exit_reason::unhandled_exception;
  });
}

} // namespace poseidon
