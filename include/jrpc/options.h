/* SPDX-License-Identifier: MIT */
/*
 * options.h - options and limits by name
 *
 * One list, JRPC_OPTIONS, yields the defaults, the ranges, the names in files and environment
 * and the help of our programs, so that they cannot drift.
 *
 * Where a value comes from, strongest first, whatever the order of calls: jrpc_options_set(),
 * the environment (JRPC_MESSAGE_MAX=…), ./.jsonrpcserverrc or the file named when loading,
 * ~/.jsonrpcserverrc, the default. docs/options.md describes each option.
 */
#ifndef JRPC_OPTIONS_H
#define JRPC_OPTIONS_H

#include <stdint.h>

#include <jrpc/error.h>
#include <jrpc/export.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * JRPC_OPTIONS() - FLAG(name, default, help), SIZE(name, default, max, unit, help),
 * TIME(name, default, help)
 *
 * FLAG: yes/no, true/false, on/off, 1/0, in upper or lower case. SIZE: 1 to max, with an optional
 * K, M or G (powers of 1,024) at the end; 0 means the default; there is no "unlimited". TIME:
 * milliseconds, 1 to 2147483647; 0 means the default, -1 off. White space around does not count.
 */
#define JRPC_OPTIONS(FLAG, SIZE, TIME)                                                             \
    FLAG(basic_logging, 0, "log requests and responses to standard error")                         \
    FLAG(trim_log_values, 0, "shorten long strings and arrays in the log")                         \
    FLAG(debug, 0, "say more in error responses, as data")                                         \
    FLAG(convert_camel_case, 0, "turn camelCase method and parameter names into snake_case")       \
    FLAG(allow_unknown_members, 0, "accept requests with members the specification lacks")         \
    FLAG(http_200_errors, 0, "answer error responses with HTTP status 200")                        \
    FLAG(introspection, 1, "answer rpc.discover and rpc.methods")                                  \
    FLAG(metrics, 0, "count and time calls by method, for jrpc_server_stats()")                    \
    SIZE(message_max, 4194304, 1073741824, "bytes", "largest message from a peer")                 \
    SIZE(reply_max, 16777216, 1073741824, "bytes", "largest answer, a whole batch's together")     \
    SIZE(batch_max, 1000, 1000000, "requests", "members of a batch")                               \
    SIZE(depth_max, 128, 1024, "levels", "nesting of arrays and objects in a message")             \
    SIZE(values_max, 100000, 100000000, "values", "JSON values in a message")                      \
    SIZE(args_max, 10000, 1000000, "arguments", "arguments of a call")                             \
    SIZE(method_max, 256, 65536, "bytes", "length of a method's name")                             \
    SIZE(id_max, 1024, 65536, "bytes", "length of a request's id")                                 \
    SIZE(peers_max, 10000, 10000000, "peers", "peers at the same time")                            \
    SIZE(pending_max, 256, 1000000, "calls", "calls in flight for one peer")                       \
    SIZE(calls_max, 20000, 10000000, "calls", "calls in flight on the server")                     \
    SIZE(inbox_max, 1048576, 1073741824, "bytes", "messages of one peer waiting to be run")        \
    SIZE(queue_max, 16777216, 1073741824, "bytes", "unsent answers to one peer")                   \
    SIZE(memory_max, 536870912, 1099511627776, "bytes", "messages and answers of all peers")       \
    SIZE(handshakes_max, 256, 1000000, "peers", "connections that have not finished a handshake")  \
    SIZE(workers, 4, 1024, "threads", "threads for blocking methods")                              \
    TIME(call_timeout_ms, 30000, "time-out of deferred and blocking calls")                        \
    TIME(idle_ms, 60000, "idle HTTP connections are closed after this")                            \
    TIME(drain_ms, 10000, "time given to calls in flight when stopping")

typedef struct jrpc_options jrpc_options;

/**
 * jrpc_options_new() - every option at its default
 * @out:  new; free with jrpc_options_free()
 *
 * Reads no file and no environment: that is jrpc_options_load(). Wherever options are asked
 * for, NULL means the defaults, and the options are copied.
 *
 * Threads: setup only. Return: 0; -EINVAL if @out is NULL; -ENOMEM.
 */
JRPC_API int jrpc_options_new(jrpc_options **out);

/** jrpc_options_free() - NULL is fine. Threads: setup only. */
JRPC_API void jrpc_options_free(jrpc_options *options);

/**
 * jrpc_options_set() - one option from text
 * @name:   as in JRPC_OPTIONS
 * @value:  as described there; NULL takes an earlier jrpc_options_set() back
 *
 * On failure the option keeps the value it had.
 *
 * Threads: setup only.
 * Return: 0; -ENOENT unknown name; -EINVAL bad value or NULL; -ERANGE out of range. The reason
 * is in jrpc_options_problem(), a misspelt name's with the likeliest one meant.
 */
JRPC_API int jrpc_options_set(jrpc_options *options, const char *name, const char *value);

/** jrpc_options_set_integer() - the same from a number; flags take 0 and 1 */
JRPC_API int jrpc_options_set_integer(jrpc_options *options, const char *name, int64_t value);

/**
 * jrpc_options_load() - read the configuration files and the environment
 * @path:  one file to read; NULL: search the directory HOME and the current one for
 *         .jsonrpcserverrc and .jsonrpcclientrc, as jsonrpcserver 4.2 does
 *
 * The file is an INI file; its section [general] is read, comments are lines that begin with # or
 * ;. Then the environment is read: JRPC_ and the option's name in capitals. Unknown names, bad
 * values and files that are there but cannot be read are skipped, never fatal;
 * jrpc_options_problem() tells the first with file and line and how many more there were. Its code
 * is then -EINVAL though the call returned 0. Several loads add up, the last one counts.
 *
 * Threads: setup only. Blocks: on the file system.
 * Return: 0; -ENOENT and the like if @path cannot be read, -EFBIG if it is larger than 64 KiB:
 * nothing was changed; -ENOMEM; -EINVAL.
 */
JRPC_API int jrpc_options_load(jrpc_options *options, const char *path);

/**
 * jrpc_options_problem() - what the last call on these options found wrong
 *
 * Return: borrowed until the next call on @options; NULL if nothing was wrong or @options is
 * NULL.
 */
JRPC_API const jrpc_problem *jrpc_options_problem(const jrpc_options *options);

#ifdef __cplusplus
}
#endif

#endif
