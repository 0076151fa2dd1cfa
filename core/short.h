/* SPDX-License-Identifier: MIT */
/*
 * short.h - memcpy() and memcmp() of texts that are nearly always short
 *
 * Names and ids: two overlapping loads at most, instead of a call.
 */
#ifndef JRI_SHORT_H
#define JRI_SHORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline void jri_short_copy(char *to, const char *from, size_t len)
{
    uint64_t first, last;
    uint32_t first_half, last_half;

    if (len > 16) {
        memcpy(to, from, len);
    } else if (len >= 8) {
        memcpy(&first, from, 8);
        memcpy(&last, from + len - 8, 8);
        memcpy(to, &first, 8);
        memcpy(to + len - 8, &last, 8);
    } else if (len >= 4) {
        memcpy(&first_half, from, 4);
        memcpy(&last_half, from + len - 4, 4);
        memcpy(to, &first_half, 4);
        memcpy(to + len - 4, &last_half, 4);
    } else if (len) {
        to[0] = from[0];
        to[len / 2] = from[len / 2];
        to[len - 1] = from[len - 1];
    }
}

static inline bool jri_short_is_same(const char *a, const char *b, size_t len)
{
    uint64_t a_first, b_first, a_last, b_last;
    uint32_t a_half, b_half;

    if (len > 16)
        return memcmp(a, b, len) == 0;
    if (len >= 8) {
        memcpy(&a_first, a, 8);
        memcpy(&b_first, b, 8);
        memcpy(&a_last, a + len - 8, 8);
        memcpy(&b_last, b + len - 8, 8);
        return a_first == b_first && a_last == b_last;
    }
    if (len < 4)
        return !len || (a[0] == b[0] && a[len / 2] == b[len / 2] && a[len - 1] == b[len - 1]);
    memcpy(&a_half, a, 4);
    memcpy(&b_half, b, 4);
    if (a_half != b_half)
        return false;
    memcpy(&a_half, a + len - 4, 4);
    memcpy(&b_half, b + len - 4, 4);
    return a_half == b_half;
}

#endif
