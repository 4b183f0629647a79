# The three functions that every CMakeLists.txt of this project is made of, and the flags they share.
#
#   hy_room(NAME SOURCES file... [USES room...] [LINKS library...])
#       A room as the static target halyard::NAME; USES are the arrows of the architecture.
#   hy_plugin(NAME SOURCES file... [USES room...] [LINKS library...])
#       A loadable plugin with one exported symbol, and its manifest, where the default search path finds them.
#   hy_test(ROOM NAME [FULL] [USES target...])
#       tests/ROOM/NAME.c as the ctest ROOM.<NAME without test_>; it sees the private headers of its own room.
#       FULL tests run only with `./tools/test --full`.

include(GNUInstallDirs)
find_package(PkgConfig REQUIRED)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo)
endif()
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib)
set(HY_PLUGIN_DIR halyard/plugins)     # below the library folder
set(HY_MANIFEST_DIR halyard/plugins.d) # below the library folder

add_library(halyard_flags INTERFACE)
target_compile_features(halyard_flags INTERFACE c_std_11)
target_compile_definitions(halyard_flags INTERFACE _GNU_SOURCE)
target_compile_options(halyard_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -fno-semantic-interposition $<$<BOOL:${HY_WERROR}>:-Werror>)
if(HY_SANITIZE STREQUAL "address")
  set(sanitize -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
elseif(HY_SANITIZE STREQUAL "thread")
  set(sanitize -fsanitize=thread -fno-omit-frame-pointer)
elseif(HY_SANITIZE)
  message(FATAL_ERROR "HY_SANITIZE is '${HY_SANITIZE}': use address, thread or nothing")
endif()
if(HY_FUZZ)
  list(APPEND sanitize -fsanitize=fuzzer-no-link)
endif()
target_compile_options(halyard_flags INTERFACE ${sanitize})
target_link_options(halyard_flags INTERFACE ${sanitize})

function(hy_room name)
  cmake_parse_arguments(arg "" "" "SOURCES;USES;LINKS" ${ARGN})
  add_library(halyard_${name} STATIC ${arg_SOURCES})
  add_library(halyard::${name} ALIAS halyard_${name})
  set_target_properties(halyard_${name} PROPERTIES POSITION_INDEPENDENT_CODE ON C_EXTENSIONS OFF)
  target_include_directories(halyard_${name} PUBLIC ${CMAKE_CURRENT_SOURCE_DIR}/include PRIVATE src)
  list(TRANSFORM arg_USES PREPEND halyard::)
  target_link_libraries(halyard_${name} PUBLIC ${arg_USES} PRIVATE halyard_flags ${arg_LINKS} m)
endfunction()

function(hy_plugin name)
  cmake_parse_arguments(arg "" "" "SOURCES;USES;LINKS" ${ARGN})
  add_library(halyard_plugin_${name} MODULE ${arg_SOURCES})
  set_target_properties(halyard_plugin_${name} PROPERTIES
    OUTPUT_NAME halyard_${name} C_EXTENSIONS OFF
    LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib/${HY_PLUGIN_DIR})
  list(TRANSFORM arg_USES PREPEND halyard::)
  target_include_directories(halyard_plugin_${name} PRIVATE ${PROJECT_SOURCE_DIR}/hal/include)
  target_link_libraries(halyard_plugin_${name} PRIVATE halyard_flags ${arg_USES} ${arg_LINKS} m)
  target_link_options(halyard_plugin_${name} PRIVATE
    -Wl,--version-script=${PROJECT_SOURCE_DIR}/cmake/plugin.map
    $<$<NOT:$<BOOL:${HY_SANITIZE}>>:-Wl,--no-undefined>)
  configure_file(${name}.yaml ${PROJECT_BINARY_DIR}/lib/${HY_MANIFEST_DIR}/${name}.yaml COPYONLY)
  install(TARGETS halyard_plugin_${name} DESTINATION ${CMAKE_INSTALL_LIBDIR}/${HY_PLUGIN_DIR})
  install(FILES ${name}.yaml DESTINATION ${CMAKE_INSTALL_LIBDIR}/${HY_MANIFEST_DIR})
endfunction()

function(hy_test room name)
  cmake_parse_arguments(arg "FULL" "" "USES" ${ARGN})
  string(REGEX REPLACE "^test_" "" short ${name})
  add_executable(${room}_${name} ${name}.c)
  set_target_properties(${room}_${name} PROPERTIES
    C_EXTENSIONS OFF RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
  target_include_directories(${room}_${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests ${PROJECT_SOURCE_DIR}/${room}/src)
  target_compile_definitions(${room}_${name} PRIVATE
    HY_SOURCE_DIR="${PROJECT_SOURCE_DIR}" HY_BINARY_DIR="${PROJECT_BINARY_DIR}")
  target_link_libraries(${room}_${name} PRIVATE halyard_flags ${arg_USES} cmocka m)
  if(TARGET halyard::${room})
    target_link_libraries(${room}_${name} PRIVATE halyard::${room})
  endif()
  add_test(NAME ${room}.${short} COMMAND ${room}_${name})
  set_tests_properties(${room}.${short} PROPERTIES
    TIMEOUT 600 SKIP_RETURN_CODE 77 LABELS $<IF:$<BOOL:${arg_FULL}>,full,fast>)
endfunction()
