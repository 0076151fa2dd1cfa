/* SPDX-License-Identifier: MIT */
/*
 * transport_suite_end.c - the behaviour that every transport must show: the end
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "suite_place.h"

static void calls_in_flight_are_answered_when_stopping(void **state)
{
    suite_place *site = open_site(state, NULL);

    connect_client(site, 0);
    send_text(site, 0, CALL("hold", "[]", "1"));
    send_text(site, 0, CALL("block", "[2]", "2"));
    desk_wait_for(&site->desk, &site->desk.n_blocked, 1, "a busy worker");
    jrpc_call *held = desk_take(&site->desk);
    begin_stop(site);
    assert_int_equal(jrpc_server_stop(site->at.server, stopped, &site->desk), -EALREADY);
    send_text(site, 0, CALL("echo", "[1]", "3"));
    expect(site, 0, BUSY("3"));
    desk_let_go(&site->desk, 1);
    expect(site, 0, RESULT("2", "2"));
    assert_int_equal(jrpc_reply_integer(held, 1), 0);
    jrpc_call_free(held);
    expect(site, 0, RESULT("1", "1"));
    expect_hang_up(site, 0);
    desk_wait_for(&site->desk, &site->desk.n_stopped, 1, "the end");
    close_site(site);
}

static void rest_is_timed_out_after_drain_ms(void **state)
{
    static const char *const options[] = {"drain_ms", "5", NULL};
    suite_place *site = open_site(state, options);

    connect_client(site, 0);
    send_text(site, 0, "[" CALL("echo", "[1]", "1") "," CALL("hold", "[]", "2") "]");
    jrpc_call *held = desk_take(&site->desk);
    stop_site(site);
    expect(site, 0, "[" RESULT("1", "1") "," TIMED_OUT("2") "]");
    expect_hang_up(site, 0);
    desk_wait_for(&site->desk, &site->desk.n_stopped, 1, "the end");
    int status = jrpc_reply_integer(held, 1);
    assert_true(status == -ECANCELED || status == -EPIPE);
    jrpc_call_free(held);
    close_site(site);
}

static void peer_that_sends_no_more_is_answered(void **state)
{
    suite_place *site = open_site(state, NULL);

    skip_unless(site, site->link->can_half_close);
    connect_client(site, 0);
    send_text(site, 0, CALL("hold", "[]", "1"));
    send_text(site, 0, CALL("echo", "[2]", "2"));
    site->link->half_close(site->clients[0]);
    expect(site, 0, RESULT("2", "2"));
    answer(&site->desk, 1, 0);
    expect(site, 0, RESULT("1", "1"));
    expect_hang_up(site, 0);
    desk_wait_for(&site->desk, &site->desk.n_closed, 1, "the peer's end");
    assert_int_equal(site->desk.closed_reason, 0);
    close_site(site);
}

static void vanished_peers_calls_are_cancelled(void **state)
{
    suite_place *site = open_site(state, NULL);

    skip_unless(site, site->link->can_vanish);
    connect_client(site, 0);
    send_text(site, 0, CALL("hold", "[]", "1"));
    send_text(site, 0, CALL("block", "[2]", "2"));
    desk_wait_for(&site->desk, &site->desk.n_blocked, 1, "a busy worker");
    jrpc_call *held = desk_take(&site->desk);
    assert_int_equal(jrpc_call_on_cancelled(held, count_told, &site->desk), 0);
    close_client(site, 0);
    desk_wait_for(&site->desk, &site->desk.n_told, 1, "being told");
    desk_wait_for(&site->desk, &site->desk.n_closed, 1, "the peer's end");
    assert_true(jrpc_call_is_cancelled(held));
    assert_int_equal(jrpc_reply_integer(held, 1), -EPIPE);
    jrpc_call_free(held);
    desk_let_go(&site->desk, 1);
    connect_client(site, 1);
    expect_echo(site, 1, 1);
    close_site(site);
}

static void reader_of_nothing_is_cut_off_when_stopping(void **state)
{
    static const char *const options[] = {"drain_ms", "5", NULL};
    suite_place *site = open_site(state, options);

    skip_unless(site, site->link->can_half_close);
    connect_client(site, 0);
    expect_echo(site, 0, 1);
    for (int i = 0; i < 4; i++)
        send_text(site, 0, CALL("big", "[1000000]", "1"));
    AWAIT(stat_of(site, "messages") >= 5);
    site->link->half_close(site->clients[0]); /* from now on it is only waited for */
    stop_site(site);
    desk_wait_for(&site->desk, &site->desk.n_stopped, 1, "the end");
    close_client(site, 0);
    close_site(site);
}

static void close_listeners(suite_place *site, void *user)
{
    (void)user;
    for (size_t i = 0; i < SUITE_PEERS; i++)
        if (i == 0 || site->at.listeners[i] != site->at.listeners[0])
            jrpc_listener_close(site->at.listeners[i]);
}

static void closed_listener_answers_what_is_in_flight(void **state)
{
    suite_place *site = open_site(state, NULL);

    connect_client(site, 0);
    send_text(site, 0, CALL("hold", "[]", "1"));
    jrpc_call *held = desk_take(&site->desk);
    on_loop(site, close_listeners, NULL);
    send_text(site, 0, CALL("echo", "[]", "2"));
    expect(site, 0, BUSY("2"));
    assert_int_equal(jrpc_reply_integer(held, 1), 0);
    jrpc_call_free(held);
    expect(site, 0, RESULT("1", "1"));
    expect_hang_up(site, 0);
    close_site(site);
}

static void closed_peer_gets_what_was_answered(void **state)
{
    suite_place *site = open_site(state, NULL);

    connect_client(site, 0);
    expect_echo(site, 0, 1);
    send_text(site, 0, CALL("hold", "[]", "1"));
    jrpc_call *held = desk_take(&site->desk);
    jrpc_peer_close(site->peers[0]);
    jrpc_peer_close(site->peers[0]);
    expect_hang_up(site, 0);
    desk_wait_for(&site->desk, &site->desk.n_closed, 1, "the peer's end");
    assert_int_equal(jrpc_reply_integer(held, 1), -EPIPE);
    jrpc_call_free(held);
    jrpc_peer_close(site->peers[0]);
    close_site(site);
}

/*
 * Stopping from within
 */

static void handler_stops_its_server(void **state)
{
    static const char *const methods[] = {"stop", "stop_blocking"};
    char text[128];

    for (size_t i = 0; i < 2; i++) {
        suite_place *site = open_site(state, NULL);

        connect_client(site, 0);
        send_text(site, 0, CALL("hold", "[]", "1"));
        jrpc_call *held = desk_take(&site->desk);
        snprintf(text, sizeof(text), CALL("%s", "[]", "2"), methods[i]);
        send_text(site, 0, text);
        expect(site, 0, RESULT("0", "2"));
        on_loop(site, do_nothing, NULL); /* the order to stop was given before */
        send_text(site, 0, CALL("stop", "[]", "3"));
        expect(site, 0, BUSY("3"));
        assert_int_equal(jrpc_server_stop(site->at.server, stopped, &site->desk), -EALREADY);
        assert_int_equal(jrpc_reply_integer(held, 1), 0);
        jrpc_call_free(held);
        expect(site, 0, RESULT("1", "1"));
        expect_hang_up(site, 0);
        desk_wait_for(&site->desk, &site->desk.n_stopped, 1, "the end");
        assert_int_equal(jrpc_server_post(site->at.server, run_errand, NULL), -EPIPE);
        close_site(site);
    }
}

static void handler_closes_its_listener(void **state)
{
    suite_place *site = open_site(state, NULL);

    connect_client(site, 0);
    send_text(site, 0,
              "[" CALL("echo", "[1]", "1") "," CALL("close_listener", "[]",
                                                    "2") "," CALL("hold", "[]", "3") "]");
    send_text(site, 0, CALL("echo", "[4]", "4"));
    expect(site, 0, BUSY("4"));
    answer(&site->desk, 3, 0);
    expect(site, 0, "[" RESULT("1", "1") "," RESULT("0", "2") "," RESULT("3", "3") "]");
    expect_hang_up(site, 0);
    close_site(site);
}

/* Calls that wait in the inbox when the end comes are answered too. */
static void waiting_calls_are_answered_when_stopping(void **state)
{
    static const char *const options[] = {"pending_max", "1", NULL};
    suite_place *site = open_site(state, options);

    skip_unless(site, !site->link->is_shared);
    connect_client(site, 0);
    send_text(site, 0, CALL("hold", "[]", "1"));
    jrpc_call *held = desk_take(&site->desk);
    send_text(site, 0, CALL("count", "[]", "2"));
    send_text(site, 0, "[" CALL("count", "[]", "3") "," NOTIFICATION("count", "[]") "]");
    AWAIT(stat_of(site, "memory_held") > 0);
    begin_stop(site);
    assert_int_equal(jrpc_reply_integer(held, 1), 0);
    jrpc_call_free(held);
    expect(site, 0, RESULT("1", "1"));
    expect(site, 0, BUSY("2"));
    expect(site, 0, "[" BUSY("3") "]");
    expect_hang_up(site, 0);
    desk_wait_for(&site->desk, &site->desk.n_stopped, 1, "the end");
    assert_int_equal(desk_read(&site->desk, &site->desk.n_counted), 0);
    close_site(site);
}

static void waiting_calls_are_answered_after_drain_ms(void **state)
{
    static const char *const options[] = {"pending_max", "1", "drain_ms", "5", NULL};
    suite_place *site = open_site(state, options);

    skip_unless(site, !site->link->is_shared);
    connect_client(site, 0);
    send_text(site, 0, CALL("hold", "[]", "1"));
    jrpc_call *held = desk_take(&site->desk);
    send_text(site, 0, CALL("count", "[]", "2"));
    AWAIT(stat_of(site, "memory_held") > 0);
    stop_site(site);
    expect(site, 0, TIMED_OUT("1"));
    expect(site, 0, BUSY("2"));
    expect_hang_up(site, 0);
    desk_wait_for(&site->desk, &site->desk.n_stopped, 1, "the end");
    jrpc_call_free(held);
    close_site(site);
}

static void half_closed_peers_waiting_calls_are_answered(void **state)
{
    static const char *const options[] = {"pending_max", "1", NULL};
    suite_place *site = open_site(state, options);
    char text[128];

    skip_unless(site, !site->link->is_shared);
    skip_unless(site, site->link->can_half_close);
    connect_client(site, 0);
    for (int i = 0; i < 5; i++) {
        snprintf(text, sizeof(text), CALL("hold", "[]", "%d"), i);
        send_text(site, 0, text);
    }
    site->link->half_close(site->clients[0]);
    for (int i = 0; i < 5; i++) {
        answer(&site->desk, i, 0);
        snprintf(text, sizeof(text), RESULT("%d", "%d"), i, i);
        expect(site, 0, text);
    }
    expect_hang_up(site, 0);
    desk_wait_for(&site->desk, &site->desk.n_closed, 1, "the peer's end");
    assert_int_equal(site->desk.closed_reason, 0);
    close_site(site);
}

static void vanished_peers_waiting_calls_never_run(void **state)
{
    static const char *const options[] = {"pending_max", "1", NULL};
    suite_place *site = open_site(state, options);

    skip_unless(site, site->link->can_vanish && !site->link->is_shared);
    connect_client(site, 0);
    send_text(site, 0, CALL("hold", "[]", "1"));
    jrpc_call *held = desk_take(&site->desk);
    for (int i = 0; i < 5; i++)
        send_text(site, 0, CALL("count", "[]", "2"));
    AWAIT(stat_of(site, "memory_held") > 0);
    close_client(site, 0);
    desk_wait_for(&site->desk, &site->desk.n_closed, 1, "the peer's end");
    assert_int_equal(jrpc_reply_integer(held, 1), -EPIPE);
    jrpc_call_free(held);
    await_stat(site, "memory_held", 0);
    await_stat(site, "in_flight", 0);
    assert_int_equal(desk_read(&site->desk, &site->desk.n_counted), 0);
    close_site(site);
}

/*
 * Peers that are hung up on
 */

static void peer_closed_by_a_handler_gets_the_answer(void **state)
{
    suite_place *site = open_site(state, NULL);

    connect_client(site, 0);
    send_text(site, 0,
              "[" CALL("echo", "[1]", "1") "," CALL("close_peer", "[]", "2") "," CALL("echo", "[3]",
                                                                                      "3") "]");
    expect(site, 0, "[" RESULT("1", "1") "," RESULT("null", "2") "," RESULT("3", "3") "]");
    expect_hang_up(site, 0);
    desk_wait_for(&site->desk, &site->desk.n_closed, 1, "the peer's end");
    close_site(site);
}

static void peer_closed_during_a_batch_is_not_answered(void **state)
{
    suite_place *site = open_site(state, NULL);

    connect_client(site, 0);
    send_text(site, 0,
              "[" CALL("hold", "[]", "1") "," CALL("close_peer", "[]", "2") "," CALL(
                  "hold", "[]", "3") "," CALL("block", "[4]", "4") "]");
    expect_hang_up(site, 0);
    desk_wait_for(&site->desk, &site->desk.n_closed, 1, "the peer's end");
    answer(&site->desk, 1, -EPIPE);
    answer(&site->desk, 3, -EPIPE);
    desk_let_go(&site->desk, 1);
    await_stat(site, "in_flight", 0);
    connect_client(site, 1);
    expect_echo(site, 1, 1);
    close_site(site);
}

static void peer_refused_by_the_hook_is_hung_up_on(void **state)
{
    suite_place *site = open_site(state, NULL);

    skip_unless(site, site->link->can_be_refused);
    desk_refuse(&site->desk, -EACCES);
    connect_client(site, 0);
    expect(site, 0, NULL);
    desk_wait_for(&site->desk, &site->desk.n_refused, 1, "the hook");
    desk_refuse(&site->desk, 0);
    connect_client(site, 1);
    expect_echo(site, 1, 1);
    assert_false(jrpc_peer_is_open(site->peers[0]));
    assert_int_equal(jrpc_peer_notify(site->peers[0], "x", NULL), -EPIPE);
    assert_int_equal(desk_read(&site->desk, &site->desk.n_closed), 0);
    close_site(site);
}

/*
 * Threads that post meanwhile
 */

enum { N_POSTERS = 4, N_POSTS = 500 };

static void count_post(jrpc_server *server, void *user)
{
    suite_desk *desk = user;

    (void)server;
    desk_count(desk, &desk->n_counted);
}

static void *post_much(void *user)
{
    suite_place *site = user;
    uintptr_t n_accepted = 0;

    for (int i = 0; i < N_POSTS; i++) {
        int status = jrpc_server_post(site->at.server, count_post, &site->desk);
        if (status && status != -EPIPE)
            abort();
        n_accepted += !status;
    }
    return (void *)n_accepted;
}

/* Whether the call is answered depends on when it comes. */
static void regression_hook_closes_the_new_peers_listener(void **state)
{
    const suite_link *link = *state;

    for (int is_refused = 0; is_refused <= link->can_be_refused; is_refused++) {
        suite_place *site = open_site_with(state, &(suite_setup){.closes_in_hook = true});
        const char *text = CALL("echo", "[1]", "1");

        desk_refuse(&site->desk, is_refused ? -1 : 0);
        connect_client(site, 0);
        site->link->send(site->clients[0], text, strlen(text));
        if (is_refused)
            await_count(site, n_refused, 1);
        else
            await_count(site, n_closed, 1);
        await_count(site, n_listeners_closed, 1);
        close_site(site);
    }
}

static void accepted_posts_run_although_the_server_stops(void **state)
{
    suite_place *site = open_site(state, NULL);
    pthread_t posters[N_POSTERS];
    uintptr_t n_accepted = 0;

    connect_client(site, 0);
    expect_echo(site, 0, 1);
    for (int i = 0; i < N_POSTERS; i++)
        assert_int_equal(pthread_create(&posters[i], NULL, post_much, site), 0);
    desk_wait_for(&site->desk, &site->desk.n_counted, 1, "a post");
    stop_site(site);
    for (int i = 0; i < N_POSTERS; i++) {
        void *n = NULL;
        pthread_join(posters[i], &n);
        n_accepted += (uintptr_t)n;
    }
    desk_wait_for(&site->desk, &site->desk.n_stopped, 1, "the end");
    assert_int_equal(desk_read(&site->desk, &site->desk.n_counted), n_accepted);
    close_site(site);
}

int run_end_suite(const suite_link *link)
{
    const struct CMUnitTest tests[] = {
        CASE(calls_in_flight_are_answered_when_stopping),
        CASE(rest_is_timed_out_after_drain_ms),
        CASE(peer_that_sends_no_more_is_answered),
        CASE(vanished_peers_calls_are_cancelled),
        CASE(reader_of_nothing_is_cut_off_when_stopping),
        CASE(closed_listener_answers_what_is_in_flight),
        CASE(closed_peer_gets_what_was_answered),
        CASE(handler_stops_its_server),
        CASE(handler_closes_its_listener),
        CASE(waiting_calls_are_answered_when_stopping),
        CASE(waiting_calls_are_answered_after_drain_ms),
        CASE(half_closed_peers_waiting_calls_are_answered),
        CASE(vanished_peers_waiting_calls_never_run),
        CASE(peer_closed_by_a_handler_gets_the_answer),
        CASE(peer_closed_during_a_batch_is_not_answered),
        CASE(peer_refused_by_the_hook_is_hung_up_on),
        CASE(regression_hook_closes_the_new_peers_listener),
        CASE(accepted_posts_run_although_the_server_stops),
    };

    return RUN_CASES(tests);
}
