/* SPDX-License-Identifier: MIT */
/*
 * test_json_build.c - validated text to values
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/json_read.h"
#include "edge.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Built equal to what jansson loads from expect; NULL: from the same text. */
static const struct {
    const char *behaviour, *text, *expect;
} built[] = {
    {"null", "null", NULL},
    {"booleans", "[true,false]", NULL},
    {"integers", "[0,-0,7,-7,123456789012345678,-123456789012345678]", NULL},
    {"integers_at_the_limits_of_int64", "[9223372036854775807,-9223372036854775808]", NULL},
    {"integers_beyond_int64_become_reals", "[9223372036854775808,-9223372036854775809]",
     "[9223372036854775808.0,-9223372036854775809.0]"},
    {"reals", "[1.0,-0.5,1e3,1E-3,123.456e+5,-0.0,5e-324]", NULL},
    {"integral_reals_stay_reals", "[100e-2]", "[1.0]"},
    {"number_at_the_very_end", "-12.5", NULL},
    {"integer_at_the_very_end", "12", NULL},
    {"empty_string", "\"\"", NULL},
    {"strings", "[\"a\",\"0123456789abcdef0123456789abcdef\",\"\xC3\xA4\"]", NULL},
    {"escapes", "[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\",\"\\u00e4\\uD83D\\uDE00\"]", NULL},
    {"solidus_before_the_quote", "[\"\\\\\",\"\\\\\\\"\"]", NULL},
    {"u0000_is_kept_in_values", "[\"a\\u0000b\"]", NULL},
    {"white_space", " {\t\"a\" :\r\n[ 1 , { } , [ ] ] } ", NULL},
    {"objects_keep_their_members", "{\"b\":1,\"a\":{\"c\":[]},\"\":null}", NULL},
    {"name_with_escapes", "{\"\\u0061\\n\":1}", NULL},
    {"name_and_value_with_escapes", "{\"\\u0061\":\"\\u0062\",\"\\u0063\":\"\\u0064\"}", NULL},
    {"of_equal_names_the_last_counts", "{\"a\":{\"x\":[1]},\"b\":2,\"a\":3}", "{\"a\":3,\"b\":2}"},
    {"equal_names_spelt_differently", "{\"a\":1,\"\\u0061\":2}", "{\"a\":2}"},
    {"many_members",
     "{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5,\"f\":6,\"g\":7,\"h\":8,\"i\":9,"
     "\"j\":10,\"k\":11,\"l\":12,\"m\":13,\"n\":14,\"o\":15,\"p\":16,\"q\":17}",
     NULL},
    {"containers_follow_one_another", "[[],[[]],{},{\"a\":[]},[{}],1]", NULL},
};

static json_t *load(const char *text)
{
    json_t *value = json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    assert_non_null(value);
    return value;
}

static void what_is_built(void **state)
{
    struct edge edge = edge_new(256);
    (void)state;

    for (size_t i = 0; i < COUNT(built); i++) {
        json_t *expect = load(built[i].expect ? built[i].expect : built[i].text), *value = NULL;
        size_t len = strlen(built[i].text);

        int status = jri_json_build(edge_place(&edge, built[i].text, len), len, &value);
        if (status || !json_equal(value, expect)) {
            char *text = value ? json_dumps(value, JSON_ENCODE_ANY) : NULL;
            fail_msg("%s: %d %s", built[i].behaviour, status, text);
        }
        json_decref(value);
        json_decref(expect);
    }
    edge_free(&edge);
}

static const struct {
    const char *behaviour, *text;
    int status;
} failing[] = {
    {"number_beyond_double", "[1,1e400]", -ERANGE},
    {"negative_number_beyond_double", "{\"a\":[-1e400]}", -ERANGE},
    {"u0000_in_a_name", "{\"a\":{\"b\\u0000\":1}}", -EBADMSG},
    {"u0000_alone_as_a_name", "{\"\\u0000\":1}", -EBADMSG},
};

static void what_no_value_can_hold_fails(void **state)
{
    (void)state;

    for (size_t i = 0; i < COUNT(failing); i++) {
        json_t *untouched = NULL;
        int status = jri_json_build(failing[i].text, strlen(failing[i].text), &untouched);
        if (status != failing[i].status || untouched)
            fail_msg("%s: %d -- not -- %d", failing[i].behaviour, status, failing[i].status);
    }
}

static void order_of_members_is_kept(void **state)
{
    const char *text = "{\"z\":1,\"a\":2,\"m\":3}";
    json_t *value = NULL;
    (void)state;

    assert_int_equal(jri_json_build(text, strlen(text), &value), 0);
    char *dumped = json_dumps(value, JSON_COMPACT);
    assert_string_equal(dumped, text);
    free(dumped);
    json_decref(value);
}

static void as_deep_as_the_reader_allows(void **state)
{
    char *text = malloc(JRI_READ_DEPTH * 2 + 2);
    json_t *value = NULL;
    (void)state;

    assert_non_null(text);
    for (size_t depth = JRI_READ_DEPTH; depth <= JRI_READ_DEPTH + 1; depth++) {
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        int status = jri_json_build(text, depth * 2, &value);
        assert_int_equal(status, depth > JRI_READ_DEPTH ? -EBADMSG : 0);
    }
    json_decref(value);
    free(text);
}

/* Longer than any place on the stack, so that memory for decoding is taken anew. */
static void long_strings_with_escapes(void **state)
{
    (void)state;

    for (size_t len = 1; len < 5000; len = len * 3 / 2 + 1) {
        char *text = malloc(len * 4 + 32), *at = text;
        json_t *value = NULL;

        assert_non_null(text);
        at = stpcpy(at, "{\"\\n");
        memset(at, 'n', len);
        at = stpcpy(at + len, "\":\"\\t");
        memset(at, 'v', len);
        stpcpy(at + len, "\",\"\\u0041\":\"\\u0042\"}");

        json_t *expect = load(text);
        assert_int_equal(jri_json_build(text, strlen(text), &value), 0);
        assert_true(json_equal(value, expect));
        json_decref(value);
        json_decref(expect);
        free(text);
    }
}

/* jansson's allocations: how many until one fails, and how many live. */
static long n_until_failure, n_living;

static void *failing_malloc(size_t size)
{
    if (n_until_failure-- <= 0)
        return NULL;
    n_living++;
    return malloc(size);
}

static void counting_free(void *memory)
{
    n_living -= memory != NULL;
    free(memory);
}

static void every_allocation_may_fail(void **state)
{
    const char *text = "[{\"a\":\"\\u0041\",\"b\":[1,2.5,null]},\"x\",[[[]]],{\"c\":{\"d\":true}}]";
    json_malloc_t old_malloc;
    json_free_t old_free;
    int status = -ENOMEM;
    (void)state;

    json_get_alloc_funcs(&old_malloc, &old_free);
    json_set_alloc_funcs(failing_malloc, counting_free);
    for (long n = 0; status == -ENOMEM; n++) {
        json_t *value = NULL;
        n_until_failure = n;
        status = jri_json_build(text, strlen(text), &value);
        assert_int_equal(!status, value != NULL);
        json_decref(value);
        assert_int_equal(n_living, 0);
    }
    json_set_alloc_funcs(old_malloc, old_free);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_built),
        cmocka_unit_test(what_no_value_can_hold_fails),
        cmocka_unit_test(order_of_members_is_kept),
        cmocka_unit_test(as_deep_as_the_reader_allows),
        cmocka_unit_test(long_strings_with_escapes),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
