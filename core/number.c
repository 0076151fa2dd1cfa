/* SPDX-License-Identifier: MIT */
/*
 * number.c - numbers from text, whatever the locale
 *
 * A number is taken apart into digits and a power of ten. What one exact operation can decide is
 * done here; the rest goes to strtod() as digits and an exponent, 12.5 as 125e-1: without a
 * decimal point there is nothing a locale could spell differently.
 */
#include "number.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    DIGITS_KEPT = 19,  /* as many as always fit in a uint64_t */
    DIGITS_MAX = 800,  /* 768 decide any double; what follows can only break a tie */
    POWERS_EXACT = 22, /* the last power of ten that is an exact double */
    POWERS_WHOLE = 19  /* the last that fits in a uint64_t */
};

static const double powers[POWERS_EXACT + 1] = {
    1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
};

/* digits * 10^exponent, without zeros at either end; zero has no digits. */
struct decimal {
    uint64_t digits;  /* the first DIGITS_KEPT */
    int64_t n_digits; /* all */
    int64_t exponent; /* of the last of all */
    bool is_negative;
};

static bool is_digit(char c)
{
    return (unsigned char)(c - '0') < 10;
}

static uint64_t times_ten(uint64_t digits, int64_t times)
{
    while (times-- > 0)
        digits *= 10;
    return digits;
}

/* A digit that is not 0, behind n_zeros that were held back: they count now. */
static void add_digit(struct decimal *number, int64_t n_zeros, char digit)
{
    int64_t room = DIGITS_KEPT - number->n_digits;

    if (!number->n_digits)
        n_zeros = 0;
    if (room > n_zeros)
        number->digits = times_ten(number->digits, n_zeros + 1) + (uint64_t)(digit - '0');
    else if (room > 0)
        number->digits = times_ten(number->digits, room);
    number->n_digits += n_zeros + 1;
}

/* at: behind the e. Beyond 2^40 it outweighs any number of digits, whatever it is. */
static int64_t read_exponent(const char *at, const char *end)
{
    bool is_negative = *at == '-';
    int64_t exponent = 0;

    for (at += is_negative || *at == '+'; at < end; at++)
        if (exponent < INT64_C(1) << 40)
            exponent = exponent * 10 + (*at - '0');
    return is_negative ? -exponent : exponent;
}

static struct decimal read_decimal(const char *text, size_t len)
{
    struct decimal number = {.is_negative = *text == '-'};
    const char *at = text + number.is_negative, *end = text + len, *point = NULL;
    int64_t n_zeros = 0;

    for (; at < end && (*at | 0x20) != 'e'; at++) {
        if (*at == '.') {
            point = at + 1;
        } else if (*at == '0') {
            n_zeros++;
        } else if (n_zeros || number.n_digits >= DIGITS_KEPT) {
            add_digit(&number, n_zeros, *at);
            n_zeros = 0;
        } else {
            number.digits = number.digits * 10 + (uint64_t)(*at - '0');
            number.n_digits++;
        }
    }
    number.exponent = n_zeros - (point ? at - point : 0);
    if (at < end)
        number.exponent += read_exponent(at + 1, end);
    return number;
}

/* Digits alone, too few to overflow: what nearly all integers are. */
static bool read_small(const char *text, size_t len, int64_t *out)
{
    bool is_negative = *text == '-';
    int64_t value = 0;
    size_t i;

    for (i = is_negative; i < len && is_digit(text[i]); i++)
        value = value * 10 + (text[i] - '0');
    *out = is_negative ? -value : value;
    return i == len;
}

int jri_number_to_int64(const char *text, size_t len, int64_t *out)
{
    int64_t value;
    if (len < DIGITS_KEPT && read_small(text, len, &value)) {
        *out = value;
        return 0;
    }

    struct decimal number = read_decimal(text, len);
    if (!number.n_digits) {
        *out = 0;
        return 0;
    }
    if (number.exponent < 0)
        return -EDOM;
    if (number.n_digits + number.exponent > DIGITS_KEPT)
        return -ERANGE;

    uint64_t size = times_ten(number.digits, number.exponent);
    if (size > (uint64_t)INT64_MAX + number.is_negative)
        return -ERANGE;
    *out = number.is_negative ? (int64_t)(0 - size) : (int64_t)size;
    return 0;
}

static double read_through_strtod(const char *text, const struct decimal *number)
{
    char copy[DIGITS_MAX + 32];
    int64_t n_kept = number->n_digits < DIGITS_MAX ? number->n_digits : DIGITS_MAX;
    int64_t exponent = number->exponent + number->n_digits - n_kept;
    size_t len = 0;

    for (const char *at = text; (int64_t)len < n_kept; at++)
        if (is_digit(*at) && (len || *at != '0'))
            copy[len++] = *at;

    /* The digits left out are not all zeros: the last one is not. */
    if (n_kept < number->n_digits) {
        copy[len++] = '1';
        exponent--;
    }
    snprintf(copy + len, sizeof(copy) - len, "e%lld", (long long)exponent);
    return strtod(copy, /* end */ NULL);
}

/* One operation on exact operands is correctly rounded (W. D. Clinger, 1990). */
static bool read_exact(const struct decimal *number, double *out)
{
    double digits = (double)number->digits;

    if (FLT_EVAL_METHOD != 0 || number->n_digits > DIGITS_KEPT ||
        number->digits > UINT64_C(1) << DBL_MANT_DIG || number->exponent > POWERS_EXACT ||
        number->exponent < -POWERS_EXACT)
        return false;
    *out = number->exponent < 0 ? digits / powers[-number->exponent]
                                : digits * powers[number->exponent];
    return true;
}

#ifdef __SIZEOF_INT128__

__extension__ typedef unsigned __int128 uint128;

/* What computers print, sixteen to nineteen digits and a point among them: a long division. */
static bool read_fraction(const struct decimal *number, double *out)
{
    if (number->n_digits > DIGITS_KEPT || number->digits <= UINT64_C(1) << DBL_MANT_DIG ||
        number->exponent >= 0 || number->exponent < -POWERS_WHOLE)
        return false;

    /* At least 2^53 * 2^64 / 10^19: all digits of the double and the one that rounds. */
    uint128 dividend = (uint128)number->digits << 64;
    uint64_t divisor = (uint64_t)powers[-number->exponent];
    uint128 quotient = dividend / divisor;
    bool is_inexact = quotient * divisor != dividend;

    int shift = 64 - DBL_MANT_DIG;
    shift += quotient >> 64 ? 64 - __builtin_clzll((uint64_t)(quotient >> 64))
                            : -__builtin_clzll((uint64_t)quotient);
    uint64_t mantissa = (uint64_t)(quotient >> shift);
    uint128 rest = quotient - ((uint128)mantissa << shift), half = (uint128)1 << (shift - 1);
    if (rest > half || (rest == half && (is_inexact || mantissa & 1)))
        mantissa++;
    *out = ldexp((double)mantissa, shift - 64);
    return true;
}

#else

static bool read_fraction(const struct decimal *number, double *out)
{
    (void)number;
    (void)out;
    return false;
}

#endif

int jri_number_to_double(const char *text, size_t len, double *out)
{
    struct decimal number = read_decimal(text, len);
    int64_t magnitude = number.exponent + number.n_digits;
    double size;

    if (!number.n_digits || magnitude < DBL_MIN_10_EXP - DBL_DIG * 2)
        size = 0.0;
    else if (magnitude > DBL_MAX_10_EXP + 1)
        return -ERANGE;
    else if (!read_exact(&number, &size) && !read_fraction(&number, &size))
        size = read_through_strtod(text, &number);

    if (isinf(size))
        return -ERANGE;
    *out = number.is_negative ? -size : size;
    return 0;
}
