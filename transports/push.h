/* SPDX-License-Identifier: MIT */
/*
 * push.h - notifications on their way to peers
 */
#ifndef JRI_PUSH_H
#define JRI_PUSH_H

#include "server.h"

/* A notification's bytes, for however many peers. */
typedef struct jri_parcel {
    atomic_uint n_refs;
    jrpc_buf buf;
} jri_parcel;

/* The notification as a value; params is stolen. NULL: no memory. */
json_t *jri_notification_new(const char *method, json_t *params);

/* [any] codec: NULL is JSON. 0 with one reference, or what serializing gives. */
int jri_parcel_new(const jrpc_server *server, const jrpc_codec *codec, const json_t *value,
                   jri_parcel **out);

/* [any] On its way; 0, -EPIPE, -EAGAIN (queue_max) or -ENOMEM. */
int jri_parcel_send(jri_parcel *parcel, jrpc_peer *peer);

void jri_parcel_unref(jri_parcel *parcel); /* NULL is fine */

/* [any] A copy of what the peer's messages are written by. */
jrpc_codec jri_peer_codec(jrpc_peer *peer);

#endif
