# vibes_library(NAME eventlog SOURCES a.cpp DEPS vibes::base)  one static target per folder of lib/
# vibes_program(NAME vibesctl SOURCES main.cpp DEPS …)         an installed program; DESTINATION, else bin
# vibes_test(NAME unit_base SOURCES a_test.cpp DEPS …)         one Catch2 binary, one ctest entry
# Labels: `threads` runs under ThreadSanitizer too; `no-sanitizers` is left out where a sanitizer makes it senseless.
include(CMakeParseArguments)
include(schedule)
# All test binaries that ThreadSanitizer has to see.
add_custom_target(threads_tests)

function(vibes_library)
  cmake_parse_arguments(ARG "" "NAME" "SOURCES;DEPS" ${ARGN})
  add_library(vibes_${ARG_NAME} STATIC ${ARG_SOURCES})
  add_library(vibes::${ARG_NAME} ALIAS vibes_${ARG_NAME})
  target_include_directories(vibes_${ARG_NAME} PUBLIC "${PROJECT_SOURCE_DIR}/lib")
  target_link_libraries(vibes_${ARG_NAME} PUBLIC ${ARG_DEPS} PRIVATE vibes::settings vibes::warnings)
  target_compile_features(vibes_${ARG_NAME} PUBLIC cxx_std_20)
endfunction()

function(vibes_program)
  cmake_parse_arguments(ARG "" "NAME;DESTINATION" "SOURCES;DEPS" ${ARGN})
  add_executable(${ARG_NAME} ${ARG_SOURCES})
  target_link_libraries(${ARG_NAME} PRIVATE ${ARG_DEPS} vibes::settings vibes::warnings)
  target_compile_definitions(${ARG_NAME} PRIVATE VIBES_VERSION="${PROJECT_VERSION}")
  if(ARG_DESTINATION)
    # The same place relative to bin/ as when installed.
    set_target_properties(${ARG_NAME} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/${ARG_DESTINATION}")
  else()
    set(ARG_DESTINATION ${CMAKE_INSTALL_BINDIR})
  endif()
  install(TARGETS ${ARG_NAME} RUNTIME DESTINATION ${ARG_DESTINATION})
endfunction()

function(vibes_test)
  cmake_parse_arguments(ARG "" "NAME;TIMEOUT" "SOURCES;DEPS;LABELS" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  if(VIBES_SANITIZE)
    math(EXPR ARG_TIMEOUT "${ARG_TIMEOUT} * 4")  # against a hang, not a measure of speed
  endif()
  add_executable(${ARG_NAME} ${ARG_SOURCES})
  target_include_directories(${ARG_NAME} PRIVATE "${PROJECT_SOURCE_DIR}/tests")
  target_link_libraries(${ARG_NAME} PRIVATE ${ARG_DEPS} dep::catch2 vibes::settings vibes::warnings)
  add_test(NAME ${ARG_NAME} COMMAND ${ARG_NAME})
  set_tests_properties(${ARG_NAME} PROPERTIES TIMEOUT ${ARG_TIMEOUT} LABELS "${ARG_LABELS}")
  vibes_schedule(${ARG_NAME})
  if("threads" IN_LIST ARG_LABELS)
    add_dependencies(threads_tests ${ARG_NAME})
  endif()
endfunction()

# Tests that drive the real programs. They find them in $VIBES_BIN and use the distribution's python, which has the
# packages that scripts/bootstrap installs.
# vibes_pytest(NAME integration_firehose SOURCES firehose_test.py [LABELS threads] [TIMEOUT 300])
# vibes_bats(NAME cli_append SOURCES append.bats [LABELS threads])
set(VIBES_PYTHON /usr/bin/python3 CACHE FILEPATH "The python that has pytest and websockets")

function(vibes_scripted_test name timeout labels)
  if(NOT timeout)
    set(timeout 300)
  endif()
  add_test(NAME ${name} COMMAND ${ARGN} WORKING_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}")
  set_tests_properties(
    ${name} PROPERTIES TIMEOUT ${timeout} LABELS "${labels}" ENVIRONMENT
                       "VIBES_BIN=${CMAKE_RUNTIME_OUTPUT_DIRECTORY};VIBES_ROOT=${PROJECT_SOURCE_DIR};VIBES_SANITIZE=${VIBES_SANITIZE};PYTHONDONTWRITEBYTECODE=1")
  vibes_schedule(${name})
endfunction()

function(vibes_pytest)
  cmake_parse_arguments(ARG "" "NAME;TIMEOUT" "SOURCES;LABELS" ${ARGN})
  vibes_scripted_test(${ARG_NAME} "${ARG_TIMEOUT}" "${ARG_LABELS}" ${VIBES_PYTHON} -m pytest -q -p no:cacheprovider ${ARG_SOURCES})
endfunction()

function(vibes_bats)
  cmake_parse_arguments(ARG "" "NAME;TIMEOUT" "SOURCES;LABELS" ${ARGN})
  vibes_scripted_test(${ARG_NAME} "${ARG_TIMEOUT}" "${ARG_LABELS}" bats --tap ${ARG_SOURCES})
endfunction()
