# SPDX-License-Identifier: MIT
# Transports that need a library of their own: used if it is there, or as the user says.

# jrpc_optional_transport(<NAME> <package> <what it serves>)
#
# JRPC_WITH_<NAME>: AUTO uses the package if it is found, ON demands it, OFF leaves the transport
# out. Sets JRPC_HAVE_<NAME>.
function(jrpc_optional_transport name package serves)
    set(JRPC_WITH_${name} AUTO CACHE STRING "${serves}: AUTO, ON or OFF")
    set_property(CACHE JRPC_WITH_${name} PROPERTY STRINGS AUTO ON OFF)
    set(have OFF)
    if(JRPC_WITH_${name} STREQUAL "AUTO")
        find_package(${package} QUIET)
        set(have ${${package}_FOUND})
        if(NOT have)
            message(STATUS "Without ${serves}: ${package} was not found "
                           "(JRPC_WITH_${name}=ON says what is missing)")
        endif()
    elseif(JRPC_WITH_${name})
        find_package(${package} REQUIRED)
        set(have ON)
    endif()
    if(have)
        set_property(GLOBAL APPEND PROPERTY JRPC_OPTIONAL_PACKAGES ${package})
    endif()
    set(JRPC_HAVE_${name} ${have} PARENT_SCOPE)
endfunction()
