/* SPDX-License-Identifier: MIT */
/*
 * test_discover.c - the service described as OpenRPC: what the document says
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <jrpc/jrpc.h>

#include "toy.h"

/* params: of each its name, required, schema and mark; if there is any, x-named-only after it. */
static const struct row {
    const char *name, *signature, *structure, *params;
} rows[] = {
    {"none", "", "either", "[]"},
    {"positional", "a: number, b: string", "either",
     "[['a', true, {'type': 'number'}], ['b', true, {'type': 'string'}]]"},
    {"every_type", "a, b: any, c: null, d: boolean, e: integer, f: number, g: array, h: object",
     "either",
     "[['a', true, {}], ['b', true, {}], ['c', true, {'type': 'null'}],"
     " ['d', true, {'type': 'boolean'}], ['e', true, {'type': 'integer'}],"
     " ['f', true, {'type': 'number'}], ['g', true, {'type': 'array'}],"
     " ['h', true, {'type': 'object'}]]"},
    {"union", "a: null|array|integer", "either",
     "[['a', true, {'type': ['integer', 'array', 'null']}]]"},
    {"union_of_all_is_any", "a: null|boolean|integer|number|string|array|object", "either",
     "[['a', true, {}]]"},
    {"optional_and_default", "a?: object, b: integer|null = null, c = [1, {\"x\": \"\\u00fc\"}]",
     "either",
     "[['a', false, {'type': 'object'}],"
     " ['b', false, {'type': ['integer', 'null'], 'default': null}],"
     " ['c', false, {'default': [1, {'x': 'ü'}]}]]"},
    {"default_beyond_jansson", "a = 1e999, b = {\"\\u0000\": 1}, c: array = [1e999]", "either",
     "[['a', false, {}], ['b', false, {}], ['c', false, {'type': 'array'}]]"},
    {"quoted_name", "\"a b\", \"\\u00e9\\\"\"?", "either",
     "[['a b', true, {}], ['é\\u0022', false, {}]]"},
    {"rest", "a: string, b?, *more: number", "by-position",
     "[['a', true, {'type': 'string'}], ['b', false, {}],"
     " ['more', false, {'type': 'number'}, 'x-rest']]"},
    {"fields", "a, **others: string|null", "by-name",
     "[['a', true, {}], ['others', false, {'type': ['string', 'null']}, 'x-fields']]"},
    {"named_only", "*, a: integer", "by-name", "[['a', true, {'type': 'integer'}]]"},
    {"optional_named_only", "path: string, *, flags?: array", "by-name",
     "[['path', true, {'type': 'string'}], ['flags', false, {'type': 'array'}]]"},
    {"required_ones_are_moved", "a, b = 1, *, c?, d, e: null = null, f, **g", "by-name",
     "[['a', true, {}], ['d', true, {}], ['f', true, {}], ['b', false, {'default': 1}],"
     " ['c', false, {}], ['e', false, {'type': 'null', 'default': null}],"
     " ['g', false, {}, 'x-fields']]"},
    {"rest_and_optional_named_only", "a, *more, b: string = \"x\", **c: integer", "by-position",
     "[['a', true, {}], ['more', false, {}, 'x-rest']],"
     "[['b', false, {'type': 'string', 'default': 'x'}],"
     " ['c', false, {'type': 'integer'}, 'x-fields']]"},
    {"rest_and_fields", "*a: integer, **b: string", "by-position",
     "[['a', false, {'type': 'integer'}, 'x-rest']],"
     "[['b', false, {'type': 'string'}, 'x-fields']]"},
    {"rest_out_of_reach", "a?, *more, b", "by-name", "[['b', true, {}], ['a', false, {}]]"},
};

/* Without parameters to tell, but for their presence. */
#define ANY_PARAMS "'paramStructure': 'either', 'params': [], 'x-any-params': true"

static int run_nothing(jrpc_call *call, void *user)
{
    (void)call;
    (void)user;
    return 0;
}

static int run_describe(jrpc_call *call, void *user)
{
    json_t *document = NULL;
    int status = jrpc_service_describe(user, &document);

    return status ? status : jrpc_reply_json(call, document);
}

static jrpc_service *new_service(void)
{
    jrpc_service *service = NULL;
    assert_int_equal(jrpc_service_new(/* options */ NULL, &service), 0);
    return service;
}

static void add(jrpc_service *service, const char *name, const char *signature, const char *summary,
                unsigned flags)
{
    const jrpc_method method = JRPC_METHOD_FLAGS(name, run_nothing, signature, summary, flags, 0);
    assert_int_equal(jrpc_service_add(service, &method, /* user */ NULL), 0);
}

/* JSON with ' for "; new. */
static json_t *parse(const char *format, ...) JRPC_PRINTF(1, 2);

static json_t *parse(const char *format, ...)
{
    char text[2048];
    va_list args;
    json_error_t error;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    for (char *at = text; (at = strchr(at, '\''));)
        *at = '"';
    json_t *value = json_loads(text, 0, &error);
    if (!value)
        fail_msg("%s: %s", error.text, text);
    return value;
}

/* A row's [name, required, schema, mark] in full; new, NULL stays NULL. */
static json_t *expand(const json_t *list)
{
    json_t *params = list ? json_array() : NULL, *param;
    size_t i;

    json_array_foreach(list, i, param) {
        json_t *full = json_pack("{s:O, s:O, s:O}", "name", json_array_get(param, 0), "required",
                                 json_array_get(param, 1), "schema", json_array_get(param, 2));
        if (json_array_size(param) == 4)
            json_object_set_new(full, json_string_value(json_array_get(param, 3)), json_true());
        json_array_append_new(params, full);
    }
    return params;
}

/* The service has one method, "m", and it is described like that. expected is given up. */
static void check_method(const char *about, jrpc_service *service, json_t *expected)
{
    json_t *document = NULL;
    assert_int_equal(jrpc_service_describe(service, &document), 0);

    json_t *method = json_array_get(json_object_get(document, "methods"), 0);
    if (!json_equal(method, expected)) {
        char *given_text = json_dumps(method, 0), *expected_text = json_dumps(expected, 0);
        fail_msg("%s:\n   given %s\nexpected %s", about, given_text, expected_text);
    }
    json_decref(document);
    json_decref(expected);
}

static void parameters_are_described_as_declared(void **state)
{
    (void)state;
    for (const struct row *row = rows; row < rows + sizeof(rows) / sizeof(*rows); row++) {
        jrpc_service *service = new_service();
        add(service, "m", row->signature, /* summary */ NULL, 0);

        json_t *lists = parse("[%s]", row->params), *names = expand(json_array_get(lists, 1));
        json_t *expected = parse("{'name': 'm', 'paramStructure': '%s', "
                                 "'result': {'name': 'result', 'schema': {}}}",
                                 row->structure);
        json_object_set_new(expected, "params", expand(json_array_get(lists, 0)));
        if (names)
            json_object_set_new(expected, "x-named-only", names);
        check_method(row->name, service, expected);
        json_decref(lists);
        jrpc_service_free(service);
    }
}

static void methods_without_words_for_their_parameters(void **state)
{
    static const char *const signatures[] = {NULL, "\"\"", "a, \"\"?: array", "*\"\"", "**\"\""};

    (void)state;
    for (size_t i = 0; i < sizeof(signatures) / sizeof(*signatures); i++) {
        jrpc_service *service = new_service();
        add(service, "m", signatures[i], /* summary */ NULL, 0);
        check_method(
            signatures[i] ? signatures[i] : "NULL", service,
            parse("{'name': 'm', " ANY_PARAMS ", 'result': {'name': 'result', 'schema': {}}}"));
        jrpc_service_free(service);
    }
}

static void results_and_summaries_are_described(void **state)
{
    static const struct {
        const char *signature, *summary, *expect;
    } cases[] = {
        {"-> any", NULL, "'result': {'name': 'result', 'schema': {}}"},
        {"-> integer", "",
         "'summary': '', "
         "'result': {'name': 'result', 'schema': {'type': 'integer'}}"},
        {"-> null|array", "Gruß.\n",
         "'summary': 'Gruß.\\n', "
         "'result': {'name': 'result', 'schema': {'type': ['array', 'null']}}"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        jrpc_service *service = new_service();
        add(service, "m", cases[i].signature, cases[i].summary, 0);
        check_method(
            cases[i].signature, service,
            parse("{'name': 'm', 'paramStructure': 'either', 'params': [], %s}", cases[i].expect));
        jrpc_service_free(service);
    }
}

static void methods_are_sorted_hidden_ones_and_prefixes_left_out(void **state)
{
    static const char *const names[] = {"b", "a.b", "é", "aa", "B", "a b", "a", "~", "z"};
    static const char *const sorted[] = {"B", "a", "a b", "a.b", "aa", "b", "z", "~", "é"};
    jrpc_service *service = new_service();
    json_t *document = NULL, *method;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(names) / sizeof(*names); i++)
        add(service, names[i], "", /* summary */ NULL, i % 2 ? JRPC_BLOCKING : 0);
    add(service, "hidden", "", /* summary */ NULL, JRPC_HIDDEN | JRPC_BLOCKING);
    assert_int_equal(jrpc_service_add_prefix(service, "gate.", run_nothing, /* user */ NULL), 0);

    assert_int_equal(jrpc_service_describe(service, &document), 0);
    json_t *methods = json_object_get(document, "methods");
    assert_int_equal(json_array_size(methods), sizeof(sorted) / sizeof(*sorted));
    json_array_foreach(methods, i, method)
        assert_string_equal(json_string_value(json_object_get(method, "name")), sorted[i]);
    json_decref(document);
    jrpc_service_free(service);
}

static void a_service_without_methods_is_a_document(void **state)
{
    jrpc_service *service = new_service();
    json_t *document = NULL;
    json_t *expected = parse("{'openrpc': '1.3.2', 'methods': [],"
                             " 'info': {'title': 'jrpc service', 'version': '0.0.0'}}");

    (void)state;
    assert_int_equal(jrpc_service_describe(service, &document), 0);
    assert_true(json_equal(document, expected));
    json_decref(document);
    json_decref(expected);
    jrpc_service_free(service);
}

static void a_handler_may_describe_its_own_service(void **state)
{
    const jrpc_method method = JRPC_METHOD("m", run_describe, "-> object", "Itself.");
    jrpc_service *service = new_service();
    jrpc_response *response = NULL;
    json_t *document = NULL;

    (void)state;
    assert_int_equal(jrpc_service_add(service, &method, service), 0);
    assert_int_equal(jrpc_invoke(service, "m", /* params */ NULL, /* options */ NULL, &response),
                     0);
    assert_int_equal(jrpc_service_describe(service, &document), 0);
    assert_true(json_equal(jrpc_response_result(response, 0), document));
    json_decref(document);
    jrpc_response_free(response);
    jrpc_service_free(service);
}

static void nothing_to_describe_or_nowhere_to_put_it(void **state)
{
    jrpc_service *service = new_service();
    json_t *document = NULL;

    (void)state;
    assert_int_equal(jrpc_service_describe(/* service */ NULL, &document), -EINVAL);
    assert_null(document);
    assert_int_equal(jrpc_service_describe(service, /* out */ NULL), -EINVAL);
    jrpc_service_free(service);
}

static int n_until_failure;

static void *failing_malloc(size_t size)
{
    return n_until_failure-- ? malloc(size) : NULL;
}

static void any_failed_allocation_is_told_and_leaves_nothing(void **state)
{
    jrpc_service *service = new_service();
    struct toy toy = {0};
    int n, status = -ENOMEM;

    (void)state;
    assert_int_equal(toy_add(service, &toy), 0);
    for (n = 0; status; n++) {
        json_t *document = NULL;
        json_set_alloc_funcs(failing_malloc, free);
        n_until_failure = n;
        status = jrpc_service_describe(service, &document);
        json_set_alloc_funcs(malloc, free);
        if (status) {
            assert_int_equal(status, -ENOMEM);
            assert_null(document);
        }
        json_decref(document); /* the leak checker tells */
    }
    assert_in_range(n, 500, 10000);
    jrpc_service_free(service);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parameters_are_described_as_declared),
        cmocka_unit_test(methods_without_words_for_their_parameters),
        cmocka_unit_test(results_and_summaries_are_described),
        cmocka_unit_test(methods_are_sorted_hidden_ones_and_prefixes_left_out),
        cmocka_unit_test(a_service_without_methods_is_a_document),
        cmocka_unit_test(a_handler_may_describe_its_own_service),
        cmocka_unit_test(nothing_to_describe_or_nowhere_to_put_it),
        cmocka_unit_test(any_failed_allocation_is_told_and_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
