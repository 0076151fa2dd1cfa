/* SPDX-License-Identifier: MIT */
/*
 * test_service.c - set-up: what may be a method, all rows or none, prefixes, replacing, removing
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

#define ANSWER(result) "{\"jsonrpc\":\"2.0\",\"result\":" result ",\"id\":1}"
#define NOT_FOUND                                                                                  \
    "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32601,\"message\":\"Method not found\"},\"id\":1}"
#define CALL(method) "{\"jsonrpc\":\"2.0\",\"method\":\"" method "\",\"id\":1}"

/* Answers with the text it was registered with. */
static int run_name(jrpc_call *call, void *user)
{
    return jrpc_reply_string(call, user ? user : "");
}

static char one[] = "one", two[] = "two", three[] = "three";

static int add(jrpc_service *service, const char *name, void *user)
{
    const jrpc_method method = JRPC_METHOD(name, run_name, NULL, NULL);
    return jrpc_service_add(service, &method, user);
}

static int replace(jrpc_service *service, const char *name, void *user)
{
    const jrpc_method method = JRPC_METHOD(name, run_name, NULL, NULL);
    return jrpc_service_replace(service, &method, user);
}

#define LONG_NAME                                                                                  \
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"                             \
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"                             \
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"                             \
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct {
    const char *behaviour;
    jrpc_method method;
    int status, column;
    const char *problem;
} rows[] = {
    {"plain", JRPC_METHOD("plain", run_name, "", NULL), 0, 0, NULL},
    {"without_signature", JRPC_METHOD("any", run_name, NULL, NULL), 0, 0, NULL},
    {"dots_and_slashes", JRPC_METHOD("a.b/c d", run_name, "", NULL), 0, 0, NULL},
    {"beyond_ascii", JRPC_METHOD("größe", run_name, "", "Größe."), 0, 0, NULL},
    {"name_of_method_max", JRPC_METHOD(LONG_NAME, run_name, "", NULL), 0, 0, NULL},
    {"flags_and_time_out", JRPC_METHOD_FLAGS("f", run_name, "", "", JRPC_BLOCKING | JRPC_HIDDEN, 1),
     0, 0, NULL},
    {"no_time_out", JRPC_METHOD_FLAGS("g", run_name, "", "", 0, -1), 0, 0, NULL},
    {"rpc_without_a_dot", JRPC_METHOD("rpc", run_name, "", NULL), 0, 0, NULL},
    {"rpc_in_capitals", JRPC_METHOD("RPC.x", run_name, "", NULL), 0, 0, NULL},
    {"no_name", JRPC_METHOD(NULL, run_name, "", NULL), -EINVAL, 0, "a method needs a name"},
    {"empty_name", JRPC_METHOD("", run_name, "", NULL), -EINVAL, 0, "a method needs a name"},
    {"name_longer_than_method_max", JRPC_METHOD(LONG_NAME "x", run_name, "", NULL), -EINVAL, 0,
     "the name is longer than method_max"},
    {"name_not_utf8", JRPC_METHOD("\xFF", run_name, "", NULL), -EINVAL, 0, "the name is not UTF-8"},
    {"reserved_name", JRPC_METHOD("rpc.x", run_name, "", NULL), -EINVAL, 0,
     "names that begin with \"rpc.\" are reserved"},
    {"reserved_beginning_alone", JRPC_METHOD("rpc.", run_name, "", NULL), -EINVAL, 0,
     "names that begin with \"rpc.\" are reserved"},
    {"no_handler", JRPC_METHOD("h", NULL, "", NULL), -EINVAL, 0, "a method needs a handler"},
    {"unknown_flags", JRPC_METHOD_FLAGS("h", run_name, "", "", 4, 0), -EINVAL, 0, "unknown flags"},
    {"bad_time_out", JRPC_METHOD_FLAGS("h", run_name, "", "", 0, -2), -EINVAL, 0,
     "timeout_ms is neither positive, 0 nor -1"},
    {"summary_not_utf8", JRPC_METHOD("h", run_name, "", "\xFF"), -EINVAL, 0,
     "the summary is not UTF-8"},
    {"bad_signature", JRPC_METHOD("h", run_name, "a: numbr", NULL), -EINVAL, 4, ""},
    {"bad_default", JRPC_METHOD("h", run_name, "a: integer, b: number = \"x\"", NULL), -EINVAL, 25,
     ""},
};

static void every_row_is_checked(void **state)
{
    jrpc_service *service = new_service(NULL, NULL, NULL);
    (void)state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        const jrpc_problem *problem;
        print_message("%s\n", rows[i].behaviour);
        assert_int_equal(jrpc_service_add(service, &rows[i].method, NULL), rows[i].status);
        problem = jrpc_service_problem(service);
        if (!rows[i].status) {
            assert_null(problem);
            continue;
        }
        assert_non_null(problem);
        assert_int_equal(problem->code, rows[i].status);
        assert_int_equal(problem->column, rows[i].column);
        assert_string_not_equal(problem->text, "");
        if (*rows[i].problem)
            assert_string_equal(problem->text, rows[i].problem);
        if (rows[i].method.name && strlen(rows[i].method.name) < 100)
            assert_string_equal(problem->source, rows[i].method.name);
        assert_answer(service, CALL("h"), NOT_FOUND);
    }
    jrpc_service_free(service);
}

static void name_twice_is_refused(void **state)
{
    jrpc_service *service = new_service(NULL, NULL, NULL);
    (void)state;

    assert_int_equal(add(service, "a", one), 0);
    assert_int_equal(add(service, "a", two), -EEXIST);
    assert_string_equal(jrpc_service_problem(service)->source, "a");
    assert_answer(service, CALL("a"), ANSWER("\"one\""));
    assert_int_equal(add(service, "b", two), 0);
    assert_null(jrpc_service_problem(service));
    jrpc_service_free(service);
}

static void replacing_takes_the_place_or_adds(void **state)
{
    jrpc_service *service = new_service(NULL, NULL, NULL);
    const jrpc_method bad = JRPC_METHOD("a", run_name, "a:", NULL);
    (void)state;

    assert_int_equal(replace(service, "a", one), 0);
    assert_answer(service, CALL("a"), ANSWER("\"one\""));
    assert_int_equal(replace(service, "a", two), 0);
    assert_answer(service, CALL("a"), ANSWER("\"two\""));
    assert_int_equal(jrpc_service_replace(service, &bad, one), -EINVAL);
    assert_answer(service, CALL("a"), ANSWER("\"two\""));
    jrpc_service_free(service);
}

static void removed_methods_are_gone(void **state)
{
    jrpc_service *service = new_service(NULL, NULL, NULL);
    (void)state;

    assert_int_equal(add(service, "a", one), 0);
    assert_int_equal(add(service, "b", two), 0);
    assert_int_equal(jrpc_service_remove(service, "a"), 0);
    assert_answer(service, CALL("a"), NOT_FOUND);
    assert_answer(service, CALL("b"), ANSWER("\"two\""));
    assert_int_equal(jrpc_service_remove(service, "a"), -ENOENT);
    assert_string_equal(jrpc_service_problem(service)->source, "a");
    assert_int_equal(add(service, "a", three), 0);
    assert_answer(service, CALL("a"), ANSWER("\"three\""));
    jrpc_service_free(service);
}

/* The last row of each is at fault. */
static const jrpc_method faulty[][4] = {
    {JRPC_METHOD("x", run_name, "", NULL), JRPC_METHOD("y", run_name, "", NULL),
     JRPC_METHOD("z", run_name, "?", NULL), JRPC_METHOD_END},
    {JRPC_METHOD("x", run_name, "", NULL), JRPC_METHOD("y", run_name, "", NULL),
     JRPC_METHOD("x", run_name, "", NULL), JRPC_METHOD_END},
    {JRPC_METHOD("x", run_name, "", NULL), JRPC_METHOD("y", run_name, "", NULL),
     JRPC_METHOD("there", run_name, "", NULL), JRPC_METHOD_END},
    {JRPC_METHOD("x", run_name, "", NULL), JRPC_METHOD("y", run_name, "", NULL),
     JRPC_METHOD("rpc.z", run_name, "", NULL), JRPC_METHOD_END},
};

static void table_is_added_wholly_or_not_at_all(void **state)
{
    static const jrpc_method good[] = {JRPC_METHOD("x", run_name, "", NULL),
                                       JRPC_METHOD("y", run_name, "", NULL), JRPC_METHOD_END};
    static const jrpc_method none[] = {JRPC_METHOD_END};
    jrpc_service *service = new_service(NULL, NULL, NULL);
    (void)state;

    assert_int_equal(add(service, "there", one), 0);
    for (size_t i = 0; i < sizeof(faulty) / sizeof(*faulty); i++) {
        assert_true(jrpc_service_add_table(service, faulty[i], two) < 0);
        assert_string_equal(jrpc_service_problem(service)->source, faulty[i][2].name);
        assert_answer(service, CALL("x"), NOT_FOUND);
        assert_answer(service, CALL("y"), NOT_FOUND);
        assert_answer(service, CALL("there"), ANSWER("\"one\""));
    }
    assert_int_equal(jrpc_service_add_table(service, none, two), 0);
    assert_int_equal(jrpc_service_add_table(service, good, two), 0);
    assert_answer(service, CALL("x"), ANSWER("\"two\""));
    assert_answer(service, CALL("y"), ANSWER("\"two\""));
    jrpc_service_free(service);
}

static void rows_are_copied(void **state)
{
    jrpc_service *service = new_service(NULL, NULL, NULL);
    char *name = strdup("name"), *signature = strdup("a = \"x\""), *summary = strdup("s");
    (void)state;

    jrpc_method method = JRPC_METHOD(name, run_name, signature, summary);
    assert_int_equal(jrpc_service_add(service, &method, one), 0);
    memset(&method, 0, sizeof(method));
    free(name);
    free(signature);
    free(summary);
    assert_answer(service, CALL("name"), ANSWER("\"one\""));
    jrpc_service_free(service);
}

static void options_are_copied(void **state)
{
    jrpc_options *options = NULL;
    jrpc_service *service = NULL;
    (void)state;

    assert_int_equal(jrpc_options_new(&options), 0);
    assert_int_equal(jrpc_options_set(options, "debug", "yes"), 0);
    assert_int_equal(jrpc_service_new(options, &service), 0);
    assert_int_equal(jrpc_options_set(options, "debug", "no"), 0);
    jrpc_options_free(options);
    assert_answer(service, CALL("x"),
                  "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32601,\"message\":\"Method not "
                  "found\",\"data\":\"x\"},\"id\":1}");
    jrpc_service_free(service);
}

/* Rows of an older header end with the handler; what is not there is nothing. */
static void shorter_rows_are_understood(void **state)
{
    struct {
        const char *name;
        jrpc_handler_fn handler;
    } short_rows[] = {{"a", run_name}, {"b", run_name}};
    struct {
        jrpc_method method;
        long more;
    } long_rows[] = {{JRPC_METHOD("c", run_name, "", NULL), 1},
                     {JRPC_METHOD("d", run_name, "", NULL), 2}};
    jrpc_service *service = new_service(NULL, NULL, NULL);
    (void)state;

    assert_int_equal(jrpc_service_put_rows(service, (const jrpc_method *)(const void *)short_rows,
                                           2, sizeof(short_rows[0]), false, one),
                     0);
    assert_int_equal(
        jrpc_service_put_rows(service, &long_rows[0].method, 2, sizeof(long_rows[0]), false, two),
        0);
    assert_int_equal(jrpc_service_put_rows(service, (const jrpc_method *)(const void *)short_rows,
                                           2, sizeof(short_rows[0].name), false, one),
                     -EINVAL);
    assert_answer(service, CALL("b"), ANSWER("\"one\""));
    assert_answer(service, CALL("d"), ANSWER("\"two\""));
    jrpc_service_free(service);
}

static void exact_name_goes_before_the_longest_prefix(void **state)
{
    jrpc_service *service = new_service(NULL, NULL, NULL);
    (void)state;

    assert_int_equal(jrpc_service_add_prefix(service, "a.b.", run_name, two), 0);
    assert_int_equal(jrpc_service_add_prefix(service, "a.", run_name, one), 0);
    assert_int_equal(jrpc_service_add_prefix(service, "a.b.c.d.", run_name, three), 0);
    assert_int_equal(jrpc_service_add_prefix(service, "a.b.", run_name, three), -EEXIST);
    assert_answer(service, CALL("a.b.c.d.e"), ANSWER("\"three\""));
    assert_int_equal(add(service, "a.b.c", three), 0);
    assert_answer(service, CALL("a.x"), ANSWER("\"one\""));
    assert_answer(service, CALL("a.b"), ANSWER("\"one\""));
    assert_answer(service, CALL("a.b.x"), ANSWER("\"two\""));
    assert_answer(service, CALL("a.b.c"), ANSWER("\"three\""));
    assert_answer(service, CALL("a.b.cc"), ANSWER("\"two\""));
    assert_answer(service, CALL("a"), NOT_FOUND);
    assert_int_equal(jrpc_service_remove(service, "a.b."), 0);
    assert_answer(service, CALL("a.b.x"), ANSWER("\"one\""));
    assert_int_equal(jrpc_service_remove(service, "a."), 0);
    assert_answer(service, CALL("a.b.x"), NOT_FOUND);
    assert_int_equal(jrpc_service_remove(service, "a."), -ENOENT);
    jrpc_service_free(service);
}

/* A method and a prefix may have one name: they are different things, removed one by one. */
static void method_and_prefix_of_one_name(void **state)
{
    jrpc_service *service = new_service(NULL, NULL, NULL);
    (void)state;

    assert_int_equal(add(service, "a.", one), 0);
    assert_int_equal(jrpc_service_add_prefix(service, "a.", run_name, two), 0);
    assert_answer(service, CALL("a."), ANSWER("\"one\""));
    assert_answer(service, CALL("a.b"), ANSWER("\"two\""));
    assert_int_equal(jrpc_service_remove(service, "a."), 0);
    assert_answer(service, CALL("a."), ANSWER("\"two\""));
    assert_int_equal(jrpc_service_remove(service, "a."), 0);
    assert_answer(service, CALL("a."), NOT_FOUND);
    jrpc_service_free(service);
}

static void bad_prefixes_are_refused(void **state)
{
    jrpc_service *service = new_service(NULL, NULL, NULL);
    (void)state;

    assert_int_equal(jrpc_service_add_prefix(service, "", run_name, one), -EINVAL);
    assert_int_equal(jrpc_service_add_prefix(service, NULL, run_name, one), -EINVAL);
    assert_int_equal(jrpc_service_add_prefix(service, "rpc.", run_name, one), -EINVAL);
    assert_int_equal(jrpc_service_add_prefix(service, "rpc.x", run_name, one), -EINVAL);
    assert_int_equal(jrpc_service_add_prefix(service, "\xC3", run_name, one), -EINVAL);
    assert_int_equal(jrpc_service_add_prefix(service, "a.", NULL, one), -EINVAL);
    assert_string_equal(jrpc_service_problem(service)->text, "a method needs a handler");
    jrpc_service_free(service);
}

/* A prefix that names beginning with "rpc." would match does not get them. */
static void prefix_takes_no_reserved_names(void **state)
{
    jrpc_service *service = new_service(NULL, NULL, NULL);
    (void)state;

    assert_int_equal(jrpc_service_add_prefix(service, "r", run_name, one), 0);
    assert_answer(service, CALL("rp"), ANSWER("\"one\""));
    assert_answer(service, CALL("rpc.nope"), NOT_FOUND);
    jrpc_service_free(service);
}

static void ask_again(jrpc_service *service, const char *text, const char *expected,
                      jrpc_response **response)
{
    assert_int_equal(jrpc_dispatch(service, text, strlen(text), NULL, response), 0);
    assert_string_equal(jrpc_response_text(*response, NULL), expected);
}

/* A response remembers the method that it has called last; so each step follows one that calls. */
static void used_response_calls_what_is_registered_now(void **state)
{
    jrpc_service *service = NULL, *other = NULL;
    jrpc_response *response = NULL;

    (void)state;
    assert_int_equal(jrpc_service_new(NULL, &service), 0);
    assert_int_equal(add(service, "name", one), 0);
    ask_again(service, CALL("name"), ANSWER("\"one\""), &response);
    assert_int_equal(replace(service, "name", two), 0);
    ask_again(service, CALL("name"), ANSWER("\"two\""), &response);
    assert_int_equal(jrpc_service_remove(service, "name"), 0);
    ask_again(service, CALL("name"), NOT_FOUND, &response);
    assert_int_equal(add(service, "name", three), 0);
    ask_again(service, CALL("name"), ANSWER("\"three\""), &response);

    assert_int_equal(jrpc_service_new(NULL, &other), 0);
    ask_again(other, CALL("name"), NOT_FOUND, &response);
    assert_int_equal(add(other, "name", two), 0);
    ask_again(other, CALL("name"), ANSWER("\"two\""), &response);
    ask_again(service, CALL("name"), ANSWER("\"three\""), &response);
    jrpc_service_free(service); /* with the method that was called last */
    ask_again(other, CALL("name"), ANSWER("\"two\""), &response);

    /* A prefix that is just this name gives way to a method of it. */
    assert_int_equal(jrpc_service_add_prefix(other, "pre.", run_name, one), 0);
    ask_again(other, CALL("pre."), ANSWER("\"one\""), &response);
    ask_again(other, CALL("pre.fix"), ANSWER("\"one\""), &response);
    assert_int_equal(add(other, "pre.", three), 0);
    ask_again(other, CALL("pre."), ANSWER("\"three\""), &response);
    jrpc_service_free(other);
    jrpc_response_free(response);
}

static void ask_for(jrpc_service *service, unsigned i, bool is_there)
{
    char call[96];

    snprintf(call, sizeof(call), "{\"jsonrpc\":\"2.0\",\"method\":\"method_%u\",\"id\":1}", i);
    assert_answer(service, call, is_there ? ANSWER("\"one\"") : NOT_FOUND);
}

static void many_methods_are_found_after_others_are_removed(void **state)
{
    enum { N = 3000 };
    jrpc_service *service = new_service(NULL, NULL, NULL);
    char name[32];
    (void)state;

    for (unsigned i = 0; i < N; i++) {
        snprintf(name, sizeof(name), "method_%u", i);
        assert_int_equal(add(service, name, one), 0);
    }
    for (unsigned i = 0; i < N; i += 3) {
        snprintf(name, sizeof(name), "method_%u", i);
        assert_int_equal(jrpc_service_remove(service, name), 0);
    }
    for (unsigned i = 0; i < N; i++)
        ask_for(service, i, i % 3);
    jrpc_service_free(service);
}

static int refuse(const char *data, size_t len, void *user, json_t **out, jrpc_problem *problem)
{
    (void)data, (void)len, (void)user, (void)out, (void)problem;
    return -EBADMSG;
}

static int append_nothing(const json_t *value, jrpc_buf *to, void *user)
{
    (void)value, (void)to, (void)user;
    return 0;
}

static void incomplete_codecs_and_hooks_are_refused(void **state)
{
    jrpc_service *service = new_service(NULL, NULL, NULL);
    jrpc_codec codec = JRPC_CODEC_INIT;
    jrpc_hooks hooks = JRPC_HOOKS_INIT;
    (void)state;

    assert_int_equal(jrpc_service_set_codec(service, &codec), -EINVAL);
    codec.deserialize = refuse;
    assert_int_equal(jrpc_service_set_codec(service, &codec), -EINVAL);
    assert_non_null(jrpc_service_problem(service));
    codec.serialize = append_nothing;
    codec.size = 0;
    assert_int_equal(jrpc_service_set_codec(service, &codec), -EINVAL);
    codec.size = sizeof(codec);
    assert_int_equal(jrpc_service_set_codec(service, &codec), 0);
    assert_int_equal(jrpc_service_set_codec(service, NULL), 0);
    assert_int_equal(jrpc_service_set_hooks(service, &hooks, NULL), 0);
    hooks.size = 0;
    assert_int_equal(jrpc_service_set_hooks(service, &hooks, NULL), -EINVAL);
    assert_int_equal(jrpc_service_set_hooks(service, NULL, NULL), 0);
    assert_null(jrpc_service_problem(service));
    jrpc_service_free(service);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_checked),
        cmocka_unit_test(name_twice_is_refused),
        cmocka_unit_test(replacing_takes_the_place_or_adds),
        cmocka_unit_test(removed_methods_are_gone),
        cmocka_unit_test(table_is_added_wholly_or_not_at_all),
        cmocka_unit_test(rows_are_copied),
        cmocka_unit_test(options_are_copied),
        cmocka_unit_test(shorter_rows_are_understood),
        cmocka_unit_test(exact_name_goes_before_the_longest_prefix),
        cmocka_unit_test(method_and_prefix_of_one_name),
        cmocka_unit_test(bad_prefixes_are_refused),
        cmocka_unit_test(prefix_takes_no_reserved_names),
        cmocka_unit_test(used_response_calls_what_is_registered_now),
        cmocka_unit_test(many_methods_are_found_after_others_are_removed),
        cmocka_unit_test(incomplete_codecs_and_hooks_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
