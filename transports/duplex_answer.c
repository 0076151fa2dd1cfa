/* SPDX-License-Identifier: MIT */
/*
 * duplex_answer.c - the frame around an answer, in the buffer that it was written to
 *
 * Room for the longest header is left before the answer; when its length is known, the header is
 * put there and the answer moved up to it.
 */
#include "duplex.h"

#include <string.h>

#include "../core/text.h"

jrpc_buf *jri_duplex_answer_begin(void *peer, void *exchange)
{
    jri_duplex *duplex = peer;

    (void)exchange;
    jrpc_buf_truncate(duplex->output, duplex->ready); /* what was begun and not ended */
    if (duplex->framing.mode == JRI_FRAMING_HEADER) {
        if (!jrpc_buf_reserve(duplex->output, JRI_FRAMING_HEADER_MAX))
            return NULL;
        jrpc_buf_advance(duplex->output, JRI_FRAMING_HEADER_MAX);
    }
    return duplex->output;
}

static __attribute__((noinline)) int put_header(jri_duplex *duplex, jrpc_buf *buf, size_t start)
{
    char header[JRI_FRAMING_HEADER_MAX];
    size_t end;
    char *data = jrpc_buf_data(buf, &end);

    size_t header_len = jri_framing_header(duplex->framing.mode, end - start, header);
    memcpy(data + duplex->ready, header, header_len);
    memmove(data + duplex->ready + header_len, data + start, end - start);
    duplex->ready += header_len + (end - start);
    jrpc_buf_truncate(buf, duplex->ready);
    return 0;
}

_Static_assert(JRI_FRAMING_TRAILER_MAX == 1, "room for a byte is behind every answer");

static int end_line(jri_duplex *duplex, jrpc_buf *buf, size_t start)
{
    size_t end;
    char *data = jrpc_buf_data(buf, &end);

    jrpc_buf_advance(buf, jri_framing_trailer(duplex->framing.mode, data + end));
    jrpc_buf_data(buf, &duplex->ready);
    if (jrpc_listener_codec(duplex->owner)) /* in JSON of our own are no line ends */
        jri_text_flatten(data + start, end - start);
    return 0;
}

int jri_duplex_answer_end(void *peer, void *exchange, jrpc_buf *buf, size_t start, int http_status)
{
    jri_duplex *duplex = peer;
    size_t end;

    (void)exchange;
    (void)http_status;
    jrpc_buf_data(buf, &end);
    if (end == start) {
        jrpc_buf_truncate(buf, duplex->ready);
        return 0;
    }
    if (duplex->framing.mode == JRI_FRAMING_HEADER)
        return put_header(duplex, buf, start);
    return end_line(duplex, buf, start);
}
