/* SPDX-License-Identifier: MIT */
/*
 * test_server_threads.c - workers, deferred answers, cancellation, notifications and stop at once
 *
 * Meant for ThreadSanitizer. Who wins a race is left open; that every call is answered once, or its
 * server has stopped, is not.
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
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <jrpc/jrpc.h>

#include "ask.h"
#include "suite_desk.h"

enum { N_CALLS = 600, N_ROUNDS = 8, N_ANSWERERS = 3, N_NOTIFIERS = 2 };

typedef struct arena {
    jrpc_server *server;
    jrpc_service *service;
    suite_desk desk;
    int fd;
    jrpc_peer *peer;
    jrpc_topic *topic;
    atomic_bool is_over;
    atomic_uint n_posted, n_stopped;
} arena;

static void require(bool condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "broken: %s\n", what);
        abort();
    }
}

#define REQUIRE(condition) require((condition), #condition)

static int run_defer(jrpc_call *call, void *user)
{
    jrpc_call *held;
    int status = jrpc_call_defer(call, &held);

    if (!status)
        desk_put(user, held);
    return status;
}

static int run_work(jrpc_call *call, void *user)
{
    (void)user;
    return jrpc_reply_integer(call, jrpc_arg_integer(call, 0));
}

static const jrpc_method methods[] = {
    JRPC_METHOD("defer", run_defer, "n: integer", NULL),
    JRPC_METHOD_FLAGS("defer_shortly", run_defer, "n: integer", NULL, 0, 1),
    JRPC_METHOD_FLAGS("work", run_work, "n: integer", NULL, JRPC_BLOCKING, 0),
    JRPC_METHOD("at_once", run_work, "n: integer", NULL),
    JRPC_METHOD_END,
};

static int peer_opened(jrpc_peer *peer, void *user)
{
    arena *all = user;

    all->peer = jrpc_peer_ref(peer);
    return 0;
}

/* NULL: nothing comes any more. */
static jrpc_call *take(arena *all)
{
    jrpc_call *held = NULL;

    pthread_mutex_lock(&all->desk.lock);
    while (all->desk.first == all->desk.end && !atomic_load(&all->is_over))
        desk_wait(&all->desk, "a call");
    if (all->desk.first != all->desk.end)
        held = all->desk.calls[all->desk.first++ % DESK_CALLS];
    pthread_mutex_unlock(&all->desk.lock);
    return held;
}

static void *answer(void *user)
{
    jrpc_call *held;

    while ((held = take(user))) {
        int64_t n = jrpc_arg_integer(held, 0);
        int status = n % 11 ? jrpc_reply_integer(held, n) : 0; /* some are forgotten */
        REQUIRE(status == 0 || status == -ECANCELED || status == -EPIPE);
        REQUIRE(!status || jrpc_call_is_cancelled(held));
        jrpc_call_free(held);
    }
    return NULL;
}

static void count_post(jrpc_server *server, void *user)
{
    json_t *stats = NULL;

    REQUIRE(jrpc_server_stats(server, &stats) == 0);
    json_decref(stats);
    atomic_fetch_add((atomic_uint *)user, 1);
}

static void *notify(void *user)
{
    arena *all = user;
    unsigned n_accepted = 0;

    for (int i = 0; i < 300; i++) {
        int status = jrpc_peer_notify(all->peer, "news", json_pack("[i]", i));
        REQUIRE(status == 0 || status == -EAGAIN || status == -EPIPE);
        status = jrpc_topic_notify(all->topic, "topic", NULL);
        REQUIRE(status == 0 || status == 1);
        n_accepted += jrpc_server_post(all->server, count_post, &all->n_posted) == 0;
    }
    return (void *)(uintptr_t)n_accepted;
}

static void count_stopped(jrpc_server *server, void *user)
{
    (void)server;
    atomic_fetch_add((atomic_uint *)user, 1);
}

static void *stop(void *user)
{
    arena *all = user;

    return (void *)(intptr_t)jrpc_server_stop(all->server, count_stopped, &all->n_stopped);
}

static void *send_calls(void *user)
{
    static const char *const names[] = {"defer", "work", "at_once", "defer_shortly"};
    arena *all = user;
    char text[256];

    for (int i = 0; i < N_CALLS; i++) {
        int len = snprintf(text, sizeof(text),
                           "{\"jsonrpc\":\"2.0\",\"method\":\"%s\",\"params\":[%d],\"id\":%d}\n",
                           names[i % 4], i, i);
        if (i % 5 == 0)
            len += snprintf(text + len, sizeof(text) - (size_t)len,
                            "{\"jsonrpc\":\"2.0\",\"method\":\"$/cancelRequest\",\"params\":"
                            "{\"id\":%d}}\n",
                            i - i % 4);
        if (send(all->fd, text, (size_t)len, MSG_NOSIGNAL) < 0)
            return NULL; /* it has stopped */
    }
    shutdown(all->fd, SHUT_WR);
    return NULL;
}

/* Each call is answered at most once; the number of those that were. */
static unsigned read_answers(arena *all)
{
    static unsigned char is_seen[N_CALLS];
    FILE *file = fdopen(dup(all->fd), "r");
    char *line = NULL;
    size_t cap = 0;
    unsigned n = 0;

    assert_non_null(file);
    memset(is_seen, 0, sizeof(is_seen));
    while (getline(&line, &cap, file) > 0) {
        json_error_t error;
        json_t *value = json_loads(line, 0, &error);
        if (!value)
            fail_msg("%s: %s", line, error.text);
        const json_t *id = json_object_get(value, "id");
        if (id) {
            json_int_t i = json_integer_value(id);
            assert_in_range(i, 0, N_CALLS - 1);
            assert_int_equal(is_seen[i], 0);
            is_seen[i] = 1;
            n++;
        }
        json_decref(value);
    }
    free(line);
    fclose(file);
    return n;
}

static void set_up(arena *all)
{
    static const char *const options[] = {"workers",  "3",    "pending_max", "50",
                                          "drain_ms", "2000", NULL};
    jrpc_server_hooks hooks = JRPC_SERVER_HOOKS_INIT;
    jrpc_options *set = NULL;
    int ends[2];
    char url[64];

    memset(all, 0, sizeof(*all));
    desk_init(&all->desk);
    all->service = new_service(NULL, methods, &all->desk);
    assert_int_equal(jrpc_options_new(&set), 0);
    for (size_t i = 0; options[i]; i += 2)
        assert_int_equal(jrpc_options_set(set, options[i], options[i + 1]), 0);
    assert_int_equal(jrpc_server_new(set, /* loop */ NULL, &all->server), 0);
    jrpc_options_free(set);
    hooks.peer_opened = peer_opened;
    assert_int_equal(jrpc_server_set_hooks(all->server, &hooks, all), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    snprintf(url, sizeof(url), "fd:%d,%d", ends[1], ends[1]);
    assert_int_equal(jrpc_server_listen(all->server, all->service, url, NULL, NULL), 0);
    close(ends[1]);
    all->fd = ends[0];
    assert_int_equal(jrpc_topic_new(all->server, &all->topic), 0);
    assert_int_equal(jrpc_topic_add(all->topic, all->peer), 0);
    assert_int_equal(jrpc_server_start(all->server), 0);
}

/* Everything at once; the number of answers. */
static unsigned run_round(bool is_stopped)
{
    static arena all; /* outlives a failed assertion */
    pthread_t answerers[N_ANSWERERS], notifiers[N_NOTIFIERS], sender, stopper;
    unsigned n_accepted = 0;
    void *result = NULL;

    set_up(&all);
    for (size_t i = 0; i < N_ANSWERERS; i++)
        assert_int_equal(pthread_create(&answerers[i], NULL, answer, &all), 0);
    for (size_t i = 0; i < N_NOTIFIERS; i++)
        assert_int_equal(pthread_create(&notifiers[i], NULL, notify, &all), 0);
    assert_int_equal(pthread_create(&sender, NULL, send_calls, &all), 0);
    if (is_stopped)
        assert_int_equal(pthread_create(&stopper, NULL, stop, &all), 0);
    unsigned n = read_answers(&all);
    pthread_join(sender, NULL);
    close(all.fd);
    for (size_t i = 0; i < N_NOTIFIERS; i++) {
        pthread_join(notifiers[i], &result);
        n_accepted += (unsigned)(uintptr_t)result;
    }
    result = NULL;
    if (is_stopped)
        pthread_join(stopper, &result);
    jrpc_server_free(all.server);
    assert_int_equal(all.n_stopped, is_stopped && !result);
    assert_int_equal(all.n_posted, n_accepted);
    assert_int_equal(jrpc_peer_notify(all.peer, "x", NULL), -EPIPE);
    pthread_mutex_lock(&all.desk.lock);
    atomic_store(&all.is_over, true);
    pthread_cond_broadcast(&all.desk.changed);
    pthread_mutex_unlock(&all.desk.lock);
    for (size_t i = 0; i < N_ANSWERERS; i++)
        pthread_join(answerers[i], NULL);
    jrpc_topic_free(all.topic);
    jrpc_peer_unref(all.peer);
    jrpc_service_free(all.service);
    desk_fini(&all.desk);
    return n;
}

static void every_call_is_answered_once(void **state)
{
    (void)state;
    for (int i = 0; i < N_ROUNDS; i++)
        assert_int_equal(run_round(/* is_stopped */ false), N_CALLS);
}

static void stopping_meanwhile_breaks_nothing(void **state)
{
    (void)state;
    for (int i = 0; i < N_ROUNDS; i++)
        assert_in_range(run_round(/* is_stopped */ true), 0, N_CALLS);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_call_is_answered_once),
        cmocka_unit_test(stopping_meanwhile_breaks_nothing),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
