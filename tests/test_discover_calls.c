/* SPDX-License-Identifier: MIT */
/*
 * test_discover_calls.c - the service described as OpenRPC: what the document promises is kept
 *
 * Calls are made from nothing but the document, with and without knowledge of our marks, and sent
 * to the method described: all must be accepted, and each argument arrive under its name.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include <jrpc/jrpc.h>

static const char *const signatures[] = {
    "",
    "a: number",
    "a: null, b: boolean, c: integer, d: number, e: string, f: array, g: object, h, i: any",
    "a: integer|null, b: array|object|string",
    "a?, b: integer = 7, c?: string",
    "a: string, b = 1",
    "\"a b\", \"\\u00e9\"?: null",
    "*rest",
    "*rest: integer",
    "a: boolean, b?: string, *rest: number",
    "**fields",
    "**fields: string",
    "a: integer, b?: null, **fields: object",
    "*, a",
    "*, a?: integer",
    "a, *, b?: string",
    "a, b?, *, c: integer = 1, d: string",
    "a?, *, b?, c: number, d?, e: string",
    "a?, *, b: string, c?, **fields: boolean",
    "*rest: integer, **fields: string",
    "*rest: integer, a?: string",
    "*rest: integer, a: string",
    "a: string, b?: boolean, *rest: null, c?: array, d: object = {}, **fields: number",
    "a: string, b?: boolean, *rest: null, c?: array, d: object, **fields: number",
};

/* {"name": value} of the arguments given; those of *rest, which have none, in an array "". */
static int run_show(jrpc_call *call, void *user)
{
    json_t *shown = json_object(), *rest = json_array();
    size_t len;

    (void)user;
    for (size_t i = 0; i < jrpc_arg_count(call); i++) {
        const char *name = jrpc_arg_name(call, i, &len);
        if (name && jrpc_arg_is_given(call, i))
            json_object_set(shown, name, jrpc_arg_json(call, i));
        else if (!name)
            json_array_append(rest, jrpc_arg_json(call, i));
    }
    json_object_set_new(shown, "", rest);
    return jrpc_reply_json(call, shown);
}

static const char *name_of(const json_t *param)
{
    return json_string_value(json_object_get(param, "name"));
}

static bool is_required(const json_t *param)
{
    return json_is_true(json_object_get(param, "required"));
}

static bool has_mark(const json_t *param, const char *mark)
{
    return json_is_true(json_object_get(param, mark));
}

/* A value that the schema allows; new. */
static json_t *sample(const json_t *param)
{
    static const struct {
        const char *type, *value;
    } samples[] = {
        {"null", "null"},      {"boolean", "true"}, {"integer", "7"},        {"number", "0.5"},
        {"string", "\"abc\""}, {"array", "[1]"},    {"object", "{\"x\":1}"},
    };
    const json_t *type = json_object_get(json_object_get(param, "schema"), "type");
    const char *name = json_string_value(json_is_array(type) ? json_array_get(type, 0) : type);

    for (size_t i = 0; name && i < sizeof(samples) / sizeof(*samples); i++)
        if (!strcmp(name, samples[i].type))
            return json_loads(samples[i].value, JSON_DECODE_ANY, /* error */ NULL);
    assert_null(name);
    return json_string("anything");
}

/* A call is accepted and shows what is expected, or NULL: it is refused. Both are borrowed. */
static void check_call(jrpc_service *service, json_t *params, json_t *expected)
{
    jrpc_response *response = NULL;
    int status = jrpc_invoke(service, "m", json_deep_copy(params), /* options */ NULL, &response);

    assert_int_equal(status, 0);
    int code = jrpc_response_code(response, 0);
    json_t *shown = jrpc_response_result(response, 0);
    if (expected ? !json_equal(shown, expected) : code != JRPC_INVALID_PARAMS) {
        char *params_text = json_dumps(params, 0), *shown_text = json_dumps(shown, 0);
        char *expected_text = json_dumps(expected, 0);
        fail_msg("%s: code %d, shows %s, expected %s", params_text, code, shown_text,
                 expected_text ? expected_text : "to be refused");
    }
    jrpc_response_free(response);
}

/* Every beginning of the list; *rest no, one and many times. */
static void call_by_position(jrpc_service *service, const json_t *list)
{
    json_t *params = json_array(), *expected = json_pack("{s:[]}", ""), *param;
    json_t *rest = json_object_get(expected, "");
    size_t i;

    json_array_foreach(list, i, param) {
        check_call(service, params, is_required(param) ? NULL : expected);
        json_t *value = sample(param);
        json_array_append(params, value);
        if (has_mark(param, "x-rest")) {
            json_array_append(rest, value);
            check_call(service, params, expected);
            json_array_append(params, value);
            json_array_append(rest, value);
        } else {
            json_object_set(expected, name_of(param), value);
        }
        json_decref(value);
    }
    check_call(service, params, expected);
    json_decref(params);
    json_decref(expected);
}

/* All of the list, all but one, and the required ones alone; **fields no, one and many times. */
static void call_by_name(jrpc_service *service, const json_t *list)
{
    json_t *params = json_object(), *expected = json_pack("{s:[]}", ""), *param;
    size_t i;

    for (int with_optional = 0; with_optional < 2; with_optional++) {
        json_array_foreach(list, i, param) {
            if (!with_optional && !is_required(param))
                continue;
            json_object_set_new(params, name_of(param), sample(param));
            if (has_mark(param, "x-fields")) {
                json_object_update(expected, params);
                check_call(service, params, expected);
                json_object_set_new(params, "and another", sample(param));
            }
        }
        json_object_update(expected, params);
        check_call(service, params, expected);
    }
    json_array_foreach(list, i, param) {
        json_t *value = json_incref(json_object_get(params, name_of(param)));
        json_object_del(params, name_of(param));
        json_object_del(expected, name_of(param));
        check_call(service, params, is_required(param) ? NULL : expected);
        json_object_set(params, name_of(param), value);
        json_object_set_new(expected, name_of(param), value);
    }
    json_decref(params);
    json_decref(expected);
}

/* What the specification says of every list: no name twice, required ones first. */
static void check_list(const json_t *list)
{
    json_t *names = json_object(), *param;
    bool has_optional = false;
    size_t i;

    json_array_foreach(list, i, param) {
        assert_false(is_required(param) && has_optional);
        has_optional |= !is_required(param);
        json_object_set_new(names, name_of(param), json_true());
    }
    assert_int_equal(json_object_size(names), json_array_size(list));
    json_decref(names);
}

static void check_promises(jrpc_service *service, json_t *method)
{
    const char *structure = json_string_value(json_object_get(method, "paramStructure"));
    json_t *list = json_object_get(method, "params");
    json_t *named_only = json_object_get(method, "x-named-only");

    check_list(list);
    if (strcmp(structure, "by-name") != 0)
        call_by_position(service, list);
    if (strcmp(structure, "by-position") != 0)
        call_by_name(service, list);
    if (!named_only)
        return;

    /* Who knows the marks may also call by name: all but *rest. */
    json_array_remove(list, json_array_size(list) - 1);
    json_array_extend(list, named_only);
    check_list(list);
    call_by_name(service, list);
}

static void what_the_document_promises_is_kept(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(signatures) / sizeof(*signatures); i++) {
        const jrpc_method method = JRPC_METHOD("m", run_show, signatures[i], /* summary */ NULL);
        jrpc_service *service = NULL;
        json_t *document = NULL;

        print_message("%s\n", signatures[i]);
        assert_int_equal(jrpc_service_new(/* options */ NULL, &service), 0);
        assert_int_equal(jrpc_service_add(service, &method, /* user */ NULL), 0);
        assert_int_equal(jrpc_service_describe(service, &document), 0);
        check_promises(service, json_array_get(json_object_get(document, "methods"), 0));
        json_decref(document);
        jrpc_service_free(service);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_document_promises_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
