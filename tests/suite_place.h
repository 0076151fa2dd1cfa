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
#include "suite_service.h"
#include "transport_suite.h"

enum { MIB = 1024 * 1024 };

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
    bool closes_in_hook;
    jrpc_listener *closes_next; /* when another, or a peer, has closed */
} suite_place;

/* What a case wants of a server; what is NULL it does not care about. */
typedef struct suite_setup {
    const char *const *options; /* of server and service: name, value, ..., NULL */
    const jrpc_codec *codec;    /* of the service */
    const jrpc_listen_options *listen[SUITE_PEERS];
    jrpc_service *others[SUITE_PEERS]; /* served instead, by listener; stolen */
    bool closes_in_hook;               /* a new peer's listener */
} suite_setup;

static inline int peer_opened(jrpc_peer *peer, void *user)
{
    suite_place *site = user;

    if (site->n_peers < SUITE_PEERS)
        site->peers[site->n_peers++] = jrpc_peer_ref(peer);
    if (site->closes_in_hook)
        jrpc_listener_close(jrpc_peer_listener(peer));
    int refusal = desk_refusal(&site->desk);
    if (refusal) {
        desk_count(&site->desk, &site->desk.n_refused);
        return refusal;
    }
    desk_count(&site->desk, &site->desk.n_opened);
    return 0;
}

static inline void close_next(suite_place *site)
{
    jrpc_listener *next = site->closes_next;

    site->closes_next = NULL;
    if (next)
        jrpc_listener_close(next);
}

static inline void peer_closed(jrpc_peer *peer, int reason, void *user)
{
    suite_place *site = user;

    (void)peer;
    site->desk.closed_reason = reason;
    close_next(site);
    desk_count(&site->desk, &site->desk.n_closed);
}

static inline void listener_closed(jrpc_listener *listener, int reason, void *user)
{
    suite_place *site = user;

    (void)listener, (void)reason;
    close_next(site);
    desk_count(&site->desk, &site->desk.n_listeners_closed);
}

static inline void set_options(jrpc_options *options, const char *const pairs[])
{
    for (size_t i = 0; pairs && pairs[i]; i += 2)
        if (jrpc_options_set(options, pairs[i], pairs[i + 1]))
            fail_msg("%s", jrpc_options_problem(options)->text);
}

/* The server runs on a thread of its own. */
static inline suite_place *open_site_with(void **state, const suite_setup *setup)
{
    jrpc_server_hooks hooks = JRPC_SERVER_HOOKS_INIT;
    jrpc_options *set = NULL;
    suite_place *site = calloc(1, sizeof(*site));

    assert_non_null(site);
    site->link = *state;
    site->closes_in_hook = setup->closes_in_hook;
    desk_init(&site->desk);
    site->at.service = new_service(setup->options, suite_methods, &site->desk);
    assert_int_equal(jrpc_service_set_codec(site->at.service, setup->codec), 0);
    for (size_t i = 0; i < SUITE_PEERS; i++) {
        site->at.others[i] = setup->others[i];
        site->at.options[i] = setup->listen[i];
    }
    assert_int_equal(jrpc_options_new(&set), 0);
    set_options(set, setup->options);
    assert_int_equal(jrpc_server_new(set, /* loop */ NULL, &site->at.server), 0);
    jrpc_options_free(set);
    site->desk.server = site->at.server;
    hooks.peer_opened = peer_opened;
    hooks.peer_closed = peer_closed;
    hooks.listener_closed = listener_closed;
    assert_int_equal(jrpc_server_set_hooks(site->at.server, &hooks, site), 0);
    site->link->open(site->link, &site->at);
    assert_int_equal(jrpc_server_start(site->at.server), 0);
    return site;
}

/* options: name, value, ..., NULL; NULL: none. */
static inline suite_place *open_site(void **state, const char *const options[])
{
    return open_site_with(state, &(suite_setup){.options = options});
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
    int status = jrpc_server_stop(site->at.server, stopped, &site->desk);

    assert_int_equal(status, 0);
}

/* After stop_site(), or alone. Everything that was opened has been closed once. */
static inline void close_site(suite_place *site)
{
    suite_desk *desk = &site->desk;
    int status = jrpc_server_stop(site->at.server, stopped, &site->desk);

    assert_true(status == 0 || status == -EALREADY || !site->at.server);
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
    for (size_t i = 0; i < SUITE_PEERS; i++)
        jrpc_service_free(site->at.others[i]);
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

/* The same before there is a server. */
static inline void skip_unless_link(bool has_it)
{
    if (!has_it)
        skip();
}

/* For cases about listeners of different kinds. */
static inline void skip_unless_apart(suite_place *site)
{
    skip_unless(site, site->at.n_listened > 1);
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

/* Asks again and again. */
#define AWAIT(condition)                                                                           \
    for (uint64_t until = uv_hrtime() + SUITE_PATIENCE_MS * (uint64_t)1000000; !(condition);)      \
        if (uv_hrtime() > until)                                                                   \
            fail_msg("waited in vain for " #condition);

/* Until a counter of the desk is there: unlike desk_wait_for() this is an assertion. */
#define await_count(site, counter, n)                                                              \
    assert_true(desk_reaches(&(site)->desk, &(site)->desk.counter, (n), SUITE_PATIENCE_MS))

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

/* Runs it on the loop and waits. False: the server has ended. */
static inline bool try_on_loop(suite_place *site, void (*fn)(suite_place *site, void *user),
                               void *user)
{
    errand job = {.fn = fn, .site = site, .user = user};

    desk_init(&job.desk);
    int status = jrpc_server_post(site->at.server, run_errand, &job);
    assert_true(status == 0 || status == -EPIPE);
    if (!status)
        desk_wait_for(&job.desk, &job.desk.n_counted, 1, "the loop");
    desk_fini(&job.desk);
    return !status;
}

static inline void on_loop(suite_place *site, void (*fn)(suite_place *site, void *user), void *user)
{
    assert_true(try_on_loop(site, fn, user));
}

static inline void do_nothing(suite_place *site, void *user)
{
    (void)site, (void)user;
}

/* Stops, and waits until stopping has begun; with nothing in flight it may be over by then. */
static inline void begin_stop(suite_place *site)
{
    stop_site(site);
    try_on_loop(site, do_nothing, /* user */ NULL);
}

static inline void read_stats(suite_place *site, void *user)
{
    if (jrpc_server_stats(site->at.server, user))
        abort();
}

static inline json_int_t stat_of(suite_place *site, const char *name)
{
    json_t *stats = NULL;

    on_loop(site, read_stats, &stats);
    const json_t *value = json_object_get(stats, name);
    if (!json_is_integer(value))
        fail_msg("no statistic '%s'", name);
    json_int_t n = json_integer_value(value);
    json_decref(stats);
    return n;
}

/* Until a statistic is what it must become. */
static inline void await_stat(suite_place *site, const char *name, json_int_t n)
{
    json_int_t seen = -1;

    AWAIT((seen = stat_of(site, name)) == n);
}

/* user: the service that all listeners serve from now on. */
static inline void set_service(suite_place *site, void *user)
{
    for (size_t i = 0; i < SUITE_PEERS; i++)
        if (jrpc_listener_set_service(site->at.listeners[i], user))
            abort();
}

/* The cases of a part of the suite. */
#define CASE(name)                                                                                 \
    {                                                                                              \
#name, name, NULL, NULL, (void *)(uintptr_t)link                                           \
    }

#define RUN_CASES(tests)                                                                           \
    _cmocka_run_group_tests(link->name, (tests), sizeof(tests) / sizeof(*(tests)),                 \
                            /* setup */ NULL, /* teardown */ NULL)

#endif
