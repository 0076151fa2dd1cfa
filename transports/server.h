/* SPDX-License-Identifier: MIT */
/*
 * server.h - what servers, listeners, peers and jobs are made of
 *
 * A server has listeners, a listener has peers, a peer has jobs: messages whose answer is
 * outstanding. All of it is the loop's, but for what is marked otherwise.
 */
#ifndef JRI_SERVER_H
#define JRI_SERVER_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include <jrpc/server.h>
#include <jrpc/transport.h>

#include "../core/dispatch.h"
#include "../core/log.h"
#include "../core/options.h"
#include "deadlines.h"
#include "metrics.h"
#include "outbox.h"
#include "workers.h"

typedef enum {
    JRI_SERVING,  /* also before the loop runs */
    JRI_DRAINING, /* what is in flight is answered */
    JRI_ENDING,   /* handles are being closed */
    JRI_STOPPED   /* every handle is closed */
} jri_phase;

/* Counters for jrpc_server_stats(). */
typedef struct jri_counts {
    uint64_t peers_opened, messages, bytes_in, bytes_out, deferred, pushes, failures;
} jri_counts;

typedef struct jri_job jri_job;

struct jrpc_server {
    jri_host host; /* first: the core hands it back */
    uv_loop_t *loop, own_loop;
    jri_settings settings;
    jri_log log;
    jrpc_problem problem;
    jrpc_server_hooks hooks;
    void *hooks_user;
    const jrpc_transport **transports; /* ended by NULL */
    size_t n_transports;

    jri_outbox outbox;
    jri_workers workers;
    uv_check_t check;     /* after input: what was answered is sent */
    uv_prepare_t prepare; /* the same after timers and posts */
    uv_timer_t drain;
    uv_timer_t timer;  /* time-outs of jobs */
    uint64_t timer_ns; /* when it fires; UINT64_MAX: not at all */
    jri_deadlines deadlines;
    int n_handles; /* of these five that are not closed */

    jri_phase phase; /* [loop] */
    bool is_ended;   /* its own handles are being closed */
    atomic_bool is_stopping, is_stopped;
    atomic_bool is_running;
    bool has_thread;
    uv_thread_t thread;
    void (*stopped)(jrpc_server *server, void *user);
    void *stopped_user;
    struct {
        jri_outbox_item item; /* first */
        void (*stopped)(jrpc_server *server, void *user);
        void *user;
    } order; /* to stop, on its way to the loop */

    jrpc_listener *listeners;
    size_t n_listeners, n_peers, n_jobs, n_calls;
    size_t memory; /* bytes held for peers: inboxes, partial messages, calls in flight, unsent
                      answers */
    uint64_t seed; /* of hashes of what peers choose */
    bool is_tight; /* peers are paused because of memory_max */
    uint64_t last_peer_id;
    jrpc_peer *unflushed;           /* peers with answers to be sent at the end of this turn */
    jrpc_peer *running;             /* whose message is being run */
    jrpc_response *scratch;         /* for the next message */
    const jrpc_listener *ready_for; /* what scratch is set up for; NULL: for nothing, or used up */
    jrpc_response *reader;          /* looks for ids in messages that wait */
    jri_job *spare_jobs;            /* should one be needed; and responses of jobs that are done */
    size_t n_spare_jobs;

    size_t exchange_max; /* of all transports */
    jri_counts counts;
    jri_metrics *metrics;   /* NULL: nobody wants to know */
    uv_mutex_t topics_lock; /* who is member of what, and peers' codecs */
    atomic_uint n_refs;     /* the user's, and one for each peer, which outlive it */
};

struct jrpc_listener {
    jrpc_server *server;
    jrpc_listener *next;
    const jrpc_transport *transport;
    jrpc_service *service; /* one reference, one user */
    jrpc_codec codec;
    bool has_codec;
    void *context;
    bool has_context;
    jrpc_options *limits;          /* its own; NULL: none */
    jri_settings settings;         /* the server's with those over them */
    jri_settings service_settings; /* the service's likewise; unused without limits */
    char *address;
    jrpc_peer *peers;
    size_t n_peers;
    bool is_failed, is_stopped, is_closing, is_released;
    unsigned n_visits; /* by functions that may be left with it only when they are done */
    alignas(max_align_t) char state[];
};

/* A message that waits its turn: its peer has pending_max calls in flight. */
typedef struct jri_letter {
    struct jri_letter *next;
    size_t len;
    uint64_t *ids;   /* of its members, hashed, 0 for those without; NULL until one is looked for */
    bool *cancelled; /* of its members; behind the ids */
    uint32_t n_members;
    alignas(max_align_t) char data[]; /* the exchange, then the message */
} jri_letter;

/* A message whose answer is outstanding. */
struct jri_job {
    jri_outbox_item item;  /* first: its way back to the loop */
    jri_job *next, **link; /* of its peer; or of spare ones */
    jrpc_peer *peer;       /* one reference */
    jrpc_service *service; /* one reference */
    jrpc_response *response;
    jri_deadline deadline; /* the next time-out */
    uint32_t n_calls;
    size_t len; /* bytes of the message */
    alignas(max_align_t) char exchange[];
};

struct jrpc_peer {
    jrpc_server *server;
    jrpc_listener *listener;
    const jrpc_transport *transport;
    uint64_t id;
    atomic_uint n_refs;
    atomic_bool is_open;
    atomic_size_t n_unsent;  /* bytes in the transport's hands; written by the loop */
    atomic_size_t n_pushing; /* bytes of notifications on their way to the loop */
    size_t n_reported;       /* of them, what the transport said last */
    size_t n_buffered;       /* bytes of a message that is not whole */
    size_t n_running;        /* bytes of messages in flight */
    jrpc_peer *next, **link; /* of its listener */
    jrpc_peer *next_unflushed;
    bool is_unflushed;
    bool has_push;
    bool is_paused, is_ended, is_dropped, is_choked;
    bool is_cut; /* dropped without waiting for what is unsent */
    int refusal; /* of calls in the message at hand: -EBUSY for one that goes past others */
    const jri_letter *letter; /* the message at hand, if it has waited */
    jri_job *jobs;
    uint32_t n_pending; /* calls in flight */
    jri_letter *inbox, **inbox_last;
    size_t inbox_len;
    jri_letter *withdrawn; /* cancelled while they waited, to be answered so */
    size_t pending_max, inbox_max, queue_max;
    struct jri_membership *memberships; /* of topics; under the server's topics_lock */
    jri_outbox_item hang_up;            /* once ordered */
    atomic_bool is_hanging_up;
    void *user;
    void (*release)(void *user);
    char *address, *identity;
    jrpc_codec codec; /* of its listener or service, under topics_lock; serialize NULL: JSON */
    alignas(max_align_t) char state[];
};

static inline jrpc_peer *jri_peer_of(void *state)
{
    return (jrpc_peer *)((char *)state - offsetof(jrpc_peer, state));
}

/* Over memory_max there is always one that has more than its share, and nobody else is to suffer
 * for it. */
static inline bool jri_peer_is_greedy(const jrpc_peer *peer)
{
    const jrpc_server *server = peer->server;
    uint64_t max = (uint64_t)server->settings.memory_max;

    return server->memory > max &&
           peer->inbox_len + peer->n_reported + peer->n_buffered + peer->n_running >
               max / server->n_peers;
}

/* Nothing of what jri_peer_go_on() looks for: so it is after nearly every message. */
static inline bool jri_peer_is_at_ease(const jrpc_peer *peer)
{
    const jrpc_server *server = peer->server;

    return !peer->is_dropped && !peer->is_paused && !peer->is_ended && !peer->inbox &&
           atomic_load_explicit(&peer->n_unsent, memory_order_relaxed) <= peer->queue_max / 2 &&
           server->memory <= (uint64_t)server->settings.memory_max;
}

/* server.c */
int jri_server_new(const jri_settings *settings, struct uv_loop_s *loop, jrpc_server **out);
int jri_server_fail(jrpc_server *server, int status, const char *source, const char *format, ...)
    JRPC_PRINTF(4, 5);
void jri_server_settle(jrpc_server *server); /* something ended: is everything? */
void jri_server_unref(jrpc_server *server);

/* listener.c */
void jri_listener_stop(jrpc_listener *listener);
void jri_listener_settle(jrpc_listener *listener); /* a peer went: close it if it was the last */
void jri_listener_drop_peers(jrpc_listener *listener, int reason);

/* peer.c */
void jri_peer_flush_later(jrpc_peer *peer);
void jri_server_flush(jrpc_server *server);
int jri_peer_go_on(jrpc_peer *peer, int status);
void jri_peer_settle(jrpc_peer *peer); /* go on with what waits, or end */
void jri_peer_drop(jrpc_peer *peer, int reason);
void jri_peer_update_pause(jrpc_peer *peer);

/* topic.c */
void jri_peer_leave_topics(jrpc_peer *peer);

/* job.c */
int jri_peer_run(jrpc_peer *peer, const void *exchange, const char *data, size_t len);
int jri_peer_receive(jrpc_peer *peer, const void *exchange, const char *data, size_t len);
int jri_peer_refuse(jrpc_peer *peer, const void *exchange, int status, const char *reason);
int jri_peer_answer(jrpc_peer *peer, const void *exchange, const char *text, size_t len,
                    int http_status);
void jri_peer_orphan_jobs(jrpc_peer *peer);

/* Reads a message for its ids: borrowed until the next; NULL if it has none to be read. */
jri_message *jri_peer_parse(jrpc_peer *peer, const char *text, size_t len);
void jri_host_init(jri_host *host);
void jri_job_timed_out(uv_timer_t *timer); /* one may be */
void jri_job_free_spares(jrpc_server *server);

#endif
