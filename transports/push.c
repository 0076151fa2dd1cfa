/* SPDX-License-Identifier: MIT */
/*
 * push.c - notifications to peers that did not ask, one by one or by topic
 *
 * A notification is encoded once, on the thread that sends it, and goes to the loop by the outbox,
 * so that it never lands inside an answer that is being written.
 */
#include "server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../core/json_write.h"

/* A notification's bytes, for however many peers. */
typedef struct push_parcel {
    atomic_uint n_refs;
    jrpc_buf buf;
} push_parcel;

/* One parcel on its way to one peer. */
typedef struct push_delivery {
    jri_outbox_item item; /* first */
    jrpc_peer *peer;      /* one reference */
    push_parcel *parcel;  /* one reference */
} push_delivery;

struct jrpc_topic {
    jrpc_server *server; /* one reference */
    uv_mutex_t lock;
    jrpc_peer **peers; /* one reference each */
    size_t n_peers, cap;
};

static void unref_parcel(push_parcel *parcel)
{
    if (!parcel || atomic_fetch_sub(&parcel->n_refs, 1) > 1)
        return;
    jri_buf_fini(&parcel->buf);
    free(parcel);
}

/* The notification as a value; params is stolen. NULL: no memory. */
static json_t *new_notification(const char *method, json_t *params)
{
    json_t *name = json_string(method);

    if (params)
        return json_pack("{s:s, s:o, s:o}", "jsonrpc", "2.0", "method", name, "params", params);
    return json_pack("{s:s, s:o}", "jsonrpc", "2.0", "method", name);
}

static int new_parcel(const jrpc_server *server, const jrpc_codec *codec, const json_t *value,
                      push_parcel **out)
{
    push_parcel *parcel = calloc(1, sizeof(*parcel));
    if (!parcel)
        return -ENOMEM;

    atomic_init(&parcel->n_refs, 1);
    jri_buf_init(&parcel->buf, (size_t)server->settings.reply_max);
    int status = codec ? codec->serialize(value, &parcel->buf, codec->user)
                       : jri_write_json(&parcel->buf, value);
    if (status) {
        unref_parcel(parcel);
        return status;
    }
    *out = parcel;
    return 0;
}

static void deliver(jri_outbox_item *item)
{
    push_delivery *delivery = (push_delivery *)item;
    jrpc_peer *peer = delivery->peer;
    const jrpc_buf *buf = &delivery->parcel->buf;

    atomic_fetch_sub(&peer->n_pushing, buf->len);
    if (jrpc_peer_is_open(peer) && !peer->is_dropped) {
        int status = jri_peer_answer(peer, /* exchange */ NULL, buf->data, buf->len, 200);
        peer->server->counts.pushes++;
        if (status)
            jri_peer_drop(peer, status);
    }
    jri_server_settle(peer->server);
    unref_parcel(delivery->parcel);
    jrpc_peer_unref(peer);
    free(delivery);
}

/* Puts the parcel on its way. */
static int put(jrpc_peer *peer, push_parcel *parcel)
{
    size_t len = parcel->buf.len, max = (size_t)peer->server->settings.queue_max;

    if (!jrpc_peer_is_open(peer))
        return -EPIPE;
    size_t n_before = atomic_fetch_add(&peer->n_pushing, len) + atomic_load(&peer->n_unsent);
    if (len > max || n_before > max - len) {
        atomic_fetch_sub(&peer->n_pushing, len);
        return -EAGAIN;
    }
    push_delivery *delivery = malloc(sizeof(*delivery));
    int status = delivery ? 0 : -ENOMEM;
    if (!status) {
        delivery->item.run = deliver;
        delivery->peer = jrpc_peer_ref(peer);
        delivery->parcel = parcel;
        atomic_fetch_add(&parcel->n_refs, 1);
        status = jri_outbox_put(&peer->server->outbox, &delivery->item);
    }
    if (!status)
        return 0;
    atomic_fetch_sub(&peer->n_pushing, len);
    if (delivery) {
        unref_parcel(parcel);
        jrpc_peer_unref(peer);
        free(delivery);
    }
    return status;
}

int jrpc_peer_notify(jrpc_peer *peer, const char *method, json_t *params)
{
    bool is_valid = peer && method && (!params || json_is_array(params) || json_is_object(params));
    push_parcel *parcel = NULL;
    json_t *value;

    if (!is_valid || !jrpc_peer_has_push(peer)) {
        json_decref(params);
        return is_valid ? -EOPNOTSUPP : -EINVAL;
    }
    value = new_notification(method, params);
    int status = value ? new_parcel(peer->server, peer->codec.serialize ? &peer->codec : NULL,
                                    value, &parcel)
                       : -ENOMEM;
    json_decref(value);
    if (!status)
        status = put(peer, parcel);
    unref_parcel(parcel);
    return status;
}

/* Hangs up, on the loop. */
typedef struct hang_up {
    jri_outbox_item item; /* first */
    jrpc_peer *peer;
} hang_up;

static void do_hang_up(jri_outbox_item *item)
{
    hang_up *order = (hang_up *)item;

    jri_peer_drop(order->peer, 0);
    jrpc_peer_unref(order->peer);
    free(order);
}

void jrpc_peer_close(jrpc_peer *peer)
{
    hang_up *order = jrpc_peer_is_open(peer) ? malloc(sizeof(*order)) : NULL;

    if (!order)
        return;
    order->item.run = do_hang_up;
    order->peer = jrpc_peer_ref(peer);
    if (jri_outbox_put(&peer->server->outbox, &order->item)) {
        jrpc_peer_unref(peer);
        free(order);
    }
}

/*
 * Topics
 */

int jrpc_topic_new(jrpc_server *server, jrpc_topic **out)
{
    if (!server || !out)
        return -EINVAL;

    jrpc_topic *topic = calloc(1, sizeof(*topic));
    if (!topic)
        return -ENOMEM;
    int status = uv_mutex_init(&topic->lock);
    if (status) {
        free(topic);
        return status;
    }
    atomic_fetch_add(&server->n_refs, 1);
    topic->server = server;
    *out = topic;
    return 0;
}

/* The lock is held. */
static void remove_at(jrpc_topic *topic, size_t i)
{
    jrpc_peer_unref(topic->peers[i]);
    topic->peers[i] = topic->peers[--topic->n_peers];
}

static size_t find(const jrpc_topic *topic, const jrpc_peer *peer)
{
    size_t i = 0;

    while (i < topic->n_peers && topic->peers[i] != peer)
        i++;
    return i;
}

static int add(jrpc_topic *topic, jrpc_peer *peer)
{
    if (find(topic, peer) < topic->n_peers)
        return -EEXIST;
    if (topic->n_peers == topic->cap) {
        size_t cap = topic->cap ? topic->cap * 2 : 8;
        jrpc_peer **peers = realloc(topic->peers, cap * sizeof(jrpc_peer *));
        if (!peers)
            return -ENOMEM;
        topic->peers = peers;
        topic->cap = cap;
    }
    topic->peers[topic->n_peers++] = jrpc_peer_ref(peer);
    return 0;
}

int jrpc_topic_add(jrpc_topic *topic, jrpc_peer *peer)
{
    if (!topic || !peer || peer->server != topic->server)
        return -EINVAL;
    if (!jrpc_peer_has_push(peer))
        return -EOPNOTSUPP;
    if (!jrpc_peer_is_open(peer))
        return -EPIPE;

    uv_mutex_lock(&topic->lock);
    int status = add(topic, peer);
    uv_mutex_unlock(&topic->lock);
    return status;
}

int jrpc_topic_remove(jrpc_topic *topic, jrpc_peer *peer)
{
    if (!topic || !peer)
        return -EINVAL;

    uv_mutex_lock(&topic->lock);
    size_t i = find(topic, peer);
    bool is_found = i < topic->n_peers;
    if (is_found)
        remove_at(topic, i);
    uv_mutex_unlock(&topic->lock);
    return is_found ? 0 : -ENOENT;
}

/* The lock is held. Sends to every member; parcels are made once for JSON and once for each member
 * with a codec. */
static int notify(jrpc_topic *topic, const json_t *value)
{
    push_parcel *plain = NULL;
    int n_sent = 0, status = 0;

    for (size_t i = 0; i < topic->n_peers && !status;) {
        jrpc_peer *peer = topic->peers[i];
        bool has_codec = peer->codec.serialize;
        push_parcel *coded = NULL;
        if (!jrpc_peer_is_open(peer)) {
            remove_at(topic, i);
            continue;
        }
        i++;
        if (has_codec || !plain)
            status = new_parcel(topic->server, has_codec ? &peer->codec : NULL, value,
                                has_codec ? &coded : &plain);
        if (!status)
            n_sent += put(peer, has_codec ? coded : plain) == 0;
        unref_parcel(coded);
    }
    unref_parcel(plain);
    return status ? status : n_sent;
}

int jrpc_topic_notify(jrpc_topic *topic, const char *method, json_t *params)
{
    if (!topic || !method || (params && !json_is_array(params) && !json_is_object(params))) {
        json_decref(params);
        return -EINVAL;
    }
    json_t *value = new_notification(method, params);
    if (!value)
        return -ENOMEM;

    uv_mutex_lock(&topic->lock);
    int status = notify(topic, value);
    uv_mutex_unlock(&topic->lock);
    json_decref(value);
    return status;
}

void jrpc_topic_free(jrpc_topic *topic)
{
    if (!topic)
        return;
    while (topic->n_peers)
        remove_at(topic, 0);
    free(topic->peers);
    uv_mutex_destroy(&topic->lock);
    jri_server_unref(topic->server);
    free(topic);
}
