#include "actors/kit/ask.hpp"

namespace poseidon {

failure failure_of(const caf::error& e) {
  failure f;
  f.code = errc::unknown_outcome;
  if (e == caf::sec::request_timeout)
    f.detail = "no answer in time";
  else if (e == caf::sec::request_receiver_down)
    f.detail = "the actor that was asked has ended";
  else
    f.detail = caf::to_string(e);
  return f;
}

} // namespace poseidon
