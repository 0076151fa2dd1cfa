/* SPDX-License-Identifier: MIT */
/*
 * topic.c - lists of peers that are notified together
 *
 * A membership stands in two lists, of its topic and of its peer, so that neither joining, leaving
 * nor hanging up has to look for it. One lock of the server guards them all; it is held neither
 * while anything is encoded or sent nor while a peer is let go.
 */
#include "push.h"

#include <errno.h>
#include <stdlib.h>

typedef struct jri_membership {
    jrpc_topic *topic;
    jrpc_peer *peer;                     /* one reference */
    size_t index;                        /* in topic->members */
    struct jri_membership *next, **link; /* of the peer */
} membership;

struct jrpc_topic {
    jrpc_server *server; /* one reference */
    membership **members;
    size_t n_members, cap;
};

int jrpc_topic_new(jrpc_server *server, jrpc_topic **out)
{
    if (!server || !out)
        return -EINVAL;

    jrpc_topic *topic = calloc(1, sizeof(*topic));
    if (!topic)
        return -ENOMEM;
    atomic_fetch_add(&server->n_refs, 1);
    topic->server = server;
    *out = topic;
    return 0;
}

/* The lock is held. */
static membership *find(const jrpc_topic *topic, const jrpc_peer *peer)
{
    membership *member = peer->memberships;

    while (member && member->topic != topic)
        member = member->next;
    return member;
}

/* The lock is held. */
static int add(jrpc_topic *topic, jrpc_peer *peer)
{
    if (topic->n_members == topic->cap) {
        size_t cap = topic->cap ? topic->cap * 2 : 8;
        membership **members = realloc(topic->members, cap * sizeof(membership *));
        if (!members)
            return -ENOMEM;
        topic->members = members;
        topic->cap = cap;
    }
    membership *member = malloc(sizeof(*member));
    if (!member)
        return -ENOMEM;

    *member = (membership){.topic = topic, .peer = jrpc_peer_ref(peer)};
    member->index = topic->n_members;
    topic->members[topic->n_members++] = member;
    member->next = peer->memberships;
    member->link = &peer->memberships;
    if (member->next)
        member->next->link = &member->next;
    peer->memberships = member;
    return 0;
}

/* The lock is held. Out of both lists; to be let go when it is not. */
static void take_out(membership *member)
{
    jrpc_topic *topic = member->topic;
    membership *last = topic->members[--topic->n_members];

    last->index = member->index;
    topic->members[last->index] = last;
    *member->link = member->next;
    if (member->next)
        member->next->link = member->link;
}

static void let_go(membership *member)
{
    jrpc_peer_unref(member->peer); /* may call the application */
    free(member);
}

int jrpc_topic_add(jrpc_topic *topic, jrpc_peer *peer)
{
    if (!topic || !peer || peer->server != topic->server)
        return -EINVAL;
    if (!jrpc_peer_has_push(peer))
        return -EOPNOTSUPP;

    int status = -EPIPE;
    uv_mutex_lock(&topic->server->topics_lock);
    if (jrpc_peer_is_open(peer)) /* it closes before it leaves its topics */
        status = find(topic, peer) ? -EEXIST : add(topic, peer);
    uv_mutex_unlock(&topic->server->topics_lock);
    return status;
}

int jrpc_topic_remove(jrpc_topic *topic, jrpc_peer *peer)
{
    if (!topic || !peer || peer->server != topic->server)
        return -EINVAL;

    uv_mutex_lock(&topic->server->topics_lock);
    membership *member = find(topic, peer);
    if (member)
        take_out(member);
    uv_mutex_unlock(&topic->server->topics_lock);
    if (!member)
        return -ENOENT;
    let_go(member);
    return 0;
}

void jri_peer_leave_topics(jrpc_peer *peer)
{
    uv_mutex_t *lock = &peer->server->topics_lock;
    membership *member;

    do {
        uv_mutex_lock(lock);
        member = peer->memberships;
        if (member)
            take_out(member);
        uv_mutex_unlock(lock);
        if (member)
            let_go(member);
    } while (member);
}

/* The members now, one reference each; NULL: no memory, or none. */
static jrpc_peer **members_of(jrpc_topic *topic, size_t *n)
{
    uv_mutex_lock(&topic->server->topics_lock);
    *n = topic->n_members;
    jrpc_peer **peers = *n ? malloc(*n * sizeof(jrpc_peer *)) : NULL;
    for (size_t i = 0; peers && i < *n; i++)
        peers[i] = jrpc_peer_ref(topic->members[i]->peer);
    uv_mutex_unlock(&topic->server->topics_lock);
    return peers;
}

/* To one member: by the parcel in JSON, which all share and the first makes, or by its codec. */
static int notify(jrpc_peer *peer, const json_t *value, jri_parcel **plain)
{
    jrpc_codec codec = jri_peer_codec(peer);
    jri_parcel *coded = NULL, **parcel = codec.serialize ? &coded : plain;
    int status = 0;

    if (!*parcel)
        status = jri_parcel_new(peer->server, codec.serialize ? &codec : NULL, value, parcel);
    if (!status)
        status = jri_parcel_send(*parcel, peer) == 0;
    jri_parcel_unref(coded);
    return status;
}

static int notify_all(jrpc_topic *topic, const json_t *value)
{
    size_t n;
    jrpc_peer **peers = members_of(topic, &n);
    jri_parcel *plain = NULL;
    int n_sent = 0, status = n && !peers ? -ENOMEM : 0;

    for (size_t i = 0; peers && i < n; i++) {
        int sent = status ? 0 : notify(peers[i], value, &plain);
        if (sent < 0)
            status = sent;
        else
            n_sent += sent;
        jrpc_peer_unref(peers[i]);
    }
    jri_parcel_unref(plain);
    free(peers);
    return status ? status : n_sent;
}

int jrpc_topic_notify(jrpc_topic *topic, const char *method, json_t *params)
{
    if (!topic || !method || (params && !json_is_array(params) && !json_is_object(params))) {
        json_decref(params);
        return -EINVAL;
    }
    json_t *value = jri_notification_new(method, params);
    if (!value)
        return -ENOMEM;

    int status = notify_all(topic, value);
    json_decref(value);
    return status;
}

void jrpc_topic_free(jrpc_topic *topic)
{
    if (!topic)
        return;

    uv_mutex_t *lock = &topic->server->topics_lock;
    membership *member;
    do {
        uv_mutex_lock(lock);
        member = topic->n_members ? topic->members[0] : NULL;
        if (member)
            take_out(member);
        uv_mutex_unlock(lock);
        if (member)
            let_go(member);
    } while (member);
    free(topic->members);
    jri_server_unref(topic->server);
    free(topic);
}
