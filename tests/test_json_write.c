/* SPDX-License-Identifier: MIT */
/*
 * test_json_write.c - values to text: escapes, numbers, trees, limits
 */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/json_read.h"
#include "core/json_write.h"
#include "edge.h"

#define BYTES(literal) literal, sizeof(literal) - 1
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void assert_written(const char *behaviour, int status, const jrpc_buf *buf,
                           const char *expect)
{
    if (!status && buf->len == strlen(expect) && !memcmp(buf->data, expect, buf->len))
        return;
    fail_msg("%s: %d\n%.*s\n-- not --\n%s", behaviour, status, (int)buf->len,
             buf->data ? buf->data : "", expect);
}

/* expect: by jri_write_string(), NULL where it fails; text: by jri_write_text(), NULL: the same. */
static const struct {
    const char *behaviour, *value;
    size_t len;
    const char *expect, *text;
} strings[] = {
    {"empty", BYTES(""), "\"\"", NULL},
    {"one_byte", BYTES("a"), "\"a\"", NULL},
    {"three_bytes", BYTES("abc"), "\"abc\"", NULL},
    {"seven_bytes", BYTES("abcdefg"), "\"abcdefg\"", NULL},
    {"fifteen_bytes", BYTES("abcdefghijklmno"), "\"abcdefghijklmno\"", NULL},
    {"forty_bytes", BYTES("0123456789012345678901234567890123456789"),
     "\"0123456789012345678901234567890123456789\"", NULL},
    {"quotation_mark_and_solidus", BYTES("a\"b\\c"), "\"a\\\"b\\\\c\"", NULL},
    {"slash_and_delete_stay", BYTES("/\x7F"), "\"/\x7F\"", NULL},
    {"control_characters_with_a_letter", BYTES("\b\f\n\r\t"), "\"\\b\\f\\n\\r\\t\"", NULL},
    {"other_control_characters", BYTES("\x01\x0B\x1F"), "\"\\u0001\\u000b\\u001f\"", NULL},
    {"nul", BYTES("a\0b"), "\"a\\u0000b\"", NULL},
    {"utf8_stays", BYTES("\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80\xEF\xBF\xBF"),
     "\"\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80\xEF\xBF\xBF\"", NULL},
    {"utf8_between_escapes", BYTES("\"\xC3\xA4\n\xC3\xA4\""), "\"\\\"\xC3\xA4\\n\xC3\xA4\\\"\"",
     NULL},
    {"bad_byte", BYTES("a\xFF"), NULL, "\"a\xEF\xBF\xBD\""},
    {"bad_byte_behind_a_block", BYTES("0123456789abcdef0123\x80"), NULL,
     "\"0123456789abcdef0123\xEF\xBF\xBD\""},
    {"tails_alone_are_one_each", BYTES("\x80\x80"), NULL, "\"\xEF\xBF\xBD\xEF\xBF\xBD\""},
    {"cut_character_is_one", BYTES("\xE2\x82"), NULL, "\"\xEF\xBF\xBD\""},
    {"cut_character_before_a_letter", BYTES("\xF0\x9F\x98z"), NULL, "\"\xEF\xBF\xBDz\""},
    {"overlong_is_one_for_each_byte", BYTES("\xC0\xAF\xE0\x80\xBF"), NULL,
     "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},
    {"surrogate_is_one_for_each_byte", BYTES("\xED\xA0\x80"), NULL,
     "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},
    {"unicode_table_3_8", BYTES("\x61\xF1\x80\x80\xE1\x80\xC2\x62\x80\x63\x80\xBF\x64"), NULL,
     "\"a\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"
     "b\xEF\xBF\xBD"
     "c\xEF\xBF\xBD\xEF\xBF\xBD"
     "d\""},
    {"f4_beyond_its_range", BYTES("\xF4\x91\x92\x93\xFF"), NULL,
     "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},
    {"good_again_behind_bad", BYTES("\xC3\"\xC3\xA4"), NULL, "\"\xEF\xBF\xBD\\\"\xC3\xA4\""},
};

static void strings_are_escaped(void **state)
{
    struct edge edge = edge_new(256);
    (void)state;

    for (size_t i = 0; i < COUNT(strings); i++) {
        const char *value = edge_place(&edge, strings[i].value, strings[i].len);
        const char *text = strings[i].text ? strings[i].text : strings[i].expect;
        jrpc_buf buf;

        jri_buf_init(&buf, SIZE_MAX);
        int status = jri_write_string(&buf, value, strings[i].len);
        if (strings[i].expect)
            assert_written(strings[i].behaviour, status, &buf, strings[i].expect);
        else
            assert_int_equal(status, -EILSEQ);

        jri_buf_truncate(&buf, 0);
        status = jri_write_text(&buf, value, strings[i].len);
        assert_written(strings[i].behaviour, status, &buf, text);

        size_t n_valid = jri_utf8_check(value, strings[i].len);
        assert_int_equal(n_valid == strings[i].len, strings[i].expect != NULL);
        jri_buf_fini(&buf);
    }
    edge_free(&edge);
}

/* Strings are copied in pieces that overlap: every byte at every place in every length. */
static void every_byte_at_every_place_reads_back(void **state)
{
    struct edge edge = edge_new(256);
    char value[48], decoded[64];
    jrpc_buf buf;
    (void)state;

    jri_buf_init(&buf, SIZE_MAX);
    for (size_t len = 1; len <= 40; len++)
        for (size_t at = 0; at < len * 0x80; at++) {
            jri_reader reader;
            jri_value string;

            for (size_t i = 0; i < len; i++)
                value[i] = (char)('a' + i % 26);
            value[at / 0x80] = (char)(at % 0x80);
            jri_buf_truncate(&buf, 0);
            assert_int_equal(jri_write_string(&buf, edge_place(&edge, value, len), len), 0);
            jri_read_begin(&reader, buf.data, buf.len, 1, 1);
            assert_int_equal(jri_read_value(&reader, &string), 0);
            assert_int_equal(jri_read_end(&reader), 0);
            assert_int_equal(jri_string_decode(&string, decoded), len);
            assert_memory_equal(decoded, value, len);
        }
    jri_buf_fini(&buf);
    edge_free(&edge);
}

static const struct {
    const char *behaviour;
    double value;
    const char *expect; /* NULL: refused */
} numbers[] = {
    {"zero", 0.0, "0"},
    {"minus_zero_as_zero", -0.0, "0"},
    {"integral", 42.0, "42"},
    {"negative_integral", -3.0, "-3"},
    {"fraction", 0.1, "0.1"},
    {"two_to_the_53", 9007199254740992.0, "9007199254740992"},
    {"minus_two_to_the_53", -9007199254740992.0, "-9007199254740992"},
    {"integral_beyond", 9007199254740994.0, "9007199254740994.0"},
    {"huge", 1e300, "1e+300"},
    {"tiny", -2.5e-10, "-2.5e-10"},
    {"not_a_number", NAN, NULL},
    {"infinity", INFINITY, NULL},
    {"minus_infinity", -INFINITY, NULL},
};

static void numbers_are_written(void **state)
{
    (void)state;

    for (size_t i = 0; i < COUNT(numbers); i++) {
        jrpc_buf buf;

        jri_buf_init(&buf, SIZE_MAX);
        int status = jri_write_number(&buf, numbers[i].value);
        if (numbers[i].expect)
            assert_written(numbers[i].behaviour, status, &buf, numbers[i].expect);
        else
            assert_int_equal(status, -EINVAL);
        jri_buf_fini(&buf);
    }
}

static const char *const trees[] = {
    "null",
    "[true,false,null]",
    "[]",
    "{}",
    "[[],{},[[]],[{}]]",
    "{\"a\":{},\"b\":[],\"c\":{\"d\":[1,{\"e\":null}]}}",
    "[0,-1,9223372036854775807,-9223372036854775808]",
    "[0.1,1.0,-0.0,1e+300,123456.789,5e-324]",
    "[\"\",\"a\\nb\",\"\xC3\xA4\",\"a\\u0000b\"]",
    "{\"z\":1,\"a\\\"\":2,\"\":3,\"m\xE2\x82\xAC\":4}",
};

static void trees_read_and_written_are_the_same_text(void **state)
{
    (void)state;

    for (size_t i = 0; i < COUNT(trees); i++) {
        json_t *value = json_loads(trees[i], JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        jrpc_buf buf;

        assert_non_null(value);
        jri_buf_init(&buf, SIZE_MAX);
        assert_written(trees[i], jri_write_json(&buf, value), &buf, trees[i]);
        jri_buf_fini(&buf);
        json_decref(value);
    }
}

static void a_full_buffer_fails_wherever_it_is_full(void **state)
{
    (void)state;

    for (size_t i = 0; i < COUNT(trees); i++) {
        json_t *value = json_loads(trees[i], JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        assert_non_null(value);
        for (size_t max = 0; max <= strlen(trees[i]); max++) {
            jrpc_buf buf;
            jri_buf_init(&buf, max);
            int status = jri_write_json(&buf, value);
            assert_int_equal(status, max < strlen(trees[i]) ? -EMSGSIZE : 0);
            assert_true(buf.len <= max);
            jri_buf_fini(&buf);
        }
        json_decref(value);
    }
}

static void no_value_is_out_of_memory(void **state)
{
    jrpc_buf buf;
    (void)state;

    jri_buf_init(&buf, SIZE_MAX);
    assert_int_equal(jri_write_json(&buf, /* value */ NULL), -ENOMEM);
    assert_int_equal(buf.len, 0);
    jri_buf_fini(&buf);
}

static void bad_utf8_in_a_tree_is_refused(void **state)
{
    json_t *item = json_array(), *name = json_object();
    jrpc_buf buf;
    (void)state;

    assert_int_equal(json_array_append_new(item, json_string_nocheck("a\xFF")), 0);
    assert_int_equal(json_object_set_new_nocheck(name, "a\xFF", json_null()), 0);
    jri_buf_init(&buf, SIZE_MAX);
    assert_int_equal(jri_write_json(&buf, item), -EILSEQ);
    assert_int_equal(jri_write_json(&buf, name), -EILSEQ);
    jri_buf_fini(&buf);
    json_decref(item);
    json_decref(name);
}

static json_t *nested(size_t depth)
{
    json_t *value = json_array();
    for (size_t i = 1; i < depth; i++)
        value = i % 2 ? json_pack("{s:o}", "a", value) : json_pack("[o]", value);
    return value;
}

static void depth_is_limited(void **state)
{
    json_t *deep = nested(JRI_WRITE_DEPTH), *deeper = nested(JRI_WRITE_DEPTH + 1);
    jrpc_buf buf;
    (void)state;

    jri_buf_init(&buf, SIZE_MAX);
    assert_int_equal(jri_write_json(&buf, deep), 0);
    assert_int_equal(jri_write_json(&buf, deeper), -E2BIG);
    jri_buf_fini(&buf);
    json_decref(deep);
    json_decref(deeper);
}

static void a_circular_value_is_too_deep(void **state)
{
    json_t *outer = json_array(), *inner = json_object();
    jrpc_buf buf;
    (void)state;

    assert_int_equal(json_array_append(outer, inner), 0);
    assert_int_equal(json_object_set(inner, "outer", outer), 0);
    jri_buf_init(&buf, SIZE_MAX);
    assert_int_equal(jri_write_json(&buf, outer), -E2BIG);
    jri_buf_fini(&buf);
    json_object_clear(inner);
    json_decref(inner);
    json_decref(outer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings_are_escaped),
        cmocka_unit_test(every_byte_at_every_place_reads_back),
        cmocka_unit_test(numbers_are_written),
        cmocka_unit_test(trees_read_and_written_are_the_same_text),
        cmocka_unit_test(a_full_buffer_fails_wherever_it_is_full),
        cmocka_unit_test(no_value_is_out_of_memory),
        cmocka_unit_test(bad_utf8_in_a_tree_is_refused),
        cmocka_unit_test(depth_is_limited),
        cmocka_unit_test(a_circular_value_is_too_deep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
