# poseidon_allocator: what programs that run actors allocate from. Messages are made by one thread and freed by another, which
# glibc's malloc serves with a lock for each (docs/benchmarks.md). Sanitizers have an allocator of their own.

add_library(poseidon_allocator INTERFACE)
if(NOT POSEIDON_SANITIZE AND NOT POSEIDON_TSAN)
  find_library(TCMALLOC tcmalloc_minimal REQUIRED)
  # The program calls nothing of it by name: without this a linker that drops unused libraries drops it.
  target_link_options(poseidon_allocator INTERFACE "LINKER:--push-state,--no-as-needed,${TCMALLOC},--pop-state")
endif()
