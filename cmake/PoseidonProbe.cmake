# The static program of the isolation probe, taken into the runtime's library as data.
add_executable(poseidon-probe nodes/runtime/probe/probe.c)
target_link_options(poseidon-probe PRIVATE -static -s)
target_compile_options(poseidon-probe PRIVATE -Os -Wall -Wextra -Werror)
set_source_files_properties(nodes/runtime/engine/probe_image.cpp PROPERTIES
  COMPILE_DEFINITIONS "POSEIDON_PROBE_FILE=\"${CMAKE_BINARY_DIR}/poseidon-probe\""
  OBJECT_DEPENDS "${CMAKE_BINARY_DIR}/poseidon-probe")
