/* SPDX-License-Identifier: MIT */
/*
 * base64.h - how tests/data keeps bytes of any kind
 *
 * Include after cmocka.h.
 */
#ifndef TEST_BASE64_H
#define TEST_BASE64_H

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* New. */
static inline char *decode_base64(const char *text, size_t *len)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *data = malloc(strlen(text) + 1);
    unsigned bits = 0, n_bits = 0;

    assert_non_null(data);
    for (*len = 0; *text && *text != '='; text++) {
        const char *digit = strchr(digits, *text);
        assert_non_null(digit);
        bits = bits << 6 | (unsigned)(digit - digits);
        n_bits += 6;
        if (n_bits >= 8) {
            n_bits -= 8;
            data[(*len)++] = (char)(bits >> n_bits);
        }
    }
    return data;
}

#endif
