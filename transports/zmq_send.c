/* SPDX-License-Identifier: MIT */
/*
 * zmq_send.c - answers on their way out, and what cannot go yet
 *
 * An answer is sent as soon as it is whole. A ROUTER that must route tells at the first frame, the
 * route, whether all of it will go: EAGAIN if too much waits for that peer already, EHOSTUNREACH if
 * the peer is gone. What cannot go waits in the peer's queue, which the server limits.
 */
#include "zmq_listener.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    COPY_MAX = 16 * 1024, /* larger answers are handed on as they are */
    UNSENT_EXTRA = 64,    /* bytes that libzmq and malloc() take for a message in a queue */
};

/* What is pushed stands behind nothing. */
static const jri_zmq_envelope no_envelope;

static int send_frame(jri_zmq_listener *listener, const void *data, size_t len, int flags)
{
    int n;

    do
        n = zmq_send(listener->socket.socket, data, len, flags | ZMQ_DONTWAIT);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : 0;
}

static int send_delimiter(jri_zmq_listener *listener, int flags)
{
    zmq_msg_t empty;
    int n;

    zmq_msg_init(&empty);
    do
        n = zmq_msg_send(&empty, listener->socket.socket, flags | ZMQ_DONTWAIT);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : 0;
}

static int send_frames(jri_zmq_listener *listener, const unsigned char *at, size_t total)
{
    const unsigned char *end = at + total, *frame;
    size_t len;
    int status = 0;

    while (!status && (frame = jri_zmq_next_frame(&at, end, &len)))
        status = send_frame(listener, frame, len, ZMQ_SNDMORE);
    return status;
}

/* Behind a route that was taken: the payload goes with it. */
static int send_payload(jri_zmq_listener *listener, zmq_msg_t *payload)
{
    int n;

    do
        n = zmq_msg_send(payload, listener->socket.socket, ZMQ_DONTWAIT);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : 0;
}

/* 0: all of it is sent; -EAGAIN: nothing; else the peer is lost. */
static int send_answer(jri_zmq_peer *peer, const unsigned char *envelope, size_t len,
                       bool is_delimited, zmq_msg_t *payload)
{
    jri_zmq_listener *listener = peer->listener;

    listener->is_stale = true;
    if (listener->options.is_rep) {
        listener->caller = NULL;
        return send_payload(listener, payload);
    }
    int status = send_frames(listener, peer->route, peer->route_len);
    if (status)
        return status == -EHOSTUNREACH ? -EPIPE : status;
    status = send_frames(listener, envelope, len);
    if (!status && is_delimited)
        status = send_delimiter(listener, ZMQ_SNDMORE);
    if (!status)
        status = send_payload(listener, payload);
    if (status) /* no memory: but a message that was begun must end */
        send_delimiter(listener, /* last */ 0);
    return status == -EAGAIN ? -EIO : status;
}

/*
 * The queue
 */

static void free_unsent(jri_zmq_unsent *unsent)
{
    zmq_msg_close(&unsent->payload);
    free(unsent);
}

static void unblock(jri_zmq_peer *peer)
{
    jri_zmq_listener *listener = peer->listener;

    if (!peer->blocked_link)
        return;
    *peer->blocked_link = peer->next_blocked;
    if (peer->next_blocked)
        peer->next_blocked->blocked_link = peer->blocked_link;
    else
        listener->blocked_last = peer->blocked_link;
    peer->blocked_link = NULL;
    listener->n_blocked--;
}

static void block(jri_zmq_peer *peer)
{
    jri_zmq_listener *listener = peer->listener;

    if (peer->blocked_link)
        return;
    peer->next_blocked = NULL;
    peer->blocked_link = listener->blocked_last;
    *listener->blocked_last = peer;
    listener->blocked_last = &peer->next_blocked;
    listener->n_blocked++;
}

static jri_zmq_unsent *take_unsent(jri_zmq_peer *peer)
{
    jri_zmq_unsent *unsent = peer->unsent;

    peer->unsent = unsent->next;
    if (!peer->unsent)
        peer->unsent_last = &peer->unsent;
    peer->n_unsent -= unsent->n_bytes;
    return unsent;
}

void jri_zmq_forget_unsent(jri_zmq_peer *peer)
{
    unblock(peer);
    while (peer->unsent)
        free_unsent(take_unsent(peer));
}

/* The payload is taken over. */
static int put_unsent(jri_zmq_peer *peer, const jri_zmq_envelope *envelope, zmq_msg_t *payload)
{
    jri_zmq_unsent *unsent = malloc(sizeof(*unsent) + envelope->len);
    if (!unsent)
        return -ENOMEM;

    unsent->next = NULL;
    unsent->n_bytes = sizeof(*unsent) + UNSENT_EXTRA + envelope->len + zmq_msg_size(payload);
    unsent->is_delimited = envelope->is_delimited;
    unsent->len = envelope->len;
    memcpy(unsent->envelope, envelope->data, envelope->len);
    zmq_msg_init(&unsent->payload);
    zmq_msg_move(&unsent->payload, payload);
    *peer->unsent_last = unsent;
    peer->unsent_last = &unsent->next;
    peer->n_unsent += unsent->n_bytes;
    block(peer);
    return 0;
}

static int send_unsent(jri_zmq_peer *peer)
{
    int status = 0;

    while (peer->unsent && !status) {
        jri_zmq_unsent *unsent = peer->unsent;
        status = send_answer(peer, unsent->envelope, unsent->len, unsent->is_delimited,
                             &unsent->payload);
        if (!status)
            free_unsent(take_unsent(peer));
    }
    return status;
}

static void retry_peer(jri_zmq_peer *peer)
{
    size_t n_before = peer->n_unsent;
    int status = send_unsent(peer);

    if (status == -EAGAIN)
        block(peer);
    if (status && status != -EAGAIN)
        jri_zmq_peer_close(peer, status);
    else if (peer->is_closing && !peer->unsent)
        jri_zmq_peer_close(peer, 0);
    else if (peer->n_unsent != n_before)
        jrpc_transport_writable(peer, peer->n_unsent);
}

/* Each blocked peer once; what is told the server may take any of them away. */
void jri_zmq_retry(jri_zmq_listener *listener)
{
    for (size_t n = listener->n_blocked; n && listener->blocked; n--) {
        jri_zmq_peer *peer = listener->blocked;
        unblock(peer);
        retry_peer(peer);
    }
}

/*
 * The server's functions
 */

jrpc_buf *jri_zmq_answer_begin(void *state, void *exchange)
{
    const jri_zmq_peer *peer = state;

    (void)exchange;
    jrpc_buf_truncate(peer->listener->answer, 0);
    return peer->listener->answer;
}

static void free_data(void *data, void *hint)
{
    (void)hint;
    free(data);
}

static int make_payload(jrpc_buf *buf, zmq_msg_t *payload)
{
    size_t len;
    char *data = jrpc_buf_data(buf, &len);

    if (len <= COPY_MAX) {
        if (zmq_msg_init_size(payload, len))
            return -ENOMEM;
        if (len)
            memcpy(zmq_msg_data(payload), data, len);
        return 0;
    }
    data = jrpc_buf_detach(buf, &len);
    if (!zmq_msg_init_data(payload, data, len, free_data, /* hint */ NULL))
        return 0;
    free(data);
    return -ENOMEM;
}

int jri_zmq_answer_end(void *state, void *exchange, jrpc_buf *buf, size_t start, int http_status)
{
    jri_zmq_peer *peer = state;
    const jri_zmq_envelope *envelope = exchange ? exchange : &no_envelope;
    zmq_msg_t payload;
    size_t len;

    (void)start; /* it is 0 */
    (void)http_status;
    jrpc_buf_data(buf, &len);
    if (!len && !envelope->is_delimited)
        return 0;
    int status = make_payload(buf, &payload);
    if (status)
        return status;
    if (!peer->unsent)
        status = send_answer(peer, envelope->data, envelope->len, envelope->is_delimited, &payload);
    if (peer->unsent || status == -EAGAIN)
        status = put_unsent(peer, envelope, &payload);
    zmq_msg_close(&payload);
    return status;
}

void jri_zmq_flush(void *state)
{
    jri_zmq_peer *peer = state;

    if (peer->listener->is_stale)
        jri_zmq_look(peer->listener);
    if (!peer->is_closed)
        jrpc_transport_writable(peer, peer->n_unsent);
}

void jri_zmq_drop(void *state, int reason)
{
    jri_zmq_peer *peer = state;

    peer->is_closing = true;
    if (reason || !peer->unsent)
        jri_zmq_peer_close(peer, reason);
}

/* Who waits for an answer gets none: the empty frame, for an ending that is no answer. */
void jri_zmq_send_silence(jri_zmq_listener *listener)
{
    jri_zmq_peer peer = {.listener = listener, .route = listener->reader.route};
    const jri_zmq_envelope *envelope = &listener->reader.envelope;
    zmq_msg_t nothing;

    zmq_msg_init(&nothing);
    peer.route_len = listener->reader.route_len;
    send_answer(&peer, envelope->data, envelope->len, envelope->is_delimited, &nothing);
    zmq_msg_close(&nothing);
    jri_zmq_resume(listener); /* a REP may have been waiting for this, and no flush follows */
}
