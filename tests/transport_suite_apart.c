/* SPDX-License-Identifier: MIT */
/*
 * transport_suite_apart.c - the behaviour that every transport must show: limits of one listener
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "suite_place.h"

static jrpc_options *new_limits(const char *const pairs[])
{
    jrpc_options *limits = NULL;

    assert_int_equal(jrpc_options_new(&limits), 0);
    set_options(limits, pairs);
    return limits;
}

/* A server of these options, a listener for each peer with these limits. */
static suite_place *open_limited(void **state, const char *const options[],
                                 const char *const first[], const char *const second[])
{
    jrpc_options *limits[] = {new_limits(first), new_limits(second)};
    const jrpc_listen_options listen[] = {{.size = sizeof(*listen), .limits = limits[0]},
                                          {.size = sizeof(*listen), .limits = limits[1]}};
    suite_place *site = open_site_with(
        state, &(suite_setup){.options = options, .listen = {&listen[0], &listen[1]}});

    for (size_t i = 0; i < 2; i++) {
        site->at.options[i] = NULL;
        jrpc_options_free(limits[i]); /* they were copied */
    }
    skip_unless_apart(site);
    connect_client(site, 0);
    connect_client(site, 1);
    return site;
}

static void listeners_limits_override_the_servers(void **state)
{
    static const char *const options[] = {
        "message_max", "1000", "batch_max", "3", "reply_max", "600", "values_max", "20", NULL};
    static const char *const small[] = {"message_max", "200",        "batch_max", "1", "reply_max",
                                        "300",         "values_max", "12",        NULL};
    static const char *const none[] = {NULL};
    static const struct {
        const char *sent;
        const char *small, *none; /* what is answered */
    } rows[] = {
        {CALL("big", "[5]", "1"), RESULT("\"xxxxx\"", "1"), RESULT("\"xxxxx\"", "1")},
        {CALL("big", "[700]", "2"), ERROR(-32003, "Reply too large", "2"),
         ERROR(-32003, "Reply too large", "2")},
        {CALL("big", "[400]", "3"), ERROR(-32003, "Reply too large", "3"), NULL /* long */},
        {"[" CALL("echo", "[1]", "1") "," CALL("echo", "[2]", "2") "]",
         ERROR(-32004, "Batch too large", "null"), "[" RESULT("1", "1") "," RESULT("2", "2") "]"},
        {CALL("echo", "[[1,2,3,4,5]]", "5"), RESULT("[1,2,3,4,5]", "5"),
         RESULT("[1,2,3,4,5]", "5")},
        {CALL("echo", "[[1,2,3,4,5,6,7,8,9]]", "6"), TOO_LARGE("null"),
         RESULT("[1,2,3,4,5,6,7,8,9]", "6")},
    };
    suite_place *site = open_limited(state, options, small, none);
    char text[301];

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        send_text(site, 0, rows[i].sent);
        expect(site, 0, rows[i].small);
        send_text(site, 1, rows[i].sent);
        if (rows[i].none)
            expect(site, 1, rows[i].none);
        else
            json_decref(receive(site, 1));
    }
    memset(text, ' ', 300);
    memcpy(text, "[]", 2);
    text[300] = '\0';
    if (!site->link->hangs_up_on_too_large) {
        send_text(site, 0, text);
        expect(site, 0, TOO_LARGE("null"));
    }
    send_text(site, 1, text);
    expect(site, 1, ERROR(-32600, "Invalid Request", "null"));
    expect_echo(site, 1, 2);
    close_site(site);
}

static void listeners_limits_may_be_wider_than_the_servers(void **state)
{
    static const char *const options[] = {"message_max", "200", "depth_max", "5",
                                          "reply_max",   "100", NULL};
    static const char *const wider[] = {"message_max", "4000", "depth_max", "50",
                                        "reply_max",   "4000", NULL};
    static const char *const none[] = {NULL};
    suite_place *site = open_limited(state, options, none, wider);

    send_text(site, 1, CALL("echo", "[[[[[[[[1]]]]]]]]", "1"));
    expect(site, 1, RESULT("[[[[[[[1]]]]]]]", "1"));
    send_text(site, 0, CALL("echo", "[[[[[[[[1]]]]]]]]", "1"));
    json_t *refusal = receive(site, 0);
    assert_non_null(json_object_get(refusal, "error"));
    json_decref(refusal);
    send_text(site, 1, CALL("big", "[3000]", "2"));
    json_t *value = receive(site, 1);
    assert_int_equal(json_string_length(json_object_get(value, "result")), 3000);
    json_decref(value);
    close_site(site);
}

static void listeners_limit_what_their_peers_have_in_flight(void **state)
{
    static const char *const one[] = {"pending_max", "1", NULL};
    static const char *const two[] = {"pending_max", "2", NULL};
    suite_place *site = open_limited(state, NULL, one, two);
    jrpc_call *held[3];

    skip_unless(site, !site->link->is_shared);
    for (size_t i = 0; i < 2; i++) {
        send_text(site, i, CALL("hold", "[]", "1"));
        held[i] = desk_take(&site->desk);
    }
    send_text(site, 1, CALL("hold", "[]", "2"));
    held[2] = desk_take(&site->desk); /* the second may have two */
    send_text(site, 0, CALL("hold", "[]", "2"));
    send_text(site, 0, CANCEL("2")); /* it waits, else it would have been taken */
    expect(site, 0, CANCELLED("2"));
    assert_int_equal(stat_of(site, "in_flight"), 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(jrpc_reply_integer(held[i], (int64_t)i), 0);
        jrpc_call_free(held[i]);
    }
    expect(site, 0, RESULT("0", "1"));
    expect(site, 1, RESULT("1", "1"));
    expect(site, 1, RESULT("2", "2"));
    close_site(site);
}

/* So many bytes of messages that wait, then the peer is not read any more. */
static void listeners_limit_what_waits_of_their_peers(void **state)
{
    enum { N = 100 }; /* sockets take so many without being read */
    static const char *const options[] = {"pending_max", "1", "inbox_max", "1M", NULL};
    static const char *const small[] = {"inbox_max", "2000", NULL};
    static const char *const none[] = {NULL};
    suite_place *site = open_limited(state, options, small, none);
    char text[128];

    skip_unless(site, !site->link->is_shared);
    for (size_t i = 0; i < 2; i++) {
        expect_echo(site, i, 1); /* so that it is the first peer, then the second */
        send_text(site, i, CALL("hold", "[]", "0"));
    }
    AWAIT(stat_of(site, "in_flight") == 2);
    for (size_t i = 0; i < 2; i++)
        for (int k = 1; k < N; k++) {
            snprintf(text, sizeof(text), CALL("echo", "[%d]", "%d"), k, k);
            send_text(site, i, text);
        }
    /* All of the second's wait in its inbox; of the first's only the part that fits. */
    AWAIT(stat_of(site, "memory_held") > N * 40 + 2000);
    send_text(site, 1, CANCEL("0")); /* is read: that peer goes on */
    expect(site, 1, CANCELLED("0"));
    for (int k = 1; k < N; k++) {
        snprintf(text, sizeof(text), RESULT("%d", "%d"), k, k);
        expect(site, 1, text);
    }
    AWAIT(stat_of(site, "memory_held") <= 4000); /* the answers have gone */
    assert_true(stat_of(site, "memory_held") >= 2000);
    for (size_t i = 0; i < 2; i++)
        jrpc_call_free(desk_take(&site->desk));
    expect(site, 0, ERROR(-32603, "Internal error", "0"));
    for (int k = 1; k < N; k++) {
        snprintf(text, sizeof(text), RESULT("%d", "%d"), k, k);
        expect(site, 0, text);
    }
    await_stat(site, "memory_held", 0);
    close_site(site);
}

static void listeners_limit_their_calls_time(void **state)
{
    static const char *const shortly[] = {"call_timeout_ms", "3", NULL};
    static const char *const none[] = {NULL};
    suite_place *site = open_limited(state, NULL, shortly, none);

    send_text(site, 1, CALL("hold", "[]", "1"));
    jrpc_call *second = desk_take(&site->desk);
    send_text(site, 0, CALL("hold", "[]", "1"));
    jrpc_call *first = desk_take(&site->desk);
    expect(site, 0, TIMED_OUT("1"));
    assert_int_equal(jrpc_reply_integer(first, 1), -ECANCELED);
    assert_int_equal(jrpc_reply_integer(second, 2), 0);
    expect(site, 1, RESULT("2", "1"));
    jrpc_call_free(first);
    jrpc_call_free(second);
    close_site(site);
}

static void listeners_limit_what_is_pushed_to_their_peers(void **state)
{
    static const char *const small[] = {"queue_max", "1000", NULL};
    static const char *const none[] = {NULL};
    suite_place *site = open_limited(state, NULL, small, none);
    jrpc_topic *topic = NULL;
    char text[2001];

    skip_unless(site, site->link->has_push);
    memset(text, 'x', 2000);
    text[2000] = '\0';
    expect_echo(site, 0, 1);
    expect_echo(site, 1, 1);
    assert_int_equal(jrpc_topic_new(site->at.server, &topic), 0);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(jrpc_topic_add(topic, site->peers[i]), 0);
    assert_int_equal(jrpc_topic_notify(topic, "x", json_pack("[s]", text)), 1);
    json_t *pushed = receive(site, 1);
    assert_non_null(json_object_get(pushed, "params"));
    json_decref(pushed);
    assert_int_equal(jrpc_topic_notify(topic, "y", NULL), 2);
    expect(site, 0, "{\"jsonrpc\":\"2.0\",\"method\":\"y\"}");
    expect(site, 1, "{\"jsonrpc\":\"2.0\",\"method\":\"y\"}");
    jrpc_topic_free(topic);
    close_site(site);
}

static void limits_of_a_listener_outlive_a_swap_of_its_service(void **state)
{
    static const char *const small[] = {"reply_max", "300", NULL};
    static const char *const none[] = {NULL};
    suite_place *site = open_limited(state, NULL, small, none);
    jrpc_service *other = new_service(NULL, suite_methods, &site->desk);

    on_loop(site, set_service, other);
    jrpc_service_free(other);
    send_text(site, 0, CALL("big", "[400]", "1"));
    expect(site, 0, ERROR(-32003, "Reply too large", "1"));
    send_text(site, 1, CALL("big", "[400]", "1"));
    json_t *value = receive(site, 1);
    assert_int_equal(json_string_length(json_object_get(value, "result")), 400);
    json_decref(value);
    close_site(site);
}

static void listener_has_its_own_peers_max(void **state)
{
    static const char *const one[] = {"peers_max", "1", NULL};
    jrpc_options *limits = new_limits(one);
    const jrpc_listen_options listen = {.size = sizeof(listen), .limits = limits};

    suite_place *site = open_site_with(state, &(suite_setup){.listen = {&listen, &listen}});

    jrpc_options_free(limits);
    skip_unless(site, site->at.n_listened == 1 && site->link->can_be_refused);
    connect_client(site, 0);
    expect_echo(site, 0, 1);
    connect_client(site, 1);
    expect(site, 1, NULL);
    close_client(site, 1);
    close_client(site, 0);
    desk_wait_for(&site->desk, &site->desk.n_closed, 1, "the peer's end");
    connect_client(site, 1);
    expect_echo(site, 1, 2);
    close_site(site);
}

int run_apart_suite(const suite_link *link)
{
    const struct CMUnitTest tests[] = {
        CASE(listeners_limits_override_the_servers),
        CASE(listeners_limits_may_be_wider_than_the_servers),
        CASE(listeners_limit_what_their_peers_have_in_flight),
        CASE(listeners_limit_what_waits_of_their_peers),
        CASE(listeners_limit_their_calls_time),
        CASE(listeners_limit_what_is_pushed_to_their_peers),
        CASE(limits_of_a_listener_outlive_a_swap_of_its_service),
        CASE(listener_has_its_own_peers_max),
    };

    return RUN_CASES(tests);
}
