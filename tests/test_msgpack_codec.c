/* SPDX-License-Identifier: MIT */
/*
 * test_msgpack_codec.c - the example's codec: MessagePack to values and back, and dispatch through
 * it
 *
 * Messages are written in hexadecimal, so that they do not depend on what is tested, and are read
 * flush against an unmapped page. Longer than most files for its tables: one row for each format,
 * each limit and each kind of answer.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/buf.h"
#include "edge.h"
#include "examples/msgpack_codec.h"
#include "toy.h"

enum { BYTES_MAX = 64 * 1024 };

/*
 * Help
 */

static size_t unhex(const char *hex, char *to)
{
    size_t n = 0;
    unsigned byte;
    int n_read;

    for (; sscanf(hex, " %2x%n", &byte, &n_read) == 1; hex += n_read)
        to[n++] = (char)byte;
    return n;
}

/* Compact text of a value, "" if there is none. New. */
static char *dump(const json_t *value)
{
    return value ? json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT) : strdup("");
}

static int read_bytes(const char *data, size_t len, json_t **out, jrpc_problem *problem)
{
    const jrpc_codec *codec = msgpack_codec();
    struct edge edge = edge_new(len + 1);

    *problem = (jrpc_problem){0};
    *out = NULL;
    int status = codec->deserialize(edge_place(&edge, data, len), len, codec->user, out, problem);
    edge_free(&edge);
    return status;
}

static int write_value(const json_t *value, jrpc_buf *to)
{
    return msgpack_codec()->serialize(value, to, msgpack_codec()->user);
}

static json_t *parse(const char *text)
{
    json_error_t error;
    json_t *value = json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);

    if (!value)
        print_error("%s: %s\n", text, error.text);
    assert_non_null(value);
    return value;
}

/* Arrays or maps in one another, the innermost empty: n bytes or 3n - 2. */
static size_t nest(bool as_map, int n, char *to)
{
    size_t len = 0;

    for (int i = 0; i < n; i++) {
        bool is_last = i == n - 1;
        to[len++] = (char)((as_map ? 0x80 : 0x90) + !is_last);
        if (as_map && !is_last) {
            to[len++] = (char)0xa1;
            to[len++] = 'k';
        }
    }
    return len;
}

/*
 * Reading and writing
 */

static const struct reading {
    const char *name, *hex;
    const char *value;   /* as JSON; NULL: refused */
    const char *problem; /* part of the text */
} readings[] = {
    {"nil", "c0", "null", NULL},
    {"false", "c2", "false", NULL},
    {"true", "c3", "true", NULL},
    {"positive_fixint", "7f", "127", NULL},
    {"negative_fixint", "e0", "-32", NULL},
    {"minus_one", "ff", "-1", NULL},
    {"uint8", "cc ff", "255", NULL},
    {"uint16", "cd ffff", "65535", NULL},
    {"uint32", "ce ffffffff", "4294967295", NULL},
    {"uint64", "cf 7fffffffffffffff", "9223372036854775807", NULL},
    {"uint64_in_more_bytes_than_needed", "cf 0000000000000001", "1", NULL},
    {"uint64_beyond_int64", "cf 8000000000000000", NULL, "beyond int64"},
    {"int8", "d0 80", "-128", NULL},
    {"int16", "d1 8000", "-32768", NULL},
    {"int32", "d2 80000000", "-2147483648", NULL},
    {"int64", "d3 8000000000000000", "-9223372036854775808", NULL},
    {"float32", "ca 3fc00000", "1.5", NULL},
    {"float64", "cb 3ff8000000000000", "1.5", NULL},
    {"integral_float_stays_real", "cb 3ff0000000000000", "1.0", NULL},
    {"float64_nan", "cb 7ff8000000000000", NULL, "NaN"},
    {"float32_nan", "ca 7fc00000", NULL, "NaN"},
    {"float64_infinity", "cb fff0000000000000", NULL, "infinity"},
    {"empty_string", "a0", "\"\"", NULL},
    {"fixstr", "a3 61c3a4", "\"a\xc3\xa4\"", NULL},
    {"str8", "d9 02 6869", "\"hi\"", NULL},
    {"str16", "da 0002 6869", "\"hi\"", NULL},
    {"str32", "db 00000002 6869", "\"hi\"", NULL},
    {"empty_str32", "db 00000000", "\"\"", NULL},
    {"string_with_nul", "a3 610062", "\"a\\u0000b\"", NULL},
    {"string_of_four_byte_characters", "a8 f09f9880 f48fbfbf",
     "\"\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf\"", NULL},
    {"string_that_is_latin_1", "a1 e4", NULL, "not UTF-8"},
    {"string_with_a_lone_tail", "a1 80", NULL, "not UTF-8"},
    {"string_with_an_overlong_character", "a2 c0af", NULL, "not UTF-8"},
    {"string_with_an_overlong_three", "a3 e08080", NULL, "not UTF-8"},
    {"string_with_a_surrogate", "a3 eda080", NULL, "not UTF-8"},
    {"string_beyond_unicode", "a4 f4908080", NULL, "not UTF-8"},
    {"string_with_a_byte_of_no_character", "a1 f8", NULL, "not UTF-8"},
    {"string_cut_in_a_character", "a2 e282", NULL, "not UTF-8"},
    {"empty_array", "90", "[]", NULL},
    {"fixarray", "93 01 a1 61 c0", "[1,\"a\",null]", NULL},
    {"array16", "dc 0002 01 02", "[1,2]", NULL},
    {"array32", "dd 00000002 01 02", "[1,2]", NULL},
    {"arrays_in_arrays", "92 91 90 92 01 90", "[[[]],[1,[]]]", NULL},
    {"empty_map", "80", "{}", NULL},
    {"fixmap", "82 a1 61 01 a1 62 91 02", "{\"a\":1,\"b\":[2]}", NULL},
    {"map16", "de 0001 a1 61 01", "{\"a\":1}", NULL},
    {"map32", "df 00000001 a1 61 01", "{\"a\":1}", NULL},
    {"empty_key", "81 a0 01", "{\"\":1}", NULL},
    {"key_that_is_a_number", "81 01 02", NULL, "no string"},
    {"key_that_is_nil", "81 c0 02", NULL, "no string"},
    {"key_twice", "82 a1 61 01 a1 61 02", NULL, "twice"},
    {"key_twice_inside", "91 82 a1 61 01 a1 61 02", NULL, "twice"},
    {"key_with_nul", "81 a3 610062 01", NULL, "U+0000"},
    {"key_that_is_not_utf8", "81 a1 e4 01", NULL, "not UTF-8"},
    {"bin8", "c4 01 61", NULL, "byte 1: binary"},
    {"bin16", "c5 0001 61", NULL, "binary"},
    {"bin32", "c6 00000001 61", NULL, "binary"},
    {"ext8", "c7 01 05 61", NULL, "extension"},
    {"ext16", "c8 0001 05 61", NULL, "extension"},
    {"ext32", "c9 00000001 05 61", NULL, "extension"},
    {"fixext1", "d4 05 61", NULL, "extension"},
    {"fixext2", "d5 05 6161", NULL, "extension"},
    {"fixext4_which_is_a_timestamp", "d6 ff 61616161", NULL, "extension"},
    {"fixext8", "d7 05 6161616161616161", NULL, "extension"},
    {"fixext16", "d8 05 61616161616161616161616161616161", NULL, "extension"},
    {"binary_inside_is_found", "92 01 c4 01 61", NULL, "byte 3: binary"},
    {"byte_never_used", "c1", NULL, "byte 1: 0xc1"},
    {"nothing", "", NULL, "empty"},
    {"bytes_behind", "01 02", NULL, "byte 2: bytes behind"},
    {"bytes_behind_an_array", "91 01 02", NULL, "byte 3: bytes behind"},
    {"string_longer_than_the_message", "a2 61", NULL, "byte 1: announces more"},
    {"str32_of_4_gigabytes", "db ffffffff 61", NULL, "announces more"},
    {"array32_of_4_thousand_millions", "dd ffffffff 01", NULL, "byte 1: announces more"},
    {"map32_of_4_thousand_millions", "df ffffffff a1 61 01", NULL, "announces more"},
    {"map_of_more_than_half_its_bytes", "82 a1 61 01", NULL, "announces more"},
    {"array_that_counts_on_its_neighbours_bytes", "92 93 01 02 03", NULL,
     "byte 6: the message ends"},
    {"arrays_that_count_on_the_same_bytes", "dc 0009 dc 0006 dc 0003 01 02 03", NULL,
     "byte 13: the message ends"},
    {"map_without_its_last_value", "81 a1 61", NULL, "byte 4: the message ends"},
    {"number_cut", "cd 01", NULL, "ends inside"},
    {"length_cut", "db 000000", NULL, "ends inside"},
};

static void messages_are_read_or_refused(void **state)
{
    size_t n_faults = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(readings) / sizeof(readings[0]); i++) {
        const struct reading *row = &readings[i];
        char bytes[256];
        jrpc_problem problem;
        json_t *value, *expected = row->value ? parse(row->value) : NULL;

        size_t len = unhex(row->hex, bytes);
        int status = read_bytes(bytes, len, &value, &problem);
        bool is_right = expected ? !status && json_equal(value, expected)
                                 : status == -EBADMSG && !value && problem.code == -EBADMSG &&
                                       strstr(problem.text, row->problem);
        if (!is_right) {
            char *text = dump(value);
            print_error("%s: expected %s, but got %d %s %s\n", row->name,
                        row->value ? row->value : row->problem, status, text, problem.text);
            free(text);
            n_faults++;
        }
        json_decref(value);
        json_decref(expected);
    }
    assert_int_equal(n_faults, 0);
}

static void no_beginning_of_a_message_is_one(void **state)
{
    char bytes[256];
    jrpc_problem problem;
    json_t *value;

    (void)state;
    size_t len = unhex("84 a1 61 cf 0000000000000001 a1 62 dd 00000002 cb 3ff8000000000000 c0"
                       " a1 63 db 00000002 6869 a1 64 de 0001 a0 d2 80000000",
                       bytes);
    assert_int_equal(read_bytes(bytes, len, &value, &problem), 0);
    json_decref(value);
    for (size_t n = 0; n < len; n++)
        assert_int_equal(read_bytes(bytes, n, &value, &problem), -EBADMSG);
}

/* Whatever one byte is changed to, nothing crashes, and what is read can be written. */
static void damaged_messages_are_harmless(void **state)
{
    char bytes[256];
    jrpc_problem problem;
    json_t *value;
    jrpc_buf buf;

    (void)state;
    size_t len =
        unhex("83 a1 61 cd 0102 a1 62 dc 0003 01 a2 c3a4 c0 a1 63 81 a1 64 ca 3fc00000", bytes);
    jri_buf_init(&buf, BYTES_MAX);
    for (size_t i = 0; i < len; i++) {
        char byte = bytes[i];
        for (int c = 0; c < 256; c++) {
            bytes[i] = (char)c;
            int status = read_bytes(bytes, len, &value, &problem);
            assert_true(status == 0 || status == -EBADMSG);
            jri_buf_truncate(&buf, 0);
            if (!status)
                assert_int_equal(write_value(value, &buf), 0);
            json_decref(value);
        }
        bytes[i] = byte;
    }
    jri_buf_fini(&buf);
}

static void nesting_is_limited(void **state)
{
    char bytes[256];
    jrpc_problem problem;
    json_t *value;

    (void)state;
    for (int as_map = 0; as_map <= 1; as_map++) {
        size_t len = nest(as_map, 32, bytes);
        assert_int_equal(read_bytes(bytes, len, &value, &problem), 0);
        json_decref(value);
        len = nest(as_map, 33, bytes);
        assert_int_equal(read_bytes(bytes, len, &value, &problem), -EBADMSG);
        assert_non_null(strstr(problem.text, "nested deeper than 32"));
    }
}

static const struct writing {
    const char *value, *hex;
} writings[] = {
    {"null", "c0"},
    {"false", "c2"},
    {"true", "c3"},
    {"0", "00"},
    {"127", "7f"},
    {"128", "cc80"},
    {"255", "ccff"},
    {"256", "cd0100"},
    {"65536", "ce00010000"},
    {"4294967296", "cf0000000100000000"},
    {"9223372036854775807", "cf7fffffffffffffff"},
    {"-1", "ff"},
    {"-32", "e0"},
    {"-33", "d0df"},
    {"-129", "d1ff7f"},
    {"-32769", "d2ffff7fff"},
    {"-2147483649", "d3ffffffff7fffffff"},
    {"1.5", "cb3ff8000000000000"},
    {"1.0", "cb3ff0000000000000"},
    {"\"\"", "a0"},
    {"\"a\\u0000\xc3\xa4\"", "a46100c3a4"},
    {"[]", "90"},
    {"[1,[]]", "920190"},
    {"{}", "80"},
    {"{\"b\":1,\"a\":{\"\":null}}", "82a16201a16181a0c0"}, /* in the order they were put in */
};

static void values_are_written(void **state)
{
    jrpc_buf buf;

    (void)state;
    jri_buf_init(&buf, BYTES_MAX);
    for (size_t i = 0; i < sizeof(writings) / sizeof(writings[0]); i++) {
        json_t *value = parse(writings[i].value);
        char bytes[64];

        size_t len = unhex(writings[i].hex, bytes);
        jri_buf_truncate(&buf, 0);
        assert_int_equal(write_value(value, &buf), 0);
        assert_int_equal(buf.len, len);
        assert_memory_equal(buf.data, bytes, len);
        json_decref(value);
    }
    jri_buf_fini(&buf);
}

/* A string, an array or an object of n. */
static json_t *make_sized(int kind, size_t n)
{
    json_t *value = kind == 0 ? NULL : kind == 1 ? json_array() : json_object();
    char name[24];

    if (kind == 0) {
        char *text = malloc(n + 1);
        memset(text, 'x', n);
        value = json_stringn(text, n);
        free(text);
    }
    for (size_t i = 0; kind && i < n; i++) {
        snprintf(name, sizeof(name), "%zu", i);
        if (kind == 1)
            json_array_append_new(value, json_integer((json_int_t)i));
        else
            json_object_set_new(value, name, json_null());
    }
    return value;
}

static void every_size_comes_back(void **state)
{
    static const size_t sizes[] = {0, 1, 15, 16, 31, 32, 255, 256, 65535, 65536, 70000};
    jrpc_problem problem;
    jrpc_buf buf;
    json_t *back;

    (void)state;
    jri_buf_init(&buf, SIZE_MAX);
    for (int kind = 0; kind < 3; kind++)
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
            json_t *value = make_sized(kind, sizes[i]);
            jri_buf_truncate(&buf, 0);
            assert_int_equal(write_value(value, &buf), 0);
            assert_int_equal(read_bytes(buf.data, buf.len, &back, &problem), 0);
            assert_true(json_equal(value, back));
            json_decref(back);
            json_decref(value);
        }
    jri_buf_fini(&buf);
}

/* n arrays in one another. */
static json_t *make_deep(size_t n)
{
    json_t *value = json_array();

    while (--n)
        value = json_pack("[o]", value);
    return value;
}

static void what_cannot_be_written_is_said(void **state)
{
    json_t *deep = make_deep(2050), *deeper = make_deep(2051), *circle = json_array();
    json_t *inner = json_array(), *text = json_stringn_nocheck("\xe4", 1), *object = json_object();
    jrpc_buf buf;

    (void)state;
    json_array_append(circle, inner);
    json_array_append(inner, circle);
    json_object_set_new_nocheck(object, "\xe4", json_null());
    jri_buf_init(&buf, SIZE_MAX);
    assert_int_equal(write_value(deep, &buf), 0);
    assert_int_equal(write_value(deeper, &buf), -E2BIG);
    assert_int_equal(write_value(circle, &buf), -E2BIG);
    assert_int_equal(write_value(text, &buf), -EILSEQ);
    assert_int_equal(write_value(object, &buf), -EILSEQ);
    jri_buf_fini(&buf);

    json_array_clear(circle);
    json_decref(inner);
    json_decref(deep);
    json_decref(deeper);
    json_decref(circle);
    json_decref(text);
    json_decref(object);
}

static void a_full_buffer_is_said_at_every_byte(void **state)
{
    json_t *value = parse("{\"a\":[1,1000,100000,\"text\",1.5,true,null,{}]}");
    jrpc_buf buf;

    (void)state;
    jri_buf_init(&buf, BYTES_MAX);
    assert_int_equal(write_value(value, &buf), 0);
    size_t len = buf.len;
    jri_buf_fini(&buf);
    for (size_t max = 0; max < len; max++) {
        jri_buf_init(&buf, max);
        assert_int_equal(write_value(value, &buf), -EMSGSIZE);
        jri_buf_fini(&buf);
    }
    json_decref(value);
}

/* jansson's n-th allocation fails. */
static size_t n_allocations;

static void *failing_malloc(size_t size)
{
    return n_allocations-- ? malloc(size) : NULL;
}

static void running_out_of_memory_is_said(void **state)
{
    char bytes[64];
    jrpc_problem problem;
    json_t *value;
    int status = -ENOMEM;

    (void)state;
    size_t len = unhex("84 a1 61 91 01 a1 62 cb 3ff8000000000000 a1 63 ff a1 64 a1 65", bytes);
    for (size_t n = 0; status; n++) {
        n_allocations = n;
        json_set_alloc_funcs(failing_malloc, free);
        status = read_bytes(bytes, len, &value, &problem);
        json_set_alloc_funcs(malloc, free);
        assert_true(status == 0 || status == -ENOMEM);
    }
    json_decref(value);
}

/*
 * Dispatch
 */

/* A string and a member's name that are no UTF-8: what JSON cannot carry either. */
static int run_unspeakable(jrpc_call *call, void *user)
{
    (void)user;
    return jrpc_reply_json(call, json_stringn_nocheck("\xe4", 1));
}

static const jrpc_method unspeakable = JRPC_METHOD("unspeakable", run_unspeakable, "", NULL);

/* Cases that log are no business of ours. */
static void ignore_line(const jrpc_log_record *record, void *user)
{
    (void)record;
    (void)user;
}

/* options is stolen: an object of strings, or NULL. */
static jrpc_service *make_service(json_t *options, struct toy *toy)
{
    jrpc_hooks hooks = JRPC_HOOKS_INIT;
    jrpc_options *set = NULL;
    jrpc_service *service = NULL;
    const char *name;
    json_t *value;

    assert_int_equal(jrpc_options_new(&set), 0);
    json_object_foreach(options, name, value) {
        assert_int_equal(jrpc_options_set(set, name, json_string_value(value)), 0);
    }
    assert_int_equal(jrpc_service_new(set, &service), 0);
    hooks.logged = ignore_line;
    assert_int_equal(jrpc_service_set_hooks(service, &hooks, /* user */ NULL), 0);
    assert_int_equal(toy_add(service, toy), 0);
    assert_int_equal(jrpc_service_add(service, &unspeakable, /* user */ NULL), 0);
    jrpc_options_free(set);
    json_decref(options);
    return service;
}

/* The answer to MessagePack as a value, NULL: silence. */
static json_t *ask(jrpc_service *service, const char *data, size_t len)
{
    jrpc_dispatch_options options = JRPC_DISPATCH_OPTIONS_INIT;
    jrpc_response *response = NULL;
    jrpc_problem problem;
    json_t *answer = NULL;

    options.codec = msgpack_codec();
    assert_int_equal(jrpc_dispatch(service, data, len, &options, &response), 0);
    const char *bytes = jrpc_response_text(response, &len);
    if (jrpc_response_is_wanted(response))
        assert_int_equal(read_bytes(bytes, len, &answer, &problem), 0);
    else
        assert_int_equal(len, 0);
    jrpc_response_free(response);
    return answer;
}

static json_t *ask_json(jrpc_service *service, const char *text, size_t len)
{
    jrpc_response *response = NULL;

    assert_int_equal(jrpc_dispatch(service, text, len, /* options */ NULL, &response), 0);
    json_t *answer = json_incref(jrpc_response_json(response));
    jrpc_response_free(response);
    return answer;
}

/* Whether a message, and the JSON text it was made from, give the same answer. */
static bool is_same_answer(jrpc_service *service, const char *name, const json_t *message,
                           const char *text, size_t len)
{
    jrpc_buf buf;

    jri_buf_init(&buf, SIZE_MAX);
    assert_int_equal(write_value(message, &buf), 0);
    json_t *packed = ask(service, buf.data, buf.len);
    json_t *expected = ask_json(service, text, len);
    bool is_same = packed && expected ? json_equal(packed, expected) : packed == expected;
    if (!is_same) {
        char *left = dump(expected), *right = dump(packed);
        print_error("%s:\n    JSON        %s\n    MessagePack %s\n", name, left, right);
        free(left);
        free(right);
    }
    json_decref(packed);
    json_decref(expected);
    jri_buf_fini(&buf);
    return is_same;
}

#define CALL(method, params, id) "{\"jsonrpc\":\"2.0\",\"method\":\"" method "\"" params id "}"
#define PARAMS(params) ",\"params\":" params
#define ID(id) ",\"id\":" id

static const struct asking {
    const char *name, *message;
} askings[] = {
    {"single", CALL("ping", , ID("1"))},
    {"positional", CALL("subtract", PARAMS("[42,23]"), ID("1"))},
    {"named", CALL("subtract", PARAMS("{\"subtrahend\":23,\"minuend\":42}"), ID("1"))},
    {"real_result", CALL("subtract", PARAMS("[1,0.5]"), ID("1"))},
    {"integral_reals", CALL("subtract", PARAMS("[42.0,23.0]"), ID("1"))},
    {"largest_integers",
     CALL("echo", PARAMS("[9223372036854775807,-9223372036854775808]"), ID("1"))},
    {"any_value",
     CALL("echo", PARAMS("[null,true,false,1,-1,1.5,\"\\u0000\",[],{},[{\"a\":[]}]]"), ID("1"))},
    {"default", CALL("get_user_name", PARAMS("[1]"), ID("1"))},
    {"string_id", CALL("ping", , ID("\"\\u0000\xc3\xa4\""))},
    {"null_id", CALL("ping", , ID("null"))},
    {"real_id", CALL("ping", , ID("1.5"))},
    {"notification", CALL("ping", , )},
    {"unknown_method", CALL("nope", , ID("1"))},
    {"wrong_type", CALL("subtract", PARAMS("[\"a\",1]"), ID("1"))},
    {"missing_argument", CALL("subtract", PARAMS("[1]"), ID("1"))},
    {"application_error", CALL("api_fail", , ID("1"))},
    {"error_with_data", CALL("api_fail_data", , ID("1"))},
    {"internal_error", CALL("crash", , ID("1"))},
    {"not_serializable", CALL("unspeakable", , ID("1"))},
    {"boolean_id", CALL("ping", , ID("true"))},
    {"params_null", CALL("ping", PARAMS("null"), ID("1"))},
    {"no_object", "5"},
    {"no_request", "{}"},
    {"response", "{\"jsonrpc\":\"2.0\",\"result\":1,\"id\":1}"},
    {"empty_batch", "[]"},
    {"batch", "[" CALL("ping", , ID("1")) "," CALL("sum", PARAMS("[1,2,3]"), ID("2")) "]"},
    {"batch_of_all_sorts", "[" CALL("ping", , ) ",1," CALL("nope", , ID("2")) "," CALL(
                               "crash", , ID("3")) "," CALL("ping", , ID("4")) "]"},
    {"batch_of_notifications", "[" CALL("ping", , ) "," CALL("nope", , ) "]"},
    {"batch_with_one_not_serializable",
     "[" CALL("ping", , ID("1")) "," CALL("unspeakable", , ID("2")) "," CALL("ping", ,
                                                                             ID("3")) "]"},
};

static void answers_equal_those_in_json(void **state)
{
    size_t n_faults = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(askings) / sizeof(askings[0]); i++) {
        struct toy toy = {.n_held = 0};
        jrpc_service *service = make_service(/* options */ NULL, &toy);
        const char *text = askings[i].message;
        json_t *message = parse(text);
        n_faults += !is_same_answer(service, askings[i].name, message, text, strlen(text));
        json_decref(message);
        jrpc_service_free(service);
    }
    assert_int_equal(n_faults, 0);
}

/* Bytes that a MessagePack message and JSON text differ in count differently. */
static bool is_of_bytes(const json_t *row)
{
    const json_t *options = json_object_get(row, "options");
    return json_object_get(options, "message_max") || json_object_get(options, "reply_max");
}

/* A case whose message both can carry: 0 or 1 faults, and one more compared. */
static size_t compare_case(const json_t *row, size_t *n_compared)
{
    const json_t *send = json_object_get(row, "send");
    json_t *message = NULL;
    struct toy toy = {.n_held = 0};

    if (json_is_string(send) && !json_object_get(row, "prefixes")) /* those are cut */
        message = json_loadb(json_string_value(send), json_string_length(send),
                             JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, NULL);
    if (!message || json_object_get(row, "text_only") || is_of_bytes(row)) {
        json_decref(message);
        return 0;
    }
    jrpc_service *service = make_service(json_incref(json_object_get(row, "options")), &toy);
    bool is_same = is_same_answer(service, json_string_value(json_object_get(row, "name")), message,
                                  json_string_value(send), json_string_length(send));
    toy_release(&toy); /* calls whose handlers failed after deferring them */
    jrpc_service_free(service);
    json_decref(message);
    ++*n_compared;
    return !is_same;
}

static void conformance_cases_are_answered_as_in_json(void **state)
{
    glob_t files;
    size_t n_faults = 0, n_compared = 0, i;
    json_t *row;

    (void)state;
    assert_int_equal(glob(JRPC_SOURCE_DIR "/tests/cases/*.json", 0, NULL, &files), 0);
    for (size_t n = 0; n < files.gl_pathc; n++) {
        json_t *rows = json_load_file(files.gl_pathv[n], JSON_ALLOW_NUL, NULL);
        json_array_foreach(rows, i, row) {
            n_faults += compare_case(row, &n_compared);
        }
        json_decref(rows);
    }
    globfree(&files);
    print_message("%zu cases compared\n", n_compared);
    assert_true(n_compared > 100);
    assert_int_equal(n_faults, 0);
}

/* Hexadecimal in, and the answer as JSON. */
static const struct garbage {
    const char *name, *hex, *answer;
} garbages[] = {
    {"nothing", "",
     "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32700,\"message\":\"Parse error\","
     "\"data\":\"an empty message\"},\"id\":null}"},
    {"json_text_is_none", "7b 22 6a",
     "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32700,\"message\":\"Parse error\","
     "\"data\":\"byte 2: bytes behind the message\"},\"id\":null}"},
    {"batch_cut_short", "92 80",
     "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32700,\"message\":\"Parse error\","
     "\"data\":\"byte 1: announces more than the message holds\"},\"id\":null}"},
    {"duplicate_member", "82 a2 6964 01 a2 6964 02",
     "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32700,\"message\":\"Parse error\","
     "\"data\":\"a map's key twice\"},\"id\":null}"},
};

static void garbage_is_a_parse_error_in_messagepack(void **state)
{
    struct toy toy = {.n_held = 0};
    jrpc_service *service = make_service(json_pack("{s:s}", "debug", "yes"), &toy);

    (void)state;
    for (size_t i = 0; i < sizeof(garbages) / sizeof(garbages[0]); i++) {
        char bytes[64];
        size_t len = unhex(garbages[i].hex, bytes);
        json_t *answer = ask(service, bytes, len), *expected = parse(garbages[i].answer);
        if (!json_equal(answer, expected))
            print_error("%s\n", garbages[i].name);
        assert_true(json_equal(answer, expected));
        json_decref(answer);
        json_decref(expected);
    }
    jrpc_service_free(service);
}

/* params that nest as deep as they may, and one deeper. */
static void nesting_is_limited_in_dispatch(void **state)
{
    static const char head[] = "84 a7 6a736f6e727063 a3 322e30 a2 6964 01"
                               "a6 6d6574686f64 a4 6563686f a6 706172616d73";
    struct toy toy = {.n_held = 0};
    jrpc_service *service = make_service(/* options */ NULL, &toy);
    char bytes[256];

    (void)state;
    size_t len = unhex(head, bytes);
    json_t *answer = ask(service, bytes, len + nest(false, 31, bytes + len));
    assert_non_null(json_object_get(answer, "result"));
    json_decref(answer);
    answer = ask(service, bytes, len + nest(false, 32, bytes + len));
    json_t *code = json_object_get(json_object_get(answer, "error"), "code");
    assert_int_equal(json_integer_value(code), JRPC_PARSE_ERROR);
    json_decref(answer);
    jrpc_service_free(service);
}

static void member_over_reply_max_costs_no_other_its_answer(void **state)
{
    static const char text[] = "[" CALL("ping", , ID("1")) "," CALL(
        "fill", PARAMS("[1000]"), ID("2")) "," CALL("ping", , ID("3")) "]";
    struct toy toy = {.n_held = 0};
    jrpc_service *service = make_service(json_pack("{s:s}", "reply_max", "500"), &toy);
    json_t *message = parse(text);
    jrpc_buf buf;

    (void)state;
    jri_buf_init(&buf, BYTES_MAX);
    assert_int_equal(write_value(message, &buf), 0);
    json_t *answer = ask(service, buf.data, buf.len);
    assert_int_equal(json_array_size(answer), 3);
    json_t *error = json_object_get(json_array_get(answer, 1), "error");
    assert_int_equal(json_integer_value(json_object_get(error, "code")), JRPC_REPLY_TOO_LARGE);
    assert_string_equal(json_string_value(json_object_get(json_array_get(answer, 0), "result")),
                        "pong");
    json_decref(answer);
    json_decref(message);
    jri_buf_fini(&buf);
    jrpc_service_free(service);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_are_read_or_refused),
        cmocka_unit_test(no_beginning_of_a_message_is_one),
        cmocka_unit_test(damaged_messages_are_harmless),
        cmocka_unit_test(nesting_is_limited),
        cmocka_unit_test(values_are_written),
        cmocka_unit_test(every_size_comes_back),
        cmocka_unit_test(what_cannot_be_written_is_said),
        cmocka_unit_test(a_full_buffer_is_said_at_every_byte),
        cmocka_unit_test(running_out_of_memory_is_said),
        cmocka_unit_test(answers_equal_those_in_json),
        cmocka_unit_test(conformance_cases_are_answered_as_in_json),
        cmocka_unit_test(garbage_is_a_parse_error_in_messagepack),
        cmocka_unit_test(nesting_is_limited_in_dispatch),
        cmocka_unit_test(member_over_reply_max_costs_no_other_its_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
