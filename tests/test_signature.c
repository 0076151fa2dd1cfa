/* SPDX-License-Identifier: MIT */
/*
 * test_signature.c - declarations: what they mean, and what is refused where and why
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/signature.h"

static size_t put(char *to, size_t len, size_t size, const char *stars, const char *name,
                  jri_types types)
{
    char text[JRI_TYPES_TEXT];

    jri_types_text(types, text);
    return len +
           (size_t)snprintf(to + len, size - len, "%s%s%s:%s", len ? " " : "", stars, name, text);
}

/* The table as text: parameters, "/" before the named-only ones, "!" required, "~" decoded. */
static void show(const jri_signature *signature, char *to, size_t size)
{
    size_t len = 0;
    uint32_t n_required = 0;

    to[0] = '\0';
    for (uint32_t i = 0; i < signature->n_params; i++) {
        const jri_param *param = &signature->params[i];
        if (i == signature->n_positional)
            len += (size_t)snprintf(to + len, size - len, "%s/", len ? " " : "");
        len = put(to, len, size, "", param->name, param->types);
        if (param->is_required)
            len += (size_t)snprintf(to + len, size - len, "!");
        if (param->has_default)
            len += (size_t)snprintf(to + len, size - len, "=%.*s", (int)param->value.len,
                                    param->value.text);
        if (param->string)
            len += (size_t)snprintf(to + len, size - len, "~%s", param->string);
        assert_int_equal(param->name_len, strlen(param->name));
        n_required += param->is_required;
    }
    if (signature->has_rest)
        len = put(to, len, size, "*", signature->rest_name, signature->rest_types);
    if (signature->has_fields)
        len = put(to, len, size, "**", signature->fields_name, signature->fields_types);
    put(to, len, size, "", "->", signature->result_types);
    assert_int_equal(n_required, signature->n_required);
}

static const struct {
    const char *name, *text, *expect;
} accepted[] = {
    {"empty_takes_nothing", "", "->:any"},
    {"blanks_take_nothing", " \t\r\n ", "->:any"},
    {"only_a_result", "-> number", "->:number"},
    {"result_union", "->integer|null", "->:integer|null"},
    {"two_required", "minuend: number, subtrahend: number -> number",
     "minuend:number! subtrahend:number! ->:number"},
    {"type_defaults_to_any", "a", "a:any! ->:any"},
    {"no_space_needed", "a?:integer,b:string=\"x\"->null", "a:integer b:string=\"x\"~x ->:null"},
    {"space_anywhere", " a ? : integer | null , b : string = \"x\" -> null ",
     "a:integer|null b:string=\"x\"~x ->:null"},
    {"default_string_is_decoded", "a: string = \"\\u00e9\\n\\\"\"",
     "a:string=\"\\u00e9\\n\\\"\"~é\n\" ->:any"},
    {"default_string_for_any", "a = \"x\"", "a:any=\"x\"~x ->:any"},
    {"default_empty_string", "a: string = \"\"", "a:string=\"\"~ ->:any"},
    {"default_holding_marks", "a = \", -> *\", b: array = [1, {\"->\": \",\"}] -> any",
     "a:any=\", -> *\"~, -> * b:array=[1, {\"->\": \",\"}] ->:any"},
    {"default_integral_real_is_an_integer", "a: integer = 1e3", "a:integer=1e3 ->:any"},
    {"default_integer_is_a_number", "a: number = -5->number", "a:number=-5 ->:number"},
    {"default_null_with_null", "a: integer|null = null", "a:integer|null=null ->:any"},
    {"default_null_with_any", "a = null", "a:any=null ->:any"},
    {"default_object_keeps_its_text", "a: object = { }", "a:object={ } ->:any"},
    {"default_nul_for_any", "a = \"\\u0000\"", "a:any=\"\\u0000\"~ ->:any"},
    {"all_types", "a: null|object|array|string|number|integer|boolean", "a:any! ->:any"},
    {"null_is_written_last", "a: null|object", "a:object|null! ->:any"},
    {"rest", "*numbers: number -> number", "*numbers:number ->:number"},
    {"rest_of_any", "a, *others", "a:any! *others:any ->:any"},
    {"fields", "**fields: any -> object", "**fields:any ->:object"},
    {"rest_and_fields", "*a, **b: string", "*a:any **b:string ->:any"},
    {"named_only", "path: string, *, flags?: array|null", "path:string! / flags:array|null ->:any"},
    {"named_only_after_rest", "*rest, a, **fields", "/ a:any! *rest:any **fields:any ->:any"},
    {"all_named_only", "*, a", "/ a:any! ->:any"},
    {"required_named_only_after_optional", "a = 1, *, b", "a:any=1 / b:any! ->:any"},
    {"required_named_only_after_optional_one", "*, a = 1, b", "/ a:any=1 b:any! ->:any"},
    {"name_as_string", "\"a-b c\": integer, \"\\u00e9\" -> any", "a-b c:integer! é:any! ->:any"},
    {"name_in_utf8", "\"größe\": number", "größe:number! ->:any"},
    {"name_empty", "\"\"?", ":any ->:any"},
    {"name_like_a_type", "string: integer, any", "string:integer! any:any! ->:any"},
    {"rest_named_by_a_string", "*\"r-s\"", "*r-s:any ->:any"},
};

static void declarations_become_tables(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(accepted) / sizeof(*accepted); i++) {
        jrpc_problem problem = {.code = 77};
        jri_signature *signature = NULL;
        char shown[512];

        print_message("%s\n", accepted[i].name);
        if (jri_signature_parse(accepted[i].text, &signature, &problem))
            fail_msg("refused at column %d: %s", problem.column, problem.text);
        show(signature, shown, sizeof(shown));
        assert_string_equal(shown, accepted[i].expect);
        assert_string_equal(signature->text, accepted[i].text);
        assert_ptr_not_equal(signature->text, accepted[i].text);
        assert_int_equal(problem.code, 77);
        jri_signature_free(signature);
    }
}

static const struct {
    const char *name, *text;
    int column;
    const char *expect;
} refused[] = {
    {"misspelt_type", "a: strnig", 4, "unknown type 'strnig'; did you mean string?"},
    {"short_type", "a: int", 4, "unknown type 'int'; did you mean integer?"},
    {"c_type", "a: bool", 4, "unknown type 'bool'; did you mean boolean?"},
    {"foreign_type", "a: dictionary", 4, "unknown type 'dictionary'"},
    {"capital_type", "a: String", 4, "unknown type 'String'; did you mean string?"},
    {"unknown_second_type", "a: null|nul", 9, "unknown type 'nul'; did you mean null?"},
    {"unknown_result", "-> objekt", 4, "unknown type 'objekt'; did you mean object?"},
    {"long_type", "a: aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeee", 4,
     "unknown type 'aaaaaaaaaabbbbbbbbbbccccccccccdddddddddd...'"},
    {"no_type", "a: , b", 4, "expected a type"},
    {"no_type_at_the_end", "a:", 3, "expected a type"},
    {"no_type_after_bar", "a: integer|", 12, "expected a type"},
    {"no_result", "a ->", 5, "expected a type"},
    {"type_twice", "a: integer|null|integer", 17, "type 'integer' twice"},
    {"any_in_a_union", "a: any|string", 8, "'any' stands alone"},
    {"union_with_any", "a: string|any", 11, "'any' stands alone"},
    {"any_twice", "a: any|any", 8, "'any' stands alone"},
    {"required_after_optional", "a = 1, b", 8, "a required parameter after an optional one"},
    {"required_after_question", "a?, b: null", 5, "a required parameter after an optional one"},
    {"name_twice", "a, b, a", 7, "name 'a' twice"},
    {"name_twice_unescaped", "a, \"\\u0061\"", 4, "name 'a' twice"},
    {"name_twice_rest", "a, *a", 5, "name 'a' twice"},
    {"name_twice_fields", "*a, **a", 7, "name 'a' twice"},
    {"default_of_another_type", "a: integer = \"1\"", 14, "default does not fit type integer"},
    {"default_with_fraction", "a: integer = 1.5", 14, "default does not fit type integer"},
    {"default_beyond_int64", "a: integer = 9223372036854775808", 14,
     "default does not fit type integer"},
    {"default_infinite", "a: number|string = 1e999", 20, "default does not fit type number|string"},
    {"default_null_without_null", "a: integer = null", 14, "default does not fit type integer"},
    {"default_with_nul", "a: string = \"\\u0000\"", 13,
     "default with U+0000 in it does not fit type string"},
    {"default_missing", "a: integer =", 13, "unexpected end"},
    {"default_before_comma", "a = , b", 5, "expected a value"},
    {"default_is_no_json", "a = [1,]", 8, "expected a value"},
    {"default_unfinished", "a = [1", 7, "unexpected end"},
    {"default_single_quotes", "a: string = 'x'", 13, "expected a value"},
    {"default_too_deep",
     "a="
     "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
     "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
     131, "nested deeper than depth_max"},
    {"question_and_default", "a?: integer = 5", 13, "'?' and a default exclude each other"},
    {"default_before_type", "a = 5: integer", 6, "expected ',' or '->'"},
    {"question_after_type", "a: integer?", 11, "expected ',' or '->'"},
    {"missing_comma", "a b", 3, "expected ':', ',' or '->'"},
    {"missing_comma_after_type", "a: integer b", 12, "expected ',' or '->'"},
    {"arrow_in_two", "a - > any", 3, "expected ':', ',' or '->'"},
    {"text_after_result", "-> any, b", 7, "nothing may follow the result's type"},
    {"trailing_comma", "a,", 3, "expected a parameter's name"},
    {"trailing_comma_and_result", "a, -> any", 4, "expected a parameter's name"},
    {"leading_comma", ", a", 1, "expected a parameter's name"},
    {"comma_twice", "a,, b", 3, "expected a parameter's name"},
    {"digit_first", "1a", 1, "expected a parameter's name"},
    {"parentheses", "(a: integer)", 1, "expected a parameter's name"},
    {"bare_utf8_name", "größe: number", 3,
     "a name that is no identifier is written as a JSON string"},
    {"bare_utf8_first", "é", 1, "a name that is no identifier is written as a JSON string"},
    {"dashed_name", "a-b", 2, "expected ':', ',' or '->'"},
    {"name_with_nul", "\"a\\u0000b\"", 1, "a name with U+0000 in it"},
    {"name_with_bad_utf8", "\"a\xff\"", 3, "invalid UTF-8"},
    {"name_unfinished", "\"a", 3, "unexpected end"},
    {"two_stars", "*, a, *, b", 7, "at most one '*'"},
    {"rest_after_star", "*, a, *rest", 7, "at most one '*'"},
    {"star_after_rest", "*rest, *, a", 8,
     "only named-only parameters and **fields may follow *rest"},
    {"rest_twice", "*a, *b", 5, "only named-only parameters and **fields may follow *rest"},
    {"star_alone", "*", 1, "a named-only parameter must follow '*'"},
    {"star_last", "a, * -> any", 4, "a named-only parameter must follow '*'"},
    {"star_before_fields_only", "*, **f", 1, "a named-only parameter must follow '*'"},
    {"fields_not_last", "**f, a", 6, "nothing may follow **fields"},
    {"fields_twice", "**f, **g", 6, "nothing may follow **fields"},
    {"fields_without_name", "**", 3, "expected a parameter's name"},
    {"rest_optional", "*a?", 3, "expected ':', ',' or '->'"},
    {"rest_with_default", "*a = 1", 4, "expected ':', ',' or '->'"},
    {"fields_typed_with_default", "**a: any = 1", 10, "expected ',' or '->'"},
    {"three_stars", "***a", 3, "expected a parameter's name"},
};

static void faults_are_named_with_their_column(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
        jri_signature *signature = NULL;
        jrpc_problem problem;

        print_message("%s\n", refused[i].name);
        assert_int_equal(jri_signature_parse(refused[i].text, &signature, &problem), -EINVAL);
        assert_string_equal(problem.text, refused[i].expect);
        assert_int_equal(problem.column, refused[i].column);
        assert_int_equal(problem.code, -EINVAL);
        assert_int_equal(problem.line, 0);
        assert_string_equal(problem.source, "");
        assert_null(signature);

        /* And so, without telling. */
        assert_int_equal(jri_signature_parse(refused[i].text, &signature, NULL), -EINVAL);
        assert_null(signature);
    }
}

/* n times what, each with its number. */
static char *repeat(const char *what, int n)
{
    size_t size = (strlen(what) + 8) * (size_t)n + 1, len = 0;
    char *text = malloc(size);

    assert_non_null(text);
    text[0] = '\0';
    for (int i = 0; i < n; i++)
        len += (size_t)snprintf(text + len, size - len, "%s%s%d", i ? "," : "", what, i);
    return text;
}

static void as_many_parameters_as_allowed(void **state)
{
    char *text = repeat("p", JRI_PARAMS_MAX);
    jri_signature *signature = NULL;

    (void)state;
    assert_int_equal(jri_signature_parse(text, &signature, NULL), 0);
    assert_int_equal(signature->n_params, JRI_PARAMS_MAX);
    assert_string_equal(signature->params[999].name, "p999");
    jri_signature_free(signature);
    free(text);
}

static void more_parameters_than_allowed(void **state)
{
    char *text = repeat("p", JRI_PARAMS_MAX + 1);
    jri_signature *signature = NULL;
    jrpc_problem problem;

    (void)state;
    assert_int_equal(jri_signature_parse(text, &signature, &problem), -EINVAL);
    assert_string_equal(problem.text, "more than 1000 parameters");
    free(text);
}

static void declaration_longer_than_allowed(void **state)
{
    static char text[JRI_SIGNATURE_MAX + 2];
    jri_signature *signature = NULL;
    jrpc_problem problem;

    (void)state;
    memset(text, ' ', sizeof(text) - 1);
    assert_int_equal(jri_signature_parse(text, &signature, &problem), -EINVAL);
    assert_string_equal(problem.text, "longer than 65535 bytes");
    assert_int_equal(problem.column, JRI_SIGNATURE_MAX + 1);
    text[JRI_SIGNATURE_MAX] = '\0';
    assert_int_equal(jri_signature_parse(text, &signature, &problem), 0);
    jri_signature_free(signature);
}

static const struct {
    const char *text;
    jrpc_type type;
    jri_types fits; /* of the single types */
} values[] = {
    {"null", JRPC_NULL, 1 << JRPC_NULL},
    {"true", JRPC_BOOLEAN, 1 << JRPC_BOOLEAN},
    {"\"1\"", JRPC_STRING, 1 << JRPC_STRING},
    {"[]", JRPC_ARRAY, 1 << JRPC_ARRAY},
    {"{}", JRPC_OBJECT, 1 << JRPC_OBJECT},
    {"0", JRPC_INTEGER, 1 << JRPC_INTEGER | 1 << JRPC_NUMBER},
    {"-0", JRPC_INTEGER, 1 << JRPC_INTEGER | 1 << JRPC_NUMBER},
    {"1.0", JRPC_INTEGER, 1 << JRPC_INTEGER | 1 << JRPC_NUMBER},
    {"-0.0", JRPC_INTEGER, 1 << JRPC_INTEGER | 1 << JRPC_NUMBER},
    {"1e3", JRPC_INTEGER, 1 << JRPC_INTEGER | 1 << JRPC_NUMBER},
    {"1.5", JRPC_NUMBER, 1 << JRPC_NUMBER},
    {"1e-1", JRPC_NUMBER, 1 << JRPC_NUMBER},
    {"999999999999999999", JRPC_INTEGER, 1 << JRPC_INTEGER | 1 << JRPC_NUMBER},
    {"9223372036854775807", JRPC_INTEGER, 1 << JRPC_INTEGER | 1 << JRPC_NUMBER},
    {"-9223372036854775808", JRPC_INTEGER, 1 << JRPC_INTEGER | 1 << JRPC_NUMBER},
    {"9223372036854775808", JRPC_NUMBER, 1 << JRPC_NUMBER},
    {"-9223372036854775809", JRPC_NUMBER, 1 << JRPC_NUMBER},
    {"1e30", JRPC_NUMBER, 1 << JRPC_NUMBER},
    {"1e308", JRPC_NUMBER, 1 << JRPC_NUMBER},
    {"1e309", JRPC_NUMBER, 0},
    {"-1E309", JRPC_NUMBER, 0},
    {"1e-999", JRPC_NUMBER, 1 << JRPC_NUMBER},
};

static void check_value(const jri_value *value, jrpc_type type, jri_types fits)
{
    jri_types found = 0;

    for (int single = JRPC_NULL; single <= JRPC_OBJECT; single++)
        if (jri_value_fits(value, (jri_types)(1 << single)))
            found |= (jri_types)(1 << single);
    assert_int_equal(jri_value_type(value), type);
    assert_int_equal(found, fits);
    assert_true(jri_value_fits(value, JRI_TYPES_ANY));
}

static void values_have_the_promised_type(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
        jri_reader reader;
        jri_value value;

        print_message("%s\n", values[i].text);
        jri_read_begin(&reader, values[i].text, strlen(values[i].text), 1, 1);
        assert_int_equal(jri_read_value(&reader, &value), 0);
        check_value(&value, values[i].type, values[i].fits);
    }
}

static void long_numbers_are_finite_or_not(void **state)
{
    char digits[401];
    jri_value value = {.text = digits, .len = 309, .type = JRPC_INTEGER};

    (void)state;
    memset(digits, '1', sizeof(digits));
    assert_true(jri_value_fits(&value, 1 << JRPC_NUMBER));
    value.len = 400;
    assert_false(jri_value_fits(&value, 1 << JRPC_NUMBER));
    assert_true(jri_value_fits(&value, JRI_TYPES_ANY));
}

static void codec_values_have_the_promised_type(void **state)
{
    const struct {
        double real;
        jrpc_type type;
    } reals[] = {
        {1.0, JRPC_INTEGER},
        {-0.0, JRPC_INTEGER},
        {1.5, JRPC_NUMBER},
        {-0x1p63, JRPC_INTEGER},
        {0x1p63, JRPC_NUMBER},
        {-0x1.0000000000001p63, JRPC_NUMBER},
        {0x1.fffffffffffffp62, JRPC_INTEGER},
        {1e300, JRPC_NUMBER},
        {5e-324, JRPC_NUMBER},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(reals) / sizeof(*reals); i++) {
        jri_value value = {.type = JRPC_NUMBER, .json = json_real(reals[i].real)};
        bool is_integer = reals[i].type == JRPC_INTEGER;
        print_message("%g\n", reals[i].real);
        check_value(&value, reals[i].type,
                    (jri_types)(1 << JRPC_NUMBER | (is_integer ? 1 << JRPC_INTEGER : 0)));
        json_decref(value.json);
    }
    jri_value value = {.type = JRPC_INTEGER, .json = json_integer(INT64_MIN)};
    check_value(&value, JRPC_INTEGER, 1 << JRPC_INTEGER | 1 << JRPC_NUMBER);
    json_decref(value.json);
}

static void every_set_of_types_fits_its_room(void **state)
{
    (void)state;
    for (unsigned types = 0; types <= JRI_TYPES_ANY; types += 2) {
        char text[JRI_TYPES_TEXT];
        char declaration[JRI_TYPES_TEXT + 4];
        jri_signature *signature = NULL;

        memset(text, 'x', sizeof(text));
        jri_types_text((jri_types)types, text);
        assert_non_null(memchr(text, '\0', sizeof(text)));
        snprintf(declaration, sizeof(declaration), "->%s", text);
        if (!types)
            continue;
        assert_int_equal(jri_signature_parse(declaration, &signature, NULL), 0);
        assert_int_equal(signature->result_types, types);
        jri_signature_free(signature);
    }
}

#define FORTY "0123456789012345678901234567890123456789"

static const struct {
    const char *name, *expect;
    size_t len; /* 0: up to the NUL */
} shown_names[] = {
    {"a", "'a'", 0},
    {"", "''", 0},
    {"größe", "'größe'", 0},
    {"a\nb\x7f", "'a\\nb\\x7f'", 0},
    {"a\0b", "'a\\x00b'", 3},
    {"\xff\xc3", "'\\xff\\xc3'", 0},
    {FORTY, "'" FORTY "'", 0},
    {FORTY "x", "'" FORTY "...'", 0},
    {"\xe2\x82\xac\xe2\x82", "'€\\xe2\\x82'", 0},
};

static void names_are_shown_short_and_safe(void **state)
{
    char text[JRI_NAME_TEXT];

    (void)state;
    for (size_t i = 0; i < sizeof(shown_names) / sizeof(*shown_names); i++) {
        size_t len = shown_names[i].len ? shown_names[i].len : strlen(shown_names[i].name);
        jri_name_text(shown_names[i].name, len, text);
        assert_string_equal(text, shown_names[i].expect);
    }
}

static void long_shown_names_end_between_characters(void **state)
{
    char name[160], text[JRI_NAME_TEXT];

    (void)state;
    for (size_t shift = 0; shift < 4; shift++) {
        memset(name, 'x', sizeof(name));
        for (size_t i = shift; i + 4 <= sizeof(name); i += 4)
            memcpy(name + i, "\xf0\x9f\x98\x80", 4);
        memset(text, 'x', sizeof(text));
        jri_name_text(name, sizeof(name), text);
        size_t len = strlen(text);
        assert_string_equal(text + len - 4, "...'");
        for (const char *at = text; *at; at += jri_utf8_step(at, text + len))
            assert_int_not_equal(jri_utf8_step(at, text + len), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(declarations_become_tables),
        cmocka_unit_test(faults_are_named_with_their_column),
        cmocka_unit_test(as_many_parameters_as_allowed),
        cmocka_unit_test(more_parameters_than_allowed),
        cmocka_unit_test(declaration_longer_than_allowed),
        cmocka_unit_test(values_have_the_promised_type),
        cmocka_unit_test(long_numbers_are_finite_or_not),
        cmocka_unit_test(codec_values_have_the_promised_type),
        cmocka_unit_test(every_set_of_types_fits_its_room),
        cmocka_unit_test(names_are_shown_short_and_safe),
        cmocka_unit_test(long_shown_names_end_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
