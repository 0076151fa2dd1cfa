# SPDX-License-Identifier: MIT
# Installs the libraries and headers, and tells others of them: jrpcConfig.cmake for
# find_package(jrpc), one .pc file per library for pkg-config.
include(CMakePackageConfigHelpers)

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/jrpc")
get_property(exports GLOBAL PROPERTY JRPC_EXPORTS)

install(TARGETS ${exports} EXPORT jrpcTargets)
install(EXPORT jrpcTargets NAMESPACE jrpc:: DESTINATION "${package_dir}")
install(DIRECTORY include/jrpc DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" FILES_MATCHING PATTERN "*.h")

# Only the static libraries ask for these, but both are in one list of targets.
get_property(optional_packages GLOBAL PROPERTY JRPC_OPTIONAL_PACKAGES)
configure_package_config_file(cmake/jrpcConfig.cmake.in "${PROJECT_BINARY_DIR}/jrpcConfig.cmake"
    INSTALL_DESTINATION "${package_dir}")
# Until 1.0 a new minor number may change the interface.
write_basic_package_version_file("${PROJECT_BINARY_DIR}/jrpcConfigVersion.cmake"
    COMPATIBILITY SameMinorVersion)
install(FILES
    "${PROJECT_BINARY_DIR}/jrpcConfig.cmake"
    "${PROJECT_BINARY_DIR}/jrpcConfigVersion.cmake"
    cmake/FindJansson.cmake
    cmake/FindLibuv.cmake
    cmake/FindWebsockets.cmake
    cmake/FindZeroMQ.cmake
    DESTINATION "${package_dir}")

# Relative to the .pc file itself, so that cmake --install --prefix and a moved tree stay true.
file(RELATIVE_PATH pc_prefix "${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig" "${CMAKE_INSTALL_PREFIX}")
file(RELATIVE_PATH pc_libdir "${CMAKE_INSTALL_PREFIX}" "${CMAKE_INSTALL_FULL_LIBDIR}")
file(RELATIVE_PATH pc_includedir "${CMAKE_INSTALL_PREFIX}" "${CMAKE_INSTALL_FULL_INCLUDEDIR}")
set(pc_private libuv)
if("ZeroMQ" IN_LIST optional_packages)
    string(APPEND pc_private " libczmq libzmq")
endif()
if("Websockets" IN_LIST optional_packages)
    string(APPEND pc_private " libwebsockets")
endif()
foreach(pc IN ITEMS jrpc-core jrpc)
    configure_file(cmake/${pc}.pc.in "${PROJECT_BINARY_DIR}/${pc}.pc" @ONLY)
    install(FILES "${PROJECT_BINARY_DIR}/${pc}.pc"
            DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
endforeach()
