/* SPDX-License-Identifier: MIT */
/*
 * zmq_envelope.h - what stands before the payload of a ZeroMQ message
 *
 *     message  = route envelope payload
 *     route    = frame [ frame ]              who sent it: what the answer begins with
 *     envelope = *frame [ empty frame ]       echoed with the answer
 *
 * The route is one frame, or two where a broker hands on the messages of its clients. A REQ sends
 * the empty frame, the delimiter, a correlated one a frame before it; a bare DEALER nothing at all.
 * The payload is one frame, the last.
 *
 * Pure: frames in, verdict out.
 */
#ifndef JRI_ZMQ_ENVELOPE_H
#define JRI_ZMQ_ENVELOPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    JRI_ZMQ_FRAME_MAX = 255,                         /* of a route or an envelope: as libzmq's */
    JRI_ZMQ_ROUTE_MAX = 2 * (1 + JRI_ZMQ_FRAME_MAX), /* bytes, packed */
    JRI_ZMQ_ENVELOPE_MAX = 256,                      /* bytes, packed: more hops than there are */
};

/* Frames one behind the other, each behind a byte with its length. */
typedef struct jri_zmq_envelope {
    uint16_t len;
    bool is_delimited; /* the empty frame follows */
    unsigned char data[JRI_ZMQ_ENVELOPE_MAX];
} jri_zmq_envelope;

/* A message that is being read. */
typedef struct jri_zmq_reader {
    uint8_t n_route_max; /* 1 or 2 */
    uint8_t n_route;
    bool is_over;     /* the envelope is too long */
    bool has_payload; /* a frame behind the delimiter that is not the last */
    uint16_t route_len;
    unsigned char route[JRI_ZMQ_ROUTE_MAX];
    jri_zmq_envelope envelope;
} jri_zmq_reader;

/* Before the first frame of each message; n_route_max was set. */
static inline void jri_zmq_reader_begin(jri_zmq_reader *reader)
{
    reader->n_route = 0;
    reader->is_over = reader->has_payload = false;
    reader->route_len = 0;
    reader->envelope.len = 0;
    reader->envelope.is_delimited = false;
}

/* Each frame but the last. */
void jri_zmq_reader_add(jri_zmq_reader *reader, const void *frame, size_t len);

/**
 * jri_zmq_reader_end() - the frame now at hand is the last
 *
 * Return: 0: it is the payload; -EBADMSG: there is more than one payload frame, to be told to the
 * route with the envelope; -E2BIG: the envelope is too long to be echoed: nobody can be answered.
 */
int jri_zmq_reader_end(jri_zmq_reader *reader);

/* The next of the packed frames, *len bytes; NULL behind the last. */
static inline const unsigned char *jri_zmq_next_frame(const unsigned char **at,
                                                      const unsigned char *end, size_t *len)
{
    if (*at == end)
        return NULL;
    *len = **at;
    const unsigned char *frame = *at + 1;
    *at = frame + *len;
    return frame;
}

#endif
