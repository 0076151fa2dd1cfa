# SPDX-License-Identifier: MIT
# How every C file of ours is compiled, and how a library is made of some of them.

# jrpc_compile_options(<target>): the language level and the warnings we keep clean.
function(jrpc_compile_options target)
    set_target_properties(${target} PROPERTIES
        C_STANDARD 11 C_STANDARD_REQUIRED ON C_EXTENSIONS OFF)
    # More of libc than C11 has. Empty, so that a file that says it as well says the same.
    target_compile_definitions(${target} PRIVATE _GNU_SOURCE=)
    target_compile_options(${target} PRIVATE
        -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes
        -Wpointer-arith -Wcast-qual -Wwrite-strings -Wvla -Wundef -Wformat=2)
    if(JRPC_WERROR)
        target_compile_options(${target} PRIVATE -Werror)
    endif()
endfunction()

# Turns on link-time optimisation for the target if this compiler can do it, else says so once.
function(jrpc_optimise_at_link target)
    if(NOT DEFINED JRPC_LTO_WORKS)
        include(CheckIPOSupported)
        check_ipo_supported(RESULT works OUTPUT why LANGUAGES C)
        set(JRPC_LTO_WORKS ${works} CACHE INTERNAL "This compiler can optimise at link time")
        if(NOT works)
            message(STATUS "Link-time optimisation is off: the compiler cannot do it")
        endif()
    endif()
    set_target_properties(${target} PROPERTIES INTERPROCEDURAL_OPTIMIZATION ${JRPC_LTO_WORKS})
endfunction()

# jrpc_add_library(<name> SOURCES <file>... LINK <target>... [LINK_PRIVATE <target>...]
#                  [DEFINE <name>...])
#
# Makes two flavours of one list of sources:
#   <name>         lib<name>.so.<major>, for users; only what is marked JRPC_API can be seen.
#                  With BUILD_SHARED_LIBS=OFF it stands for the static flavour.
#   <name>-static  lib<name>.a, for static programs and for tests, which can see the internals.
# The sources are compiled twice, because objects made for link-time optimisation are of no use in
# an archive that another compiler reads.
function(jrpc_add_library name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LINK;LINK_PRIVATE;DEFINE")

    add_library(${name}-static STATIC ${arg_SOURCES})
    set(flavours ${name}-static)
    if(BUILD_SHARED_LIBS)
        add_library(${name} SHARED ${arg_SOURCES})
        list(APPEND flavours ${name})
        set_target_properties(${name} PROPERTIES
            VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR})
        # Our own calls of our public functions stay inside and can be inlined.
        target_compile_options(${name} PRIVATE -fno-semantic-interposition)
        if(JRPC_LTO)
            jrpc_optimise_at_link(${name})
        endif()
    else()
        add_library(${name} INTERFACE)
        target_link_libraries(${name} INTERFACE ${name}-static)
    endif()

    foreach(flavour IN LISTS flavours)
        jrpc_compile_options(${flavour})
        set_target_properties(${flavour} PROPERTIES
            OUTPUT_NAME ${name} C_VISIBILITY_PRESET hidden POSITION_INDEPENDENT_CODE ON)
        target_include_directories(${flavour} PUBLIC
            "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>"
            "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")
        target_link_libraries(${flavour} PUBLIC ${arg_LINK} PRIVATE ${arg_LINK_PRIVATE})
        target_compile_definitions(${flavour} PRIVATE ${arg_DEFINE})
    endforeach()
    jrpc_export(${name})
    jrpc_export(${name}-static)
endfunction()

# jrpc_export(<target>): jrpc-core is jrpc::core to users, jrpc is jrpc::jrpc, built or installed.
function(jrpc_export target)
    string(REGEX REPLACE "^jrpc-(core.*)" "\\1" public_name ${target})
    set_target_properties(${target} PROPERTIES EXPORT_NAME ${public_name})
    add_library(jrpc::${public_name} ALIAS ${target})
    set_property(GLOBAL APPEND PROPERTY JRPC_EXPORTS ${target})
endfunction()
