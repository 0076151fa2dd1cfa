/* SPDX-License-Identifier: MIT */
/*
 * test_number.c - numbers between text and C, in the C locale and in one with a decimal comma
 */
#include <errno.h>
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "comma_locale.h"
#include "core/number.h"
#include "edge.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
    const char *behaviour, *text;
    int status;
    int64_t value;
} integers[] = {
    {"zero", "0", 0, 0},
    {"minus_zero", "-0", 0, 0},
    {"digits", "1234567890", 0, 1234567890},
    {"negative", "-42", 0, -42},
    {"eighteen_digits", "999999999999999999", 0, 999999999999999999},
    {"largest", "9223372036854775807", 0, INT64_MAX},
    {"smallest", "-9223372036854775808", 0, INT64_MIN},
    {"one_too_large", "9223372036854775808", -ERANGE, 0},
    {"one_too_small", "-9223372036854775809", -ERANGE, 0},
    {"twenty_digits", "10000000000000000000", -ERANGE, 0},
    {"beyond_uint64", "18446744073709551616", -ERANGE, 0},
    {"zero_fraction", "1.0", 0, 1},
    {"long_zero_fraction", "-7.000000000000000000000000000000", 0, -7},
    {"largest_with_a_fraction", "9223372036854775807.0", 0, INT64_MAX},
    {"smallest_with_a_fraction", "-9223372036854775808.00e0", 0, INT64_MIN},
    {"one_too_large_with_a_fraction", "9223372036854775808.0", -ERANGE, 0},
    {"exponent", "12e2", 0, 1200},
    {"exponent_with_sign", "12E+2", 0, 1200},
    {"exponent_with_zeros", "1e0000000000000000000000000002", 0, 100},
    {"negative_exponent", "100e-2", 0, 1},
    {"negative_exponent_too_small", "100e-3", -EDOM, 0},
    {"fraction_and_exponent", "1.25e2", 0, 125},
    {"fraction_longer_than_the_exponent", "1.25e1", -EDOM, 0},
    {"leading_zeros_in_the_fraction", "0.00000000000000000000000000001e29", 0, 1},
    {"largest_spelt_with_an_exponent", "0.9223372036854775807e19", 0, INT64_MAX},
    {"smallest_spelt_with_an_exponent", "-92233720368547758080e-1", 0, INT64_MIN},
    {"half", "0.5", -EDOM, 0},
    {"tiny_fraction", "1.00000000000000000000000000000000001", -EDOM, 0},
    {"large_with_a_fraction", "123456789012345678901234567890.5", -EDOM, 0},
    {"power_of_ten_in_range", "1e18", 0, 1000000000000000000},
    {"power_of_ten_out_of_range", "1e19", -ERANGE, 0},
    {"huge_exponent", "1e999999999999", -ERANGE, 0},
    {"exponent_beyond_int64", "-1e99999999999999999999999999999999", -ERANGE, 0},
    {"huge_negative_exponent", "1e-999999999999", -EDOM, 0},
    {"zero_whatever_the_exponent", "-0.000e999999999999", 0, 0},
    {"zero_whatever_the_negative_exponent", "0e-99999999999999999999999", 0, 0},
};

static void integers_are_exact_or_refused(void **state)
{
    struct edge edge = edge_new(256);
    (void)state;

    for (size_t i = 0; i < COUNT(integers); i++) {
        size_t len = strlen(integers[i].text);
        int64_t value = integers[i].status ? 0 : 4711;

        int status = jri_number_to_int64(edge_place(&edge, integers[i].text, len), len, &value);
        if (status != integers[i].status || value != integers[i].value)
            fail_msg("%s: %d, %lld -- not -- %d, %lld", integers[i].behaviour, status,
                     (long long)value, integers[i].status, (long long)integers[i].value);
    }
    edge_free(&edge);
}

static void integers_read_back(void **state)
{
    char text[JRI_NUMBER_MAX], expect[JRI_NUMBER_MAX];
    (void)state;

    for (int shift = 0; shift < 64; shift++)
        for (int64_t delta = -12; delta <= 12; delta++)
            for (int sign = 0; sign < 2; sign++) {
                uint64_t bits = (UINT64_C(1) << shift) + (uint64_t)delta;
                int64_t value = (int64_t)(sign ? 0 - bits : bits), back = 0;
                size_t len = jri_int64_to_text(value, text);
                snprintf(expect, sizeof(expect), "%lld", (long long)value);
                assert_int_equal(len, strlen(expect));
                assert_memory_equal(text, expect, len);
                assert_int_equal(jri_number_to_int64(text, len, &back), 0);
                assert_int_equal(back, value);
            }
}

/* What strtod() makes of the same text in the C locale; here only where bits matter. */
static const struct {
    const char *behaviour, *text;
    int status;
    double value;
} reals[] = {
    {"zero", "0", 0, 0.0},
    {"minus_zero", "-0.0", 0, -0.0},
    {"whole", "100", 0, 100.0},
    {"fraction", "3.14", 0, 3.14},
    {"exponent", "-2.5e-3", 0, -2.5e-3},
    {"exact_limits_of_one_operation", "9007199254740992e22", 0, 9007199254740992e22},
    {"just_past_them", "9007199254740993e22", 0, 9007199254740993e22},
    {"tie_to_even_down", "9007199254740993", 0, 9007199254740992.0},
    {"tie_to_even_up", "9007199254740995", 0, 9007199254740996.0},
    {"tie_broken_by_a_late_digit", "9007199254740993.00000000000000000000000000000000000001", 0,
     9007199254740994.0},
    {"seventeen_digits", "0.30000000000000004", 0, 0.30000000000000004},
    {"nineteen_digits", "1.234567890123456789", 0, 1.234567890123456789},
    {"twenty_one_digits", "-122.419415500000000001", 0, -122.419415500000000001},
    {"largest", "1.7976931348623157e308", 0, DBL_MAX},
    {"rounds_down_to_the_largest", "1.7976931348623158e308", 0, DBL_MAX},
    {"rounds_up_to_infinity", "1.7976931348623159e308", -ERANGE, 0},
    {"beyond", "1e309", -ERANGE, 0},
    {"far_beyond", "-1e999999999999", -ERANGE, 0},
    {"smallest_normal", "2.2250738585072014e-308", 0, DBL_MIN},
    {"smallest_subnormal", "4.9406564584124654e-324", 0, 5e-324},
    {"half_of_that", "2.4703282292062327e-324", 0, 0.0},
    {"little_more_than_half", "2.4703282292062328e-324", 0, 5e-324},
    {"far_below", "-1e-999999999999", 0, -0.0},
    {"zero_whatever_the_exponent", "0e999999999999", 0, 0.0},
    {"digits_outweighed_by_the_exponent", "0.00000000000000000001e20", 0, 1.0},
};

static bool is_same(double a, double b)
{
    return !memcmp(&a, &b, sizeof(a));
}

static void reals_are_the_nearest_double(void **state)
{
    struct edge edge = edge_new(256);
    (void)state;

    for (size_t i = 0; i < COUNT(reals); i++) {
        size_t len = strlen(reals[i].text);
        double value = 0;

        int status = jri_number_to_double(edge_place(&edge, reals[i].text, len), len, &value);
        if (status != reals[i].status || !is_same(value, reals[i].value))
            fail_msg("%s: %d, %.17g -- not -- %d, %.17g", reals[i].behaviour, status, value,
                     reals[i].status, reals[i].value);
    }
    edge_free(&edge);
}

static const struct {
    double value;
    const char *expect;
} shortest[] = {
    {0.0, "0.0"},
    {-0.0, "-0.0"},
    {1.0, "1.0"},
    {0.1, "0.1"},
    {0.30000000000000004, "0.30000000000000004"},
    {-2.5, "-2.5"},
    {100.0, "100.0"},
    {123456.789, "123456.789"},
    {1.0 / 3, "0.3333333333333333"},
    {5e-5, "0.00005"},
    {1e-5, "0.00001"},
    {1e-6, "1e-6"},
    {1.5e-7, "1.5e-7"},
    {999999999999999.0, "999999999999999.0"},
    {1e15, "1000000000000000.0"},
    {1234567890123456.0, "1234567890123456.0"},
    {1e16, "1e+16"},
    {9007199254740993.0, "9007199254740992.0"},
    {123456789012345678.0, "1.2345678901234568e+17"},
    {623203260495222.75, "623203260495222.8"},
    {1e300, "1e+300"},
    {DBL_MAX, "1.7976931348623157e+308"},
    {-DBL_MAX, "-1.7976931348623157e+308"},
    {DBL_MIN, "2.2250738585072014e-308"},
    {5e-324, "5e-324"},
    {1.5e-323, "1.5e-323"},
    {7.120236347223045e-307, "7.120236347223045e-307"}, /* a power of two: more room above */
    {5e-324 * 4503599627370495, "2.225073858507201e-308"},
    {9.5367431640625e-7, "9.5367431640625e-7"},
};

static void reals_are_written_as_short_as_can_be(void **state)
{
    (void)state;

    for (size_t i = 0; i < COUNT(shortest); i++) {
        char text[JRI_NUMBER_MAX];
        size_t len = jri_real_to_text(shortest[i].value, text);
        if (len != strlen(shortest[i].expect) || memcmp(text, shortest[i].expect, len) != 0)
            fail_msg("%.*s -- not -- %s", (int)len, text, shortest[i].expect);
    }
}

/* xorshift64, so that every machine tries the same. */
static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static void assert_reads_back(double value)
{
    char text[JRI_NUMBER_MAX];
    size_t len = jri_real_to_text(value, text);
    double back = 0;

    assert_true(len <= JRI_NUMBER_MAX);
    int status = jri_number_to_double(text, len, &back);
    bool is_plain = value < 1e16 && value > 1e-5;
    if (status || !is_same(back, value) || !memchr(text, is_plain ? '.' : 'e', len))
        fail_msg("%.17g: %.*s, %d, %.17g", value, (int)len, text, status, back);
}

static void any_double_reads_back(void **state)
{
    uint64_t seed = 88172645463325252;
    (void)state;

    for (int i = 0; i < 50000; i++) {
        uint64_t bits = next_random(&seed) & INT64_MAX;
        double value, scaled = (double)(bits >> 11) / (double)(UINT64_C(1) << (bits % 63));
        memcpy(&value, &bits, sizeof(value));
        if (isfinite(value))
            assert_reads_back(value);
        assert_reads_back(scaled);
    }
}

/* Where steps are half as wide on one side. */
static void every_power_of_two_and_its_neighbours_read_back(void **state)
{
    (void)state;

    for (uint64_t exponent = 0; exponent < 2047; exponent++)
        for (int neighbour = -1; neighbour <= 1; neighbour++) {
            uint64_t bits = (exponent << 52) + (uint64_t)neighbour;
            double value;
            memcpy(&value, &bits, sizeof(value));
            if (isfinite(value) && value > 0)
                assert_reads_back(value);
        }
}

/* Decimals of every length and place of the point against the C library. */
static void any_decimal_is_read_as_by_the_c_library(void **state)
{
    uint64_t seed = 1181783497276652981;
    (void)state;

    for (int i = 0; i < 50000; i++) {
        char text[80], *at = text;
        int n_digits = 1 + (int)(next_random(&seed) % 25);
        int point = 1 + (int)(next_random(&seed) % 25);

        *at++ = (char)('1' + next_random(&seed) % 9);
        for (int n = 1; n < n_digits; n++) {
            if (n == point)
                *at++ = '.';
            *at++ = (char)('0' + next_random(&seed) % 10);
        }
        int range = i % 2 ? 22 : 330;
        if (i % 3)
            at += sprintf(at, "e%d", (int)(next_random(&seed) % (unsigned)(2 * range)) - range);
        *at = '\0';

        double expect = strtod(text, /* end */ NULL), value = 0;
        int status = jri_number_to_double(text, (size_t)(at - text), &value);
        if (status != (isinf(expect) ? -ERANGE : 0) || (!status && !is_same(value, expect)))
            fail_msg("%s: %d, %.17g -- not -- %.17g", text, status, value, expect);
    }
}

static void a_million_digits_are_no_trouble(void **state)
{
    enum { LEN = 1000000 };
    char *text = malloc(LEN + 32);
    double value = 0;
    int64_t integer = 0;
    (void)state;

    assert_non_null(text);
    memset(text, '9', LEN);
    memcpy(text + LEN, "e-999999", 8);
    assert_int_equal(jri_number_to_double(text, LEN, &value), -ERANGE);
    assert_int_equal(jri_number_to_double(text, LEN + 8, &value), 0);
    assert_true(is_same(value, 10.0));
    assert_int_equal(jri_number_to_int64(text, LEN + 8, &integer), -EDOM);

    /* A tie, decided by the millionth digit. */
    memset(text, '0', LEN);
    memcpy(text, "9007199254740993.", 17);
    assert_int_equal(jri_number_to_double(text, LEN, &value), 0);
    assert_true(is_same(value, 9007199254740992.0));
    text[LEN - 1] = '1';
    assert_int_equal(jri_number_to_double(text, LEN, &value), 0);
    assert_true(is_same(value, 9007199254740994.0));

    /* One, spelt with a million zeros. */
    memset(text, '0', LEN);
    text[0] = '1';
    memcpy(text + LEN, "e-999999", 8);
    assert_int_equal(jri_number_to_int64(text, LEN + 8, &integer), 0);
    assert_int_equal(integer, 1);
    assert_int_equal(jri_number_to_double(text, LEN + 8, &value), 0);
    assert_true(is_same(value, 1.0));
    free(text);
}

static int enter_comma_locale(void **state)
{
    static struct comma_locale comma;

    *state = &comma;
    return comma_locale_enter(&comma);
}

static int leave_comma_locale(void **state)
{
    comma_locale_leave(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_are_exact_or_refused),
        cmocka_unit_test(integers_read_back),
        cmocka_unit_test(reals_are_the_nearest_double),
        cmocka_unit_test(reals_are_written_as_short_as_can_be),
        cmocka_unit_test(any_double_reads_back),
        cmocka_unit_test(every_power_of_two_and_its_neighbours_read_back),
        cmocka_unit_test(any_decimal_is_read_as_by_the_c_library),
        cmocka_unit_test(a_million_digits_are_no_trouble),
    };
    const struct CMUnitTest tests_with_a_decimal_comma[] = {
        cmocka_unit_test(reals_are_the_nearest_double),
        cmocka_unit_test(reals_are_written_as_short_as_can_be),
        cmocka_unit_test(any_double_reads_back),
        cmocka_unit_test(a_million_digits_are_no_trouble),
    };
    int n_failed = cmocka_run_group_tests(tests, NULL, NULL);

    return n_failed + cmocka_run_group_tests(tests_with_a_decimal_comma, enter_comma_locale,
                                             leave_comma_locale);
}
