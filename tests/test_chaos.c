/* SPDX-License-Identifier: MIT */
/*
 * test_chaos.c - every allocation of a scenario fails once, and once with all that follow
 *
 * The laws: nothing crashes or leaks; a message is either not taken (-ENOMEM, nothing has run) or
 * each of its requests is answered exactly once, with what it would have been answered anyway or
 * with an internal error; afterwards all is as before.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ask.h"
#include "chaos.h"
#include "chaos_messages.h"
#include "toy.h"

enum { FAILURES_MAX = 2000 };

/*
 * Methods that need what the toy has not
 */

struct point {
    int x;
    double y;
    const char *name;
    json_t *tags;
};

static int run_point(jrpc_call *call, void *user)
{
    static const jrpc_field fields[] = {JRPC_FIELD(struct point, x, JRPC_INTEGER),
                                        JRPC_FIELD(struct point, y, JRPC_NUMBER),
                                        JRPC_FIELD(struct point, name, JRPC_STRING),
                                        JRPC_FIELD(struct point, tags, JRPC_ARRAY), JRPC_FIELD_END};
    struct point point = {.name = ""};
    int status = jrpc_args_read(call, fields, &point);

    ((struct toy *)user)->n_run++;
    if (status)
        return status;
    return jrpc_reply_pack(call, "[i,f,s,O]", point.x, point.y, point.name, point.tags);
}

static int run_long_error(jrpc_call *call, void *user)
{
    ((struct toy *)user)->n_run++;
    return jrpc_fail_format(call, 7, "%*s", 2000, "x");
}

static int run_look(jrpc_call *call, void *user)
{
    size_t len;

    /* What comes back NULL is not used; nothing here may crash. */
    ((struct toy *)user)->n_run++;
    jrpc_call_alloc(call, 10000);
    jrpc_call_id(call, &len);
    jrpc_call_method(call, NULL);
    jrpc_call_params_raw(call, &len);
    jrpc_call_params(call);
    for (size_t i = 0; i < jrpc_arg_count(call); i++) {
        jrpc_arg_name(call, i, NULL);
        jrpc_arg_string(call, i, NULL);
        jrpc_arg_raw(call, i, &len);
        jrpc_arg_json(call, i);
    }
    return jrpc_reply_boolean(call, true);
}

static int run_count(jrpc_call *call, void *user)
{
    ((struct toy *)user)->n_run++;
    return jrpc_reply_integer(call, (int64_t)jrpc_arg_count(call));
}

static const jrpc_method methods[] = {
    JRPC_METHOD("count", run_count, "a?, *rest: integer|string, **fields: any", NULL),
    JRPC_METHOD("point", run_point, "x: integer, **fields", "With a struct."),
    JRPC_METHOD("long_error", run_long_error, "", NULL),
    JRPC_METHOD("look", run_look, NULL, NULL),
    JRPC_METHOD_END,
};

/*
 * Dispatching
 */

enum way { TEXT, VALUE, ASYNC, ASYNC_VALUE, N_WAYS };

/* What came out of one dispatch, taken when memory is there again. */
struct outcome {
    int status;
    bool is_done;
    json_t *answer; /* NULL: nothing */
};

/* Whole or as the elements of a batch. */
static size_t count_answers(const json_t *answer)
{
    return json_is_array(answer) ? json_array_size(answer) : answer != NULL;
}

static json_t *answer_at(json_t *answer, size_t i)
{
    return json_is_array(answer) ? json_array_get(answer, i) : answer;
}

static json_int_t code_of(json_t *answer)
{
    return json_integer_value(json_object_get(json_object_get(answer, "error"), "code"));
}

/* As expected, or an error of that code without its data, or an internal error; for the same id. */
static bool is_lawful(json_t *answer, json_t *expected)
{
    json_int_t code = code_of(answer);

    if (json_equal(answer, expected))
        return true;
    if (!json_equal(json_object_get(answer, "id"), json_object_get(expected, "id")))
        return false;
    return code == JRPC_INTERNAL_ERROR || (code && code == code_of(expected));
}

static bool is_one_internal_error(json_t *answer)
{
    return json_is_object(answer) && code_of(answer) == JRPC_INTERNAL_ERROR &&
           json_is_null(json_object_get(answer, "id"));
}

static void complain(size_t message, enum way way, unsigned n, json_t *expected, json_t *answer)
{
    static const char *const ways[] = {"text", "value", "async", "async value"};
    char *left = expected ? json_dumps(expected, JSON_COMPACT) : NULL;
    char *right = answer ? json_dumps(answer, JSON_COMPACT) : NULL;

    print_error("%s (%s), allocation %u\n    expected %s\n    but got  %s\n",
                messages[message].behaviour, ways[way], n, left ? left : "nothing",
                right ? right : "nothing");
    free(left);
    free(right);
}

static bool is_outcome_lawful(const struct outcome *outcome, json_t *expected,
                              const struct toy *toy)
{
    size_t n = count_answers(expected);
    bool is_lawful_so_far = true;

    if (outcome->status)
        return outcome->status == -ENOMEM && !outcome->is_done && !toy->n_run;
    if (!outcome->is_done)
        return false;
    if (is_one_internal_error(outcome->answer) && !toy->n_run)
        return true; /* could not be read */
    if (count_answers(outcome->answer) != n ||
        json_is_array(outcome->answer) != json_is_array(expected))
        return false;
    for (size_t i = 0; i < n; i++)
        is_lawful_so_far =
            is_lawful_so_far && is_lawful(answer_at(outcome->answer, i), answer_at(expected, i));
    return is_lawful_so_far;
}

/* The answer's text, kept in memory that is not counted. */
static char kept[65536];
static size_t kept_len;

static void keep_answer(int status, jrpc_response *response, void *user)
{
    struct outcome *outcome = user;
    const char *text = jrpc_response_text(response, &kept_len);

    assert_int_equal(status, 0);
    assert_false(outcome->is_done);
    assert_true(kept_len < sizeof(kept));
    memcpy(kept, text, kept_len);
    outcome->is_done = true;
}

static void dispatch(jrpc_service *service, enum way way, const char *sent,
                     jrpc_response **response, struct outcome *outcome)
{
    jrpc_dispatch_options options = JRPC_DISPATCH_OPTIONS_INIT;
    jrpc_pending *pending = NULL;

    options.codec = path_codec(way == VALUE || way == ASYNC_VALUE);
    options.done = keep_answer;
    options.user = outcome;
    if (way == TEXT || way == VALUE) {
        outcome->status = jrpc_dispatch(service, sent, strlen(sent), &options, response);
        if (!outcome->status)
            keep_answer(0, *response, outcome);
    } else {
        outcome->status = jrpc_dispatch_async(service, sent, strlen(sent), &options, &pending);
        jrpc_pending_free(pending);
    }
}

/* What was kept, as a value; an answer that is none is a failure of its own. */
static void read_kept(const char *sent, unsigned n, struct outcome *outcome)
{
    const char *fault = outcome->is_done && kept_len ? answer_fault(kept, kept_len) : NULL;

    if (fault)
        fail_msg("%s, allocation %u: %s: %.*s", sent, n, fault, (int)kept_len, kept);
    if (outcome->is_done && kept_len) {
        outcome->answer = json_loadb(kept, kept_len, JSON_ALLOW_NUL, NULL);
        assert_non_null(outcome->answer);
    }
}

/* One dispatch in which the n-th allocation fails (0: none). Returns how many there were. */
static unsigned try_message(jrpc_service *service, enum way way, const char *sent, unsigned n,
                            bool is_lasting, jrpc_response **response, struct outcome *outcome)
{
    *outcome = (struct outcome){.status = 0};
    chaos_begin(n, is_lasting);
    dispatch(service, way, sent, response, outcome);
    unsigned n_allocations = chaos_end();
    read_kept(sent, n, outcome);
    return n_allocations;
}

/* A failure, checked; then the same message in peace. Returns whether there was an n-th
 * allocation. */
static bool survive(jrpc_service *service, struct toy *toy, size_t message, enum way way,
                    unsigned n, bool is_lasting, bool is_warm, json_t *expected)
{
    jrpc_response *response = NULL;
    const char *sent = messages[message].sent;
    struct outcome outcome;

    if (is_warm)
        assert_int_equal(jrpc_dispatch(service, CALL("ping"), 40, NULL, &response), 0);
    jrpc_response *before = response;
    toy->n_run = 0;
    unsigned n_allocations = try_message(service, way, sent, n, is_lasting, &response, &outcome);
    if (!is_outcome_lawful(&outcome, expected, toy)) {
        complain(message, way, n, expected, outcome.answer);
        fail();
    }
    if (outcome.status)
        assert_ptr_equal(response, before);
    json_decref(outcome.answer);

    try_message(service, way, sent, 0, false, &response, &outcome);
    if (!json_equal(outcome.answer, expected) && (outcome.answer || expected)) {
        complain(message, way, 0, expected, outcome.answer);
        fail();
    }
    json_decref(outcome.answer);
    jrpc_response_free(response);
    return n_allocations >= n;
}

static void ignore_line(const jrpc_log_record *record, void *user)
{
    (void)user;
    assert_int_equal(strlen(record->text), record->len);
}

static void check_messages(const char *const options[], enum way way)
{
    struct toy toy = {.n_held = 0};
    jrpc_service *service = new_service(options, methods, &toy);
    jrpc_hooks hooks = JRPC_HOOKS_INIT;
    unsigned n_failures = 0;

    hooks.logged = ignore_line;
    assert_int_equal(jrpc_service_set_hooks(service, &hooks, NULL), 0);
    assert_int_equal(toy_add(service, &toy), 0);
    for (size_t i = 0; i < sizeof(messages) / sizeof(*messages); i++) {
        struct outcome outcome;
        jrpc_response *response = NULL;
        if (messages[i].sent == many_positions && (way == VALUE || way == ASYNC_VALUE))
            break; /* what follows is large */
        try_message(service, way, messages[i].sent, 0, false, &response, &outcome);
        jrpc_response_free(response);
        /* One with a response that is new, all that follow with one that was used before. */
        for (int is_lasting = 0; is_lasting < 2; is_lasting++) {
            unsigned n = 1;
            while (survive(service, &toy, i, way, n, is_lasting, is_lasting, outcome.answer)) {
                n++;
                assert_true(n < FAILURES_MAX);
            }
            n_failures += n - 1;
        }
        json_decref(outcome.answer);
    }
    print_message("%u failures survived\n", n_failures);
    jrpc_service_free(service);
}

static void dispatch_survives(void **state)
{
    (void)state;
    for (int way = 0; way < N_WAYS; way++)
        check_messages(NULL, (enum way)way);
}

static void dispatch_with_all_options_survives(void **state)
{
    static const char *const options[] = {
        "debug", "yes", "convert_camel_case", "yes", "basic_logging", "yes", "trim_log_values",
        "yes",   NULL};
    (void)state;
    check_messages(options, TEXT);
    check_messages(options, VALUE);
}

/*
 * Held calls that are answered after the dispatch, cancelled, or time out
 */

enum end { RELEASE, CANCEL, N_ENDS };

static unsigned try_held(jrpc_service *service, struct toy *toy, int path, enum end end, unsigned n,
                         struct outcome *outcome)
{
    static const char sent[] = "[" CALL_WITH("later", WIDE) "," CALL("ping") "," NOTIFY(
        "later") "," CALL_WITH("later", "{\"value\":[" WIDE "]}") "]";
    jrpc_dispatch_options options = JRPC_DISPATCH_OPTIONS_INIT;
    jrpc_pending *pending = NULL;

    *outcome = (struct outcome){.status = 0};
    toy->n_run = 0;
    options.codec = path_codec(path);
    options.done = keep_answer;
    options.user = outcome;
    chaos_begin(n, false);
    outcome->status = jrpc_dispatch_async(service, sent, strlen(sent), &options, &pending);
    if (end == CANCEL)
        jrpc_pending_cancel(pending);
    toy_release(toy);
    unsigned n_allocations = chaos_end();
    jrpc_pending_free(pending);
    read_kept(sent, n, outcome);
    return n_allocations;
}

static void held_calls_survive(void **state)
{
    struct toy toy = {.n_held = 0};
    jrpc_service *service = new_service(NULL, NULL, NULL);
    (void)state;

    assert_int_equal(toy_add(service, &toy), 0);
    for (int i = 0; i < N_ENDS * N_PATHS; i++) {
        struct outcome expected, outcome;
        unsigned n = 0, n_allocations;
        try_held(service, &toy, i & 1, (enum end)(i / 2), 0, &expected);
        assert_int_equal(count_answers(expected.answer), 3);
        do {
            n_allocations = try_held(service, &toy, i & 1, (enum end)(i / 2), ++n, &outcome);
            assert_true(is_outcome_lawful(&outcome, expected.answer, &toy));
            json_decref(outcome.answer);
        } while (n_allocations >= n);
        assert_true(n > 10);
        json_decref(expected.answer);
    }
    jrpc_service_free(service);
}

static int run_hang(jrpc_call *call, void *user)
{
    return jrpc_call_defer(call, user);
}

static void time_outs_survive(void **state)
{
    static const char sent[] = "[" CALL_WITH("hang", "[1]") "," CALL("nope") "]";
    jrpc_call *held = NULL;
    const jrpc_method hang = JRPC_METHOD_FLAGS("hang", run_hang, "value", NULL, 0, 1);
    jrpc_service *service = new_service(NULL, NULL, NULL);
    (void)state;

    assert_int_equal(jrpc_service_add(service, &hang, &held), 0);
    for (int path = 0; path < N_PATHS; path++) {
        unsigned n = 0, n_allocations;
        do {
            jrpc_dispatch_options options = JRPC_DISPATCH_OPTIONS_INIT;
            jrpc_response *response = NULL;
            options.codec = path_codec(path);
            held = NULL;
            chaos_begin(++n, false);
            int status = jrpc_dispatch(service, sent, strlen(sent), &options, &response);
            n_allocations = chaos_end();
            assert_true(status == 0 || (status == -ENOMEM && !response && !held));
            if (held) {
                int code = jrpc_response_code(response, 0);
                assert_true(code == JRPC_TIMED_OUT || code == JRPC_INTERNAL_ERROR);
                assert_int_equal(jrpc_response_count(response), 2);
                assert_int_equal(jrpc_reply_null(held), -ECANCELED);
            }
            jrpc_call_free(held);
            jrpc_response_free(response);
        } while (n_allocations >= n);
    }
    jrpc_service_free(service);
}

/*
 * Invoking
 */

static void invoking_survives(void **state)
{
    struct toy toy = {.n_held = 0};
    jrpc_service *service = new_service(NULL, methods, &toy);
    json_t *expected = value_of("{\"jsonrpc\":\"2.0\",\"result\":[1,{\"a\":[2.5]}],\"id\":1}");
    unsigned n = 0, n_allocations;
    (void)state;

    assert_int_equal(toy_add(service, &toy), 0);
    do {
        json_t *params = value_of("[1,{\"a\":[2.5]}]");
        jrpc_response *response = NULL;
        struct outcome outcome = {.status = 0};
        toy.n_run = 0;
        chaos_begin(++n, false);
        outcome.status = jrpc_invoke(service, "echo_json", params, NULL, &response);
        if (!outcome.status)
            keep_answer(0, response, &outcome);
        n_allocations = chaos_end();
        read_kept("invoke", n, &outcome);
        assert_true(is_outcome_lawful(&outcome, expected, &toy));
        json_decref(outcome.answer);
        jrpc_response_free(response);
    } while (n_allocations >= n);
    assert_true(n > 10);
    json_decref(expected);
    jrpc_service_free(service);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(dispatch_survives),  cmocka_unit_test(dispatch_with_all_options_survives),
        cmocka_unit_test(held_calls_survive), cmocka_unit_test(time_outs_survive),
        cmocka_unit_test(invoking_survives),
    };
    chaos_install();
    write_large();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
