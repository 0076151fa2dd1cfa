/* SPDX-License-Identifier: MIT */
/*
 * json_read.c - a strict RFC 8259 scanner: the grammar, and every failure
 *
 * Functions named scan_ take the byte to begin at and return the first byte behind what they
 * scanned, or NULL after noting the failure: so the place stays in a register. A container's
 * inside is walked with one bit for each level that is open: nesting costs no C stack.
 */
#include "json_read.h"

#include <errno.h>
#include <stdio.h>

static const char unexpected_end[] = "unexpected end";

const uint8_t jri_read_types[256] = {
    ['n'] = JRPC_NULL,   ['t'] = JRPC_BOOLEAN, ['f'] = JRPC_BOOLEAN, ['"'] = JRPC_STRING,
    ['['] = JRPC_ARRAY,  ['{'] = JRPC_OBJECT,  ['-'] = JRPC_NUMBER,  ['0'] = JRPC_NUMBER,
    ['1'] = JRPC_NUMBER, ['2'] = JRPC_NUMBER,  ['3'] = JRPC_NUMBER,  ['4'] = JRPC_NUMBER,
    ['5'] = JRPC_NUMBER, ['6'] = JRPC_NUMBER,  ['7'] = JRPC_NUMBER,  ['8'] = JRPC_NUMBER,
    ['9'] = JRPC_NUMBER,
};

int jri_read_fail(jri_reader *reader, const char *at, int status, const char *reason)
{
    if (!reader->status) {
        reader->status = status;
        reader->reason = reason;
        reader->at = reader->end = at;
    }
    return reader->status;
}

/* reason: what should have been at `at`; but the text may have ended there. */
static const char *fail(jri_reader *reader, const char *at, const char *reason)
{
    if (at == reader->end)
        reason = at == reader->start ? "empty text" : unexpected_end;
    jri_read_fail(reader, at, -EBADMSG, reason);
    return NULL;
}

static int count_value(jri_reader *reader, const char *at)
{
    if (JRI_UNLIKELY(reader->n_values == reader->values_max))
        return jri_read_fail(reader, at, -E2BIG, "more values than values_max");
    reader->n_values++;
    return 0;
}

static int too_deep(jri_reader *reader, const char *at)
{
    return jri_read_fail(reader, at, -EBADMSG, "nested deeper than depth_max");
}

const char *jri_read_space(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'))
        at++;
    return at;
}

static bool is_digit(char c)
{
    return (unsigned char)(c - '0') < 10;
}

/* Four hexadecimal digits: their value, or -1 - index of the first that is none. */
static int read_hex4(const char *at, const char *end)
{
    int value = 0;

    for (int i = 0; i < 4; i++) {
        char c = at + i < end ? at[i] : '\0', lower = (char)(c | 0x20);
        if (is_digit(c))
            value = value * 16 + (c - '0');
        else if (lower >= 'a' && lower <= 'f')
            value = value * 16 + (lower - 'a' + 10);
        else
            return -1 - i;
    }
    return value;
}

/* at: the reverse solidus of \u; of a surrogate pair, the first one's. */
static const char *scan_unicode(jri_reader *reader, const char *at, uint8_t *flags)
{
    int unit = read_hex4(at + 2, reader->end);

    if (unit < 0)
        return fail(reader, at + 1 - unit, "expected four hexadecimal digits after \\u");
    if (unit == 0)
        *flags |= JRI_HAS_NUL;
    if (unit < 0xD800 || unit > 0xDFFF)
        return at + 6;

    if (unit > 0xDBFF || reader->end - at < 12 || at[6] != '\\' || at[7] != 'u')
        return fail(reader, at, "lone surrogate");
    int low = read_hex4(at + 8, reader->end);
    if (low < 0xDC00 || low > 0xDFFF)
        return fail(reader, at, "lone surrogate");
    return at + 12;
}

/* at: a reverse solidus. */
static const char *scan_escape(jri_reader *reader, const char *at, uint8_t *flags)
{
    *flags |= JRI_ESCAPED;
    switch (reader->end - at > 1 ? at[1] : '\0') {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
        return at + 2;
    case 'u':
        return scan_unicode(reader, at, flags);
    default:
        return fail(reader, at + 1, "unknown escape in string");
    }
}

/* at: a byte beyond ASCII. Where one such character is there are more. */
static const char *scan_utf8(jri_reader *reader, const char *at)
{
    do {
        size_t n = jri_utf8_step(at, reader->end);
        if (JRI_UNLIKELY(!n)) {
            jri_read_fail(reader, at, -EBADMSG, "invalid UTF-8");
            return NULL;
        }
        at += n;
    } while (at < reader->end && (unsigned char)*at >= 0x80);
    return at;
}

static const char *scan_long_string(jri_reader *reader, const char *at, uint8_t *flags)
{
    for (at++; at;) {
        at = jri_text_plain(at, reader->end);
        if (JRI_UNLIKELY(at == reader->end))
            return fail(reader, at, unexpected_end);
        if (*at == '"')
            return at + 1;
        if (*at == '\\')
            at = scan_escape(reader, at, flags);
        else if ((unsigned char)*at < 0x20)
            return fail(reader, at, "control character in string");
        else
            at = scan_utf8(reader, at);
    }
    return NULL;
}

/* at: an opening quotation mark. */
static inline const char *scan_string(jri_reader *reader, const char *at, uint8_t *flags)
{
    const char *behind = jri_read_short(reader, at);
    return JRI_LIKELY(behind) ? behind : scan_long_string(reader, at, flags);
}

static inline const char *scan_digits(jri_reader *reader, const char *at)
{
    const char *end = reader->end;

    if (JRI_UNLIKELY(at == end || !is_digit(*at)))
        return fail(reader, at, "expected a digit");
    do
        at++;
    while (at < end && is_digit(*at));
    return at;
}

static inline const char *scan_number(jri_reader *reader, const char *at, uint8_t *type)
{
    const char *end = reader->end, *first = at + (*at == '-');

    *type = JRPC_INTEGER;
    at = scan_digits(reader, first);
    if (JRI_UNLIKELY(!at))
        return NULL;
    if (JRI_UNLIKELY(*first == '0' && at - first > 1))
        return fail(reader, first, "number with a leading zero");

    if (at < end && *at == '.') {
        *type = JRPC_NUMBER;
        at = scan_digits(reader, at + 1);
    }
    if (at && at < end && (*at | 0x20) == 'e') {
        *type = JRPC_NUMBER;
        at++;
        at = scan_digits(reader, at + (at < end && (*at == '+' || *at == '-')));
    }
    return at;
}

static const char *fail_word(jri_reader *reader, const char *at)
{
    const char *word = *at == 'n' ? "null" : *at == 't' ? "true" : "false";

    while (at < reader->end && *at == *word) {
        at++;
        word++;
    }
    return fail(reader, at, "expected null, true or false");
}

static inline const char *scan_word(jri_reader *reader, const char *at)
{
    ptrdiff_t room = reader->end - at;

    if (room >= 4 && (!memcmp(at, "null", 4) || !memcmp(at, "true", 4)))
        return at + 4;
    if (room >= 5 && !memcmp(at, "false", 5))
        return at + 5;
    return fail_word(reader, at);
}

/* value->type: by the first byte; made exact here, with the flags. */
static inline const char *scan_scalar(jri_reader *reader, const char *at, jri_value *value)
{
    if (value->type == JRPC_STRING)
        return scan_string(reader, at, &value->flags);
    if (value->type == JRPC_NUMBER)
        return scan_number(reader, at, &value->type);
    if (value->type == JRPC_ABSENT)
        return fail(reader, at, "expected a value");
    return scan_word(reader, at);
}

/* A name, its colon and the white space behind it. */
static inline const char *scan_name(jri_reader *reader, const char *at, jri_value *name)
{
    const char *end = reader->end;

    if (JRI_UNLIKELY(at == end || *at != '"'))
        return fail(reader, at, "expected a name in quotation marks");
    name->text = at;
    at = scan_string(reader, at, &name->flags);
    if (JRI_UNLIKELY(!at))
        return NULL;
    name->len = (uint32_t)(at - name->text);

    at = jri_read_skip(at, end);
    if (JRI_UNLIKELY(at == end || *at != ':'))
        return fail(reader, at, "expected ':'");
    return jri_read_skip(at + 1, end);
}

/* What is open inside the value being read: the innermost at hand, a bit for each one around. */
struct nest {
    uint32_t level, level_max;
    bool in_object;
    uint64_t outer[JRI_READ_DEPTH / 64]; /* not cleared: a bit is written before it counts */
};

static inline void push(struct nest *nest, bool is_object)
{
    uint64_t bit = UINT64_C(1) << (nest->level % 64), *bits = &nest->outer[nest->level / 64];

    *bits = nest->in_object ? *bits | bit : *bits & ~bit;
    nest->in_object = is_object;
    nest->level++;
}

static inline void pop(struct nest *nest)
{
    nest->level--;
    nest->in_object = nest->outer[nest->level / 64] >> (nest->level % 64) & 1;
}

static const char *fail_close(jri_reader *reader, const char *at, bool in_object)
{
    return fail(reader, at, in_object ? "expected ',' or '}'" : "expected ',' or ']'");
}

/* at: an opening bracket. Ends before the first member, or behind an empty container. */
static inline const char *scan_open(jri_reader *reader, const char *at, struct nest *nest)
{
    char open = *at;

    if (JRI_UNLIKELY(nest->level == nest->level_max)) {
        too_deep(reader, at);
        return NULL;
    }
    at = jri_read_skip(at + 1, reader->end);
    if (at < reader->end && *at == open + 2)
        return at + 1;
    push(nest, open == '{');
    return at;
}

/* at: behind a value. Leaves what ends with it; ends before the next member, or with nothing
 * open. */
static inline const char *scan_close(jri_reader *reader, const char *at, struct nest *nest)
{
    const char *end = reader->end;

    while (nest->level) {
        at = jri_read_skip(at, end);
        if (JRI_LIKELY(at < end && *at == ','))
            return jri_read_skip(at + 1, end);
        if (JRI_UNLIKELY(at == end || *at != (nest->in_object ? '}' : ']')))
            return fail_close(reader, at, nest->in_object);
        at++;
        pop(nest);
    }
    return at;
}

/* A value with all that is in it. last: the scalar read last, which is the value if it is one. */
static const char *scan_value(jri_reader *reader, const char *at, jri_value *last)
{
    struct nest nest;
    jri_value name;

    nest.level = 0;
    nest.level_max = reader->depth_max - reader->depth;
    nest.in_object = false;
    do {
        uint32_t level = nest.level;

        if (nest.in_object) {
            at = scan_name(reader, at, &name);
            if (JRI_UNLIKELY(!at))
                return NULL;
        }
        if (JRI_UNLIKELY(at == reader->end))
            return fail(reader, at, unexpected_end);
        if (JRI_UNLIKELY(count_value(reader, at)))
            return NULL;
        last->type = jri_read_types[(unsigned char)*at];
        at = last->type < JRPC_ARRAY ? scan_scalar(reader, at, last) : scan_open(reader, at, &nest);

        /* A container entered has its members to come, anything else was the whole value. */
        if (JRI_LIKELY(at && nest.level == level))
            at = scan_close(reader, at, &nest);
    } while (at && nest.level);
    return at;
}

int jri_read_value_slow(jri_reader *reader, jri_value *out)
{
    const char *start = jri_read_skip(reader->at, reader->end);
    uint8_t type = start < reader->end ? jri_read_types[(unsigned char)*start] : JRPC_ABSENT;
    jri_value last = {.flags = 0};

    const char *end = scan_value(reader, start, &last);
    if (JRI_UNLIKELY(!end))
        return reader->status;
    reader->at = end;
    jri_value_set(out, type < JRPC_ARRAY ? last.type : type, start, end);
    out->flags = type < JRPC_ARRAY ? last.flags : 0;
    return 0;
}

int jri_read_enter_slow(jri_reader *reader)
{
    const char *at = reader->at;

    if (at == reader->end || jri_read_types[(unsigned char)*at] < JRPC_ARRAY) {
        fail(reader, at, "expected an array or object");
        return reader->status;
    }
    if (count_value(reader, at))
        return reader->status;
    if (reader->depth == reader->depth_max)
        return too_deep(reader, at);

    const char *first = jri_read_skip(at + 1, reader->end);
    bool is_empty = first < reader->end && *first == *at + 2;
    reader->at = first + is_empty;
    reader->depth += !is_empty;
    return !is_empty;
}

int jri_read_name_slow(jri_reader *reader, jri_value *out)
{
    jri_value name = {.type = JRPC_STRING};
    const char *at = scan_name(reader, jri_read_skip(reader->at, reader->end), &name);

    if (JRI_UNLIKELY(!at))
        return reader->status;
    reader->at = at;
    *out = name;
    return 0;
}

int jri_read_next_slow(jri_reader *reader, char close)
{
    const char *at = jri_read_skip(reader->at, reader->end);

    if (at < reader->end && *at == ',') {
        reader->at = jri_read_skip(at + 1, reader->end);
        return 1;
    }
    if (at < reader->end && *at == close) {
        reader->at = at + 1;
        reader->depth--;
        return 0;
    }
    fail_close(reader, at, close == '}');
    return reader->status;
}

int jri_read_end(jri_reader *reader)
{
    const char *at = jri_read_skip(reader->at, reader->end);

    if (at < reader->end)
        fail(reader, at, "trailing characters after the value");
    return reader->status;
}

void jri_text_locate(const char *start, const char *at, jrpc_problem *out)
{
    const char *line = start;

    out->line = 1;
    for (const char *before = start; before < at; before++)
        if (*before == '\n') {
            out->line++;
            line = before + 1;
        }
    out->column = (int)(at - line) + 1;
}

void jri_read_problem(const jri_reader *reader, jrpc_problem *out)
{
    out->code = reader->status;
    jri_text_locate(reader->start, reader->at, out);
    snprintf(out->text, sizeof(out->text), "%s", reader->reason ? reader->reason : "");
}
