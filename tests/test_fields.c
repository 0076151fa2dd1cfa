/* SPDX-License-Identifier: MIT */
/*
 * test_fields.c - a call's arguments into a C struct: types, ranges, what is left alone
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

struct target {
    unsigned char before;
    int8_t i8;
    uint8_t u8;
    int16_t i16;
    uint16_t u16;
    int32_t i32;
    uint32_t u32;
    int64_t i64;
    uint64_t u64;
    size_t size;
    int plain_int;
    bool flag;
    float single;
    double number;
    const char *text;
    json_t *array, *object, *any;
    unsigned char after;
};

static const jrpc_field fields[] = {
    JRPC_FIELD(struct target, i8, JRPC_INTEGER),
    JRPC_FIELD_UNSIGNED(struct target, u8),
    JRPC_FIELD(struct target, i16, JRPC_INTEGER),
    JRPC_FIELD_UNSIGNED(struct target, u16),
    JRPC_FIELD(struct target, i32, JRPC_INTEGER),
    JRPC_FIELD_UNSIGNED(struct target, u32),
    JRPC_FIELD(struct target, i64, JRPC_INTEGER),
    JRPC_FIELD_UNSIGNED(struct target, u64),
    JRPC_FIELD_UNSIGNED(struct target, size),
    JRPC_FIELD(struct target, plain_int, JRPC_INTEGER),
    JRPC_FIELD(struct target, flag, JRPC_BOOLEAN),
    JRPC_FIELD(struct target, single, JRPC_NUMBER),
    JRPC_FIELD(struct target, number, JRPC_NUMBER),
    JRPC_FIELD(struct target, text, JRPC_STRING),
    JRPC_FIELD(struct target, array, JRPC_ARRAY),
    JRPC_FIELD(struct target, object, JRPC_OBJECT),
    JRPC_FIELD_NAMED("other name", struct target, any, JRPC_NULL),
    JRPC_FIELD_END,
};

struct run {
    int status;
    bool is_held;
};

static json_t *show_target(const struct target *target)
{
    return json_pack(
        "{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:b,s:f,s:f,s:s?,s:O?,s:O?,s:O?}", "i8",
        (json_int_t)target->i8, "u8", (json_int_t)target->u8, "i16", (json_int_t)target->i16, "u16",
        (json_int_t)target->u16, "i32", (json_int_t)target->i32, "u32", (json_int_t)target->u32,
        "i64", (json_int_t)target->i64, "u64", (json_int_t)target->u64, "size",
        (json_int_t)target->size, "plain_int", (json_int_t)target->plain_int, "flag", target->flag,
        "single", (double)target->single, "number", target->number, "text", target->text, "array",
        target->array, "object", target->object, "any", target->any);
}

static int run_read(jrpc_call *call, void *user)
{
    struct target target = {.before = 0xAA,
                            .i8 = -1,
                            .u8 = 1,
                            .plain_int = 7,
                            .text = "unset",
                            .number = 0.5,
                            .single = 0.5F,
                            .flag = true,
                            .after = 0x55};
    struct run *run = user;
    jrpc_call *held = call;

    if (run->is_held)
        assert_int_equal(jrpc_call_defer(call, &held), 0);
    run->status = jrpc_args_read(held, fields, &target);
    assert_int_equal(target.before, 0xAA);
    assert_int_equal(target.after, 0x55);
    if (!run->status)
        assert_int_equal(jrpc_reply_json(held, show_target(&target)), 0);
    else
        assert_int_equal(jrpc_reply_null(held), -EALREADY);
    if (!run->is_held)
        return run->status;
    jrpc_call_free(held);
    return 0;
}

/* expect: what differs from untouched; NULL: refused, and why tells the argument. */
static const struct {
    const char *behaviour, *params, *expect, *why;
} rows[] = {
    {"nothing_given", "{}", "{}", NULL},
    {"positions_have_no_names", "[1,2]", "{}", NULL},
    {"unknown_names_are_not_looked_at", "{\"x\":[1],\"I8\":1}", "{}", NULL},
    {"null_leaves_members_alone", "{\"i8\":null,\"flag\":null,\"text\":null,\"object\":null}", "{}",
     NULL},
    {"null_of_any_type", "{\"other name\":null}", "{\"any\":null}", NULL},
    {"largest_int8", "{\"i8\":127}", "{\"i8\":127}", NULL},
    {"smallest_int8", "{\"i8\":-128}", "{\"i8\":-128}", NULL},
    {"above_int8", "{\"i8\":128}", NULL, "argument 'i8' is out of range"},
    {"below_int8", "{\"i8\":-129}", NULL, "argument 'i8' is out of range"},
    {"largest_uint8", "{\"u8\":255}", "{\"u8\":255}", NULL},
    {"above_uint8", "{\"u8\":256}", NULL, "argument 'u8' is out of range"},
    {"below_uint8", "{\"u8\":-1}", NULL, "argument 'u8' is out of range"},
    {"largest_int16", "{\"i16\":32767}", "{\"i16\":32767}", NULL},
    {"smallest_int16", "{\"i16\":-32768}", "{\"i16\":-32768}", NULL},
    {"above_int16", "{\"i16\":32768}", NULL, "argument 'i16' is out of range"},
    {"largest_uint16", "{\"u16\":65535}", "{\"u16\":65535}", NULL},
    {"above_uint16", "{\"u16\":65536}", NULL, "argument 'u16' is out of range"},
    {"largest_int32", "{\"i32\":2147483647}", "{\"i32\":2147483647}", NULL},
    {"smallest_int32", "{\"i32\":-2147483648}", "{\"i32\":-2147483648}", NULL},
    {"above_int32", "{\"i32\":2147483648}", NULL, "argument 'i32' is out of range"},
    {"below_int32", "{\"i32\":-2147483649}", NULL, "argument 'i32' is out of range"},
    {"largest_uint32", "{\"u32\":4294967295}", "{\"u32\":4294967295}", NULL},
    {"above_uint32", "{\"u32\":4294967296}", NULL, "argument 'u32' is out of range"},
    {"largest_int64", "{\"i64\":9223372036854775807}", "{\"i64\":9223372036854775807}", NULL},
    {"smallest_int64", "{\"i64\":-9223372036854775808}", "{\"i64\":-9223372036854775808}", NULL},
    {"beyond_int64", "{\"i64\":9223372036854775808.0}", NULL, "argument 'i64' is not an integer"},
    {"largest_uint64_given", "{\"u64\":9223372036854775807}", "{\"u64\":9223372036854775807}",
     NULL},
    {"below_uint64", "{\"u64\":-1}", NULL, "argument 'u64' is out of range"},
    {"below_size", "{\"size\":-1}", NULL, "argument 'size' is out of range"},
    {"integral_real", "{\"i8\":5.0}", "{\"i8\":5}", NULL},
    {"fraction", "{\"i8\":5.5}", NULL, "argument 'i8' is not an integer"},
    {"string_for_integer", "{\"i8\":\"5\"}", NULL, "argument 'i8' is not an integer"},
    {"boolean", "{\"flag\":false}", "{\"flag\":false}", NULL},
    {"integer_for_boolean", "{\"flag\":0}", NULL, "argument 'flag' is not a boolean"},
    {"number", "{\"number\":1.5,\"single\":-0.25}", "{\"number\":1.5,\"single\":-0.25}", NULL},
    {"integer_for_number", "{\"number\":3,\"single\":-2}", "{\"number\":3.0,\"single\":-2.0}",
     NULL},
    {"beyond_float", "{\"single\":1e39}", NULL, "argument 'single' is out of range"},
    {"string_for_number", "{\"number\":\"1\"}", NULL, "argument 'number' is not a number"},
    {"string", "{\"text\":\"\\u00e9\"}", "{\"text\":\"é\"}", NULL},
    {"string_with_nul", "{\"text\":\"a\\u0000\"}", NULL, "argument 'text' holds U+0000"},
    {"number_for_string", "{\"text\":1}", NULL, "argument 'text' is not a string"},
    {"array", "{\"array\":[1,{}]}", "{\"array\":[1,{}]}", NULL},
    {"object_for_array", "{\"array\":{}}", NULL, "argument 'array' is not an array"},
    {"object", "{\"object\":{\"a\":[]}}", "{\"object\":{\"a\":[]}}", NULL},
    {"array_for_object", "{\"object\":[]}", NULL, "argument 'object' is not an object"},
    {"scalar_of_any_type", "{\"other name\":\"x\"}", "{\"any\":\"x\"}", NULL},
    {"container_of_any_type", "{\"other name\":[1]}", "{\"any\":[1]}", NULL},
    {"all_together",
     "{\"flag\":false,\"i8\":1,\"u8\":2,\"i16\":3,\"u16\":4,\"i32\":5,\"u32\":6,\"i64\":7,"
     "\"u64\":8,\"size\":9,\"plain_int\":10,\"single\":11,\"number\":12,\"text\":\"t\","
     "\"array\":[],\"object\":{},\"other name\":true}",
     "{\"flag\":false,\"i8\":1,\"u8\":2,\"i16\":3,\"u16\":4,\"i32\":5,\"u32\":6,\"i64\":7,"
     "\"u64\":8,\"size\":9,\"plain_int\":10,\"single\":11.0,\"number\":12.0,\"text\":\"t\","
     "\"array\":[],\"object\":{},\"any\":true}",
     NULL},
};

static void check_row(size_t i, struct run *run, jrpc_service *service, int path)
{
    json_t *expect = value_of("{\"i8\":-1,\"u8\":1,\"i16\":0,\"u16\":0,\"i32\":0,\"u32\":0,"
                              "\"i64\":0,\"u64\":0,\"size\":0,\"plain_int\":7,\"flag\":true,"
                              "\"single\":0.5,\"number\":0.5,\"text\":\"unset\",\"array\":null,"
                              "\"object\":null,\"any\":null}");
    json_t *changes = value_of(rows[i].expect);
    jrpc_response *response = NULL;
    char *sent = NULL;

    assert_true(asprintf(&sent, "{\"jsonrpc\":\"2.0\",\"method\":\"read\",\"params\":%s,\"id\":1}",
                         rows[i].params) > 0);
    ask(service, path, sent, &response);
    assert_int_equal(run->status, rows[i].why ? -EINVAL : 0);
    if (rows[i].why) {
        assert_int_equal(jrpc_response_code(response, 0), JRPC_INVALID_PARAMS);
        assert_string_equal(json_string_value(jrpc_response_data(response, 0)), rows[i].why);
    } else {
        json_object_update(expect, changes);
        char *text = json_dumps(expect, JSON_COMPACT);
        assert_json_equal(jrpc_response_result(response, 0), text);
        free(text);
    }
    json_decref(expect);
    json_decref(changes);
    jrpc_response_free(response);
    free(sent);
}

static const jrpc_method methods[] = {JRPC_METHOD("read", run_read, NULL, NULL), JRPC_METHOD_END};

static void struct_is_filled_by_name_and_range_checked(void **state)
{
    static const char *const debug[] = {"debug", "yes", NULL};
    struct run run = {0, false};
    jrpc_service *service = new_service(debug, methods, &run);
    (void)state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        for (int path = 0; path < 2 * N_PATHS; path++) {
            run.is_held = path >= N_PATHS;
            print_message("%s (%s%s)\n", rows[i].behaviour, path_name(path % N_PATHS),
                          run.is_held ? ", held" : "");
            check_row(i, &run, service, path % N_PATHS);
        }
    jrpc_service_free(service);
}

static void without_debug_nothing_is_told(void **state)
{
    struct run run = {0, false};
    jrpc_service *service = new_service(NULL, methods, &run);
    (void)state;

    assert_answer(service,
                  "{\"jsonrpc\":\"2.0\",\"method\":\"read\",\"params\":{\"i8\":128},\"id\":1}",
                  "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32602,\"message\":\"Invalid "
                  "params\"},\"id\":1}");
    assert_answer(service, "{\"jsonrpc\":\"2.0\",\"method\":\"read\",\"params\":{\"i8\":128}}",
                  NULL);
    jrpc_service_free(service);
}

/* Declared parameters have their names also when given by position, and their defaults. */
static int run_declared(jrpc_call *call, void *user)
{
    struct target target = {.i8 = -1, .text = "unset"};

    (void)user;
    int status = jrpc_args_read(call, fields, &target);
    return status ? status : jrpc_reply_pack(call, "[i,s,i]", target.i8, target.text, target.u8);
}

static void declared_parameters_have_names_and_defaults(void **state)
{
    static const jrpc_method declared[] = {
        JRPC_METHOD("read", run_declared, "i8: integer, text: string = \"Ada\", u8?: integer",
                    NULL),
        JRPC_METHOD_END};
    jrpc_service *service = new_service(NULL, declared, NULL);
    (void)state;

    assert_answer(service, "{\"jsonrpc\":\"2.0\",\"method\":\"read\",\"params\":[5],\"id\":1}",
                  "{\"jsonrpc\":\"2.0\",\"result\":[5,\"Ada\",0],\"id\":1}");
    assert_answer(service,
                  "{\"jsonrpc\":\"2.0\",\"method\":\"read\",\"params\":[5,\"B\",6],\"id\":1}",
                  "{\"jsonrpc\":\"2.0\",\"result\":[5,\"B\",6],\"id\":1}");
    jrpc_service_free(service);
}

/* What jansson cannot hold is no argument for a json_t *. */
static void number_beyond_double_is_an_internal_error(void **state)
{
    struct run run = {0, false};
    jrpc_service *service = new_service(NULL, methods, &run);
    jrpc_response *response = NULL;
    (void)state;

    ask(service, 0,
        "{\"jsonrpc\":\"2.0\",\"method\":\"read\",\"params\":{\"array\":[1e400]},\"id\":1}",
        &response);
    assert_true(run.status < 0);
    assert_true(jrpc_response_code(response, 0) < 0);
    jrpc_response_free(response);
    jrpc_service_free(service);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(struct_is_filled_by_name_and_range_checked),
        cmocka_unit_test(without_debug_nothing_is_told),
        cmocka_unit_test(declared_parameters_have_names_and_defaults),
        cmocka_unit_test(number_beyond_double_is_an_internal_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
