/* SPDX-License-Identifier: MIT */
/*
 * options.c - defaults, names, range checks, and which of several values counts
 *
 * Keeps a layer of values for each origin and merges them only in jri_options_resolve(), so that
 * the order of calls cannot matter. Every value in a layer is in range: a given 0 is kept as the
 * default it stands for. Where texts come from is left to config.c.
 */
#define _GNU_SOURCE
#include "options.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "escape.h"

/* SPELLING_MAX: an option's name as a variable of the environment; QUOTE_MAX: what problems show
 * of a foreign text. Both with the NUL. */
enum { SPELLING_MAX = 40, QUOTE_MAX = 64 };

enum kind { FLAG, SIZE, TIME };

struct row {
    const char *name, *unit;
    enum kind kind;
    int64_t value, max; /* the default, the largest */
};

#define FLAG_ROW(name, value, help) {#name, "", FLAG, value, 1},
#define SIZE_ROW(name, value, max, unit, help) {#name, unit, SIZE, value, max},
#define TIME_ROW(name, value, help) {#name, "milliseconds", TIME, value, JRI_TIME_MAX},
static const struct row rows[] = {JRPC_OPTIONS(FLAG_ROW, SIZE_ROW, TIME_ROW)};

#define FITS(name, ...)                                                                            \
    _Static_assert(sizeof(JRI_VARIABLE_PREFIX #name) <= SPELLING_MAX, "SPELLING_MAX is too "       \
                                                                      "small");
JRPC_OPTIONS(FITS, FITS, FITS)

enum { N_OPTIONS = sizeof(rows) / sizeof(rows[0]) };

struct jrpc_options {
    int64_t values[JRI_N_ORIGINS][N_OPTIONS];
    bool is_set[JRI_N_ORIGINS][N_OPTIONS];
    jrpc_problem problem;
};

/* Problems */

static int complain(jrpc_problem *problem, int code, const char *format, ...) JRPC_PRINTF(3, 4);

static int complain(jrpc_problem *problem, int code, const char *format, ...)
{
    va_list args;

    *problem = (jrpc_problem){.code = code};
    va_start(args, format);
    vsnprintf(problem->text, sizeof(problem->text), format, args);
    va_end(args);
    return code;
}

/* A foreign text for a problem: escaped, and cut where it gets boring. */
static const char *quote(const char *text, char to[QUOTE_MAX])
{
    static const char more[] = "...";
    size_t room = QUOTE_MAX - sizeof(more) + 1;

    if (jri_escape(to, room, text, strlen(text)) >= room)
        strcat(to, more);
    return to;
}

/* Names */

/* ASCII only: names must mean the same in every locale. */
static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static char upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

static bool is_same(const char *a, const char *b)
{
    while (*a && lower(*a) == lower(*b)) {
        a++;
        b++;
    }
    return lower(*a) == lower(*b);
}

/* An option's name as that origin writes it. */
static const char *spell(const struct row *row, jri_origin origin, char to[SPELLING_MAX])
{
    if (origin != JRI_FROM_ENVIRONMENT)
        return row->name;

    char *at = stpcpy(to, JRI_VARIABLE_PREFIX);
    for (const char *from = row->name; *from; from++)
        *at++ = upper(*from);
    *at = '\0';
    return to;
}

/* The option of that name, or NULL. */
static const struct row *find(jri_origin origin, const char *name)
{
    bool is_file = origin == JRI_FROM_HOME || origin == JRI_FROM_FILE;
    char spelling[SPELLING_MAX];

    for (const struct row *row = rows; row < rows + N_OPTIONS; row++) {
        const char *own = spell(row, origin, spelling);
        if (is_file ? is_same(name, own) : strcmp(name, own) == 0)
            return row;
    }
    return NULL;
}

size_t jri_name_distance(const char *a, const char *b)
{
    size_t costs[JRI_DISTANCE_MAX + 1], len = strlen(b);

    for (size_t i = 0; i <= len; i++)
        costs[i] = i;
    for (size_t i = 0; a[i]; i++) {
        size_t diagonal = costs[0];
        costs[0] = i + 1;
        for (size_t j = 0; j < len; j++) {
            size_t best = diagonal + (lower(a[i]) != lower(b[j]));
            diagonal = costs[j + 1];
            if (best > costs[j] + 1)
                best = costs[j] + 1;
            costs[j + 1] = best < diagonal + 1 ? best : diagonal + 1;
        }
    }
    return costs[len];
}

static int complain_unknown(jri_origin origin, const char *name, jrpc_problem *problem)
{
    const struct row *likeliest = NULL;
    size_t least = SIZE_MAX;
    char spelling[SPELLING_MAX], quoted[QUOTE_MAX];

    for (const struct row *row = rows; row < rows + N_OPTIONS; row++) {
        size_t n = jri_name_distance(name, spell(row, origin, spelling));
        if (n < least) {
            least = n;
            likeliest = row;
        }
    }
    quote(name, quoted);

    /* One slip, and another for every five letters: more would suggest at random. */
    if (least > 1 + strlen(likeliest->name) / 5)
        return complain(problem, -ENOENT, "%s: no such option", quoted);
    return complain(problem, -ENOENT, "%s: no such option, did you mean %s?", quoted,
                    spell(likeliest, origin, spelling));
}

/* Values */

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

int jri_flag_read(const char *text)
{
    static const char *const words[][2] = {
        {"no", "yes"}, {"false", "true"}, {"off", "on"}, {"0", "1"}};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        for (int value = 0; value < 2; value++)
            if (is_same(text, words[i][value]))
                return value;
    return -1;
}

/* value * factor + more, or the end of the range: what is too large to be told apart is out of
 * every option's range anyway. */
static int64_t scale(int64_t value, int64_t factor, int64_t more)
{
    return value > (INT64_MAX - more) / factor ? INT64_MAX : value * factor + more;
}

/* An integer, with a suffix if it is a size: whether it is one. */
static bool read_integer(const char *text, bool has_suffix, int64_t *out)
{
    bool is_negative = *text == '-';
    const char *at = text + is_negative, *digits = at;
    int64_t value = 0;

    for (; *at >= '0' && *at <= '9'; at++)
        value = scale(value, 10, *at - '0');
    if (at == digits)
        return false;

    if (has_suffix && *at) {
        char suffix = lower(*at++);
        if (suffix != 'k' && suffix != 'm' && suffix != 'g')
            return false;
        value = scale(value, suffix == 'k' ? 1 << 10 : suffix == 'm' ? 1 << 20 : 1 << 30, 0);
    }
    if (*at)
        return false;

    *out = is_negative ? -value : value;
    return true;
}

static int complain_value(const struct row *row, const char *name, const char *text,
                          jrpc_problem *problem)
{
    char quoted[QUOTE_MAX];

    quote(text, quoted);
    switch (row->kind) {
    case FLAG:
        return complain(problem, -EINVAL, "%s: '%s' is neither yes nor no", name, quoted);
    case SIZE:
        /* An example in bytes, if bytes are meant. */
        return complain(problem, -EINVAL, "%s: '%s' is not a number of %s (try %s)", name, quoted,
                        row->unit, row->max >= 1 << 30 ? "65536, 64K or 4M" : "1000 or 4K");
    default:
        return complain(problem, -EINVAL,
                        "%s: '%s' is not a number of milliseconds (try 1500, or -1 for off)", name,
                        quoted);
    }
}

static int complain_range(const struct row *row, const char *name, const char *text,
                          jrpc_problem *problem)
{
    if (row->kind == FLAG)
        return complain(problem, -ERANGE, "%s: %s is neither 0 nor 1", name, text);
    return complain(problem, -ERANGE,
                    "%s: %s is out of range (1 to %" PRId64 " %s, 0 for the default%s)", name, text,
                    row->max, row->unit, row->kind == TIME ? ", -1 for off" : "");
}

/* Keeps a value in a layer: 0, or -ERANGE. */
static int put_number(jrpc_options *options, jri_origin origin, const struct row *row,
                      int64_t value)
{
    size_t i = (size_t)(row - rows);
    int64_t least = row->kind == TIME ? -1 : 0;

    if (value < least || value > row->max)
        return -ERANGE;
    if (value == 0 && row->kind != FLAG)
        value = row->value;

    options->values[origin][i] = value;
    options->is_set[origin][i] = true;
    return 0;
}

int jri_options_put(jrpc_options *options, jri_origin origin, const char *name, const char *value,
                    jrpc_problem *problem)
{
    const struct row *row = find(origin, name);
    char spelling[SPELLING_MAX], text[QUOTE_MAX];
    int64_t number = 0;

    if (!row)
        return complain_unknown(origin, name, problem);
    if (!value) {
        options->is_set[origin][row - rows] = false;
        return 0;
    }

    while (is_space(*value))
        value++;
    size_t len = strlen(value);
    while (len && is_space(value[len - 1]))
        len--;

    /* What is longer than this is no value of any option, leading zeros or not. */
    bool is_cut = len >= sizeof(text);
    snprintf(text, sizeof(text), "%.*s", (int)(is_cut ? sizeof(text) - 1 : len), value);
    if (row->kind == FLAG)
        number = jri_flag_read(text);
    bool is_value =
        row->kind == FLAG ? number >= 0 : read_integer(text, row->kind == SIZE, &number);
    if (is_cut || !is_value)
        return complain_value(row, spell(row, origin, spelling), text, problem);
    if (put_number(options, origin, row, number) < 0)
        return complain_range(row, spell(row, origin, spelling), text, problem);
    return 0;
}

/* The public half */

int jrpc_options_new(jrpc_options **out)
{
    if (!out)
        return -EINVAL;

    jrpc_options *options = calloc(1, sizeof(*options));
    if (!options)
        return -ENOMEM;
    *out = options;
    return 0;
}

void jrpc_options_free(jrpc_options *options)
{
    free(options);
}

int jrpc_options_set(jrpc_options *options, const char *name, const char *value)
{
    if (!options)
        return -EINVAL;

    options->problem = (jrpc_problem){0};
    if (!name)
        return complain(&options->problem, -EINVAL, "an option without a name");
    return jri_options_put(options, JRI_FROM_CALL, name, value, &options->problem);
}

int jrpc_options_set_integer(jrpc_options *options, const char *name, int64_t value)
{
    if (!options)
        return -EINVAL;

    options->problem = (jrpc_problem){0};
    if (!name)
        return complain(&options->problem, -EINVAL, "an option without a name");
    const struct row *row = find(JRI_FROM_CALL, name);
    if (!row)
        return complain_unknown(JRI_FROM_CALL, name, &options->problem);

    char text[32];
    snprintf(text, sizeof(text), "%" PRId64, value);
    if (put_number(options, JRI_FROM_CALL, row, value) < 0)
        return complain_range(row, row->name, text, &options->problem);
    return 0;
}

const jrpc_problem *jrpc_options_problem(const jrpc_options *options)
{
    return options && options->problem.code ? &options->problem : NULL;
}

jrpc_problem *jri_options_own_problem(jrpc_options *options)
{
    return &options->problem;
}

int jri_options_copy(const jrpc_options *options, jrpc_options **out)
{
    jrpc_options *copy = options ? malloc(sizeof(*copy)) : NULL;
    if (options && !copy)
        return -ENOMEM;
    if (options)
        *copy = *options;
    *out = copy;
    return 0;
}

/* The strongest value that was given; else the other. */
static int64_t strongest(const jrpc_options *options, size_t i, int64_t otherwise)
{
    for (int origin = JRI_N_ORIGINS - 1; options && origin > JRI_FROM_DEFAULT; origin--)
        if (options->is_set[origin][i])
            return options->values[origin][i];
    return otherwise;
}

/* The fields stand in the order of the rows: both come from one list. */
#define OVERLAY(name, ...) inout->name = strongest(options, i++, inout->name);

void jri_options_overlay(const jrpc_options *options, jri_settings *inout)
{
    size_t i = 0;

    JRPC_OPTIONS(OVERLAY, OVERLAY, OVERLAY)
}

#define PASS_OVER(...) i++;

void jri_options_overlay_limits(const jrpc_options *options, jri_settings *inout)
{
    size_t i = 0;

    JRPC_OPTIONS(PASS_OVER, OVERLAY, OVERLAY)
}

#define DEFAULT(name, ...) out->name = rows[i++].value;

void jri_options_resolve(const jrpc_options *options, jri_settings *out)
{
    size_t i = 0;

    JRPC_OPTIONS(DEFAULT, DEFAULT, DEFAULT)
    jri_options_overlay(options, out);
}
