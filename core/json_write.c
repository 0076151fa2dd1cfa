/* SPDX-License-Identifier: MIT */
/*
 * json_write.c - values to JSON text, appended to a buffer
 *
 * Text with nothing to escape is checked and copied in one pass, other text run by run. Trees are
 * walked with a stack of their own: how deep a value is costs no C stack beyond that.
 */
#include "json_write.h"

#include <math.h>

#include "number.h"
#include "text.h"

size_t jri_utf8_check(const char *text, size_t len)
{
    const char *at = text, *end = text + len;

    while ((at = jri_text_plain(at, end)) < end) {
        size_t n = jri_utf8_step(at, end);
        if (!n)
            break;
        at += n;
    }
    return (size_t)(at - text);
}

/* Where the longest beginning ends that needs no change: UTF-8 with nothing to escape. */
static const char *find_clean_end(const char *at, const char *end)
{
    while ((at = jri_text_plain(at, end)) < end && (unsigned char)*at >= 0x80) {
        size_t n;
        do {
            n = jri_utf8_step(at, end);
            at += n;
        } while (n && at < end && (unsigned char)*at >= 0x80);
        if (!n)
            break;
    }
    return at;
}

/* c is a quotation mark, a reverse solidus or a control character. */
static size_t write_escape(unsigned char c, char to[6])
{
    static const char hex[] = "0123456789abcdef";
    static const char letters[0x20] = {
        ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};

    to[0] = '\\';
    if (c >= 0x20 || letters[c]) {
        to[1] = c >= 0x20 ? (char)c : letters[c];
        return 2;
    }
    memcpy(to + 1, "u00", 3);
    to[4] = hex[c >> 4];
    to[5] = hex[c & 15];
    return 6;
}

/* Bytes of a maximal subpart (Unicode, section 3.9): the longest beginning of a character. */
static size_t skip_bad_utf8(const char *at, const char *end)
{
    char whole[4] = {at[0], (char)0x80, (char)0x80, (char)0x80};
    size_t n = 1;

    /* A beginning is what a few more tail bytes would complete. */
    for (; n < 4 && at + n < end && jri_utf8_is_tail(at[n]); n++) {
        whole[n] = at[n];
        if (jri_utf8_step(whole, whole + sizeof(whole)) <= n + 1)
            break;
    }
    return n;
}

/* Text with something to escape or to refuse; replacement: for bad UTF-8, or NULL to fail. */
static int write_dirty(jrpc_buf *buf, const char *text, size_t len, const char *replacement)
{
    const char *at = text, *end = text + len;
    int status = jri_buf_put(buf, '"');

    while (!status) {
        const char *dirty = find_clean_end(at, end);
        char escape[6];

        status = jri_buf_append(buf, at, (size_t)(dirty - at));
        if (status)
            break;
        if (dirty == end)
            return jri_buf_put(buf, '"');
        if ((unsigned char)*dirty < 0x80) {
            status = jri_buf_append(buf, escape, write_escape((unsigned char)*dirty, escape));
            at = dirty + 1;
        } else if (replacement) {
            status = jri_buf_append(buf, replacement, strlen(replacement));
            at = dirty + skip_bad_utf8(dirty, end);
        } else {
            status = -EILSEQ;
        }
    }
    return status;
}

/* Two pieces of equal length that cover a short text, maybe in part both. */
static inline uint64_t join_words(uint32_t low, uint32_t high)
{
    return (uint64_t)high << 32 | low;
}

static inline bool copy_short_plain(char *to, const char *text, size_t len)
{
    if (len >= 8) {
        uint64_t first, last;
        memcpy(&first, text, 8);
        memcpy(&last, text + len - 8, 8);
        memcpy(to, &first, 8);
        memcpy(to + len - 8, &last, 8);
        return !(jri_word_marks(first) | jri_word_marks(last));
    }
    if (len >= 4) {
        uint32_t first, last;
        memcpy(&first, text, 4);
        memcpy(&last, text + len - 4, 4);
        memcpy(to, &first, 4);
        memcpy(to + len - 4, &last, 4);
        return !jri_word_marks(join_words(first, last));
    }
    for (size_t i = 0; i < len; i++) {
        if (!jri_text_is_plain(text[i]))
            return false;
        to[i] = text[i];
    }
    return true;
}

/* Copies plain text; false if it is not all plain: then what was copied is of no use. */
static inline bool copy_plain(char *to, const char *text, size_t len)
{
    jri_marks marks = 0;
    size_t i = 0;

    if (len < 16)
        return copy_short_plain(to, text, len);
    for (; len - i > JRI_BLOCK; i += JRI_BLOCK) {
        memcpy(to + i, text + i, JRI_BLOCK);
        marks |= jri_block_marks(text + i);
    }
    memcpy(to + len - JRI_BLOCK, text + len - JRI_BLOCK, JRI_BLOCK);
    return !(marks | jri_block_marks(text + len - JRI_BLOCK));
}

static inline int write_string(jrpc_buf *buf, const char *text, size_t len, const char *replacement)
{
    int status = jri_buf_reserve(buf, len + 2);
    if (status)
        return status;

    char *to = buf->data + buf->len;
    if (JRI_UNLIKELY(!copy_plain(to + 1, text, len)))
        return write_dirty(buf, text, len, replacement);
    to[0] = '"';
    to[len + 1] = '"';
    buf->len += len + 2;
    return 0;
}

bool jri_string_to_text(const char *text, size_t len, char *to)
{
    to[0] = '"';
    to[len + 1] = '"';
    return copy_plain(to + 1, text, len);
}

int jri_write_string(jrpc_buf *buf, const char *text, size_t len)
{
    return write_string(buf, text, len, /* replacement */ NULL);
}

int jri_write_text(jrpc_buf *buf, const char *text, size_t len)
{
    return write_string(buf, text, len, "\xEF\xBF\xBD");
}

int jri_write_integer(jrpc_buf *buf, int64_t value)
{
    char text[JRI_NUMBER_MAX];
    return jri_buf_append(buf, text, jri_int64_to_text(value, text));
}

static int write_real(jrpc_buf *buf, double value)
{
    char text[JRI_NUMBER_MAX];

    if (!isfinite(value))
        return -EINVAL;
    return jri_buf_append(buf, text, jri_real_to_text(value, text));
}

int jri_write_number(jrpc_buf *buf, double value)
{
    const double exact = 9007199254740992.0;

    if (value >= -exact && value <= exact) {
        int64_t whole = (int64_t)value;
        double back = (double)whole;
        if (back <= value && back >= value)
            return jri_write_integer(buf, whole);
    }
    return write_real(buf, value);
}

/* A container being written and how far. */
struct level {
    json_t *container;
    void *iter; /* of an object: the member to write next */
    size_t n_written;
};

static inline int write_member(jrpc_buf *buf, struct level *level, json_t **value)
{
    int status;

    if (!level->iter)
        return 0;
    if (level->n_written++ && (status = jri_buf_put(buf, ',')))
        return status;
    status = jri_write_string(buf, json_object_iter_key(level->iter),
                              json_object_iter_key_len(level->iter));
    if (status || (status = jri_buf_put(buf, ':')))
        return status;
    *value = json_object_iter_value(level->iter);
    level->iter = json_object_iter_next(level->container, level->iter);
    return 1;
}

static inline int write_item(jrpc_buf *buf, struct level *level, json_t **value)
{
    int status;

    if (level->n_written == json_array_size(level->container))
        return 0;
    if (level->n_written && (status = jri_buf_put(buf, ',')))
        return status;
    *value = json_array_get(level->container, level->n_written++);
    return 1;
}

static int write_scalar(jrpc_buf *buf, const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_STRING:
        return jri_write_string(buf, json_string_value(value), json_string_length(value));
    case JSON_INTEGER:
        return jri_write_integer(buf, json_integer_value(value));
    case JSON_REAL:
        return write_real(buf, json_real_value(value));
    case JSON_TRUE:
        return jri_buf_append_literal(buf, "true");
    case JSON_FALSE:
        return jri_buf_append_literal(buf, "false");
    default:
        return jri_buf_append_literal(buf, "null");
    }
}

/* Leaves the containers that end here: 1 and the next value, 0 when none is open, or failure. */
static int find_next(jrpc_buf *buf, struct level *levels, size_t *n_levels, json_t **value)
{
    while (*n_levels) {
        struct level *level = &levels[*n_levels - 1];
        bool is_object = json_is_object(level->container);
        int more = is_object ? write_member(buf, level, value) : write_item(buf, level, value);
        if (more)
            return more;

        int status = jri_buf_put(buf, is_object ? '}' : ']');
        if (status)
            return status;
        --*n_levels;
    }
    return 0;
}

int jri_write_json(jrpc_buf *buf, const json_t *root)
{
    struct level levels[JRI_WRITE_DEPTH];
    size_t n_levels = 0;
    /* jansson's iterators want it without const, but change nothing. */
    json_t *value = (json_t *)(uintptr_t)root;
    int more = value ? 1 : -ENOMEM;

    while (more > 0) {
        int status;
        if (json_is_object(value) || json_is_array(value)) {
            bool is_object = json_is_object(value);
            if (n_levels == JRI_WRITE_DEPTH)
                return -E2BIG;
            levels[n_levels++] = (struct level){.container = value,
                                                .iter = is_object ? json_object_iter(value) : NULL};
            status = jri_buf_put(buf, is_object ? '{' : '[');
        } else {
            status = write_scalar(buf, value);
        }
        more = status ? status : find_next(buf, levels, &n_levels, &value);
    }
    return more;
}
