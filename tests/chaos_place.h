/* SPDX-License-Identifier: MIT */
/*
 * chaos_place.h - a server short of memory, and a client that is not
 *
 * The laws: each message is answered once, with what it would have been answered anyway or with an
 * error that says why not, or its client is hung up on; nothing hangs, and the server stops with
 * every handle closed. The test's own thread is spared but where it does the server's work.
 * Include after cmocka.h.
 */
#ifndef TEST_CHAOS_PLACE_H
#define TEST_CHAOS_PLACE_H

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <jrpc/jrpc.h>

#include "ask.h"
#include "chaos.h"
#include "memory_transport.h"
#include "suite_service.h"

enum { CHAOS_PEERS = 2, CHAOS_IDS = 64, CHAOS_URL_SIZE = 128, CHAOS_PATIENCE_MS = 30000 };

typedef struct chaos_client {
    memory_client *memory; /* NULL: the socket */
    int fd;
    char *data; /* received, from the socket */
    size_t len;
    bool is_gone;                    /* the server has hung up */
    unsigned n_due;                  /* messages to be answered */
    const char *expected[CHAOS_IDS]; /* by id */
    bool is_answered[CHAOS_IDS];
    json_int_t codes[CHAOS_IDS];
    unsigned n_pushes;
} chaos_client;

typedef struct chaos_place {
    bool is_memory;
    const char *url; /* NULL: the memory transport or a socket, with clients of this file */
    unsigned n;      /* the allocation that fails */
    jrpc_server *server;
    jrpc_service *service;
    jrpc_listener *listeners[CHAOS_PEERS];
    memory_place *places[CHAOS_PEERS];
    int theirs[CHAOS_PEERS], ours[CHAOS_PEERS];
    chaos_client clients[CHAOS_PEERS];
    jrpc_peer *peers[CHAOS_PEERS]; /* by client; NULL if they were not to be had */
    size_t n_peers;
    suite_desk desk;
    pthread_t answerer;
    bool is_over;
} chaos_place;

#define CHAOS_FAIL(place, ...)                                                                     \
    do {                                                                                           \
        chaos_end();                                                                               \
        print_error("allocation %u, %s: ", (place)->n,                                             \
                    (place)->url         ? (place)->url                                            \
                    : (place)->is_memory ? "memory"                                                \
                                         : "fd");                                                  \
        fail_msg(__VA_ARGS__);                                                                     \
    } while (0)

/*
 * The server's side
 */

static inline int chaos_opened(jrpc_peer *peer, void *user)
{
    chaos_place *place = user;

    if (place->n_peers < CHAOS_PEERS)
        place->peers[place->n_peers++] = jrpc_peer_ref(peer);
    desk_count(&place->desk, &place->desk.n_opened);
    return 0;
}

static inline void chaos_closed(jrpc_peer *peer, int reason, void *user)
{
    chaos_place *place = user;

    (void)peer, (void)reason;
    desk_count(&place->desk, &place->desk.n_closed);
}

/* From here on nobody may touch it. */
static inline void chaos_listener_closed(jrpc_listener *listener, int reason, void *user)
{
    chaos_place *place = user;

    (void)reason;
    for (size_t i = 0; i < CHAOS_PEERS; i++)
        if (place->listeners[i] == listener)
            place->listeners[i] = NULL;
}

/* Answers deferred calls; a thread of the server's side. */
static inline void *chaos_answer(void *user)
{
    chaos_place *place = user;
    suite_desk *desk = &place->desk;

    for (;;) {
        pthread_mutex_lock(&desk->lock);
        while (desk->first == desk->end && !place->is_over)
            desk_wait(desk, "the end");
        jrpc_call *held = desk->first < desk->end ? desk->calls[desk->first++ % DESK_CALLS] : NULL;
        pthread_mutex_unlock(&desk->lock);
        if (!held)
            return NULL;
        jrpc_reply_integer(held, 7);
        jrpc_call_free(held);
    }
}

/* Keeps the call until it is cancelled or times out: nobody answers it. */
static inline void chaos_let_go(jrpc_call *held, void *user)
{
    (void)held;
    desk_count(user, &((suite_desk *)user)->n_told);
}

static inline int run_keep(jrpc_call *call, void *user)
{
    suite_desk *desk = user;
    jrpc_call *held;
    int status = jrpc_call_defer(call, &held);

    if (status)
        return status;
    jrpc_call_on_cancelled(held, chaos_let_go, user);
    pthread_mutex_lock(&desk->lock);
    desk->kept[desk->n_kept++] = held;
    pthread_mutex_unlock(&desk->lock);
    return 0;
}

static inline int run_work(jrpc_call *call, void *user)
{
    (void)user;
    return jrpc_reply_integer(call, 8);
}

static const jrpc_method chaos_methods[] = {
    JRPC_METHOD("echo", run_echo, "value: any", NULL),
    JRPC_METHOD("count", run_count, NULL, NULL),
    JRPC_METHOD("hold", run_hold, NULL, NULL),
    JRPC_METHOD_FLAGS("keep", run_keep, NULL, NULL, 0, 40),
    JRPC_METHOD_FLAGS("keep_shortly", run_keep, NULL, NULL, 0, 2),
    JRPC_METHOD_FLAGS("work", run_work, NULL, NULL, JRPC_BLOCKING, 0),
    JRPC_METHOD("big", run_big, "n: integer", NULL),
    JRPC_METHOD("notify", run_notify, NULL, NULL),
    JRPC_METHOD("close_peer", run_close_peer, NULL, NULL),
    JRPC_METHOD("stop", run_stop, NULL, NULL),
    JRPC_METHOD_END,
};

/* Where a listener of that number is. */
static inline void chaos_url(chaos_place *place, size_t i, char url[CHAOS_URL_SIZE])
{
    if (place->url)
        snprintf(url, CHAOS_URL_SIZE, "%s", place->url);
    else if (place->is_memory)
        snprintf(url, CHAOS_URL_SIZE, "memory:%p", (void *)place->places[i]);
    else
        snprintf(url, CHAOS_URL_SIZE, "fd:%d,%d", place->theirs[i], place->theirs[i]);
}

static inline int chaos_listen(chaos_place *place, size_t i, const jrpc_listen_options *options)
{
    char url[CHAOS_URL_SIZE];

    chaos_url(place, i, url);
    int status =
        jrpc_server_listen(place->server, place->service, url, options, &place->listeners[i]);
    close(place->theirs[i]); /* it has its own now, or hangs up */
    place->theirs[i] = -1;
    return status;
}

static inline int chaos_new_server(chaos_place *place)
{
    static const char *const names[][2] = {
        {"pending_max", "3"}, {"drain_ms", "5"}, {"workers", "1"}, {"call_timeout_ms", "1000"}};
    jrpc_server_hooks hooks = JRPC_SERVER_HOOKS_INIT;
    jrpc_options *options = NULL;

    int status = jrpc_options_new(&options);
    for (size_t i = 0; i < sizeof(names) / sizeof(*names) && !status; i++)
        status = jrpc_options_set(options, names[i][0], names[i][1]);
    if (!status)
        status = jrpc_server_new(options, /* loop */ NULL, &place->server);
    jrpc_options_free(options);
    hooks.peer_opened = chaos_opened;
    hooks.peer_closed = chaos_closed;
    hooks.listener_closed = chaos_listener_closed;
    if (!status)
        status = jrpc_server_set_hooks(place->server, &hooks, place);
    place->desk.server = place->server;
    return status || !place->is_memory
               ? status
               : jrpc_server_add_transport(place->server, &memory_transport);
}

/* Everything that the scenario needs before its server; then the server, which may fail: false. */
static inline bool chaos_open(chaos_place *place, const jrpc_listen_options *options)
{
    desk_init(&place->desk);
    place->service = new_service(NULL, chaos_methods, &place->desk);
    for (size_t i = 0; i < CHAOS_PEERS; i++) {
        int ends[2];
        place->places[i] = memory_place_new();
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
        place->ours[i] = ends[0];
        place->theirs[i] = ends[1];
        place->clients[i].fd = -1;
    }
    chaos_spare(false);
    int status = chaos_new_server(place);
    if (!status)
        status = chaos_listen(place, 0, options);
    chaos_spare(true);
    if (status != 0 && status != -ENOMEM)
        CHAOS_FAIL(place, "opening gave %d", status);
    if (status)
        return false;
    assert_int_equal(pthread_create(&place->answerer, NULL, chaos_answer, place), 0);
    status = jrpc_server_start(place->server);
    if (status)
        CHAOS_FAIL(place, "starting gave %d", status);
    return true;
}

static inline void chaos_end_answerer(chaos_place *place)
{
    pthread_mutex_lock(&place->desk.lock);
    place->is_over = true;
    pthread_cond_broadcast(&place->desk.changed);
    pthread_mutex_unlock(&place->desk.lock);
    pthread_join(place->answerer, NULL);
    for (size_t i = 0; i < place->desk.n_kept; i++)
        jrpc_call_free(place->desk.kept[i]);
}

/* Stops if nobody has, and sees that everything is closed. */
static inline void chaos_close(chaos_place *place, bool was_opened)
{
    suite_desk *desk = &place->desk;

    if (place->server)
        jrpc_server_stop(place->server, stopped, desk);
    jrpc_server_free(place->server);
    if (desk->n_stopped > 1 || (desk->n_stopped && desk->n_handles))
        CHAOS_FAIL(place, "stopped %u times, with %d handles", desk->n_stopped, desk->n_handles);
    if (desk->n_opened != desk->n_closed)
        CHAOS_FAIL(place, "%u peers opened, %u closed", desk->n_opened, desk->n_closed);
    if (was_opened)
        chaos_end_answerer(place);
    for (size_t i = 0; i < CHAOS_PEERS; i++) {
        chaos_client *client = &place->clients[i];
        if (client->memory && !memory_close(client->memory))
            CHAOS_FAIL(place, "an exchange was ended twice");
        free(client->data);
        close(place->ours[i]);
        if (place->theirs[i] >= 0)
            close(place->theirs[i]);
        memory_place_free(place->places[i]);
        jrpc_peer_unref(place->peers[i]);
    }
    jrpc_service_free(place->service);
    desk_fini(desk);
}

/*
 * The client's side
 */

static inline chaos_client *chaos_connect(chaos_place *place, size_t i)
{
    chaos_client *client = &place->clients[i];

    if (place->is_memory)
        client->memory = memory_connect(place->places[i]);
    else
        client->fd = place->ours[i];
    return client;
}

/* n_due: 1 if an answer must come, else 0. */
static inline void chaos_send(chaos_client *client, const char *text, unsigned n_due)
{
    size_t len = strlen(text);

    client->n_due += n_due;
    if (client->is_gone)
        return;
    if (client->memory)
        client->is_gone = !memory_send(client->memory, text, len);
    else
        client->is_gone = send(client->fd, text, len, MSG_NOSIGNAL) != (ssize_t)len ||
                          send(client->fd, "\n", 1, MSG_NOSIGNAL) != 1;
    if (client->is_gone && !client->memory) /* what was answered before can still be read */
        client->is_gone = false;
}

/* The next line, new; NULL: there is none. */
static inline char *chaos_receive_line(chaos_place *place, chaos_client *client)
{
    char *end;

    while (!(end = client->len ? memchr(client->data, '\n', client->len) : NULL)) {
        struct pollfd poll_fd = {.fd = client->fd, .events = POLLIN};
        if (poll(&poll_fd, 1, CHAOS_PATIENCE_MS) <= 0)
            CHAOS_FAIL(place, "the client waits in vain");
        client->data = realloc(client->data, client->len + 65536);
        assert_non_null(client->data);
        ssize_t n = read(client->fd, client->data + client->len, 65536);
        if (n <= 0)
            return NULL;
        client->len += (size_t)n;
    }
    size_t len = (size_t)(end - client->data);
    char *line = strndup(client->data, len);
    assert_non_null(line);
    client->len -= len + 1;
    memmove(client->data, end + 1, client->len);
    return line;
}

static inline bool is_code_allowed(json_int_t code)
{
    return code == JRPC_INTERNAL_ERROR || code == JRPC_SERVER_BUSY || code == JRPC_TIMED_OUT;
}

static inline void chaos_check(chaos_place *place, chaos_client *client, const json_t *answer)
{
    const json_t *id = json_object_get(answer, "id");
    json_int_t code = json_integer_value(json_object_get(json_object_get(answer, "error"), "code"));
    json_int_t i = json_integer_value(id);

    if (json_is_null(id)) {
        if (code != JRPC_INTERNAL_ERROR && code != JRPC_PARSE_ERROR && code != JRPC_INVALID_REQUEST)
            CHAOS_FAIL(place, "error %d without id", (int)code);
        return;
    }
    if (i < 0 || i >= CHAOS_IDS || !client->expected[i])
        CHAOS_FAIL(place, "an answer to %d, which nobody asked", (int)i);
    if (client->is_answered[i])
        CHAOS_FAIL(place, "%d was answered twice", (int)i);
    client->is_answered[i] = true;
    client->codes[i] = code;
    json_t *expected = value_of(client->expected[i]);
    json_int_t status = json_integer_value(json_object_get(answer, "result"));
    bool has_failed = status == -ENOMEM || status == -EILSEQ; /* jansson does not tell them apart */
    if (!json_equal(answer, expected) && !is_code_allowed(code) && !has_failed)
        CHAOS_FAIL(place, "%d was answered with %s", (int)i, json_dumps(answer, 0));
    json_decref(expected);
}

/* Until everything that is due has come, or the server has hung up. */
static inline void chaos_expect_answers(chaos_place *place, chaos_client *client)
{
    while (client->n_due && !client->is_gone) {
        size_t len, i;
        json_t *member;
        char *text = client->memory ? memory_receive(client->memory, &len)
                                    : chaos_receive_line(place, client);
        json_t *value = text ? json_loads(text, 0, NULL) : NULL;

        client->is_gone = !text;
        if (!text && client->memory && !memory_is_hung_up(client->memory))
            CHAOS_FAIL(place, "the client waits in vain");
        if (text && !value)
            CHAOS_FAIL(place, "received %s", text);
        free(text);
        if (json_object_get(value, "method"))
            client->n_pushes++;
        else if (value)
            client->n_due--;
        if (json_is_object(value) && !json_object_get(value, "method"))
            chaos_check(place, client, value);
        json_array_foreach(value, i, member)
            chaos_check(place, client, member);
        json_decref(value);
    }
}

#define CALL(method, params, id)                                                                   \
    "{\"jsonrpc\":\"2.0\",\"method\":\"" method "\",\"params\":" params ",\"id\":" #id "}"
#define NOTIFICATION(method, params)                                                               \
    "{\"jsonrpc\":\"2.0\",\"method\":\"" method "\",\"params\":" params "}"
#define CANCEL(id) NOTIFICATION("$/cancelRequest", "{\"id\":" #id "}")
#define RESULT(result, id) "{\"jsonrpc\":\"2.0\",\"result\":" result ",\"id\":" #id "}"
#define ERROR(code, message, id)                                                                   \
    "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":" #code ",\"message\":\"" message "\"},\"id\":" #id  \
    "}"

/* One call, and what is answered if there is memory. */
#define EXPECT(client, id, answer) ((client)->expected[id] = (answer))
#define SEND(client, id, method, params, answer)                                                   \
    (EXPECT((client), id, answer), chaos_send((client), CALL(method, params, id), 1))

/* In main(), before anything. only: the tests to be run; NULL: all. */
static inline void chaos_prepare(const char *only, void (*tell_hang)(int number))
{
    signal(SIGPIPE, SIG_IGN);
    signal(SIGALRM, tell_hang);
    if (only)
        cmocka_set_test_filter(only);
    chaos_install();
    chaos_spare(true);
}

#endif
