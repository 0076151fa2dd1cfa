/* SPDX-License-Identifier: MIT */
/*
 * buffer.c - what transport authors may do with a buffer besides appending
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <jrpc/transport.h>

#include "../core/buf.h"

int jrpc_buf_new(size_t max, jrpc_buf **out)
{
    if (!out)
        return -EINVAL;

    jrpc_buf *buf = malloc(sizeof(*buf));
    if (!buf)
        return -ENOMEM;
    jri_buf_init(buf, max);
    *out = buf;
    return 0;
}

void jrpc_buf_free(jrpc_buf *buf)
{
    if (buf)
        jri_buf_fini(buf);
    free(buf);
}

char *jrpc_buf_data(jrpc_buf *buf, size_t *len)
{
    if (len)
        *len = buf ? buf->len : 0;
    return buf ? buf->data : NULL;
}

char *jrpc_buf_reserve(jrpc_buf *buf, size_t len)
{
    return buf && !jri_buf_reserve(buf, len) ? buf->data + buf->len : NULL;
}

void jrpc_buf_advance(jrpc_buf *buf, size_t len)
{
    if (buf && len <= buf->cap - buf->len)
        buf->len += len;
}

void jrpc_buf_truncate(jrpc_buf *buf, size_t len)
{
    if (buf && len < buf->len)
        jri_buf_truncate(buf, len);
}

void jrpc_buf_consume(jrpc_buf *buf, size_t len)
{
    if (!buf || !buf->len || !len)
        return;
    if (len > buf->len)
        len = buf->len;
    memmove(buf->data, buf->data + len, buf->len - len);
    buf->len -= len;
}

char *jrpc_buf_detach(jrpc_buf *buf, size_t *len)
{
    if (len)
        *len = buf ? buf->len : 0;
    if (!buf || !buf->len)
        return NULL;

    char *data = buf->data;
    jri_buf_init(buf, buf->max);
    return data;
}
