/* SPDX-License-Identifier: MIT */
/*
 * test_web_ws_streams.c - WebSocket: bad text in any pieces, lengths that lie, floods of pings,
 * and connections that end in any phase
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "web_watch.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))
#define BYTES(text) (text), sizeof(text) - 1
#define MASK "\0\0\0\0"
#define HOLD CALL("hold", "[]", "1")

/*
 * Text
 */

static const char *const bad_texts[] = {
    "[\"\x80\"]",             /* nothing to continue */
    "[\"\xbf\xbf\"]",         /* twice */
    "[\"\xc3\"]",             /* half a character */
    "[\"\xe2\x82\"]",         /* two thirds */
    "[\"\xf0\x9f\x98\"]",     /* three quarters */
    "[\"\xc0\xaf\"]",         /* longer than need be */
    "[\"\xe0\x80\xaf\"]",     /* more so */
    "[\"\xf0\x80\x80\xaf\"]", /* most */
    "[\"\xed\xa0\x80\"]",     /* half a surrogate pair */
    "[\"\xed\xbf\xbf\"]",     /* the other half */
    "[\"\xf4\x90\x80\x80\"]", /* above U+10FFFF */
    "[\"\xf5\x80\x80\x80\"]", /* far above */
    "[\"\xfe\"]",
    "[\"\xff\"]",
    "[\"\xe2\x28\xa1\"]", /* a letter in its middle */
    "[\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xc3\"]",
    "\xef\xbb", /* a part of a byte order mark */
};

static void expect_code(web_client *client, unsigned code)
{
    ws_expect_end(client, code);
    web_close(client);
}

static void bad_utf8_is_told_however_it_is_fragmented(void **state)
{
    web_watch watch;

    (void)state;
    watch_begin(&watch, HTTP, NULL);
    for (size_t i = 0; i < LENGTH(bad_texts); i++) {
        size_t len = strlen(bad_texts[i]);
        for (size_t split = 0; split <= len; split++) {
            web_client *client = ws_visit(watch.site);
            ws_send(client, WS_TEXT, bad_texts[i], split);
            ws_send(client, WS_FINAL | WS_PING, "", 0);
            ws_send(client, WS_CONTINUATION, "", 0);
            ws_send(client, WS_FINAL | WS_CONTINUATION, bad_texts[i] + split, len - split);
            expect_code(client, 1007);
        }
    }
    watch_end(&watch);
}

static void bad_utf8_is_told_however_its_frame_comes(void **state)
{
    unsigned char frame[64];
    web_watch watch;

    (void)state;
    watch_begin(&watch, HTTP, NULL);
    for (size_t i = 0; i < LENGTH(bad_texts); i++) {
        size_t len = ws_put_frame(frame, WS_FINAL | WS_TEXT, bad_texts[i], strlen(bad_texts[i]));
        for (size_t split = 1; split < len; split++) {
            web_client *client = ws_visit(watch.site);
            web_write(client, frame, split);
            web_write(client, frame + split, len - split);
            expect_code(client, 1007);
        }
    }
    watch_end(&watch);
}

static void fragments_of_one_byte_are_one_message(void **state)
{
    static const char text[] = CALL("echo", "[\"\xf0\x9f\x98\x80\"]", "1");
    web_watch watch;

    (void)state;
    watch_begin(&watch, HTTP, NULL);
    web_client *client = ws_visit(watch.site);
    for (size_t i = 0; i < sizeof(text) - 1; i++) {
        unsigned first = i ? WS_CONTINUATION : WS_TEXT;
        ws_send(client, WS_FINAL | WS_PONG, "unasked", 7);
        ws_send(client, i == sizeof(text) - 2 ? WS_FINAL | first : first, text + i, 1);
    }
    ws_expect(client, RESULT("\"\xf0\x9f\x98\x80\"", "1"));
    web_close(client);
    watch_end(&watch);
}

/*
 * Lengths
 */

/* More than libwebsockets keeps before it tells. */
static void length_over_message_max_is_told_before_all_of_it_came(void **state)
{
    static const struct {
        const char *header;
        size_t len;
        unsigned code;
    } rows[] = {
        {BYTES("\x81\xff\0\0\0\0\0\x40\0\1" MASK), 1009},
        {BYTES("\x81\xff\0\0\0\1\0\0\0\0" MASK), 1009},
        {BYTES("\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff" MASK), 1009},
        {BYTES("\x01\xff\x7f\xff\xff\xff\xff\xff\xff\xff" MASK), 1009},
        {BYTES("\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff" MASK), 1003},
    };
    static const char filling[8192];
    web_watch watch;

    (void)state;
    watch_begin(&watch, HTTP, NULL);
    for (size_t i = 0; i < LENGTH(rows); i++) {
        web_client *client = ws_visit(watch.site);
        char told[TOLD_MAX], expected[32];
        snprintf(expected, sizeof(expected), "close %u, end", rows[i].code);
        web_write(client, rows[i].header, rows[i].len);
        web_write(client, filling, sizeof(filling));
        ws_listen(client, told);
        if (strcmp(told, expected) != 0)
            fail_msg("row %zu: %s", i, told);
        web_close(client);
        watch_all_is_as_before(&watch);
    }
    watch_end(&watch);
}

/* Without a mask libwebsockets may take such a zero for the largest number there is, or not. */
static void zero_with_a_long_length_is_survived(void **state)
{
    static const char filling[8192];
    web_watch watch;

    (void)state;
    watch_begin(&watch, HTTP, NULL);
    for (size_t header_len = 4; header_len <= 10; header_len += 6) {
        web_client *client = ws_visit(watch.site);
        char told[TOLD_MAX];
        web_write(client, header_len == 4 ? "\x81\x7e\0\0" : "\x81\x7f\0\0\0\0\0\0\0\0",
                  header_len);
        watch_call(&watch);
        web_write(client, filling, sizeof(filling));
        ws_listen(client, told);
        assert_non_null(strstr(told, "close 100"));
        web_close(client);
        watch_all_is_as_before(&watch);
    }
    watch_end(&watch);
}

/*
 * Pings
 */

/* A pong that stands within an answer would spoil all that follow. */
static void regression_ping_amid_a_large_answer_is_answered_between_frames(void **state)
{
    enum { LEN = 8 * MIB };
    web_watch watch;
    bool is_ponged = false;
    size_t len;
    char *data;

    (void)state;
    watch_begin(&watch, HTTP, NULL);
    web_client *client = ws_visit(watch.site);
    for (int round = 0; round < 3; round++) {
        ws_text(client, CALL("big", "[8388608]", "1"));
        assert_true(web_read(client)); /* it has begun */
        ws_send(client, WS_FINAL | WS_PING, "hello", 5);
        watch_call(&watch);
        for (int i = 0; i < 2; i++) {
            int first = ws_receive_frame(client, &data, &len);
            if (first == (WS_FINAL | WS_PONG)) {
                assert_string_equal(data, "hello");
                is_ponged = true;
            } else {
                assert_int_equal(first, WS_FINAL | WS_TEXT);
                assert_int_equal(len, strlen(RESULT("\"\"", "1")) + LEN);
                assert_string_equal(data + len - 9, "\",\"id\":1}");
            }
            free(data);
        }
        assert_true(is_ponged);
    }
    web_close(client);
    watch_end(&watch);
}

typedef struct flood {
    web_client *client;
    size_t n;
} flood;

static void *flood_with_pings(void *user)
{
    flood *it = user;
    unsigned char frames[4096];
    size_t len = 0, n = 0;

    for (; len + 16 < sizeof(frames); n++)
        len += ws_put_frame(frames + len, WS_FINAL | WS_PING, "ping", 4);
    for (size_t sent = 0; sent < it->n; sent += n)
        if (!web_write(it->client, frames, len))
            abort();
    return NULL;
}

/* Reads pongs until the answer of a last call is there. */
static void end_flood(web_client *client, pthread_t thread)
{
    size_t len;
    int first, n_pongs = 0;
    char *data;

    pthread_join(thread, NULL);
    ws_text(client, PING);
    while ((first = ws_receive_frame(client, &data, &len)) == (WS_FINAL | WS_PONG)) {
        assert_string_equal(data, "ping");
        free(data);
        n_pongs++;
    }
    assert_int_equal(first, WS_FINAL | WS_TEXT);
    assert_true(n_pongs > 0);
    free(data);
}

/* Nobody reads the pongs, and they are not kept: the last call is answered behind all pings. */
static void others_are_served_while_somebody_floods_with_pings(void **state)
{
    enum { N_PINGS = 100000, N_CALLS = 200 };
    web_watch watch;
    pthread_t thread;

    (void)state;
    watch_begin(&watch, HTTP, NULL);
    flood it = {ws_visit(watch.site), N_PINGS};
    web_client *other = ws_visit(watch.site);
    assert_int_equal(pthread_create(&thread, NULL, flood_with_pings, &it), 0);
    for (int i = 0; i < N_CALLS; i++) {
        ws_text(other, PING);
        ws_expect(other, RESULT("1", "1"));
        watch_call(&watch);
    }
    end_flood(it.client, thread);
    web_close(other);
    web_close(it.client);
    watch_end(&watch);
}

/*
 * Connections that end, in whatever phase
 */

#define UPGRADE_HEAD                                                                               \
    "GET / HTTP/1.1\r\n" HOST "Upgrade: websocket\r\nConnection: Upgrade\r\n"                      \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"

/* What the client has said by then. */
static const struct {
    const char *name, *bytes;
    size_t len;
    bool is_upgraded; /* before */
    unsigned n_held;  /* calls that are in flight */
} phases[] = {
    {"nothing", BYTES(""), false, 0},
    {"a part of the request", BYTES("GET / HT"), false, 0},
    {"a part of the headers", BYTES(UPGRADE_HEAD), false, 0},
    {"the upgrade", BYTES(UPGRADE_HEAD "\r\n"), false, 0},
    {"nothing behind the upgrade", BYTES(""), true, 0},
    {"a byte of a header", BYTES("\x81"), true, 0},
    {"a part of a length", BYTES("\x81\xff\0\0"), true, 0},
    {"a part of a mask", BYTES("\x81\x82\0\0"), true, 0},
    {"a header", BYTES("\x81\x82" MASK), true, 0},
    {"a part of a payload", BYTES("\x81\x83" MASK "[]"), true, 0},
    {"a part of a long payload", BYTES("\x81\xff\0\0\0\0\0\1\0\0" MASK "[]"), true, 0},
    {"a fragment", BYTES("\x01\x82" MASK "[]"), true, 0},
    {"a part of a ping", BYTES("\x89\x83" MASK "[]"), true, 0},
    {"a ping", BYTES("\x89\x82" MASK "[]"), true, 0},
    {"a part of a goodbye", BYTES("\x88\x82" MASK "\x03"), true, 0},
    {"a goodbye", BYTES("\x88\x82" MASK "\x03\xe8"), true, 0},
    {"a fault", BYTES("\x83\x80" MASK), true, 0},
    {"a message that is no UTF-8", BYTES("\x81\x81" MASK "\xff"), true, 0},
    {"a call", BYTES("\x81\xb5" MASK PING), true, 0},
    {"a call that is held", BYTES("\x81\xb4" MASK HOLD), true, 1},
    {"a call that is held and a part of another", BYTES("\x81\xb4" MASK HOLD "\x81\xb4" MASK "{"),
     true, 1},
    {"a call of a large answer", BYTES("\x81\xba" MASK CALL("big", "[8388608]", "1")), true, 0},
};

static web_client *reach_phase(web_watch *watch, size_t i)
{
    web_client *client = web_visit(watch->site);

    if (phases[i].is_upgraded)
        assert_int_equal(ws_upgrade(client, "/", ""), 101);
    assert_true(web_write(client, phases[i].bytes, phases[i].len));
    return client;
}

/* Its peer is gone: nobody gets the answers. */
static void take_held(web_watch *watch, size_t i, jrpc_call *held[])
{
    for (size_t j = 0; j < phases[i].n_held; j++)
        held[j] = desk_take(&watch->site->desk);
}

static void drop_held(size_t i, jrpc_call *held[])
{
    for (size_t j = 0; j < phases[i].n_held; j++) {
        AWAIT(jrpc_call_is_cancelled(held[j]));
        assert_int_equal(jrpc_reply_integer(held[j], 1), -EPIPE);
        jrpc_call_free(held[j]);
    }
}

/* end: the client's, with its descriptor; the server is done with it afterwards. */
static void end_in_every_phase(void (*end)(web_client *client))
{
    web_watch watch;
    jrpc_call *held[1];

    watch_begin(&watch, HTTP, NULL);
    for (size_t i = 0; i < LENGTH(phases); i++) {
        web_client *client = reach_phase(&watch, i);
        take_held(&watch, i, held);
        end(client);
        drop_held(i, held);
        watch_all_is_as_before(&watch);
    }
    watch_end(&watch);
}

static void reset_in_any_phase_leaves_nothing(void **state)
{
    (void)state;
    end_in_every_phase(web_reset);
}

/* No more comes: the server hangs up, and the client sees it. */
static void half_close(web_client *client)
{
    shutdown(client->fd, SHUT_WR);
    web_read_all(client);
    web_close(client);
}

static void half_close_in_any_phase_ends_the_connection(void **state)
{
    (void)state;
    end_in_every_phase(half_close);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_utf8_is_told_however_it_is_fragmented),
        cmocka_unit_test(bad_utf8_is_told_however_its_frame_comes),
        cmocka_unit_test(fragments_of_one_byte_are_one_message),
        cmocka_unit_test(length_over_message_max_is_told_before_all_of_it_came),
        cmocka_unit_test(zero_with_a_long_length_is_survived),
        cmocka_unit_test(regression_ping_amid_a_large_answer_is_answered_between_frames),
        cmocka_unit_test(others_are_served_while_somebody_floods_with_pings),
        cmocka_unit_test(reset_in_any_phase_leaves_nothing),
        cmocka_unit_test(half_close_in_any_phase_ends_the_connection),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
