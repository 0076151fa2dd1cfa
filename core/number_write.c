/* SPDX-License-Identifier: MIT */
/*
 * number_write.c - numbers to text, whatever the locale
 *
 * A real becomes the fewest digits that read back as the same double, and a power of ten. Of what
 * snprintf() prints, for the few reals that need it, only digits and exponent are taken: how a
 * locale spells the point does not matter.
 */
#define _GNU_SOURCE
#include "number.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "short.h"

static const char pairs[] = "00010203040506070809101112131415161718192021222324"
                            "25262728293031323334353637383940414243444546474849"
                            "50515253545556575859606162636465666768697071727374"
                            "75767778798081828384858687888990919293949596979899";

/* Writes backwards; returns the first byte written. */
static char *write_digits(uint64_t value, char *end)
{
    while (value >= 100) {
        end -= 2;
        memcpy(end, pairs + value % 100 * 2, 2);
        value /= 100;
    }
    if (value >= 10) {
        end -= 2;
        memcpy(end, pairs + value * 2, 2);
    } else {
        *--end = (char)('0' + value);
    }
    return end;
}

size_t jri_int64_to_text(int64_t value, char to[JRI_NUMBER_MAX])
{
    char digits[JRI_NUMBER_MAX], *end = digits + sizeof(digits);
    uint64_t size = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    char *start = write_digits(size, end);

    if (value < 0)
        *--start = '-';
    jri_short_copy(to, start, (size_t)(end - start));
    return (size_t)(end - start);
}

/* digits * 10^exponent, short of 10^16 and down to 10^-5 without an exponent; returns the end. */
static char *write_decimal(uint64_t digits, int exponent, char *to)
{
    char buffer[JRI_NUMBER_MAX], *end = buffer + sizeof(buffer);

    for (; digits && digits % 10 == 0; digits /= 10)
        exponent++;
    char *start = write_digits(digits, end);
    int n_digits = (int)(end - start), point = n_digits + exponent;

    if (point > 16 || point < -4) {
        *to++ = *start++;
        if (start < end)
            *to++ = '.';
        to = mempcpy(to, start, (size_t)(end - start));
        return to + sprintf(to, "e%+d", point - 1);
    }
    if (point <= 0) {
        to = mempcpy(to, "0.0000", (size_t)(2 - point));
        return mempcpy(to, start, (size_t)n_digits);
    }
    if (point < n_digits) {
        to = mempcpy(to, start, (size_t)point);
        *to++ = '.';
        return mempcpy(to, start + point, (size_t)(n_digits - point));
    }
    to = mempcpy(to, start, (size_t)n_digits);
    memset(to, '0', (size_t)(point - n_digits));
    return mempcpy(to + point - n_digits, ".0", 2);
}

static bool is_same(double a, double b)
{
    return a <= b && a >= b;
}

/* Most reals are a whole number below 10^15 over a power of ten. Up to fifteen digits are never
 * ambiguous, so that the first found is the shortest. */
static bool find_short(double size, uint64_t *digits, int *exponent)
{
    double power = 1.0;

    for (int i = 0; i <= DBL_DIG && size * power < 1e15; i++, power *= 10.0) {
        *digits = (uint64_t)(size * power + 0.5);
        *exponent = -i;
        if (is_same((double)*digits / power, size))
            return true;
    }
    return false;
}

#ifdef __SIZEOF_INT128__

__extension__ typedef unsigned __int128 uint128;

/*
 * Between 10^-5 and 10^15 whole numbers of 128 bits can tell. size is mantissa * 2^(exp2 - 53); in
 * units of 10^-scale / 2^shift it is `exact`, and half a step of the mantissa is `fives`: what lies
 * nearer reads back as size. What lies just as far would take more than seventeen digits. Below a
 * power of two the steps are half as wide, but none in this range has anything short there.
 */
static bool find_exact(double size, uint64_t *digits, int *exponent)
{
    int exp2, scale = 0;
    uint64_t mantissa = (uint64_t)ldexp(frexp(size, &exp2), DBL_MANT_DIG), fives = 1;

    if (size < 1e-5 || size >= 1e15)
        return false;
    for (double scaled = size; scaled < 1e16; scaled *= 10.0, scale++)
        fives *= 5;

    int shift = DBL_MANT_DIG - exp2 - scale + 1;
    uint128 exact = (uint128)mantissa * fives * 2;
    uint64_t whole = (uint64_t)(exact >> shift); /* seventeen digits of size */

    for (uint64_t step = 100; step; step /= 10) {
        uint64_t low = whole - whole % step;
        uint128 below = exact - ((uint128)low << shift), above = ((uint128)step << shift) - below;
        bool is_high = above < below || (above == below && low / step % 2);
        if ((is_high ? above : below) > fives)
            continue;
        *digits = is_high ? low + step : low;
        *exponent = -scale;
        return true;
    }
    return false;
}

#else

static bool find_exact(double size, uint64_t *digits, int *exponent)
{
    (void)size;
    (void)digits;
    (void)exponent;
    return false;
}

#endif

static bool reads_back(uint64_t digits, int exponent, double size)
{
    char text[64];

    snprintf(text, sizeof(text), "%llue%d", (unsigned long long)digits, exponent);
    return is_same(strtod(text, /* end */ NULL), size);
}

/* Longer and longer until it reads back. Subnormals may be told apart by one digit. */
static void find_printed(double size, uint64_t *digits, int *exponent)
{
    for (int n = size < DBL_MIN ? 1 : DBL_DIG; n <= DBL_DECIMAL_DIG; n++) {
        char text[64], *at = text;

        snprintf(text, sizeof(text), "%.*e", n - 1, size);
        for (*digits = 0; *at != 'e'; at++)
            if (*at >= '0' && *at <= '9')
                *digits = *digits * 10 + (uint64_t)(*at - '0');
        *exponent = atoi(at + 1) - (n - 1);
        if (reads_back(*digits, *exponent, size))
            return;

        /* Above a power of two there is more room than below: the next one up may be near enough
         * though the nearest is not. */
        ++*digits;
        if (reads_back(*digits, *exponent, size))
            return;
    }
}

size_t jri_real_to_text(double value, char to[JRI_NUMBER_MAX])
{
    double size = fabs(value);
    uint64_t digits;
    int exponent;
    char *at = to;

    if (signbit(value))
        *at++ = '-';
    if (!find_short(size, &digits, &exponent) && !find_exact(size, &digits, &exponent))
        find_printed(size, &digits, &exponent);
    return (size_t)(write_decimal(digits, exponent, at) - to);
}
