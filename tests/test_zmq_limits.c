/* SPDX-License-Identifier: MIT */
/*
 * test_zmq_limits.c - ZeroMQ endpoints under load: what is large, what is many, who does not read
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "zmq_place.h"

#define TCP "zmq+tcp://127.0.0.1:0"

/* The next message is a payload alone, NUL-terminated, to be freed. */
static char *receive_payload(void *socket)
{
    zmq_msg_t frame;

    zmq_msg_init(&frame);
    if (zmq_msg_recv(&frame, socket, 0) < 0)
        fail_msg("waited in vain for a message: %s", zmq_strerror(errno));
    assert_false(zmq_msg_more(&frame));
    char *text = strndup(zmq_msg_data(&frame), zmq_msg_size(&frame));
    assert_non_null(text);
    assert_int_equal(strlen(text), zmq_msg_size(&frame));
    zmq_msg_close(&frame);
    return text;
}

/* The id of the next answer, which has so many letters in the right order. */
static int expect_big(void *socket, size_t len)
{
    char *text = receive_payload(socket);
    const char head[] = "{\"jsonrpc\":\"2.0\",\"result\":\"", *at = text + sizeof(head) - 1;
    int id = -1;

    if (strncmp(text, head, sizeof(head) - 1) != 0)
        fail_msg("got %.200s", text);
    for (size_t i = 0; i < len; i++)
        if (at[i] != (char)('a' + i % 26))
            fail_msg("byte %zu of %zu is %d", i, len, at[i]);
    assert_int_equal(sscanf(at + len, "\",\"id\":%d}", &id), 1);
    free(text);
    return id;
}

static void send_big(void *socket, size_t len, int id)
{
    char text[128];

    snprintf(text, sizeof(text), CALL("big", "[%zu]", "%d"), len, id);
    send_message(socket, text);
}

/* Copied up to 16 KiB, handed over beyond. */
static void large_answers_arrive_whole(void **state)
{
    static const size_t lens[] = {1,     16000, 16340, 16341,  16342,   16343, 16344,
                                  16345, 16384, 17000, 100000, 5000000, 10};
    enum { N_LENS = sizeof(lens) / sizeof(*lens) };
    zmq_place *place = open_place(TCP, NULL);
    void *dealer = connect_socket(place, ZMQ_DEALER);

    (void)state;
    for (int i = 0; i < N_LENS; i++)
        send_big(dealer, lens[i], i);
    for (int i = 0; i < N_LENS; i++)
        assert_int_equal(expect_big(dealer, lens[i]), i);
    zmq_close(dealer);
    close_place(place);
}

static void send_blanks(void *socket, size_t len)
{
    char *text = malloc(len);

    assert_non_null(text);
    memset(text, ' ', len);
    assert_int_equal(zmq_send(socket, text, len, 0), len);
    free(text);
}

/* Somewhat too large: answered; far too large: hung up before it is in memory. */
static void too_large_messages_are_answered_or_cut(void **state)
{
    static const char *const options[] = {"message_max", "1000", NULL};
    zmq_place *place = open_place(TCP, options);
    void *dealer = connect_socket(place, ZMQ_DEALER);

    (void)state;
    send_blanks(dealer, 1000);
    expect_message(dealer, UNREADABLE);
    send_blanks(dealer, 1001);
    expect_message(dealer, ERROR(-32002, "Request too large", "null"));
    send_blanks(dealer, 2 * 1000 + 64 * 1024);
    expect_message(dealer, ERROR(-32002, "Request too large", "null"));
    assert_int_equal(place->desk.n_closed, 0);
    send_blanks(dealer, 2 * 1000 + 64 * 1024 + 1);
    desk_wait_for(&place->desk, &place->desk.n_closed, 1, "the peer's end");
    expect_pong(dealer); /* it has connected again, as another */
    assert_int_equal(place->desk.n_opened, 2);
    zmq_close(dealer);
    close_place(place);
}

enum { N_PIPELINED = 10000, PIPELINED_BYTES = 10000 };

/* A peer that sends and never reads: what it takes is limited, and others do not notice. */
static void reader_of_nothing_is_dropped_past_queue_max(void **state)
{
    static const char *const options[] = {"queue_max", "1M", NULL};
    zmq_place *place = open_place(TCP "?sndhwm=10", options);
    void *deaf = new_socket(place, ZMQ_DEALER), *other = connect_socket(place, ZMQ_DEALER);
    json_int_t held_max = 0;

    (void)state;
    set_socket(deaf, ZMQ_RCVHWM, 1);
    set_socket(deaf, ZMQ_SNDHWM, N_PIPELINED);
    assert_int_equal(zmq_connect(deaf, place->endpoint), 0);
    for (int i = 0; i < N_PIPELINED; i++) {
        send_big(deaf, PIPELINED_BYTES, i);
        if (i % 500)
            continue;
        expect_pong(other);
        json_int_t held = stat_of(place, "memory_held");
        held_max = held > held_max ? held : held_max;
    }
    desk_wait_for(&place->desk, &place->desk.n_closed, 1, "the peer's end");
    assert_int_equal(place->desk.closed_reason, -ENOBUFS);
    assert_in_range(held_max, 1, 1024 * 1024 + 64 * 1024);
    expect_pong(other);
    zmq_close(deaf);
    zmq_close(other);
    close_place(place);
}

/* Nothing is lost and the order kept while a peer's queue fills and empties. */
static void slow_reader_gets_everything(void **state)
{
    enum { N_CALLS = 3000 };
    zmq_place *place = open_place(TCP "?sndhwm=2", NULL);
    void *slow = new_socket(place, ZMQ_DEALER), *other = connect_socket(place, ZMQ_DEALER);

    (void)state;
    set_socket(slow, ZMQ_RCVHWM, 1);
    set_socket(slow, ZMQ_RCVBUF, 4096);
    set_socket(slow, ZMQ_SNDHWM, N_CALLS);
    assert_int_equal(zmq_connect(slow, place->endpoint), 0);
    for (int i = 0; i < N_CALLS; i++)
        send_big(slow, 2000, i);
    while (stat_of(place, "memory_held") == 0) /* until it is blocked */
        continue;
    for (int i = 0; i < N_CALLS; i++) {
        assert_int_equal(expect_big(slow, 2000), i);
        if (i % 1000 == 0)
            expect_pong(other);
    }
    while (stat_of(place, "memory_held"))
        continue;
    zmq_close(slow);
    zmq_close(other);
    close_place(place);
}

/* Clients of a broker that come once and never again. */
static void idle_peers_are_forgotten_and_busy_ones_are_not(void **state)
{
    enum { N_CLIENTS = 5000 };
    zmq_place *place = new_place(NULL);
    void *broker = new_socket(place, ZMQ_DEALER);
    char text[256], endpoint[128];
    size_t size = sizeof(endpoint);

    (void)state;
    assert_int_equal(zmq_bind(broker, "tcp://127.0.0.1:*"), 0);
    assert_int_equal(zmq_getsockopt(broker, ZMQ_LAST_ENDPOINT, endpoint, &size), 0);
    snprintf(text, sizeof(text), "zmq+%s?connect=yes", endpoint);
    assert_int_equal(jrpc_server_listen(place->server, place->service, text, NULL, NULL), 0);
    assert_int_equal(jrpc_server_start(place->server), 0);
    send_message(broker, "busy||" CALL("hold", "[]", "1"));
    for (int i = 0; i < N_CLIENTS; i++) {
        snprintf(text, sizeof(text), "client %d||" PING, i);
        send_message(broker, text);
        snprintf(text, sizeof(text), "client %d||" PONG, i);
        expect_message(broker, text);
    }
    assert_int_equal(stat_of(place, "peers_opened"), N_CLIENTS + 1);
    assert_in_range(stat_of(place, "peers"), 1000, 1100);
    jrpc_call *held = desk_take(&place->desk);
    assert_int_equal(jrpc_reply_integer(held, 7), 0);
    jrpc_call_free(held);
    expect_message(broker, "busy||" RESULT("7", "1"));
    zmq_close(broker);
    close_place(place);
}

enum { N_LAST = 2000, LAST_BYTES = 10000 };

static void answers_that_are_last_are_delivered(void **state)
{
    static const char *const options[] = {"pending_max", "4000", "queue_max", "100M", NULL};
    zmq_place *place = open_place(TCP, options);
    void *dealer = connect_socket(place, ZMQ_DEALER);
    static jrpc_call *held[N_LAST];
    char text[LAST_BYTES + 1];

    (void)state;
    for (size_t i = 0; i < LAST_BYTES; i++)
        text[i] = (char)('a' + i % 26);
    text[LAST_BYTES] = '\0';
    for (int i = 0; i < N_LAST; i++) {
        char call[128];
        snprintf(call, sizeof(call), CALL("hold", "[]", "%d"), i);
        send_message(dealer, call);
    }
    for (int i = 0; i < N_LAST; i++)
        held[i] = desk_take(&place->desk);
    for (int i = 0; i < N_LAST; i++) {
        if (i == N_LAST / 2) /* so that the rest is answered while it stops */
            assert_int_equal(jrpc_server_stop(place->server, NULL, NULL), 0);
        assert_int_equal(jrpc_reply_stringn(held[i], text, LAST_BYTES), 0);
        jrpc_call_free(held[i]);
    }
    /* Nothing was read yet: libzmq and the kernel have much of it when the listener is closed. */
    desk_wait_for(&place->desk, &place->desk.n_closed, 1, "the peer's end");
    for (int i = 0; i < N_LAST; i++)
        assert_int_equal(expect_big(dealer, LAST_BYTES), i);
    zmq_close(dealer);
    close_place(place);
}

static void closing_waits_for_nobody_longer_than_drain_ms(void **state)
{
    static const char *const options[] = {"drain_ms", "20", NULL};
    zmq_place *place = open_place(TCP "?sndhwm=10", options);
    void *deaf = new_socket(place, ZMQ_DEALER);

    (void)state;
    set_socket(deaf, ZMQ_RCVHWM, 1);
    assert_int_equal(zmq_connect(deaf, place->endpoint), 0);
    for (int i = 0; i < 900; i++)
        send_big(deaf, PIPELINED_BYTES, i);
    /* All are answered; what does not fit into the kernel's buffers stays where it is. */
    while (stat_of(place, "messages") < 900)
        continue;
    assert_true(stat_of(place, "memory_held") > 0);
    jrpc_server_free(place->server);
    assert_int_equal(place->desk.closed_reason, -ETIMEDOUT);
    place->server = NULL;
    zmq_close(deaf);
    close_place(place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(large_answers_arrive_whole),
        cmocka_unit_test(too_large_messages_are_answered_or_cut),
        cmocka_unit_test(reader_of_nothing_is_dropped_past_queue_max),
        cmocka_unit_test(slow_reader_gets_everything),
        cmocka_unit_test(idle_peers_are_forgotten_and_busy_ones_are_not),
        cmocka_unit_test(answers_that_are_last_are_delivered),
        cmocka_unit_test(closing_waits_for_nobody_longer_than_drain_ms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
