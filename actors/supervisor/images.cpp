// Which images the engine holds, for heartbeats: placement prefers nodes that have what is to start.

#include "actors/supervisor/supervisor_state.hpp"

namespace poseidon {

void supervisor_state::look_at_images() {
  if (shutting_down) return;
  arm(supervisor_token::images, deps.clock->boot_now() + deps.images_every);
  if (!engine_up) return;
  ask(
      self, deps.runtime, deps.ask_timeout, list_images{}, [this](image_list list) { images = std::move(list.images); },
      [](failure) {}); // the next look may tell
}

} // namespace poseidon
