/* SPDX-License-Identifier: MIT */
/*
 * web_frame.c - WebSocket frames made by us, and HTTP bodies in chunks: pure functions
 */
#include "web_frame.h"

#include <errno.h>

size_t jri_web_frame_header(bool is_binary, size_t len, unsigned char to[JRI_FRAME_HEADER_MAX])
{
    size_t n_bytes = len < 126 ? 0 : len < 65536 ? 2 : 8;

    to[0] = is_binary ? 0x82 : 0x81;
    to[1] = n_bytes == 0 ? (unsigned char)len : n_bytes == 2 ? 126 : 127;
    for (size_t i = 0; i < n_bytes; i++)
        to[2 + i] = (unsigned char)((uint64_t)len >> (8 * (n_bytes - 1 - i)));
    return 2 + n_bytes;
}

size_t jri_web_frames_end(const unsigned char *frames, size_t len, size_t least)
{
    size_t end = 0;

    while (end < least && end < len) {
        const unsigned char *at = frames + end;
        size_t n_bytes = at[1] < 126 ? 0 : at[1] == 126 ? 2 : 8;
        uint64_t payload = n_bytes ? 0 : at[1];
        for (size_t i = 0; i < n_bytes; i++)
            payload = payload << 8 | at[2 + i];
        end += 2 + n_bytes + (size_t)payload;
    }
    return end;
}

enum {
    SIZE,       /* digits */
    EXTENSION,  /* the rest of their line */
    SIZE_LF,    /* the end of that */
    DATA,       /* the chunk's bytes */
    DATA_CR,    /* their end */
    DATA_LF,    /* the end of that */
    LINE_START, /* behind the last chunk: a trailer, or the empty line */
    TRAILER,    /* skipped */
    TRAILER_LF, /* its end */
    LAST_LF,    /* the end of the empty line */
    ENDED
};

enum {
    DIGITS_MAX = 15,
    LINE_MAX = 4096 /* bytes of an extension or of all trailers, which nobody needs */
};

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static int read_size(jri_web_chunks *chunks, char c)
{
    int digit = digit_of(c);

    if (digit >= 0) {
        chunks->left = chunks->left * 16 + (unsigned)digit;
        return ++chunks->n_digits > DIGITS_MAX ? -EBADMSG : SIZE;
    }
    if (!chunks->n_digits)
        return -EBADMSG;
    return c == '\r' ? SIZE_LF : c == ';' || c == ' ' || c == '\t' ? EXTENSION : -EBADMSG;
}

/* A byte of an extension or a trailer: the next state. */
static int skip(jri_web_chunks *chunks, char c, int same, int behind)
{
    if (++chunks->n_line > LINE_MAX || c == '\n')
        return -EBADMSG;
    return c == '\r' ? behind : same;
}

/* A byte that is not of a chunk: the next state, or -EBADMSG. */
static int step(jri_web_chunks *chunks, char c)
{
    switch (chunks->state) {
    case SIZE:
        return read_size(chunks, c);
    case EXTENSION:
        return skip(chunks, c, EXTENSION, SIZE_LF);
    case SIZE_LF:
        return c != '\n' ? -EBADMSG : chunks->left ? DATA : LINE_START;
    case DATA_CR:
        return c == '\r' ? DATA_LF : -EBADMSG;
    case DATA_LF:
        chunks->n_digits = 0;
        return c == '\n' ? SIZE : -EBADMSG;
    case LINE_START:
        return c == '\r' ? LAST_LF : skip(chunks, c, TRAILER, TRAILER);
    case TRAILER:
        return skip(chunks, c, TRAILER, TRAILER_LF);
    case TRAILER_LF:
        return c == '\n' ? LINE_START : -EBADMSG;
    default:
        return c == '\n' ? ENDED : -EBADMSG;
    }
}

int jri_web_chunks_next(jri_web_chunks *chunks, const char **at, const char *end,
                        const char **piece, size_t *piece_len)
{
    while (*at < end && chunks->state != ENDED) {
        if (chunks->state == DATA) {
            size_t room = (size_t)(end - *at);
            *piece = *at;
            *piece_len = chunks->left < room ? (size_t)chunks->left : room;
            *at += *piece_len;
            chunks->left -= *piece_len;
            if (!chunks->left)
                chunks->state = DATA_CR;
            return 1;
        }
        int next = step(chunks, *(*at)++);
        if (next < 0)
            return next;
        chunks->state = (uint8_t)next;
    }
    return chunks->state == ENDED ? 2 : 0;
}

uint64_t jri_web_chunks_due(const jri_web_chunks *chunks)
{
    return chunks->state == DATA ? chunks->left : 0;
}
