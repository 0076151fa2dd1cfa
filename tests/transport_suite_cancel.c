/* SPDX-License-Identifier: MIT */
/*
 * transport_suite_cancel.c - the behaviour that every transport must show: cancelled calls
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "suite_place.h"

static void cancelled_call_is_answered_at_once(void **state)
{
    suite_place *site = open_site(state, NULL);

    connect_client(site, 0);
    send_text(site, 0, CALL("hold", "[]", "\"a\""));
    send_text(site, 0, "[" CALL("hold", "[]", "2") "," CALL("echo", "[3]", "3") "]");
    jrpc_call *first = desk_take(&site->desk), *second = desk_take(&site->desk);
    assert_int_equal(jrpc_call_on_cancelled(first, count_told, &site->desk), 0);
    assert_false(jrpc_call_is_cancelled(first));
    send_text(site, 0, CANCEL("\"b\""));
    send_text(site, 0, CANCEL("\"a\""));
    expect(site, 0, CANCELLED("\"a\""));
    desk_wait_for(&site->desk, &site->desk.n_told, 1, "being told");
    assert_true(jrpc_call_is_cancelled(first));
    assert_int_equal(jrpc_reply_integer(first, 1), -ECANCELED);
    send_text(site, 0, CANCEL("2"));
    expect(site, 0, "[" CANCELLED("2") "," RESULT("3", "3") "]");
    assert_int_equal(jrpc_reply_integer(second, 1), -ECANCELED);
    jrpc_call_free(first);
    jrpc_call_free(second);
    expect_echo(site, 0, 1);
    assert_int_equal(desk_read(&site->desk, &site->desk.n_told), 1);
    close_site(site);
}

static void another_peers_call_is_not_cancelled(void **state)
{
    suite_place *site = open_site(state, NULL);

    connect_client(site, 0);
    connect_client(site, 1);
    send_text(site, 0, CALL("hold", "[]", "1"));
    expect_echo(site, 0, 5);
    send_text(site, 1, CANCEL("1"));
    expect_echo(site, 1, 5);
    answer(&site->desk, 1, 0);
    expect(site, 0, RESULT("1", "1"));
    close_site(site);
}

static void cancelling_overtakes_waiting_calls(void **state)
{
    static const char *const options[] = {"pending_max", "1", NULL};
    suite_place *site = open_site(state, options);

    skip_unless(site, !site->link->is_shared);
    connect_client(site, 0);
    send_text(site, 0, CALL("hold", "[]", "1"));
    jrpc_call *held = desk_take(&site->desk);
    send_text(site, 0, CALL("echo", "[2]", "2"));
    send_text(site, 0, CALL("echo", "[\"$/cancelRequest\"]", "3")); /* none */
    expect(site, 0, BUSY("3"));
    send_text(site, 0, CANCEL("1"));
    expect(site, 0, CANCELLED("1"));
    expect(site, 0, RESULT("2", "2"));
    jrpc_call_free(held);
    close_site(site);
}

static void regression_cancelling_where_names_are_converted(void **state)
{
    static const char *const options[] = {"convert_camel_case", "yes", NULL};
    suite_place *site = open_site(state, options);

    connect_client(site, 0);
    send_text(site, 0, CALL("hold", "[]", "1"));
    jrpc_call *held = desk_take(&site->desk);
    send_text(site, 0, CANCEL("1"));
    expect(site, 0, CANCELLED("1"));
    jrpc_call_free(held);
    close_site(site);
}

static void several_calls_are_cancelled(void **state)
{
    enum { N = 8 };
    suite_place *site = open_site(state, NULL);
    jrpc_call *held[N];
    char text[128];

    connect_client(site, 0);
    for (int i = 0; i < N; i++) {
        snprintf(text, sizeof(text), CALL("hold", "[]", "%d"), i);
        send_text(site, 0, text);
        held[i] = desk_take(&site->desk);
    }
    for (int i = N - 1; i >= 0; i -= 2) { /* the odd ones, the last first, and again */
        snprintf(text, sizeof(text), CANCEL("%d"), i);
        send_text(site, 0, text);
        send_text(site, 0, text);
        snprintf(text, sizeof(text), CANCELLED("%d"), i);
        expect(site, 0, text);
    }
    for (int i = 0; i < N; i++) {
        assert_int_equal(jrpc_call_is_cancelled(held[i]), i % 2);
        assert_int_equal(jrpc_reply_integer(held[i], i), i % 2 ? -ECANCELED : 0);
        jrpc_call_free(held[i]);
        if (i % 2)
            continue;
        snprintf(text, sizeof(text), RESULT("%d", "%d"), i, i);
        expect(site, 0, text);
    }
    expect_echo(site, 0, 99);
    close_site(site);
}

static void calls_of_one_id_are_cancelled_together(void **state)
{
    suite_place *site = open_site(state, NULL);
    jrpc_call *held[4];

    connect_client(site, 0);
    send_text(site, 0, CALL("hold", "[]", "1"));
    send_text(site, 0, CALL("hold", "[]", "\"1\"")); /* another one */
    send_text(site, 0, "[" CALL("hold", "[]", "1") "," CALL("hold", "[]", "1") "]");
    for (int i = 0; i < 4; i++)
        held[i] = desk_take(&site->desk);
    send_text(site, 0, CANCEL("1"));
    json_t *first = receive(site, 0), *second = receive(site, 0);
    bool is_batch_first = json_is_array(first);
    assert_json_equal(is_batch_first ? second : first, CANCELLED("1"));
    assert_json_equal(is_batch_first ? first : second, "[" CANCELLED("1") "," CANCELLED("1") "]");
    json_decref(first);
    json_decref(second);
    assert_int_equal(jrpc_reply_integer(held[1], 5), 0);
    expect(site, 0, RESULT("5", "\"1\""));
    for (int i = 0; i < 4; i++)
        jrpc_call_free(held[i]);
    expect_echo(site, 0, 99);
    close_site(site);
}

static void cancelled_batch_is_answered_with_its_last_member(void **state)
{
    suite_place *site = open_site(state, NULL);

    connect_client(site, 0);
    send_text(
        site, 0,
        "[" CALL("hold", "[]", "1") "," CALL("hold", "[]", "2") "," CALL("hold", "[]", "3") "]");
    jrpc_call *first = desk_take(&site->desk), *second = desk_take(&site->desk);
    send_text(site, 0, CANCEL("3"));
    send_text(site, 0, CANCEL("1"));
    expect_echo(site, 0, 9);
    assert_int_equal(jrpc_reply_integer(second, 2), 0);
    expect(site, 0, "[" CANCELLED("1") "," RESULT("2", "2") "," CANCELLED("3") "]");
    jrpc_call_free(first);
    jrpc_call_free(second);
    jrpc_call_free(desk_take(&site->desk));
    close_site(site);
}

/* Who cancels in a batch means calls before it, in the same batch too. */
static void batch_cancels_its_own_member(void **state)
{
    suite_place *site = open_site(state, NULL);

    connect_client(site, 0);
    send_text(site, 0,
              "[" CALL("hold", "[]", "1") "," CANCEL("1") "," CALL("echo", "[2]", "2") "]");
    expect(site, 0, "[" CANCELLED("1") "," RESULT("2", "2") "]");
    jrpc_call_free(desk_take(&site->desk));
    close_site(site);
}

static void call_that_waits_for_a_worker_is_cancelled_and_never_runs(void **state)
{
    static const char *const options[] = {"workers", "1", NULL};
    suite_place *site = open_site(state, options);

    connect_client(site, 0);
    send_text(site, 0, CALL("block", "[1]", "1"));
    desk_wait_for(&site->desk, &site->desk.n_blocked, 1, "a busy worker");
    send_text(site, 0, CALL("block", "[2]", "2"));
    send_text(site, 0, CANCEL("2"));
    expect(site, 0, CANCELLED("2"));
    send_text(site, 0, CALL("block", "[3]", "3"));
    desk_let_go(&site->desk, 3);
    json_t *first = receive(site, 0), *second = receive(site, 0);
    bool is_in_order = json_integer_value(json_object_get(first, "id")) == 1;
    assert_json_equal(is_in_order ? first : second, RESULT("1", "1"));
    assert_json_equal(is_in_order ? second : first, RESULT("3", "3"));
    json_decref(first);
    json_decref(second);
    assert_int_equal(desk_read(&site->desk, &site->desk.n_blocked), 2);
    close_site(site);
}

static void call_at_a_worker_is_cancelled_and_its_result_dropped(void **state)
{
    suite_place *site = open_site(state, NULL);

    connect_client(site, 0);
    send_text(site, 0, CALL("block", "[1]", "1"));
    desk_wait_for(&site->desk, &site->desk.n_blocked, 1, "a busy worker");
    send_text(site, 0, CANCEL("1"));
    expect(site, 0, CANCELLED("1"));
    desk_let_go(&site->desk, 1);
    expect_echo(site, 0, 2);
    close_site(site);
}

static void call_in_the_inbox_is_cancelled_at_once_and_never_runs(void **state)
{
    static const char *const options[] = {"pending_max", "1", NULL};
    suite_place *site = open_site(state, options);

    skip_unless(site, !site->link->is_shared);
    connect_client(site, 0);
    send_text(site, 0, CALL("hold", "[]", "1"));
    jrpc_call *held = desk_take(&site->desk);
    send_text(site, 0, CALL("count", "[]", "2"));
    send_text(site, 0, CALL("echo", "[3]", "3"));
    send_text(site, 0, CANCEL("\"2\"")); /* none */
    send_text(site, 0, CANCEL("2"));
    expect(site, 0, CANCELLED("2"));
    send_text(site, 0, CANCEL("2")); /* none any more */
    assert_int_equal(jrpc_reply_integer(held, 1), 0);
    jrpc_call_free(held);
    expect(site, 0, RESULT("1", "1"));
    expect(site, 0, RESULT("3", "3"));
    expect_echo(site, 0, 4);
    assert_int_equal(desk_read(&site->desk, &site->desk.n_counted), 0);
    close_site(site);
}

static void batch_member_in_the_inbox_is_cancelled_and_never_runs(void **state)
{
    static const char *const options[] = {"pending_max", "1", NULL};
    suite_place *site = open_site(state, options);

    skip_unless(site, !site->link->is_shared);
    connect_client(site, 0);
    send_text(site, 0, CALL("hold", "[]", "1"));
    jrpc_call *held = desk_take(&site->desk);
    send_text(site, 0,
              "[" CALL("echo", "[2]", "2") "," CALL("count", "[]", "3") "," NOTIFICATION(
                  "count", "[]") "," CALL("echo", "[4]", "4") "]");
    send_text(site, 0, CANCEL("3"));
    send_text(site, 0, CANCEL("5")); /* none */
    send_text(site, 0, CANCEL("1")); /* what it waits for */
    expect(site, 0, CANCELLED("1"));
    jrpc_call_free(held);
    expect(site, 0, "[" RESULT("2", "2") "," CANCELLED("3") "," RESULT("4", "4") "]");
    expect_echo(site, 0, 5);
    assert_int_equal(desk_read(&site->desk, &site->desk.n_counted), 1); /* the notification */
    close_site(site);
}

/* An id that is used again behind the cancellation is another call. */
static void cancelling_in_the_inbox_does_not_reach_later_calls(void **state)
{
    static const char *const options[] = {"pending_max", "1", NULL};
    suite_place *site = open_site(state, options);

    skip_unless(site, !site->link->is_shared);
    connect_client(site, 0);
    send_text(site, 0, CALL("hold", "[]", "1"));
    jrpc_call *held = desk_take(&site->desk);
    send_text(site, 0, CALL("count", "[]", "2"));
    send_text(site, 0, CANCEL("2"));
    expect(site, 0, CANCELLED("2"));
    send_text(site, 0, CALL("echo", "[7]", "2"));
    assert_int_equal(jrpc_reply_integer(held, 1), 0);
    jrpc_call_free(held);
    expect(site, 0, RESULT("1", "1"));
    expect(site, 0, RESULT("7", "2"));
    assert_int_equal(desk_read(&site->desk, &site->desk.n_counted), 0);
    close_site(site);
}

/* It is no batch to the service that reads its ids, but one to that which runs it. */
static void regression_waiting_batch_is_run_by_another_service(void **state)
{
    enum { MEMBERS = 40 };
    static const char *const options[] = {"pending_max", "1", "batch_max", "2", NULL};
    suite_place *site = open_site(state, options);
    char batch[MEMBERS * 64] = "";

    skip_unless(site, !site->link->is_shared);
    jrpc_service *other = new_service(NULL, suite_methods, &site->desk);
    connect_client(site, 0);
    send_text(site, 0, CALL("hold", "[]", "1"));
    jrpc_call *held = desk_take(&site->desk);
    for (int i = 0; i < MEMBERS; i++)
        snprintf(batch + strlen(batch), sizeof(batch) - strlen(batch), "%s%s", i ? "," : "[",
                 CALL("echo", "[2]", "2"));
    strcat(batch, "]");
    send_text(site, 0, batch);
    send_text(site, 0, CALL("echo", "[3]", "3"));
    send_text(site, 0, CANCEL("3"));
    expect(site, 0, CANCELLED("3"));
    on_loop(site, set_service, other);
    jrpc_service_free(other);
    assert_int_equal(jrpc_reply_integer(held, 1), 0);
    jrpc_call_free(held);
    expect(site, 0, RESULT("1", "1"));
    json_t *answers = receive(site, 0);
    assert_int_equal(json_array_size(answers), MEMBERS);
    for (size_t i = 0; i < MEMBERS; i++)
        assert_json_equal(json_array_get(answers, i), RESULT("2", "2"));
    json_decref(answers);
    close_site(site);
}

int run_cancel_suite(const suite_link *link)
{
    const struct CMUnitTest tests[] = {
        CASE(cancelled_call_is_answered_at_once),
        CASE(another_peers_call_is_not_cancelled),
        CASE(cancelling_overtakes_waiting_calls),
        CASE(regression_cancelling_where_names_are_converted),
        CASE(several_calls_are_cancelled),
        CASE(calls_of_one_id_are_cancelled_together),
        CASE(cancelled_batch_is_answered_with_its_last_member),
        CASE(batch_cancels_its_own_member),
        CASE(call_that_waits_for_a_worker_is_cancelled_and_never_runs),
        CASE(call_at_a_worker_is_cancelled_and_its_result_dropped),
        CASE(call_in_the_inbox_is_cancelled_at_once_and_never_runs),
        CASE(batch_member_in_the_inbox_is_cancelled_and_never_runs),
        CASE(cancelling_in_the_inbox_does_not_reach_later_calls),
        CASE(regression_waiting_batch_is_run_by_another_service),
    };

    return RUN_CASES(tests);
}
