/* SPDX-License-Identifier: MIT */
/*
 * test_cancel.c - held calls that nobody waits for any more: cancelled, or their time is up
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "desk.h"

/* Counts how often a call's owner was told, and does what a test wants meanwhile. */
struct told {
    unsigned n;
    bool is_freeing;
    jrpc_call *other; /* is replied to */
    struct desk *desk;
};

static void note_cancelled(jrpc_call *held, void *user)
{
    struct told *told = user;

    told->n++;
    assert_true(jrpc_call_is_cancelled(held));
    assert_int_equal(jrpc_reply_null(held), -ECANCELED);
    if (told->other) {
        assert_int_equal(jrpc_reply_string(told->other, "told"), 0);
        jrpc_call_free(told->other);
    }
    if (told->is_freeing)
        jrpc_call_free(held);
}

/* Everything that may be tried on a cancelled call is refused and frees what it stole. */
static void check_refused(jrpc_call *held)
{
    assert_true(jrpc_call_is_cancelled(held));
    assert_int_equal(jrpc_reply_null(held), -ECANCELED);
    assert_int_equal(jrpc_reply_string(held, "\xFF"), -ECANCELED);
    assert_int_equal(jrpc_reply_json(held, json_array()), -ECANCELED);
    assert_int_equal(jrpc_reply_json(held, NULL), -ECANCELED);
    assert_int_equal(jrpc_reply_pack(held, "[i]", 1), -ECANCELED);
    assert_int_equal(jrpc_reply_raw(held, "{", 1), -ECANCELED);
    assert_int_equal(jrpc_fail(held, 7, "late"), -ECANCELED);
    assert_int_equal(jrpc_fail(held, 0, NULL), -ECANCELED);
    assert_int_equal(jrpc_fail_format(held, 7, "%s", "late"), -ECANCELED);
    assert_int_equal(jrpc_fail_data(held, 7, "late", json_object()), -ECANCELED);
}

/*
 * Cancelling
 */

static void cancelled_call_is_answered_at_once(void **state)
{
    struct desk desk = {.n_held = 0};
    jrpc_service *service = new_service(NULL, desk_methods, &desk);
    (void)state;

    for (int path = 0; path < N_PATHS; path++) {
        struct told told = {.n = 0};
        jrpc_pending *pending = NULL;
        send_async(service, path, HOLD("0"), &desk, &pending);
        assert_false(jrpc_call_is_cancelled(desk.held[0]));
        assert_int_equal(jrpc_call_on_cancelled(desk.held[0], note_cancelled, &told), 0);
        assert_int_equal(jrpc_call_on_cancelled(desk.held[0], note_cancelled, &told), -EALREADY);
        assert_int_equal(told.n, 0);
        jrpc_pending_cancel(pending);
        assert_done(&desk, CANCELLED("0"));
        assert_int_equal(told.n, 1);
        check_refused(desk.held[0]);
        jrpc_pending_cancel(pending);
        jrpc_pending_free(pending);
        assert_int_equal(told.n, 1);
        check_refused(desk.held[0]);
        assert_int_equal(jrpc_arg_integer(desk.held[0], 0), 0);
        assert_int_equal(jrpc_arg_count(desk.held[0]), 1);
        jrpc_call_free(desk.held[0]);
        assert_int_equal(desk.n_done, 1);
        clear_desk(&desk);
    }
    jrpc_service_free(service);
}

static void owner_is_told_at_once_if_it_asks_late(void **state)
{
    struct desk desk = {.n_held = 0};
    jrpc_service *service = new_service(NULL, desk_methods, &desk);
    (void)state;

    for (int i = 0; i < 4; i++) {
        struct told told = {.is_freeing = i & 1};
        jrpc_pending *pending = NULL;
        send_async(service, i >> 1, HOLD("0"), &desk, &pending);
        jrpc_pending_cancel(pending);
        jrpc_pending_free(pending);
        assert_int_equal(jrpc_call_on_cancelled(desk.held[0], note_cancelled, &told), 0);
        assert_int_equal(told.n, 1);
        if (!told.is_freeing)
            jrpc_call_free(desk.held[0]);
        assert_done(&desk, CANCELLED("0"));
        clear_desk(&desk);
    }
    jrpc_service_free(service);
}

static void call_may_be_freed_while_its_owner_is_told(void **state)
{
    struct desk desk = {.n_held = 0};
    jrpc_service *service = new_service(NULL, desk_methods, &desk);
    (void)state;

    for (int path = 0; path < N_PATHS; path++) {
        struct told told[3] = {{.is_freeing = true}, {.n = 0}, {.is_freeing = true}};
        jrpc_pending *pending = NULL;
        send_async(service, path, "[" HOLD("0") "," HOLD("1") "," HOLD("2") "]", &desk, &pending);
        for (size_t i = 0; i < 3; i++)
            assert_int_equal(jrpc_call_on_cancelled(desk.held[i], note_cancelled, &told[i]), 0);
        jrpc_pending_cancel(pending);
        for (size_t i = 0; i < 3; i++)
            assert_int_equal(told[i].n, 1);
        jrpc_call_free(desk.held[1]);
        assert_done(&desk, "[" CANCELLED("0") "," CANCELLED("1") "," CANCELLED("2") "]");
        jrpc_pending_free(pending);
        clear_desk(&desk);
    }
    jrpc_service_free(service);
}

static void only_what_is_unanswered_is_cancelled(void **state)
{
    struct desk desk = {.n_held = 0};
    jrpc_service *service = new_service(NULL, desk_methods, &desk);
    (void)state;

    for (int path = 0; path < N_PATHS; path++) {
        struct told told[3] = {{.n = 0}, {.n = 0}, {.n = 0}};
        jrpc_pending *pending = NULL;
        send_async(service, path, "[" HOLD("0") "," HOLD("1") "," HOLD("2") "]", &desk, &pending);
        for (size_t i = 0; i < 3; i++)
            assert_int_equal(jrpc_call_on_cancelled(desk.held[i], note_cancelled, &told[i]), 0);
        assert_int_equal(jrpc_reply_integer(desk.held[1], 5), 0);
        jrpc_call_free(desk.held[2]);
        jrpc_pending_cancel(pending);
        assert_done(&desk, "[" CANCELLED("0") "," RESULT("5", "1") "," INTERNAL("2") "]");
        assert_int_equal(told[0].n, 1);
        assert_int_equal(told[1].n, 0);
        assert_int_equal(told[2].n, 0);
        assert_false(jrpc_call_is_cancelled(desk.held[1]));
        assert_int_equal(jrpc_reply_null(desk.held[1]), -EALREADY);
        jrpc_call_free(desk.held[0]);
        jrpc_call_free(desk.held[1]);
        jrpc_pending_free(pending);
        clear_desk(&desk);
    }
    jrpc_service_free(service);
}

/* The first call's owner answers the second, which then is not cancelled any more. */
static void owner_that_is_told_may_answer_others(void **state)
{
    struct desk desk = {.n_held = 0};
    jrpc_service *service = new_service(NULL, desk_methods, &desk);
    (void)state;

    for (int path = 0; path < N_PATHS; path++) {
        struct told told = {.is_freeing = true};
        jrpc_pending *pending = NULL;
        send_async(service, path, "[" HOLD("0") "," HOLD("1") "]", &desk, &pending);
        told.other = desk.held[1];
        assert_int_equal(jrpc_call_on_cancelled(desk.held[0], note_cancelled, &told), 0);
        jrpc_pending_cancel(pending);
        assert_done(&desk, "[" CANCELLED("0") "," RESULT("\"told\"", "1") "]");
        jrpc_pending_free(pending);
        clear_desk(&desk);
    }
    jrpc_service_free(service);
}

static void cancelled_notification_is_silent_but_told(void **state)
{
    struct desk desk = {.n_held = 0};
    jrpc_service *service = new_service(NULL, desk_methods, &desk);
    struct told told = {.is_freeing = true};
    jrpc_pending *pending = NULL;
    (void)state;

    send_async(service, 0, "{\"jsonrpc\":\"2.0\",\"method\":\"hold\"}", &desk, &pending);
    assert_int_equal(jrpc_call_on_cancelled(desk.held[0], note_cancelled, &told), 0);
    jrpc_pending_cancel(pending);
    assert_int_equal(told.n, 1);
    assert_done(&desk, "");
    jrpc_pending_free(pending);
    clear_desk(&desk);
    jrpc_service_free(service);
}

/* Forgetting the handle cancels nothing. */
static void freed_handle_cancels_nothing(void **state)
{
    struct desk desk = {.n_held = 0};
    jrpc_service *service = new_service(NULL, desk_methods, &desk);
    jrpc_pending *pending = NULL;
    (void)state;

    send_async(service, 0, HOLD("0"), &desk, &pending);
    jrpc_pending_free(pending);
    assert_false(jrpc_call_is_cancelled(desk.held[0]));
    assert_int_equal(jrpc_reply_null(desk.held[0]), 0);
    jrpc_call_free(desk.held[0]);
    assert_done(&desk, RESULT("null", "0"));
    clear_desk(&desk);
    jrpc_service_free(service);
}

/*
 * Time-outs: jrpc_dispatch() waits for a few milliseconds
 */

static int run_hold_and_ask(jrpc_call *call, void *user)
{
    struct told *told = user;
    struct desk *desk = told->desk;

    assert_int_equal(jrpc_call_defer(call, &desk->held[desk->n_held]), 0);
    return jrpc_call_on_cancelled(desk->held[desk->n_held++], note_cancelled, told);
}

static const jrpc_method timed_methods[] = {
    JRPC_METHOD("hold", run_hold_and_ask, NULL, NULL),
    JRPC_METHOD_FLAGS("hold_shortly", run_hold_and_ask, NULL, NULL, 0, 3),
    JRPC_METHOD_FLAGS("hold_long", run_hold_and_ask, NULL, NULL, 0, 1000000),
    JRPC_METHOD_FLAGS("hold_forever", run_hold_and_ask, NULL, NULL, 0, -1),
    JRPC_METHOD_END,
};

#define TIMED(method) "{\"jsonrpc\":\"2.0\",\"method\":\"" method "\",\"id\":0}"

static const struct {
    const char *behaviour, *call_timeout_ms, *sent;
    int timeout_ms;
} time_outs[] = {
    {"of_the_options", "3", TIMED("hold"), 0},
    {"of_the_method", "0", TIMED("hold_shortly"), 0},
    {"of_the_dispatch", "0", TIMED("hold"), 3},
    {"of_the_method_goes_before_the_options", "1000000", TIMED("hold_shortly"), 0},
    {"of_the_method_goes_before_options_that_are_off", "-1", TIMED("hold_shortly"), 0},
    {"of_the_dispatch_goes_before_the_method", "0", TIMED("hold_long"), 3},
    {"of_the_dispatch_goes_before_a_method_without", "0", TIMED("hold_forever"), 3},
};

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void time_out_is_answered_once_and_told_once(void **state)
{
    (void)state;

    for (size_t i = 0; i < sizeof(time_outs) / sizeof(*time_outs); i++)
        for (int path = 0; path < 2 * N_PATHS; path++) {
            const char *const options[] = {"call_timeout_ms", time_outs[i].call_timeout_ms, NULL};
            jrpc_dispatch_options dispatch = JRPC_DISPATCH_OPTIONS_INIT;
            struct desk desk = {.n_held = 0};
            struct told told = {.desk = &desk, .is_freeing = path >= N_PATHS};
            jrpc_service *service = new_service(options, timed_methods, &told);
            jrpc_response *response = NULL;
            print_message("%s\n", time_outs[i].behaviour);
            dispatch.timeout_ms = time_outs[i].timeout_ms;
            dispatch.codec = path_codec(path % N_PATHS);
            uint64_t begun = now_ns();
            assert_int_equal(jrpc_dispatch(service, time_outs[i].sent, strlen(time_outs[i].sent),
                                           &dispatch, &response),
                             0);
            assert_true(now_ns() - begun >= 3000000); /* not before its time */
            assert_json_equal(jrpc_response_json(response), TIMED_OUT("0"));
            assert_int_equal(jrpc_response_http_status(response), 504);
            assert_int_equal(told.n, 1);
            if (!told.is_freeing) {
                check_refused(desk.held[0]);
                jrpc_call_free(desk.held[0]);
            }
            assert_json_equal(jrpc_response_json(response), TIMED_OUT("0"));
            jrpc_response_free(response);
            jrpc_service_free(service);
        }
}

static int run_hold_other(jrpc_call *call, void *user)
{
    struct told *told = user;
    return jrpc_call_defer(call, &told->other);
}

/* Each has its own time: the owner of the one that is up answers the one that has none. */
static void each_member_has_its_own_time(void **state)
{
    static const char sent[] =
        "[{\"jsonrpc\":\"2.0\",\"method\":\"other\",\"id\":1}," TIMED("hold_shortly") "]";
    const jrpc_method other = JRPC_METHOD_FLAGS("other", run_hold_other, NULL, NULL, 0, -1);
    struct desk desk = {.n_held = 0};
    struct told told = {.desk = &desk, .is_freeing = true};
    jrpc_service *service = new_service(NULL, timed_methods, &told);
    jrpc_response *response = NULL;
    (void)state;

    assert_int_equal(jrpc_service_add(service, &other, &told), 0);
    for (int path = 0; path < N_PATHS; path++) {
        desk.n_held = 0;
        told.n = 0;
        ask(service, path, sent, &response);
        assert_json_equal(jrpc_response_json(response),
                          "[" RESULT("\"told\"", "1") "," TIMED_OUT("0") "]");
        assert_int_equal(told.n, 1);
    }
    jrpc_response_free(response);
    jrpc_service_free(service);
}

static void several_members_time_out_together(void **state)
{
    struct desk desk = {.n_held = 0};
    struct told told = {.desk = &desk};
    jrpc_service *service = new_service(NULL, timed_methods, &told);
    jrpc_response *response = NULL;
    (void)state;

    for (int path = 0; path < N_PATHS; path++) {
        desk.n_held = 0;
        told.n = 0;
        ask(service, path,
            "[" TIMED("hold_shortly") "," TIMED("nope") "," TIMED("hold_shortly") "]", &response);
        assert_json_equal(
            jrpc_response_json(response),
            "[" TIMED_OUT("0") "," ERROR(-32601, "Method not found", "0") "," TIMED_OUT("0") "]");
        assert_int_equal(told.n, 2);
        jrpc_call_free(desk.held[1]);
        jrpc_call_free(desk.held[0]);
    }
    jrpc_response_free(response);
    jrpc_service_free(service);
}

/* A held call that timed out may outlive the response, and the response's next message. */
static void response_is_used_again_while_a_held_call_lives(void **state)
{
    struct desk desk = {.n_held = 0};
    struct told told = {.desk = &desk};
    jrpc_service *service = new_service(NULL, timed_methods, &told);
    jrpc_response *response = NULL;
    (void)state;

    for (size_t i = 0; i < DESK_MAX; i++) {
        jrpc_response *before = response;
        ask(service, i & 1, TIMED("hold_shortly"), &response);
        assert_true(!before || before == response);
        assert_json_equal(jrpc_response_json(response), TIMED_OUT("0"));
    }
    ask(service, 0, TIMED("nope"), &response);
    check_refused(desk.held[3]);
    assert_int_equal(jrpc_response_code(response, 0), JRPC_METHOD_NOT_FOUND);
    jrpc_response_free(response);
    check_refused(desk.held[4]);
    jrpc_service_free(service);
    for (size_t i = 0; i < DESK_MAX; i++) {
        check_refused(desk.held[i]);
        jrpc_call_free(desk.held[i]);
    }
}

/* Without waiting nobody watches the time. */
static void asynchronous_dispatch_has_no_time_outs(void **state)
{
    static const char *const shortly[] = {"call_timeout_ms", "1", NULL};
    struct desk desk = {.n_held = 0};
    jrpc_service *service = new_service(shortly, desk_methods, &desk);
    jrpc_dispatch_options options = JRPC_DISPATCH_OPTIONS_INIT;
    jrpc_pending *pending = NULL;
    (void)state;

    options.done = note_done;
    options.user = &desk;
    options.timeout_ms = 1;
    assert_int_equal(jrpc_dispatch_async(service, HOLD("0"), strlen(HOLD("0")), &options, &pending),
                     -EOPNOTSUPP);
    assert_int_equal(desk.n_held + desk.n_done, 0);
    assert_null(pending);
    options.timeout_ms = -1;
    assert_int_equal(jrpc_dispatch_async(service, HOLD("0"), strlen(HOLD("0")), &options, &pending),
                     0);
    assert_int_equal(jrpc_reply_null(desk.held[0]), 0);
    jrpc_call_free(desk.held[0]);
    assert_done(&desk, RESULT("null", "0"));
    jrpc_pending_free(pending);
    clear_desk(&desk);
    jrpc_service_free(service);
}

/* A call that is invoked times out as one that is dispatched. */
static void invoked_call_times_out(void **state)
{
    struct desk desk = {.n_held = 0};
    struct told told = {.desk = &desk, .is_freeing = true};
    jrpc_service *service = new_service(NULL, timed_methods, &told);
    jrpc_response *response = NULL;
    (void)state;

    assert_int_equal(jrpc_invoke(service, "hold_shortly", NULL, NULL, &response), 0);
    assert_json_equal(jrpc_response_json(response), TIMED_OUT("1"));
    assert_int_equal(told.n, 1);
    jrpc_response_free(response);
    jrpc_service_free(service);
}

/* The outcome of each is told to the hook. */
static void note_outcome(jrpc_call *call, const jrpc_outcome *outcome, void *user)
{
    int *code = user;

    (void)call;
    assert_int_equal(*code, 0);
    *code = outcome->code;
}

static void hook_is_told_once(void **state)
{
    struct desk desk = {.n_held = 0};
    struct told told = {.desk = &desk, .is_freeing = true};
    jrpc_service *service = new_service(NULL, timed_methods, &told);
    jrpc_hooks hooks = JRPC_HOOKS_INIT;
    jrpc_response *response = NULL;
    jrpc_pending *pending = NULL;
    int code = 0;
    (void)state;

    hooks.call_answered = note_outcome;
    assert_int_equal(jrpc_service_set_hooks(service, &hooks, &code), 0);
    ask(service, 0, TIMED("hold_shortly"), &response);
    assert_int_equal(code, JRPC_TIMED_OUT);
    desk.n_held = 0;
    code = 0;
    send_async(service, 0, TIMED("hold"), &desk, &pending);
    jrpc_pending_cancel(pending);
    assert_int_equal(code, JRPC_CANCELLED);
    jrpc_pending_free(pending);
    clear_desk(&desk);
    jrpc_response_free(response);
    jrpc_service_free(service);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(cancelled_call_is_answered_at_once),
        cmocka_unit_test(owner_is_told_at_once_if_it_asks_late),
        cmocka_unit_test(call_may_be_freed_while_its_owner_is_told),
        cmocka_unit_test(only_what_is_unanswered_is_cancelled),
        cmocka_unit_test(owner_that_is_told_may_answer_others),
        cmocka_unit_test(cancelled_notification_is_silent_but_told),
        cmocka_unit_test(freed_handle_cancels_nothing),
        cmocka_unit_test(time_out_is_answered_once_and_told_once),
        cmocka_unit_test(each_member_has_its_own_time),
        cmocka_unit_test(several_members_time_out_together),
        cmocka_unit_test(response_is_used_again_while_a_held_call_lives),
        cmocka_unit_test(asynchronous_dispatch_has_no_time_outs),
        cmocka_unit_test(invoked_call_times_out),
        cmocka_unit_test(hook_is_told_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
