# SPDX-License-Identifier: MIT
# The sanitizer switch, JRPC_SANITIZE, and libFuzzer, JRPC_FUZZ. For the whole tree at once: mixing
# instrumented and plain objects hides faults or invents them.

if(JRPC_SANITIZE)
    # The first report ends the program, so that a test cannot pass with one in its output.
    set(sanitize -fsanitize=${JRPC_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    add_compile_options(${sanitize})
    add_link_options(${sanitize})
endif()

if(JRPC_FUZZ)
    if(NOT CMAKE_C_COMPILER_ID MATCHES "Clang")
        message(FATAL_ERROR "JRPC_FUZZ needs clang: cmake --preset fuzz, or CC=clang")
    endif()
    add_compile_options(-fsanitize=fuzzer-no-link)
endif()
