/* SPDX-License-Identifier: MIT */
/*
 * transport_suite_push.c - the behaviour that every transport must show: notifications and topics
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "suite_place.h"

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

static void notifications_keep_their_order(void **state)
{
    enum { N = 500 };
    suite_place *site = open_site(state, NULL);
    int n_pushes = 0, n_answers = 0;

    skip_unless(site, site->link->has_push);
    connect_client(site, 0);
    expect_echo(site, 0, 1);
    for (int i = 0; i < N; i++) {
        char text[128];
        assert_int_equal(jrpc_peer_notify(site->peers[0], "x", json_pack("[i]", i)), 0);
        snprintf(text, sizeof(text), CALL("echo", "[%d]", "%d"), i, i);
        send_text(site, 0, text);
    }
    while (n_pushes < N || n_answers < N) {
        json_t *value = receive(site, 0);
        const json_t *params = json_object_get(value, "params");
        json_int_t number = json_integer_value(params ? json_array_get(params, 0)
                                                      : json_object_get(value, "result"));
        assert_non_null(value);
        assert_int_equal(number, params ? n_pushes++ : n_answers++);
        json_decref(value);
    }
    close_site(site);
}

/*
 * What belongs to a peer, and goes with it
 */

static void count_release(void *user)
{
    suite_desk *desk = user;

    desk_count(desk, &desk->n_told);
}

static void set_user(suite_place *site, void *user)
{
    jrpc_peer_set_user(site->peers[0], user, count_release);
    if (jrpc_peer_user(site->peers[0]) != user)
        abort();
}

/* From now on only the server and what it holds need the peer. */
static void let_go_of_peer(suite_place *site)
{
    jrpc_peer_unref(site->peers[0]);
    for (size_t i = 1; i < site->n_peers; i++)
        site->peers[i - 1] = site->peers[i];
    site->n_peers--;
}

static void user_is_released_when_it_is_replaced_and_at_the_end(void **state)
{
    suite_place *site = open_site(state, NULL);
    suite_desk *desk = &site->desk;

    connect_client(site, 0);
    expect_echo(site, 0, 1);
    assert_null(jrpc_peer_user(site->peers[0]));
    on_loop(site, set_user, desk);
    assert_int_equal(desk_read(desk, &desk->n_told), 0);
    on_loop(site, set_user, desk);
    assert_int_equal(desk_read(desk, &desk->n_told), 1);
    jrpc_peer_close(site->peers[0]);
    desk_wait_for(desk, &desk->n_closed, 1, "the peer's end");
    try_on_loop(site, do_nothing, NULL);
    assert_int_equal(desk_read(desk, &desk->n_told), 1); /* we still have it */
    let_go_of_peer(site);
    await_count(site, n_told, 2);
    begin_stop(site);
    desk_wait_for(desk, &desk->n_stopped, 1, "the end");
    assert_int_equal(desk_read(desk, &desk->n_told), 2);
    close_site(site);
}

static void user_is_released_once_its_last_call_ends(void **state)
{
    suite_place *site = open_site(state, NULL);
    suite_desk *desk = &site->desk;

    connect_client(site, 0);
    expect_echo(site, 0, 1);
    on_loop(site, set_user, desk);
    send_text(site, 0, CALL("hold", "[]", "1"));
    jrpc_call *held = desk_take(desk);
    assert_ptr_equal(jrpc_peer_user(jrpc_call_peer(held)), desk);
    jrpc_peer_close(site->peers[0]);
    desk_wait_for(desk, &desk->n_closed, 1, "the peer's end");
    let_go_of_peer(site);
    try_on_loop(site, do_nothing, NULL);
    assert_int_equal(desk_read(desk, &desk->n_told), 0);
    assert_ptr_equal(jrpc_peer_user(jrpc_call_peer(held)), desk);
    assert_int_equal(jrpc_reply_null(held), -EPIPE);
    jrpc_call_free(held);
    await_count(site, n_told, 1);
    close_site(site);
}

static void closed_peer_leaves_its_topics_at_once(void **state)
{
    suite_place *site = open_site(state, NULL);
    suite_desk *desk = &site->desk;
    jrpc_topic *topics[3] = {NULL};

    skip_unless(site, site->link->has_push);
    connect_client(site, 0);
    expect_echo(site, 0, 1);
    connect_client(site, 1);
    expect_echo(site, 1, 1);
    on_loop(site, set_user, desk);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(jrpc_topic_new(site->at.server, &topics[i]), 0);
        assert_int_equal(jrpc_topic_add(topics[i], site->peers[0]), 0);
        assert_int_equal(jrpc_topic_add(topics[i], site->peers[1]), 0);
    }
    assert_int_equal(jrpc_topic_remove(topics[1], site->peers[0]), 0);
    jrpc_peer_close(site->peers[0]);
    let_go_of_peer(site);
    await_count(site, n_told, 1); /* nobody has it any more */
    for (int i = 0; i < 3; i++) {
        assert_int_equal(jrpc_topic_notify(topics[i], "x", NULL), 1);
        expect(site, 1, "{\"jsonrpc\":\"2.0\",\"method\":\"x\"}");
        jrpc_topic_free(topics[i]);
    }
    close_site(site);
}

static void topic_outlives_its_members_and_the_server(void **state)
{
    suite_place *site = open_site(state, NULL);
    jrpc_topic *topic = NULL;

    skip_unless(site, site->link->has_push);
    connect_client(site, 0);
    expect_echo(site, 0, 1);
    assert_int_equal(jrpc_topic_new(site->at.server, &topic), 0);
    assert_int_equal(jrpc_topic_add(topic, site->peers[0]), 0);
    begin_stop(site);
    desk_wait_for(&site->desk, &site->desk.n_stopped, 1, "the end");
    assert_int_equal(jrpc_topic_notify(topic, "x", NULL), 0);
    jrpc_server_free(site->at.server);
    site->at.server = NULL;
    assert_int_equal(jrpc_topic_notify(topic, "x", NULL), 0);
    jrpc_topic_remove(topic, site->peers[0]);
    jrpc_topic_free(topic);
    close_site(site);
}

int run_push_suite(const suite_link *link)
{
    const struct CMUnitTest tests[] = {
        CASE(notification_never_lands_in_an_answer),
        CASE(full_queue_refuses_a_notification),
        CASE(topic_notifies_its_members),
        CASE(notifications_keep_their_order),
        CASE(user_is_released_when_it_is_replaced_and_at_the_end),
        CASE(user_is_released_once_its_last_call_ends),
        CASE(closed_peer_leaves_its_topics_at_once),
        CASE(topic_outlives_its_members_and_the_server),
    };

    return RUN_CASES(tests);
}
