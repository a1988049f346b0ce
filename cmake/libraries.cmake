# libbert.a, libbert.so, and what lets other programs find them: pkg-config's libbert and CMake's package bert.

# The archive holds one object, the whole library, in which only bert_ names are visible: inner names such as `fail` cannot collide
# with those of the program that it is linked into.
set(whole ${PROJECT_BINARY_DIR}/libbert.o)
add_custom_command(OUTPUT ${whole}
  COMMAND ${CMAKE_LINKER} -r -o ${whole} ${OBJECTS}
  COMMAND ${CMAKE_OBJCOPY} --localize-hidden ${whole}
  DEPENDS ${OBJECTS} COMMAND_EXPAND_LISTS VERBATIM)
add_library(bert_static STATIC ${whole})
add_dependencies(bert_static ${OBJECT_TARGETS}) # DEPENDS names their files, which tells Makefiles nothing of who makes them
set_target_properties(bert_static PROPERTIES LINKER_LANGUAGE C)
add_library(bert_shared SHARED ${OBJECTS})
set_target_properties(bert_shared PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR})
target_link_libraries(bert_shared PRIVATE $<BUILD_INTERFACE:bert_flags>)
target_link_options(bert_shared PRIVATE -Wl,-z,nodelete) # its threads sleep in it: it stays where a program closes it
if(NOT sanitizers) # a sanitizer's symbols come with the program
  target_link_options(bert_shared PRIVATE -Wl,--no-undefined)
endif()
# What a program needs beside the archive; cmake/bert-config.cmake.in finds the same.
target_link_libraries(bert_static INTERFACE $<BUILD_INTERFACE:bert_needs> $<INSTALL_INTERFACE:Threads::Threads>
  $<INSTALL_INTERFACE:ZLIB::ZLIB> $<INSTALL_INTERFACE:PkgConfig::BERT_STATIC> ${CMAKE_DL_LIBS} m)
foreach(kind static shared)
  target_include_directories(bert_${kind} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  set_target_properties(bert_${kind} PROPERTIES OUTPUT_NAME bert)
endforeach()
set_target_properties(bert_shared PROPERTIES EXPORT_NAME bert)
add_library(bert::bert ALIAS bert_shared) # the package's names, for who has libbert as a subdirectory
add_library(bert::bert_static ALIAS bert_static)

install(TARGETS bert_static bert_shared EXPORT bert-targets)
install(FILES include/bert.h TYPE INCLUDE)

include(CMakePackageConfigHelpers)
set(package ${CMAKE_INSTALL_LIBDIR}/cmake/bert)
install(EXPORT bert-targets NAMESPACE bert:: DESTINATION ${package})
configure_package_config_file(cmake/bert-config.cmake.in bert-config.cmake INSTALL_DESTINATION ${package})
write_basic_package_version_file(bert-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/bert-config.cmake ${PROJECT_BINARY_DIR}/bert-config-version.cmake DESTINATION ${package})

# Relative to where libbert.pc lies, so that it holds under any prefix and DESTDIR.
file(RELATIVE_PATH to_prefix /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(cmake/libbert.pc.in libbert.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/libbert.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
