/* SPDX-License-Identifier: MIT */
/*
 * transport_suite_limits.c - the behaviour that every transport must show: limits, pushes, and what
 * the application does while calls are in flight
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

/*
 * Statistics
 */

static void read_stats(suite_place *site, void *user)
{
    if (jrpc_server_stats(site->at.server, user))
        abort();
}

static json_int_t stat_of(suite_place *site, const char *name)
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

/*
 * Limits
 */

static void too_large_message_is_answered_and_skipped(void **state)
{
    static const char *const options[] = {"message_max", "200", NULL};
    suite_place *site = open_site(state, options);
    char text[501];

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

static void cancelling_overtakes_waiting_calls(void **state)
{
    static const char *const options[] = {"pending_max", "1", NULL};
    suite_place *site = open_site(state, options);

    skip_unless(site, !site->link->is_shared);
    connect_client(site, 0);
    send_text(site, 0, CALL("hold", "[]", "1"));
    jrpc_call *held = desk_take(&site->desk);
    send_text(site, 0, CALL("echo", "[2]", "2"));
    send_text(site, 0, CALL("echo", "[\"$/cancelRequest\"]", "3")); /* none */
    expect(site, 0, BUSY("3"));
    send_text(site, 0, CANCEL("1"));
    expect(site, 0, CANCELLED("1"));
    expect(site, 0, RESULT("2", "2"));
    jrpc_call_free(held);
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
    while (stat_of(site, "memory_held") == 0) /* until it waits */
        continue;
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
    jrpc_peer *peer = site->peers[0];

    (void)site;
    *(bool *)user = peer->is_paused;
}

static void slow_reader_is_paused_and_loses_nothing(void **state)
{
    static const char *const options[] = {"queue_max", "256K", "inbox_max", "64K", NULL};
    suite_place *site = open_site(state, options);
    pthread_t sender;
    bool is_paused = false;

    skip_unless(site, !site->link->is_shared);
    connect_client(site, 0);
    expect_echo(site, 0, 1);
    assert_int_equal(pthread_create(&sender, NULL, send_flood, site), 0);
    while (!is_paused)
        on_loop(site, read_pause, &is_paused);
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

    connect_client(site, 0);
    connect_client(site, 1);
    expect_echo(site, 0, 1);
    expect_echo(site, 1, 1);
    for (int i = 0; i < 6; i++)
        send_text(site, 0, CALL("hold", "[]", "1"));
    for (int i = 0; i < 6; i++) {
        char text[32768] = "";
        jrpc_call *held = desk_take(&site->desk);
        memset(text, 'x', sizeof(text) - 1);
        assert_int_equal(jrpc_reply_string(held, text), 0);
        jrpc_call_free(held);
    }
    for (int i = 0; i < 6; i++)
        json_decref(receive(site, 0));
    expect_echo(site, 0, 2);
    expect_echo(site, 1, 2); /* not left paused */
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
    while (stat_of(site, "messages") < 5)
        continue;
    site->link->half_close(site->clients[0]); /* from now on it is only waited for */
    stop_site(site);
    desk_wait_for(&site->desk, &site->desk.n_stopped, 1, "the end");
    close_client(site, 0);
    close_site(site);
}

/*
 * Pushes
 */

static void notification_never_lands_in_an_answer(void **state)
{
    suite_place *site = open_site(state, NULL);

    skip_unless(site, site->link->has_push);
    connect_client(site, 0);
    send_text(site, 0, "[" CALL("echo", "[1]", "1") "," CALL("notify", "[]", "2") "]");
    expect(site, 0, "[" RESULT("1", "1") "," RESULT("0", "2") "]");
    expect(site, 0, "{\"jsonrpc\":\"2.0\",\"method\":\"hello\"}");
    assert_int_equal(jrpc_peer_notify(site->peers[0], "x", json_pack("[i]", 5)), 0);
    expect(site, 0, NOTIFICATION("x", "[5]"));
    assert_int_equal(jrpc_peer_notify(site->peers[0], "x", json_integer(5)), -EINVAL);
    assert_int_equal(stat_of(site, "pushes"), 2);
    close_site(site);
}

static void full_queue_refuses_a_notification(void **state)
{
    static const char *const options[] = {"queue_max", "10000", NULL};
    suite_place *site = open_site(state, options);
    char text[20001] = "";

    skip_unless(site, site->link->has_push);
    connect_client(site, 0);
    expect_echo(site, 0, 1);
    memset(text, 'x', 20000);
    assert_int_equal(jrpc_peer_notify(site->peers[0], "x", json_pack("[s]", text)), -EAGAIN);
    expect_echo(site, 0, 2);
    assert_int_equal(jrpc_peer_notify(site->peers[0], "x", NULL), 0);
    expect(site, 0, "{\"jsonrpc\":\"2.0\",\"method\":\"x\"}");
    close_site(site);
}

static void topic_notifies_its_members(void **state)
{
    suite_place *site = open_site(state, NULL);
    jrpc_topic *topic = NULL;

    skip_unless(site, site->link->has_push);
    connect_client(site, 0);
    expect_echo(site, 0, 1);
    connect_client(site, 1);
    expect_echo(site, 1, 1);
    assert_int_equal(jrpc_topic_new(site->at.server, &topic), 0);
    assert_int_equal(jrpc_topic_notify(topic, "x", NULL), 0);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(jrpc_topic_add(topic, site->peers[i]), 0);
    assert_int_equal(jrpc_topic_add(topic, site->peers[0]), -EEXIST);
    assert_int_equal(jrpc_topic_notify(topic, "x", json_pack("{s:i}", "a", 1)), 2);
    expect(site, 0, NOTIFICATION("x", "{\"a\":1}"));
    expect(site, 1, NOTIFICATION("x", "{\"a\":1}"));
    assert_int_equal(jrpc_topic_remove(topic, site->peers[1]), 0);
    assert_int_equal(jrpc_topic_remove(topic, site->peers[1]), -ENOENT);
    jrpc_peer_close(site->peers[0]);
    expect_hang_up(site, 0);
    desk_wait_for(&site->desk, &site->desk.n_closed, 1, "the peer's end");
    assert_int_equal(jrpc_peer_notify(site->peers[0], "x", NULL), -EPIPE);
    assert_int_equal(jrpc_topic_add(topic, site->peers[0]), -EPIPE);
    assert_int_equal(jrpc_topic_notify(topic, "x", NULL), 0);
    jrpc_topic_free(topic);
    close_site(site);
}

/*
 * What the application does meanwhile
 */

static int run_new(jrpc_call *call, void *user)
{
    (void)user;
    return jrpc_reply_string(call, "new");
}

static void set_service(suite_place *site, void *user)
{
    for (size_t i = 0; i < SUITE_PEERS; i++)
        if (jrpc_listener_set_service(site->at.listeners[i], user))
            abort();
}

static void swapped_service_answers_from_then_on(void **state)
{
    static const jrpc_method rows[] = {JRPC_METHOD("hold", run_new, NULL, NULL), JRPC_METHOD_END};
    suite_place *site = open_site(state, NULL);
    jrpc_service *other = new_service(NULL, rows, NULL);

    connect_client(site, 0);
    send_text(site, 0, CALL("hold", "[]", "1"));
    jrpc_call *held = desk_take(&site->desk);
    jrpc_service_free(site->at.service);
    site->at.service = NULL;
    on_loop(site, set_service, other);
    jrpc_service_free(other);
    send_text(site, 0, CALL("hold", "[]", "2"));
    expect(site, 0, RESULT("\"new\"", "2"));
    assert_int_equal(jrpc_reply_string(held, "old"), 0);
    jrpc_call_free(held);
    expect(site, 0, RESULT("\"old\"", "1"));
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
    while (stat_of(site, "in_flight"))
        continue;
    assert_int_equal(stat_of(site, "memory_held"), 0);
    close_site(site);
}

int run_limits_suite(const suite_link *link)
{
#define CASE(name)                                                                                 \
    {                                                                                              \
#name, name, NULL, NULL, (void *)(uintptr_t)link                                           \
    }
    const struct CMUnitTest tests[] = {
        CASE(too_large_message_is_answered_and_skipped),
        CASE(calls_past_pending_max_wait),
        CASE(calls_past_pending_max_are_refused),
        CASE(cancelling_overtakes_waiting_calls),
        CASE(regression_call_behind_a_large_answer_is_run),
        CASE(slow_reader_is_paused_and_loses_nothing),
        CASE(regression_peers_go_on_when_there_is_memory_again),
        CASE(reader_of_nothing_is_cut_off_when_stopping),
        CASE(notification_never_lands_in_an_answer),
        CASE(full_queue_refuses_a_notification),
        CASE(topic_notifies_its_members),
        CASE(swapped_service_answers_from_then_on),
        CASE(closed_listener_answers_what_is_in_flight),
        CASE(closed_peer_gets_what_was_answered),
        CASE(statistics_count),
    };
#undef CASE
    return _cmocka_run_group_tests(link->name, tests, sizeof(tests) / sizeof(*tests),
                                   /* setup */ NULL, /* teardown */ NULL);
}
