/* SPDX-License-Identifier: MIT */
/*
 * error.h - what a peer is told, and what a caller is told
 *
 * Two worlds that never mix. A *peer* is told a wire code (enum jrpc_code), sent in an error
 * response. A *caller* of this library gets 0 or a negative errno, and where a text helps, a
 * jrpc_problem, which is never sent to a peer.
 */
#ifndef JRPC_ERROR_H
#define JRPC_ERROR_H

/**
 * JRPC_CODES() - every wire code this library sends: name, code, message, HTTP status
 *
 * The first five are the specification's (section 5.1) with its own messages. -32000 to -32099
 * are "reserved for implementation-defined server-errors"; -32800 is the cancellation code of
 * the Language Server Protocol. Codes of an application may be any other integer but 0; over HTTP
 * they are status 400.
 */
#define JRPC_CODES(X)                                                                              \
    X(PARSE_ERROR, -32700, "Parse error", 400)                                                     \
    X(INVALID_REQUEST, -32600, "Invalid Request", 400)                                             \
    X(METHOD_NOT_FOUND, -32601, "Method not found", 404)                                           \
    X(INVALID_PARAMS, -32602, "Invalid params", 400)                                               \
    X(INTERNAL_ERROR, -32603, "Internal error", 500)                                               \
    X(SERVER_BUSY, -32000, "Server busy", 503)                                                     \
    X(TIMED_OUT, -32001, "Timed out", 504)                                                         \
    X(REQUEST_TOO_LARGE, -32002, "Request too large", 413)                                         \
    X(REPLY_TOO_LARGE, -32003, "Reply too large", 500)                                             \
    X(BATCH_TOO_LARGE, -32004, "Batch too large", 413)                                             \
    X(NOT_AUTHORISED, -32005, "Not authorised", 403)                                               \
    X(CANCELLED, -32800, "Request cancelled", 409)

#define JRPC_CODE_(name, code, message, status) JRPC_##name = (code),
enum jrpc_code { JRPC_CODES(JRPC_CODE_) };
#undef JRPC_CODE_

/**
 * struct jrpc_problem - why a set-up call failed: a local diagnosis, never sent to a peer
 * @code:    negative errno, the same that the call returned; 0: no problem
 * @line:    1-based line in @source, 0 if it does not apply
 * @column:  1-based column in bytes, 0 if it does not apply
 * @source:  the file, method or option at fault; may be empty
 * @text:    one line for a person, without @source, line and column
 */
typedef struct jrpc_problem {
    int code, line, column;
    char source[128], text[256];
} jrpc_problem;

#endif
