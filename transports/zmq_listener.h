/* SPDX-License-Identifier: MIT */
/*
 * zmq_listener.h - what ZeroMQ listeners and their peers are made of
 *
 * A listener is one socket, ROUTER or REP. A peer is a route: what a ROUTER puts before the
 * messages of one client. Its record is made by its first message and lives until it vanishes, or
 * until it is idle and there are too many.
 */
#ifndef JRI_ZMQ_LISTENER_H
#define JRI_ZMQ_LISTENER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>
#include <zmq.h>

#include <jrpc/transport.h>

#include "zmq_envelope.h"
#include "zmq_socket.h"
#include "zmq_watch.h"

/* An answer that could not be sent yet. */
typedef struct jri_zmq_unsent {
    struct jri_zmq_unsent *next;
    size_t n_bytes; /* all that it takes */
    zmq_msg_t payload;
    bool is_delimited;
    uint16_t len;
    unsigned char envelope[]; /* packed */
} jri_zmq_unsent;

typedef struct jri_zmq_peer {
    struct jri_zmq_listener *listener;
    unsigned char *route; /* packed */
    size_t route_len;
    char *identity; /* as CURVE has verified it; NULL: nobody asked */
    uint64_t hash;
    struct jri_zmq_peer *next_in_bucket;
    struct jri_zmq_peer *newer, *older; /* by their last messages */
    int fd;                             /* of its connection; -1: unknown */
    struct jri_zmq_peer *next_of_fd, **fd_link;
    jri_zmq_unsent *unsent, **unsent_last;
    size_t n_unsent; /* bytes */
    struct jri_zmq_peer *next_blocked, **blocked_link;
    bool is_closing; /* it goes when it has nothing unsent */
    bool is_closed;
} jri_zmq_peer;

/* All peers of a listener, by route, by age and by connection. */
typedef struct jri_zmq_peers {
    jri_zmq_peer **buckets; /* by hash; their number is a power of two */
    size_t n_buckets, n_peers;
    uint64_t seed;
    jri_zmq_peer *newest, *oldest;
    jri_zmq_peer **by_fd;
    size_t fd_cap;
} jri_zmq_peers;

typedef struct jri_zmq_listener {
    jrpc_listener *owner;
    uv_loop_t *loop;
    jri_zmq_options options;
    jri_zmq_socket socket;
    jri_zmq_socket monitor; /* tells which connections are gone */
    int monitor_fd;         /* readable: it has something to tell */
    uv_poll_t poll, monitor_poll;
    uv_idle_t idle;   /* there is more to be read */
    uv_timer_t retry; /* peers are blocked; in the end: the address is not free yet */
    int n_handles;    /* of these four, and the watch's, that are not closed */

    zmq_msg_t frame; /* the one at hand */
    jri_zmq_reader reader;
    size_t message_len; /* bytes of its message on the wire, so far */
    jri_zmq_watch watch;
    bool is_within;    /* a message: its last frame has not come */
    bool is_stale;     /* something was sent since ZMQ_EVENTS was read */
    bool is_news_read; /* the monitor's, in this turn */
    jrpc_buf *answer;  /* is being written */
    jri_zmq_peers peers;
    jri_zmq_peer *blocked, **blocked_last; /* those with something unsent */
    size_t n_blocked;

    bool is_closing, is_ended;
    bool is_lost;         /* the context was ended */
    uint64_t stopped_ms;  /* loop time of stop(); 0: not yet */
    jri_zmq_peer *caller; /* REP: who waits for an answer */
} jri_zmq_listener;

enum { JRI_ZMQ_HANDLES = 5 };

/* zmq.c */
void jri_zmq_ended(jri_zmq_listener *listener); /* the socket, and its address is free */

/* zmq_receive.c */
void jri_zmq_drain(jri_zmq_listener *listener);
void jri_zmq_look(jri_zmq_listener *listener);   /* more to be read? can blocked peers go on? */
void jri_zmq_resume(jri_zmq_listener *listener); /* read, in the next turn */

/* zmq_peer.c */
int jri_zmq_peers_init(jri_zmq_peers *peers);
void jri_zmq_peers_fini(jri_zmq_peers *peers);
int jri_zmq_peer_find(jri_zmq_listener *listener, jri_zmq_peer **out);
void jri_zmq_peer_close(jri_zmq_peer *peer, int reason);
void jri_zmq_peers_vanish(jri_zmq_listener *listener, int fd);

/* zmq_send.c */
jrpc_buf *jri_zmq_answer_begin(void *peer, void *exchange);
int jri_zmq_answer_end(void *peer, void *exchange, jrpc_buf *buf, size_t start, int http_status);
void jri_zmq_flush(void *peer);
void jri_zmq_drop(void *peer, int reason);
void jri_zmq_retry(jri_zmq_listener *listener);
void jri_zmq_forget_unsent(jri_zmq_peer *peer);
void jri_zmq_send_silence(jri_zmq_listener *listener);

/* zmq_monitor.c */
int jri_zmq_monitor_start(jri_zmq_listener *listener);
void jri_zmq_monitor_report(jri_zmq_listener *listener);
void jri_zmq_monitor_read(jri_zmq_listener *listener);
void jri_zmq_monitor_stop(jri_zmq_listener *listener);

#endif
