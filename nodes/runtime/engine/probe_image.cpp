#include "nodes/runtime/engine/probe_image.hpp"

#include <openssl/evp.h>

#include <array>
#include <cstdio>

// The linker script of no platform is needed: the assembler takes the built program in.
__asm__(".section .rodata\n"
        ".balign 16\n"
        ".global poseidon_probe_begin\n"
        "poseidon_probe_begin:\n"
        ".incbin \"" POSEIDON_PROBE_FILE "\"\n"
        ".global poseidon_probe_end\n"
        "poseidon_probe_end:\n"
        ".byte 0\n"
        ".previous\n");
extern "C" {
extern const char poseidon_probe_begin[];
extern const char poseidon_probe_end[];
}

namespace poseidon::engine {

std::string_view probe_program() {
  return {poseidon_probe_begin, std::size_t(poseidon_probe_end - poseidon_probe_begin)};
}

std::string probe_image_name() {
  auto program = probe_program();
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  EVP_Digest(program.data(), program.size(), digest.data(), nullptr, EVP_sha256(), nullptr);
  char tag[13];
  for (std::size_t i = 0; i < 6; ++i)
    std::snprintf(tag + 2 * i, 3, "%02x", digest[i]);
  return std::string("poseidon/probe:") + tag;
}

std::string make_tar(const std::vector<tar_file>& files) {
  std::string archive;
  for (auto& file : files) {
    std::array<char, 512> head{};
    std::snprintf(head.data(), 100, "%s", file.name.c_str());
    std::snprintf(head.data() + 100, 8, "%07o", file.mode);
    std::snprintf(head.data() + 108, 8, "%07o", 0u);
    std::snprintf(head.data() + 116, 8, "%07o", 0u);
    std::snprintf(head.data() + 124, 12, "%011zo", file.content.size());
    std::snprintf(head.data() + 136, 12, "%011o", 0u);
    head[156] = '0';
    std::snprintf(head.data() + 257, 8, "ustar");
    head[263] = head[264] = '0';
    // The checksum counts its own field as blanks.
    unsigned sum = 8 * ' ';
    for (char c : head)
      sum += static_cast<unsigned char>(c);
    std::snprintf(head.data() + 148, 8, "%06o", sum);
    head[155] = ' ';
    archive.append(head.data(), head.size());
    archive += file.content;
    archive.append((512 - file.content.size() % 512) % 512, '\0');
  }
  archive.append(1024, '\0');
  return archive;
}

std::string judge_probe(std::string_view report) {
  bool loopback = false, whole = false;
  while (!report.empty()) {
    auto end = std::min(report.find('\n'), report.size());
    auto line = report.substr(0, end);
    report.remove_prefix(std::min(end + 1, report.size()));
    if (line == "end")
      whole = true;
    else if (line == "lo up")
      loopback = true;
    else if (line == "lo down")
      return "its loopback interface is down";
    else if (!line.empty())
      return "it has an interface beside loopback: " + std::string(line);
  }
  if (!whole) return "its report is incomplete";
  return loopback ? "" : "it has no loopback interface";
}

} // namespace poseidon::engine
