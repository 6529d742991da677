#pragma once
// The image of the probe container: one static program, in a tar made in memory.

#include <string>
#include <string_view>
#include <vector>

namespace poseidon::engine {

/// The program (nodes/runtime/probe/probe.c), linked into this one.
std::string_view probe_program();

/// "poseidon/probe:<12 hex digits of its SHA-256>".
std::string probe_image_name();

/// One file of an archive.
struct tar_file {
  std::string name;
  std::string_view content;
  unsigned mode = 0644;
};
/// A POSIX ustar archive of plain files; names of at most 100 bytes.
std::string make_tar(const std::vector<tar_file>& files);

/// What the probe says ("lo up 127.0.0.1"; one interface a line): empty when only a live loopback is there, else what
/// is wrong.
std::string judge_probe(std::string_view report);

} // namespace poseidon::engine
