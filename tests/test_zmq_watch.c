/* SPDX-License-Identifier: MIT */
/*
 * test_zmq_watch.c - messages that never end, from clients that speak ZMTP by themselves
 *
 * And messages that look like it for a while, which are waited for.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <time.h>
#include <unistd.h>

#include "zmq_place.h"
#include "zmq_raw.h"

#define TCP "zmq+tcp://127.0.0.1:0"

enum {
    FRAME_LEN = 200,
    MESSAGE_MAX = 1000,
    /* Twice message_max and 64 KiB may a frame have, and 64 KiB are for what libzmq reads ahead. */
    LIMIT = 2 * MESSAGE_MAX + 2 * 64 * 1024,
    LOOKED_MS = 250, /* time for several looks at a connection */
};

static const char *const options[] = {"message_max", "1000", NULL};

/* False: hung up on before. */
static bool try_frames(int fd, size_t n_bytes)
{
    char data[FRAME_LEN];

    memset(data, ' ', sizeof(data));
    for (size_t n = 0; n < n_bytes; n += 2 + FRAME_LEN)
        if (!try_frame(fd, RAW_MORE, data, FRAME_LEN))
            return false;
    return true;
}

/* Somebody else is served so long that all connections have been looked at. */
static void let_it_look(void *other)
{
    struct timespec began, now;

    clock_gettime(CLOCK_MONOTONIC, &began);
    do {
        expect_pong(other);
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while ((now.tv_sec - began.tv_sec) * 1000 + (now.tv_nsec - began.tv_nsec) / 1000000 <
             LOOKED_MS);
}

/*
 * Tests
 */

static void message_without_end_is_hung_up_on(void **state)
{
    enum { TIMES_MAX = 1000 };
    char path[64];

    (void)state;
    snprintf(path, sizeof(path), "zmq+ipc:///tmp/jrpc-watch-%ld", (long)getpid());
    const char *const urls[] = {TCP, path, TCP "?socket=rep"};
    for (size_t i = 0; i < sizeof(urls) / sizeof(*urls); i++) {
        zmq_place *place = open_place(urls[i], options);
        void *other = connect_socket(place, ZMQ_DEALER);
        int fd = open_raw(place), n = 0;

        while (n < TIMES_MAX && try_frames(fd, LIMIT))
            n++;
        if (n == TIMES_MAX)
            fail_msg("%s: %d bytes of one message were taken", urls[i], TIMES_MAX * LIMIT);
        expect_pong(other);
        close(fd);
        zmq_close(other);
        close_place(place);
    }
}

static void message_that_takes_its_time_is_waited_for(void **state)
{
    zmq_place *place = open_place(TCP, options);
    void *other = connect_socket(place, ZMQ_DEALER);
    int fd = open_raw(place);

    (void)state;
    for (int i = 0; i < 4; i++) {
        send_frame(fd, RAW_MORE, "", 0);
        assert_true(try_frames(fd, LIMIT * 3 / 4));
        let_it_look(other);
        send_frame(fd, 0, "", 0);
        expect_answer(fd, INVALID);
    }
    assert_int_equal(desk_read(&place->desk, &place->desk.n_closed), 0);
    close(fd);
    zmq_close(other);
    close_place(place);
}

/* They are no part of any message, and there may be more of them than any message is long. */
static void heartbeats_between_calls_do_not_add_up(void **state)
{
    static const char beat[] = "\4PING\0\0";
    zmq_place *place = open_place(TCP, options);
    void *other = connect_socket(place, ZMQ_DEALER);
    int fd = open_raw(place);

    (void)state;
    for (int i = 0; i < 4; i++) {
        for (size_t n = 0; n < LIMIT * 3 / 4; n += sizeof(beat) + 1)
            send_frame(fd, RAW_COMMAND, beat, sizeof(beat) - 1);
        let_it_look(other);
        expect_raw_pong(fd);
    }
    assert_int_equal(desk_read(&place->desk, &place->desk.n_closed), 0);
    close(fd);
    zmq_close(other);
    close_place(place);
}

/* Many times what one message may have waits in libzmq, and nobody looked meanwhile. */
static void calls_that_wait_for_a_busy_loop_are_answered(void **state)
{
    enum { N_CALLS = 3000, HEARD = 800 };
    zmq_place *place = open_place(TCP, options);
    void *dealer = new_socket(place, ZMQ_DEALER), *other = connect_socket(place, ZMQ_DEALER);
    char text[HEARD];

    (void)state;
    set_socket(dealer, ZMQ_SNDHWM, N_CALLS);
    assert_int_equal(zmq_connect(dealer, place->endpoint), 0);
    expect_pong(dealer);
    memset(text, ' ', sizeof(text));
    memcpy(text, PING, strlen(PING));
    for (int round = 0; round < 2; round++) {
        send_message(other, "|" CALL("block", "[]", "1"));
        desk_wait_for(&place->desk, &place->desk.n_blocked, (unsigned)round + 1, "the handler");
        for (int i = 0; i < N_CALLS; i++) {
            assert_int_equal(zmq_send(dealer, "", 0, ZMQ_SNDMORE), 0);
            assert_int_equal(zmq_send(dealer, text, sizeof(text), 0), sizeof(text));
        }
        assert_false(desk_reaches(&place->desk, &place->desk.n_closed, 1, /* ms */ 1000));
        desk_let_go(&place->desk, 1);
        expect_message(other, "|" RESULT("null", "1"));
        for (int i = 0; i < N_CALLS; i++)
            expect_message(dealer, "|" PONG);
    }
    assert_int_equal(desk_read(&place->desk, &place->desk.n_closed), 0);
    zmq_close(dealer);
    zmq_close(other);
    close_place(place);
}

/* Each is within its own limit. */
static void messages_of_all_are_limited_together(void **state)
{
    static const char *const both[] = {"message_max", "8M", "memory_max", "16M", NULL};
    enum { N_CLIENTS = 8, N_BYTES = 6 * 1024 * 1024, N_LEFT = 3 };
    zmq_place *place = open_place(TCP, both);
    void *other = connect_socket(place, ZMQ_DEALER);
    int fds[N_CLIENTS];

    (void)state;
    for (int i = 0; i < N_CLIENTS; i++)
        fds[i] = open_raw(place);
    for (int i = 0; i < N_CLIENTS; i++) {
        try_frames(fds[i], N_BYTES);
        let_it_look(other);
    }
    desk_wait_for(&place->desk, &place->desk.n_closed, N_CLIENTS - N_LEFT, "the peers' ends");
    expect_pong(other);
    for (int i = 0; i < N_CLIENTS; i++)
        close(fds[i]);
    zmq_close(other);
    close_place(place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(message_without_end_is_hung_up_on),
        cmocka_unit_test(message_that_takes_its_time_is_waited_for),
        cmocka_unit_test(heartbeats_between_calls_do_not_add_up),
        cmocka_unit_test(calls_that_wait_for_a_busy_loop_are_answered),
        cmocka_unit_test(messages_of_all_are_limited_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
