/* SPDX-License-Identifier: MIT */
/*
 * test_zmq_strangers.c - ZeroMQ endpoints and who does not behave: no ZMTP at all, bad ZMTP, peers
 * that die in the midst of it
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "zmq_place.h"
#include "zmq_raw.h"

#define TCP "zmq+tcp://127.0.0.1:0"
#define ZEROS8 "\0\0\0\0\0\0\0\0"
#define ZEROS ZEROS8 ZEROS8 ZEROS8 ZEROS8
#define SIGNATURE "\xff" ZEROS8 "\x7f"
#define NO_SECURITY "NULL\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define GREETING SIGNATURE "\3\0" NO_SECURITY ZEROS
#define READY "\4\x1c\5READY\13Socket-Type\0\0\0\6DEALER"

typedef struct stranger {
    const char *name, *bytes;
    size_t len;
    bool spoils_rep; /* a message without delimiter, and its sender gone: libzmq loses an answer */
} stranger;

#define STRANGER(name, bytes)                                                                      \
    {                                                                                              \
        (name), (bytes), sizeof(bytes) - 1, false                                                  \
    }
#define SPOILER(name, bytes)                                                                       \
    {                                                                                              \
        (name), (bytes), sizeof(bytes) - 1, true                                                   \
    }

static const stranger strangers[] = {
    STRANGER("nothing", ""),
    STRANGER("http", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    STRANGER("json", PING "\n"),
    STRANGER("tls", "\x16\3\1\2\0\1\0\1\xfc\3\3"),
    STRANGER("zeros", ZEROS ZEROS),
    STRANGER("half_a_signature", "\xff\0\0"),
    STRANGER("half_a_greeting", SIGNATURE "\3\0NULL"),
    SPOILER("zmtp_1", "\1\0\51\0" PING),
    STRANGER("zmtp_1_without_end", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\0"),
    STRANGER("zmtp_2", SIGNATURE "\1\5\0\0"),
    STRANGER("unknown_mechanism", SIGNATURE "\3\0KERBEROS\0\0\0\0\0\0\0\0\0\0\0\0" ZEROS),
    STRANGER("wrong_mechanism", SIGNATURE "\3\0PLAIN\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" ZEROS),
    STRANGER("version_of_the_future", SIGNATURE "\x7f\x7f" NO_SECURITY ZEROS READY),
    STRANGER("no_handshake", GREETING "\0\x29" PING),
    STRANGER("unknown_command", GREETING "\4\6\5HELLO"),
    STRANGER("empty_command", GREETING "\4\0"),
    STRANGER("ready_without_properties", GREETING "\4\6\5READY"),
    STRANGER("ready_cut_off", GREETING "\4\x1c\5READY\13Socket-Type\0\0\0\6DEA"),
    STRANGER("property_longer_than_ready", GREETING "\4\x1c\5READY\13Socket-Type\x7f\0\0\6DEALER"),
    STRANGER("socket_that_does_not_fit", GREETING "\4\x19\5READY\13Socket-Type\0\0\0\3PUB"),
    STRANGER("two_handshakes", GREETING READY READY),
    STRANGER("error_as_handshake", GREETING "\4\7\5ERROR\0"),
    STRANGER("frame_that_is_too_large", GREETING READY "\2\x7f\xff\xff\xff\xff\xff\xff\xff"),
    STRANGER("frame_of_all_flags", GREETING READY "\xff\0"),
    STRANGER("frame_cut_off", GREETING READY "\0\x29{\"json"),
    STRANGER("message_cut_off", GREETING READY "\1\0"),
    STRANGER("only_a_delimiter", GREETING READY "\1\0\0\0"),
    SPOILER("only_an_empty_frame", GREETING READY "\0\0"),
    STRANGER("command_in_a_message", GREETING READY "\1\0\4\7\4PING\0\0"),
    STRANGER("subscription_to_nothing", GREETING READY "\4\x0c\11SUBSCRIBE\0\0"),
};

enum { N_STRANGERS = sizeof(strangers) / sizeof(*strangers) };

/* It says what it has to say, and waits until it is hung up on. */
static void visit(const zmq_place *place, const char *name, const char *bytes, size_t len)
{
    char text[256];
    ssize_t n = 1;
    int fd = connect_raw(place);

    try_write(fd, bytes, len);
    shutdown(fd, SHUT_WR);
    while (n > 0)
        n = recv(fd, text, sizeof(text), 0);
    if (n < 0 && errno != ECONNRESET)
        fail_msg("%s: not hung up on: %s", name, strerror(errno));
    close(fd);
}

static void strangers_do_no_harm(void **state)
{
    char path[64];

    (void)state;
    snprintf(path, sizeof(path), "zmq+ipc:///tmp/jrpc-strangers-%ld", (long)getpid());
    const char *const urls[] = {TCP, path, TCP "?socket=rep", "zmq+ws://127.0.0.1:0"};
    for (size_t i = 0; i < sizeof(urls) / sizeof(*urls); i++) {
        zmq_place *place = open_place(urls[i], NULL);
        void *other = connect_socket(place, ZMQ_DEALER);

        for (int row = 0; row < N_STRANGERS; row++) {
            if (strangers[row].spoils_rep && strstr(urls[i], "rep"))
                continue;
            visit(place, strangers[row].name, strangers[row].bytes, strangers[row].len);
            expect_pong(other);
        }
        zmq_close(other);
        close_place(place);
    }
}

static void noise_does_no_harm(void **state)
{
    enum { N_TIMES = 300, NOISE_LEN = 2048 };
    zmq_place *place = open_place(TCP, NULL);
    void *other = connect_socket(place, ZMQ_DEALER);
    static const char head[] = GREETING READY;
    char noise[NOISE_LEN];
    uint32_t random = 1;

    (void)state;
    for (int i = 0; i < N_TIMES; i++) {
        size_t n_head = i % 3 ? sizeof(head) - 1 : 0, len = n_head;
        memcpy(noise, head, n_head);
        for (; len < NOISE_LEN / (size_t)(1 + i % 7); len++) {
            random = random * 1664525 + 1013904223;
            noise[len] = (char)(random >> 24);
        }
        if (i % 3 == 2) /* one byte of a good beginning is another */
            noise[(random >> 8) % n_head] ^= (char)(1 << (random >> 28) % 8);
        visit(place, "noise", noise, len);
    }
    expect_pong(other);
    zmq_close(other);
    close_place(place);
}

/*
 * Peers that die: the connection is reset
 */

static void die(int fd)
{
    const struct linger none = {.l_onoff = 1};

    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none)), 0);
    close(fd);
}

static void begin_call(int fd, zmq_place *place)
{
    (void)place;
    send_frame(fd, RAW_MORE, "", 0);
}

static void call_and_wait(int fd, zmq_place *place)
{
    static const char hold[] = CALL("hold", "[]", "1");

    begin_call(fd, place);
    send_frame(fd, 0, hold, sizeof(hold) - 1);
    desk_put(&place->desk, desk_take(&place->desk));
}

static void call_and_read_nothing(int fd, zmq_place *place)
{
    begin_call(fd, place);
    send_frame(fd, 0, PING, strlen(PING));
}

static void do_nothing(int fd, zmq_place *place)
{
    (void)fd, (void)place;
}

static void dead_peers_leave_nothing_behind(void **state)
{
    static const struct {
        const char *name;
        void (*act)(int fd, zmq_place *place);
    } rows[] = {
        {"before_a_call", do_nothing},
        {"within_a_message", begin_call},
        {"during_a_call", call_and_wait},
        {"after_a_call", call_and_read_nothing},
    };
    zmq_place *place = open_place(TCP, NULL);
    void *other = connect_socket(place, ZMQ_DEALER);

    (void)state;
    expect_pong(other);
    for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        int fd = open_raw(place);
        rows[i].act(fd, place);
        die(fd);
        desk_wait_for(&place->desk, &place->desk.n_closed, i + 1, rows[i].name);
        expect_pong(other);
    }
    jrpc_call *held = desk_take(&place->desk);
    assert_true(jrpc_call_is_cancelled(held));
    jrpc_call_free(held);
    assert_int_equal(stat_of(place, "peers"), 1);
    assert_int_equal(stat_of(place, "memory_held"), 0);
    zmq_close(other);
    close_place(place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strangers_do_no_harm),
        cmocka_unit_test(noise_does_no_harm),
        cmocka_unit_test(dead_peers_leave_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
