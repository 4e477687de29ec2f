# vibes_library(NAME eventlog SOURCES a.cpp DEPS vibes::base)  one static target per folder of lib/
# vibes_program(NAME vibesctl SOURCES main.cpp DEPS …)         an installed program
# vibes_test(NAME unit_base SOURCES a_test.cpp DEPS …)         one Catch2 binary, one ctest entry per case
include(CMakeParseArguments)

function(vibes_library)
  cmake_parse_arguments(ARG "" "NAME" "SOURCES;DEPS" ${ARGN})
  add_library(vibes_${ARG_NAME} STATIC ${ARG_SOURCES})
  add_library(vibes::${ARG_NAME} ALIAS vibes_${ARG_NAME})
  target_include_directories(vibes_${ARG_NAME} PUBLIC "${PROJECT_SOURCE_DIR}/lib")
  target_link_libraries(vibes_${ARG_NAME} PUBLIC ${ARG_DEPS} PRIVATE vibes::settings vibes::warnings)
  target_compile_features(vibes_${ARG_NAME} PUBLIC cxx_std_20)
endfunction()

function(vibes_program)
  cmake_parse_arguments(ARG "" "NAME" "SOURCES;DEPS" ${ARGN})
  add_executable(${ARG_NAME} ${ARG_SOURCES})
  target_link_libraries(${ARG_NAME} PRIVATE ${ARG_DEPS} vibes::settings vibes::warnings)
  target_compile_definitions(${ARG_NAME} PRIVATE VIBES_VERSION="${PROJECT_VERSION}")
  install(TARGETS ${ARG_NAME} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endfunction()

function(vibes_test)
  cmake_parse_arguments(ARG "" "NAME;TIMEOUT" "SOURCES;DEPS;LABELS" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  add_executable(${ARG_NAME} ${ARG_SOURCES})
  target_include_directories(${ARG_NAME} PRIVATE "${PROJECT_SOURCE_DIR}/tests")
  target_link_libraries(${ARG_NAME} PRIVATE ${ARG_DEPS} dep::catch2 vibes::settings vibes::warnings)
  add_test(NAME ${ARG_NAME} COMMAND ${ARG_NAME})
  set_tests_properties(${ARG_NAME} PROPERTIES TIMEOUT ${ARG_TIMEOUT} LABELS "${ARG_LABELS}")
endfunction()
