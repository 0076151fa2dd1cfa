/* SPDX-License-Identifier: MIT */
/*
 * test_codec_jansson.c - the reference codec
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/buf.h"
#include "edge.h"

#define BYTES(literal) literal, sizeof(literal) - 1
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
    const char *behaviour, *text;
    size_t len;
    const char *problem; /* a part of its text; NULL: accepted */
    int line, column;
} texts[] = {
    {"object", BYTES("{\"a\":[1,2.5,null]}"), NULL, 0, 0},
    {"scalar", BYTES(" 7 "), NULL, 0, 0},
    {"duplicate_names", BYTES("{\"a\":1,\"a\":2}"), NULL, 0, 0},
    {"u0000_in_a_string", BYTES("[\"a\\u0000b\"]"), NULL, 0, 0},
    {"nothing", BYTES(""), "unexpected token near end of file", 1, 1},
    {"not_closed", BYTES("[1,"), "expected near end of file", 1, 3},
    {"missing_comma", BYTES("[1 2]"), "']' expected near '2'", 1, 4},
    {"word_on_line_four", BYTES("\n\n[1,\n  x]"), "invalid token near 'x'", 4, 3},
    {"column_in_bytes", BYTES("[\"\xC3\xA4\",x]"), "invalid token near 'x'", 1, 7},
    {"two_values", BYTES("[1]x"), "end of file expected near 'x'", 1, 4},
    {"nul_behind_a_number", BYTES("123\0"), "NUL byte", 1, 4},
    {"nul_in_a_string", BYTES("[\n\"a\0b\"]"), "NUL byte", 2, 3},
    {"nul_alone", BYTES("\0"), "NUL byte", 1, 1},
    {"u0000_in_a_name", BYTES("{\"a\\u0000\":1}"), "NUL byte in object key not supported", 1, 10},
    {"bad_utf8", BYTES("[\"\xFF\"]"), "unable to decode byte 0xff", 1, 2},
    {"lone_surrogate", BYTES("\"\\ud800\""), "invalid Unicode", 1, 8},
    {"integer_beyond_int64", BYTES("[9223372036854775808]"), "too big integer", 1, 20},
    {"number_beyond_double", BYTES("[1e400]"), "real number overflow", 1, 6},
};

static void what_is_deserialized(void **state)
{
    const jrpc_codec *codec = jrpc_codec_jansson();
    struct edge edge = edge_new(256);
    (void)state;

    for (size_t i = 0; i < COUNT(texts); i++) {
        const char *text = edge_place(&edge, texts[i].text, texts[i].len);
        jrpc_problem problem = {0};
        json_t *value = NULL;

        int status = codec->deserialize(text, texts[i].len, codec->user, &value, &problem);
        if (status != (texts[i].problem ? -EBADMSG : 0) || (status == 0) != (value != NULL) ||
            problem.code != status || problem.line != texts[i].line ||
            problem.column != texts[i].column ||
            (texts[i].problem && !strstr(problem.text, texts[i].problem)))
            fail_msg("%s: %d, %d:%d %s -- not -- %d:%d %s", texts[i].behaviour, status,
                     problem.line, problem.column, problem.text, texts[i].line, texts[i].column,
                     texts[i].problem ? texts[i].problem : "");
        json_decref(value);
    }
    edge_free(&edge);
}

static long n_until_failure;

static void *failing_malloc(size_t size)
{
    return n_until_failure-- > 0 ? malloc(size) : NULL;
}

static void out_of_memory_is_told_from_bad_text(void **state)
{
    const jrpc_codec *codec = jrpc_codec_jansson();
    const char *text = "{\"a\":[1,2.5,\"x\",null],\"b\":{\"c\":true}}";
    json_malloc_t old_malloc;
    json_free_t old_free;
    int status = -ENOMEM;
    (void)state;

    json_get_alloc_funcs(&old_malloc, &old_free);
    json_set_alloc_funcs(failing_malloc, free);
    for (long n = 0; status == -ENOMEM; n++) {
        jrpc_problem problem = {0};
        json_t *value = NULL;

        n_until_failure = n;
        status = codec->deserialize(text, strlen(text), codec->user, &value, &problem);
        assert_int_equal(problem.code, status);
        json_decref(value);
    }
    json_set_alloc_funcs(old_malloc, old_free);
    assert_int_equal(status, 0);
}

static void values_are_serialized_compactly_behind_what_is_there(void **state)
{
    const jrpc_codec *codec = jrpc_codec_jansson();
    json_t *value = json_pack("{s:[i,s,n],s:b}", "a", 1, "\xC3\xA4\n", "b", 1);
    const char *expect = "<{\"a\":[1,\"\xC3\xA4\\n\",null],\"b\":true}";
    jrpc_buf buf;
    (void)state;

    jri_buf_init(&buf, strlen(expect));
    assert_int_equal(jri_buf_put(&buf, '<'), 0);
    assert_int_equal(codec->serialize(value, &buf, codec->user), 0);
    assert_int_equal(buf.len, strlen(expect));
    assert_memory_equal(buf.data, expect, buf.len);

    buf.max--;
    jri_buf_truncate(&buf, 1);
    assert_int_equal(codec->serialize(value, &buf, codec->user), -EMSGSIZE);
    jri_buf_fini(&buf);
    json_decref(value);
}

static void what_cannot_be_serialized(void **state)
{
    const jrpc_codec *codec = jrpc_codec_jansson();
    json_t *bad = json_array(), *outer = json_array(), *inner = json_array();
    jrpc_buf buf;
    (void)state;

    assert_int_equal(json_array_append_new(bad, json_string_nocheck("\xFF")), 0);
    assert_int_equal(json_array_append(outer, inner), 0);
    assert_int_equal(json_array_append(inner, outer), 0);
    jri_buf_init(&buf, 1000);
    assert_int_equal(codec->serialize(bad, &buf, codec->user), -EILSEQ);
    assert_int_equal(codec->serialize(outer, &buf, codec->user), -EILSEQ);
    assert_int_equal(codec->serialize(/* value */ NULL, &buf, codec->user), -ENOMEM);
    jri_buf_fini(&buf);

    json_array_clear(inner);
    json_decref(inner);
    json_decref(outer);
    json_decref(bad);
}

static void it_says_what_it_is(void **state)
{
    const jrpc_codec *codec = jrpc_codec_jansson();
    (void)state;

    assert_int_equal(codec->size, sizeof(jrpc_codec));
    assert_string_equal(codec->name, "jansson");
    assert_string_equal(codec->content_type, "application/json");
    assert_false(codec->is_binary);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_deserialized),
        cmocka_unit_test(out_of_memory_is_told_from_bad_text),
        cmocka_unit_test(values_are_serialized_compactly_behind_what_is_there),
        cmocka_unit_test(what_cannot_be_serialized),
        cmocka_unit_test(it_says_what_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
