/* SPDX-License-Identifier: MIT */
/*
 * test_web_liveness.c - WebSocket: pings, and the end of those that do not answer
 *
 * The clock that the server looks at is put forward; it looks once a second.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "web_watch.h"

enum { SILENCE_MS = 31000, ANSWER_MS = 11000 };

static atomic_uint_least64_t ahead_ms;

uint64_t __real_uv_now(const uv_loop_t *loop);
uint64_t __wrap_uv_now(const uv_loop_t *loop);

uint64_t __wrap_uv_now(const uv_loop_t *loop)
{
    return __real_uv_now(loop) + atomic_load(&ahead_ms);
}

static void put_forward(uint64_t ms)
{
    atomic_fetch_add(&ahead_ms, ms);
}

static void call(web_client *client)
{
    ws_text(client, PING);
    ws_expect(client, RESULT("1", "1"));
}

/* The server has it on its list. */
static web_client *visit(const web_watch *watch)
{
    web_client *client = ws_visit(watch->site);

    call(client);
    return client;
}

/* The next frame is a ping. What it says, to be freed. */
static char *await_ping(web_client *client, size_t *len)
{
    char *data;

    assert_int_equal(ws_receive_frame(client, &data, len), WS_FINAL | WS_PING);
    return data;
}

static void silent_client_is_pinged_and_then_hung_up_on(void **state)
{
    web_watch watch;
    size_t len;

    (void)state;
    watch_begin(&watch, HTTP, NULL);
    web_client *client = visit(&watch);
    put_forward(SILENCE_MS);
    free(await_ping(client, &len));
    put_forward(ANSWER_MS);
    ws_expect_end(client, 0);
    desk_wait_for(&watch.site->desk, &watch.site->desk.n_closed, 1, "the peer's end");
    assert_int_equal(watch.site->desk.closed_reason, -ETIMEDOUT);
    web_close(client);
    watch_end(&watch);
}

static void client_that_gives_a_sign_of_life_is_kept(void **state)
{
    web_watch watch;
    size_t len;

    (void)state;
    watch_begin(&watch, HTTP, NULL);
    web_client *client = visit(&watch), *late = visit(&watch);
    for (int round = 0; round < 4; round++) {
        put_forward(SILENCE_MS);
        char *data = await_ping(client, &len);
        if (round % 2) {
            call(client); /* instead of a pong */
        } else {
            ws_send(client, WS_FINAL | WS_PONG, data, len);
            stat_of(watch.site, "peers");
        }
        free(data);
        if (!round)
            free(await_ping(late, &len));
        put_forward(ANSWER_MS);
        if (!round)
            ws_expect_end(late, 0);
        call(client);
    }
    web_close(late);
    web_close(client);
    watch_end(&watch);
}

/* So many bytes and hardly more: the rest is to be too much for the kernel's buffers. */
static void read_no_more_than(web_client *client, size_t len)
{
    enum { PIECE = 65536 };

    if (client->cap < len + PIECE) {
        client->cap = len + PIECE;
        client->data = realloc(client->data, client->cap + 1);
        assert_non_null(client->data);
    }
    while (client->len < len) {
        web_await(client->fd, POLLIN);
        ssize_t n = recv(client->fd, client->data + client->len, PIECE, 0);
        assert_true(n > 0);
        client->len += (size_t)n;
    }
    client->data[client->len] = '\0';
}

/* Its ping stands behind megabytes. Whether it has taken some of them when the time is over
 * decides. Another client, which has come later, shows when both were pinged and judged. */
static void judge_slow_reader(bool is_reading)
{
    enum { ANSWER = 15000000, PIECE = 1000000 };
    web_watch watch;
    size_t len;

    watch_begin(&watch, HTTP, NULL);
    web_client *slow = visit(&watch), *other = visit(&watch);
    int room = 262144; /* not as much as the kernel would give in time */
    assert_int_equal(setsockopt(slow->fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room)), 0);
    ws_text(slow, CALL("big", "[15000000]", "2"));
    read_no_more_than(slow, PIECE);
    put_forward(SILENCE_MS);
    free(await_ping(other, &len));
    if (is_reading)
        read_no_more_than(slow, 2 * PIECE);
    put_forward(ANSWER_MS);
    ws_expect_end(other, 0);
    if (is_reading) {
        char *text = ws_receive(slow, &len);
        assert_non_null(text);
        assert_true(len > ANSWER);
        free(text);
        call(slow);
    } else {
        desk_wait_for(&watch.site->desk, &watch.site->desk.n_closed, 2, "the peers' ends");
        assert_int_equal(watch.site->desk.closed_reason, -ETIMEDOUT);
    }
    web_close(slow);
    web_close(other);
    watch_end(&watch);
}

static void regression_client_that_reads_slowly_is_not_hung_up_on(void **state)
{
    (void)state;
    judge_slow_reader(/* is_reading */ true);
}

static void client_that_stops_reading_is_hung_up_on(void **state)
{
    (void)state;
    judge_slow_reader(/* is_reading */ false);
}

/* No ping can follow, but what it does not read is not to be kept for ever. */
static void regression_closed_client_that_stops_reading_is_hung_up_on(void **state)
{
    web_watch watch;
    size_t len;

    (void)state;
    watch_begin(&watch, HTTP, NULL);
    web_client *slow = visit(&watch), *other = visit(&watch);
    int room = 262144;
    assert_int_equal(setsockopt(slow->fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room)), 0);
    ws_text(slow, CALL("big", "[15000000]", "2"));
    read_no_more_than(slow, 1000000);
    jrpc_peer_close(watch.site->peers[1]); /* behind that of the watch */
    on_loop(watch.site, do_nothing, /* user */ NULL);
    put_forward(SILENCE_MS);
    free(await_ping(other, &len));
    put_forward(ANSWER_MS);
    ws_expect_end(other, 0);
    desk_wait_for(&watch.site->desk, &watch.site->desk.n_closed, 2, "the peers' ends");
    assert_int_equal(watch.site->desk.closed_reason, -ETIMEDOUT);
    web_close(slow);
    web_close(other);
    watch_end(&watch);
}

/* More than are pinged at once. */
static void many_are_all_pinged(void **state)
{
    enum { N = 350 };
    static web_client *clients[N];
    web_watch watch;
    size_t len;

    (void)state;
    watch_begin(&watch, HTTP, NULL);
    for (int i = 0; i < N; i++)
        clients[i] = visit(&watch);
    put_forward(SILENCE_MS);
    for (int i = 0; i < N; i++) {
        char *data = await_ping(clients[i], &len);
        if (i % 3)
            ws_send(clients[i], WS_FINAL | WS_PONG, data, len);
        free(data);
        if (i % 3 == 2)
            web_reset(clients[i]);
    }
    for (int i = 1; i < N; i += 3) {
        call(clients[i]);
    }
    put_forward(ANSWER_MS);
    for (int i = 0; i < N; i += 3) {
        ws_expect_end(clients[i], 0);
        web_close(clients[i]);
    }
    for (int i = 1; i < N; i += 3) {
        call(clients[i]);
        web_close(clients[i]);
    }
    watch_end(&watch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(silent_client_is_pinged_and_then_hung_up_on),
        cmocka_unit_test(client_that_gives_a_sign_of_life_is_kept),
        cmocka_unit_test(regression_client_that_reads_slowly_is_not_hung_up_on),
        cmocka_unit_test(client_that_stops_reading_is_hung_up_on),
        cmocka_unit_test(regression_closed_client_that_stops_reading_is_hung_up_on),
        cmocka_unit_test(many_are_all_pinged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
