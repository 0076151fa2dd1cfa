/* SPDX-License-Identifier: MIT */
/*
 * test_zmq.c - ZeroMQ endpoints, frame by frame: envelopes, silence, REQ and REP, peers that go
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "zmq_place.h"

#define TCP "zmq+tcp://127.0.0.1:0"

/*
 * Envelopes
 */

static void envelopes_are_echoed(void **state)
{
    static const struct {
        const char *sent, *expected; /* NULL: nothing */
    } rows[] = {
        {PING, PONG},
        {"|" PING, "|" PONG},
        {"id||" PING, "id||" PONG},
        {"hop|hop2|id||" PING, "hop|hop2|id||" PONG},
        /* Silence is an empty frame for whoever waits. */
        {NOTE, NULL},
        {"|" NOTE, "|"},
        {"id||" NOTE, "id||"},
        {"|[" NOTE "]", "|"},
        {"|{\"jsonrpc\":\"2.0\",\"result\":1,\"id\":1}", "|"},
        /* One frame is the message, be it empty. */
        {"", UNREADABLE},
        {"|", "|" UNREADABLE},
        {"||", "|" INVALID},
        {"id||", "id||" UNREADABLE},
        {PING "|" PING, INVALID},
        {"|" PING "|" PING, "|" INVALID},
        {"|" PING "|", "|" INVALID},
        {"||" PING, "|" INVALID},
        {"id||[|1]", "id||" INVALID},
        {"1|2|3|4|5|6|7|8|9|0|1|2|3|4|5|6|7|8|9|0|" PING, INVALID},
    };
    zmq_place *place = open_place(TCP, NULL);
    void *dealer = connect_socket(place, ZMQ_DEALER);

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        send_message(dealer, rows[i].sent);
        if (rows[i].expected)
            check_message(dealer, rows[i].expected, rows[i].sent, (int)i);
        expect_pong(dealer);
    }
    assert_int_equal(place->desk.n_opened, 1); /* one route, one peer */
    zmq_close(dealer);
    close_place(place);
}

static void envelope_too_long_to_be_echoed_is_dropped(void **state)
{
    zmq_place *place = open_place(TCP, NULL);
    void *dealer = connect_socket(place, ZMQ_DEALER);
    char frames[TEXT_SIZE];

    (void)state;
    memset(frames, 'h', 300);
    strcpy(frames + 300, "||" PING);
    send_message(dealer, frames);
    expect_pong(dealer);
    for (int i = 0; i < 200; i++) {
        frames[2 * i] = 'h';
        frames[2 * i + 1] = '|';
    }
    strcpy(frames + 400, "|" PING);
    send_message(dealer, frames);
    expect_pong(dealer);
    zmq_close(dealer);
    close_place(place);
}

static void many_frames_are_one_invalid_request(void **state)
{
    zmq_place *place = open_place(TCP, NULL);
    void *dealer = connect_socket(place, ZMQ_DEALER);
    char frame[1000];

    (void)state;
    memset(frame, ' ', sizeof(frame));
    for (int row = 0; row < 2; row++) {
        if (row)
            assert_int_equal(zmq_send(dealer, "", 0, ZMQ_SNDMORE), 0);
        for (int i = 0; i < 8000; i++) /* more of them are hung up on: test_zmq_watch.c */
            assert_int_equal(zmq_send(dealer, frame, sizeof(frame), ZMQ_SNDMORE), sizeof(frame));
        assert_int_equal(zmq_send(dealer, PING, strlen(PING), 0), strlen(PING));
        expect_message(dealer, row ? "|" INVALID : INVALID);
    }
    assert_int_equal(stat_of(place, "memory_held"), 0);
    expect_pong(dealer);
    zmq_close(dealer);
    close_place(place);
}

/*
 * REQ, and REP
 */

/* By every kind of REQ, at both kinds of server. */
static void requests_of_a_req_are_answered(void **state)
{
    static const char *const urls[] = {TCP, TCP "?socket=rep", "zmq+inproc://req",
                                       "zmq+inproc://rep?socket=rep"};

    (void)state;
    for (size_t i = 0; i < sizeof(urls) / sizeof(*urls); i++)
        for (int correlates = 0; correlates < 2; correlates++) {
            zmq_place *place = open_place(urls[i], NULL);
            void *req = new_socket(place, ZMQ_REQ);
            set_socket(req, ZMQ_REQ_CORRELATE, correlates);
            set_socket(req, ZMQ_REQ_RELAXED, correlates);
            assert_int_equal(zmq_connect(req, place->endpoint), 0);
            for (int n = 0; n < 100; n++) {
                send_message(req, PING);
                expect_message(req, PONG);
                send_message(req, NOTE);
                expect_message(req, "");
            }
            zmq_close(req);
            close_place(place);
        }
}

/* What a REP is sent by a DEALER, for it tells more. */
static void rep_answers_everything_that_comes_to_it(void **state)
{
    static const struct {
        const char *sent, *expected; /* NULL: nothing */
    } rows[] = {
        {"|" PING, "|" PONG},  {"hop||" PING, "hop||" PONG},     {"|" NOTE, "|"},
        {"|", "|" UNREADABLE}, {"|" PING "|" PING, "|" INVALID}, {"|" PING "|", "|" INVALID},
        {PING, NULL}, /* no delimiter: it never comes out of libzmq */
        {PING "|" PING, NULL},
    };
    zmq_place *place = open_place(TCP "?socket=rep", NULL);
    void *dealer = connect_socket(place, ZMQ_DEALER);

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        send_message(dealer, rows[i].sent);
        if (rows[i].expected)
            check_message(dealer, rows[i].expected, rows[i].sent, (int)i);
        expect_pong(dealer);
    }
    zmq_close(dealer);
    close_place(place);
}

static void answer_held(zmq_place *place, int expected)
{
    jrpc_call *held = desk_take(&place->desk);

    assert_int_equal(jrpc_reply_integer(held, 7), expected);
    jrpc_call_free(held);
}

static void rep_is_lock_step(void **state)
{
    zmq_place *place = open_place(TCP "?socket=rep", NULL);
    void *one = connect_socket(place, ZMQ_REQ), *other = connect_socket(place, ZMQ_REQ);

    (void)state;
    send_message(one, CALL("hold", "[]", "1"));
    jrpc_call *held = desk_take(&place->desk);
    send_message(other, PING);
    assert_int_equal(stat_of(place, "messages"), 1); /* it does not even read */
    assert_int_equal(jrpc_reply_integer(held, 7), 0);
    jrpc_call_free(held);
    expect_message(one, RESULT("7", "1"));
    expect_message(other, PONG);
    assert_int_equal(place->desk.n_opened, 1);

    send_message(one, "{\"jsonrpc\":\"2.0\",\"method\":\"hold\"}");
    answer_held(place, 0);
    expect_message(one, "");
    send_message(other, PING);
    expect_message(other, PONG);
    zmq_close(one);
    zmq_close(other);
    close_place(place);
}

/* By inproc, where what is sent has arrived. */
static void rep_goes_on_after_its_peer_was_closed(void **state)
{
    zmq_place *place = open_place("zmq+inproc://rep-goes-on?socket=rep", NULL);
    void *req = connect_socket(place, ZMQ_REQ), *other = connect_socket(place, ZMQ_REQ);

    (void)state;
    place->keeps_peers = true;
    send_message(req, CALL("hold", "[]", "1"));
    jrpc_call *held = desk_take(&place->desk);
    send_message(other, PING);
    for (int i = 0; i < 10; i++) /* turns of the loop, none of which reads it */
        assert_int_equal(stat_of(place, "messages"), 1);
    assert_false(jrpc_peer_has_push(place->peer));
    jrpc_peer_close(place->peer);
    expect_message(req, "");
    expect_message(other, PONG);
    assert_int_equal(jrpc_reply_integer(held, 7), -EPIPE);
    jrpc_call_free(held);
    send_message(req, PING);
    expect_message(req, PONG);
    assert_int_equal(place->desk.n_opened, 2);
    zmq_close(req);
    zmq_close(other);
    close_place(place);
}

/*
 * Peers
 */

static void peers_with_a_delimiter_are_not_pushed_to(void **state)
{
    zmq_place *place = open_place(TCP, NULL);
    void *bare = connect_socket(place, ZMQ_DEALER), *req = connect_socket(place, ZMQ_REQ);

    (void)state;
    place->keeps_peers = true;
    send_message(bare, PING);
    expect_message(bare, PONG);
    assert_true(jrpc_peer_has_push(place->peer));
    assert_int_equal(jrpc_peer_notify(place->peer, "x", NULL), 0);
    expect_message(bare, "{\"jsonrpc\":\"2.0\",\"method\":\"x\"}");
    send_message(req, PING);
    expect_message(req, PONG);
    assert_false(jrpc_peer_has_push(place->peer));
    assert_int_equal(jrpc_peer_notify(place->peer, "x", NULL), -EOPNOTSUPP);
    zmq_close(bare);
    zmq_close(req);
    close_place(place);
}

static void address_tells_host_and_route(void **state)
{
    zmq_place *place = open_place(TCP, NULL);
    void *dealer = new_socket(place, ZMQ_DEALER);

    (void)state;
    place->keeps_peers = true;
    assert_int_equal(zmq_setsockopt(dealer, ZMQ_ROUTING_ID, "me\n", 3), 0);
    assert_int_equal(zmq_connect(dealer, place->endpoint), 0);
    expect_pong(dealer);
    assert_string_equal(jrpc_peer_address(place->peer), "127.0.0.1 6d650a");
    assert_string_equal(jrpc_peer_transport(place->peer), "zmq");
    assert_null(jrpc_peer_identity(place->peer)); /* a route proves nothing */
    zmq_close(dealer);
    close_place(place);
}

/* inproc tells of nobody who goes: it is seen when an answer cannot be sent. */
static void answer_to_a_peer_that_has_gone_ends_it(void **state)
{
    enum { N_CALLS = 4000 };
    static const char *const options[] = {"pending_max", "5000", NULL};
    zmq_place *place = open_place("zmq+inproc://gone", options);
    void *dealer = connect_socket(place, ZMQ_DEALER);
    int n_lost = 0, n_left = N_CALLS;

    (void)state;
    for (int i = 0; i < N_CALLS; i++)
        send_message(dealer, CALL("hold", "[]", "1"));
    while (stat_of(place, "in_flight") < N_CALLS)
        continue;
    zmq_close(dealer);
    /* Its end takes a moment: until then answers are taken and lost. */
    for (; n_left && !desk_read(&place->desk, &place->desk.n_closed); n_left--) {
        answer_held(place, 0);
        stat_of(place, "in_flight");
        n_lost++;
    }
    assert_int_equal(place->desk.n_closed, 1);
    assert_int_equal(place->desk.closed_reason, -EPIPE);
    assert_in_range(n_lost, 1, N_CALLS - 1);
    while (n_left--)
        answer_held(place, -EPIPE);
    close_place(place);
}

/* A worker of a broker: all clients behind the connection go with it. */
static void clients_of_a_broker_vanish_with_it(void **state)
{
    zmq_place *place = new_place(NULL);
    void *broker = new_socket(place, ZMQ_DEALER);
    char endpoint[128], url[256];
    size_t size = sizeof(endpoint);

    (void)state;
    assert_int_equal(zmq_bind(broker, "tcp://127.0.0.1:*"), 0);
    assert_int_equal(zmq_getsockopt(broker, ZMQ_LAST_ENDPOINT, endpoint, &size), 0);
    snprintf(url, sizeof(url), "zmq+%s?connect=yes", endpoint);
    assert_int_equal(jrpc_server_listen(place->server, place->service, url, NULL, NULL), 0);
    assert_int_equal(jrpc_server_start(place->server), 0);
    send_message(broker, "a||" PING);
    expect_message(broker, "a||" PONG);
    send_message(broker, "b|" PING);
    expect_message(broker, "b|" PONG);
    send_message(broker, "|" PING); /* its own */
    expect_message(broker, "|" PONG);
    send_message(broker, "a|id||" CALL("hold", "[]", "1"));
    jrpc_call *held = desk_take(&place->desk);
    assert_int_equal(place->desk.n_opened, 3);
    zmq_close(broker);
    desk_wait_for(&place->desk, &place->desk.n_closed, 3, "the peers' end");
    assert_int_equal(jrpc_reply_integer(held, 1), -EPIPE);
    jrpc_call_free(held);
    close_place(place);
}

static void refused_peer_does_not_wait_for_ever(void **state)
{
    zmq_place *place = open_place(TCP, NULL);
    void *req = connect_socket(place, ZMQ_REQ), *dealer = connect_socket(place, ZMQ_DEALER);

    (void)state;
    place->desk.refusal = -EPERM;
    send_message(req, PING);
    expect_message(req, "");
    send_message(dealer, PING); /* hears nothing */
    send_message(dealer, "id||" PING);
    expect_message(dealer, "id||");
    zmq_close(req);
    zmq_close(dealer);
    close_place(place);
}

static void signals_are_the_programs(void **state)
{
    struct sigaction action;

    (void)state;
    assert_non_null(jrpc_zmq_context());
    assert_ptr_equal(jrpc_zmq_context(), jrpc_zmq_context());
    for (int i = 0; i < 2; i++) {
        assert_int_equal(sigaction(i ? SIGTERM : SIGINT, NULL, &action), 0);
        assert_ptr_equal(action.sa_handler, SIG_DFL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signals_are_the_programs),
        cmocka_unit_test(envelopes_are_echoed),
        cmocka_unit_test(envelope_too_long_to_be_echoed_is_dropped),
        cmocka_unit_test(many_frames_are_one_invalid_request),
        cmocka_unit_test(requests_of_a_req_are_answered),
        cmocka_unit_test(rep_answers_everything_that_comes_to_it),
        cmocka_unit_test(rep_is_lock_step),
        cmocka_unit_test(rep_goes_on_after_its_peer_was_closed),
        cmocka_unit_test(peers_with_a_delimiter_are_not_pushed_to),
        cmocka_unit_test(address_tells_host_and_route),
        cmocka_unit_test(answer_to_a_peer_that_has_gone_ends_it),
        cmocka_unit_test(clients_of_a_broker_vanish_with_it),
        cmocka_unit_test(refused_peer_does_not_wait_for_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
