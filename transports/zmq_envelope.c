/* SPDX-License-Identifier: MIT */
/*
 * zmq_envelope.c - what stands before the payload of a ZeroMQ message
 *
 * Nothing is stored beyond what has to be echoed, however many frames come and however long.
 */
#include "zmq_envelope.h"

#include <errno.h>
#include <string.h>

static void pack(unsigned char *to, const void *frame, size_t len)
{
    *to = (unsigned char)len;
    memcpy(to + 1, frame, len);
}

static void add_to_route(jri_zmq_reader *reader, const void *frame, size_t len)
{
    pack(reader->route + reader->route_len, frame, len);
    reader->route_len = (uint16_t)(reader->route_len + 1 + len);
    reader->n_route++;
}

static void add_to_envelope(jri_zmq_reader *reader, const void *frame, size_t len)
{
    jri_zmq_envelope *envelope = &reader->envelope;

    if (len > JRI_ZMQ_FRAME_MAX || envelope->len + 1 + len > sizeof(envelope->data)) {
        reader->is_over = true;
        return;
    }
    pack(envelope->data + envelope->len, frame, len);
    envelope->len = (uint16_t)(envelope->len + 1 + len);
}

void jri_zmq_reader_add(jri_zmq_reader *reader, const void *frame, size_t len)
{
    if (reader->envelope.is_delimited)
        reader->has_payload = true;
    else if (!len && reader->n_route)
        reader->envelope.is_delimited = true;
    else if (reader->n_route < reader->n_route_max && len <= JRI_ZMQ_FRAME_MAX)
        add_to_route(reader, frame, len);
    else
        add_to_envelope(reader, frame, len);
}

int jri_zmq_reader_end(jri_zmq_reader *reader)
{
    jri_zmq_envelope *envelope = &reader->envelope;

    if (!envelope->is_delimited && (envelope->len || reader->is_over)) {
        envelope->len = 0; /* it was no envelope: a bare peer sent more than one frame */
        return -EBADMSG;
    }
    if (reader->is_over || reader->n_route < (reader->n_route_max > 0))
        return -E2BIG;
    return reader->has_payload ? -EBADMSG : 0;
}
