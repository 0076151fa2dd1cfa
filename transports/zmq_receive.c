/* SPDX-License-Identifier: MIT */
/*
 * zmq_receive.c - from a readable socket to messages for the server
 *
 * ZMQ_FD tells only that something has changed, once, and every call on the socket may take that
 * news away. So the socket is read until it gives EAGAIN, and asked again behind sends that came
 * after that. A turn of the loop takes so much and no more; the rest is for the next.
 */
#include "zmq_listener.h"

#include <errno.h>
#include <limits.h>

#include <jrpc/service.h>

enum {
    TURN_MESSAGES = 256, /* of one listener in a turn of the loop */
    TURN_FRAMES = 4096,
    FRAME_KEPT = 64 * 1024, /* bytes of a message that may stay in memory until the next comes */
    SHORT_HEAD = 2,         /* bytes before a frame on the wire */
    LONG_HEAD = 9,
    RETRY_MS = 20, /* for the case that news of a blocked peer was missed */
};

static void idled(uv_idle_t *idle)
{
    jri_zmq_drain(idle->data);
}

void jri_zmq_resume(jri_zmq_listener *listener)
{
    if (!listener->is_closing)
        uv_idle_start(&listener->idle, idled);
}

static void retry_fired(uv_timer_t *timer)
{
    jri_zmq_look(timer->data);
}

void jri_zmq_look(jri_zmq_listener *listener)
{
    if (listener->is_closing)
        return;
    int events = jri_zmq_socket_ask(&listener->socket, ZMQ_EVENTS);
    listener->is_stale = false;
    if (listener->blocked) {
        jri_zmq_retry(listener);
        if (listener->is_closing)
            return;
        events = jri_zmq_socket_ask(&listener->socket, ZMQ_EVENTS);
        listener->is_stale = false;
    }
    if (events > 0 && events & ZMQ_POLLIN && !listener->caller)
        uv_idle_start(&listener->idle, idled);
    if (listener->blocked)
        uv_timer_start(&listener->retry, retry_fired, RETRY_MS, RETRY_MS);
    else
        uv_timer_stop(&listener->retry);
}

/* A message that nobody can be told anything about. */
static void skip(jri_zmq_listener *listener, int status)
{
    const char *reason = status == -E2BIG    ? "an envelope is too long"
                         : status == -EBUSY  ? "no more peers are taken"
                         : status == -ENOMEM ? "out of memory"
                         : status == -EACCES ? "nobody vouched for a client"
                                             : "a peer was refused";

    jrpc_listener_log(listener->owner, /* peer */ NULL, JRPC_LOG_WARNING, "%s, message skipped",
                      reason);
    if (status != -E2BIG && listener->reader.envelope.is_delimited)
        jri_zmq_send_silence(listener); /* a REQ would wait for ever */
}

/* The frame at hand is a message's last. */
static void deliver(jri_zmq_listener *listener, size_t len)
{
    jri_zmq_reader *reader = &listener->reader;
    int fault = jri_zmq_reader_end(reader);
    jri_zmq_peer *peer;
    int status = fault == -E2BIG ? fault : jri_zmq_peer_find(listener, &peer);

    jri_zmq_watch_heard(&listener->watch,
                        !status && peer->fd >= 0 ? peer->fd
                                                 : zmq_msg_get(&listener->frame, ZMQ_SRCFD),
                        listener->message_len);
    if (status) {
        skip(listener, status);
        return;
    }
    if (listener->options.is_rep)
        listener->caller = peer;
    if (fault)
        jrpc_transport_failed(peer, &reader->envelope, -EINVAL, "more than one payload frame");
    else
        jrpc_transport_received(peer, &reader->envelope, zmq_msg_data(&listener->frame), len);
}

static void begin(jri_zmq_listener *listener)
{
    jri_zmq_reader_begin(&listener->reader);
    /* A REP keeps the envelope to itself and wants an answer to everything. */
    listener->reader.envelope.is_delimited = listener->options.is_rep;
    listener->is_within = true;
    listener->message_len = 0;
}

/* One frame. 1: it was a message's last; 0: it was not; else negative errno. */
static int take_frame(jri_zmq_listener *listener)
{
    zmq_msg_t *frame = &listener->frame;

    int n = zmq_msg_recv(frame, listener->socket.socket, ZMQ_DONTWAIT);
    if (n < 0)
        return -errno;
    size_t len = n < INT_MAX ? (size_t)n : zmq_msg_size(frame);
    if (listener->is_within) /* the first one is the route, which libzmq has put there */
        listener->message_len += len + (len < 256 ? SHORT_HEAD : LONG_HEAD);
    else
        begin(listener);
    if (zmq_msg_more(frame)) {
        jri_zmq_reader_add(&listener->reader, zmq_msg_data(frame), len);
        return 0;
    }
    listener->is_within = false;
    deliver(listener, len);
    if (len > FRAME_KEPT) {
        zmq_msg_close(frame);
        zmq_msg_init(frame);
    }
    return 1;
}

/* The socket is lost: somebody has ended the context. */
static void fail(jri_zmq_listener *listener, int status)
{
    jrpc_listener_log(listener->owner, /* peer */ NULL, JRPC_LOG_ERROR, "receiving: %s, closing",
                      zmq_strerror(-status));
    listener->is_lost = true;
    while (listener->peers.newest)
        jri_zmq_peer_close(listener->peers.newest, status);
    jrpc_listener_close(listener->owner);
}

void jri_zmq_drain(jri_zmq_listener *listener)
{
    int n_messages = 0, status = 0;

    listener->is_news_read = false;
    for (int n = 0; n < TURN_FRAMES && n_messages < TURN_MESSAGES && status >= 0; n++) {
        if (listener->is_closing || listener->caller) /* nothing is read before that is answered */
            break;
        status = take_frame(listener);
        n_messages += status > 0;
    }
    if (listener->is_closing)
        return;
    if (status < 0 && status != -EAGAIN && status != -EINTR) {
        fail(listener, status);
        return;
    }
    if (status == -EAGAIN || listener->caller)
        uv_idle_stop(&listener->idle);
    else
        uv_idle_start(&listener->idle, idled);
    if (status == -EAGAIN)
        jri_zmq_watch_drained(&listener->watch);
    listener->is_stale &= status != -EAGAIN;
    /* Reading has taken news of blocked peers; a REP's is still there and would wake us again. */
    if (listener->blocked || listener->caller)
        jri_zmq_look(listener);
}
