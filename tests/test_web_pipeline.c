/* SPDX-License-Identifier: MIT */
/*
 * test_web_pipeline.c - clients that send the next request before they have the answer
 *
 * The answer tells them by "Connection: close" that nothing behind it was looked at.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "web_site.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

enum { REQUEST_SIZE = 256 };

/* A POST of a message, in to. */
static size_t put_request(char *to, const char *message)
{
    return (size_t)snprintf(to, REQUEST_SIZE,
                            "POST / HTTP/1.1\r\n" HOST JSON "Content-Length: %zu\r\n\r\n%s",
                            strlen(message), message);
}

static size_t put_echo(char *to, int n)
{
    char message[128];

    snprintf(message, sizeof(message), CALL("echo", "[%d]", "%d"), n, n);
    return put_request(to, message);
}

static size_t put_echoes(char *to, int n)
{
    size_t len = 0;

    for (int i = 0; i < n; i++)
        len += put_echo(to + len, i);
    return len;
}

/* The end, that takes back nothing of what was sent before. */
static void expect_clean_end(web_client *client)
{
    char byte;

    assert_int_equal(client->len, 0);
    web_await(client->fd, POLLIN);
    assert_int_equal(recv(client->fd, &byte, 1, 0), 0);
}

static bool says_close(const web_response *response)
{
    const char *connection = web_header(response->head, "connection");

    return connection && !strncmp(connection, "close\r\n", 7);
}

/* Answers to echoes, in their order: all of them or up to one that says it is the last. How many.
 */
static int read_echoes(web_client *client, int n)
{
    for (int i = 0; i < n; i++) {
        web_response response;
        char expected[128];
        web_receive(client, &response);
        assert_int_equal(response.status, 200);
        snprintf(expected, sizeof(expected), RESULT("%d", "%d"), i, i);
        assert_string_equal(response.body, expected);
        free(response.body);
        if (says_close(&response)) {
            expect_clean_end(client);
            return i + 1;
        }
    }
    return n;
}

static void first_of_many_in_one_packet_is_answered_and_is_the_last(void **state)
{
    static const int counts[] = {2, 3, 100, 2000};
    suite_place *site = open_web(HTTP, NULL);
    char *text = malloc(2000 * REQUEST_SIZE);

    (void)state;
    assert_non_null(text);
    for (size_t i = 0; i < LENGTH(counts); i++) {
        web_client *client = web_visit(site);
        web_write(client, text, put_echoes(text, counts[i]));
        assert_int_equal(read_echoes(client, counts[i]), 1);
        web_close(client);
    }
    free(text);
    close_site(site);
}

static void two_requests_may_be_split_anywhere(void **state)
{
    suite_place *site = open_web(HTTP, NULL);
    char text[2 * REQUEST_SIZE];
    size_t first_len = put_echo(text, 0), len = put_echoes(text, 2);

    (void)state;
    for (size_t split = 1; split < len; split++) {
        web_client *client = web_visit(site);
        web_write(client, text, split);
        web_write(client, text + split, len - split);
        int n = read_echoes(client, 2);
        /* Where the second one comes alone it may be in time. */
        assert_true(n == 1 || split == first_len);
        web_close(client);
    }
    close_site(site);
}

/* One by one, and never waiting: as many as were read alone. */
static void requests_that_come_apart_are_answered_in_order(void **state)
{
    enum { N = 200 };
    suite_place *site = open_web(HTTP, NULL);
    web_client *client = web_visit(site);
    char text[REQUEST_SIZE];

    (void)state;
    for (int i = 0; i < N; i++)
        if (!web_write(client, text, put_echo(text, i)))
            break;
    assert_true(read_echoes(client, N) >= 1);
    web_close(client);
    close_site(site);
}

/* How often the loop turns. */
typedef struct turn_count {
    uv_prepare_t prepare;
    unsigned n, n_closed;
    suite_desk *desk;
} turn_count;

static void count_turn(uv_prepare_t *prepare)
{
    ++((turn_count *)prepare->data)->n;
}

static void begin_to_count(suite_place *site, void *user)
{
    turn_count *turns = user;

    uv_prepare_init(jrpc_server_loop(site->at.server), &turns->prepare);
    turns->prepare.data = turns;
    uv_prepare_start(&turns->prepare, count_turn);
}

static void count_closed(uv_handle_t *handle)
{
    turn_count *turns = handle->data;

    desk_count(turns->desk, &turns->n_closed);
}

static void end_to_count(suite_place *site, void *user)
{
    turn_count *turns = user;

    (void)site;
    uv_close((uv_handle_t *)&turns->prepare, count_closed);
}

/* In that time, in which nothing comes to the client. */
static unsigned count_turns(suite_place *site, const web_client *client, int ms)
{
    struct pollfd nothing = {.fd = client->fd, .events = POLLIN};
    turn_count turns = {.desk = &site->desk};

    on_loop(site, begin_to_count, &turns);
    assert_int_equal(poll(&nothing, 1, ms), 0);
    on_loop(site, end_to_count, &turns);
    desk_wait_for(&site->desk, &turns.n_closed, 1, "the counter's end");
    return turns.n;
}

static void call_in_flight_is_answered_whatever_comes_behind_it(void **state)
{
    enum { JUNK_LEN = 3000000, MAX_TURNS = 100 };
    static const char hold[] = CALL("hold", "[]", "1");
    suite_place *site = open_web(HTTP, NULL);
    char *junk = malloc(JUNK_LEN), text[4 * REQUEST_SIZE];

    (void)state;
    assert_non_null(junk);
    for (int kind = 0; kind < 6; kind++) {
        web_client *client = web_visit(site);
        web_response response;
        size_t len = put_request(text, hold);
        if (kind % 2) /* together */
            len += put_echo(text + len, 2);
        web_write(client, text, len);
        jrpc_call *held = desk_take(&site->desk);
        memset(junk, "x\r\n"[kind / 2], JUNK_LEN);
        web_write(client, junk, kind < 2 ? 1 : JUNK_LEN);
        /* It does not look again and again either. */
        assert_in_range(count_turns(site, client, 100), 0, MAX_TURNS);
        assert_int_equal(jrpc_reply_integer(held, 7), 0);
        jrpc_call_free(held);
        web_receive(client, &response);
        assert_int_equal(response.status, 200);
        assert_string_equal(response.body, RESULT("7", "1"));
        assert_true(says_close(&response));
        free(response.body);
        expect_clean_end(client);
        web_close(client);
    }
    free(junk);
    close_site(site);
}

static void large_answer_is_whole_though_more_came_behind_its_request(void **state)
{
    static const char big[] = CALL("big", "[5000000]", "1");
    suite_place *site = open_web(HTTP, NULL);
    char text[4 * REQUEST_SIZE];

    (void)state;
    for (int i = 0; i < 4; i++) {
        web_client *client = web_visit(site);
        web_response response;
        size_t len = put_request(text, big);
        len += put_echo(text + len, 2);
        len += put_request(text + len, big);
        web_write(client, text, len);
        web_receive(client, &response);
        assert_int_equal(response.status, 200);
        assert_int_equal(response.len, 5000000 + strlen(RESULT("\"\"", "1")));
        assert_true(says_close(&response));
        free(response.body);
        expect_clean_end(client);
        web_close(client);
    }
    close_site(site);
}

/* Whoever puts a request into what others send must not have it run. */
static void nothing_behind_a_body_is_taken_for_a_request(void **state)
{
    static const char count[] = NOTIFICATION("count", "[]");
    static const char *const endings[] = {"", "\r\n", "0\r\n\r\n", "\r\n\r\n", "}"};
    suite_place *site = open_web(HTTP, NULL);
    char text[4 * REQUEST_SIZE];

    (void)state;
    for (size_t i = 0; i < LENGTH(endings); i++)
        for (int n_before = 1; n_before < 3; n_before++) {
            web_client *client = web_visit(site);
            size_t len = put_echoes(text, n_before);
            len += (size_t)snprintf(text + len, REQUEST_SIZE, "%s", endings[i]);
            len += put_request(text + len, count);
            web_write(client, text, len);
            assert_int_equal(read_echoes(client, n_before), 1);
            web_close(client);
        }
    assert_int_equal(desk_read(&site->desk, &site->desk.n_counted), 0);
    close_site(site);
}

static void vanished_clients_call_is_cancelled_though_it_sent_more(void **state)
{
    static const char hold[] = CALL("hold", "[]", "1");
    suite_place *site = open_web(HTTP, NULL);
    char text[2 * REQUEST_SIZE];

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        web_client *client = web_visit(site);
        size_t len = put_request(text, hold);
        web_write(client, text, len + (i ? 0 : put_echo(text + len, 1)));
        jrpc_call *held = desk_take(&site->desk);
        if (i)
            web_write(client, text, put_echo(text, 1));
        web_close(client);
        desk_wait_for(&site->desk, &site->desk.n_closed, i + 1, "the peer's end");
        assert_int_equal(jrpc_reply_integer(held, 7), -EPIPE);
        jrpc_call_free(held);
    }
    close_site(site);
}

/* Others are served as ever while some have sent too much. */
static void clients_that_wait_are_not_held_up_by_those_that_do_not(void **state)
{
    enum { N = 20 };
    static const char hold[] = CALL("hold", "[]", "1");
    suite_place *site = open_web(HTTP, NULL);
    web_client *greedy[N], *modest = web_visit(site);
    jrpc_call *held[N];
    char text[3 * REQUEST_SIZE];

    (void)state;
    for (int i = 0; i < N; i++) {
        greedy[i] = web_visit(site);
        size_t len = put_request(text, hold);
        len += put_echo(text + len, 1);
        web_write(greedy[i], text, len);
        held[i] = desk_take(&site->desk);
    }
    for (int i = 0; i < 500; i++)
        web_call(modest, PING, 200, RESULT("1", "1"));
    for (int i = 0; i < N; i++) {
        assert_int_equal(jrpc_reply_integer(held[i], 7), 0);
        jrpc_call_free(held[i]);
        web_expect(greedy[i], 200, RESULT("7", "1"));
        expect_clean_end(greedy[i]);
        web_close(greedy[i]);
    }
    web_call(modest, PING, 200, RESULT("1", "1"));
    web_close(modest);
    close_site(site);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_of_many_in_one_packet_is_answered_and_is_the_last),
        cmocka_unit_test(two_requests_may_be_split_anywhere),
        cmocka_unit_test(requests_that_come_apart_are_answered_in_order),
        cmocka_unit_test(call_in_flight_is_answered_whatever_comes_behind_it),
        cmocka_unit_test(large_answer_is_whole_though_more_came_behind_its_request),
        cmocka_unit_test(nothing_behind_a_body_is_taken_for_a_request),
        cmocka_unit_test(vanished_clients_call_is_cancelled_though_it_sent_more),
        cmocka_unit_test(clients_that_wait_are_not_held_up_by_those_that_do_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
