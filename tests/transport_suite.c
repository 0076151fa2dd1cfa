/* SPDX-License-Identifier: MIT */
/*
 * transport_suite.c - the behaviour that every transport must show: answers, now and later
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "suite_place.h"

void suite_listen(suite_site *site, size_t index, const char *url)
{
    jrpc_service *service = site->others[index] ? site->others[index] : site->service;
    jrpc_listener **listener = &site->listeners[index];

    if (jrpc_server_listen(site->server, service, url, site->options[index], listener))
        fail_msg("%s: %s", url, jrpc_server_problem(site->server)->text);
    for (size_t i = index + 1; i < SUITE_PEERS; i++)
        site->listeners[i] = *listener;
    site->n_listened++;
}

/*
 * Answers and their order
 */

static void calls_are_answered_in_order(void **state)
{
    suite_place *site = open_site(state, NULL);

    connect_client(site, 0);
    for (int i = 0; i < 300; i++) {
        char text[128];
        snprintf(text, sizeof(text), CALL("echo", "[%d]", "%d"), i, i);
        send_text(site, 0, text);
    }
    for (int i = 0; i < 300; i++) {
        char text[128];
        snprintf(text, sizeof(text), RESULT("%d", "%d"), i, i);
        expect(site, 0, text);
    }
    close_site(site);
}

/* One row: what is sent, and what is answered before the next one is; NULL: nothing. */
static void messages_get_their_answers(void **state)
{
    static const struct {
        const char *sent, *expected;
    } rows[] = {
        {CALL("echo", "[\"a\"]", "1"), RESULT("\"a\"", "1")},
        {"[" CALL("echo", "[1]", "1") "," CALL("echo", "[2]", "2") "]",
         "[" RESULT("1", "1") "," RESULT("2", "2") "]"},
        {"[" NOTIFICATION("count", "[]") "," CALL("echo", "[2]", "2") "]",
         "[" RESULT("2", "2") "]"},
        {NOTIFICATION("count", "[]"), NULL},
        {NOTIFICATION("absent", "[]"), NULL},
        {"[" NOTIFICATION("count", "[]") "," NOTIFICATION("count", "[]") "]", NULL},
        {"{\"jsonrpc\":\"2.0\",\"result\":1,\"id\":1}", NULL},
        {"[]", ERROR(-32600, "Invalid Request", "null")},
        {"{}", ERROR(-32600, "Invalid Request", "null")},
        {"1", ERROR(-32600, "Invalid Request", "null")},
        {"{", ERROR(-32700, "Parse error", "null")},
        {"[1,", ERROR(-32700, "Parse error", "null")},
        {"\"\\ud800\"", ERROR(-32700, "Parse error", "null")},
        {"\xff\xfe", ERROR(-32700, "Parse error", "null")},
        {"\xef\xbb\xbf{}", ERROR(-32700, "Parse error", "null")},
        {"{\"a\":1e}", ERROR(-32700, "Parse error", "null")},
        {CALL("absent", "[]", "\"x\""), ERROR(-32601, "Method not found", "\"x\"")},
        {CALL("block", "[\"x\"]", "1"), ERROR(-32602, "Invalid params", "1")},
        {CANCEL("1"), NULL},
        {CANCEL("{}"), NULL},
        {NOTIFICATION("$/cancelRequest", "[]"), NULL},
        {CALL("$/cancelRequest", "[1]", "1"), ERROR(-32601, "Method not found", "1")},
    };
    suite_place *site = open_site(state, NULL);

    connect_client(site, 0);
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        if (site->link->is_text && rows[i].sent[0] == '\xff')
            continue;
        send_text(site, 0, rows[i].sent);
        if (rows[i].expected)
            expect(site, 0, rows[i].expected);
        expect_echo(site, 0, (int)i);
    }
    assert_int_equal(desk_read(&site->desk, &site->desk.n_counted), 4);
    close_site(site);
}

static void bytes_of_any_kind_are_survived(void **state)
{
    suite_place *site = open_site(state, NULL);
    char bytes[256];

    skip_unless(site, !site->link->is_text);
    connect_client(site, 0);
    for (int i = 0; i < 256; i++)
        bytes[i] = (char)(i == '\n' || i == '\r' ? 'x' : 255 - i);
    bytes[255 - '\n'] = bytes[255 - '\r'] = 'x'; /* would end a line */
    assert_true(site->link->send(site->clients[0], bytes, sizeof(bytes)));
    expect(site, 0, ERROR(-32700, "Parse error", "null"));
    assert_true(site->link->send(site->clients[0], "{\"a\":\"\0\"}", 9));
    expect(site, 0, ERROR(-32700, "Parse error", "null"));
    expect_echo(site, 0, 1);
    close_site(site);
}

static void large_messages_go_both_ways(void **state)
{
    static const char head[] = "{\"jsonrpc\":\"2.0\",\"method\":\"echo\",\"id\":1,\"params\":[\"";
    suite_place *site = open_site(state, NULL);
    size_t len = sizeof(head) - 1 + MIB + 3;
    char *text = malloc(len + 1);

    assert_non_null(text);
    memcpy(text, head, sizeof(head) - 1);
    memset(text + sizeof(head) - 1, 'y', MIB);
    memcpy(text + sizeof(head) - 1 + MIB, "\"]}", 4);
    connect_client(site, 0);
    for (int i = 0; i < 3; i++) {
        send_text(site, 0, text);
        json_t *value = receive(site, 0);
        const json_t *result = json_object_get(value, "result");
        assert_int_equal(json_string_length(result), MIB);
        json_decref(value);
    }
    free(text);
    close_site(site);
}

static void peers_are_answered_apart(void **state)
{
    suite_place *site = open_site(state, NULL);

    connect_client(site, 0);
    connect_client(site, 1);
    send_text(site, 0, CALL("hold", "[]", "1"));
    send_text(site, 1, CALL("hold", "[]", "1"));
    expect_echo(site, 1, 5);
    expect_echo(site, 0, 4);
    answer(&site->desk, 7, 0);
    answer(&site->desk, 7, 0);
    expect(site, 0, RESULT("7", "1"));
    expect(site, 1, RESULT("7", "1"));
    desk_wait_for(&site->desk, &site->desk.n_opened, 2, "two peers");
    assert_int_not_equal(jrpc_peer_id(site->peers[0]), jrpc_peer_id(site->peers[1]));
    close_site(site);
}

/*
 * Answers that come later
 */

static void deferred_call_is_answered_later(void **state)
{
    suite_place *site = open_site(state, NULL);

    connect_client(site, 0);
    send_text(site, 0, CALL("hold", "[]", "1"));
    jrpc_call *held = desk_take(&site->desk);
    expect_echo(site, 0, 2);
    assert_int_equal(jrpc_reply_string(held, "late"), 0);
    assert_int_equal(jrpc_reply_string(held, "twice"), -EALREADY);
    jrpc_call_free(held);
    expect(site, 0, RESULT("\"late\"", "1"));
    close_site(site);
}

static void batch_waits_for_its_last_answer(void **state)
{
    suite_place *site = open_site(state, NULL);

    connect_client(site, 0);
    send_text(site, 0,
              "[" CALL("echo", "[1]", "1") "," CALL("hold", "[]", "2") "," NOTIFICATION(
                  "hold", "[]") "," CALL("echo", "[3]", "3") "," CALL("hold", "[]", "4") "]");
    expect_echo(site, 0, 9);
    jrpc_call *second = desk_take(&site->desk), *note = desk_take(&site->desk);
    answer(&site->desk, 4, 0);
    assert_int_equal(jrpc_reply_null(note), 0);
    jrpc_call_free(note);
    expect_echo(site, 0, 10);
    jrpc_call_free(second); /* forgotten */
    expect(site, 0,
           "[" RESULT("1", "1") "," ERROR(-32603, "Internal error",
                                          "2") "," RESULT("3", "3") "," RESULT("4", "4") "]");
    close_site(site);
}

static void blocking_calls_run_beside_the_loop(void **state)
{
    static const char *const options[] = {"workers", "3", NULL};
    suite_place *site = open_site(state, options);
    bool is_seen[5] = {false};

    connect_client(site, 0);
    for (int i = 0; i < 5; i++) {
        char text[128];
        snprintf(text, sizeof(text), CALL("block", "[%d]", "%d"), i, i);
        send_text(site, 0, text);
    }
    desk_wait_for(&site->desk, &site->desk.n_blocked, 3, "three busy workers");
    expect_echo(site, 0, 99);
    assert_int_equal(desk_read(&site->desk, &site->desk.n_blocked), 3);
    desk_let_go(&site->desk, 5);
    for (int i = 0; i < 5; i++) {
        json_t *value = receive(site, 0);
        json_int_t id = json_integer_value(json_object_get(value, "id"));
        assert_in_range(id, 0, 4);
        assert_false(is_seen[id]);
        is_seen[id] = true;
        assert_int_equal(json_integer_value(json_object_get(value, "result")), id);
        json_decref(value);
    }
    close_site(site);
}

static void call_times_out_once(void **state)
{
    suite_place *site = open_site(state, NULL);

    connect_client(site, 0);
    send_text(site, 0, CALL("hold_shortly", "[]", "1"));
    expect(site, 0, TIMED_OUT("1"));
    jrpc_call *held = desk_take(&site->desk);
    assert_true(jrpc_call_is_cancelled(held));
    assert_int_equal(jrpc_reply_integer(held, 1), -ECANCELED);
    jrpc_call_free(held);
    send_text(site, 0, "[" CALL("hold_shortly", "[]", "1") "," CALL("hold", "[]", "2") "]");
    held = desk_take(&site->desk);
    answer(&site->desk, 2, 0);
    expect(site, 0, "[" TIMED_OUT("1") "," RESULT("2", "2") "]");
    jrpc_call_free(held);
    expect_echo(site, 0, 1);
    close_site(site);
}

static void busy_worker_does_not_delay_a_time_out(void **state)
{
    static const char *const options[] = {"workers", "1", NULL};
    suite_place *site = open_site(state, options);

    connect_client(site, 0);
    send_text(site, 0, CALL("block_shortly", "[1]", "1"));
    expect(site, 0, TIMED_OUT("1"));
    desk_wait_for(&site->desk, &site->desk.n_blocked, 0, "nothing");
    send_text(site, 0, CALL("block_shortly", "[2]", "2"));
    expect(site, 0, TIMED_OUT("2"));
    desk_let_go(&site->desk, 2);
    send_text(site, 0, CALL("block", "[3]", "3"));
    desk_let_go(&site->desk, 1);
    expect(site, 0, RESULT("3", "3"));
    close_site(site);
}

int run_transport_suite(const suite_link *link)
{
    const struct CMUnitTest tests[] = {
        CASE(calls_are_answered_in_order),
        CASE(messages_get_their_answers),
        CASE(bytes_of_any_kind_are_survived),
        CASE(large_messages_go_both_ways),
        CASE(peers_are_answered_apart),
        CASE(deferred_call_is_answered_later),
        CASE(batch_waits_for_its_last_answer),
        CASE(blocking_calls_run_beside_the_loop),
        CASE(call_times_out_once),
        CASE(busy_worker_does_not_delay_a_time_out),
    };

    return RUN_CASES(tests) + run_cancel_suite(link) + run_limits_suite(link) +
           run_push_suite(link) + run_listen_suite(link) + run_apart_suite(link) +
           run_end_suite(link);
}
