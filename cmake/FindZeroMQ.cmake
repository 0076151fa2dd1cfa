# SPDX-License-Identifier: MIT
# FindZeroMQ: the targets ZeroMQ::libzmq, sockets and messages, and ZeroMQ::czmq, which adds
# contexts, certificates and authentication.
#
# Written out for the same reason as FindJansson, and installed beside it.
find_package(PkgConfig QUIET)
if(PkgConfig_FOUND)
    pkg_check_modules(PC_ZMQ QUIET libzmq)
    pkg_check_modules(PC_CZMQ QUIET libczmq)
endif()

find_path(ZeroMQ_INCLUDE_DIR zmq.h HINTS ${PC_ZMQ_INCLUDE_DIRS})
find_library(ZeroMQ_LIBRARY zmq HINTS ${PC_ZMQ_LIBRARY_DIRS})
find_path(ZeroMQ_czmq_INCLUDE_DIR czmq.h HINTS ${PC_CZMQ_INCLUDE_DIRS})
find_library(ZeroMQ_czmq_LIBRARY czmq HINTS ${PC_CZMQ_LIBRARY_DIRS})
mark_as_advanced(ZeroMQ_INCLUDE_DIR ZeroMQ_LIBRARY
                 ZeroMQ_czmq_INCLUDE_DIR ZeroMQ_czmq_LIBRARY)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(ZeroMQ
    REQUIRED_VARS ZeroMQ_LIBRARY ZeroMQ_INCLUDE_DIR
                  ZeroMQ_czmq_LIBRARY ZeroMQ_czmq_INCLUDE_DIR
    REASON_FAILURE_MESSAGE "on Debian and Ubuntu: apt-get install libzmq3-dev libczmq-dev")

if(ZeroMQ_FOUND AND NOT TARGET ZeroMQ::libzmq)
    add_library(ZeroMQ::libzmq UNKNOWN IMPORTED)
    set_target_properties(ZeroMQ::libzmq PROPERTIES
        IMPORTED_LOCATION "${ZeroMQ_LIBRARY}"
        INTERFACE_INCLUDE_DIRECTORIES "${ZeroMQ_INCLUDE_DIR}")
    add_library(ZeroMQ::czmq UNKNOWN IMPORTED)
    set_target_properties(ZeroMQ::czmq PROPERTIES
        IMPORTED_LOCATION "${ZeroMQ_czmq_LIBRARY}"
        INTERFACE_INCLUDE_DIRECTORIES "${ZeroMQ_czmq_INCLUDE_DIR}"
        INTERFACE_LINK_LIBRARIES ZeroMQ::libzmq)
endif()
