/* SPDX-License-Identifier: MIT */
/*
 * test_hooks.c - what is called along the way, when, and what it is told
 */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "ask.h"
#include "toy.h"

#define CALL(method) "{\"jsonrpc\":\"2.0\",\"method\":\"" method "\",\"id\":1}"
#define CALL_WITH(method, params)                                                                  \
    "{\"jsonrpc\":\"2.0\",\"method\":\"" method "\",\"params\":" params ",\"id\":1}"
#define NOTIFY(method) "{\"jsonrpc\":\"2.0\",\"method\":\"" method "\"}"

/* What happened, in order: R received, H handler, A answered, each with the method. */
struct trace {
    char text[1024];
    size_t len;
    size_t n_bytes; /* of all answers, as told */
    jrpc_call *held;
    int (*refuse)(jrpc_call *call);
};

static void note(struct trace *trace, const char *format, ...) JRPC_PRINTF(2, 3);

static void note(struct trace *trace, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    trace->len +=
        (size_t)vsnprintf(trace->text + trace->len, sizeof(trace->text) - trace->len, format, args);
    va_end(args);
    assert_true(trace->len < sizeof(trace->text));
}

static const char *name_of(jrpc_call *call)
{
    const char *name = jrpc_call_method(call, NULL);
    return name ? name : "?";
}

static int received(jrpc_call *call, void *user)
{
    struct trace *trace = user;

    note(trace, "R %s; ", name_of(call));
    return trace->refuse ? trace->refuse(call) : 0;
}

static void answered(jrpc_call *call, const jrpc_outcome *outcome, void *user)
{
    assert_int_equal(outcome->size, sizeof(*outcome));
    assert_true(outcome->ns < UINT64_C(600) * 1000000000);
    if (jrpc_call_is_notification(call))
        assert_int_equal(outcome->len, 0);
    ((struct trace *)user)->n_bytes += outcome->len;
    note(user, "A %s %d; ", name_of(call), outcome->code);
}

static int run_ok(jrpc_call *call, void *user)
{
    note(user, "H %s; ", name_of(call));
    return jrpc_reply_integer(call, 7);
}

static int run_fail(jrpc_call *call, void *user)
{
    note(user, "H %s; ", name_of(call));
    return jrpc_fail(call, 42, "x");
}

static int run_crash(jrpc_call *call, void *user)
{
    note(user, "H %s; ", name_of(call));
    return -EIO;
}

static int run_bad_utf8(jrpc_call *call, void *user)
{
    note(user, "H %s; ", name_of(call));
    return jrpc_reply_string(call, "\xFF");
}

static int run_large(jrpc_call *call, void *user)
{
    static const char text[2048] = "";
    note(user, "H %s; ", name_of(call));
    return jrpc_reply_stringn(call, text, sizeof(text));
}

static int run_later(jrpc_call *call, void *user)
{
    struct trace *trace = user;

    note(trace, "H %s; ", name_of(call));
    return jrpc_call_defer(call, &trace->held);
}

static int run_release(jrpc_call *call, void *user)
{
    struct trace *trace = user;

    note(trace, "H %s; ", name_of(call));
    jrpc_reply_null(trace->held);
    note(trace, "replied; ");
    jrpc_call_free(trace->held);
    return 0;
}

static int run_forget(jrpc_call *call, void *user)
{
    struct trace *trace = user;

    note(trace, "H %s; ", name_of(call));
    assert_int_equal(jrpc_call_defer(call, &trace->held), 0);
    jrpc_call_free(trace->held);
    return 0;
}

static const jrpc_method methods[] = {
    JRPC_METHOD("ok", run_ok, "", NULL),
    JRPC_METHOD("fail", run_fail, "", NULL),
    JRPC_METHOD("crash", run_crash, "", NULL),
    JRPC_METHOD("bad_utf8", run_bad_utf8, "", NULL),
    JRPC_METHOD("large", run_large, "", NULL),
    JRPC_METHOD("later", run_later, "", NULL),
    JRPC_METHOD("release", run_release, "", NULL),
    JRPC_METHOD("forget", run_forget, "", NULL),
    JRPC_METHOD_END,
};

static jrpc_service *new_traced(struct trace *trace)
{
    static const char *const options[] = {
        "reply_max", "1024", "convert_camel_case", "yes", "batch_max", "4", NULL};
    jrpc_hooks hooks = JRPC_HOOKS_INIT;
    jrpc_service *service = new_service(options, methods, trace);

    hooks.call_received = received;
    hooks.call_answered = answered;
    assert_int_equal(jrpc_service_set_hooks(service, &hooks, trace), 0);
    return service;
}

static const struct {
    const char *behaviour, *sent, *expect;
} rows[] = {
    {"result", CALL("ok"), "R ok; H ok; A ok 0; "},
    {"error", CALL("fail"), "R fail; H fail; A fail 42; "},
    {"failing_handler", CALL("crash"), "R crash; H crash; A crash -32603; "},
    {"result_that_cannot_be_sent", CALL("bad_utf8"), "R bad_utf8; H bad_utf8; A bad_utf8 -32603; "},
    {"result_that_is_too_large", CALL("large"), "R large; H large; A large -32003; "},
    {"unknown_method_is_received", CALL("nope"), "R nope; A nope -32601; "},
    {"invalid_params_are_received", CALL_WITH("ok", "[1]"), "R ok; A ok -32602; "},
    {"camel_case_is_converted_before", CALL("badUtf8"),
     "R bad_utf8; H bad_utf8; A bad_utf8 -32603; "},
    {"notification", NOTIFY("ok"), "R ok; H ok; A ok 0; "},
    {"failing_notification", NOTIFY("crash"), "R crash; H crash; A crash -32603; "},
    {"notification_with_an_error", NOTIFY("fail"), "R fail; H fail; A fail 42; "},
    {"unknown_notification", NOTIFY("nope"), "R nope; A nope -32601; "},
    {"invalid_request_is_not_received", "1", "A ? -32600; "},
    {"parse_error_is_not_received", "{", "A ? -32700; "},
    {"empty_batch_is_one_answer", "[]", "A ? -32600; "},
    {"too_large_batch_is_one_answer", "[1,2,3,4,5]", "A ? -32004; "},
    {"response_is_nothing", "{\"jsonrpc\":\"2.0\",\"result\":1,\"id\":1}", ""},
    {"batch", "[" CALL("ok") "," NOTIFY("ok") ",1," CALL("nope") "]",
     "R ok; H ok; A ok 0; R ok; H ok; A ok 0; A ? -32600; R nope; A nope -32601; "},
    {"what_is_not_run_is_answered", "[" CALL("large") "," CALL("ok") "," NOTIFY("ok") "]",
     "R large; H large; A large -32003; A ok -32003; A ok -32003; "},
    {"deferred", "[" CALL("later") "," CALL("ok") "," NOTIFY("release") "]",
     "R later; H later; R ok; H ok; A ok 0; R release; H release; A later 0; replied; "
     "A release 0; "},
    {"deferred_and_forgotten", CALL("forget"), "R forget; H forget; A forget -32603; "},
    {"deferred_notification", "[" NOTIFY("later") "," NOTIFY("release") "]",
     "R later; H later; R release; H release; A later 0; replied; A release 0; "},
};

/* All of it is told but brackets and commas. */
static void check_lengths(const struct trace *trace, const jrpc_response *response)
{
    size_t len, n_answers = jrpc_response_count(response);
    const char *text = jrpc_response_text(response, &len);

    if (text[0] == '[')
        len -= n_answers + 1;
    assert_int_equal(trace->n_bytes, len);
}

static void members_are_traced_once_and_in_order(void **state)
{
    struct trace trace = {.len = 0};
    jrpc_service *service = new_traced(&trace);
    jrpc_response *response = NULL;
    (void)state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        for (int path = 0; path < N_PATHS; path++) {
            print_message("%s (%s)\n", rows[i].behaviour, path_name(path));
            trace.len = trace.n_bytes = 0;
            trace.text[0] = '\0';
            ask(service, path, rows[i].sent, &response);
            assert_string_equal(trace.text, rows[i].expect);
            if (path)
                assert_int_equal(trace.n_bytes, 0);
            else
                check_lengths(&trace, response);
        }
    jrpc_response_free(response);
    jrpc_service_free(service);
}

/*
 * Refusing
 */

static int refuse_with_error(jrpc_call *call)
{
    return jrpc_fail(call, JRPC_NOT_AUTHORISED, NULL);
}

static int refuse_with_result(jrpc_call *call)
{
    return jrpc_reply_string(call, "from the hook");
}

static int refuse_with_errno(jrpc_call *call)
{
    (void)call;
    return -EACCES;
}

static int answer_and_fail(jrpc_call *call)
{
    jrpc_reply_integer(call, 1);
    return -EIO;
}

static int let_pass(jrpc_call *call)
{
    (void)call;
    return 0;
}

static int look_and_let_pass(jrpc_call *call)
{
    /* As sent: undeclared, without defaults. */
    if (jrpc_arg_count(call)) {
        assert_int_equal(jrpc_arg_type(call, 0), JRPC_INTEGER);
        assert_non_null(jrpc_arg_json(call, 0));
        assert_non_null(jrpc_call_params(call));
    }
    assert_true(jrpc_call_is_notification(call) || jrpc_call_id(call, &(size_t){0}));
    return 0;
}

static int try_to_defer(jrpc_call *call)
{
    jrpc_call *held = NULL;

    assert_int_equal(jrpc_call_defer(call, &held), -EOPNOTSUPP);
    assert_null(held);
    return 0;
}

#define RESULT(result) "{\"jsonrpc\":\"2.0\",\"result\":" result ",\"id\":1}"
#define ERROR(code, message)                                                                       \
    "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":" #code ",\"message\":\"" message "\"},\"id\":1}"

static const struct {
    const char *behaviour;
    int (*refuse)(jrpc_call *call);
    const char *sent, *expect, *trace;
} refusals[] = {
    {"error", refuse_with_error, CALL("ok"), ERROR(-32005, "Not authorised"),
     "R ok; A ok -32005; "},
    {"unknown_method_is_refused_first", refuse_with_error, CALL("nope"),
     ERROR(-32005, "Not authorised"), "R nope; A nope -32005; "},
    {"result_instead", refuse_with_result, CALL("nope"), RESULT("\"from the hook\""),
     "R nope; A nope 0; "},
    {"errno", refuse_with_errno, CALL("ok"), ERROR(-32603, "Internal error"),
     "R ok; A ok -32603; "},
    {"answer_goes_before_errno", answer_and_fail, CALL("ok"), RESULT("1"), "R ok; A ok 0; "},
    {"notification", refuse_with_error, NOTIFY("ok"), NULL, "R ok; A ok -32005; "},
    {"notification_by_errno", refuse_with_errno, NOTIFY("ok"), NULL, "R ok; A ok -32603; "},
    {"not_at_all", let_pass, CALL("ok"), RESULT("7"), "R ok; H ok; A ok 0; "},
    {"looking_changes_nothing", look_and_let_pass, CALL("ok"), RESULT("7"), "R ok; H ok; A ok 0; "},
    {"looking_at_arguments_changes_nothing", look_and_let_pass, CALL_WITH("ok", "[5]"),
     ERROR(-32602, "Invalid params"), "R ok; A ok -32602; "},
    {"looking_at_named_arguments_changes_nothing", look_and_let_pass, CALL_WITH("ok", "{\"a\":5}"),
     ERROR(-32602, "Invalid params"), "R ok; A ok -32602; "},
    {"deferring_is_refused_and_changes_nothing", try_to_defer, CALL("ok"), RESULT("7"),
     "R ok; H ok; A ok 0; "},
};

static void received_may_refuse(void **state)
{
    struct trace trace = {.len = 0};
    jrpc_service *service = new_traced(&trace);
    jrpc_response *response = NULL;
    (void)state;

    for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++)
        for (int path = 0; path < N_PATHS; path++) {
            print_message("%s (%s)\n", refusals[i].behaviour, path_name(path));
            trace.len = 0;
            trace.text[0] = '\0';
            trace.refuse = refusals[i].refuse;
            ask(service, path, refusals[i].sent, &response);
            assert_json_equal(jrpc_response_json(response), refusals[i].expect);
            assert_string_equal(trace.text, refusals[i].trace);
        }
    jrpc_response_free(response);
    jrpc_service_free(service);
}

/*
 * Log lines
 */

struct lines {
    char text[512];
    int level;
};

static void logged(const jrpc_log_record *record, void *user)
{
    struct lines *lines = user;

    assert_int_equal(record->size, sizeof(*record));
    assert_null(record->transport);
    assert_null(record->peer);
    assert_int_equal(strlen(record->text), record->len);
    assert_null(strchr(record->text, '\n'));
    lines->level = record->level;
    strcat(strcat(lines->text, record->text), "\n");
}

static const struct {
    const char *behaviour, *basic_logging, *sent, *expect;
    int level;
} logs[] = {
    {"nothing_is_logged_by_default", "no", CALL("ok"), "", 0},
    {"request_and_answer", "yes", CALL("ok"), "--> " CALL("ok") "\n<-- " RESULT("7") "\n",
     JRPC_LOG_INFO},
    {"notification_alone", "yes", NOTIFY("ok"), "--> " NOTIFY("ok") "\n", JRPC_LOG_INFO},
    {"failing_handler_is_a_warning_also_without_basic_logging", "no", CALL("crash"),
     "method 'crash': the handler returned -5 (Input/output error)\n", JRPC_LOG_WARNING},
    {"failing_notification_is_a_warning", "no", NOTIFY("crash"),
     "method 'crash': the handler returned -5 (Input/output error)\n", JRPC_LOG_WARNING},
};

static void lines_go_to_the_hook(void **state)
{
    struct trace trace = {.len = 0};
    (void)state;

    for (size_t i = 0; i < sizeof(logs) / sizeof(*logs); i++)
        for (int path = 0; path < N_PATHS; path++) {
            const char *const options[] = {"basic_logging", logs[i].basic_logging, NULL};
            jrpc_service *service = new_service(options, methods, &trace);
            struct lines lines = {"", 0};
            jrpc_hooks hooks = JRPC_HOOKS_INIT;
            jrpc_response *response = NULL;
            print_message("%s (%s)\n", logs[i].behaviour, path_name(path));
            trace.len = 0;
            hooks.logged = logged;
            assert_int_equal(jrpc_service_set_hooks(service, &hooks, &lines), 0);
            ask(service, path, logs[i].sent, &response);
            assert_string_equal(lines.text, logs[i].expect);
            assert_int_equal(lines.level, logs[i].level);
            jrpc_response_free(response);
            jrpc_service_free(service);
        }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_are_traced_once_and_in_order),
        cmocka_unit_test(received_may_refuse),
        cmocka_unit_test(lines_go_to_the_hook),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
