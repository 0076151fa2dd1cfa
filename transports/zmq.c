/* SPDX-License-Identifier: MIT */
/*
 * zmq.c - zmq+tcp:, zmq+ipc:, zmq+inproc: and zmq+ws:, listeners on ZeroMQ sockets
 *
 * Stopping leaves the address bound, for libzmq would hang up everybody who came by it and throw
 * away what is unsent: the server takes no new peers then. Closing gives the last answers, which
 * are in libzmq's hands, what is left of drain_ms to go out, and is over when the address is free.
 */
#include <stdio.h>
#include <string.h>

#include <jrpc/service.h>
#include <jrpc/zmq.h>

#include "builtin.h"
#include "zmq_listener.h"

enum {
    ENDPOINT_SIZE = 512,
    SPARE_MS = 5000,   /* for libzmq's thread, when everything is over that can be waited for */
    LINGER_MS = 10000, /* without an end to draining */
    GRACE_MS = 200,    /* for answers that were given in the last moment */
};

static int open_listener(void *state, const jrpc_url *url, struct uv_loop_s *loop,
                         jrpc_listener *owner, jrpc_problem *problem)
{
    jri_zmq_listener *listener = state;

    *listener = (jri_zmq_listener){.owner = owner, .loop = loop};
    int status = jri_zmq_options_read(url, &listener->options, problem);
    if (status)
        jri_zmq_options_free(&listener->options);
    return status;
}

/*
 * The beginning
 */

static void readable(uv_poll_t *poll, int status, int events)
{
    jri_zmq_listener *listener = poll->data;

    (void)status, (void)events;
    if (!uv_is_active((uv_handle_t *)&listener->idle)) /* else its turn has been already */
        jri_zmq_drain(listener);
}

static void monitor_readable(uv_poll_t *poll, int status, int events)
{
    (void)status, (void)events;
    jri_zmq_monitor_read(poll->data);
}

/* What failing calls leave is cleared away in close_listener(). */
static int start_handles(jri_zmq_listener *listener)
{
    uv_poll_t *poll = &listener->poll, *monitor_poll = &listener->monitor_poll;
    int status = uv_poll_init(listener->loop, poll, jri_zmq_socket_ask(&listener->socket, ZMQ_FD));
    if (status)
        return status;
    poll->data = listener;
    listener->n_handles = 1;
    status = uv_poll_init(listener->loop, monitor_poll, listener->monitor_fd);
    if (status)
        return status;
    monitor_poll->data = listener;
    uv_idle_init(listener->loop, &listener->idle);
    uv_timer_init(listener->loop, &listener->retry);
    uv_timer_init(listener->loop, &listener->watch.timer);
    listener->idle.data = listener->retry.data = listener->watch.timer.data = listener;
    listener->n_handles = JRI_ZMQ_HANDLES;
    uv_poll_start(poll, UV_READABLE, readable);
    uv_poll_start(monitor_poll, UV_READABLE, monitor_readable);
    jri_zmq_look(listener); /* what came before is not told any more */
    return 0;
}

static int tell_address(jri_zmq_listener *listener)
{
    char url[ENDPOINT_SIZE] = "zmq+";
    size_t len = strlen(url);
    int status = jri_zmq_socket_endpoint(&listener->socket, url + len, sizeof(url) - len);

    return status ? status : jrpc_listener_set_address(listener->owner, url);
}

static int start_socket(jri_zmq_listener *listener, jrpc_problem *problem)
{
    jri_zmq_options *options = &listener->options;
    jri_zmq_socket *socket = &listener->socket;
    int status = jri_zmq_socket_open(options->is_rep ? ZMQ_REP : ZMQ_ROUTER, socket);

    if (!status)
        status = jri_zmq_socket_set(socket, options, listener->owner);
    if (!status)
        status = jri_zmq_curve_apply(options->curve, jrpc_zmq_context(), socket->socket, problem);
    if (!status)
        status = jri_zmq_monitor_start(listener);
    if (!status)
        status = jri_zmq_socket_begin(socket, options, problem);
    if (!status)
        status = tell_address(listener);
    return status;
}

/* What whoever runs it has to know. */
static void warn(jri_zmq_listener *listener)
{
    jri_zmq_monitor_report(listener);
    if (listener->options.is_ws && !listener->options.curve)
        jrpc_listener_log(listener->owner, /* peer */ NULL, JRPC_LOG_WARNING,
                          "any web page that its users open can connect, for ZeroMQ looks at no "
                          "Origin, listening");
}

static int start_listener(void *state, jrpc_problem *problem)
{
    jri_zmq_listener *listener = state;

    zmq_msg_init(&listener->frame);
    listener->reader.n_route_max = listener->options.is_rep          ? 0
                                   : listener->options.is_connecting ? 2
                                                                     : 1;
    listener->blocked_last = &listener->blocked;
    int status = jri_zmq_peers_init(&listener->peers);
    if (!status)
        status = jrpc_buf_new(SIZE_MAX, &listener->answer);
    if (!status)
        status = start_socket(listener, problem);
    if (!status)
        status = start_handles(listener);
    if (!status) {
        warn(listener);
        return 0;
    }
    problem->code = status;
    snprintf(problem->source, sizeof(problem->source), "%s", listener->options.shown);
    if (!*problem->text)
        snprintf(problem->text, sizeof(problem->text), "%s", zmq_strerror(-status));
    return status;
}

/*
 * The end
 */

static void stop_listener(void *state)
{
    jri_zmq_listener *listener = state;

    if (!listener->stopped_ms)
        listener->stopped_ms = uv_now(listener->loop) + 1;
}

static void release(jri_zmq_listener *listener)
{
    zmq_msg_close(&listener->frame);
    jrpc_buf_free(listener->answer);
    jri_zmq_peers_fini(&listener->peers);
    jri_zmq_watch_fini(&listener->watch);
    jri_zmq_options_free(&listener->options);
    jrpc_listener_closed(listener->owner, 0);
}

static void handle_closed(uv_handle_t *handle)
{
    jri_zmq_listener *listener = handle->data;

    if (--listener->n_handles == 0)
        release(listener);
}

static void close_handles(jri_zmq_listener *listener)
{
    uv_handle_t *handles[JRI_ZMQ_HANDLES] = {
        (uv_handle_t *)&listener->poll, (uv_handle_t *)&listener->monitor_poll,
        (uv_handle_t *)&listener->idle, (uv_handle_t *)&listener->retry,
        (uv_handle_t *)&listener->watch.timer};

    if (listener->is_ended)
        return;
    listener->is_ended = true;
    for (int i = 0; i < listener->n_handles; i++)
        uv_close(handles[i], handle_closed);
}

void jri_zmq_ended(jri_zmq_listener *listener)
{
    if (!listener->is_closing || listener->is_ended)
        return;
    close_handles(listener);
    jri_zmq_monitor_stop(listener);
}

/* The monitor is left to libzmq: its thread would wait for a reader, with all connections. */
static void waited(uv_timer_t *timer)
{
    jri_zmq_listener *listener = timer->data;

    jrpc_listener_log(listener->owner, /* peer */ NULL, JRPC_LOG_ERROR,
                      "libzmq does not end its socket, given up");
    close_handles(listener);
}

/* How long what is in libzmq's hands may take. */
static int linger_ms(const jri_zmq_listener *listener)
{
    long long drain_ms = jrpc_listener_limit(listener->owner, "drain_ms");
    uint64_t spent_ms = uv_now(listener->loop) + 1 - listener->stopped_ms;

    if (drain_ms < 0)
        return LINGER_MS;
    return spent_ms + GRACE_MS < (uint64_t)drain_ms ? (int)((uint64_t)drain_ms - spent_ms)
                                                    : GRACE_MS;
}

/* Everything at once: nothing is under way, or it cannot be waited for. An inproc socket ends when
 * its peers' threads next look after theirs; but what was sent is with them. */
static void close_now(jri_zmq_listener *listener)
{
    char endpoint[ENDPOINT_SIZE];

    if (listener->options.is_inproc &&
        !jri_zmq_socket_endpoint(&listener->socket, endpoint, sizeof(endpoint)))
        zmq_unbind(listener->socket.socket, endpoint); /* so that the name is free */
    close_handles(listener);
    jri_zmq_monitor_stop(listener);
    jri_zmq_socket_close(&listener->socket);
    if (!listener->n_handles) /* it never came to them */
        release(listener);
}

static void close_listener(void *state)
{
    jri_zmq_listener *listener = state;
    int linger = linger_ms(listener);

    listener->is_closing = true;
    jri_zmq_socket_remove(&listener->options);
    if (listener->n_handles < JRI_ZMQ_HANDLES || listener->options.is_inproc || listener->is_lost) {
        close_now(listener);
        return;
    }
    uv_poll_stop(&listener->poll);
    uv_idle_stop(&listener->idle);
    uv_timer_stop(&listener->watch.timer);
    uv_timer_start(&listener->retry, waited, (uint64_t)linger + SPARE_MS, /* once */ 0);
    jri_zmq_socket_set_int(&listener->socket, ZMQ_LINGER, linger);
    jri_zmq_socket_close(&listener->socket); /* the monitor tells when it is over */
}

static const char *const schemes[] = {"zmq+tcp", "zmq+ipc", "zmq+inproc",
                                      "zmq+ws",  "zmq+wss", NULL};

const jrpc_transport jri_zmq_transport = {
    .size = sizeof(jrpc_transport),
    .name = "zmq",
    .schemes = schemes,
    .flags = JRPC_TRANSPORT_SHARED,
    .listener_size = sizeof(jri_zmq_listener),
    .peer_size = sizeof(jri_zmq_peer),
    .exchange_size = sizeof(jri_zmq_envelope),
    .open = open_listener,
    .start = start_listener,
    .stop = stop_listener,
    .close = close_listener,
    .answer_begin = jri_zmq_answer_begin,
    .answer_end = jri_zmq_answer_end,
    .flush = jri_zmq_flush,
    .drop = jri_zmq_drop,
};
