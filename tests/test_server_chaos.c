/* SPDX-License-Identifier: MIT */
/*
 * test_server_chaos.c - every allocation of a server fails once, and once with all that follow
 *
 * Over the memory transport and over sockets. The allocations of the client are left alone.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "chaos_place.h"

enum { FAILURES_MAX = 3000, HANG_S = 60 };

static void call_at_once(chaos_place *place)
{
    chaos_client *client = chaos_connect(place, 0);

    SEND(client, 1, "echo", "[{\"a\":[1]}]", RESULT("{\"a\":[1]}", 1));
    SEND(client, 2, "absent", "[]", ERROR(-32601, "Method not found", 2));
    SEND(client, 3, "echo", "{\"x\":1}", ERROR(-32602, "Invalid params", 3));
    chaos_send(client, "{", 1);
    EXPECT(client, 4, RESULT("4", 4));
    EXPECT(client, 5, RESULT("5", 5));
    chaos_send(
        client,
        "[" CALL("echo", "[4]", 4) "," NOTIFICATION("count", "[]") "," CALL("echo", "[5]", 5) "]",
        1);
    chaos_send(client, NOTIFICATION("count", "[]"), 0);
    SEND(client, 6, "big", "[3]", RESULT("\"xxx\"", 6));
    chaos_expect_answers(place, client);
}

static void call_for_later(chaos_place *place)
{
    chaos_client *client = chaos_connect(place, 0);

    SEND(client, 1, "hold", "[]", RESULT("7", 1));
    EXPECT(client, 2, RESULT("7", 2));
    EXPECT(client, 3, RESULT("3", 3));
    EXPECT(client, 4, RESULT("8", 4));
    chaos_send(client,
               "[" CALL("hold", "[]", 2) "," CALL("echo", "[3]", 3) "," CALL("work", "[]", 4) "]",
               1);
    chaos_send(client, NOTIFICATION("hold", "[]"), 0);
    SEND(client, 5, "work", "[]", RESULT("8", 5));
    SEND(client, 6, "work", "[]", RESULT("8", 6));
    chaos_send(client, NOTIFICATION("work", "[]"), 0);
    chaos_expect_answers(place, client);
}

static void call_and_cancel(chaos_place *place)
{
    chaos_client *client = chaos_connect(place, 0);

    SEND(client, 1, "keep", "[]", ERROR(-32800, "Request cancelled", 1));
    SEND(client, 2, "keep_shortly", "[]", ERROR(-32001, "Timed out", 2));
    EXPECT(client, 3, ERROR(-32800, "Request cancelled", 3));
    EXPECT(client, 4, RESULT("4", 4));
    chaos_send(client, "[" CALL("keep", "[]", 3) "," CALL("echo", "[4]", 4) "]", 1);
    chaos_send(client, CANCEL(3), 0);
    chaos_send(client, CANCEL(1), 0);
    chaos_expect_answers(place, client);
}

/* With three calls in flight all others wait. */
static void call_more_than_pending_max(chaos_place *place)
{
    chaos_client *client = chaos_connect(place, 0);

    SEND(client, 0, "keep", "[]", ERROR(-32800, "Request cancelled", 0));
    SEND(client, 1, "keep", "[]", ERROR(-32800, "Request cancelled", 1));
    SEND(client, 2, "keep", "[]", ERROR(-32800, "Request cancelled", 2));
    SEND(client, 3, "hold", "[]", RESULT("7", 3));
    /* If it is not held before it is cancelled, for want of memory, it may be answered. */
    SEND(client, 4, "keep_shortly", "[]", ERROR(-32800, "Request cancelled", 4));
    EXPECT(client, 5, ERROR(-32800, "Request cancelled", 5));
    EXPECT(client, 6, RESULT("6", 6));
    chaos_send(client, "[" CALL("keep", "[]", 5) "," CALL("echo", "[6]", 6) "]", 1);
    SEND(client, 7, "echo", "[7]", RESULT("7", 7));
    chaos_send(client, CANCEL(4), 0);
    chaos_send(client, CANCEL(5), 0);
    chaos_send(client, CANCEL(0), 0);
    chaos_send(client, CANCEL(1), 0);
    chaos_send(client, CANCEL(2), 0);
    chaos_expect_answers(place, client);
}

static void push(chaos_place *place)
{
    chaos_client *client = chaos_connect(place, 0);
    jrpc_topic *topic = NULL;

    SEND(client, 1, "notify", "[]", RESULT("0", 1));
    chaos_expect_answers(place, client);
    chaos_spare(false);
    int status = jrpc_topic_new(place->server, &topic);
    if (!status && place->peers[0])
        status = jrpc_topic_add(topic, place->peers[0]);
    if (!status || status == -EPIPE)
        status = jrpc_topic_notify(topic, "x", json_pack("[s]", "text"));
    if (status >= 0 && place->peers[0])
        status = jrpc_peer_notify(place->peers[0], "y", NULL);
    chaos_spare(true);
    if (status < 0 && status != -ENOMEM && status != -EPIPE && status != -EILSEQ)
        CHAOS_FAIL(place, "notifying gave %d", status);
    SEND(client, 2, "echo", "[2]", RESULT("2", 2));
    chaos_expect_answers(place, client);
    jrpc_topic_free(topic);
}

/* On the loop. */
static void swap(jrpc_server *server, void *user)
{
    chaos_place *place = user;
    jrpc_service *service = NULL;

    (void)server;
    int status = jrpc_service_new(NULL, &service);
    if (!status)
        status = jrpc_service_add_table(service, chaos_methods, &place->desk);
    if (!status && place->listeners[0])
        status = jrpc_listener_set_service(place->listeners[0], service);
    if (status && status != -ENOMEM)
        abort();
    jrpc_service_free(service);
}

static void swap_the_service(chaos_place *place)
{
    chaos_client *client = chaos_connect(place, 0);

    SEND(client, 1, "hold", "[]", RESULT("7", 1));
    chaos_spare(false);
    int status = jrpc_server_post(place->server, swap, place);
    chaos_spare(true);
    /* -EPIPE: it is over, as below. */
    if (status && status != -ENOMEM && status != -EPIPE)
        CHAOS_FAIL(place, "posting gave %d", status);
    SEND(client, 2, "hold", "[]", RESULT("7", 2));
    SEND(client, 3, "echo", "[3]", RESULT("3", 3));
    chaos_expect_answers(place, client);
}

/* On the loop. */
static void move(jrpc_server *server, void *user)
{
    chaos_place *place = user;
    int status = chaos_listen(place, 1, NULL);

    (void)server;
    /* -EBUSY: it is over, for its only peer was dropped and the listener went with it. */
    if (status && status != -ENOMEM && status != -EBUSY)
        abort();
    jrpc_listener_close(place->listeners[0]); /* if it is still there */
    place->desk.closed_reason = status;
    desk_count(&place->desk, &place->desk.n_counted);
}

static void move_to_another_listener(chaos_place *place)
{
    chaos_client *client = chaos_connect(place, 0);

    SEND(client, 1, "hold", "[]", RESULT("7", 1));
    chaos_expect_answers(place, client);
    chaos_spare(false);
    int status = jrpc_server_post(place->server, move, place);
    chaos_spare(true);
    if (status)
        return;
    desk_wait_for(&place->desk, &place->desk.n_counted, 1, "the other listener");
    SEND(client, 2, "echo", "[2]", ERROR(-32000, "Server busy", 2));
    chaos_expect_answers(place, client);
    if (place->desk.closed_reason)
        return;
    chaos_client *second = chaos_connect(place, 1);
    SEND(second, 1, "hold", "[]", RESULT("7", 1));
    chaos_expect_answers(place, second);
}

static void close_the_peer(chaos_place *place)
{
    chaos_client *client = chaos_connect(place, 0);

    SEND(client, 1, "hold", "[]", RESULT("7", 1));
    chaos_expect_answers(place, client);
    SEND(client, 2, "close_peer", "[]", RESULT("null", 2));
    chaos_expect_answers(place, client);
    client->n_due += client->is_answered[2] && !client->codes[2]; /* it hangs up instead */
    chaos_expect_answers(place, client);
    if (client->is_answered[2] && !client->codes[2] && !client->is_gone)
        CHAOS_FAIL(place, "the peer was not closed");
}

static void stop_with_calls_in_flight(chaos_place *place)
{
    chaos_client *client = chaos_connect(place, 0);

    SEND(client, 1, "keep", "[]", ERROR(-32001, "Timed out", 1));
    SEND(client, 2, "work", "[]", RESULT("8", 2));
    SEND(client, 3, "hold", "[]", RESULT("7", 3));
    SEND(client, 4, "stop", "[]", RESULT("0", 4));
    SEND(client, 5, "echo", "[]", ERROR(-32602, "Invalid params", 5));
    chaos_expect_answers(place, client);
}

static const struct {
    const char *name;
    void (*run)(chaos_place *place);
} scenarios[] = {
    {"call at once", call_at_once},
    {"call for later", call_for_later},
    {"call and cancel", call_and_cancel},
    {"call more than pending_max", call_more_than_pending_max},
    {"push", push},
    {"swap the service", swap_the_service},
    {"move to another listener", move_to_another_listener},
    {"close the peer", close_the_peer},
    {"stop with calls in flight", stop_with_calls_in_flight},
};

static chaos_place place; /* outlives a failed assertion */

static void tell_hang(int number)
{
    char text[128];
    int len = snprintf(text, sizeof(text), "hangs: signal %d, allocation %u, %s\n", number, place.n,
                       place.is_memory ? "memory" : "fd");

    if (write(STDERR_FILENO, text, (size_t)len) > 0)
        abort();
}

/* The number of allocations there were. */
static unsigned run_once(size_t i, bool is_memory, bool has_codec, unsigned n, bool is_lasting)
{
    const jrpc_listen_options options = {.size = sizeof(options),
                                         .codec = has_codec ? jrpc_codec_jansson() : NULL};

    memset(&place, 0, sizeof(place));
    place.is_memory = is_memory;
    place.n = n;
    alarm(HANG_S);
    chaos_begin(n, is_lasting);
    bool is_open = chaos_open(&place, &options);
    if (is_open)
        scenarios[i].run(&place);
    chaos_close(&place, is_open);
    return chaos_end();
}

static void run_all(bool is_memory, bool has_codec, bool is_lasting)
{
    for (size_t i = 0; i < sizeof(scenarios) / sizeof(*scenarios); i++) {
        unsigned n = 0;

        print_message("%s\n", scenarios[i].name);
        run_once(i, is_memory, has_codec, 0, false);
        do {
            n++;
            assert_true(n < FAILURES_MAX);
        } while (run_once(i, is_memory, has_codec, n, is_lasting) >= n);
        assert_true(n > 10);
    }
}

static void one_allocation_fails_over_memory(void **state)
{
    (void)state;
    run_all(/* is_memory */ true, /* has_codec */ false, /* is_lasting */ false);
}

static void all_further_allocations_fail_over_memory(void **state)
{
    (void)state;
    run_all(/* is_memory */ true, /* has_codec */ false, /* is_lasting */ true);
}

static void one_allocation_fails_with_a_codec(void **state)
{
    (void)state;
    run_all(/* is_memory */ true, /* has_codec */ true, /* is_lasting */ false);
}

static void one_allocation_fails_over_a_socket(void **state)
{
    (void)state;
    run_all(/* is_memory */ false, /* has_codec */ false, /* is_lasting */ false);
}

static void all_further_allocations_fail_over_a_socket(void **state)
{
    (void)state;
    run_all(/* is_memory */ false, /* has_codec */ false, /* is_lasting */ true);
}

/* The application's loop has nothing of a server that there was no memory for. */
static void regression_server_that_cannot_be_made_leaves_no_handle(void **state)
{
    jrpc_options *options = NULL;
    unsigned n = 0, n_allocations;

    (void)state;
    assert_int_equal(jrpc_options_new(&options), 0);
    assert_int_equal(jrpc_options_set(options, "metrics", "yes"), 0);
    alarm(HANG_S);
    do {
        jrpc_server *server = NULL;
        uv_loop_t loop;
        assert_int_equal(uv_loop_init(&loop), 0);
        chaos_begin(++n, false);
        chaos_spare(false);
        int status = jrpc_server_new(options, &loop, &server);
        chaos_spare(true);
        n_allocations = chaos_end();
        assert_int_equal(status, n_allocations >= n ? -ENOMEM : 0);
        if (server)
            assert_int_equal(jrpc_server_stop(server, NULL, NULL), 0);
        uv_run(&loop, UV_RUN_DEFAULT);
        jrpc_server_free(server);
        assert_int_equal(uv_loop_close(&loop), 0);
    } while (n_allocations >= n);
    assert_true(n > 3);
    jrpc_options_free(options);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_allocation_fails_over_memory),
        cmocka_unit_test(all_further_allocations_fail_over_memory),
        cmocka_unit_test(one_allocation_fails_with_a_codec),
        cmocka_unit_test(one_allocation_fails_over_a_socket),
        cmocka_unit_test(all_further_allocations_fail_over_a_socket),
        cmocka_unit_test(regression_server_that_cannot_be_made_leaves_no_handle),
    };

    chaos_prepare(argc > 1 ? argv[1] : NULL, tell_hang);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
