/* SPDX-License-Identifier: MIT */
/*
 * test_server_races.c - many short lives of a server, everything at once in each
 *
 * Meant for ThreadSanitizer: workers, deferred answers, cancellation, time-outs, calls that wait,
 * notifications, topics, users of peers, swaps and the stop meet in another order each time. What
 * must hold whoever wins: each call is answered once at most, its server ends with every handle
 * closed, and what was given to a peer is released once.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <uv.h>

#include <jrpc/jrpc.h>

#include "ask.h"
#include "memory_transport.h"
#include "suite_service.h"

enum { N_CLIENTS = 2, N_CALLS = 60, N_LIVES_MAX = 400, BUDGET_MS = 5000 };

typedef struct life {
    jrpc_server *server;
    jrpc_service *service;
    memory_place *place;
    memory_client *clients[N_CLIENTS];
    jrpc_listener *listener;
    jrpc_topic *topic;
    suite_desk desk;
    bool is_over; /* under the desk's lock */
    atomic_uint n_users, n_released;
    atomic_uint n_answers[N_CLIENTS][N_CALLS];
    unsigned number; /* so that lives differ */
} life;

static void require(bool condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "broken: %s\n", what);
        abort();
    }
}

#define REQUIRE(condition) require((condition), #condition)

/*
 * The server's side
 */

static int run_work(jrpc_call *call, void *user)
{
    (void)user;
    return jrpc_reply_integer(call, jrpc_arg_integer(call, 0));
}

static const jrpc_method methods[] = {
    JRPC_METHOD("at_once", run_work, "n: integer", NULL),
    JRPC_METHOD("hold", run_hold, "n: integer", NULL),
    JRPC_METHOD_FLAGS("hold_shortly", run_hold, "n: integer", NULL, 0, 1),
    JRPC_METHOD_FLAGS("work", run_work, "n: integer", NULL, JRPC_BLOCKING, 0),
    JRPC_METHOD("notify", run_notify, "n: integer", NULL),
    JRPC_METHOD("close_peer", run_close_peer, "n: integer", NULL),
    JRPC_METHOD_END,
};

static void count_release(void *user)
{
    atomic_fetch_add(&((life *)user)->n_released, 1);
}

static int join_topic(jrpc_peer *peer, void *user)
{
    life *one = user;

    jrpc_peer_set_user(peer, one, count_release);
    atomic_fetch_add(&one->n_users, 1);
    return jrpc_topic_add(one->topic, peer);
}

/* On the loop; maybe as the last thing that happens there. */
static void swap(jrpc_server *server, void *user)
{
    life *one = user;

    (void)server;
    if (one->listener)
        REQUIRE(jrpc_listener_set_service(one->listener, one->service) == 0);
}

static void forget_listener(jrpc_listener *listener, int reason, void *user)
{
    (void)listener, (void)reason;
    ((life *)user)->listener = NULL;
}

/*
 * Threads
 */

static jrpc_call *take(life *one)
{
    suite_desk *desk = &one->desk;
    jrpc_call *held = NULL;

    pthread_mutex_lock(&desk->lock);
    while (desk->first == desk->end && !one->is_over)
        desk_wait(desk, "a call");
    if (desk->first != desk->end)
        held = desk->calls[desk->first++ % DESK_CALLS];
    pthread_mutex_unlock(&desk->lock);
    return held;
}

static void *answer_calls(void *user)
{
    jrpc_call *held;

    while ((held = take(user))) {
        int64_t n = jrpc_arg_integer(held, 0);
        jrpc_peer *peer = jrpc_call_peer(held);
        int status = n % 3 ? jrpc_peer_notify(peer, "held", json_pack("[I]", (json_int_t)n)) : 0;
        REQUIRE(status == 0 || status == -EPIPE || status == -EAGAIN);
        status = n % 7 ? jrpc_reply_integer(held, n) : 0; /* some are forgotten */
        REQUIRE(status == 0 || status == -ECANCELED || status == -EPIPE);
        jrpc_call_free(held);
    }
    return NULL;
}

static void *notify_all(void *user)
{
    life *one = user;

    for (int i = 0; i < 30; i++) {
        REQUIRE(jrpc_topic_notify(one->topic, "news", json_pack("[i]", i)) >= 0);
        if (i % 10 == 5)
            jrpc_server_post(one->server, swap, one);
    }
    return NULL;
}

typedef struct sender {
    life *one;
    size_t client;
} sender;

static void *send_calls(void *user)
{
    static const char *const names[] = {"hold", "work", "at_once", "hold_shortly", "notify"};
    const sender *from = user;
    memory_client *client = from->one->clients[from->client];
    char text[256];

    for (unsigned i = 0; i < N_CALLS; i++) {
        bool is_last = i + 1 == N_CALLS && (from->one->number + from->client) % 4 == 0;
        int len = snprintf(text, sizeof(text),
                           "{\"jsonrpc\":\"2.0\",\"method\":\"%s\",\"params\":[%u],\"id\":%u}",
                           is_last ? "close_peer" : names[i % 5], i, i);
        if (!memory_send(client, text, (size_t)len))
            return NULL;
        if (i % 4 != from->one->number % 4)
            continue;
        len =
            snprintf(text, sizeof(text),
                     "{\"jsonrpc\":\"2.0\",\"method\":\"$/cancelRequest\",\"params\":{\"id\":%u}}",
                     i - i % 3);
        if (!memory_send(client, text, (size_t)len))
            return NULL;
    }
    memory_half_close(client);
    return NULL;
}

static void *read_answers(void *user)
{
    const sender *to = user;
    char *text;
    size_t len;

    while ((text = memory_receive(to->one->clients[to->client], &len))) {
        json_t *value = json_loadb(text, len, 0, NULL);
        const json_t *id = json_object_get(value, "id");
        REQUIRE(value);
        if (id) {
            json_int_t i = json_integer_value(id);
            REQUIRE(i >= 0 && i < N_CALLS);
            REQUIRE(atomic_fetch_add(&to->one->n_answers[to->client][i], 1) == 0);
        }
        json_decref(value);
        free(text);
    }
    return NULL;
}

static void *stop(void *user)
{
    life *one = user;

    /* Somewhere in the middle, each time somewhere else. */
    for (volatile unsigned i = 0; i < one->number * 997 % 200000; i++)
        continue;
    jrpc_server_stop(one->server, stopped, &one->desk);
    return NULL;
}

/*
 * A life
 */

static void begin_life(life *one)
{
    static const char *const options[][2] = {{"workers", "2"}, {"pending_max", "5"}};
    jrpc_server_hooks hooks = JRPC_SERVER_HOOKS_INIT;
    jrpc_options *set = NULL;
    char url[64];

    desk_init(&one->desk);
    one->service = new_service(NULL, methods, &one->desk);
    one->place = memory_place_new();
    assert_int_equal(jrpc_options_new(&set), 0);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(jrpc_options_set(set, options[i][0], options[i][1]), 0);
    assert_int_equal(jrpc_server_new(set, /* loop */ NULL, &one->server), 0);
    jrpc_options_free(set);
    assert_int_equal(jrpc_topic_new(one->server, &one->topic), 0);
    hooks.peer_opened = join_topic;
    hooks.listener_closed = forget_listener;
    assert_int_equal(jrpc_server_set_hooks(one->server, &hooks, one), 0);
    assert_int_equal(jrpc_server_add_transport(one->server, &memory_transport), 0);
    snprintf(url, sizeof(url), "memory:%p", (void *)one->place);
    assert_int_equal(jrpc_server_listen(one->server, one->service, url, NULL, &one->listener), 0);
    assert_int_equal(jrpc_server_start(one->server), 0);
    for (size_t i = 0; i < N_CLIENTS; i++)
        one->clients[i] = memory_connect(one->place);
}

static void end_life(life *one)
{
    jrpc_server_free(one->server);
    assert_int_equal(one->desk.n_stopped, 1);
    assert_int_equal(one->desk.n_handles, 0);
    for (size_t i = 0; i < N_CLIENTS; i++)
        assert_true(memory_close(one->clients[i]));
    assert_int_equal(jrpc_topic_notify(one->topic, "x", NULL), 0);
    jrpc_topic_free(one->topic);
    assert_int_equal(one->n_users, N_CLIENTS);
    assert_int_equal(one->n_released, N_CLIENTS);
    memory_place_free(one->place);
    jrpc_service_free(one->service);
    desk_fini(&one->desk);
}

static void end_answerer(life *one, pthread_t answerer)
{
    pthread_mutex_lock(&one->desk.lock);
    one->is_over = true;
    pthread_cond_broadcast(&one->desk.changed);
    pthread_mutex_unlock(&one->desk.lock);
    pthread_join(answerer, NULL);
}

static void live(unsigned number)
{
    static life one; /* outlives a failed assertion */
    sender at[N_CLIENTS];
    pthread_t senders[N_CLIENTS], readers[N_CLIENTS], answerer, notifier, stopper;

    memset(&one, 0, sizeof(one));
    one.number = number;
    begin_life(&one);
    assert_int_equal(pthread_create(&answerer, NULL, answer_calls, &one), 0);
    assert_int_equal(pthread_create(&notifier, NULL, notify_all, &one), 0);
    for (size_t i = 0; i < N_CLIENTS; i++) {
        at[i] = (sender){&one, i};
        assert_int_equal(pthread_create(&senders[i], NULL, send_calls, &at[i]), 0);
        assert_int_equal(pthread_create(&readers[i], NULL, read_answers, &at[i]), 0);
    }
    assert_int_equal(pthread_create(&stopper, NULL, stop, &one), 0);
    for (size_t i = 0; i < N_CLIENTS; i++) {
        pthread_join(senders[i], NULL);
        pthread_join(readers[i], NULL);
    }
    pthread_join(notifier, NULL);
    pthread_join(stopper, NULL);
    desk_wait_for(&one.desk, &one.desk.n_stopped, 1, "the end");
    end_answerer(&one, answerer);
    end_life(&one);
}

static void many_lives_end_well(void **state)
{
    uint64_t until = uv_hrtime() + BUDGET_MS * (uint64_t)1000000;
    unsigned n = 0;
    (void)state;

    while (n < N_LIVES_MAX && (n < 3 || uv_hrtime() < until))
        live(n++);
    print_message("%u lives\n", n);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_lives_end_well),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
