/* SPDX-License-Identifier: MIT */
/*
 * transport_suite_limits.c - the behaviour that every transport must show: limits
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server.h"
#include "suite_place.h"

static void too_large_message_is_answered_and_skipped(void **state)
{
    static const char *const options[] = {"message_max", "200", NULL};
    suite_place *site = open_site(state, options);
    char text[501];

    skip_unless(site, !site->link->hangs_up_on_too_large);
    memset(text, ' ', 500);
    memcpy(text, "[1,", 3);
    text[499] = ']';
    text[500] = '\0';
    connect_client(site, 0);
    for (int i = 0; i < 3; i++) {
        send_text(site, 0, text);
        expect(site, 0, TOO_LARGE("null"));
        expect_echo(site, 0, i);
    }
    close_site(site);
}

static void calls_past_pending_max_wait(void **state)
{
    static const char *const options[] = {"pending_max", "2", NULL};
    suite_place *site = open_site(state, options);
    char text[128];

    skip_unless(site, !site->link->is_shared);
    connect_client(site, 0);
    for (int i = 0; i < 20; i++) {
        snprintf(text, sizeof(text), CALL("hold", "[]", "%d"), i);
        send_text(site, 0, text);
    }
    for (int i = 0; i < 20; i++) {
        assert_true(stat_of(site, "in_flight") <= 2);
        answer(&site->desk, i, 0);
        snprintf(text, sizeof(text), RESULT("%d", "%d"), i, i);
        expect(site, 0, text);
    }
    expect_echo(site, 0, 1);
    close_site(site);
}

static void calls_past_pending_max_are_refused(void **state)
{
    static const char *const options[] = {"pending_max", "2", NULL};
    suite_place *site = open_site(state, options);

    skip_unless(site, site->link->is_shared);
    connect_client(site, 0);
    send_text(site, 0, CALL("hold", "[]", "1"));
    send_text(site, 0, CALL("hold", "[]", "2"));
    send_text(site, 0, CALL("echo", "[3]", "3"));
    expect(site, 0, BUSY("3"));
    send_text(site, 0, CANCEL("1"));
    expect(site, 0, CANCELLED("1"));
    jrpc_call *first = desk_take(&site->desk);
    jrpc_call_free(first);
    answer(&site->desk, 2, 0);
    expect(site, 0, RESULT("2", "2"));
    expect_echo(site, 0, 4);
    close_site(site);
}

static void regression_call_behind_a_large_answer_is_run(void **state)
{
    static const char *const options[] = {"pending_max", "1", "queue_max", "100K", NULL};
    suite_place *site = open_site(state, options);

    skip_unless(site, !site->link->is_shared);
    connect_client(site, 0);
    send_text(site, 0, CALL("hold", "[]", "1"));
    jrpc_call *held = desk_take(&site->desk);
    send_text(site, 0, CALL("echo", "[2]", "2"));
    AWAIT(stat_of(site, "memory_held") > 0);
    char *text = calloc(1, 80 * 1024 + 1);
    assert_non_null(text);
    memset(text, 'x', 80 * 1024);
    assert_int_equal(jrpc_reply_string(held, text), 0);
    free(text);
    jrpc_call_free(held);
    json_decref(receive(site, 0));
    expect(site, 0, RESULT("2", "2"));
    close_site(site);
}

enum { N_FLOOD = 2000, FLOOD_BYTES = 16384 };

static void *send_flood(void *user)
{
    suite_place *site = user;
    char text[128];

    for (int i = 0; i < N_FLOOD; i++) {
        snprintf(text, sizeof(text), CALL("big", "[%d]", "%d"), FLOOD_BYTES, i);
        if (!site->link->send(site->clients[0], text, strlen(text)))
            abort();
    }
    return NULL;
}

static void read_pause(suite_place *site, void *user)
{
    *(bool *)user = site->peers[0]->is_paused;
}

static bool is_paused_now(suite_place *site)
{
    bool is_paused = false;

    on_loop(site, read_pause, &is_paused);
    return is_paused;
}

static void slow_reader_is_paused_and_loses_nothing(void **state)
{
    static const char *const options[] = {"queue_max", "256K", "inbox_max", "64K", NULL};
    suite_place *site = open_site(state, options);
    pthread_t sender;

    skip_unless(site, !site->link->is_shared);
    connect_client(site, 0);
    expect_echo(site, 0, 1);
    assert_int_equal(pthread_create(&sender, NULL, send_flood, site), 0);
    AWAIT(is_paused_now(site));
    for (int i = 0; i < N_FLOOD; i++) {
        if (i % 100 == 0)
            assert_in_range(stat_of(site, "memory_held"), 0, 400 * 1024);
        json_t *value = receive(site, 0);
        assert_int_equal(json_integer_value(json_object_get(value, "id")), i);
        assert_int_equal(json_string_length(json_object_get(value, "result")), FLOOD_BYTES);
        json_decref(value);
    }
    pthread_join(sender, NULL);
    close_site(site);
}

static void regression_peers_go_on_when_there_is_memory_again(void **state)
{
    static const char *const options[] = {"memory_max", "64K", "queue_max", "256K", NULL};
    suite_place *site = open_site(state, options);
    jrpc_call *held[6];

    connect_client(site, 0);
    connect_client(site, 1);
    expect_echo(site, 0, 1);
    expect_echo(site, 1, 1);
    for (int i = 0; i < 6; i++)
        send_text(site, 0, CALL("hold", "[]", "1"));
    for (int i = 0; i < 6; i++)
        held[i] = desk_take(&site->desk); /* all of them before there are answers */
    for (int i = 0; i < 6; i++) {
        char text[32768] = "";
        memset(text, 'x', sizeof(text) - 1);
        assert_int_equal(jrpc_reply_string(held[i], text), 0);
        jrpc_call_free(held[i]);
    }
    for (int i = 0; i < 6; i++)
        json_decref(receive(site, 0));
    expect_echo(site, 0, 2);
    expect_echo(site, 1, 2); /* not left paused */
    close_site(site);
}

static void calls_past_calls_max_are_refused_and_later_served_again(void **state)
{
    static const char *const options[] = {"calls_max", "2", NULL};
    suite_place *site = open_site(state, options);

    connect_client(site, 0);
    connect_client(site, 1);
    expect_echo(site, 1, 0);
    for (int round = 0; round < 2; round++) {
        send_text(site, 0, CALL("hold", "[]", "1"));
        send_text(site, 0, CALL("hold", "[]", "2"));
        send_text(site, 0, CALL("echo", "[3]", "3"));
        expect(site, 0, BUSY("3"));
        send_text(site, 0, NOTIFICATION("count", "[]"));
        send_text(site, 0, "[" CALL("count", "[]", "4") "," CALL("hold", "[]", "5") "]");
        expect(site, 0, "[" BUSY("4") "," BUSY("5") "]");
        send_text(site, 1, CALL("echo", "[6]", "6"));
        expect(site, 1, BUSY("6"));
        answer(&site->desk, 1, 0);
        expect(site, 0, RESULT("1", "1"));
        expect_echo(site, 0, 7);
        expect_echo(site, 1, 8);
        answer(&site->desk, 2, 0);
        expect(site, 0, RESULT("2", "2"));
    }
    assert_int_equal(desk_read(&site->desk, &site->desk.n_counted), 0);
    await_stat(site, "in_flight", 0);
    close_site(site);
}

static void full_inbox_pauses_its_peer_and_loses_nothing(void **state)
{
    enum { N = 100 }; /* sockets take so many without being read */
    static const char *const options[] = {"pending_max", "1", "inbox_max", "2000", NULL};
    suite_place *site = open_site(state, options);
    char text[128];

    skip_unless(site, !site->link->is_shared);
    connect_client(site, 0);
    expect_echo(site, 0, 1); /* so that it is the first peer */
    connect_client(site, 1);
    send_text(site, 0, CALL("hold", "[]", "0"));
    jrpc_call *held = desk_take(&site->desk);
    for (int i = 1; i < N; i++) {
        snprintf(text, sizeof(text), CALL("echo", "[%d]", "%d"), i, i);
        send_text(site, 0, text);
    }
    AWAIT(is_paused_now(site));
    expect_echo(site, 1, 5); /* the others are not */
    assert_in_range(stat_of(site, "messages"), 2, 3);
    assert_in_range(stat_of(site, "memory_held"), 2000, 4000);
    assert_int_equal(jrpc_reply_integer(held, 0), 0);
    jrpc_call_free(held);
    for (int i = 0; i < N; i++) {
        snprintf(text, sizeof(text), RESULT("%d", "%d"), i, i);
        expect(site, 0, text);
    }
    await_stat(site, "memory_held", 0);
    close_site(site);
}

static void peer_of_a_too_large_message_is_hung_up_on(void **state)
{
    static const char *const options[] = {"message_max", "200", NULL};
    suite_place *site = open_site(state, options);
    char text[501] = "";

    skip_unless(site, site->link->hangs_up_on_too_large);
    memset(text, ' ', 500);
    connect_client(site, 0);
    expect_echo(site, 0, 1);
    site->link->send(site->clients[0], text, 500);
    expect(site, 0, NULL);
    desk_wait_for(&site->desk, &site->desk.n_closed, 1, "the peer's end");
    connect_client(site, 1);
    expect_echo(site, 1, 2);
    close_site(site);
}

/* Its calls in flight are answered all the same: that is what the last half of queue_max is for.
 * Past it the peer goes, and nobody else. */
static void peer_that_reads_nothing_is_dropped_past_queue_max(void **state)
{
    enum { N = 200, LEN = 32768 };
    static const char *const options[] = {"queue_max", "100K", NULL};
    suite_place *site = open_site(state, options);
    char *text = calloc(1, LEN + 1);

    assert_non_null(text);
    memset(text, 'x', LEN);
    if (site->link->is_shared)
        free(text);
    skip_unless(site, !site->link->is_shared);
    connect_client(site, 0);
    expect_echo(site, 0, 0);
    for (int i = 0; i < N; i++)
        send_text(site, 0, CALL("hold", "[]", "1"));
    await_stat(site, "in_flight", N); /* from the first large answers on nothing more is read */
    for (int i = 0; i < N; i++) {
        jrpc_call *held = desk_take(&site->desk);
        int status = jrpc_reply_string(held, text);
        assert_true(status == 0 || status == -EPIPE);
        jrpc_call_free(held);
    }
    free(text);
    desk_wait_for(&site->desk, &site->desk.n_closed, 1, "the peer's end");
    assert_int_equal(site->desk.closed_reason, -ENOBUFS);
    connect_client(site, 1);
    expect_echo(site, 1, 1);
    await_stat(site, "memory_held", 0);
    close_site(site);
}

static void peer_past_peers_max_is_hung_up_on(void **state)
{
    static const char *const options[] = {"peers_max", "1", NULL};
    const suite_link *link = *state;

    skip_unless_link(link->can_be_refused);
    suite_place *site = open_site(state, options);
    for (int round = 0; round < 3; round++) {
        connect_client(site, 0);
        expect_echo(site, 0, 1);
        connect_client(site, 1);
        expect(site, 1, NULL);
        close_client(site, 1);
        expect_echo(site, 0, 2);
        close_client(site, 0);
        desk_wait_for(&site->desk, &site->desk.n_closed, (unsigned)round + 1, "the peer's end");
    }
    assert_int_equal(desk_read(&site->desk, &site->desk.n_opened), 3);
    close_site(site);
}

/* memory_max is for all peers together: over it, whoever has more than his share is held back. */
static void greedy_peer_waits_and_the_others_are_served(void **state)
{
    enum { N = 24, LEN = 4000 };
    static const char *const options[] = {"memory_max", "64K", "pending_max", "1", NULL};
    const suite_link *link = *state;
    char text[LEN + 128];

    skip_unless_link(!link->is_shared);
    suite_place *site = open_site(state, options);
    connect_client(site, 0);
    expect_echo(site, 0, 1);
    connect_client(site, 1);
    send_text(site, 0, CALL("hold", "[]", "0"));
    jrpc_call *held = desk_take(&site->desk);
    for (int i = 1; i <= N; i++) {
        char digits[LEN + 1];
        memset(digits, '7', LEN);
        digits[LEN] = '\0';
        snprintf(text, sizeof(text), CALL("echo", "[\"%s\"]", "%d"), digits, i);
        send_text(site, 0, text);
    }
    AWAIT(is_paused_now(site));
    for (int i = 0; i < 3; i++) {
        expect_echo(site, 1, i);
        send_text(site, 1, CALL("hold", "[]", "9"));
        answer(&site->desk, 9, 0);
        expect(site, 1, RESULT("9", "9"));
    }
    assert_in_range(stat_of(site, "memory_held"), 64 * 1024, 80 * 1024);
    assert_int_equal(jrpc_reply_integer(held, 0), 0);
    jrpc_call_free(held);
    expect(site, 0, RESULT("0", "0"));
    for (int i = 1; i <= N; i++) {
        json_t *value = receive(site, 0);
        assert_int_equal(json_integer_value(json_object_get(value, "id")), i);
        assert_int_equal(json_string_length(json_object_get(value, "result")), LEN);
        json_decref(value);
    }
    await_stat(site, "memory_held", 0);
    close_site(site);
}

static void statistics_count(void **state)
{
    suite_place *site = open_site(state, NULL);

    connect_client(site, 0);
    expect_echo(site, 0, 1);
    send_text(site, 0, CALL("hold", "[]", "1"));
    jrpc_call *held = desk_take(&site->desk);
    assert_int_equal(stat_of(site, "messages"), 2);
    assert_int_equal(stat_of(site, "in_flight"), 1);
    assert_int_equal(stat_of(site, "deferred"), 1);
    assert_true(stat_of(site, "bytes_in") > 50);
    assert_true(stat_of(site, "bytes_out") > 30);
    assert_true(stat_of(site, "peers") >= 1);
    jrpc_call_free(held);
    json_decref(receive(site, 0));
    await_stat(site, "in_flight", 0);
    await_stat(site, "memory_held", 0);
    close_site(site);
}

static json_t *stats_of(suite_place *site)
{
    json_t *stats = NULL;

    on_loop(site, read_stats, &stats);
    return stats;
}

static void statistics_of_methods_are_kept_if_asked_for(void **state)
{
    static const char *const options[] = {"metrics", "yes", NULL};

    for (int is_asked_for = 0; is_asked_for < 2; is_asked_for++) {
        suite_place *site = open_site(state, is_asked_for ? options : NULL);
        connect_client(site, 0);
        expect_echo(site, 0, 1);
        json_t *stats = stats_of(site);
        assert_int_equal(json_object_get(stats, "methods") != NULL,
                         is_asked_for || site->link->has_metrics);
        json_decref(stats);
        close_site(site);
    }
}

int run_limits_suite(const suite_link *link)
{
    const struct CMUnitTest tests[] = {
        CASE(too_large_message_is_answered_and_skipped),
        CASE(peer_of_a_too_large_message_is_hung_up_on),
        CASE(calls_past_pending_max_wait),
        CASE(calls_past_pending_max_are_refused),
        CASE(regression_call_behind_a_large_answer_is_run),
        CASE(slow_reader_is_paused_and_loses_nothing),
        CASE(regression_peers_go_on_when_there_is_memory_again),
        CASE(greedy_peer_waits_and_the_others_are_served),
        CASE(statistics_count),
        CASE(statistics_of_methods_are_kept_if_asked_for),
        CASE(calls_past_calls_max_are_refused_and_later_served_again),
        CASE(full_inbox_pauses_its_peer_and_loses_nothing),
        CASE(peer_that_reads_nothing_is_dropped_past_queue_max),
        CASE(peer_past_peers_max_is_hung_up_on),
    };

    return RUN_CASES(tests);
}
