/* SPDX-License-Identifier: MIT */
/*
 * endpoint_option.c - an endpoint's options as values, and whether somebody asked for each
 *
 * Whoever asks for an option takes it, be its value good or bad: what nobody took at the end is
 * unknown, and a misspelt option cannot be silently without effect. What the values are for is left
 * to the transports.
 */
#include "endpoint.h"

#include <inttypes.h>
#include <string.h>

#include <jrpc/options.h>

#include "../core/options.h"

enum { VALUE_SHOWN = 60 /* bytes of a value in a problem */, MODE_MAX = 0777 };

jrpc_url_pair *jri_endpoint_find(const jrpc_url *url, const char *name)
{
    for (size_t i = 0; url && i < url->n_options; i++)
        if (strcmp(url->options[i].name, name) == 0)
            return &url->options[i];
    return NULL;
}

static const jrpc_url_pair *take(const jrpc_url *url, const char *name)
{
    jrpc_url_pair *pair = jri_endpoint_find(url, name);

    if (pair)
        pair->is_taken = true;
    return pair;
}

const char *jrpc_url_option(const jrpc_url *url, const char *name)
{
    const jrpc_url_pair *pair = take(url, name);

    return pair ? pair->value : NULL;
}

/* Where the value stands: a name is spelled as it is. */
static int value_column(const jrpc_url_pair *pair)
{
    return pair->column + (int)strlen(pair->name) + 1;
}

/* "mode: 'rw' is not …" */
static int refuse(const jrpc_url *url, const jrpc_url_pair *pair, const char *why,
                  jrpc_problem *problem)
{
    return jrpc_url_fault(url, value_column(pair), problem, "%s: '%.*s' is %s", pair->name,
                          VALUE_SHOWN, pair->value, why);
}

int jrpc_url_string(const jrpc_url *url, const char *name, const char **out, jrpc_problem *problem)
{
    const jrpc_url_pair *pair = take(url, name);

    if (!pair)
        return 0;
    if (!*pair->value)
        return jrpc_url_fault(url, value_column(pair), problem, "%s: the value is empty", name);
    *out = pair->value;
    return 0;
}

int jrpc_url_boolean(const jrpc_url *url, const char *name, bool *out, jrpc_problem *problem)
{
    const jrpc_url_pair *pair = take(url, name);

    if (!pair)
        return 0;
    int value = jri_flag_read(pair->value);
    if (value < 0)
        return refuse(url, pair, "neither yes nor no", problem);
    *out = value;
    return 0;
}

/* Digits of that base up to the NUL, of a value not beyond max: whether it is such a number. */
static bool read_digits(const char *digits, uint64_t base, uint64_t max, uint64_t *out)
{
    const char *at = digits;
    uint64_t value = 0;

    for (; *at; at++) {
        uint64_t digit = (uint64_t)(*at - '0');
        if (*at < '0' || digit >= base || digit > max || value > (max - digit) / base)
            return false;
        value = value * base + digit;
    }
    *out = value;
    return at > digits;
}

int jrpc_url_integer(const jrpc_url *url, const char *name, jrpc_url_range range, int64_t *out,
                     jrpc_problem *problem)
{
    const jrpc_url_pair *pair = take(url, name);
    uint64_t digits = 0;

    if (!pair)
        return 0;
    bool is_negative = *pair->value == '-';
    bool is_value = read_digits(pair->value + is_negative, 10, INT64_MAX, &digits);
    int64_t value = is_negative ? -(int64_t)digits : (int64_t)digits;
    if (!is_value || value < range.min || value > range.max)
        return jrpc_url_fault(url, value_column(pair), problem,
                              "%s: '%.*s' is not a number from %" PRId64 " to %" PRId64, name,
                              VALUE_SHOWN, pair->value, range.min, range.max);
    *out = value;
    return 0;
}

int jrpc_url_mode(const jrpc_url *url, const char *name, unsigned *out, jrpc_problem *problem)
{
    const jrpc_url_pair *pair = take(url, name);
    uint64_t value;

    if (!pair)
        return 0;
    if (!read_digits(pair->value, 8, MODE_MAX, &value))
        return refuse(url, pair, "not a file mode, octal and at most 0777 (try 0600)", problem);
    *out = (unsigned)value;
    return 0;
}

int jrpc_url_choice(const jrpc_url *url, const char *name, const char *words, int *out,
                    jrpc_problem *problem)
{
    const jrpc_url_pair *pair = take(url, name);
    size_t len = pair ? strlen(pair->value) : 0;
    int i = 0;

    if (!pair)
        return 0;
    for (const char *at = words;; i++) {
        size_t n_word = strcspn(at, "|");
        if (n_word == len && memcmp(at, pair->value, len) == 0)
            break;
        if (!at[n_word])
            return jrpc_url_fault(url, value_column(pair), problem, "%s: '%.*s' is not one of %s",
                                  name, VALUE_SHOWN, pair->value, words);
        at += n_word + 1;
    }
    *out = i;
    return 0;
}

int jrpc_url_list(const jrpc_url *url, const char *name, const char **out, jrpc_problem *problem)
{
    const jrpc_url_pair *pair = take(url, name);

    if (!pair)
        return 0;
    for (const char *at = pair->value;; at++) {
        size_t len = strcspn(at, ",");
        if (!len)
            return refuse(url, pair, "not a list, a,b,c, without empty items", problem);
        at += len;
        if (!*at)
            break;
    }
    *out = pair->value;
    return 0;
}

const char *jrpc_url_list_next(const char **list, size_t *len)
{
    const char *item = list ? *list : NULL;

    if (!item || !*item)
        return NULL;
    *len = strcspn(item, ",");
    *list = item + *len + (item[*len] == ',');
    return item;
}

/* What nobody took */

const jrpc_url_pair *jri_endpoint_unused(const jrpc_url *url)
{
    for (size_t i = 0; url && i < url->n_options; i++)
        if (!url->options[i].is_taken)
            return &url->options[i];
    return NULL;
}

struct guess {
    const char *name;
    size_t distance;
};

static void consider(struct guess *guess, const char *unknown, const char *name)
{
    size_t len = strlen(name);
    size_t n = len > JRI_DISTANCE_MAX ? SIZE_MAX : jri_name_distance(unknown, name);

    /* One slip, and another for every five letters: more would suggest at random. */
    if (n < guess->distance && n <= 1 + len / 5)
        *guess = (struct guess){name, n};
}

#define LIMIT_NAME(name, ...) #name,
static const char *const limits[] = {JRPC_OPTIONS(LIMIT_NAME, LIMIT_NAME, LIMIT_NAME)};

int jrpc_url_check(const jrpc_url *url, const char *const *known, jrpc_problem *problem)
{
    const jrpc_url_pair *unused = jri_endpoint_unused(url);
    struct guess guess = {NULL, SIZE_MAX};

    if (!unused)
        return 0;
    for (; known && *known; known++)
        consider(&guess, unused->name, *known);
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
        consider(&guess, unused->name, limits[i]);

    if (!guess.name)
        return jrpc_url_fault(url, unused->column, problem, "unknown option '%.*s'", VALUE_SHOWN,
                              unused->name);
    if (strcmp(guess.name, unused->name) == 0)
        return jrpc_url_fault(url, unused->column, problem, "option '%s' has no effect here",
                              unused->name);
    return jrpc_url_fault(url, unused->column, problem, "unknown option '%.*s'; did you mean %s?",
                          VALUE_SHOWN, unused->name, guess.name);
}
