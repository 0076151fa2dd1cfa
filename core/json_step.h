/* SPDX-License-Identifier: MIT */
/*
 * json_step.h - the reader's steps, inline; included by json_read.h and by nothing else
 *
 * Small messages are nearly all short names and short scalars. These are read in place; anything
 * else, and every failure, is left to the functions named _slow, which take the step anew.
 */
#ifndef JRI_JSON_STEP_H
#define JRI_JSON_STEP_H

extern const uint8_t jri_read_types[256];

int jri_read_value_slow(jri_reader *reader, jri_value *out);
int jri_read_enter_slow(jri_reader *reader);
int jri_read_name_slow(jri_reader *reader, jri_value *out);
int jri_read_next_slow(jri_reader *reader, char close);
const char *jri_read_space(const char *at, const char *end);

static inline void jri_read_begin(jri_reader *reader, const char *text, size_t len,
                                  uint32_t depth_max, uint32_t values_max)
{
    *reader = (jri_reader){
        .at = text,
        .end = len ? text + len : text,
        .start = text,
        .depth_max = depth_max,
        .values_max = values_max,
    };
}

/* Behind the white space at `at`: mostly none, or one space. */
static inline const char *jri_read_skip(const char *at, const char *end)
{
    if (at == end || (unsigned char)*at > ' ')
        return at;
    if (*at == ' ' && end - at > 1 && (unsigned char)at[1] > ' ')
        return at + 1;
    return jri_read_space(at, end);
}

/* at: an opening quotation mark. Behind the closing one if what is between is short and plain,
 * else NULL. */
static inline const char *jri_read_short(const jri_reader *reader, const char *at)
{
    const char *end = reader->end;
    ptrdiff_t room = end - ++at;
    jri_marks marks = 0;

    if (JRI_LIKELY(room >= JRI_BLOCK))
        marks = jri_block_marks(at);
    else if (room > 0 && end - reader->start >= JRI_BLOCK)
        marks = jri_block_last_marks(end, (size_t)room);
    if (JRI_UNLIKELY(!marks))
        return NULL;
    at += jri_block_first(marks);
    return JRI_LIKELY(*at == '"') ? at + 1 : NULL;
}

/* Behind the digits at `at`, which is before the end. */
static inline const char *jri_read_skip_digits(const jri_reader *reader, const char *at)
{
    const char *end = reader->end;
    size_t room = (size_t)(end - at);

    if (JRI_LIKELY(room >= 8))
        at += jri_word_digits(jri_word_load(at));
    else if (JRI_LIKELY(end - reader->start >= 8))
        return at + jri_word_digits(jri_word_load(end - 8) >> (64 - 8 * room)); /* then 0 bytes */
    while (JRI_UNLIKELY(at < end && (unsigned char)(*at - '0') < 10))
        at++;
    return at;
}

/* at: a digit. Behind a whole number that ends before the text, else NULL. */
static inline const char *jri_read_digits(const jri_reader *reader, const char *at)
{
    const char *first = at, *end = reader->end;

    at = jri_read_skip_digits(reader, at);
    if (at == end || (*first == '0' && at - first > 1) || *at == '.' || (*at | 0x20) == 'e')
        return NULL;
    return at;
}

static inline void jri_value_set(jri_value *out, uint8_t type, const char *text, const char *end)
{
    out->text = text;
    out->len = (uint32_t)(end - text);
    out->type = type;
    out->flags = 0;
    out->json = NULL;
}

static inline jrpc_type jri_read_type(jri_reader *reader)
{
    reader->at = jri_read_skip(reader->at, reader->end);
    return reader->at < reader->end ? jri_read_types[(unsigned char)*reader->at] : JRPC_ABSENT;
}

static inline int jri_read_value(jri_reader *reader, jri_value *out)
{
    const char *at = jri_read_skip(reader->at, reader->end), *behind = NULL;
    uint8_t type = JRPC_STRING;

    if (JRI_UNLIKELY(at == reader->end || reader->n_values == reader->values_max))
        return jri_read_value_slow(reader, out);
    if (*at == '"') {
        behind = jri_read_short(reader, at);
    } else if ((unsigned char)(*at - '0') < 10) {
        behind = jri_read_digits(reader, at);
        type = JRPC_INTEGER;
    }
    if (JRI_UNLIKELY(!behind))
        return jri_read_value_slow(reader, out);

    reader->n_values++;
    reader->at = behind;
    jri_value_set(out, type, at, behind);
    return 0;
}

static inline int jri_read_enter(jri_reader *reader)
{
    const char *at = reader->at;
    bool has_member = reader->end - at > 1 && (unsigned char)at[1] > ' ' && at[1] != *at + 2;

    if (JRI_UNLIKELY(!has_member || reader->depth == reader->depth_max ||
                     reader->n_values == reader->values_max))
        return jri_read_enter_slow(reader);
    reader->n_values++;
    reader->depth++;
    reader->at = at + 1;
    return 1;
}

static inline int jri_read_name(jri_reader *reader, jri_value *out)
{
    const char *at = reader->at, *behind = NULL;

    if (at < reader->end && *at == '"')
        behind = jri_read_short(reader, at);
    if (JRI_UNLIKELY(!behind || behind == reader->end || *behind != ':'))
        return jri_read_name_slow(reader, out);

    reader->at = behind + 1;
    jri_value_set(out, JRPC_STRING, at, behind);
    return 0;
}

static inline bool jri_read_known(jri_reader *reader, const char *known, size_t len)
{
    if ((size_t)(reader->end - reader->at) < len || memcmp(reader->at, known, len) != 0)
        return false;
    reader->at += len;
    return true;
}

static inline int jri_read_next(jri_reader *reader, char close)
{
    const char *at = reader->at;

    if (JRI_LIKELY(at < reader->end) && *at == ',') {
        reader->at = jri_read_skip(at + 1, reader->end);
        return 1;
    }
    if (JRI_UNLIKELY(at == reader->end || *at != close))
        return jri_read_next_slow(reader, close);
    reader->at = at + 1;
    reader->depth--;
    return 0;
}

#endif
