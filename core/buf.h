/* SPDX-License-Identifier: MIT */
/*
 * buf.h - a growable run of bytes with a limit
 *
 * Invariants: len + tail <= cap, so that `tail` more bytes can be appended without memory: room
 * promised to error answers still to come. data is NULL only while cap is 0. A failed append
 * changes nothing; jri_buf_truncate() back to a mark undoes any number of appends.
 */
#ifndef JRI_BUF_H
#define JRI_BUF_H

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include <jrpc/codec.h>

struct jrpc_buf {
    char *data;
    size_t len, cap;
    size_t max;  /* len never grows past it, but for the tail */
    size_t tail; /* bytes kept free behind len */
};

void jri_buf_init(jrpc_buf *buf, size_t max);
void jri_buf_fini(jrpc_buf *buf);

/* The slow half of jri_buf_reserve(): 0, -EMSGSIZE (over max) or -ENOMEM. */
int jri_buf_grow(jrpc_buf *buf, size_t n);

int jri_buf_grow_tail(jrpc_buf *buf, size_t tail);

/* Changes the promise: 0, or -ENOMEM and the old promise stands. Not subject to max. */
static inline int jri_buf_set_tail(jrpc_buf *buf, size_t tail)
{
    if (tail > buf->cap - buf->len)
        return jri_buf_grow_tail(buf, tail);
    buf->tail = tail;
    return 0;
}

/* Room for n more bytes at data + len, which the caller fills and adds to len: 0 or as grow. */
static inline int jri_buf_reserve(jrpc_buf *buf, size_t n)
{
    /* cap >= len + tail always, so this cannot wrap; over max, the subtraction must not. */
    if (n <= buf->cap - buf->len - buf->tail && buf->len + n <= buf->max)
        return 0;
    return jri_buf_grow(buf, n);
}

static inline int jri_buf_append(jrpc_buf *buf, const void *data, size_t len)
{
    int status = jri_buf_reserve(buf, len);
    if (status)
        return status;
    memcpy(buf->data + buf->len, data, len);
    buf->len += len;
    return 0;
}

static inline int jri_buf_put(jrpc_buf *buf, char c)
{
    int status = jri_buf_reserve(buf, 1);
    if (status)
        return status;
    buf->data[buf->len++] = c;
    return 0;
}

/* Empty again, ready for the next message; memory over `keep` bytes is given back. */
static inline void jri_buf_clear(jrpc_buf *buf, size_t keep)
{
    buf->len = 0;
    buf->tail = 0;
    if (buf->cap > keep)
        jri_buf_fini(buf);
}

static inline void jri_buf_truncate(jrpc_buf *buf, size_t len)
{
    buf->len = len;
}

#define jri_buf_append_literal(buf, literal) jri_buf_append((buf), "" literal, sizeof(literal) - 1)

#endif
