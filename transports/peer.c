/* SPDX-License-Identifier: MIT */
/*
 * peer.c - one remote party: what it sends, what waits for it, and its end
 *
 * Back-pressure: with pending_max calls in flight further messages wait in the inbox; with a full
 * inbox, or with many answers unsent, the transport is paused. So a peer that sends without reading
 * stops itself, and nobody else.
 */
#include "server.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inbox.h"

jrpc_peer *jrpc_peer_ref(jrpc_peer *peer)
{
    if (peer)
        atomic_fetch_add_explicit(&peer->n_refs, 1, memory_order_relaxed);
    return peer;
}

void jrpc_peer_unref(jrpc_peer *peer)
{
    if (!peer || atomic_fetch_sub_explicit(&peer->n_refs, 1, memory_order_acq_rel) > 1)
        return;
    if (peer->release)
        peer->release(peer->user);
    jri_server_unref(peer->server);
    free(peer->address);
    free(peer->identity);
    free(peer);
}

static jrpc_peer *new_peer(jrpc_listener *listener, const jrpc_peer_info *info)
{
    jrpc_server *server = listener->server;
    jrpc_peer *peer = calloc(1, sizeof(*peer) + listener->transport->peer_size);
    if (!peer)
        return NULL;

    peer->address = strdup(info->address ? info->address : "");
    peer->identity = info->identity ? strdup(info->identity) : NULL;
    if (!peer->address || (info->identity && !peer->identity)) {
        free(peer->address);
        free(peer->identity);
        free(peer);
        return NULL;
    }
    peer->server = server;
    peer->listener = listener;
    peer->transport = listener->transport;
    peer->codec = listener->has_codec ? listener->codec : listener->service->codec;
    peer->pending_max = (size_t)listener->settings.pending_max;
    peer->inbox_max = (size_t)listener->settings.inbox_max;
    peer->queue_max = (size_t)listener->settings.queue_max;
    peer->id = ++server->last_peer_id;
    peer->inbox_last = &peer->inbox;
    peer->has_push = info->has_push;
    if (info->state)
        memcpy(peer->state, info->state, listener->transport->peer_size);
    atomic_init(&peer->n_refs, 1);
    atomic_init(&peer->is_open, true);
    atomic_init(&peer->n_unsent, 0);
    atomic_init(&peer->n_pushing, 0);
    atomic_fetch_add(&server->n_refs, 1);
    return peer;
}

int jrpc_transport_opened(jrpc_listener *listener, const jrpc_peer_info *info, void **out)
{
    if (!listener || !out || !info || info->size < sizeof(*info))
        return -EINVAL;

    jrpc_server *server = listener->server;
    if (server->phase != JRI_SERVING || listener->is_closing ||
        server->n_peers >= (uint64_t)server->settings.peers_max ||
        listener->n_peers >= (uint64_t)listener->settings.peers_max)
        return -EBUSY;
    jrpc_peer *peer = new_peer(listener, info);
    if (!peer)
        return -ENOMEM;
    listener->n_visits++;
    bool is_refused =
        server->hooks.peer_opened && server->hooks.peer_opened(peer, server->hooks_user) < 0;
    listener->n_visits--;
    if (is_refused) {
        atomic_store(&peer->is_open, false); /* the hook may have kept it */
        jri_peer_leave_topics(peer);
        peer->listener = NULL;
        jrpc_peer_unref(peer);
        jri_listener_settle(listener);
        return -ECONNREFUSED;
    }
    peer->next = listener->peers;
    peer->link = &listener->peers;
    if (peer->next)
        peer->next->link = &peer->next;
    listener->peers = peer;
    listener->n_peers++;
    server->n_peers++;
    server->counts.peers_opened++;
    *out = peer->state;
    if (listener->is_closing) { /* by the hook: it goes as soon as its transport is done with it */
        peer->is_ended = true;
        jri_peer_flush_later(peer);
    }
    return 0;
}

static void update_choke(jrpc_peer *peer)
{
    /* The rest of queue_max is for what is in flight. */
    size_t choke = peer->queue_max / 2, unsent = atomic_load(&peer->n_unsent);

    /* With a gap, so that a slow reader does not make it go on and off with every byte. */
    peer->is_choked = unsent > (peer->is_choked ? choke / 2 : choke);
}

static bool is_shared(const jrpc_peer *peer)
{
    return peer->transport->flags & JRPC_TRANSPORT_SHARED;
}

void jri_peer_update_pause(jrpc_peer *peer)
{
    jrpc_server *server = peer->server;

    update_choke(peer);
    bool is_greedy = jri_peer_is_greedy(peer);
    bool is_paused = peer->is_choked || is_greedy || peer->inbox_len >= peer->inbox_max;
    server->is_tight |= is_greedy;
    if (is_shared(peer) || is_paused == peer->is_paused || peer->is_dropped ||
        !jrpc_peer_is_open(peer))
        return;
    peer->is_paused = is_paused;
    peer->transport->pause(peer->state, is_paused);
}

static bool has_to_wait(const jrpc_peer *peer)
{
    return peer->inbox || peer->server->running || (peer->is_choked && is_shared(peer)) ||
           peer->n_pending >= peer->pending_max;
}

/* Cancelling is not to wait for what it cancels. */
static bool is_cancelling(const char *data, size_t len)
{
    return len < 4096 && memmem(data, len, "\"$/cancelRequest\"", 17) && *data == '{';
}

/* What a transport is to do after a message that failed, or with a peer that is not at ease. */
int jri_peer_go_on(jrpc_peer *peer, int status)
{
    if (status)
        jri_peer_drop(peer, status);
    if (peer->is_dropped || !jrpc_peer_is_open(peer))
        return -EPIPE;
    jri_peer_update_pause(peer);
    if (peer->is_ended)
        jri_peer_settle(peer);
    return peer->is_dropped ? -EPIPE : peer->is_paused;
}

/* With too much in flight: into the inbox, or past what is there. */
static int receive_more(jrpc_peer *peer, const void *exchange, const char *data, size_t len)
{
    if (peer->server->running || (!is_shared(peer) && !is_cancelling(data, len)))
        return jri_inbox_keep(peer, exchange, data, len);
    peer->refusal = -EBUSY;
    int status = jri_peer_run(peer, exchange, data, len);
    peer->refusal = 0;
    return status;
}

int jrpc_transport_received(void *state, const void *exchange, const char *data, size_t len)
{
    if (!state)
        return -EINVAL;

    jrpc_peer *peer = jri_peer_of(state);

    if (peer->is_dropped || !jrpc_peer_is_open(peer))
        return -EPIPE;
    peer->server->counts.bytes_in += len;
    if (JRI_UNLIKELY(has_to_wait(peer)))
        return jri_peer_go_on(peer, receive_more(peer, exchange, data, len));
    return jri_peer_receive(peer, exchange, data, len);
}

int jrpc_transport_failed(void *state, const void *exchange, int status, const char *reason)
{
    if (!state)
        return -EINVAL;

    jrpc_peer *peer = jri_peer_of(state);

    if (peer->is_dropped || !jrpc_peer_is_open(peer))
        return -EPIPE;
    const char *next = status == -EMSGSIZE ? "skipped" : status == -EINVAL ? "refused" : "closing";
    jrpc_listener_log(peer->listener, state, JRPC_LOG_WARNING, "%s, %s", reason, next);
    peer->server->counts.failures++;
    return jri_peer_go_on(peer, jri_peer_refuse(peer, exchange, status, reason));
}

/* It has part of a message and nothing that will end by itself: paused it would keep it for ever.
 */
static bool is_stuck(const jrpc_peer *peer)
{
    return peer->n_buffered && !peer->inbox && !peer->jobs && !atomic_load(&peer->n_unsent) &&
           jri_peer_is_greedy(peer);
}

static void drop_stuck(jrpc_peer *peer)
{
    jrpc_listener_log(peer->listener, peer->state, JRPC_LOG_WARNING,
                      "%zu bytes of a message do not fit into memory_max %lld, closing",
                      peer->n_buffered, (long long)peer->server->settings.memory_max);
    jri_peer_drop(peer, -ENOBUFS);
}

void jrpc_transport_buffered(void *state, size_t len)
{
    if (!state)
        return;

    jrpc_peer *peer = jri_peer_of(state);

    if (!jrpc_peer_is_open(peer))
        return;
    peer->server->memory += len - peer->n_buffered;
    bool is_more = len > peer->n_buffered;
    peer->n_buffered = len;
    if (is_more && is_stuck(peer))
        drop_stuck(peer);
    else if (is_more)
        jri_peer_update_pause(peer);
}

/* The first message that waits. */
static int run_waiting(jrpc_peer *peer)
{
    jri_letter *letter = jri_inbox_take(peer);

    peer->letter = letter;
    int status = jri_peer_run(peer, letter->data, jri_letter_text(peer, letter), letter->len);
    peer->letter = NULL;
    jri_letter_free(letter);
    return status;
}

void jri_peer_settle(jrpc_peer *peer)
{
    if (peer->server->running) { /* a handler closes a listener: when it has returned */
        jri_peer_flush_later(peer);
        return;
    }
    update_choke(peer);
    while (peer->inbox && peer->n_pending < peer->pending_max && !peer->is_choked &&
           !peer->is_dropped && jrpc_peer_is_open(peer)) {
        int status = run_waiting(peer);
        if (status)
            jri_peer_drop(peer, status);
        update_choke(peer);
    }
    if (peer->is_dropped || !jrpc_peer_is_open(peer))
        return;
    if (is_stuck(peer)) {
        drop_stuck(peer);
        return;
    }
    jri_peer_update_pause(peer);
    if (peer->is_ended && !peer->jobs && !peer->inbox)
        jri_peer_drop(peer, 0);
}

bool jrpc_transport_is_needed(void *state)
{
    jrpc_peer *peer = state ? jri_peer_of(state) : NULL;

    /* Jobs, and whoever holds it, have references besides the listener's. */
    return peer && (peer->inbox || atomic_load(&peer->n_refs) > 1);
}

void jrpc_transport_ended(void *state)
{
    if (!state)
        return;

    jrpc_peer *peer = jri_peer_of(state);

    peer->is_ended = true;
    jri_peer_settle(peer);
}

void jrpc_transport_writable(void *state, size_t unsent)
{
    if (!state)
        return;

    jrpc_peer *peer = jri_peer_of(state);
    jrpc_server *server = peer->server;

    server->memory += unsent - peer->n_reported;
    peer->n_reported = unsent;
    atomic_store(&peer->n_unsent, unsent);
    if (unsent > peer->queue_max) {
        jrpc_listener_log(peer->listener, state, JRPC_LOG_WARNING,
                          "%zu bytes unsent exceed queue_max %zu, closing", unsent,
                          peer->queue_max);
        jri_peer_drop(peer, -ENOBUFS);
        return;
    }
    jri_peer_settle(peer);
    if (!unsent)
        jri_server_settle(server);
}

void jri_peer_orphan_jobs(jrpc_peer *peer)
{
    for (jri_job *job = peer->jobs; job; job = job->next)
        jri_held_orphan(job->response->message);
}

void jri_peer_drop(jrpc_peer *peer, int reason)
{
    /* One that was to get what is unsent can still be cut off. */
    if (!jrpc_peer_is_open(peer) || peer->is_cut || (peer->is_dropped && !reason))
        return;
    peer->is_dropped = true;
    peer->is_cut = reason;
    jri_inbox_clear(peer);
    jri_peer_orphan_jobs(peer);
    peer->transport->drop(peer->state, reason);
}

void jrpc_transport_closed(void *state, int reason)
{
    if (!state)
        return;

    jrpc_peer *peer = jri_peer_of(state);
    jrpc_server *server = peer->server;
    jrpc_listener *listener = peer->listener;

    if (!jrpc_peer_is_open(peer))
        return;
    atomic_store(&peer->is_open, false);
    jri_inbox_clear(peer);
    jri_peer_orphan_jobs(peer);
    jri_peer_leave_topics(peer);
    server->memory -= peer->n_reported + peer->n_buffered;
    peer->n_reported = peer->n_buffered = 0;
    *peer->link = peer->next;
    if (peer->next)
        peer->next->link = peer->link;
    listener->n_peers--;
    server->n_peers--;
    listener->n_visits++;
    if (server->hooks.peer_closed)
        server->hooks.peer_closed(peer, reason, server->hooks_user);
    listener->n_visits--;
    peer->listener = NULL;
    jri_peer_flush_later(peer); /* whoever is at it may go on until the end of this turn */
    jrpc_peer_unref(peer);
    jri_listener_settle(listener);
    jri_server_settle(server);
}

void jri_peer_flush_later(jrpc_peer *peer)
{
    jrpc_server *server = peer->server;

    if (peer->is_unflushed)
        return;
    peer->is_unflushed = true;
    peer->next_unflushed = server->unflushed;
    server->unflushed = jrpc_peer_ref(peer);
}

/* There is memory again for those who were paused for want of it. */
static void relieve(jrpc_server *server)
{
    jrpc_peer *next;

    server->is_tight = false;
    for (jrpc_listener *listener = server->listeners; listener; listener = listener->next)
        for (jrpc_peer *peer = listener->peers; peer; peer = next) {
            next = peer->next;
            jri_peer_update_pause(peer);
        }
}

void jri_server_flush(jrpc_server *server)
{
    while (server->unflushed) {
        jrpc_peer *peer = server->unflushed;
        server->unflushed = peer->next_unflushed;
        peer->is_unflushed = false;
        if (jrpc_peer_is_open(peer))
            peer->transport->flush(peer->state);
        jrpc_peer_unref(peer);
    }
    if (server->is_tight && server->memory <= (uint64_t)server->settings.memory_max)
        relieve(server);
}

/*
 * What the application may ask
 */

uint64_t jrpc_peer_id(const jrpc_peer *peer)
{
    return peer ? peer->id : 0;
}

bool jrpc_peer_is_open(const jrpc_peer *peer)
{
    return peer && atomic_load(&peer->is_open);
}

const char *jrpc_peer_transport(const jrpc_peer *peer)
{
    return peer ? peer->transport->name : NULL;
}

const char *jrpc_peer_address(const jrpc_peer *peer)
{
    return peer ? peer->address : NULL;
}

const char *jrpc_peer_identity(const jrpc_peer *peer)
{
    return peer ? peer->identity : NULL;
}

const char *jrpc_peer_header(const jrpc_peer *peer, const char *name)
{
    if (!name || !jrpc_peer_is_open(peer) || !peer->transport->header)
        return NULL;
    return peer->transport->header((void *)(uintptr_t)peer->state, name);
}

jrpc_listener *jrpc_peer_listener(const jrpc_peer *peer)
{
    return peer ? peer->listener : NULL;
}

bool jrpc_peer_has_push(const jrpc_peer *peer)
{
    return peer && peer->has_push;
}

void jrpc_peer_set_user(jrpc_peer *peer, void *user, void (*release)(void *user))
{
    if (!peer)
        return;
    if (peer->release)
        peer->release(peer->user);
    peer->user = user;
    peer->release = release;
}

void *jrpc_peer_user(const jrpc_peer *peer)
{
    return peer ? peer->user : NULL;
}
