# The warnings every target of ours is built with; errors only where a preset asks for it.
add_library(vibes_warnings INTERFACE)
add_library(vibes::warnings ALIAS vibes_warnings)
target_compile_options(
  vibes_warnings
  INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wold-style-cast
            $<$<CXX_COMPILER_ID:GNU>:-Wnull-dereference>
            $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety>
            $<$<BOOL:${VIBES_WERROR}>:-Werror>)
# g++ 12 reports false positives of these two inside libstdc++ when sanitizers are on.
if(VIBES_SANITIZE)
  target_compile_options(vibes_warnings INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized
                                                  -Wno-null-dereference>)
endif()
