/* SPDX-License-Identifier: MIT */
/*
 * test_camel.c - the snake-case rule, where it reaches, and what it leaves alone
 */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/camel.h"
#include "core/signature.h"
#include "request.h"

enum { SEED = 4711 };

static const struct {
    const char *camel, *snake;
} names[] = {
    {"", ""},
    {"a", "a"},
    {"A", "a"},
    {"already_snake", "already_snake"},
    {"fooBar", "foo_bar"},
    {"FooBar", "foo_bar"},
    {"getX", "get_x"},
    {"aB", "a_b"},
    {"ABC", "abc"},
    {"ABc", "a_bc"},
    {"HTTPServer", "http_server"},
    {"getHTTPResponse", "get_http_response"},
    {"HTTP2Server", "http2_server"},
    {"getHTTP", "get_http"},
    {"aBCd", "a_b_cd"},
    {"user2Name", "user2_name"},
    {"user2name", "user2name"},
    {"USER2", "user2"},
    {"U2", "u2"},
    {"2FA", "2_fa"},
    {"_private", "_private"},
    {"__Private", "___private"},
    {"_ID", "_id"},
    {"get_Name", "get__name"},
    {"get_NAME", "get_name"},
    {"CamelCamelCase", "camel_camel_case"},
    {"Camel2Camel2Case", "camel2_camel2_case"},
    {"user.getName", "user.get_name"},
    {"User.Get", "user._get"},
    {"fooBar ", "foo_bar "},
    {"größeMax", "größe_max"},
    {"éA", "éa"},
    {"éAb", "é_ab"},
    {"ÀB", "Àb"},
};

static void names_become_snake_case(void **state)
{
    jri_arena arena;

    (void)state;
    jri_arena_init(&arena);
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        size_t len = strlen(names[i].camel);
        const char *snake = jri_camel_name(names[i].camel, &len, &arena);
        char *shown = jri_arena_copy(&arena, snake, len);
        assert_string_equal(shown, names[i].snake);
        assert_int_equal(snake == names[i].camel, !strcmp(names[i].camel, names[i].snake));
    }
    jri_arena_fini(&arena);
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_capital(char c)
{
    return c >= 'A' && c <= 'Z';
}

/* The rule as two substitutions: (.)([A-Z][a-z]+) to \1_\2, then ([a-z0-9])([A-Z]) to \1_\2. */
static void substitute(const char *name, char *to)
{
    char once[64] = "";
    size_t n = 0;

    for (const char *at = name; *at;) {
        once[n++] = *at++;
        if (!is_capital(at[0]) || !is_lower(at[1]))
            continue;
        once[n++] = '_';
        once[n++] = *at++;
        while (is_lower(*at))
            once[n++] = *at++;
    }
    once[n] = '\0';
    for (const char *at = once; *at; at++) {
        *to++ = (char)(is_capital(*at) ? *at - 'A' + 'a' : *at);
        if ((is_lower(at[0]) || (at[0] >= '0' && at[0] <= '9')) && is_capital(at[1]))
            *to++ = '_';
    }
    *to = '\0';
}

static void check_against_substitutions(const char *name, size_t len, jri_arena *arena)
{
    char expect[64], shown[64];
    size_t shown_len = len;
    const char *snake = jri_camel_name(name, &shown_len, arena);

    snprintf(shown, sizeof(shown), "%s -> %.*s", name, (int)shown_len, snake);
    int n = sprintf(expect, "%s -> ", name);
    substitute(name, expect + n);
    assert_string_equal(shown, expect);
    jri_arena_reset(arena);
}

static void every_short_name_is_as_the_two_substitutions_have_it(void **state)
{
    static const char alphabet[] = "aBC1_";
    jri_arena arena;
    unsigned n_names = 1;
    char name[8] = "";

    (void)state;
    jri_arena_init(&arena);
    for (size_t len = 1; len < sizeof(name); len++) {
        n_names *= 5;
        for (unsigned number = 0; number < n_names; number++) {
            unsigned rest = number;
            for (size_t i = 0; i < len; i++, rest /= 5)
                name[i] = alphabet[rest % 5];
            check_against_substitutions(name, len, &arena);
        }
    }
    jri_arena_fini(&arena);
}

/* expect: the arguments shown, or after "! " the reason why there are none. */
static const struct row {
    const char *name, *params, *expect;
    bool is_text_only; /* a jansson value cannot be everything that text can */
} rows[] = {
    {"nothing", NULL, "", false},
    {"nothing_to_convert", "{\"a\": {\"b_c\": [{}]}}", "a={\"b_c\":[{}]}", false},
    {"argument_name", "{\"userId\": 1, \"other\": 2}", "user_id=1 other=2", false},
    {"strings_are_left_alone", "[\"fooBar\", [\"FooBar\"]]", "=\"fooBar\" =[\"FooBar\"]", false},
    {"values_of_names_are_left_alone", "{\"aB\": \"aB\", \"c\": {\"dE\": \"fG\"}}",
     "a_b=\"aB\" c={\"d_e\":\"fG\"}", false},
    {"object_in_object", "{\"a\": {\"fooBar\": {\"HTTPServer\": 1}}}",
     "a={\"foo_bar\":{\"http_server\":1}}", false},
    {"object_in_array", "[[{\"fooBar\": [[{\"aB\": 1}], {\"cD\": 2}]}]]",
     "=[{\"foo_bar\":[[{\"a_b\":1}],{\"c_d\":2}]}]", false},
    {"positional_object", "[1, {\"fooBar\": null}]", "=1 ={\"foo_bar\":null}", false},
    {"order_is_kept", "[{\"zZ\": 1, \"b\": 2, \"aA\": 3}]", "={\"z_z\":1,\"b\":2,\"a_a\":3}",
     false},
    {"space_before_the_colon", "[{\"fooBar\" \n\t: 1}]", "={\"foo_bar\":1}", false},
    {"braces_and_colons_in_strings", "[{\"aB\": \"}{:\\\"\", \"c\": \"\\\\\", \"dE\": 1}]",
     "={\"a_b\":\"}{:\\\"\",\"c\":\"\\\\\",\"d_e\":1}", false},
    {"string_before_colon_in_string", "[{\"aB\": [\"x\", \"yZ\"], \"c\": \"uV:\"}]",
     "={\"a_b\":[\"x\",\"yZ\"],\"c\":\"uV:\"}", false},
    {"escaped_capital", "[{\"foo\\u0042ar\": 1}]", "={\"foo_bar\":1}", false},
    {"escaped_letter", "[{\"\\u0066ooBar\": 1}]", "={\"foo_bar\":1}", false},
    {"escape_of_small_letters_only", "[{\"\\u0066oo\": 1}]", "={\"foo\":1}", false},
    {"escape_with_capital_digits", "[{\"\\u00AB\\n\": 1}]", "={\"«\\n\":1}", false},
    {"escapes_among_capitals", "[{\"a\\\"B\\n\\u00e9Cd\": 1}]", "={\"a\\\"b\\né_cd\":1}", false},
    {"surrogates", "[{\"\\ud83d\\ude00Ab\": 1}]", "={\"😀_ab\":1}", false},
    {"long_integer_survives", "[{\"aB\": 9223372036854775807}]", "={\"a_b\":9223372036854775807}",
     false},
    {"empty_name", "[{\"\": {\"aB\": 1}}]", "={\"\":{\"a_b\":1}}", false},
    {"same_names_in_different_objects", "[{\"aB\": {\"a_b\": [{\"aB\": 1}, {\"a_b\": 2}]}}]",
     "={\"a_b\":{\"a_b\":[{\"a_b\":1},{\"a_b\":2}]}}", false},
    {"same_names_in_different_arguments", "[{\"aB\": 1}, {\"a_b\": 2}]",
     "={\"a_b\":1} ={\"a_b\":2}", false},
    {"name_of_an_argument_inside_another", "{\"aB\": {\"a_b\": 1}, \"c\": {\"aB\": 2}}",
     "a_b={\"a_b\":1} c={\"a_b\":2}", false},
    {"last_of_two_inside_counts", "[{\"aB\": 1, \"c\": 0, \"aB\": 2}]", "={\"a_b\":2,\"c\":0}",
     true},
    {"argument_twice_is_left_to_binding", "{\"aB\": 1, \"aB\": 2}", "a_b=1 a_b=2", true},

    {"arguments_collide", "{\"fooBar\": 1, \"foo_bar\": 2}",
     "! names 'fooBar' and 'foo_bar' are the same in snake case", false},
    {"arguments_collide_snake_first", "{\"foo_bar\": 1, \"x\": 0, \"FooBar\": 2}",
     "! names 'foo_bar' and 'FooBar' are the same in snake case", false},
    {"members_collide", "[{\"a\": [{\"fooBar\": 1, \"x\": {\"y\": 0}, \"FooBar\": 2}]}]",
     "! names 'fooBar' and 'FooBar' are the same in snake case", false},
    {"escaped_names_collide", "[{\"foo\\u0042ar\": 1, \"fo\\u006f_bar\": 2}]",
     "! names 'fooBar' and 'foo_bar' are the same in snake case", false},
    {"escaped_name_twice", "[{\"foo\\u0042ar\": 1, \"fooBar\": 2}]", "={\"foo_bar\":2}", true},
};

static void check_row(const struct row *row, bool as_values)
{
    char reason[JRI_REASON_MAX] = "", shown[512], *before = NULL, *after = NULL;
    struct sample sample;

    assert_int_equal(new_sample("m", row->params, as_values, &sample), 0);
    if (as_values)
        before = json_dumps(sample.root, 0);
    int status = jri_camel_request(sample.request, &sample.arena, SEED, reason);
    if (status)
        snprintf(shown, sizeof(shown), "! %s", reason);
    else
        show_args(sample.request, shown, sizeof(shown));
    assert_string_equal(shown, row->expect);
    assert_int_equal(status, row->expect[0] == '!' ? -EINVAL : 0);

    /* What a codec made may be shared. */
    if (as_values)
        after = json_dumps(sample.root, 0);
    if (before && after)
        assert_string_equal(before, after);
    free(before);
    free(after);
    free_sample(&sample);

    assert_int_equal(new_sample("m", row->params, as_values, &sample), 0);
    assert_int_equal(jri_camel_request(sample.request, &sample.arena, SEED, NULL), status);
    free_sample(&sample);
}

static void names_in_a_text_are_converted(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        print_message("%s\n", rows[i].name);
        check_row(&rows[i], false);
    }
}

static void names_in_a_codec_value_are_converted(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        if (rows[i].is_text_only)
            continue;
        print_message("%s\n", rows[i].name);
        check_row(&rows[i], true);
    }
}

static void the_method_is_converted(void **state)
{
    (void)state;
    for (int as_values = 0; as_values < 2; as_values++) {
        struct sample sample;
        assert_int_equal(new_sample("math.getSum", "[]", as_values, &sample), 0);
        assert_int_equal(jri_camel_request(sample.request, &sample.arena, SEED, NULL), 0);
        assert_int_equal(sample.request->method_len, strlen("math.get_sum"));
        assert_memory_equal(sample.request->method, "math.get_sum", strlen("math.get_sum"));
        assert_false(sample.request->is_converted);
        free_sample(&sample);
    }
}

/* Text as sent, byte for byte, but for the names. */
static const struct {
    const char *text, *expect;
} texts[] = {
    {"{\"a_b\": 1.50}", "{\"a_b\": 1.50}"},
    {"{\"aB\" : 1.50 , \"c\":[ 1e999,\"\\u0041\" ] }",
     "{\"a_b\" : 1.50 , \"c\":[ 1e999,\"\\u0041\" ] }"},
    {"[123456789012345678901234567890, {\"\\u0061\\u0042\\t\\u0000\":\"\\/\"}]",
     "[123456789012345678901234567890, {\"\\u0061_b\\t\\u0000\":\"\\/\"}]"},
};

static void the_rest_of_a_text_stays_as_sent(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        bool is_same = !strcmp(texts[i].text, texts[i].expect);
        struct sample sample;
        char *params, *shown;
        assert_true(asprintf(&params, "[%s]", texts[i].text) > 0);
        assert_int_equal(new_sample("m", params, false, &sample), 0);
        const jri_value *value = &sample.request->args[0].value;
        const char *sent = value->text;
        assert_int_equal(jri_camel_request(sample.request, &sample.arena, SEED, NULL), 0);
        assert_true(asprintf(&shown, "%.*s", (int)value->len, value->text) > 0);
        assert_string_equal(shown, texts[i].expect);
        assert_int_equal(value->text == sent, is_same);
        assert_int_equal(sample.request->is_converted, !is_same);
        assert_null(sample.request->args[0].built);
        free_sample(&sample);
        free(shown);
        free(params);
    }
}

static void unchanged_values_are_not_copied(void **state)
{
    struct sample sample;

    (void)state;
    assert_int_equal(new_sample("m", "[{\"a\": [{}]}, {\"b\": {\"cD\": 1}}]", true, &sample), 0);
    jri_arg *args = sample.request->args;
    json_t *first = args[0].value.json, *second = args[1].value.json;
    assert_int_equal(jri_camel_request(sample.request, &sample.arena, SEED, NULL), 0);
    assert_ptr_equal(args[0].value.json, first);
    assert_null(args[0].built);
    assert_ptr_not_equal(args[1].value.json, second);
    assert_ptr_equal(args[1].value.json, args[1].built);
    free_sample(&sample);
}

/* depth times open around {"aB":1} */
static char *nest(const char *open, const char *close, int depth)
{
    size_t n_open = strlen(open), n_close = strlen(close), len = 0;
    char *text = malloc((n_open + n_close) * (size_t)depth + 16);

    assert_non_null(text);
    for (int i = 0; i < depth; i++, len += n_open)
        memcpy(text + len, open, n_open);
    len += (size_t)sprintf(text + len, "{\"aB\":1}");
    for (int i = 0; i < depth; i++, len += n_close)
        memcpy(text + len, close, n_close);
    text[len] = '\0';
    return text;
}

static void as_deep_as_a_message_may_be(void **state)
{
    static const char *const kinds[][2] = {{"[", "]"}, {"{\"x\":", "}"}, {"[{\"yZ\":", "}]"}};

    (void)state;
    for (size_t i = 0; i < 2 * sizeof(kinds) / sizeof(*kinds); i++) {
        const char *const *kind = kinds[i / 2];
        char *params = nest(kind[0], kind[1], kind[0][1] == '{' ? 60 : 120);
        struct sample sample;
        assert_int_equal(new_sample("m", params, i % 2, &sample), 0);
        assert_int_equal(jri_camel_request(sample.request, &sample.arena, SEED, NULL), 0);
        char *shown = show_value(&sample.request->args[0].value);
        assert_non_null(strstr(shown, "{\"a_b\":1}"));
        assert_null(strpbrk(shown, "BZ"));
        free(shown);
        free_sample(&sample);
        free(params);
    }
}

enum { MANY = 10000 };

/* Linear by construction: one table at most half full for all names of an argument. */
static void ten_thousand_names_take_one_table(void **state)
{
    char *params = malloc(MANY * 24);
    size_t len = 2;

    (void)state;
    assert_non_null(params);
    memcpy(params, "[{", 2);
    for (int i = 0; i < MANY; i++)
        len += (size_t)sprintf(params + len, "%s\"nN%d\":%d", i ? "," : "", i, i);
    strcpy(params + len, "}]");
    for (int as_values = 0; as_values < 2; as_values++) {
        struct sample sample;
        char reason[JRI_REASON_MAX];
        json_t *built = NULL;
        assert_int_equal(new_sample("m", params, as_values, &sample), 0);
        assert_int_equal(jri_camel_request(sample.request, &sample.arena, SEED, reason), 0);
        const jri_value *value = &sample.request->args[0].value;
        if (value->json)
            built = json_incref(value->json);
        else
            assert_int_equal(jri_json_build(value->text, value->len, &built), 0);
        assert_int_equal(json_object_size(built), MANY);
        assert_int_equal(json_integer_value(json_object_get(built, "n_n9999")), 9999);
        json_decref(built);
        free_sample(&sample);
    }
    free(params);
}

static int n_allowed;

static void *limited_malloc(size_t size)
{
    return n_allowed-- > 0 ? malloc(size) : NULL;
}

static void a_copy_without_memory_leaves_nothing_behind(void **state)
{
    int n, status = -ENOMEM;

    (void)state;
    for (n = 0; status; n++) {
        struct sample sample;
        assert_int_equal(
            new_sample("m", "[{\"aB\": [1, {\"cD\": {\"e\": []}}], \"f\": \"g\"}]", true, &sample),
            0);
        json_set_alloc_funcs(limited_malloc, free);
        n_allowed = n;
        status = jri_camel_request(sample.request, &sample.arena, SEED, NULL);
        json_set_alloc_funcs(malloc, free);
        if (status)
            assert_int_equal(status, -ENOMEM);
        free_sample(&sample); /* the leak checker tells */
    }
    assert_in_range(n, 5, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_become_snake_case),
        cmocka_unit_test(every_short_name_is_as_the_two_substitutions_have_it),
        cmocka_unit_test(names_in_a_text_are_converted),
        cmocka_unit_test(names_in_a_codec_value_are_converted),
        cmocka_unit_test(the_method_is_converted),
        cmocka_unit_test(the_rest_of_a_text_stays_as_sent),
        cmocka_unit_test(unchanged_values_are_not_copied),
        cmocka_unit_test(as_deep_as_a_message_may_be),
        cmocka_unit_test(ten_thousand_names_take_one_table),
        cmocka_unit_test(a_copy_without_memory_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
