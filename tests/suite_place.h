/* SPDX-License-Identifier: MIT */
/*
 * suite_place.h - a server on a thread of its own, its service, and clients by some transport
 *
 * Include after cmocka.h.
 */
#ifndef TEST_SUITE_PLACE_H
#define TEST_SUITE_PLACE_H

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <uv.h>

#include <jrpc/jrpc.h>

#include "ask.h"
#include "suite_desk.h"
#include "transport_suite.h"

enum { MIB = 1024 * 1024 };

/*
 * The service
 */

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

static const jrpc_method suite_methods[] = {
    JRPC_METHOD("echo", run_echo, "value: any", NULL),
    JRPC_METHOD("count", run_count, NULL, NULL),
    JRPC_METHOD("hold", run_hold, NULL, NULL),
    JRPC_METHOD_FLAGS("hold_shortly", run_hold, NULL, NULL, 0, 3),
    JRPC_METHOD_FLAGS("block", run_block, "n: integer", NULL, JRPC_BLOCKING, 0),
    JRPC_METHOD_FLAGS("block_shortly", run_block, "n: integer", NULL, JRPC_BLOCKING, 3),
    JRPC_METHOD("big", run_big, "n: integer", NULL),
    JRPC_METHOD("notify", run_notify, NULL, NULL),
    JRPC_METHOD_END,
};

/*
 * A server, its site, and clients
 */

typedef struct suite_place {
    const suite_link *link;
    suite_site at;
    suite_desk desk;
    void *clients[SUITE_PEERS];
    jrpc_peer *peers[SUITE_PEERS]; /* in the order they were opened, referenced */
    size_t n_peers;
} suite_place;

static inline int peer_opened(jrpc_peer *peer, void *user)
{
    suite_place *site = user;

    if (site->n_peers < SUITE_PEERS)
        site->peers[site->n_peers++] = jrpc_peer_ref(peer);
    desk_count(&site->desk, &site->desk.n_opened);
    return 0;
}

static inline void peer_closed(jrpc_peer *peer, int reason, void *user)
{
    suite_place *site = user;

    (void)peer;
    site->desk.closed_reason = reason;
    desk_count(&site->desk, &site->desk.n_closed);
}

static inline void listener_closed(jrpc_listener *listener, int reason, void *user)
{
    suite_place *site = user;

    (void)listener, (void)reason;
    desk_count(&site->desk, &site->desk.n_listeners_closed);
}

static inline void count_handle(uv_handle_t *handle, void *user)
{
    (void)handle;
    ++*(int *)user;
}

/* No handle is left on the loop: uv_loop_close() would give 0. */
static inline void stopped(jrpc_server *server, void *user)
{
    suite_place *site = user;
    int n_handles = 0;

    uv_walk(jrpc_server_loop(server), count_handle, &n_handles);
    site->desk.n_handles = n_handles;
    desk_count(&site->desk, &site->desk.n_stopped);
}

static inline void set_options(jrpc_options *options, const char *const pairs[])
{
    for (size_t i = 0; pairs && pairs[i]; i += 2)
        if (jrpc_options_set(options, pairs[i], pairs[i + 1]))
            fail_msg("%s", jrpc_options_problem(options)->text);
}

/* options: name, value, ..., NULL; NULL: none. The server runs on a thread of its own. */
static inline suite_place *open_site(void **state, const char *const options[])
{
    jrpc_server_hooks hooks = JRPC_SERVER_HOOKS_INIT;
    jrpc_options *set = NULL;
    suite_place *site = calloc(1, sizeof(*site));

    assert_non_null(site);
    site->link = *state;
    desk_init(&site->desk);
    site->at.service = new_service(options, suite_methods, &site->desk);
    assert_int_equal(jrpc_options_new(&set), 0);
    set_options(set, options);
    assert_int_equal(jrpc_server_new(set, /* loop */ NULL, &site->at.server), 0);
    jrpc_options_free(set);
    hooks.peer_opened = peer_opened;
    hooks.peer_closed = peer_closed;
    hooks.listener_closed = listener_closed;
    assert_int_equal(jrpc_server_set_hooks(site->at.server, &hooks, site), 0);
    site->link->open(site->link, &site->at);
    assert_int_equal(jrpc_server_start(site->at.server), 0);
    return site;
}

static inline void *connect_client(suite_place *site, size_t index)
{
    void *client = site->link->connect(site->link, &site->at, index);

    assert_non_null(client);
    site->clients[index] = client;
    return client;
}

static inline void close_client(suite_place *site, size_t index)
{
    site->link->close(site->clients[index]);
    site->clients[index] = NULL;
}

static inline void stop_site(suite_place *site)
{
    int status = jrpc_server_stop(site->at.server, stopped, site);

    assert_int_equal(status, 0);
}

/* After stop_site(), or alone. Everything that was opened has been closed once. */
static inline void close_site(suite_place *site)
{
    suite_desk *desk = &site->desk;
    int status = jrpc_server_stop(site->at.server, stopped, site);

    assert_true(status == 0 || status == -EALREADY);
    jrpc_server_free(site->at.server);
    if (desk->n_stopped) /* else it had ended by itself */
        assert_int_equal(desk->n_handles, 0);
    assert_int_equal(desk->n_opened, desk->n_closed);
    for (size_t i = 0; i < SUITE_PEERS; i++)
        if (site->clients[i])
            close_client(site, i);
    for (size_t i = 0; i < site->n_peers; i++) {
        assert_false(jrpc_peer_is_open(site->peers[i]));
        jrpc_peer_unref(site->peers[i]);
    }
    site->link->close_site(site->link, &site->at);
    jrpc_service_free(site->at.service);
    assert_int_equal(desk->first, desk->end);
    desk_fini(desk);
    free(site);
}

/* For cases that not every transport can show. */
static inline void skip_unless(suite_place *site, bool has_it)
{
    if (has_it)
        return;
    close_site(site);
    skip();
}

static inline void send_text(suite_place *site, size_t index, const char *text)
{
    assert_true(site->link->send(site->clients[index], text, strlen(text)));
}

static inline json_t *receive(suite_place *site, size_t index)
{
    size_t len;
    json_error_t error;
    char *text = site->link->receive(site->clients[index], &len);
    if (!text)
        return NULL;

    json_t *value = json_loadb(text, len, 0, &error);
    if (!value)
        fail_msg("received %zu bytes that are no JSON: %.200s: %s", len, text, error.text);
    free(text);
    return value;
}

static inline void expect_at(suite_place *site, size_t index, const char *expected,
                             const char *file, int line)
{
    json_t *value = receive(site, index);

    check_json(value, expected, file, line);
    json_decref(value);
}

/* The next message is this; NULL: the server hangs up. */
#define expect(site, index, expected) expect_at((site), (index), (expected), __FILE__, __LINE__)

/* A round trip: whatever was sent before has been read. */
static inline void expect_echo(suite_place *site, size_t index, int n)
{
    char sent[128], expected[128];

    snprintf(sent, sizeof(sent),
             "{\"jsonrpc\":\"2.0\",\"method\":\"echo\",\"params\":[%d],\"id\":%d}", n, n);
    snprintf(expected, sizeof(expected), "{\"jsonrpc\":\"2.0\",\"result\":%d,\"id\":%d}", n, n);
    send_text(site, index, sent);
    expect(site, index, expected);
}

/* The server hangs up, where that can be heard. */
#define expect_hang_up(site, index)                                                                \
    ((site)->link->hears_hang_up ? expect((site), (index), NULL) : (void)0)

static inline void answer(suite_desk *desk, int64_t result, int expected)
{
    jrpc_call *held = desk_take(desk);

    assert_int_equal(jrpc_reply_integer(held, result), expected);
    jrpc_call_free(held);
}

#define CALL(method, params, id)                                                                   \
    "{\"jsonrpc\":\"2.0\",\"method\":\"" method "\",\"params\":" params ",\"id\":" id "}"
#define NOTIFICATION(method, params)                                                               \
    "{\"jsonrpc\":\"2.0\",\"method\":\"" method "\",\"params\":" params "}"
#define CANCEL(id) NOTIFICATION("$/cancelRequest", "{\"id\":" id "}")
#define RESULT(result, id) "{\"jsonrpc\":\"2.0\",\"result\":" result ",\"id\":" id "}"
#define ERROR(code, message, id)                                                                   \
    "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":" #code ",\"message\":\"" message "\"},\"id\":" id "}"
#define BUSY(id) ERROR(-32000, "Server busy", id)
#define TIMED_OUT(id) ERROR(-32001, "Timed out", id)
#define TOO_LARGE(id) ERROR(-32002, "Request too large", id)
#define CANCELLED(id) ERROR(-32800, "Request cancelled", id)

/*
 * On the loop, from the test's thread
 */

typedef struct errand {
    suite_desk desk;
    void (*fn)(suite_place *site, void *user);
    suite_place *site;
    void *user;
} errand;

static inline void run_errand(jrpc_server *server, void *user)
{
    errand *job = user;

    (void)server;
    job->fn(job->site, job->user);
    desk_count(&job->desk, &job->desk.n_counted);
}

/* Runs it on the loop and waits. */
static inline void on_loop(suite_place *site, void (*fn)(suite_place *site, void *user), void *user)
{
    errand job = {.fn = fn, .site = site, .user = user};

    desk_init(&job.desk);
    assert_int_equal(jrpc_server_post(site->at.server, run_errand, &job), 0);
    desk_wait_for(&job.desk, &job.desk.n_counted, 1, "the loop");
    desk_fini(&job.desk);
}

static inline void do_nothing(suite_place *site, void *user)
{
    (void)site, (void)user;
}

/* Stops, and waits until stopping has begun. */
static inline void begin_stop(suite_place *site)
{
    stop_site(site);
    on_loop(site, do_nothing, /* user */ NULL);
}

#endif
