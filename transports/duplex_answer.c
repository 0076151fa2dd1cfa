/* SPDX-License-Identifier: MIT */
/*
 * duplex_answer.c - the frame around an answer, in the buffer that it was written to
 *
 * Room for the longest header is left before the answer; when its length is known, the header is
 * put there and the answer moved up to it.
 */
#include "duplex.h"

#include <errno.h>
#include <string.h>

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

int jri_duplex_answer_end(void *peer, void *exchange, jrpc_buf *buf, size_t start, int http_status)
{
    jri_duplex *duplex = peer;
    char header[JRI_FRAMING_HEADER_MAX];
    size_t end;
    char *data = jrpc_buf_data(buf, &end);

    (void)exchange;
    (void)http_status;
    if (end == start) {
        jrpc_buf_truncate(buf, duplex->ready);
        return 0;
    }
    if (duplex->framing.mode == JRI_FRAMING_HEADER) {
        size_t header_len = jri_framing_header(duplex->framing.mode, end - start, header);
        memcpy(data + duplex->ready, header, header_len);
        memmove(data + duplex->ready + header_len, data + start, end - start);
        jrpc_buf_truncate(buf, duplex->ready + header_len + (end - start));
    } else if (jrpc_listener_codec(duplex->owner)) {
        jri_framing_flatten(data + start, end - start); /* in JSON of our own are no line ends */
    }
    char *trailer = jrpc_buf_reserve(buf, JRI_FRAMING_TRAILER_MAX);
    if (!trailer)
        return -ENOMEM;
    jrpc_buf_advance(buf, jri_framing_trailer(duplex->framing.mode, trailer));
    jrpc_buf_data(buf, &duplex->ready);
    return 0;
}
