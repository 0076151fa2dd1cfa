/* SPDX-License-Identifier: MIT */
/*
 * features.h - what a message holds that jansson reads otherwise than we do, or not at all
 *
 * The whole list of reasons for which the value path, by jansson, may rightly give another answer
 * than the text path. Looked for in text that is JSON.
 */
#ifndef FUZZ_FEATURES_H
#define FUZZ_FEATURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <jansson.h>

#include "json_read.h"

enum feature {
    DUPLICATE_NAMES = 1, /* we refuse them where it matters, jansson keeps the last */
    LARGE_INTEGER = 2,   /* 19 digits or more: jansson refuses what is beyond int64 */
    NUL_IN_NAME = 4,     /* jansson refuses it */
    ROUNDED_NUMBER = 8,  /* a real that a double may not hold exactly, or not at all */
    LONG_SPELLING = 16,  /* a long string with an escape: as an id it is measured as it is spelled,
                            which a value no longer tells */
};

enum { LONG = 100 }; /* less than any id_max that is tried */

static inline bool is_json(const char *text, size_t len)
{
    jri_reader reader;
    jri_value value;

    jri_read_begin(&reader, text, len, JRI_READ_DEPTH, UINT32_MAX);
    return !jri_read_value(&reader, &value) && !jri_read_end(&reader);
}

/* Up to fifteen digits and small exponents are exact enough to be the same number again. */
static inline unsigned number_features(const char *at, const char *end)
{
    size_t n_digits = 0, n_exponent = 0;
    bool is_real = false, in_exponent = false;

    for (; at < end; at++) {
        is_real |= *at == '.' || (*at | 0x20) == 'e';
        in_exponent |= (*at | 0x20) == 'e';
        if (*at >= '0' && *at <= '9')
            ++*(in_exponent ? &n_exponent : &n_digits);
    }
    if (!is_real)
        return n_digits > 18 ? LARGE_INTEGER : 0;
    return n_digits > 15 || n_exponent > 1 ? ROUNDED_NUMBER : 0;
}

/* at: behind the opening quotation mark. Returns behind the closing one. */
static inline const char *skip_string(const char *at, const char *end, bool *has_nul)
{
    for (; at < end && *at != '"'; at++)
        if (*at == '\\') {
            *has_nul |= end - at > 6 && !memcmp(at + 1, "u0000", 5);
            at++;
        }
    return at + 1;
}

/* Of text that is JSON. */
static inline unsigned features_of(const char *text, size_t len)
{
    const char *at = text, *end = text + len;
    unsigned features = 0;

    while (at < end) {
        const char *start = at;
        if (*at == '"') {
            bool has_nul = false;
            at = skip_string(at + 1, end, &has_nul);
            if (at - start > LONG && memchr(start, '\\', (size_t)(at - start)))
                features |= LONG_SPELLING;
            for (start = at; start < end && strchr(" \t\r\n", *start) && *start;)
                start++;
            if (has_nul && start < end && *start == ':')
                features |= NUL_IN_NAME;
        } else if (*at == '-' || (*at >= '0' && *at <= '9')) {
            while (at < end && *at && strchr("+-.eE0123456789", *at))
                at++;
            features |= number_features(start, at);
        } else {
            at++;
        }
    }

    int flags = JSON_DECODE_ANY | JSON_ALLOW_NUL;
    json_t *all = json_loadb(text, len, flags, NULL);
    json_t *unique = json_loadb(text, len, flags | JSON_REJECT_DUPLICATES, NULL);
    if (all && !unique)
        features |= DUPLICATE_NAMES;
    json_decref(all);
    json_decref(unique);
    return features;
}

#endif
