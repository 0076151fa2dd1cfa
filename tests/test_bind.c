/* SPDX-License-Identifier: MIT */
/*
 * test_bind.c - params to argument positions: both styles, both ways in, and every refusal
 */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/bind.h"
#include "request.h"

enum { SEED = 4711 };

#define SUBTRACT "minuend: number, subtrahend: number -> number"
#define USER "user_id: integer, first_name: string = \"Ada\" -> object"
#define NINE "a?, b?, c?, d?, e?, f?, g?, h?, *, i: integer"

enum way { BOTH, TEXT_ONLY };

/* expect: the arguments shown, or after "! " the reason why there are none. */
static const struct row {
    const char *name, *signature, *params, *expect;
    enum way way; /* a jansson value cannot be everything that text can */
} rows[] = {
    {"by_position", SUBTRACT, "[42, 23]", "minuend=42 subtrahend=23", BOTH},
    {"by_name", SUBTRACT, "{\"minuend\": 42, \"subtrahend\": 23}", "minuend=42 subtrahend=23",
     BOTH},
    {"by_name_in_another_order", SUBTRACT, "{\"subtrahend\": 23, \"minuend\": 42}",
     "minuend=42 subtrahend=23", BOTH},
    {"escaped_name", SUBTRACT, "{\"\\u006dinuend\": 42, \"subtrahen\\u0064\": 23}",
     "minuend=42 subtrahend=23", BOTH},
    {"no_params", "", NULL, "", BOTH},
    {"no_params_by_position", "", "[]", "", BOTH},
    {"no_params_by_name", "", "{}", "", BOTH},
    {"absent_params_are_empty", "a = 1, b?", NULL, "a~1 b?", BOTH},
    {"empty_array_is_empty", "a = 1, b?", "[]", "a~1 b?", BOTH},
    {"empty_object_is_empty", "a = 1, b?", "{}", "a~1 b?", BOTH},
    {"default_string", USER, "[7]", "user_id=7 first_name~'Ada'", BOTH},
    {"default_string_by_name", USER, "{\"user_id\": 7}", "user_id=7 first_name~'Ada'", BOTH},
    {"default_overridden", USER, "[7, \"Bob\"]", "user_id=7 first_name='Bob'", BOTH},
    {"default_by_name_before_given", "a: integer = 1, b: integer = 2", "{\"b\": 3}", "a~1 b=3",
     BOTH},
    {"null_is_a_value", "a: integer|null = 5", "[null]", "a=null", BOTH},
    {"null_is_no_default", "a: integer = 5", "[null]", "! argument 'a' is null, expected integer",
     BOTH},
    {"optional_absent", "a, b?, c?", "[1]", "a=1 b? c?", BOTH},
    {"optional_gap_by_name", "a?, b?, c?", "{\"b\": 1}", "a? b=1 c?", BOTH},
    {"rest", "*numbers: number", "[1, 2.5, 3]", "=1 =2.5 =3", BOTH},
    {"rest_empty", "*numbers: number", "[]", "", BOTH},
    {"rest_after_declared", "a: string, *more: integer", "[\"x\", 2, 3]", "a='x' =2 =3", BOTH},
    {"rest_of_strings_is_decoded", "*s: string", "[\"a\", \"\\u00e9\"]", "='a' ='é'", BOTH},
    {"rest_none_left", "a, b?, *more", "[1]", "a=1 b?", BOTH},
    {"rest_before_named_only", "a, *more, b = 9", "[1, 2, 3]", "a=1 b~9 =2 =3", BOTH},
    {"fields", "**fields: integer", "{\"x\": 1, \"y\": 2}", "x=1 y=2", BOTH},
    {"fields_keep_their_order", "a, **f", "{\"z\": 1, \"a\": 2, \"y\": 3}", "a=2 z=1 y=3", BOTH},
    {"fields_of_strings_are_decoded", "**f: string", "{\"x\": \"1\"}", "x='1'", BOTH},
    {"fields_none", "a?, **f", "[1]", "a=1", BOTH},
    {"fields_many", "a, **f",
     "{\"b\":1,\"c\":2,\"d\":3,\"e\":4,\"a\":0,\"f\":5,\"g\":6,\"h\":7,\"i\":8}",
     "a=0 b=1 c=2 d=3 e=4 f=5 g=6 h=7 i=8", BOTH},
    {"rest_or_fields", "*r: integer, **f: string", "[1]", "=1", BOTH},
    {"fields_or_rest", "*r: integer, **f: string", "{\"a\": \"x\"}", "a='x'", BOTH},
    {"named_only", "path: string, *, flags?: array|null", "{\"path\": \"/\", \"flags\": []}",
     "path='/' flags=[]", BOTH},
    {"named_only_absent", "path: string, *, flags?: array|null", "[\"/\"]", "path='/' flags?",
     BOTH},
    {"named_only_default", "a, *, b = [1]", "[1]", "a=1 b~[1]", BOTH},
    {"many_by_name_in_order", NINE,
     "{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5,\"f\":6,\"g\":7,\"h\":8,\"i\":9}",
     "a=1 b=2 c=3 d=4 e=5 f=6 g=7 h=8 i=9", BOTH},
    {"many_by_name_mixed", NINE, "{\"i\": 9, \"c\": 3, \"a\": 1}", "a=1 b? c=3 d? e? f? g? h? i=9",
     BOTH},
    {"integral_real_is_an_integer", "a: integer, b: integer", "[1.0, 1e3]", "a=1.0 b=1000.0", BOTH},
    {"integer_is_a_number", "a: number", "[1]", "a=1", BOTH},
    {"long_integer_is_a_number", "a: number", "[9223372036854775808]", "a=9.2233720368547758e18",
     BOTH},
    {"largest_integer", "a: integer", "[-9223372036854775808]", "a=-9223372036854775808", BOTH},
    {"union", "a: string|boolean", "[true]", "a=true", BOTH},
    {"nul_for_any", "a", "[\"x\\u0000y\"]", "a=\"x\\u0000y\"", BOTH},
    {"string_for_any_is_not_decoded", "a", "[\"x\"]", "a=\"x\"", BOTH},
    {"array_for_array", "a: array, b: object", "[[1, [2]], {\"c\": null}]",
     "a=[1,[2]] b={\"c\":null}", BOTH},
    {"infinite_for_any", "a", "[1e999]", "a=(no jansson value)", TEXT_ONLY},
    {"no_signature", NULL, "[1, \"x\"]", "=1 =\"x\"", BOTH},
    {"no_signature_by_name", NULL, "{\"a\": 1, \"b\": \"x\"}", "a=1 b=\"x\"", BOTH},
    {"no_signature_no_params", NULL, NULL, "", BOTH},

    {"missing", SUBTRACT, "[42]", "! missing argument 'subtrahend'", BOTH},
    {"missing_by_name", SUBTRACT, "{\"subtrahend\": 1}", "! missing argument 'minuend'", BOTH},
    {"missing_all", SUBTRACT, NULL, "! missing argument 'minuend'", BOTH},
    {"missing_named_only", "a, *, b", "[1]", "! missing argument 'b', which is given by name only",
     BOTH},
    {"missing_named_only_by_name", "a, *, b", "{\"a\": 1}", "! missing argument 'b'", BOTH},
    {"missing_of_many", NINE, "{\"a\": 1}", "! missing argument 'i'", BOTH},
    {"unexpected", SUBTRACT, "{\"minuend\": 1, \"subtrahend\": 2, \"x\": 3}",
     "! unexpected argument 'x'", BOTH},
    {"unexpected_instead", SUBTRACT, "{\"minuend\": 1, \"x\": 3}", "! unexpected argument 'x'",
     BOTH},
    {"unexpected_of_many", NINE, "{\"i\": 1, \"x\": 3}", "! unexpected argument 'x'", BOTH},
    {"unexpected_prefix", "ab?", "{\"a\": 1}", "! unexpected argument 'a'", BOTH},
    {"unexpected_empty", "ab?", "{\"\": 1}", "! unexpected argument ''", BOTH},
    {"unexpected_is_shown_safe", "a?", "{\"x\\ny\\u001b\": 1}",
     "! unexpected argument 'x\\ny\\x1b'", BOTH},
    {"unexpected_is_cut", "a?", "{\"éééééééééééééééééééééééééééééééééééééééééééééééééé\": 1}",
     "! unexpected argument 'éééééééééééééééééééééééééééééééééééééééé...'", BOTH},
    {"name_for_rest", "*numbers", "{\"numbers\": 1}", "! unexpected argument 'numbers'", BOTH},
    {"name_with_nul", "a?", "{\"a\\u0000\": 1}", "! unexpected argument 'a\\x00'", TEXT_ONLY},
    {"twice", SUBTRACT, "{\"minuend\": 1, \"minuend\": 1}", "! argument 'minuend' given twice",
     TEXT_ONLY},
    {"twice_unescaped", "a?, b?", "{\"a\": 1, \"\\u0061\": 1}", "! argument 'a' given twice",
     TEXT_ONLY},
    {"twice_of_many", NINE, "{\"i\": 1, \"b\": 1, \"i\": 1}", "! argument 'i' given twice",
     TEXT_ONLY},
    {"twice_a_field", "a?, **f", "{\"x\": 1, \"x\": 1}", "! argument 'x' given twice", TEXT_ONLY},
    {"twice_a_field_alone", "**f", "{\"x\": 1, \"y\": 1, \"x\": 1}", "! argument 'x' given twice",
     TEXT_ONLY},
    {"twice_without_signature", NULL, "{\"a\": 1, \"b\": 2, \"a\": 1}",
     "! argument 'a' given twice", TEXT_ONLY},
    {"twice_among_many_without_signature", NULL,
     "{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,\"i\":1,\"b\":1}",
     "! argument 'b' given twice", TEXT_ONLY},
    {"too_many", SUBTRACT, "[1, 2, 3]", "! takes 2 positional arguments but 3 were given", BOTH},
    {"too_many_for_one", "a", "[1, 2]", "! takes 1 positional argument but 2 were given", BOTH},
    {"too_many_for_optional", USER, "[1, 2, 3]",
     "! takes at most 2 positional arguments but 3 were given", BOTH},
    {"too_many_for_one_optional", "a?", "[1, 2]",
     "! takes at most 1 positional argument but 2 were given", BOTH},
    {"too_many_for_none", "", "[1]", "! takes no arguments but 1 was given", BOTH},
    {"unexpected_for_none", "", "{\"a\": 1}", "! unexpected argument 'a'", BOTH},
    {"position_for_named_only", "path: string, *, flags?: array", "[\"/\", []]",
     "! takes 1 positional argument but 2 were given; 'flags' is given by name only", BOTH},
    {"position_for_all_named_only", "*, a", "[1]",
     "! takes named arguments only but 1 was given by position", BOTH},
    {"position_for_fields", "**f", "[1, 2]",
     "! takes named arguments only but 2 were given by position", BOTH},
    {"string_for_integer", "a: integer|null", "[\"1\"]",
     "! argument 'a' is a string, expected integer|null", BOTH},
    {"boolean_for_number", "a: number", "[true]", "! argument 'a' is a boolean, expected number",
     BOTH},
    {"integer_for_string", "a: string", "[1]", "! argument 'a' is an integer, expected string",
     BOTH},
    {"fraction_for_integer", "a: integer", "[1.5]", "! argument 'a' is a number, expected integer",
     BOTH},
    {"array_for_object", "a: object", "[[]]", "! argument 'a' is an array, expected object", BOTH},
    {"object_for_array", "a: array", "[{}]", "! argument 'a' is an object, expected array", BOTH},
    {"beyond_int64", "a: integer", "[9223372036854775808]",
     "! argument 'a' is beyond the 64-bit integers", BOTH},
    {"below_int64", "a: integer|string", "[-9223372036854775809]",
     "! argument 'a' is beyond the 64-bit integers", TEXT_ONLY},
    {"beyond_int64_with_exponent", "a: integer", "[1e30]",
     "! argument 'a' is beyond the 64-bit integers", BOTH},
    {"beyond_int64_for_string", "a: string", "[1e30]",
     "! argument 'a' is a number, expected string", BOTH},
    {"infinite", "a: number", "[1e999]", "! argument 'a' is beyond what a double can hold",
     TEXT_ONLY},
    {"wrong_type_by_name", SUBTRACT, "{\"subtrahend\": \"x\", \"minuend\": 1}",
     "! argument 'subtrahend' is a string, expected number", BOTH},
    {"wrong_type_in_rest", "a, *n: number", "[1, 2, \"3\"]",
     "! argument 3 is a string, expected number", BOTH},
    {"wrong_type_in_rest_before_named_only", "a, *n: number, b?", "[1, 2, \"3\"]",
     "! argument 3 is a string, expected number", BOTH},
    {"wrong_type_in_fields", "**f: number", "{\"x\": \"3\"}",
     "! argument 'x' is a string, expected number", BOTH},
    {"nul_in_string", "a: string", "[\"x\\u0000y\"]", "! argument 'a' holds U+0000", BOTH},
    {"nul_in_rest_string", "*s: string", "[\"\", \"\\u0000\"]", "! argument 2 holds U+0000", BOTH},
    {"nul_for_integer", "a: integer", "[\"\\u0000\"]",
     "! argument 'a' is a string, expected integer", BOTH},
};

static jri_signature *parse_signature(const char *text)
{
    jri_signature *signature = NULL;
    jrpc_problem problem;

    if (text && jri_signature_parse(text, &signature, &problem))
        fail_msg("'%s', column %d: %s", text, problem.column, problem.text);
    return signature;
}

static void check_row(const struct row *row, bool as_values)
{
    jri_signature *signature = parse_signature(row->signature);
    char reason[JRI_REASON_MAX] = "", shown[512];
    struct sample sample;

    assert_int_equal(new_sample("m", row->params, as_values, &sample), 0);
    int status = jri_bind(signature, sample.request, &sample.arena, SEED, reason);
    if (status)
        snprintf(shown, sizeof(shown), "! %s", reason);
    else
        show_args(sample.request, shown, sizeof(shown));
    assert_string_equal(shown, row->expect);
    assert_int_equal(status, row->expect[0] == '!' ? -EINVAL : 0);
    for (uint32_t i = 0; !status && signature && i < signature->n_params; i++) {
        assert_true(sample.request->args[i].has_c_name);
        assert_ptr_equal(sample.request->args[i].name, signature->params[i].name);
    }
    free_sample(&sample);

    /* The verdict is the same when nobody asks for the reason. */
    assert_int_equal(new_sample("m", row->params, as_values, &sample), 0);
    assert_int_equal(jri_bind(signature, sample.request, &sample.arena, SEED, NULL), status);
    free_sample(&sample);
    jri_signature_free(signature);
}

static void arguments_of_a_text_find_their_places(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        print_message("%s\n", rows[i].name);
        check_row(&rows[i], false);
    }
}

static void arguments_of_a_codec_find_their_places(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        if (rows[i].way == TEXT_ONLY)
            continue;
        print_message("%s\n", rows[i].name);
        check_row(&rows[i], true);
    }
}

/* What stands in its place is not moved: no memory is taken. */
static void arguments_in_their_places_cost_nothing(void **state)
{
    static const char *const cases[][2] = {
        {SUBTRACT, "[42, 23]"},
        {SUBTRACT, "{\"minuend\": 42, \"subtrahend\": 23}"},
        {"*numbers: number", "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]"},
        {"a, *more: integer", "[1, 2, 3]"},
        {"**f: integer", "{\"a\": 1, \"b\": 2}"},
        {"", "[]"},
        {NULL, "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]"},
        {NULL, "{\"a\": 1, \"b\": 2}"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        jri_signature *signature = parse_signature(cases[i][0]);
        struct sample sample;
        print_message("%s\n", cases[i][1]);
        assert_int_equal(new_sample("m", cases[i][1], false, &sample), 0);
        const jri_arg *args = sample.request->args;
        const char *at = sample.arena.at;
        assert_int_equal(jri_bind(signature, sample.request, &sample.arena, SEED, NULL), 0);
        assert_ptr_equal(sample.request->args, args);
        assert_ptr_equal(sample.arena.at, at);
        free_sample(&sample);
        jri_signature_free(signature);
    }
}

static void strings_are_decoded_once_and_end_in_nul(void **state)
{
    jri_signature *signature = parse_signature("a: string, b: string, c");
    struct sample sample;

    (void)state;
    assert_int_equal(new_sample("m", "[\"\", \"\\ud83d\\ude00x\", \"a\\u0000b\"]", false, &sample),
                     0);
    jri_arg *args = sample.request->args;
    assert_int_equal(jri_bind(signature, sample.request, &sample.arena, SEED, NULL), 0);
    assert_string_equal(args[0].string, "");
    assert_int_equal(args[0].string_len, 0);
    assert_string_equal(args[1].string, "😀x");
    assert_int_equal(args[1].string_len, 5);
    assert_null(args[2].string);
    assert_int_equal(jri_arg_decode(&args[2], &sample.arena), 0);
    assert_memory_equal(args[2].string, "a\0b", 4);
    assert_int_equal(args[2].string_len, 3);

    const char *string = args[1].string;
    assert_int_equal(jri_arg_decode(&args[1], &sample.arena), 0);
    assert_ptr_equal(args[1].string, string);
    free_sample(&sample);
    jri_signature_free(signature);
}

static void strings_of_a_codec_stay_where_they_are(void **state)
{
    jri_signature *signature = parse_signature("a: string");
    struct sample sample;

    (void)state;
    assert_int_equal(new_sample("m", "[\"Ada\"]", true, &sample), 0);
    assert_int_equal(jri_bind(signature, sample.request, &sample.arena, SEED, NULL), 0);
    const jri_arg *arg = &sample.request->args[0];
    assert_ptr_equal(arg->string, json_string_value(arg->value.json));
    assert_int_equal(arg->string_len, 3);
    free_sample(&sample);
    jri_signature_free(signature);
}

/* {"n0":0,"n1":1,…}, and after the last once more the name of index `again`, if not negative. */
static char *many_names(int n, int again)
{
    char *text = malloc((size_t)n * 24 + 32);
    size_t len = 1;

    assert_non_null(text);
    text[0] = '{';
    for (int i = 0; i < n; i++)
        len += (size_t)sprintf(text + len, "%s\"n%d\":%d", i ? "," : "", i, i);
    if (again >= 0)
        len += (size_t)sprintf(text + len, ",\"n%d\":0", again);
    strcpy(text + len, "}");
    return text;
}

enum { MANY = 10000 };

/* Linear by construction: a hash of every name is taken once or twice, in a table at most half
 * full. What is counted here is the memory of that table. */
static void ten_thousand_fields_take_one_table(void **state)
{
    static const char *const signatures[] = {"a?, **fields", "**fields", NULL};

    (void)state;
    for (size_t i = 0; i < sizeof(signatures) / sizeof(*signatures); i++) {
        jri_signature *signature = parse_signature(signatures[i]);
        char *params = many_names(MANY, -1);
        struct sample sample;
        char *before;

        assert_int_equal(new_sample("m", params, false, &sample), 0);
        assert_non_null(before = jri_arena_alloc(&sample.arena, 4 << 20));
        sample.arena.at = before;
        assert_int_equal(jri_bind(signature, sample.request, &sample.arena, SEED, NULL), 0);
        uint32_t n_params = signature ? signature->n_params : 0;
        assert_int_equal(sample.request->n_args, MANY + n_params);
        for (uint32_t k = 0; k < MANY; k++) {
            const jri_arg *arg = &sample.request->args[n_params + k];
            assert_int_equal(atoi(arg->name + 1), k);
        }
        size_t moved = n_params ? (MANY + 1) * sizeof(jri_arg) : 0;
        assert_in_range(sample.arena.at - before, 2 * MANY * 4, moved + 4 * MANY * 4);
        free_sample(&sample);
        free(params);
        jri_signature_free(signature);
    }
}

static void the_ten_thousandth_field_again_is_seen(void **state)
{
    static const int again[] = {0, 4999, 9999};

    (void)state;
    for (size_t i = 0; i < sizeof(again) / sizeof(*again); i++) {
        jri_signature *signature = parse_signature("n1?, **fields");
        char *params = many_names(MANY, again[i]);
        char reason[JRI_REASON_MAX], expect[64];
        struct sample sample;

        assert_int_equal(new_sample("m", params, false, &sample), 0);
        assert_int_equal(jri_bind(signature, sample.request, &sample.arena, SEED, reason), -EINVAL);
        snprintf(expect, sizeof(expect), "argument 'n%d' given twice", again[i]);
        assert_string_equal(reason, expect);
        free_sample(&sample);
        free(params);
        jri_signature_free(signature);
    }
}

/* The longest names, types and counts there are. */
static void every_reason_fits_its_room(void **state)
{
    static const char params[] = "{\""
                                 "€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€"
                                 "\":\"\"}";
    static const char declared[] = "\""
                                   "€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€"
                                   "\": boolean|integer|number|array|object|null";
    jri_signature *signature = parse_signature(declared);
    char reason[JRI_REASON_MAX];
    struct sample sample;

    (void)state;
    assert_int_equal(new_sample("m", params, false, &sample), 0);
    assert_int_equal(jri_bind(signature, sample.request, &sample.arena, SEED, reason), -EINVAL);
    assert_string_equal(reason, "argument '€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€...' is a string, "
                                "expected boolean|integer|number|array|object|null");
    free_sample(&sample);
    jri_signature_free(signature);
}

/* What an argument owns is found in request->args after a refusal too. */
static void a_refusal_loses_nothing_that_is_owned(void **state)
{
    static const char *const cases[][2] = {
        {"b, a: string", "{\"a\": 1, \"b\": {}}"},
        {"b?, a?", "{\"a\": [], \"c\": 1}"},
        {"b, *, a", "[[], 1]"},
        {"a, b: string, *c", "[[], [], []]"},
        {"a, **f: string", "{\"x\": [], \"a\": []}"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        jri_signature *signature = parse_signature(cases[i][0]);
        struct sample sample;
        assert_int_equal(new_sample("m", cases[i][1], false, &sample), 0);
        for (uint32_t k = 0; k < sample.request->n_args; k++)
            sample.request->args[k].built = json_array();
        assert_int_equal(jri_bind(signature, sample.request, &sample.arena, SEED, NULL), -EINVAL);
        free_sample(&sample); /* the leak checker tells */
        jri_signature_free(signature);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arguments_of_a_text_find_their_places),
        cmocka_unit_test(arguments_of_a_codec_find_their_places),
        cmocka_unit_test(arguments_in_their_places_cost_nothing),
        cmocka_unit_test(strings_are_decoded_once_and_end_in_nul),
        cmocka_unit_test(strings_of_a_codec_stay_where_they_are),
        cmocka_unit_test(ten_thousand_fields_take_one_table),
        cmocka_unit_test(the_ten_thousandth_field_again_is_seen),
        cmocka_unit_test(every_reason_fits_its_room),
        cmocka_unit_test(a_refusal_loses_nothing_that_is_owned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
