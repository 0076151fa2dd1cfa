# SPDX-License-Identifier: MIT
# FindWebsockets: the target Websockets::websockets, libwebsockets with its libuv plug-in.
#
# The plug-in is loaded when a program runs, so nothing but this would miss it before.
find_package(PkgConfig QUIET)
if(PkgConfig_FOUND)
    pkg_check_modules(PC_LWS QUIET libwebsockets)
endif()

find_path(Websockets_INCLUDE_DIR libwebsockets.h HINTS ${PC_LWS_INCLUDE_DIRS})
find_library(Websockets_LIBRARY websockets HINTS ${PC_LWS_LIBRARY_DIRS})
mark_as_advanced(Websockets_INCLUDE_DIR Websockets_LIBRARY Websockets_PLUGIN)

# A library that has libuv built in needs no plug-in.
set(Websockets_needed Websockets_LIBRARY Websockets_INCLUDE_DIR)
if(Websockets_INCLUDE_DIR AND EXISTS "${Websockets_INCLUDE_DIR}/lws_config.h")
    file(STRINGS "${Websockets_INCLUDE_DIR}/lws_config.h" plugins
         REGEX "^#define LWS_WITH_EVLIB_PLUGINS")
    if(plugins)
        get_filename_component(Websockets_folder "${Websockets_LIBRARY}" DIRECTORY)
        find_file(Websockets_PLUGIN libwebsockets-evlib_uv.so HINTS "${Websockets_folder}")
        list(APPEND Websockets_needed Websockets_PLUGIN)
    endif()
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Websockets
    REQUIRED_VARS ${Websockets_needed}
    REASON_FAILURE_MESSAGE
        "on Debian and Ubuntu: apt-get install libwebsockets-dev libwebsockets-evlib-uv")

if(Websockets_FOUND AND NOT TARGET Websockets::websockets)
    add_library(Websockets::websockets UNKNOWN IMPORTED)
    set_target_properties(Websockets::websockets PROPERTIES
        IMPORTED_LOCATION "${Websockets_LIBRARY}"
        INTERFACE_INCLUDE_DIRECTORIES "${Websockets_INCLUDE_DIR}")
endif()
