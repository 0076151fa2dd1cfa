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

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "zmq_place.h"

#define TCP "zmq+tcp://127.0.0.1:0"

enum {
    MORE = 1, /* flags of a frame */
    COMMAND = 4,
    FRAME_LEN = 200,
    MESSAGE_MAX = 1000,
    /* Twice message_max and 64 KiB may a frame have, and 64 KiB are for what libzmq reads ahead. */
    LIMIT = 2 * MESSAGE_MAX + 2 * 64 * 1024,
    LOOKED_MS = 400, /* time for several looks at a connection */
};

static const char *const options[] = {"message_max", "1000", NULL};

/*
 * ZMTP
 */

static int connect_raw(const zmq_place *place)
{
    struct sockaddr_in host = {.sin_family = AF_INET};
    struct sockaddr_un path = {.sun_family = AF_UNIX};
    const struct timeval patience = {.tv_sec = PATIENCE_MS / 1000};
    const char *at = strstr(place->endpoint, "://") + 3;
    bool is_ipc = !strncmp(place->endpoint, "ipc", 3);
    int fd = socket(is_ipc ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)), 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
    host.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (is_ipc)
        snprintf(path.sun_path, sizeof(path.sun_path), "%s", at);
    else
        host.sin_port = htons((uint16_t)atoi(strchr(at, ':') + 1));
    assert_int_equal(is_ipc ? connect(fd, (struct sockaddr *)&path, sizeof(path))
                            : connect(fd, (struct sockaddr *)&host, sizeof(host)),
                     0);
    return fd;
}

static bool try_write(int fd, const void *data, size_t len)
{
    for (size_t n = 0; n < len;) {
        ssize_t sent = send(fd, (const char *)data + n, len - n, MSG_NOSIGNAL);
        if (sent < 0 && (errno == EPIPE || errno == ECONNRESET))
            return false;
        assert_true(sent > 0);
        n += (size_t)sent;
    }
    return true;
}

static bool try_frame(int fd, int flags, const char *data, size_t len)
{
    unsigned char frame[2 + 255] = {(unsigned char)flags, (unsigned char)len};

    assert_true(len <= 255);
    memcpy(frame + 2, data, len);
    return try_write(fd, frame, 2 + len);
}

static void send_frame(int fd, int flags, const char *data, size_t len)
{
    assert_true(try_frame(fd, flags, data, len));
}

static void read_bytes(int fd, void *to, size_t len)
{
    assert_int_equal(recv(fd, to, len, MSG_WAITALL), len);
}

/* A frame, NUL-terminated; its flags. */
static int read_frame(int fd, char text[256])
{
    unsigned char head[2];

    read_bytes(fd, head, sizeof(head));
    if (head[1])
        read_bytes(fd, text, head[1]);
    text[head[1]] = '\0';
    return head[0];
}

/* The next message; commands are passed over. */
static void expect_answer(int fd, const char *expected)
{
    char text[256];
    int flags;

    do
        flags = read_frame(fd, text);
    while (flags & COMMAND);
    assert_int_equal(flags, MORE);
    assert_string_equal(text, "");
    assert_int_equal(read_frame(fd, text), 0);
    assert_string_equal(text, expected);
}

static void expect_raw_pong(int fd)
{
    send_frame(fd, MORE, "", 0);
    send_frame(fd, 0, PING, strlen(PING));
    expect_answer(fd, PONG);
}

/* A DEALER that is known to the server. */
static int open_raw(const zmq_place *place)
{
    static const unsigned char greeting[64] = {0xff, 0,    0, 0, 0,   0,   0,   0,
                                               0,    0x7f, 3, 0, 'N', 'U', 'L', 'L'};
    static const char ready[] = "\5READY\13Socket-Type\0\0\0\6DEALER";
    char theirs[64], text[256];
    int fd = connect_raw(place);

    assert_true(try_write(fd, greeting, sizeof(greeting)));
    send_frame(fd, COMMAND, ready, sizeof(ready) - 1);
    read_bytes(fd, theirs, sizeof(theirs));
    assert_int_equal(read_frame(fd, text), COMMAND);
    expect_raw_pong(fd);
    return fd;
}

/* False: hung up on before. */
static bool try_frames(int fd, size_t n_bytes)
{
    char data[FRAME_LEN];

    memset(data, ' ', sizeof(data));
    for (size_t n = 0; n < n_bytes; n += 2 + FRAME_LEN)
        if (!try_frame(fd, MORE, data, FRAME_LEN))
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
        send_frame(fd, MORE, "", 0);
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
            send_frame(fd, COMMAND, beat, sizeof(beat) - 1);
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
