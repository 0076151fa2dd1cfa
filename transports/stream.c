/* SPDX-License-Identifier: MIT */
/*
 * stream.c - unix: and tcp: many peers, each on a socket of its own
 *
 * Peers are duplexes that share the chunk they are read into. Accepting is bounded a turn, so that
 * a crowd at the door does not keep those inside waiting. Without a free descriptor it stops until
 * a peer goes or a time is over: the waiting connections would wake the loop again and again.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "builtin.h"
#include "duplex.h"
#include "stream.h"

enum {
    ACCEPTS_MAX = 64, /* a turn of the loop */
    RETRY_MS = 500,   /* until accepting is tried again */
};

typedef struct stream_listener {
    jrpc_listener *owner;
    uv_loop_t *loop;
    jri_stream_place place;
    int mode;    /* jri_framing_mode */
    char *chunk; /* for reading */
    uv_poll_t poll;
    uv_timer_t retry;
    bool is_open, is_polling; /* accepts peers, or will; at the moment */
    bool is_starving;         /* there was no descriptor for one */
    int n_handles;            /* poll and retry, if they are not closed */
} stream_listener;

typedef struct stream_peer {
    jri_duplex duplex; /* first */
    stream_listener *listener;
} stream_peer;

static void go_on_accepting(stream_listener *listener);

/*
 * Peers
 */

static void peer_closed(jri_duplex *duplex)
{
    stream_listener *listener = ((stream_peer *)duplex)->listener;

    close(duplex->in);
    jri_duplex_fini(duplex);
    go_on_accepting(listener);
    jrpc_transport_closed(duplex, duplex->reason);
}

/* The socket is the peer's, or closed. */
static void open_peer(stream_listener *listener, int fd)
{
    char address[JRI_STREAM_ADDRESS_SIZE], identity[JRI_STREAM_ADDRESS_SIZE];
    void *peer;

    jri_stream_welcome(&listener->place, fd, address, identity);
    const jrpc_peer_info info = {
        .size = sizeof(info),
        .address = address,
        .identity = *identity ? identity : NULL,
        .has_push = true,
    };
    int status = jrpc_transport_opened(listener->owner, &info, &peer);
    if (status) {
        close(fd);
        if (status == -EBUSY)
            jrpc_listener_log(listener->owner, /* peer */ NULL, JRPC_LOG_WARNING,
                              "%s%s%s: peers_max %lld are there, closing", address,
                              *identity ? " " : "", identity,
                              jrpc_listener_limit(listener->owner, "peers_max"));
        else if (status != -ECONNREFUSED) /* that is what the application wanted */
            jrpc_listener_log(listener->owner, /* peer */ NULL, JRPC_LOG_WARNING, "%s: %s, closing",
                              address, uv_strerror(status));
        return;
    }
    ((stream_peer *)peer)->listener = listener;
    const jri_duplex_options options = {
        .owner = listener->owner,
        .loop = listener->loop,
        .in = fd,
        .out = fd,
        .mode = (jri_framing_mode)listener->mode,
        .chunk = listener->chunk,
        .closed = peer_closed,
    };
    status = jri_duplex_start(peer, &options);
    if (!status)
        return;
    jrpc_listener_log(listener->owner, peer, JRPC_LOG_WARNING, "%s, closing", uv_strerror(status));
    close(fd);
    jrpc_transport_closed(peer, status);
}

/*
 * Accepting
 */

static bool is_shortage(int failure)
{
    return failure == EMFILE || failure == ENFILE || failure == ENOBUFS || failure == ENOMEM;
}

static void retried(uv_timer_t *timer)
{
    go_on_accepting(timer->data);
}

static void wait_for_descriptors(stream_listener *listener, int failure)
{
    if (!listener->is_starving)
        jrpc_listener_log(listener->owner, /* peer */ NULL, JRPC_LOG_ERROR,
                          "cannot accept: %s; peers wait until others go", strerror(failure));
    listener->is_starving = true;
    listener->is_polling = false;
    uv_poll_stop(&listener->poll);
    uv_timer_start(&listener->retry, retried, RETRY_MS, /* once */ 0);
}

static void accept_some(uv_poll_t *poll, int status, int events)
{
    stream_listener *listener = poll->data;

    (void)status; /* accepting will tell */
    (void)events;
    for (int i = 0; i < ACCEPTS_MAX && listener->is_polling; i++) {
        int fd = accept4(listener->place.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0) {
            open_peer(listener, fd);
        } else if (is_shortage(errno)) {
            wait_for_descriptors(listener, errno);
        } else if (errno == EAGAIN) {
            listener->is_starving = false; /* nobody waits any more */
            return;
        } /* else that one has gone already */
    }
}

static void go_on_accepting(stream_listener *listener)
{
    if (listener->is_polling || !listener->is_open)
        return;
    listener->is_polling = uv_poll_start(&listener->poll, UV_READABLE, accept_some) == 0;
}

/*
 * The listener
 */

static int open_listener(void *state, const jrpc_url *url, struct uv_loop_s *loop,
                         jrpc_listener *owner, jrpc_problem *problem)
{
    static const char *const unix_known[] = {"framing", "mode", "backlog", NULL};
    static const char *const tcp_known[] = {"framing", "keepalive", "backlog", NULL};
    stream_listener *listener = state;

    listener->owner = owner;
    listener->loop = loop;
    int status = jri_stream_place_read(&listener->place, url, problem);
    if (!status)
        status = jrpc_url_choice(url, "framing", "auto|line|header", &listener->mode, problem);
    if (!status)
        status = jrpc_url_check(url, listener->place.is_unix ? unix_known : tcp_known, problem);
    return status;
}

/* The real one, with the framing if a client has to know it. */
static int set_address(stream_listener *listener, uint16_t port)
{
    static const char *const framings[] = {"", "?framing=line", "?framing=header"};
    const char *host = listener->place.host, *zone = strchr(host, '%');
    int n_host = zone ? (int)(zone - host) : (int)strlen(host);
    bool is_literal = strchr(host, ':');
    char url[512];

    snprintf(url, sizeof(url), "tcp://%s%.*s%s%s%s:%u%s", is_literal ? "[" : "", n_host, host,
             zone ? "%25" : "", zone ? zone + 1 : "", is_literal ? "]" : "", port,
             framings[listener->mode]);
    return jrpc_listener_set_address(listener->owner, url);
}

static int fail(stream_listener *listener, int status, const char *why, jrpc_problem *problem)
{
    const char *url = jrpc_listener_address(listener->owner);

    problem->code = status;
    snprintf(problem->source, sizeof(problem->source), "%.*s", (int)strcspn(url, "?"), url);
    snprintf(problem->text, sizeof(problem->text), "%s%s%s", uv_strerror(status), why ? ": " : "",
             why ? why : "");
    return status;
}

static int start_listener(void *state, jrpc_problem *problem)
{
    stream_listener *listener = state;
    const char *why;
    uint16_t port = 0;

    listener->chunk = malloc(JRI_DUPLEX_CHUNK);
    if (!listener->chunk)
        return fail(listener, -ENOMEM, NULL, problem);
    int status = jri_stream_listen(&listener->place, &port, &why);
    if (!status && !listener->place.is_unix)
        status = set_address(listener, port);
    if (!status)
        status = uv_poll_init(listener->loop, &listener->poll, listener->place.fd);
    if (status) {
        jri_stream_unlisten(&listener->place);
        return fail(listener, status, why, problem);
    }
    uv_timer_init(listener->loop, &listener->retry);
    listener->poll.data = listener->retry.data = listener;
    listener->n_handles = 2;
    listener->is_open = true;
    go_on_accepting(listener);
    return 0;
}

static void release(stream_listener *listener)
{
    free(listener->chunk);
    jrpc_listener_closed(listener->owner, 0);
}

static void handle_closed(uv_handle_t *handle)
{
    stream_listener *listener = handle->data;

    if (--listener->n_handles == 0)
        release(listener);
}

/* The handle goes before its descriptor: libuv would stop whoever has that number by then. */
static void stop_listener(void *state)
{
    stream_listener *listener = state;

    if (!listener->is_open)
        return;
    listener->is_open = listener->is_polling = false;
    uv_timer_stop(&listener->retry);
    uv_close((uv_handle_t *)&listener->poll, handle_closed);
    jri_stream_unlisten(&listener->place);
}

static void close_listener(void *state)
{
    stream_listener *listener = state;

    if (listener->n_handles)
        uv_close((uv_handle_t *)&listener->retry, handle_closed);
    else
        release(listener); /* it never started */
}

static const char *const schemes[] = {"unix", "tcp", NULL};

const jrpc_transport jri_stream_transport = {
    .size = sizeof(jrpc_transport),
    .name = "stream",
    .schemes = schemes,
    .listener_size = sizeof(stream_listener),
    .peer_size = sizeof(stream_peer),
    .open = open_listener,
    .start = start_listener,
    .stop = stop_listener,
    .close = close_listener,
    .answer_begin = jri_duplex_answer_begin,
    .answer_end = jri_duplex_answer_end,
    .flush = jri_duplex_flush,
    .pause = jri_duplex_pause,
    .drop = jri_duplex_drop,
};
