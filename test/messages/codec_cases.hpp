#pragma once
// What the codec tests need of each message type, without its type: the templates are compiled once, in codec_cases.cpp.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace poseidon::test {

struct sample {
  std::string json;    ///< dumped
  std::string msgpack; ///< bytes
};

struct codec_case {
  std::string name;
  std::function<sample(std::uint64_t seed)> make;          ///< seed 0: the default value
  /// Decodes and encodes again; empty when the input is refused.
  std::function<std::string(std::string_view)> again_msgpack;
  std::function<std::string(std::string_view)> again_json;
};

const std::vector<codec_case>& all_codec_cases();

} // namespace poseidon::test
