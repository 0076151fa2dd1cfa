/* SPDX-License-Identifier: MIT */
/*
 * test_json_read.c - what the scanner accepts, refuses and says about it
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

enum { DEPTH_MAX = 8, VALUES_MAX = 1000 };

#define BYTES(literal) literal, sizeof(literal) - 1
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Accepted: the type, the slice between the white space, and how many values it is. */
static const struct accepted {
    const char *behaviour, *text;
    size_t len;
    jrpc_type type;
    uint32_t n_values;
    const char *slice; /* NULL: all of text */
} accepted[] = {
    {"null", BYTES("null"), JRPC_NULL, 1, NULL},
    {"true", BYTES("true"), JRPC_BOOLEAN, 1, NULL},
    {"false", BYTES("false"), JRPC_BOOLEAN, 1, NULL},
    {"zero", BYTES("0"), JRPC_INTEGER, 1, NULL},
    {"minus_zero", BYTES("-0"), JRPC_INTEGER, 1, NULL},
    {"digits", BYTES("1234567890"), JRPC_INTEGER, 1, NULL},
    {"integer_of_any_size", BYTES("-123456789012345678901234567890"), JRPC_INTEGER, 1, NULL},
    {"fraction_makes_a_number", BYTES("1.0"), JRPC_NUMBER, 1, NULL},
    {"exponent_makes_a_number", BYTES("1e2"), JRPC_NUMBER, 1, NULL},
    {"exponent_with_signs", BYTES("-0.5E+07"), JRPC_NUMBER, 1, NULL},
    {"exponent_beyond_double", BYTES("1e999999999999"), JRPC_NUMBER, 1, NULL},
    {"empty_string", BYTES("\"\""), JRPC_STRING, 1, NULL},
    {"short_string", BYTES("\"ping\""), JRPC_STRING, 1, NULL},
    {"string_of_a_block", BYTES("\"0123456789abcdef\""), JRPC_STRING, 1, NULL},
    {"long_string", BYTES("\"0123456789abcdef0123456789abcdef0123\""), JRPC_STRING, 1, NULL},
    {"every_escape", BYTES("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e4\\uD83D\\uDE00\""), JRPC_STRING, 1,
     NULL},
    {"utf8_of_every_length", BYTES("\"a\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80z\""), JRPC_STRING, 1,
     NULL},
    {"utf8_at_its_limits",
     BYTES("\"\x7F\xC2\x80\xDF\xBF\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF\xF0\x90\x80\x80"
           "\xF4\x8F\xBF\xBF\""),
     JRPC_STRING, 1, NULL},
    {"delete_is_no_control_character", BYTES("\"\x7F\""), JRPC_STRING, 1, NULL},
    {"white_space_around", BYTES(" \t\r\n7\n "), JRPC_INTEGER, 1, "7"},
    {"empty_array", BYTES("[]"), JRPC_ARRAY, 1, NULL},
    {"empty_object", BYTES("{}"), JRPC_OBJECT, 1, NULL},
    {"empty_containers_with_space", BYTES("[ [ ] , { } ]"), JRPC_ARRAY, 3, NULL},
    {"names_are_no_values", BYTES("{\"a\":1,\"b\":[2,3]}"), JRPC_OBJECT, 5, NULL},
    {"space_everywhere", BYTES(" { \"a\" : [ 1 , \"x\" ] , \"b\" : { } } "), JRPC_OBJECT, 5,
     "{ \"a\" : [ 1 , \"x\" ] , \"b\" : { } }"},
    {"duplicate_names", BYTES("{\"a\":1,\"a\":2}"), JRPC_OBJECT, 3, NULL},
    {"name_with_escapes", BYTES("{\"\\u0061\\n\":1}"), JRPC_OBJECT, 2, NULL},
    {"name_with_u0000", BYTES("{\"a\\u0000b\":1}"), JRPC_OBJECT, 2, NULL},
    {"as_deep_as_allowed", BYTES("[[[[[[[[1]]]]]]]]"), JRPC_ARRAY, 9, NULL},
    {"mixed_nesting", BYTES("[{\"a\":[{\"b\":[{}]}]},[[{}]]]"), JRPC_ARRAY, 9, NULL},
    {"request",
     BYTES("{\"jsonrpc\":\"2.0\",\"method\":\"subtract\",\"params\":{\"subtrahend\":23,\"minuend\":"
           "42},\"id\":3}"),
     JRPC_OBJECT, 7, NULL},
};

/* Refused: why, and where. */
static const struct refused {
    const char *behaviour, *text;
    size_t len;
    const char *reason;
    int line, column;
} refused[] = {
    {"nothing", BYTES(""), "empty text", 1, 1},
    {"white_space_only", BYTES(" \n "), "unexpected end", 2, 2},
    {"byte_order_mark", BYTES("\xEF\xBB\xBF{}"), "expected a value", 1, 1},
    {"word", BYTES("hello"), "expected a value", 1, 1},
    {"word_that_begins_like_one", BYTES("[nul]"), "expected null, true or false", 1, 5},
    {"word_cut_short", BYTES("fals"), "unexpected end", 1, 5},
    {"capital_word", BYTES("True"), "expected a value", 1, 1},
    {"nan", BYTES("NaN"), "expected a value", 1, 1},
    {"infinity", BYTES("-Infinity"), "expected a digit", 1, 2},
    {"plus_sign", BYTES("+1"), "expected a value", 1, 1},
    {"leading_zero", BYTES("[01]"), "number with a leading zero", 1, 2},
    {"negative_leading_zero", BYTES("[-012]"), "number with a leading zero", 1, 3},
    {"minus_alone", BYTES("-"), "unexpected end", 1, 2},
    {"no_digit_before_the_point", BYTES(".5"), "expected a value", 1, 1},
    {"no_digit_behind_the_point", BYTES("[1.]"), "expected a digit", 1, 4},
    {"no_digit_in_the_exponent", BYTES("[1e]"), "expected a digit", 1, 4},
    {"no_digit_behind_the_sign", BYTES("[1e+]"), "expected a digit", 1, 5},
    {"hexadecimal", BYTES("[0x1]"), "expected ',' or ']'", 1, 3},
    {"two_values", BYTES("1 2"), "trailing characters after the value", 1, 3},
    {"comment", BYTES("{} // x"), "trailing characters after the value", 1, 4},
    {"nul_behind_the_value", BYTES("1\0"), "trailing characters after the value", 1, 2},
    {"nul_before_the_value", BYTES("\0001"), "expected a value", 1, 1},
    {"form_feed_is_no_space", BYTES("[\f1]"), "expected a value", 1, 2},
    {"string_not_closed", BYTES("\"abc"), "unexpected end", 1, 5},
    {"string_ending_in_a_solidus", BYTES("\"abc\\"), "unexpected end", 1, 6},
    {"raw_newline", BYTES("[\"a\nb\"]"), "control character in string", 1, 4},
    {"raw_nul", BYTES("\"a\0b\""), "control character in string", 1, 3},
    {"raw_control_behind_a_block", BYTES("\"0123456789abcdefgh\x1F\""),
     "control character in string", 1, 20},
    {"unknown_escape", BYTES("\"\\x41\""), "unknown escape in string", 1, 3},
    {"escaped_nul_byte", BYTES("\"\\\0\""), "unknown escape in string", 1, 3},
    {"short_unicode_escape", BYTES("\"\\u12\""), "expected four hexadecimal digits after \\u", 1,
     6},
    {"unicode_escape_cut_short", BYTES("\"\\u12"), "unexpected end", 1, 6},
    {"lone_high_surrogate", BYTES("\"\\uD800\""), "lone surrogate", 1, 2},
    {"lone_low_surrogate", BYTES("\"a\\uDC00\""), "lone surrogate", 1, 3},
    {"high_surrogate_twice", BYTES("\"\\uD800\\uD800\""), "lone surrogate", 1, 2},
    {"high_surrogate_before_a_letter", BYTES("\"\\uD800\\u0041\""), "lone surrogate", 1, 2},
    {"utf8_tail_alone", BYTES("\"\x80\""), "invalid UTF-8", 1, 2},
    {"utf8_overlong_2", BYTES("\"\xC0\x80\""), "invalid UTF-8", 1, 2},
    {"utf8_overlong_2_c1", BYTES("\"\xC1\xBF\""), "invalid UTF-8", 1, 2},
    {"utf8_overlong_3", BYTES("\"\xE0\x9F\xBF\""), "invalid UTF-8", 1, 2},
    {"utf8_overlong_4", BYTES("\"\xF0\x8F\xBF\xBF\""), "invalid UTF-8", 1, 2},
    {"utf8_surrogate", BYTES("\"\xED\xA0\x80\""), "invalid UTF-8", 1, 2},
    {"utf8_beyond_10ffff", BYTES("\"\xF4\x90\x80\x80\""), "invalid UTF-8", 1, 2},
    {"utf8_f5", BYTES("\"\xF5\x80\x80\x80\""), "invalid UTF-8", 1, 2},
    {"utf8_cut_by_the_quote", BYTES("\"\xE2\x82\""), "invalid UTF-8", 1, 2},
    {"utf8_cut_by_the_end", BYTES("\"\xF0\x9F\x98"), "invalid UTF-8", 1, 2},
    {"utf8_outside_strings", BYTES("[\xC3\xA4]"), "expected a value", 1, 2},
    {"array_not_closed", BYTES("[1"), "unexpected end", 1, 3},
    {"array_closed_as_object", BYTES("[1}"), "expected ',' or ']'", 1, 3},
    {"object_closed_as_array", BYTES("{\"a\":1]"), "expected ',' or '}'", 1, 7},
    {"trailing_comma_in_array", BYTES("[1,]"), "expected a value", 1, 4},
    {"trailing_comma_in_object", BYTES("{\"a\":1,}"), "expected a name in quotation marks", 1, 8},
    {"comma_first", BYTES("[,1]"), "expected a value", 1, 2},
    {"missing_comma", BYTES("[1 2]"), "expected ',' or ']'", 1, 4},
    {"missing_colon", BYTES("{\"a\" 1}"), "expected ':'", 1, 6},
    {"missing_value", BYTES("{\"a\":}"), "expected a value", 1, 6},
    {"name_that_is_no_string", BYTES("{1:2}"), "expected a name in quotation marks", 1, 2},
    {"name_in_apostrophes", BYTES("{'a':2}"), "expected a name in quotation marks", 1, 2},
    {"bad_name", BYTES("{\"a\x01\":2}"), "control character in string", 1, 4},
    {"close_without_open", BYTES("]"), "expected a value", 1, 1},
    {"close_too_many", BYTES("[]]"), "trailing characters after the value", 1, 3},
    {"deeper_than_allowed", BYTES("[[[[[[[[[1]]]]]]]]]"), "nested deeper than depth_max", 1, 9},
    {"deeper_than_allowed_but_empty", BYTES("[[[[[[[[{}]]]]]]]]"), "nested deeper than depth_max",
     1, 9},
    {"position_counts_lines", BYTES("{\n  \"a\": 1,\r\n\n  b: 2\n}"),
     "expected a name in quotation marks", 4, 3},
    {"position_counts_bytes", BYTES("[\"\xC3\xA4\", x]"), "expected a value", 1, 8},
};

/* How a reading ended: the same whether the text was read whole or walked. */
struct verdict {
    int status, line, column;
    uint32_t n_values;
    const char *reason;
};

static struct verdict read_verdict(const jri_reader *reader, int status)
{
    struct verdict verdict = {.status = status, .n_values = reader->n_values, .reason = ""};
    jrpc_problem problem = {0};

    assert_int_equal(status, reader->status);
    if (status) {
        jri_read_problem(reader, &problem);
        assert_int_equal(problem.code, status);
        verdict.line = problem.line;
        verdict.column = problem.column;
        verdict.reason = reader->reason;
        assert_string_equal(problem.text, reader->reason);
    }
    return verdict;
}

static struct verdict read_whole(const char *text, size_t len, uint32_t values_max, jri_value *out)
{
    jri_reader reader;

    jri_read_begin(&reader, text, len, DEPTH_MAX, values_max);
    int status = jri_read_value(&reader, out);
    if (!status)
        status = jri_read_end(&reader);
    return read_verdict(&reader, status);
}

static int walk(jri_reader *reader)
{
    jrpc_type type = jri_read_type(reader);
    jri_value value;

    if (type != JRPC_ARRAY && type != JRPC_OBJECT)
        return jri_read_value(reader, &value);

    int more = jri_read_enter(reader);
    while (more > 0) {
        int status = type == JRPC_OBJECT ? jri_read_name(reader, &value) : 0;
        if (!status)
            status = walk(reader);
        more = status ? status : jri_read_next(reader, type == JRPC_OBJECT ? '}' : ']');
    }
    return more;
}

static struct verdict read_walking(const char *text, size_t len, uint32_t values_max)
{
    jri_reader reader;

    jri_read_begin(&reader, text, len, DEPTH_MAX, values_max);
    int status = walk(&reader);
    if (!status)
        status = jri_read_end(&reader);
    if (!status)
        assert_int_equal(reader.depth, 0);
    return read_verdict(&reader, status);
}

static void assert_same_verdict(const char *behaviour, struct verdict whole, struct verdict walked)
{
    if (whole.status == walked.status && whole.n_values == walked.n_values &&
        whole.line == walked.line && whole.column == walked.column &&
        !strcmp(whole.reason, walked.reason))
        return;
    fail_msg("%s:\nwhole:  %d, %u values, %d:%d %s\nwalked: %d, %u values, %d:%d %s", behaviour,
             whole.status, whole.n_values, whole.line, whole.column, whole.reason, walked.status,
             walked.n_values, walked.line, walked.column, walked.reason);
}

static void what_is_accepted(void **state)
{
    struct edge edge = edge_new(256);
    (void)state;

    for (size_t i = 0; i < COUNT(accepted); i++) {
        const struct accepted *c = &accepted[i];
        const char *slice = c->slice ? c->slice : c->text;
        size_t slice_len = c->slice ? strlen(c->slice) : c->len;
        jri_value value;

        const char *text = edge_place(&edge, c->text, c->len);
        struct verdict verdict = read_whole(text, c->len, VALUES_MAX, &value);
        if (verdict.status)
            fail_msg("%s: %d:%d %s", c->behaviour, verdict.line, verdict.column, verdict.reason);
        if (value.type != c->type || verdict.n_values != c->n_values || value.len != slice_len ||
            memcmp(value.text, slice, slice_len) != 0 || value.json)
            fail_msg("%s: type %d, %u values, %.*s -- not -- type %d, %u values, %s", c->behaviour,
                     value.type, verdict.n_values, (int)value.len, value.text, (int)c->type,
                     c->n_values, slice);
    }
    edge_free(&edge);
}

static void what_is_refused(void **state)
{
    struct edge edge = edge_new(256);
    (void)state;

    for (size_t i = 0; i < COUNT(refused); i++) {
        const struct refused *c = &refused[i];
        jri_value untouched = {.len = 4711};

        const char *text = edge_place(&edge, c->text, c->len);
        struct verdict verdict = read_whole(text, c->len, VALUES_MAX, &untouched);
        if (verdict.status != -EBADMSG || verdict.line != c->line || verdict.column != c->column ||
            strcmp(verdict.reason, c->reason) != 0)
            fail_msg("%s: %d, %d:%d %s -- not -- %d:%d %s", c->behaviour, verdict.status,
                     verdict.line, verdict.column, verdict.reason, c->line, c->column, c->reason);
    }
    edge_free(&edge);
}

/* One text, every beginning of it, against either edge of memory: whole and walking agree. */
static void try_every_beginning(struct edge *edge, const char *behaviour, const char *text,
                                size_t len)
{
    for (size_t n = 0; n <= len; n++) {
        const char *beginning = edge_place(edge, text, n);
        jri_value value;
        struct verdict whole = read_whole(beginning, n, VALUES_MAX, &value);
        assert_same_verdict(behaviour, whole, read_walking(beginning, n, VALUES_MAX));
        beginning = edge_place_first(edge, text, n);
        assert_same_verdict(behaviour, whole, read_walking(beginning, n, VALUES_MAX));
    }
}

static void every_beginning_reads_alike_whole_and_walking(void **state)
{
    struct edge edge = edge_new(256);
    (void)state;

    for (size_t i = 0; i < COUNT(accepted); i++)
        try_every_beginning(&edge, accepted[i].behaviour, accepted[i].text, accepted[i].len);
    for (size_t i = 0; i < COUNT(refused); i++)
        try_every_beginning(&edge, refused[i].behaviour, refused[i].text, refused[i].len);
    edge_free(&edge);
}

/* Every byte in turn becomes every other byte. */
static void every_changed_byte_reads_alike_whole_and_walking(void **state)
{
    struct edge edge = edge_new(256);
    char changed[256];
    jri_value value;
    (void)state;

    for (size_t i = 0; i < COUNT(accepted); i++)
        for (size_t at = 0; at < accepted[i].len * 256; at++) {
            size_t len = accepted[i].len;
            memcpy(changed, accepted[i].text, len);
            changed[at / 256] = (char)(at % 256);
            const char *text = edge_place(&edge, changed, len);
            struct verdict whole = read_whole(text, len, VALUES_MAX, &value);
            assert_same_verdict(accepted[i].behaviour, whole, read_walking(text, len, VALUES_MAX));
        }
    edge_free(&edge);
}

/* A string is looked at in blocks: any byte at any place in any length must be seen. */
static void every_byte_is_seen_at_every_place_of_a_string(void **state)
{
    struct edge edge = edge_new(256);
    char text[64];
    (void)state;

    for (size_t len = 1; len <= 40; len++)
        for (size_t at = 0; at < len * 256; at++) {
            unsigned char c = (unsigned char)(at % 256);
            jri_value value;
            memset(text, 'x', sizeof(text));
            text[0] = text[len + 1] = '"';
            text[1 + at / 256] = (char)c;
            struct verdict verdict =
                read_whole(edge_place(&edge, text, len + 2), len + 2, 1, &value);
            bool is_valid = c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
            if ((verdict.status == 0) != is_valid)
                fail_msg("byte %02X at %zu of %zu: %d %s", c, at / 256, len, verdict.status,
                         verdict.reason);
        }
    edge_free(&edge);
}

static void every_failure_lasts(void **state)
{
    (void)state;

    for (size_t i = 0; i < COUNT(refused); i++) {
        jri_reader reader;
        jri_value value;

        jri_read_begin(&reader, refused[i].text, refused[i].len, DEPTH_MAX, VALUES_MAX);
        if (walk(&reader) == 0)
            jri_read_end(&reader);
        const char *reason = reader.reason, *at = reader.at;
        assert_int_equal(jri_read_type(&reader), JRPC_ABSENT);
        assert_int_equal(jri_read_value(&reader, &value), -EBADMSG);
        assert_int_equal(jri_read_enter(&reader), -EBADMSG);
        assert_int_equal(jri_read_name(&reader, &value), -EBADMSG);
        assert_int_equal(jri_read_next(&reader, '}'), -EBADMSG);
        assert_int_equal(jri_read_end(&reader), -EBADMSG);
        assert_false(jri_read_known(&reader, "x", 1));
        assert_ptr_equal(reader.reason, reason);
        assert_ptr_equal(reader.at, at);
    }
}

static void values_are_counted(void **state)
{
    jri_value value;
    (void)state;

    for (size_t i = 0; i < COUNT(accepted); i++) {
        const struct accepted *c = &accepted[i];
        for (uint32_t max = 0; max <= c->n_values; max++) {
            struct verdict whole = read_whole(c->text, c->len, max, &value);
            assert_same_verdict(c->behaviour, whole, read_walking(c->text, c->len, max));
            assert_int_equal(whole.status, max < c->n_values ? -E2BIG : 0);
            assert_string_equal(whole.reason,
                                max < c->n_values ? "more values than values_max" : "");
        }
    }
}

/* Alternating brackets, n deep. */
static char *nested(size_t n)
{
    char *text = malloc(n * 7 + 2), *at = text;

    assert_non_null(text);
    for (size_t i = 0; i < n; i++)
        at = stpcpy(at, i % 3 ? "{\"a\":" : "[");
    *at++ = '1';
    for (size_t i = n; i-- > 0;)
        *at++ = i % 3 ? '}' : ']';
    *at = '\0';
    return text;
}

static void depth_is_limited_wherever_the_walk_ends(void **state)
{
    static const uint32_t depths[] = {1, 2, 63, 64, 65, 128, 1023, 1024};
    (void)state;

    for (size_t i = 0; i < COUNT(depths); i++)
        for (uint32_t extra = 0; extra < 2; extra++) {
            char *text = nested(depths[i] + extra);
            for (uint32_t walked = 0; walked < depths[i] && walked < 100; walked++) {
                jri_reader reader;
                jri_value value;

                jri_read_begin(&reader, text, strlen(text), depths[i], UINT32_MAX);
                for (uint32_t level = 0; level < walked; level++) {
                    assert_int_equal(jri_read_enter(&reader), 1);
                    assert_int_equal(level % 3 ? jri_read_name(&reader, &value) : 0, 0);
                }
                assert_int_equal(jri_read_value(&reader, &value), extra ? -EBADMSG : 0);
                if (extra)
                    assert_string_equal(reader.reason, "nested deeper than depth_max");
            }
            free(text);
        }
}

static const struct {
    const char *behaviour, *text, *expect;
    size_t len;
    uint8_t flags;
} strings[] = {
    {"plain", "\"plain\"", BYTES("plain"), 0},
    {"empty", "\"\"", BYTES(""), 0},
    {"utf8_is_kept", "\"\xC3\xA4\"", BYTES("\xC3\xA4"), 0},
    {"letters", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", BYTES("\"\\/\b\f\n\r\t"), JRI_ESCAPED},
    {"one_byte", "\"<\\u0041>\"", BYTES("<A>"), JRI_ESCAPED},
    {"two_bytes", "\"\\u0080\\u07ff\"", BYTES("\xC2\x80\xDF\xBF"), JRI_ESCAPED},
    {"three_bytes", "\"\\u0800\\uD7FF\\uE000\\uFFFF\"",
     BYTES("\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF"), JRI_ESCAPED},
    {"pairs", "\"\\uD800\\uDC00\\udbff\\udfff\"", BYTES("\xF0\x90\x80\x80\xF4\x8F\xBF\xBF"),
     JRI_ESCAPED},
    {"nul", "\"a\\u0000b\"", BYTES("a\0b"), JRI_ESCAPED | JRI_HAS_NUL},
    {"solidus_before_the_quote", "\"\\\\\"", BYTES("\\"), JRI_ESCAPED},
    {"escaped_escape", "\"\\\\u0041\"", BYTES("\\u0041"), JRI_ESCAPED},
};

static void strings_are_decoded(void **state)
{
    (void)state;

    for (size_t i = 0; i < COUNT(strings); i++) {
        char decoded[64] = {0};
        jri_value value;

        struct verdict verdict = read_whole(strings[i].text, strlen(strings[i].text), 1, &value);
        assert_int_equal(verdict.status, 0);
        size_t len = jri_string_decode(&value, decoded);
        if (len != strings[i].len || memcmp(decoded, strings[i].expect, len) != 0 ||
            value.flags != strings[i].flags)
            fail_msg("%s: %zu bytes %s, flags %u", strings[i].behaviour, len, decoded, value.flags);
    }
}

static void names_carry_their_flags(void **state)
{
    const char text[] = "{ \"a\\u0000\" : 1 , \"b\\n\":2,\"c\":3}";
    static const uint8_t flags[] = {JRI_ESCAPED | JRI_HAS_NUL, JRI_ESCAPED, 0};
    jri_reader reader;
    jri_value name, value;
    int more;
    size_t i = 0;
    (void)state;

    jri_read_begin(&reader, text, strlen(text), DEPTH_MAX, VALUES_MAX);
    assert_int_equal(jri_read_type(&reader), JRPC_OBJECT);
    for (more = jri_read_enter(&reader); more > 0; more = jri_read_next(&reader, '}')) {
        assert_int_equal(jri_read_name(&reader, &name), 0);
        assert_int_equal(name.type, JRPC_STRING);
        assert_int_equal(name.flags, flags[i++]);
        assert_int_equal(jri_read_value(&reader, &value), 0);
    }
    assert_int_equal(more, 0);
    assert_int_equal(jri_read_end(&reader), 0);
}

static void known_bytes_are_stepped_over_or_left(void **state)
{
    jri_reader reader;
    jri_value value;
    (void)state;

    jri_read_begin(&reader, "{\"id\":1}", 8, DEPTH_MAX, VALUES_MAX);
    assert_int_equal(jri_read_enter(&reader), 1);
    assert_false(jri_read_known(&reader, "\"method\":", 9)); /* longer than what is left */
    assert_false(jri_read_known(&reader, "\"ix\":", 5));
    assert_true(jri_read_known(&reader, "\"id\":", 5));
    assert_int_equal(jri_read_value(&reader, &value), 0);
    assert_int_equal(value.len, 1);
    assert_int_equal(jri_read_next(&reader, '}'), 0);
    assert_int_equal(jri_read_end(&reader), 0);
}

/* After white space no less than without. */
static void known_names_follow_any_comma(void **state)
{
    static const char *const texts[] = {"{\"a\":1,\"id\":2}", "{\"a\":1, \"id\":2}",
                                        "{\"a\":1 ,\n \"id\":2}", "{ \"a\" : [ ] , \"id\":2}"};
    (void)state;

    for (size_t i = 0; i < COUNT(texts); i++) {
        jri_reader reader;
        jri_value value;

        jri_read_begin(&reader, texts[i], strlen(texts[i]), DEPTH_MAX, VALUES_MAX);
        assert_int_equal(jri_read_enter(&reader), 1);
        assert_int_equal(jri_read_name(&reader, &value), 0);
        assert_int_equal(jri_read_value(&reader, &value), 0);
        assert_int_equal(jri_read_next(&reader, '}'), 1);
        assert_true(jri_read_known(&reader, "\"id\":", 5));
    }
}

static void no_text_at_all_is_an_empty_text(void **state)
{
    jri_value value;
    (void)state;

    struct verdict verdict = read_whole(/* text */ NULL, 0, 1, &value);
    assert_int_equal(verdict.status, -EBADMSG);
    assert_string_equal(verdict.reason, "empty text");
    verdict = read_walking(/* text */ NULL, 0, 1);
    assert_int_equal(verdict.status, -EBADMSG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_accepted),
        cmocka_unit_test(what_is_refused),
        cmocka_unit_test(every_beginning_reads_alike_whole_and_walking),
        cmocka_unit_test(every_changed_byte_reads_alike_whole_and_walking),
        cmocka_unit_test(every_byte_is_seen_at_every_place_of_a_string),
        cmocka_unit_test(every_failure_lasts),
        cmocka_unit_test(values_are_counted),
        cmocka_unit_test(depth_is_limited_wherever_the_walk_ends),
        cmocka_unit_test(strings_are_decoded),
        cmocka_unit_test(names_carry_their_flags),
        cmocka_unit_test(known_bytes_are_stepped_over_or_left),
        cmocka_unit_test(known_names_follow_any_comma),
        cmocka_unit_test(no_text_at_all_is_an_empty_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
