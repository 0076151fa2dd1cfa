# SPDX-License-Identifier: MIT
# FindLibuv: the target Libuv::Libuv, the event loop.
#
# Written out for the same reason as FindJansson, and installed beside it.
find_package(PkgConfig QUIET)
if(PkgConfig_FOUND)
    pkg_check_modules(PC_LIBUV QUIET libuv)
endif()

find_path(Libuv_INCLUDE_DIR uv.h HINTS ${PC_LIBUV_INCLUDE_DIRS})
find_library(Libuv_LIBRARY uv HINTS ${PC_LIBUV_LIBRARY_DIRS})
mark_as_advanced(Libuv_INCLUDE_DIR Libuv_LIBRARY)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Libuv
    REQUIRED_VARS Libuv_LIBRARY Libuv_INCLUDE_DIR
    REASON_FAILURE_MESSAGE "on Debian and Ubuntu: apt-get install libuv1-dev")

if(Libuv_FOUND AND NOT TARGET Libuv::Libuv)
    add_library(Libuv::Libuv UNKNOWN IMPORTED)
    set_target_properties(Libuv::Libuv PROPERTIES
        IMPORTED_LOCATION "${Libuv_LIBRARY}"
        INTERFACE_INCLUDE_DIRECTORIES "${Libuv_INCLUDE_DIR}")
endif()
