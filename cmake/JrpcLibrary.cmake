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

# jrpc_add_library(<name> SOURCES <file>... [WITH <name>...] LINK <target>...
#                  [LINK_PRIVATE <target>...] [DEFINE <name>...])
#
# Makes two flavours of one list of sources:
#   <name>         lib<name>.so.<major>, for users; only what is marked JRPC_API can be seen.
#                  With BUILD_SHARED_LIBS=OFF it stands for the static flavour.
#   <name>-static  lib<name>.a, for static programs and for tests, which can see the internals.
# WITH names libraries made before, whose objects go into these as well: the server needs what the
# core does not show.
function(jrpc_add_library name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;WITH;LINK;LINK_PRIVATE;DEFINE")

    add_library(${name}-objects OBJECT ${arg_SOURCES})
    set(compiled ${name}-objects)
    set(shared_objects objects)
    if(BUILD_SHARED_LIBS AND JRPC_LTO)
        # Compiled once more, because objects made for link-time optimisation are of no use in an
        # archive that another compiler reads.
        add_library(${name}-lto OBJECT ${arg_SOURCES})
        jrpc_optimise_at_link(${name}-lto)
        list(APPEND compiled ${name}-lto)
        set(shared_objects lto)
    endif()

    set(flavours ${name}-static)
    add_library(${name}-static STATIC)
    if(BUILD_SHARED_LIBS)
        list(APPEND flavours ${name})
        add_library(${name} SHARED)
        set_target_properties(${name} PROPERTIES
            VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR})
        if(JRPC_LTO)
            jrpc_optimise_at_link(${name})
        endif()
    else()
        add_library(${name} INTERFACE)
        target_link_libraries(${name} INTERFACE ${name}-static)
    endif()
    foreach(part IN LISTS arg_WITH ITEMS ${name})
        target_sources(${name}-static PRIVATE $<TARGET_OBJECTS:${part}-objects>)
        if(BUILD_SHARED_LIBS)
            target_sources(${name} PRIVATE $<TARGET_OBJECTS:${part}-${shared_objects}>)
        endif()
    endforeach()

    foreach(target IN LISTS compiled flavours)
        target_include_directories(${target} PUBLIC
            "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>"
            "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")
        target_link_libraries(${target} PUBLIC ${arg_LINK} PRIVATE ${arg_LINK_PRIVATE})
    endforeach()
    foreach(target IN LISTS compiled)
        jrpc_compile_options(${target})
        set_target_properties(${target} PROPERTIES
            C_VISIBILITY_PRESET hidden POSITION_INDEPENDENT_CODE ON)
        # Our own calls of our public functions stay inside and can be inlined.
        target_compile_options(${target} PRIVATE -fno-semantic-interposition)
        target_compile_definitions(${target} PRIVATE ${arg_DEFINE})
    endforeach()
    set_target_properties(${flavours} PROPERTIES OUTPUT_NAME ${name} LINKER_LANGUAGE C)
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
