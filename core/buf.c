/* SPDX-License-Identifier: MIT */
/*
 * buf.c - a growable run of bytes with a limit: growing, and the public half
 */
#define _GNU_SOURCE
#include "buf.h"

#include <stdint.h>
#include <stdlib.h>

enum { CAP_MIN = 512 };

void jri_buf_init(jrpc_buf *buf, size_t max)
{
    *buf = (jrpc_buf){.max = max};
}

void jri_buf_fini(jrpc_buf *buf)
{
    free(buf->data);
    jri_buf_init(buf, buf->max);
}

/* Capacity for need bytes, at least doubling so that appends are linear in all. */
static int resize(jrpc_buf *buf, size_t need)
{
    size_t cap = buf->cap < CAP_MIN ? CAP_MIN : buf->cap;
    while (cap < need)
        cap = cap > SIZE_MAX / 2 ? need : cap * 2;

    char *data = realloc(buf->data, cap);
    if (!data)
        return -ENOMEM;
    buf->data = data;
    buf->cap = cap;
    return 0;
}

int jri_buf_grow(jrpc_buf *buf, size_t n)
{
    if (buf->len > buf->max || n > buf->max - buf->len)
        return -EMSGSIZE;
    if (n <= buf->cap - buf->len - buf->tail)
        return 0;
    if (n > SIZE_MAX - buf->len - buf->tail)
        return -ENOMEM;
    return resize(buf, buf->len + n + buf->tail);
}

int jri_buf_grow_tail(jrpc_buf *buf, size_t tail)
{
    if (tail > SIZE_MAX - buf->len)
        return -ENOMEM;
    int status = resize(buf, buf->len + tail);
    if (!status)
        buf->tail = tail;
    return status;
}

int jrpc_buf_append(jrpc_buf *buf, const void *data, size_t len)
{
    if (!buf || (!data && len))
        return -EINVAL;
    return len ? jri_buf_append(buf, data, len) : 0;
}
