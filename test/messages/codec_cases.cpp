#include "test/messages/codec_cases.hpp"

#include "messages/json.hpp"
#include "messages/msgpack.hpp"
#include "test/messages/all_messages.hpp"
#include "test/support/random_value.hpp"

namespace poseidon::test {
namespace {

template <class T>
codec_case case_of(const char* name) {
  codec_case c;
  c.name = name;
  c.make = [](std::uint64_t seed) {
    auto value = seed == 0 ? T{} : random_value<T>(seed);
    return sample{dump_json(to_json(value)), pack(value)};
  };
  c.again_msgpack = [](std::string_view bytes) {
    auto read = unpack<T>(bytes);
    return read ? pack(*read) : std::string();
  };
  c.again_json = [](std::string_view text) {
    auto parsed = parse_json(text);
    if (!parsed) return std::string();
    auto read = from_json<T>(*parsed);
    return read ? dump_json(to_json(*read)) : std::string();
  };
  return c;
}

} // namespace

const std::vector<codec_case>& all_codec_cases() {
#define POSEIDON_CASE(type) case_of<type>(#type),
  static const std::vector<codec_case> all{POSEIDON_ALL_MESSAGES(POSEIDON_CASE)};
  return all;
}

} // namespace poseidon::test
