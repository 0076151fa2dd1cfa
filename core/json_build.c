/* SPDX-License-Identifier: MIT */
/*
 * json_build.c - validated text to values
 *
 * The text was checked by the reader, so that nothing is checked again: a string ends at its
 * quotation mark, a bracket has its partner. A container is put into its parent before it is
 * filled, so that on failure freeing the root frees all.
 */
#define _GNU_SOURCE
#include "json_read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "number.h"
#include "text.h"

/* Digits that never overflow an int64_t. */
enum { SHORT_DIGITS = 18 };

/* Where a string with escapes is decoded to: small, until one is longer. */
struct scratch {
    char *data;
    size_t size;
    char small[256];
};

struct builder {
    const char *at, *end;
    struct scratch name, value;
    size_t n_parents;
    json_t *parents[JRI_READ_DEPTH];
};

/* A string's value: borrowed from the text or a scratch. */
struct slice {
    const char *text;
    size_t len;
};

static unsigned hex_value(char c)
{
    return c <= '9' ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a' + 10);
}

static unsigned read_hex4(const char *at)
{
    return hex_value(at[0]) << 12 | hex_value(at[1]) << 8 | hex_value(at[2]) << 4 |
           hex_value(at[3]);
}

static char *put_utf8(char *to, unsigned point)
{
    if (point < 0x80) {
        *to++ = (char)point;
        return to;
    }
    if (point < 0x800) {
        *to++ = (char)(0xC0 | point >> 6);
    } else {
        if (point < 0x10000) {
            *to++ = (char)(0xE0 | point >> 12);
        } else {
            *to++ = (char)(0xF0 | point >> 18);
            *to++ = (char)(0x80 | (point >> 12 & 0x3F));
        }
        *to++ = (char)(0x80 | (point >> 6 & 0x3F));
    }
    *to++ = (char)(0x80 | (point & 0x3F));
    return to;
}

/* at: behind the reverse solidus; moved behind the escape. */
static char *decode_escape(const char **at, char *to)
{
    static const char values[256] = {['b'] = '\b', ['f'] = '\f', ['n'] = '\n', ['r'] = '\r',
                                     ['t'] = '\t', ['"'] = '"',  ['/'] = '/',  ['\\'] = '\\'};
    const char *p = *at;

    if (*p != 'u') {
        *at = p + 1;
        *to = values[(unsigned char)*p];
        return to + 1;
    }
    unsigned point = read_hex4(p + 1);
    p += 5;
    if (point >= 0xD800 && point <= 0xDBFF) {
        point = 0x10000 + ((point - 0xD800) << 10) + (read_hex4(p + 2) - 0xDC00);
        p += 6;
    }
    *at = p;
    return put_utf8(to, point);
}

size_t jri_string_decode(const jri_value *string, char *to)
{
    const char *at = string->text + 1, *end = string->text + string->len - 1;
    char *start = to;

    while (at < end) {
        const char *solidus = memchr(at, '\\', (size_t)(end - at));
        size_t n = (size_t)((solidus ? solidus : end) - at);
        to = mempcpy(to, at, n);
        if (!solidus)
            break;
        at = solidus + 1;
        to = decode_escape(&at, to);
    }
    return (size_t)(to - start);
}

static void init_scratch(struct scratch *scratch)
{
    scratch->data = scratch->small;
    scratch->size = sizeof(scratch->small);
}

static void fini_scratch(struct scratch *scratch)
{
    if (scratch->data != scratch->small)
        free(scratch->data);
}

static int decode(struct scratch *scratch, const char *text, size_t len, struct slice *out)
{
    jri_value string = {.text = text, .len = (uint32_t)len};

    if (len > scratch->size) {
        char *data = malloc(len);
        if (!data)
            return -ENOMEM;
        fini_scratch(scratch);
        scratch->data = data;
        scratch->size = len;
    }
    out->text = scratch->data;
    out->len = jri_string_decode(&string, scratch->data);
    return 0;
}

static inline void skip_space(struct builder *builder)
{
    while (builder->at < builder->end && (unsigned char)*builder->at <= ' ')
        builder->at++;
}

static inline int read_string(struct builder *builder, struct scratch *scratch, struct slice *out)
{
    const char *start = builder->at, *at = start + 1;
    bool is_escaped = false;

    while (*(at = jri_text_plain(at, builder->end)) != '"') {
        /* What follows a reverse solidus may be a quotation mark that ends nothing. */
        bool is_escape = *at == '\\';
        is_escaped |= is_escape;
        at += 1 + is_escape;
    }
    builder->at = ++at;
    if (JRI_UNLIKELY(is_escaped))
        return decode(scratch, start, (size_t)(at - start), out);
    *out = (struct slice){start + 1, (size_t)(at - start) - 2};
    return 0;
}

static int build_string(struct builder *builder, json_t **out)
{
    struct slice value;
    int status = read_string(builder, &builder->value, &value);

    if (!status)
        *out = json_stringn_nocheck(value.text, value.len);
    return status;
}

static int build_long_number(const char *text, size_t len, bool is_integer, json_t **out)
{
    int64_t integer;
    double real;

    if (is_integer && !jri_number_to_int64(text, len, &integer)) {
        *out = json_integer(integer);
        return 0;
    }
    int status = jri_number_to_double(text, len, &real);
    if (!status)
        *out = json_real(real);
    return status;
}

static int build_number(struct builder *builder, json_t **out)
{
    const char *start = builder->at, *at = start + (*start == '-'), *end = builder->end;
    const char *first = at;
    int64_t value = 0;

    for (; at < end && (unsigned char)(*at - '0') < 10; at++)
        if (at - first < SHORT_DIGITS)
            value = value * 10 + (*at - '0');
    bool is_integer = at == end || (*at != '.' && (*at | 0x20) != 'e');
    if (is_integer && at - first <= SHORT_DIGITS) {
        builder->at = at;
        *out = json_integer(first > start ? -value : value);
        return 0;
    }
    while (at < end && (*at == '.' || *at == '+' || *at == '-' || (*at | 0x20) == 'e' ||
                        (unsigned char)(*at - '0') < 10))
        at++;
    builder->at = at;
    return build_long_number(start, (size_t)(at - start), is_integer, out);
}

/* A value without its members: 0, *out being NULL when its maker ran out of memory. */
static int build_one(struct builder *builder, json_t **out)
{
    switch (*builder->at) {
    case '"':
        return build_string(builder, out);
    case '{':
        builder->at++;
        *out = json_object();
        return 0;
    case '[':
        builder->at++;
        *out = json_array();
        return 0;
    case 't':
        builder->at += 4;
        *out = json_true();
        return 0;
    case 'f':
        builder->at += 5;
        *out = json_false();
        return 0;
    case 'n':
        builder->at += 4;
        *out = json_null();
        return 0;
    default:
        return build_number(builder, out);
    }
}

static int read_name(struct builder *builder, struct slice *out)
{
    int status = read_string(builder, &builder->name, out);
    if (status)
        return status;

    /* Only an escape can spell U+0000. */
    if (out->text == builder->name.data && memchr(out->text, '\0', out->len))
        return -EBADMSG;
    skip_space(builder);
    builder->at++; /* the colon */
    skip_space(builder);
    return 0;
}

/* Steals value, also on failure. */
static int attach(json_t *parent, const struct slice *name, json_t *value)
{
    int failed = name ? json_object_setn_new_nocheck(parent, name->text, name->len, value)
                      : json_array_append_new(parent, value);
    return failed ? -ENOMEM : 0;
}

/* One more value into the innermost container, or as the root. */
static int build_next(struct builder *builder, json_t **root)
{
    json_t *parent = builder->n_parents ? builder->parents[builder->n_parents - 1] : NULL;
    struct slice name;
    json_t *value = NULL;
    bool is_member = json_is_object(parent);

    int status = is_member ? read_name(builder, &name) : 0;
    if (!status)
        status = build_one(builder, &value);
    if (status)
        return status;
    if (!value)
        return -ENOMEM;

    if (parent)
        status = attach(parent, is_member ? &name : NULL, value);
    else
        *root = value;
    if (!status && (json_is_object(value) || json_is_array(value))) {
        if (builder->n_parents == JRI_READ_DEPTH)
            return -EBADMSG;
        builder->parents[builder->n_parents++] = value;
    }
    return status;
}

/* To the next value's or name's first byte: true, or false when nothing is open any more. */
static bool find_next(struct builder *builder)
{
    while (builder->n_parents) {
        skip_space(builder);
        char c = *builder->at;
        if (c == ']' || c == '}') {
            builder->n_parents--;
            builder->at++;
            continue;
        }
        if (c == ',') {
            builder->at++;
            skip_space(builder);
        }
        return true;
    }
    return false;
}

int jri_json_build(const char *text, size_t len, json_t **out)
{
    struct builder builder;
    json_t *root = NULL;
    int status;

    builder.at = text;
    builder.end = text + len;
    builder.n_parents = 0;
    init_scratch(&builder.name);
    init_scratch(&builder.value);

    skip_space(&builder);
    do
        status = build_next(&builder, &root);
    while (!status && find_next(&builder));

    fini_scratch(&builder.name);
    fini_scratch(&builder.value);
    if (status)
        json_decref(root);
    else
        *out = root;
    return status;
}
