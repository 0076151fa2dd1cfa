/* SPDX-License-Identifier: MIT */
/*
 * zmq_peer.c - peers: found by their routes, made by their first messages, forgotten when idle
 *
 * A record is found by its route, which peers choose, so the hash is seeded. It goes when its
 * connection does, when a message cannot be routed to it, or when it is idle and others came since.
 */
#include "zmq_listener.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../core/hash.h"

enum {
    BUCKETS = 64,      /* to begin with */
    PEERS_KEPT = 1024, /* idle ones beyond them are forgotten */
    FORGET_TRIES = 4,  /* a new peer: twice as many as it takes, and a few in use */
    ADDRESS_SIZE = 128,
    ROUTE_SHOWN = 24, /* bytes of a route in an address */
};

int jri_zmq_peers_init(jri_zmq_peers *peers)
{
    *peers = (jri_zmq_peers){.n_buckets = BUCKETS, .seed = jri_random_seed()};
    peers->buckets = calloc(BUCKETS, sizeof(jri_zmq_peer *));
    return peers->buckets ? 0 : -ENOMEM;
}

void jri_zmq_peers_fini(jri_zmq_peers *peers)
{
    free(peers->buckets);
    free(peers->by_fd);
    peers->buckets = NULL;
    peers->by_fd = NULL;
}

/*
 * By route
 */

static jri_zmq_peer **bucket_of(const jri_zmq_peers *peers, uint64_t hash)
{
    return &peers->buckets[hash & (peers->n_buckets - 1)];
}

/* Without memory the chains get longer. */
static void grow(jri_zmq_peers *peers)
{
    jri_zmq_peer **old = peers->buckets, *next;
    size_t n_old = peers->n_buckets;
    jri_zmq_peer **buckets = calloc(n_old * 2, sizeof(*buckets));
    if (!buckets)
        return;

    peers->buckets = buckets;
    peers->n_buckets = n_old * 2;
    for (size_t i = 0; i < n_old; i++)
        for (jri_zmq_peer *peer = old[i]; peer; peer = next) {
            jri_zmq_peer **bucket = bucket_of(peers, peer->hash);
            next = peer->next_in_bucket;
            peer->next_in_bucket = *bucket;
            *bucket = peer;
        }
    free(old);
}

static bool has_route(const jri_zmq_peer *peer, const unsigned char *route, size_t len)
{
    return peer->route_len == len && !memcmp(peer->route, route, len);
}

static void unlink_route(jri_zmq_peers *peers, jri_zmq_peer *peer)
{
    jri_zmq_peer **link = bucket_of(peers, peer->hash);

    while (*link != peer)
        link = &(*link)->next_in_bucket;
    *link = peer->next_in_bucket;
    peers->n_peers--;
}

static void link_route(jri_zmq_peers *peers, jri_zmq_peer *peer)
{
    if (peers->n_peers >= peers->n_buckets)
        grow(peers);
    jri_zmq_peer **bucket = bucket_of(peers, peer->hash);
    peer->next_in_bucket = *bucket;
    *bucket = peer;
    peers->n_peers++;
}

/*
 * By age
 */

static void unlink_age(jri_zmq_peers *peers, jri_zmq_peer *peer)
{
    *(peer->newer ? &peer->newer->older : &peers->newest) = peer->older;
    *(peer->older ? &peer->older->newer : &peers->oldest) = peer->newer;
}

static void link_newest(jri_zmq_peers *peers, jri_zmq_peer *peer)
{
    peer->newer = NULL;
    peer->older = peers->newest;
    *(peers->newest ? &peers->newest->newer : &peers->oldest) = peer;
    peers->newest = peer;
}

static void touch(jri_zmq_peers *peers, jri_zmq_peer *peer)
{
    unlink_age(peers, peer);
    link_newest(peers, peer);
}

/* Some of the oldest, if there are too many; those that are needed have another round. */
static void forget_idle(jri_zmq_peers *peers)
{
    for (int i = 0; i < FORGET_TRIES && peers->n_peers >= PEERS_KEPT; i++) {
        jri_zmq_peer *peer = peers->oldest;
        if (peer->unsent || jrpc_transport_is_needed(peer))
            touch(peers, peer);
        else
            jri_zmq_peer_close(peer, 0);
    }
}

/*
 * By connection
 */

static int link_fd(jri_zmq_peers *peers, jri_zmq_peer *peer, int fd)
{
    peer->fd = fd;
    if (fd < 0)
        return 0;
    if ((size_t)fd >= peers->fd_cap) {
        size_t cap = (size_t)fd + 1 + peers->fd_cap;
        jri_zmq_peer **by_fd = calloc(cap, sizeof(*by_fd));
        if (!by_fd)
            return -ENOMEM;
        for (size_t i = 0; i < peers->fd_cap; i++) {
            by_fd[i] = peers->by_fd[i];
            if (by_fd[i])
                by_fd[i]->fd_link = &by_fd[i];
        }
        free(peers->by_fd);
        peers->by_fd = by_fd;
        peers->fd_cap = cap;
    }
    peer->fd_link = &peers->by_fd[fd];
    peer->next_of_fd = *peer->fd_link;
    if (peer->next_of_fd)
        peer->next_of_fd->fd_link = &peer->next_of_fd;
    *peer->fd_link = peer;
    return 0;
}

static void unlink_fd(jri_zmq_peer *peer)
{
    if (!peer->fd_link)
        return;
    *peer->fd_link = peer->next_of_fd;
    if (peer->next_of_fd)
        peer->next_of_fd->fd_link = peer->fd_link;
    peer->fd_link = NULL;
}

void jri_zmq_peers_vanish(jri_zmq_listener *listener, int fd)
{
    jri_zmq_peers *peers = &listener->peers;

    while (fd >= 0 && (size_t)fd < peers->fd_cap && peers->by_fd[fd])
        jri_zmq_peer_close(peers->by_fd[fd], -EPIPE);
}

/*
 * Coming and going
 */

/* "127.0.0.1 00a3b1c2d4": where it connected from, if that is known, and its route. */
static void show_address(const jri_zmq_reader *reader, zmq_msg_t *frame, char to[ADDRESS_SIZE])
{
    const char *host = zmq_msg_gets(frame, "Peer-Address");
    const unsigned char *at = reader->route, *end = at + reader->route_len, *part;
    int n = snprintf(to, ADDRESS_SIZE, "%.40s", host ? host : "");
    size_t len;

    while ((part = jri_zmq_next_frame(&at, end, &len))) {
        if (n)
            to[n++] = ' ';
        for (size_t i = 0; i < len && i < ROUTE_SHOWN / 2; i++)
            n += snprintf(to + n, (size_t)(ADDRESS_SIZE - n), "%02x", part[i]);
    }
    to[n] = '\0';
}

static int fill_peer(jri_zmq_listener *listener, jri_zmq_peer *peer, uint64_t hash,
                     const char *identity)
{
    const jri_zmq_reader *reader = &listener->reader;

    *peer = (jri_zmq_peer){.listener = listener, .hash = hash, .fd = -1};
    peer->unsent_last = &peer->unsent;
    peer->route_len = reader->route_len;
    peer->route = malloc(reader->route_len + 1);
    peer->identity = identity ? strdup(identity) : NULL;
    if (!peer->route || (identity && !peer->identity))
        return -ENOMEM;
    memcpy(peer->route, reader->route, reader->route_len);
    /* A REP's only peer stands for all connections. */
    return link_fd(&listener->peers, peer,
                   listener->options.is_rep ? -1 : zmq_msg_get(&listener->frame, ZMQ_SRCFD));
}

static int open_peer(jri_zmq_listener *listener, uint64_t hash, const char *identity,
                     jri_zmq_peer **out)
{
    jri_zmq_reader *reader = &listener->reader;
    char address[ADDRESS_SIZE];
    jrpc_peer_info info = JRPC_PEER_INFO_INIT;
    void *state;

    jri_zmq_monitor_read(listener); /* a new connection has the number of one that has gone */
    forget_idle(&listener->peers);
    show_address(reader, &listener->frame, address);
    info.address = address;
    info.identity = identity;
    info.has_push = !reader->envelope.is_delimited;
    int status = jrpc_transport_opened(listener->owner, &info, &state);
    if (status)
        return status;

    jri_zmq_peer *peer = state;
    status = fill_peer(listener, peer, hash, identity);
    if (status) {
        free(peer->route);
        free(peer->identity);
        jrpc_transport_closed(peer, status);
        return status;
    }
    link_route(&listener->peers, peer);
    link_newest(&listener->peers, peer);
    *out = peer;
    return 0;
}

static jri_zmq_peer *look_up(const jri_zmq_peers *peers, const jri_zmq_reader *reader,
                             uint64_t hash)
{
    jri_zmq_peer *peer = *bucket_of(peers, hash);

    while (peer && (peer->hash != hash || !has_route(peer, reader->route, reader->route_len)))
        peer = peer->next_in_bucket;
    return peer;
}

/* Clients choose their routes, and all of a REP's have none: whose message it is says CURVE. */
static int find_verified(jri_zmq_listener *listener, uint64_t hash, jri_zmq_peer *peer,
                         jri_zmq_peer **out)
{
    const char *identity = jri_zmq_curve_identity(listener->options.curve, &listener->frame);

    if (!identity)
        return -EACCES;
    if (peer && strcmp(peer->identity, identity) != 0) {
        jri_zmq_peer_close(peer, -EPIPE);
        peer = NULL;
    }
    if (!peer)
        return open_peer(listener, hash, identity, out);
    *out = peer;
    return 0;
}

/* A peer that comes again is not the one that went. Routes that libzmq has made up, which begin
 * with a zero, never come again; and most are, so that a call in lock-step need not ask for news.
 */
static void hear_who_has_gone(jri_zmq_listener *listener)
{
    const jri_zmq_reader *reader = &listener->reader;

    if (listener->is_news_read || reader->route_len < 2 || !reader->route[1])
        return;
    listener->is_news_read = true;
    jri_zmq_monitor_read(listener);
}

/* Who sent the message that is being read; if it was not known it is now. */
int jri_zmq_peer_find(jri_zmq_listener *listener, jri_zmq_peer **out)
{
    jri_zmq_peers *peers = &listener->peers;
    const jri_zmq_reader *reader = &listener->reader;
    uint64_t hash = 0;

    hear_who_has_gone(listener);
    jri_zmq_peer *peer = peers->newest;
    if (!peer || !has_route(peer, reader->route, reader->route_len)) {
        hash = jri_hash((const char *)reader->route, reader->route_len, peers->seed);
        peer = look_up(peers, reader, hash);
        if (peer)
            touch(peers, peer);
    }
    if (listener->options.curve)
        return find_verified(listener, peer ? peer->hash : hash, peer, out);
    if (!peer)
        return open_peer(listener, hash, /* identity */ NULL, out);
    *out = peer;
    return 0;
}

void jri_zmq_peer_close(jri_zmq_peer *peer, int reason)
{
    jri_zmq_listener *listener = peer->listener;

    if (peer->is_closed)
        return;
    peer->is_closed = true;
    jri_zmq_forget_unsent(peer);
    unlink_route(&listener->peers, peer);
    unlink_age(&listener->peers, peer);
    unlink_fd(peer);
    free(peer->route);
    free(peer->identity);
    peer->route = NULL;
    peer->identity = NULL;
    if (listener->caller == peer)
        jri_zmq_send_silence(listener);
    jrpc_transport_closed(peer, reason);
}
