/* SPDX-License-Identifier: MIT */
/*
 * zmq_place.h - a server on a ZeroMQ endpoint, and sockets that talk to it frame by frame
 *
 * Messages are written as text, frames separated by "|", of which JSON here has none: "|x" is the
 * delimiter and a payload. Include after cmocka.h.
 */
#ifndef TEST_ZMQ_PLACE_H
#define TEST_ZMQ_PLACE_H

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zmq.h>

#include <jrpc/jrpc.h>
#include <jrpc/zmq.h>

#include "ask.h"
#include "suite_desk.h"

enum { PATIENCE_MS = 30000, TEXT_SIZE = 1024 };

#define CALL(method, params, id)                                                                   \
    "{\"jsonrpc\":\"2.0\",\"method\":\"" method "\",\"params\":" params ",\"id\":" id "}"
#define RESULT(result, id) "{\"jsonrpc\":\"2.0\",\"result\":" result ",\"id\":" id "}"
#define ERROR(code, message, id)                                                                   \
    "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":" #code ",\"message\":\"" message "\"},\"id\":" id "}"
#define PING CALL("ping", "[]", "1")
#define PONG RESULT("\"pong\"", "1")
#define NOTE "{\"jsonrpc\":\"2.0\",\"method\":\"ping\"}"
#define INVALID ERROR(-32600, "Invalid Request", "null")
#define UNREADABLE ERROR(-32700, "Parse error", "null")

typedef struct zmq_place {
    jrpc_service *service;
    jrpc_server *server;
    jrpc_listener *listener;
    suite_desk desk;
    bool keeps_peers; /* the last one that was opened is held */
    jrpc_peer *peer;  /* that one; NULL: none yet */
    void *context;    /* of sockets here */
    char endpoint[256];
} zmq_place;

static inline int run_ping(jrpc_call *call, void *user)
{
    (void)user;
    return jrpc_reply_string(call, "pong");
}

/* That many letters, of which no two neighbours are the same. */
static inline int run_big(jrpc_call *call, void *user)
{
    size_t len = (size_t)jrpc_arg_integer(call, 0);
    char *text = jrpc_call_alloc(call, len + 1);

    (void)user;
    if (!text)
        return -ENOMEM;
    for (size_t i = 0; i < len; i++)
        text[i] = (char)('a' + i % 26);
    return jrpc_reply_stringn(call, text, len);
}

static inline int run_hold(jrpc_call *call, void *user)
{
    jrpc_call *held;
    int status = jrpc_call_defer(call, &held);

    if (!status)
        desk_put(user, held);
    return status;
}

/* The loop does nothing else until it is let go. */
static inline int run_block(jrpc_call *call, void *user)
{
    desk_block(user);
    return jrpc_reply_null(call);
}

static inline int peer_opened(jrpc_peer *peer, void *user)
{
    zmq_place *place = user;

    if (place->desk.refusal)
        return place->desk.refusal;
    if (place->keeps_peers) {
        jrpc_peer_unref(place->peer);
        place->peer = jrpc_peer_ref(peer);
    }
    desk_count(&place->desk, &place->desk.n_opened);
    return 0;
}

static inline void peer_closed(jrpc_peer *peer, int reason, void *user)
{
    zmq_place *place = user;

    (void)peer;
    place->desk.closed_reason = reason;
    desk_count(&place->desk, &place->desk.n_closed);
}

/* options: name, value, ..., NULL; NULL: none. */
static inline zmq_place *new_place(const char *const options[])
{
    static const jrpc_method rows[] = {
        JRPC_METHOD("ping", run_ping, NULL, NULL),
        JRPC_METHOD("big", run_big, "n: integer", NULL),
        JRPC_METHOD("hold", run_hold, NULL, NULL),
        JRPC_METHOD("block", run_block, NULL, NULL),
        JRPC_METHOD_END,
    };
    jrpc_server_hooks hooks = JRPC_SERVER_HOOKS_INIT;
    zmq_place *place = calloc(1, sizeof(*place));
    jrpc_options *set = NULL;

    assert_non_null(place);
    desk_init(&place->desk);
    place->service = new_service(options, rows, &place->desk);
    assert_int_equal(jrpc_options_new(&set), 0);
    for (size_t i = 0; options && options[i]; i += 2)
        assert_int_equal(jrpc_options_set(set, options[i], options[i + 1]), 0);
    assert_int_equal(jrpc_server_new(set, /* loop */ NULL, &place->server), 0);
    jrpc_options_free(set);
    hooks.peer_opened = peer_opened;
    hooks.peer_closed = peer_closed;
    assert_int_equal(jrpc_server_set_hooks(place->server, &hooks, place), 0);
    place->context = jrpc_zmq_context(); /* the one that reaches everywhere */
    return place;
}

/* Listens and runs. */
static inline zmq_place *open_place(const char *url, const char *const options[])
{
    zmq_place *place = new_place(options);

    if (jrpc_server_listen(place->server, place->service, url, NULL, &place->listener))
        fail_msg("%s: %s", url, jrpc_server_problem(place->server)->text);
    snprintf(place->endpoint, sizeof(place->endpoint), "%s",
             jrpc_listener_address(place->listener) + strlen("zmq+"));
    assert_int_equal(jrpc_server_start(place->server), 0);
    return place;
}

static inline void close_place(zmq_place *place)
{
    jrpc_server_free(place->server);
    assert_int_equal(place->desk.n_opened, place->desk.n_closed);
    jrpc_peer_unref(place->peer);
    jrpc_service_free(place->service);
    desk_fini(&place->desk);
    free(place);
}

/*
 * Sockets
 */

static inline void set_socket(void *socket, int option, int value)
{
    assert_int_equal(zmq_setsockopt(socket, option, &value, sizeof(value)), 0);
}

static inline void *new_socket(zmq_place *place, int type)
{
    void *socket = zmq_socket(place->context, type);

    assert_non_null(socket);
    set_socket(socket, ZMQ_LINGER, 0);
    set_socket(socket, ZMQ_SNDTIMEO, PATIENCE_MS);
    set_socket(socket, ZMQ_RCVTIMEO, PATIENCE_MS);
    return socket;
}

static inline void *connect_socket(zmq_place *place, int type)
{
    void *socket = new_socket(place, type);

    assert_int_equal(zmq_connect(socket, place->endpoint), 0);
    return socket;
}

static inline void send_message(void *socket, const char *frames)
{
    for (const char *bar; (bar = strchr(frames, '|')); frames = bar + 1)
        assert_int_equal(zmq_send(socket, frames, (size_t)(bar - frames), ZMQ_SNDMORE),
                         bar - frames);
    assert_int_equal(zmq_send(socket, frames, strlen(frames), 0), strlen(frames));
}

/* A message of less than TEXT_SIZE bytes. */
static inline void receive_message(void *socket, char frames[TEXT_SIZE])
{
    size_t len = 0;
    int more = 1;

    while (more) {
        size_t size = sizeof(more);
        int n = zmq_recv(socket, frames + len, TEXT_SIZE - len, 0);
        if (n < 0)
            fail_msg("waited in vain for a message: %s", zmq_strerror(errno));
        len += (size_t)n;
        assert_true(len < TEXT_SIZE - 1);
        assert_int_equal(zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &size), 0);
        if (more)
            frames[len++] = '|';
    }
    frames[len] = '\0';
}

#define expect_message(socket, expected)                                                           \
    check_message((socket), (expected), /* what was sent */ "", __LINE__)

static inline void check_message(void *socket, const char *expected, const char *sent, int line)
{
    char frames[TEXT_SIZE];

    receive_message(socket, frames);
    if (strcmp(frames, expected) != 0)
        fail_msg("line %d: %s\nexpected %s\nbut got  %s", line, sent, expected, frames);
}

/* Whatever was sent before has been read. */
static inline void expect_pong(void *socket)
{
    send_message(socket, "|" PING);
    expect_message(socket, "|" PONG);
}

/*
 * Statistics
 */

typedef struct stat_errand {
    suite_desk desk;
    const char *name;
    json_int_t value;
} stat_errand;

static inline void read_stat(jrpc_server *server, void *user)
{
    stat_errand *errand = user;
    json_t *stats;

    if (jrpc_server_stats(server, &stats))
        abort();
    errand->value = json_integer_value(json_object_get(stats, errand->name));
    json_decref(stats);
    desk_count(&errand->desk, &errand->desk.n_counted);
}

static inline json_int_t stat_of(zmq_place *place, const char *name)
{
    stat_errand errand = {.name = name};

    desk_init(&errand.desk);
    assert_int_equal(jrpc_server_post(place->server, read_stat, &errand), 0);
    desk_wait_for(&errand.desk, &errand.desk.n_counted, 1, "the loop");
    desk_fini(&errand.desk);
    return errand.value;
}

#endif
