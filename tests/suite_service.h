/* SPDX-License-Identifier: MIT */
/*
 * suite_service.h - the methods that the transport suite calls
 *
 * Include after cmocka.h.
 */
#ifndef TEST_SUITE_SERVICE_H
#define TEST_SUITE_SERVICE_H

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include <uv.h>

#include <jrpc/jrpc.h>

#include "suite_desk.h"

static inline int run_echo(jrpc_call *call, void *user)
{
    size_t len;
    const char *text = jrpc_arg_raw(call, 0, &len);

    (void)user;
    return jrpc_reply_raw(call, text, len);
}

static inline int run_count(jrpc_call *call, void *user)
{
    suite_desk *desk = user;

    desk_count(desk, &desk->n_counted);
    return jrpc_reply_null(call);
}

static inline int run_hold(jrpc_call *call, void *user)
{
    jrpc_call *held;
    int status = jrpc_call_defer(call, &held);

    if (!status)
        desk_put(user, held);
    return status;
}

static inline int run_block(jrpc_call *call, void *user)
{
    desk_block(user);
    return jrpc_reply_integer(call, jrpc_arg_integer(call, 0));
}

static inline int run_big(jrpc_call *call, void *user)
{
    size_t len = (size_t)jrpc_arg_integer(call, 0);
    char *text = jrpc_call_alloc(call, len + 1);

    (void)user;
    if (!text)
        return -ENOMEM;
    memset(text, 'x', len);
    return jrpc_reply_stringn(call, text, len);
}

/* A notification from within the call goes out before or behind its answer, never inside. */
static inline int run_notify(jrpc_call *call, void *user)
{
    (void)user;
    return jrpc_reply_integer(call,
                              jrpc_peer_notify(jrpc_call_peer(call), "hello", /* params */ NULL));
}

/* The listener's context, a text. */
static inline int run_context(jrpc_call *call, void *user)
{
    const char *text = jrpc_call_context(call);

    (void)user;
    if (!jrpc_call_has_context(call))
        return jrpc_reply_boolean(call, false);
    return text ? jrpc_reply_string(call, text) : jrpc_reply_null(call);
}

static inline int run_close_peer(jrpc_call *call, void *user)
{
    (void)user;
    jrpc_peer_close(jrpc_call_peer(call));
    return jrpc_reply_null(call);
}

static inline int run_close_listener(jrpc_call *call, void *user)
{
    (void)user;
    return jrpc_reply_integer(call, jrpc_listener_close(jrpc_peer_listener(jrpc_call_peer(call))));
}

/* For jrpc_call_on_cancelled(). */
static inline void count_told(jrpc_call *held, void *user)
{
    suite_desk *desk = user;

    (void)held;
    desk_count(desk, &desk->n_told);
}

static inline void count_handle(uv_handle_t *handle, void *user)
{
    (void)handle;
    ++*(int *)user;
}

/* No handle is left on the loop: uv_loop_close() would give 0. */
static inline void stopped(jrpc_server *server, void *user)
{
    suite_desk *desk = user;
    int n_handles = 0;

    uv_walk(jrpc_server_loop(server), count_handle, &n_handles);
    desk->n_handles = n_handles;
    desk_count(desk, &desk->n_stopped);
}

static inline int run_stop(jrpc_call *call, void *user)
{
    suite_desk *desk = user;

    return jrpc_reply_integer(call, jrpc_server_stop(desk->server, stopped, desk));
}

static const jrpc_method suite_methods[] = {
    JRPC_METHOD("echo", run_echo, "value: any", NULL),
    JRPC_METHOD("count", run_count, NULL, NULL),
    JRPC_METHOD("hold", run_hold, NULL, NULL),
    JRPC_METHOD_FLAGS("hold_shortly", run_hold, NULL, NULL, 0, 3),
    JRPC_METHOD_FLAGS("block", run_block, "n: integer", NULL, JRPC_BLOCKING, 0),
    JRPC_METHOD_FLAGS("block_shortly", run_block, "n: integer", NULL, JRPC_BLOCKING, 3),
    JRPC_METHOD("big", run_big, "n: integer", NULL),
    JRPC_METHOD("notify", run_notify, NULL, NULL),
    JRPC_METHOD("context", run_context, NULL, NULL),
    JRPC_METHOD_FLAGS("context_blocking", run_context, NULL, NULL, JRPC_BLOCKING, 0),
    JRPC_METHOD("close_peer", run_close_peer, NULL, NULL),
    JRPC_METHOD("close_listener", run_close_listener, NULL, NULL),
    JRPC_METHOD("stop", run_stop, NULL, NULL),
    JRPC_METHOD_FLAGS("stop_blocking", run_stop, NULL, NULL, JRPC_BLOCKING, 0),
    JRPC_METHOD_END,
};

#endif
