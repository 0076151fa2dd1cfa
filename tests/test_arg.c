/* SPDX-License-Identifier: MIT */
/*
 * test_arg.c - arguments of every type through every accessor, on both paths, running and held
 */
#define _GNU_SOURCE
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "ask.h"

/* What every accessor gives for one argument. */
struct seen {
    const char *sent;
    jrpc_type type;
    int64_t integer;
    double number;
    bool boolean;
    const char *string;
    size_t string_len;
    const char *raw, *value; /* value NULL: jansson cannot hold it */
    bool is_text_only;       /* jansson's codec refuses it */
};

#define STRING(sent, string)                                                                       \
    {                                                                                              \
        sent, JRPC_STRING, 0, 0, false, string, sizeof(string) - 1, sent, sent, false              \
    }

static const struct seen rows[] = {
    {"null", JRPC_NULL, 0, 0, false, NULL, 0, "null", "null", false},
    {"true", JRPC_BOOLEAN, 0, 0, true, NULL, 0, "true", "true", false},
    {"false", JRPC_BOOLEAN, 0, 0, false, NULL, 0, "false", "false", false},
    {"0", JRPC_INTEGER, 0, 0, false, NULL, 0, "0", "0", false},
    {"-7", JRPC_INTEGER, -7, -7, false, NULL, 0, "-7", "-7", false},
    {"1.0", JRPC_INTEGER, 1, 1, false, NULL, 0, "1.0", "1.0", false},
    {"9223372036854775807", JRPC_INTEGER, INT64_MAX, 0x1p63, false, NULL, 0, "9223372036854775807",
     "9223372036854775807", false},
    {"-9223372036854775808", JRPC_INTEGER, INT64_MIN, -0x1p63, false, NULL, 0,
     "-9223372036854775808", "-9223372036854775808", false},
    {"-9223372036854775808.0", JRPC_INTEGER, INT64_MIN, -0x1p63, false, NULL, 0,
     "-9223372036854775808.0", "-9223372036854775808.0", false},
    {"9223372036854775808", JRPC_NUMBER, 0, 0x1p63, false, NULL, 0, "9223372036854775808",
     "9223372036854775808.0", true},
    {"9223372036854775808.0", JRPC_NUMBER, 0, 0x1p63, false, NULL, 0, "9223372036854775808.0",
     "9223372036854775808.0", false},
    {"1.5", JRPC_NUMBER, 0, 1.5, false, NULL, 0, "1.5", "1.5", false},
    {"0.1", JRPC_NUMBER, 0, 0.1, false, NULL, 0, "0.1", "0.1", false},
    {"1e400", JRPC_NUMBER, 0, 0, false, NULL, 0, "1e400", NULL, true},
    {"-1e400", JRPC_NUMBER, 0, 0, false, NULL, 0, "-1e400", NULL, true},
    STRING("\"\"", ""),
    STRING("\"abc\"", "abc"),
    STRING("\"é😀\"", "é😀"),
    {"\"\\u00e9\\n\"", JRPC_STRING, 0, 0, false, "é\n", 3, "\"\\u00e9\\n\"", "\"é\\n\"", false},
    {"\"a\\u0000b\"", JRPC_STRING, 0, 0, false, "a\0b", 3, "\"a\\u0000b\"", "\"a\\u0000b\"", false},
    {"[]", JRPC_ARRAY, 0, 0, false, NULL, 0, "[]", "[]", false},
    {"[1, [2]]", JRPC_ARRAY, 0, 0, false, NULL, 0, "[1, [2]]", "[1,[2]]", false},
    {"{}", JRPC_OBJECT, 0, 0, false, NULL, 0, "{}", "{}", false},
    {"{\"a\" :null}", JRPC_OBJECT, 0, 0, false, NULL, 0, "{\"a\" :null}", "{\"a\":null}", false},
    {"{\"\\u0000\":1}", JRPC_OBJECT, 0, 0, false, NULL, 0, "{\"\\u0000\":1}", NULL, true},
};

struct run {
    const struct seen *row;
    bool is_value, is_held, is_named;
    unsigned n_checked;
};

static void check_raw(jrpc_call *call, const struct run *run, size_t i)
{
    size_t len = 12345;
    const char *raw = jrpc_arg_raw(call, i, &len);
    char text[64];

    assert_non_null(raw);
    assert_true(len < sizeof(text));
    memcpy(text, raw, len);
    text[len] = '\0';
    if (run->is_value) /* written anew */
        assert_json_equal(jrpc_arg_json(call, i), text);
    else
        assert_string_equal(text, run->row->raw);
}

static void check_arg(jrpc_call *call, const struct run *run, size_t i)
{
    const struct seen *row = run->row;
    size_t len = 12345;

    assert_int_equal(jrpc_arg_type(call, i), row->type);
    assert_true(jrpc_arg_is_given(call, i));
    assert_int_equal(jrpc_arg_integer(call, i), row->integer);
    assert_true(fabs(jrpc_arg_number(call, i) - row->number) <= 0);
    assert_int_equal(jrpc_arg_boolean(call, i), row->boolean);
    const char *string = jrpc_arg_string(call, i, &len);
    assert_int_equal(string != NULL, row->string != NULL);
    if (string) {
        assert_int_equal(len, row->string_len);
        assert_memory_equal(string, row->string, len + 1);
        assert_ptr_equal(jrpc_arg_string(call, i, NULL), string);
    }
    assert_json_equal(jrpc_arg_json(call, i), row->value);
    assert_ptr_equal(jrpc_arg_json(call, i), jrpc_arg_json(call, i));
    check_raw(call, run, i);
}

/* A place where there is no argument: declared but absent, or beyond all. */
static void check_absent(jrpc_call *call, size_t i)
{
    size_t len = 12345;

    assert_int_equal(jrpc_arg_type(call, i), JRPC_ABSENT);
    assert_false(jrpc_arg_is_given(call, i));
    assert_int_equal(jrpc_arg_integer(call, i), 0);
    assert_true(fabs(jrpc_arg_number(call, i)) <= 0);
    assert_false(jrpc_arg_boolean(call, i));
    assert_null(jrpc_arg_string(call, i, &len));
    assert_null(jrpc_arg_json(call, i));
    assert_null(jrpc_arg_raw(call, i, &len));
    assert_int_equal(len, 0);
}

static int run_check(jrpc_call *call, void *user)
{
    struct run *run = user;
    jrpc_call *held = call;

    if (run->is_held)
        assert_int_equal(jrpc_call_defer(call, &held), 0);
    check_arg(held, run, 0);
    check_arg(held, run, 0);
    check_absent(held, 1);
    check_absent(held, 2);
    check_absent(held, SIZE_MAX);
    run->n_checked++;
    jrpc_reply_null(held);
    /* Arguments outlive the answer. */
    check_arg(held, run, 0);
    if (run->is_held)
        jrpc_call_free(held);
    return 0;
}

static void check_row(jrpc_service *service, struct run *run)
{
    jrpc_response *response = NULL;
    char *sent = NULL;

    run->n_checked = 0;
    assert_true(asprintf(&sent, "{\"jsonrpc\":\"2.0\",\"method\":\"check\",\"params\":%s%s%s}",
                         run->is_named ? "{\"arg\":" : "[", run->row->sent,
                         run->is_named ? "}" : "]") > 0);
    ask(service, run->is_value, sent, &response);
    assert_int_equal(run->n_checked, 1);
    jrpc_response_free(response);
    free(sent);
}

static void every_accessor_sees_every_type(void **state)
{
    static const jrpc_method methods[] = {
        JRPC_METHOD("check", run_check, "arg, absent?: string", NULL), JRPC_METHOD_END};
    struct run run;
    jrpc_service *service = new_service(NULL, methods, &run);
    (void)state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows) * 8; i++) {
        run = (struct run){&rows[i / 8], i & 1, i & 2, i & 4, 0};
        if (run.is_value && run.row->is_text_only)
            continue;
        print_message("%s (%s%s%s)\n", run.row->sent, path_name(run.is_value),
                      run.is_held ? ", held" : "", run.is_named ? ", named" : "");
        check_row(service, &run);
    }
    jrpc_service_free(service);
}

/*
 * Names and positions
 */

static void check_name(jrpc_call *call, size_t i, const char *name)
{
    size_t len = 12345;
    const char *seen = jrpc_arg_name(call, i, &len);

    if (!name) {
        assert_null(seen);
        return;
    }
    assert_string_equal(seen, name);
    assert_int_equal(len, strlen(name));
    assert_ptr_equal(jrpc_arg_name(call, i, NULL), seen);
    assert_int_equal(jrpc_arg_find(call, name), (int)i);
}

static int run_names(jrpc_call *call, void *user)
{
    bool is_named = jrpc_call_is_named(call);
    jrpc_call *held = call;

    if (*(bool *)user)
        assert_int_equal(jrpc_call_defer(call, &held), 0);
    assert_int_equal(jrpc_call_is_named(held), is_named);
    check_name(held, 0, "a");
    check_name(held, 1, "other name");
    check_name(held, 2, is_named ? "é" : NULL);
    check_name(held, 3, is_named ? "x" : NULL);
    check_name(held, 4, NULL);
    assert_int_equal(jrpc_arg_count(held), 4);
    assert_int_equal(jrpc_arg_find(held, "nope"), -ENOENT);
    assert_int_equal(jrpc_arg_find(held, ""), -ENOENT);
    assert_int_equal(jrpc_arg_find(held, "a "), -ENOENT);
    assert_false(jrpc_arg_is_given(held, 1));
    assert_true(jrpc_arg_is_given(held, 2));
    assert_int_equal(jrpc_arg_integer(held, 1), 5);
    jrpc_reply_null(held);
    if (*(bool *)user)
        jrpc_call_free(held);
    return 0;
}

static void places_have_names(void **state)
{
    static const jrpc_method methods[] = {
        JRPC_METHOD("names", run_names, "a, *rest, \"other name\": integer = 5, **fields", NULL),
        JRPC_METHOD_END};
    bool is_held;
    jrpc_service *service = new_service(NULL, methods, &is_held);
    (void)state;

    for (int i = 0; i < 2; i++) {
        is_held = i;
        assert_answer(service,
                      "{\"jsonrpc\":\"2.0\",\"method\":\"names\",\"params\":[1,2,3],\"id\":1}",
                      "{\"jsonrpc\":\"2.0\",\"result\":null,\"id\":1}");
        assert_answer(service,
                      "{\"jsonrpc\":\"2.0\",\"method\":\"names\",\"params\":{\"\\u00e9\":2,\"a\":"
                      "1,\"x\":3},\"id\":1}",
                      "{\"jsonrpc\":\"2.0\",\"result\":null,\"id\":1}");
    }
    jrpc_service_free(service);
}

/*
 * The call itself
 */

struct about {
    const char *id; /* NULL: a notification */
    const char *params;
    bool is_value, is_held;
};

static void check_slice(const char *seen, size_t len, const char *expect)
{
    char text[64];

    assert_int_equal(seen != NULL, expect != NULL);
    if (!seen) {
        assert_int_equal(len, 0);
        return;
    }
    assert_true(len < sizeof(text));
    memcpy(text, seen, len);
    text[len] = '\0';
    assert_string_equal(text, expect);
}

static int run_about(jrpc_call *call, void *user)
{
    const struct about *about = user;
    size_t len = 12345, id_len = 12345, params_len = 12345;
    jrpc_call *held = call;

    if (about->is_held)
        assert_int_equal(jrpc_call_defer(call, &held), 0);
    assert_string_equal(jrpc_call_method(held, &len), "about");
    assert_int_equal(len, 5);
    const char *id = jrpc_call_id(held, &id_len);
    check_slice(id, id_len, about->id);
    assert_int_equal(jrpc_call_is_notification(held), !about->id);
    const char *raw = jrpc_call_params_raw(held, &params_len);
    check_slice(raw, params_len, about->params);
    assert_json_equal(jrpc_call_params(held), about->params ? about->params : "[]");
    assert_ptr_equal(jrpc_call_params(held), jrpc_call_params(held));
    assert_int_equal(jrpc_call_is_named(held), about->params && about->params[0] == '{');
    assert_false(jrpc_call_is_cancelled(held));
    assert_null(jrpc_call_peer(held));
    if (about->is_held)
        jrpc_call_free(held);
    return 0;
}

static void call_tells_what_was_sent(void **state)
{
    static const struct {
        const char *sent;
        struct about about;
    } messages[] = {
        {"{\"jsonrpc\":\"2.0\",\"method\":\"about\",\"id\":1}", {"1", NULL, 0, 0}},
        {"{\"jsonrpc\":\"2.0\",\"method\":\"about\"}", {NULL, NULL, 0, 0}},
        {"{\"jsonrpc\":\"2.0\",\"method\":\"about\",\"id\":null}", {"null", NULL, 0, 0}},
        {"{\"jsonrpc\":\"2.0\",\"method\":\"about\",\"params\":[],\"id\":\"a\"}",
         {"\"a\"", "[]", 0, 0}},
        {"{\"jsonrpc\":\"2.0\",\"method\":\"ab\\u006fut\",\"params\":{},\"id\":1.5}",
         {"1.5", "{}", 0, 0}},
        {"{\"jsonrpc\":\"2.0\",\"method\":\"about\",\"params\":[1,{\"a\":null}],\"id\":1}",
         {"1", "[1,{\"a\":null}]", 0, 0}},
        {"{\"jsonrpc\":\"2.0\",\"method\":\"about\",\"params\":{\"b\":[2.5]}}",
         {NULL, "{\"b\":[2.5]}", 0, 0}},
    };
    static const jrpc_method methods[] = {JRPC_METHOD("about", run_about, NULL, NULL),
                                          JRPC_METHOD_END};
    jrpc_response *response = NULL;
    struct about about;
    jrpc_service *service = new_service(NULL, methods, &about);
    (void)state;

    for (size_t i = 0; i < sizeof(messages) / sizeof(*messages) * 4; i++) {
        about = messages[i / 4].about;
        about.is_value = i & 1;
        about.is_held = i & 2;
        ask(service, about.is_value, messages[i / 4].sent, &response);
        assert_int_equal(jrpc_response_code(response, 0), 0 - (about.is_held && about.id) * 32603);
    }
    jrpc_response_free(response);
    jrpc_service_free(service);
}

/* Params are what was sent, without defaults, but for the names that were converted. */
static int run_params(jrpc_call *call, void *user)
{
    size_t len;
    const char *raw = jrpc_call_params_raw(call, &len);

    (void)user;
    if (raw)
        return jrpc_reply_raw(call, raw, len);
    return jrpc_reply_json(call, json_incref(jrpc_call_params(call)));
}

static void params_are_without_defaults(void **state)
{
    static const char *const camel[] = {"convert_camel_case", "yes", NULL};
    static const jrpc_method methods[] = {
        JRPC_METHOD("params", run_params, "user_id, first_name = \"Ada\", last_name?", NULL),
        JRPC_METHOD_END};
    static const struct {
        const char *sent, *expect;
    } params[] = {
        {"{\"userId\":1}", "{\"user_id\":1}"},
        {"{\"lastName\":null,\"userId\":{\"aB\":[]}}",
         "{\"user_id\":{\"a_b\":[]},\"last_name\":null}"},
        {"[{\"aB\":1}]", "[{\"a_b\":1}]"},
        {"[1,2]", "[1,2]"},
        {"{\"user_id\":1}", "{\"user_id\":1}"},
    };
    jrpc_service *service = new_service(camel, methods, NULL);
    (void)state;

    for (size_t i = 0; i < sizeof(params) / sizeof(*params); i++) {
        char sent[256], expect[256];
        snprintf(sent, sizeof(sent),
                 "{\"jsonrpc\":\"2.0\",\"method\":\"params\",\"params\":%s,\"id\":1}",
                 params[i].sent);
        snprintf(expect, sizeof(expect), "{\"jsonrpc\":\"2.0\",\"result\":%s,\"id\":1}",
                 params[i].expect);
        assert_answer(service, sent, expect);
    }
    jrpc_service_free(service);
}

/* Changing one argument changes no other call's, nor the params seen before. */
static int run_change(jrpc_call *call, void *user)
{
    json_t *value = jrpc_arg_json(call, 0);

    (void)user;
    assert_int_equal(json_object_set_new(value, "changed", json_true()), 0);
    json_t *kept = json_incref(value);
    int status = jrpc_reply_json(call, json_incref(value));
    assert_int_equal(json_object_set_new(kept, "later", json_true()), 0);
    json_decref(kept);
    return status;
}

static void values_are_private_to_the_call(void **state)
{
    static const jrpc_method methods[] = {
        JRPC_METHOD("change", run_change, "value: object = {\"a\": [1]}", NULL), JRPC_METHOD_END};
    jrpc_service *service = new_service(NULL, methods, NULL);
    (void)state;

    for (int i = 0; i < 3; i++)
        assert_answer(service,
                      "[{\"jsonrpc\":\"2.0\",\"method\":\"change\",\"id\":1},"
                      "{\"jsonrpc\":\"2.0\",\"method\":\"change\",\"params\":[{}],\"id\":2}]",
                      "[{\"jsonrpc\":\"2.0\",\"result\":{\"a\":[1],\"changed\":true},\"id\":1},"
                      "{\"jsonrpc\":\"2.0\",\"result\":{\"changed\":true},\"id\":2}]");
    jrpc_service_free(service);
}

/* Memory of a call is aligned and apart, whatever was asked for before. */
static int run_alloc(jrpc_call *call, void *user)
{
    unsigned char *pieces[64];

    (void)user;
    for (size_t i = 0; i < 64; i++) {
        pieces[i] = jrpc_call_alloc(call, i * i * 10);
        assert_non_null(pieces[i]);
        assert_int_equal((uintptr_t)pieces[i] % 16, 0);
        memset(pieces[i], (int)i, i * i * 10);
    }
    for (size_t i = 1; i < 64; i++) {
        assert_int_equal(pieces[i][0], i);
        assert_int_equal(pieces[i][i * i * 10 - 1], i);
    }
    assert_null(jrpc_call_alloc(call, SIZE_MAX));
    assert_null(jrpc_call_alloc(call, SIZE_MAX / 2 + 1));
    return 0;
}

static void memory_lives_as_long_as_the_call(void **state)
{
    static const jrpc_method methods[] = {JRPC_METHOD("alloc", run_alloc, NULL, NULL),
                                          JRPC_METHOD_END};
    jrpc_service *service = new_service(NULL, methods, NULL);
    (void)state;

    assert_answer(service, "{\"jsonrpc\":\"2.0\",\"method\":\"alloc\",\"id\":1}",
                  "{\"jsonrpc\":\"2.0\",\"result\":null,\"id\":1}");
    jrpc_service_free(service);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_accessor_sees_every_type),
        cmocka_unit_test(places_have_names),
        cmocka_unit_test(call_tells_what_was_sent),
        cmocka_unit_test(params_are_without_defaults),
        cmocka_unit_test(values_are_private_to_the_call),
        cmocka_unit_test(memory_lives_as_long_as_the_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
