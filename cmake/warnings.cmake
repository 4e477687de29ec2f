# The warnings every target of ours is built with; errors only where a preset asks for it.
add_library(vibes_warnings INTERFACE)
add_library(vibes::warnings ALIAS vibes_warnings)
target_compile_options(
  vibes_warnings
  INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wold-style-cast
            $<$<AND:$<CXX_COMPILER_ID:GNU>,$<CONFIG:Debug>>:-Wnull-dereference>
            $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety>
            $<$<BOOL:${VIBES_WERROR}>:-Werror>)
# g++ 12 reports false positives of these inside libstdc++ and date.h: the first where it optimises, the second there
# and where sanitizers are on. clang sees the true ones.
target_compile_options(vibes_warnings INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
if(VIBES_SANITIZE)
  target_compile_options(vibes_warnings INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-null-dereference>)
endif()
