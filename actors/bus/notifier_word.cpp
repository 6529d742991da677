#include "actors/bus/notifier_word.hpp"

#include "messages/envelope.hpp"
#include "messages/msgpack.hpp"
#include "messages/subjects.hpp"

namespace poseidon {
namespace {

constexpr const char* word_kind = "notifier_word";

std::string branch(std::string_view cluster) { return "poseidon." + subjects::token(cluster) + ".notifier."; }

} // namespace

std::string encode_frame(const notifier_word& what) {
  envelope e;
  e.kind = word_kind;
  e.payload.bytes = pack(what);
  return encode(e);
}

outcome<notifier_word> decode_notifier_word(std::string_view frame) {
  auto e = decode_envelope(frame);
  if (!e) return e.error;
  if (e->kind != word_kind) return failure{errc::bad_request, "a frame of kind " + e->kind + " in place of a notifier's word", {}, {}, {}};
  return unpack<notifier_word>(e->payload.bytes);
}

std::string notifier_subject(std::string_view cluster, std::string_view process) { return branch(cluster) + subjects::token(process); }
std::string notifier_subjects(std::string_view cluster) { return branch(cluster) + "*"; }

} // namespace poseidon
