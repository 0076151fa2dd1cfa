/* SPDX-License-Identifier: MIT */
/*
 * trim.c - JSON text shortened for the log
 *
 * One pass over the text, whatever the nesting: the middle of an array is known only at its end,
 * so everything is copied, each level remembers where its last elements begin, and a finished
 * array's middle is marked as a gap. Closing the gaps is a second pass over the copy; closing
 * each at once would move the same bytes once for every level around them.
 */
#include "trim.h"

#include <stdlib.h>

#include "json_read.h"
#include "text.h"

enum { N_LEVELS_MIN = 16 };

/* An array or object that has been entered. Offsets are into the buffer. */
struct level {
    char close;
    size_t n_members;             /* begun */
    size_t head_end;              /* behind the first elements that are kept */
    size_t starts[JRI_TRIM_KEPT]; /* where the last ones begin, with their comma; a ring */
};

struct trimmer {
    jri_reader reader;
    jrpc_buf *buf;
    struct level *levels;
    size_t depth, n_levels;
};

static const char ellipsis[] = "\"...\"";

/* Behind a character of a validated string, however it is spelled. */
static const char *skip_character(const char *at, const char *end)
{
    if (*at != '\\')
        return at + jri_utf8_step(at, end);
    if (at[1] != 'u')
        return at + 2;

    /* \uD800 to \uDBFF is the first half of one character. */
    bool is_pair = (at[2] == 'd' || at[2] == 'D') && strchr("89abAB", at[3]);
    return at + (is_pair ? 12 : 6);
}

static int add_string(jrpc_buf *buf, const jri_value *string)
{
    const char *starts[JRI_TRIM_KEPT] = {NULL}, *head_end = NULL;
    const char *at = string->text + 1, *end = string->text + string->len - 1;
    size_t n = 0;

    if (end - at <= JRI_TRIM_MAX) /* no character takes less than a byte */
        return jri_buf_append(buf, string->text, string->len);

    for (; at < end; n++) {
        if (n == JRI_TRIM_KEPT)
            head_end = at;
        starts[n % JRI_TRIM_KEPT] = at;
        at = skip_character(at, end);
    }
    if (n <= JRI_TRIM_MAX)
        return jri_buf_append(buf, string->text, string->len);

    const char *tail = starts[n % JRI_TRIM_KEPT];
    int status = jri_buf_append(buf, string->text, (size_t)(head_end - string->text));
    if (!status)
        status = jri_buf_append_literal(buf, "...");
    if (!status)
        status = jri_buf_append(buf, tail, (size_t)(end + 1 - tail));
    return status;
}

/* A gap from there to there is written into the bytes it drops: the ellipsis, a NUL, which valid
 * JSON cannot hold, and its length. They suffice: more than ten elements are dropped. */
static void mark_gap(jrpc_buf *buf, size_t from, size_t to)
{
    char *at = buf->data + from;

    *at++ = ',';
    at = (char *)memcpy(at, ellipsis, strlen(ellipsis)) + strlen(ellipsis);
    size_t len = (size_t)(buf->data + to - at);
    *at++ = '\0';
    memcpy(at, &len, sizeof(len));
}

/* A gap within a gap goes with it. */
static void close_gaps(jrpc_buf *buf, size_t mark)
{
    char *to = buf->data + mark, *from = to, *end = buf->data + buf->len;

    while (from < end) {
        char *gap = memchr(from, '\0', (size_t)(end - from));
        size_t n = (size_t)((gap ? gap : end) - from), len = 0;

        memmove(to, from, n);
        to += n;
        from += n;
        if (gap) {
            memcpy(&len, gap + 1, sizeof(len));
            from += len;
        }
    }
    jri_buf_truncate(buf, (size_t)(to - buf->data));
}

static int push(struct trimmer *trimmer, char close)
{
    if (trimmer->depth == trimmer->n_levels) {
        size_t n = trimmer->n_levels ? trimmer->n_levels * 2 : N_LEVELS_MIN;
        struct level *levels = realloc(trimmer->levels, n * sizeof(*levels));
        if (!levels)
            return -ENOMEM;
        trimmer->levels = levels;
        trimmer->n_levels = n;
    }
    trimmer->levels[trimmer->depth++] = (struct level){.close = close};
    return 0;
}

static int pop(struct trimmer *trimmer)
{
    const struct level *level = &trimmer->levels[--trimmer->depth];

    if (level->close == ']' && level->n_members > JRI_TRIM_MAX)
        mark_gap(trimmer->buf, level->head_end, level->starts[level->n_members % JRI_TRIM_KEPT]);
    return jri_buf_put(trimmer->buf, level->close);
}

/* What stands before a member's value: a comma, a name. */
static int begin_member(struct trimmer *trimmer)
{
    struct level *level = &trimmer->levels[trimmer->depth - 1];
    jrpc_buf *buf = trimmer->buf;
    jri_value name;

    if (level->n_members == JRI_TRIM_KEPT)
        level->head_end = buf->len;
    level->starts[level->n_members % JRI_TRIM_KEPT] = buf->len;

    int status = level->n_members++ ? jri_buf_put(buf, ',') : 0;
    if (status || level->close == ']')
        return status;
    status = jri_read_name(&trimmer->reader, &name);
    if (!status)
        status = jri_buf_append(buf, name.text, name.len);
    if (!status)
        status = jri_buf_put(buf, ':');
    return status;
}

/* A value begins: 0 all of it is added, 1 it has members and the first one's value is next. */
static int begin_value(struct trimmer *trimmer)
{
    jri_reader *reader = &trimmer->reader;
    jrpc_type type = jri_read_type(reader);
    jri_value value;

    if (type != JRPC_ARRAY && type != JRPC_OBJECT) {
        int status = jri_read_value(reader, &value);
        if (status)
            return status;
        return type == JRPC_STRING ? add_string(trimmer->buf, &value)
                                   : jri_buf_append(trimmer->buf, value.text, value.len);
    }

    int has_members = jri_read_enter(reader);
    if (has_members < 0)
        return has_members;
    int status = jri_buf_put(trimmer->buf, type == JRPC_ARRAY ? '[' : '{');
    if (!status)
        status = push(trimmer, type == JRPC_ARRAY ? ']' : '}');
    if (!status)
        status = has_members ? begin_member(trimmer) : pop(trimmer);
    return status ? status : has_members;
}

/* A value is complete: 1 the next one's turn has come, 0 it was the last, of the whole text. */
static int end_value(struct trimmer *trimmer)
{
    int status = 0;

    while (!status && trimmer->depth) {
        int has_more = jri_read_next(&trimmer->reader, trimmer->levels[trimmer->depth - 1].close);
        if (has_more < 0)
            return has_more;
        status = has_more ? begin_member(trimmer) : pop(trimmer);
        if (!status && has_more)
            return 1;
    }
    return status;
}

int jri_trim_json(jrpc_buf *buf, const char *text, size_t len)
{
    struct trimmer trimmer = {.buf = buf};
    size_t mark = buf->len;
    int status = 1;

    if (len > UINT32_MAX)
        return -EBADMSG;
    jri_read_begin(&trimmer.reader, text, len, JRI_READ_DEPTH, UINT32_MAX);
    while (status > 0) {
        status = begin_value(&trimmer);
        if (status == 0)
            status = end_value(&trimmer);
    }
    if (!status)
        status = jri_read_end(&trimmer.reader);

    if (status)
        jri_buf_truncate(buf, mark);
    else
        close_gaps(buf, mark);
    free(trimmer.levels);
    return status;
}
