// Golden files: what other languages test against, and what a later release must still read. Rewrite them with
// POSEIDON_UPDATE_GOLDEN=1 after a change of the vocabulary that is meant.

#include "messages/digest.hpp"
#include "test/support/source_folder.hpp"
#include "messages/json.hpp"
#include "test/messages/codec_cases.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>

namespace poseidon::test {
namespace {

using nlohmann::json;

const std::filesystem::path source = poseidon::test::source_folder();
const std::filesystem::path folder = source / "test/messages/golden";

json golden_of(const codec_case& c) {
  auto samples = json::array();
  for (std::uint64_t seed : {0u, 1u, 2u}) {
    auto s = c.make(seed);
    samples.push_back({{"json", json::parse(s.json)}, {"msgpack", to_hex(s.msgpack)}});
  }
  return {{"message", c.name}, {"samples", std::move(samples)}};
}

std::string unhex(const std::string& text) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) bytes += static_cast<char>(std::stoi(text.substr(i, 2), nullptr, 16));
  return bytes;
}

std::string read_text(const std::filesystem::path& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(golden, every_message_type_is_listed) {
  std::set<std::string> listed, declared;
  for (auto& c : all_codec_cases()) listed.insert(c.name);
  std::regex declaration(R"((?:^|\n)POSEIDON_(?:NO_)?FIELDS\((\w+))");
  for (auto& file : std::filesystem::directory_iterator(source / "messages")) {
    if (file.path().extension() != ".hpp" || file.path().filename() == "fields.hpp") continue;
    auto text = read_text(file.path());
    for (std::sregex_iterator at(text.begin(), text.end(), declaration), end; at != end; ++at) declared.insert((*at)[1]);
  }
  declared.erase("failure"); // what it decodes to is an outcome of itself; it is covered inside every message that carries one
  EXPECT_GT(declared.size(), 50u);
  EXPECT_EQ(listed, declared) << "mend test/messages/all_messages.hpp";
}

TEST(golden, files_say_what_the_codecs_write) {
  bool update = std::getenv("POSEIDON_UPDATE_GOLDEN") != nullptr;
  if (update) std::filesystem::create_directories(folder);
  for (auto& c : all_codec_cases()) {
    auto path = folder / (c.name + ".json");
    auto now = golden_of(c);
    if (update) std::ofstream(path) << now.dump(1) << '\n';
    ASSERT_TRUE(std::filesystem::exists(path)) << c.name << " has no golden file: run with POSEIDON_UPDATE_GOLDEN=1";
    EXPECT_EQ(json::parse(read_text(path)), now) << c.name << " is written otherwise than its golden file says";
  }
}

TEST(golden, files_are_read) {
  for (auto& c : all_codec_cases()) {
    auto golden = json::parse(read_text(folder / (c.name + ".json")));
    for (auto& s : golden["samples"]) {
      auto bytes = unhex(s["msgpack"]);
      EXPECT_EQ(to_hex(c.again_msgpack(bytes)), s["msgpack"].get<std::string>()) << c.name;
      EXPECT_EQ(json::parse(c.again_json(s["json"].dump())), s["json"]) << c.name;
    }
  }
}

TEST(golden, there_is_no_file_without_a_message) {
  std::set<std::string> listed;
  for (auto& c : all_codec_cases()) listed.insert(c.name + ".json");
  for (auto& file : std::filesystem::directory_iterator(folder)) EXPECT_TRUE(listed.contains(file.path().filename())) << file.path();
}

/// Everything that `old` says, `now` says too; the first that differs, or empty.
std::string missing_in(const json& now, const json& old, const std::string& path) {
  if (old.is_object() && now.is_object()) {
    for (auto& [name, value] : old.items()) {
      if (!now.contains(name)) return path + "." + name;
      if (auto at = missing_in(now[name], value, path + "." + name); !at.empty()) return at;
    }
    return {};
  }
  if (old.is_array() && now.is_array() && old.size() == now.size()) {
    for (std::size_t i = 0; i < old.size(); ++i)
      if (auto at = missing_in(now[i], old[i], path + "[" + std::to_string(i) + "]"); !at.empty()) return at;
    return {};
  }
  return now == old ? std::string{} : path;
}

/// Two adjacent releases run side by side (LEDGER.md rule 12): what the one before wrote is read, and nothing of it is lost.
TEST(golden, files_of_the_last_version_are_read) {
  std::map<std::string, const codec_case*> by_name;
  for (auto& c : all_codec_cases()) by_name[c.name] = &c;
  std::size_t read = 0;
  for (auto& file : std::filesystem::directory_iterator(source / "test/messages/golden_previous")) {
    const auto name = file.path().stem().string();
    ASSERT_TRUE(by_name.contains(name)) << "a message of the last version is gone: " << name;
    auto& c = *by_name[name];
    const auto golden = json::parse(read_text(file.path()));
    for (auto& s : golden["samples"]) {
      ++read;
      const auto from_json = c.again_json(s["json"].dump());
      ASSERT_FALSE(from_json.empty()) << name;
      EXPECT_EQ(missing_in(json::parse(from_json), s["json"], name), "");
      const auto from_msgpack = c.again_msgpack(unhex(s["msgpack"]));
      ASSERT_FALSE(from_msgpack.empty()) << name;
      EXPECT_EQ(missing_in(json::from_msgpack(from_msgpack), json::from_msgpack(unhex(s["msgpack"])), name), "");
    }
  }
  EXPECT_GT(read, 300u);
}

/// Another implementation's reader agrees about every byte: structure, names, lengths.
TEST(golden, an_independent_reader_understands_the_msgpack) {
  for (auto& c : all_codec_cases())
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      auto s = c.make(seed);
      auto theirs = json::from_msgpack(s.msgpack);
      auto ours = json::parse(s.json);
      for (auto& [name, value] : theirs.items()) EXPECT_TRUE(ours.contains(name)) << c.name << '.' << name;
      EXPECT_EQ(to_hex(c.again_msgpack(std::string(s.msgpack))), to_hex(s.msgpack));
      auto bytes = json::to_msgpack(theirs); // in the order of names, not of fields
      EXPECT_EQ(to_hex(c.again_msgpack({reinterpret_cast<const char*>(bytes.data()), bytes.size()})), to_hex(s.msgpack)) << c.name;
    }
}

} // namespace
} // namespace poseidon::test
