# SPDX-License-Identifier: MIT
# A page as C, made when CMake runs: no program of the build's own, nothing to run in order.

# jrpc_hash_source(<text> <out>): what a Content-Security-Policy calls this inline text by:
# 'sha256-…', the digest in base64.
function(jrpc_hash_source text out)
    set(letters "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
    string(SHA256 digest "${text}")
    # 32 bytes and one of padding: 22 times 12 bits, which are three hex digits or two letters.
    string(REGEX MATCHALL "..." groups "${digest}00")
    set(base64 "")
    foreach(group IN LISTS groups)
        math(EXPR high "0x${group} >> 6")
        math(EXPR low "0x${group} & 63")
        string(SUBSTRING "${letters}" ${high} 1 first)
        string(SUBSTRING "${letters}" ${low} 1 second)
        string(APPEND base64 "${first}${second}")
    endforeach()
    string(REGEX REPLACE ".$" "=" base64 "${base64}")
    set(${out} "'sha256-${base64}'" PARENT_SCOPE)
endfunction()

# The text between the only <tag> and </tag> of a page.
function(jrpc_text_between page tag out)
    string(LENGTH "<${tag}>" len)
    string(FIND "${page}" "<${tag}>" start)
    string(FIND "${page}" "</${tag}>" end)
    if(start LESS 0 OR end LESS 0)
        message(FATAL_ERROR "No <${tag}> in the page to embed")
    endif()
    math(EXPR start "${start} + ${len}")
    math(EXPR len "${end} - ${start}")
    string(SUBSTRING "${page}" ${start} ${len} text)
    set(${out} "${text}" PARENT_SCOPE)
endfunction()

# jrpc_embed_page(<page.html> <template.c.in> <file.c>): fills in @BYTES@, the page as the members
# of an array, and @SCRIPT_SOURCE@ and @STYLE_SOURCE@, which allow its script and its style. Both
# must be inline, and ASCII as the page is.
function(jrpc_embed_page page template file)
    cmake_path(ABSOLUTE_PATH page)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${page}")
    file(READ "${page}" hex HEX)
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," BYTES "${hex}")
    if(BYTES MATCHES "0x[89a-f]")
        message(FATAL_ERROR "${page}: not ASCII")
    endif()
    # Sixteen to a line.
    string(REPEAT "....." 16 sixteen)
    string(REGEX REPLACE "(${sixteen})" "\\1\n    " BYTES "${BYTES}")

    file(READ "${page}" text)
    jrpc_text_between("${text}" script script)
    jrpc_text_between("${text}" style style)
    jrpc_hash_source("${script}" SCRIPT_SOURCE)
    jrpc_hash_source("${style}" STYLE_SOURCE)
    configure_file("${template}" "${file}" @ONLY)
endfunction()
