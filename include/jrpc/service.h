/* SPDX-License-Identifier: MIT */
/*
 * service.h - a table of methods, and dispatch: one message in, at most one message out
 *
 * A service is set up on one thread; from then on any number of threads may dispatch into it at
 * once. It is counted: held calls and listeners keep it alive after jrpc_service_free().
 */
#ifndef JRPC_SERVICE_H
#define JRPC_SERVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include <jrpc/call.h>
#include <jrpc/codec.h>
#include <jrpc/error.h>
#include <jrpc/export.h>
#include <jrpc/options.h>
#include <jrpc/response.h>

#ifdef __cplusplus
extern "C" {
#endif

/** typedef jrpc_service - methods, options, codec and hooks */
typedef struct jrpc_service jrpc_service;

/** typedef jrpc_handler_fn - a method's C function; what its return value means is in call.h */
typedef int (*jrpc_handler_fn)(jrpc_call *call, void *user);

enum {
    JRPC_BLOCKING = 1, /* may take long: a server runs it on its workers; without one, inline */
    JRPC_HIDDEN = 2    /* callable, not described */
};

/**
 * struct jrpc_method - one row of a method table
 * @name:        any UTF-8, at most method_max bytes; "rpc." at the beginning is reserved
 *               (JSON-RPC 2.0, section 4.3) but for rpc.discover and rpc.methods, which then
 *               answer in place of ours
 * @handler:     the function
 * @signature:   the parameters in one line, as in "a: number, b: number = 1 -> number"; "" none;
 *               NULL: anything, the handler looks itself
 * @summary:     one sentence for documentation; may be NULL
 * @flags:       JRPC_BLOCKING, JRPC_HIDDEN
 * @timeout_ms:  of deferred and blocking calls; 0: call_timeout_ms, -1: none
 *
 * A signature is a list of parameters and, after "->", the type of the result:
 *
 *     minuend: number, subtrahend: number -> number
 *     user_id: integer, first_name: string = "Ada" -> object
 *     *numbers: number -> number              any number of positional arguments
 *     **fields: any -> object                 any names
 *     path: string, *, flags?: array|null     named-only after the star; optional; a union
 *
 * Types: any null boolean integer number string array object; none means any. A name that is no
 * identifier is written as a JSON string. A default is any JSON value of the parameter's type.
 * All rows are copied. Write rows with JRPC_METHOD(), ended by JRPC_METHOD_END.
 */
typedef struct jrpc_method {
    const char *name;
    jrpc_handler_fn handler;
    const char *signature, *summary;
    unsigned flags;
    int timeout_ms;
} jrpc_method;

#define JRPC_METHOD(name, handler, signature, summary)                                             \
    {                                                                                              \
        name, handler, signature, summary, 0, 0                                                    \
    }
#define JRPC_METHOD_FLAGS(name, handler, signature, summary, flags, timeout_ms)                    \
    {                                                                                              \
        name, handler, signature, summary, flags, timeout_ms                                       \
    }
#define JRPC_METHOD_END                                                                            \
    {                                                                                              \
        NULL, NULL, NULL, NULL, 0, 0                                                               \
    }

/**
 * jrpc_service_new() - a service without methods
 * @options:  borrowed, copied; NULL: the defaults
 * @out:      new; end with jrpc_service_free()
 *
 * Threads: setup only. Return: 0; -EINVAL if @out is NULL; -ENOMEM.
 */
JRPC_API int jrpc_service_new(const jrpc_options *options, jrpc_service **out);

/** jrpc_service_free() - drop the user's reference; NULL is fine. Threads: any */
JRPC_API void jrpc_service_free(jrpc_service *service);

/* What the inline functions below call: they hand over the size of the row they were compiled
 * with, so that rows can grow. */
JRPC_API int jrpc_service_put_rows(jrpc_service *service, const jrpc_method *rows, size_t n_rows,
                                   size_t row_size, bool is_replacing, void *user);

/**
 * jrpc_service_add() - add one method
 * @user:  handed to the handler
 *
 * Threads: setup only.
 * Return: 0; -EEXIST a method of that name is there; -EINVAL bad name, signature or row;
 * -EBUSY a listener uses the service; -ENOMEM. Which and why: jrpc_service_problem().
 */
static inline int jrpc_service_add(jrpc_service *service, const jrpc_method *method, void *user)
{
    return jrpc_service_put_rows(service, method, 1, sizeof(*method), false, user);
}

/** jrpc_service_replace() - the same; a method of that name is replaced */
static inline int jrpc_service_replace(jrpc_service *service, const jrpc_method *method, void *user)
{
    return jrpc_service_put_rows(service, method, 1, sizeof(*method), true, user);
}

/** jrpc_service_add_table() - all rows up to JRPC_METHOD_END, or none of them */
static inline int jrpc_service_add_table(jrpc_service *service, const jrpc_method *rows, void *user)
{
    size_t n_rows = 0;

    while (rows && rows[n_rows].name)
        n_rows++;
    return jrpc_service_put_rows(service, rows, n_rows, sizeof(*rows), false, user);
}

/**
 * jrpc_service_add_prefix() - one handler for every method whose name begins with @prefix
 *
 * For gateways. A method of the exact name goes first, then the longest prefix. The handler gets
 * the arguments as sent (as with a NULL signature) and the name by jrpc_call_method().
 *
 * Threads: setup only. Return: as jrpc_service_add().
 */
JRPC_API int jrpc_service_add_prefix(jrpc_service *service, const char *prefix,
                                     jrpc_handler_fn handler, void *user);

/** jrpc_service_remove() - a method or a prefix by its name. Threads: setup only. Return: 0;
 * -ENOENT; -EBUSY; -EINVAL */
JRPC_API int jrpc_service_remove(jrpc_service *service, const char *name);

/**
 * jrpc_service_set_codec() - speak something else than JSON
 * @codec:  borrowed, copied; its strings must outlive the service; NULL: JSON again
 *
 * Threads: setup only. Return: 0; -EINVAL incomplete; -EBUSY.
 */
JRPC_API int jrpc_service_set_codec(jrpc_service *service, const jrpc_codec *codec);

/**
 * jrpc_service_set_info() - what rpc.discover tells of the service as a whole
 * @title, @version:  NULL: "jrpc service", "0.0.0"
 * @description:      of any length, Markdown; NULL: none
 *
 * Threads: setup only. Return: 0; -EINVAL not UTF-8; -EBUSY; -ENOMEM: nothing was changed.
 */
JRPC_API int jrpc_service_set_info(jrpc_service *service, const char *title, const char *version,
                                   const char *description);

/** jrpc_service_problem() - what the last set-up call found wrong: which method, which column,
 * why. Borrowed until the next one; NULL if nothing. Threads: setup only */
JRPC_API const jrpc_problem *jrpc_service_problem(const jrpc_service *service);

/**
 * jrpc_service_describe() - the service as an OpenRPC document
 * @out:  new: methods with parameters, results and summaries, sorted by name in byte order;
 *        JRPC_HIDDEN ones and prefixes are left out
 *
 * Only calls that the signatures allow are described. What OpenRPC cannot say has marks of ours:
 * "x-rest" and "x-fields" at a parameter that may be given any number of times, "x-named-only" with
 * the parameters that a method with *rest takes by name, "x-any-params" where nothing is declared.
 *
 * Peers get the same document by calling rpc.discover, and the names in it by rpc.methods, unless
 * the option introspection is off.
 *
 * Threads: any, once set-up is done. Blocks: never. Source: OpenRPC 1.3.2.
 * Return: 0; -EINVAL if @service or @out is NULL; -ENOMEM.
 */
JRPC_API int jrpc_service_describe(jrpc_service *service, json_t **out);

/**
 * struct jrpc_outcome - how a call ended
 * @size:  sizeof(jrpc_outcome)
 * @code:  0: success, else the wire code; also for a notification, which is told to nobody
 * @len:   bytes of its answer as JSON; 0 for a notification and with a codec
 * @ns:    nanoseconds from look-up to answer
 */
typedef struct jrpc_outcome {
    size_t size;
    int code;
    size_t len;
    uint64_t ns;
} jrpc_outcome;

enum { JRPC_LOG_ERROR = 3, JRPC_LOG_WARNING = 4, JRPC_LOG_INFO = 6, JRPC_LOG_DEBUG = 7 };

/**
 * struct jrpc_log_record - one line of log
 * @size:       sizeof(jrpc_log_record)
 * @level:      JRPC_LOG_…, the numbers of syslog
 * @transport:  "stdio", "stream", "zmq" or "web"; NULL in lines of requests, answers and methods
 * @peer:       its address or the listener's, as the transport gives it, not escaped; NULL likewise
 * @text:       the line, NUL-terminated, no line end, control characters escaped; requests and
 *              answers begin with "--> " and "<-- "
 * @len:        bytes of @text
 */
typedef struct jrpc_log_record {
    size_t size;
    int level;
    const char *transport, *peer, *text;
    size_t len;
} jrpc_log_record;

/**
 * struct jrpc_hooks - functions called along the way; any may be NULL
 * @size:           sizeof(jrpc_hooks)
 * @call_received:  each request before its method is looked up. An answer given here, or a
 *                  negative errno, refuses it; it may not be deferred. Arguments are as sent.
 * @call_answered:  once per member, notifications and refused ones included, on the thread that
 *                  answered
 * @logged:         every line, those about the listeners of this service and their peers too;
 *                  without it they go to standard error if basic_logging is on.
 *                  Lines of requests and answers are made only if basic_logging is on.
 *
 * If several threads dispatch, these are called on several at once.
 */
typedef struct jrpc_hooks {
    size_t size;
    int (*call_received)(jrpc_call *call, void *user);
    void (*call_answered)(jrpc_call *call, const jrpc_outcome *outcome, void *user);
    void (*logged)(const jrpc_log_record *record, void *user);
} jrpc_hooks;

#define JRPC_HOOKS_INIT                                                                            \
    {                                                                                              \
        sizeof(jrpc_hooks), NULL, NULL, NULL                                                       \
    }

/** jrpc_service_set_hooks() - @hooks is copied; NULL: none. Threads: setup only. Return: 0;
 * -EINVAL; -EBUSY */
JRPC_API int jrpc_service_set_hooks(jrpc_service *service, const jrpc_hooks *hooks, void *user);

/**
 * struct jrpc_dispatch_options - about one message
 * @size:         sizeof(jrpc_dispatch_options)
 * @context:      handed to every handler by jrpc_call_context()
 * @has_context:  tells a NULL context from none; a @context that is not NULL needs no mark
 * @timeout_ms:   of deferred calls; 0: the method's own; -1: none
 * @codec:        borrowed until the answer; NULL: the service's
 * @done, @user:  for jrpc_dispatch_async()
 */
typedef struct jrpc_dispatch_options {
    size_t size;
    void *context;
    bool has_context;
    int timeout_ms;
    const jrpc_codec *codec;
    jrpc_response_fn done;
    void *user;
} jrpc_dispatch_options;

#define JRPC_DISPATCH_OPTIONS_INIT                                                                 \
    {                                                                                              \
        sizeof(jrpc_dispatch_options), NULL, false, 0, NULL, NULL, NULL                            \
    }

/**
 * jrpc_dispatch() - one message in, at most one message out
 * @text:     the message, borrowed; need not be NUL-terminated; any bytes at all
 * @len:      its bytes
 * @options:  NULL: none
 * @inout:    like getline(): NULL is made, else reused without allocating; free it with
 *            jrpc_response_free()
 *
 * Whatever a peer sent, the call succeeds and the response holds the answer, an error maybe, or
 * nothing where JSON-RPC 2.0 wants silence: see jrpc_response_is_wanted(). Waits for deferred
 * members, each up to its time-out.
 *
 * Threads: any, but not inside a callback on a server's loop (-EDEADLK). Blocks: on deferred
 * calls only.
 * Return: 0; -EINVAL: @service or @inout NULL, or @text NULL with @len not 0; -ENOMEM: not even
 * an error could be answered; @inout is as it was.
 */
JRPC_API int jrpc_dispatch(jrpc_service *service, const char *text, size_t len,
                           const jrpc_dispatch_options *options, jrpc_response **inout);

/** typedef jrpc_pending - an answer on its way */
typedef struct jrpc_pending jrpc_pending;

/**
 * jrpc_dispatch_async() - the same without waiting
 * @text:     borrowed until this returns
 * @options:  not NULL: `done` is needed
 * @out:      new, end with jrpc_pending_free(); NULL if you will never cancel
 *
 * `done` runs exactly once, with the response borrowed until it returns: on the thread that gives
 * the last answer, possibly before this returns, never under a lock. Nobody watches the time:
 * `timeout_ms` over 0 is refused (-EOPNOTSUPP), and the methods' time-outs do not apply; use
 * jrpc_pending_cancel().
 *
 * Threads: any. Blocks: never.
 * Return: 0; -EINVAL; -EOPNOTSUPP; -ENOMEM: nothing was run and `done` will not be called.
 */
JRPC_API int jrpc_dispatch_async(jrpc_service *service, const char *text, size_t len,
                                 const jrpc_dispatch_options *options, jrpc_pending **out);

/**
 * jrpc_invoke() - call one method without text: for unit tests of handlers
 * @method:  its name, looked up as ever
 * @params:  array, object or NULL for none; stolen, also on failure
 *
 * As jrpc_dispatch() of a request with id 1: hooks, options and time-outs included.
 *
 * Return: as jrpc_dispatch(); -EINVAL also if @method is NULL.
 */
JRPC_API int jrpc_invoke(jrpc_service *service, const char *method, json_t *params,
                         const jrpc_dispatch_options *options, jrpc_response **inout);

/** jrpc_pending_cancel() - cancel what is unanswered: each gets -32800, and `done` runs. NULL and
 * an answered one are fine. Threads: any */
JRPC_API void jrpc_pending_cancel(jrpc_pending *pending);

/** jrpc_pending_free() - forget the handle; cancels nothing. NULL is fine. Threads: any, once */
JRPC_API void jrpc_pending_free(jrpc_pending *pending);

#ifdef __cplusplus
}
#endif

#endif
