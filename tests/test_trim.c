/* SPDX-License-Identifier: MIT */
/*
 * test_trim.c - what is left of JSON text in the log
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "core/buf.h"
#include "core/json_read.h"
#include "core/trim.h"

#define LETTERS_30 "abcdefghijklmnopqrstuvwxyzABCD"
#define ONES_10 "1,1,1,1,1,1,1,1,1,1"
#define ONES_30 ONES_10 "," ONES_10 "," ONES_10

static const struct {
    const char *behaviour, *text, *expect; /* NULL: as text */
} cases[] = {
    {"scalars_stay", "[null,true,false,0,-1.50e+07,\"\"]", NULL},
    {"scalar_alone", " 1 ", "1"},
    {"empty_containers", "[ { } , [ ] ]", "[{},[]]"},
    {"white_space_goes", "{ \"a\" :\r\n[ 1 ,\t2 ] }", "{\"a\":[1,2]}"},
    {"white_space_in_strings_stays", "\" a  b \"", NULL},
    {"long_number_keeps_its_spelling", "1234567890123456789012345678901234567890.0E-5", NULL},
    {"string_of_30", "\"" LETTERS_30 "\"", NULL},
    {"string_of_31", "\"" LETTERS_30 "E\"", "\"abcdefghij...vwxyzABCDE\""},
    {"string_of_30_characters_of_4_bytes",
     "\"\xF0\x9F\x98\x80\xF0\x9F\x98\x81\xF0\x9F\x98\x82\xF0\x9F\x98\x83\xF0\x9F\x98\x84"
     "\xF0\x9F\x98\x85\xF0\x9F\x98\x86\xF0\x9F\x98\x87\xF0\x9F\x98\x88\xF0\x9F\x98\x89"
     "abcdefghijklmnopqrst\"",
     NULL},
    {"string_of_31_characters_of_several_bytes",
     "\"\xF0\x9F\x98\x80\xC3\xA4\xE2\x82\xAC"
     "aaaaaaabbbbbbbbbbbccccccc\xF0\x9F\x98\x80\xC3\xA4\xE2\x82\xAC\"",
     "\"\xF0\x9F\x98\x80\xC3\xA4\xE2\x82\xAC"
     "aaaaaaa...ccccccc\xF0\x9F\x98\x80\xC3\xA4\xE2\x82\xAC\""},
    {"string_of_30_escapes",
     "\"\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n"
     "\"",
     NULL},
    {"escapes_keep_their_spelling",
     "\"\\u0041\\/\\\\\\\"\\t\\u00e4\\uD83D\\uDE00\\b\\f\\r" LETTERS_30
     "\\ud83d\\ude00\\u0041\\/\\\\\\\"\\t\\u00E4\\b\\f\\r\"",
     "\"\\u0041\\/\\\\\\\"\\t\\u00e4\\uD83D\\uDE00\\b\\f\\r..."
     "\\ud83d\\ude00\\u0041\\/\\\\\\\"\\t\\u00E4\\b\\f\\r\""},
    {"array_of_30", "[" ONES_30 "]", NULL},
    {"array_of_31", "[" ONES_10 ",2,2,2,2,2,2,2,2,2,2,2,3,3,3,3,3,3,3,3,3,3]",
     "[" ONES_10 ",\"...\",3,3,3,3,3,3,3,3,3,3]"},
    {"array_of_32", "[" ONES_10 ",2,2,2,2,2,2,2,2,2,2,2,2,3,3,3,3,3,3,3,3,3,3]",
     "[" ONES_10 ",\"...\",3,3,3,3,3,3,3,3,3,3]"},
    {"strings_in_arrays", "[[\"" LETTERS_30 "E\"]]", "[[\"abcdefghij...vwxyzABCDE\"]]"},
    {"arrays_in_arrays", "[1,[" ONES_30 ",1],2]", "[1,[" ONES_10 ",\"...\"," ONES_10 "],2]"},
    {"arrays_in_kept_elements", "[[" ONES_30 ",1]," ONES_30 ",[" ONES_30 ",2]]",
     "[[" ONES_10 ",\"...\"," ONES_10 "],1,1,1,1,1,1,1,1,1,\"...\",1,1,1,1,1,1,1,1,1,[" ONES_10
     ",\"...\",1,1,1,1,1,1,1,1,1,2]]"},
    {"arrays_in_dropped_elements",
     "[" ONES_10 ",[" ONES_30 ",1],1,1,1,1,1,1,1,1,1,[" ONES_30 ",1]," ONES_10 "]",
     "[" ONES_10 ",\"...\"," ONES_10 "]"},
    {"members_of_objects", "{\"a\":{\"b\":[" ONES_30 ",1],\"c\":\"" LETTERS_30 "E\"}}",
     "{\"a\":{\"b\":[" ONES_10 ",\"...\"," ONES_10 "],\"c\":\"abcdefghij...vwxyzABCDE\"}}"},
    {"names_stay", "{\"" LETTERS_30 LETTERS_30 "\":1}", NULL},
    {"objects_of_31_members_stay",
     "{\"a\":1,\"a\":1,\"a\":1,\"a\":1,\"a\":1,\"a\":1,\"a\":1,\"a\":1,\"a\":1,\"a\":1,\"a\":1,"
     "\"a\":1,\"a\":1,\"a\":1,\"a\":1,\"a\":1,\"a\":1,\"a\":1,\"a\":1,\"a\":1,\"a\":1,\"a\":1,"
     "\"a\":1,\"a\":1,\"a\":1,\"a\":1,\"a\":1,\"a\":1,\"a\":1,\"a\":1,\"a\":1}",
     NULL},
    {"request_with_a_long_id",
     "{\"jsonrpc\": \"2.0\", \"method\": \"sum\", \"params\": [" ONES_30 ",1], \"id\": 1.50}",
     "{\"jsonrpc\":\"2.0\",\"method\":\"sum\",\"params\":[" ONES_10 ",\"...\"," ONES_10
     "],\"id\":1.50}"},
};

static void what_is_left(void **state)
{
    (void)state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *expect = cases[i].expect ? cases[i].expect : cases[i].text;
        jrpc_buf buf;

        jri_buf_init(&buf, strlen(cases[i].text)); /* it never gets longer, not even on the way */
        int status = jri_trim_json(&buf, cases[i].text, strlen(cases[i].text));
        if (status || buf.len != strlen(expect) || memcmp(buf.data, expect, buf.len) != 0)
            fail_msg("%s: %d\n%.*s\n-- not --\n%s", cases[i].behaviour, status, (int)buf.len,
                     buf.data ? buf.data : "", expect);
        jri_buf_fini(&buf);
    }
}

static const struct {
    const char *behaviour, *text;
} refused[] = {
    {"nothing", ""},
    {"white_space", " "},
    {"word", "hello"},
    {"two_values", "1 2"},
    {"open_array", "[1,[2]"},
    {"wrong_close", "[1}"},
    {"missing_colon", "{\"a\" 1}"},
    {"name_that_is_no_string", "{1:2}"},
    {"trailing_comma", "[1,]"},
    {"bad_utf8", "[\"\xFF\"]"},
    {"lone_surrogate", "[\"\\uD800\"]"},
    {"half_an_escape", "[\"\\u00"},
    {"raw_nul", "[\"a\001\"]"},
    {"fault_behind_a_trimmed_array", "[[" ONES_30 ",1],oops]"},
};

static void what_is_not_json_is_refused(void **state)
{
    (void)state;

    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        jrpc_buf buf;

        jri_buf_init(&buf, 1024);
        assert_int_equal(jri_buf_append_literal(&buf, "before"), 0);
        int status = jri_trim_json(&buf, refused[i].text, strlen(refused[i].text));
        if (status != -EBADMSG || buf.len != strlen("before"))
            fail_msg("%s: %d, %zu bytes", refused[i].behaviour, status, buf.len);
        jri_buf_fini(&buf);
    }
}

/* Of the request cut short anywhere nothing is left and nothing behind it is read. */
static void no_beginning_of_a_text_will_do(void **state)
{
    const char *text = cases[sizeof(cases) / sizeof(cases[0]) - 1].text;
    (void)state;

    for (size_t len = 0; len < strlen(text); len++) {
        char *exact = malloc(len ? len : 1);
        jrpc_buf buf;

        assert_non_null(exact);
        memcpy(exact, text, len);
        jri_buf_init(&buf, SIZE_MAX);
        assert_int_equal(jri_trim_json(&buf, exact, len), -EBADMSG);
        jri_buf_fini(&buf);
        free(exact);
    }
}

static void it_is_appended(void **state)
{
    jrpc_buf buf;
    (void)state;

    jri_buf_init(&buf, 1024);
    assert_int_equal(jri_buf_append_literal(&buf, "--> "), 0);
    assert_int_equal(jri_trim_json(&buf, "[" ONES_30 ", 1]", strlen("[" ONES_30 ", 1]")), 0);
    assert_int_equal(buf.len, strlen("--> [" ONES_10 ",\"...\"," ONES_10 "]"));
    assert_memory_equal(buf.data, "--> [" ONES_10 ",\"...\"," ONES_10 "]", buf.len);
    jri_buf_fini(&buf);
}

static void a_full_buffer_is_left_as_it_was(void **state)
{
    jrpc_buf buf;
    (void)state;

    jri_buf_init(&buf, 16);
    assert_int_equal(jri_buf_append_literal(&buf, "before"), 0);
    assert_int_equal(jri_trim_json(&buf, "[" ONES_30 "]", strlen("[" ONES_30 "]")), -EMSGSIZE);
    assert_int_equal(buf.len, strlen("before"));
    jri_buf_fini(&buf);
}

static void nesting_is_limited(void **state)
{
    enum { DEEPER = JRI_READ_DEPTH + 1 };
    static char text[2 * DEEPER];
    jrpc_buf buf;
    (void)state;

    jri_buf_init(&buf, SIZE_MAX);
    memset(text, '[', DEEPER);
    memset(text + DEEPER, ']', DEEPER);
    assert_int_equal(jri_trim_json(&buf, text, 2 * DEEPER), -EBADMSG);
    assert_int_equal(jri_trim_json(&buf, text + 1, 2 * JRI_READ_DEPTH), 0);
    assert_int_equal(buf.len, 2 * JRI_READ_DEPTH);
    jri_buf_fini(&buf);
}

/* The rule said as plainly as possible, on jansson's values. */
static json_t *trim_value(json_t *value)
{
    size_t n = json_array_size(value);

    if (json_is_array(value)) {
        json_t *array = json_array();
        for (size_t i = 0; i < n; i++) {
            if (n > 30 && i == 10) {
                json_array_append_new(array, json_string("..."));
                i = n - 10;
            }
            json_array_append_new(array, trim_value(json_array_get(value, i)));
        }
        return array;
    }
    if (json_is_object(value)) {
        json_t *object = json_object(), *member = NULL;
        const char *name = NULL;
        json_object_foreach(value, name, member) {
            json_object_set_new(object, name, trim_value(member));
        }
        return object;
    }
    if (json_is_string(value) && json_string_length(value) > 30) /* all ASCII here */
        return json_sprintf("%.10s...%s", json_string_value(value),
                            json_string_value(value) + json_string_length(value) - 10);
    return json_deep_copy(value);
}

/* Values of every shape, the same in every run. */
static json_t *make_value(unsigned *seed, int depth)
{
    *seed = *seed * 1103515245 + 12345;
    unsigned kind = (*seed >> 16) % (depth ? 4 : 2), n = (*seed >> 20) % 50;
    json_t *value = NULL;
    char name[16];

    switch (kind) {
    case 0:
        return json_integer(n);
    case 1:
        return json_sprintf("%0*u", (int)n, *seed);
    case 2:
        value = json_array();
        while (n--)
            json_array_append_new(value, make_value(seed, depth - 1));
        return value;
    default:
        value = json_object();
        while (n--) {
            snprintf(name, sizeof(name), "%u", n);
            json_object_set_new(value, name, make_value(seed, depth - 1));
        }
        return value;
    }
}

static void the_rule_holds_for_values_of_every_shape(void **state)
{
    unsigned seed = 1;
    (void)state;

    for (int i = 0; i < 200; i++) {
        json_t *value = make_value(&seed, 3), *expect = trim_value(value);
        char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_INDENT(1));
        jrpc_buf buf;

        jri_buf_init(&buf, SIZE_MAX);
        assert_int_equal(jri_trim_json(&buf, text, strlen(text)), 0);
        json_t *trimmed = json_loadb(buf.data, buf.len, JSON_DECODE_ANY, NULL);
        assert_non_null(trimmed);
        assert_true(json_equal(trimmed, expect));

        jri_buf_fini(&buf);
        json_decref(trimmed);
        json_decref(expect);
        json_decref(value);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_left),
        cmocka_unit_test(what_is_not_json_is_refused),
        cmocka_unit_test(no_beginning_of_a_text_will_do),
        cmocka_unit_test(it_is_appended),
        cmocka_unit_test(a_full_buffer_is_left_as_it_was),
        cmocka_unit_test(nesting_is_limited),
        cmocka_unit_test(the_rule_holds_for_values_of_every_shape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
