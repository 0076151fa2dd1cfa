# SPDX-License-Identifier: MIT
# FindJansson: the target Jansson::Jansson, JSON values for C.
#
# Written out, not taken from jansson's own package files, because Debian ships only its
# pkg-config file. Installed beside our package config, which needs the same target.
find_package(PkgConfig QUIET)
if(PkgConfig_FOUND)
    pkg_check_modules(PC_JANSSON QUIET jansson)
endif()

find_path(Jansson_INCLUDE_DIR jansson.h HINTS ${PC_JANSSON_INCLUDE_DIRS})
find_library(Jansson_LIBRARY jansson HINTS ${PC_JANSSON_LIBRARY_DIRS})
mark_as_advanced(Jansson_INCLUDE_DIR Jansson_LIBRARY)

if(Jansson_INCLUDE_DIR)
    file(STRINGS "${Jansson_INCLUDE_DIR}/jansson.h" jansson_version_line
         REGEX "define JANSSON_VERSION +\"")
    string(REGEX REPLACE ".*\"(.*)\".*" "\\1" Jansson_VERSION "${jansson_version_line}")
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Jansson
    REQUIRED_VARS Jansson_LIBRARY Jansson_INCLUDE_DIR
    VERSION_VAR Jansson_VERSION
    REASON_FAILURE_MESSAGE "on Debian and Ubuntu: apt-get install libjansson-dev")

if(Jansson_FOUND AND NOT TARGET Jansson::Jansson)
    add_library(Jansson::Jansson UNKNOWN IMPORTED)
    set_target_properties(Jansson::Jansson PROPERTIES
        IMPORTED_LOCATION "${Jansson_LIBRARY}"
        INTERFACE_INCLUDE_DIRECTORIES "${Jansson_INCLUDE_DIR}")
endif()
