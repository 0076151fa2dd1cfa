/* SPDX-License-Identifier: MIT */
/*
 * push.c - notifications to peers that did not ask
 *
 * A notification is encoded once, on the thread that sends it, and goes to the loop by the outbox,
 * so that it never lands inside an answer that is being written.
 */
#include "push.h"

#include <errno.h>
#include <stdlib.h>

#include "../core/json_write.h"

/* One parcel on its way to one peer. */
typedef struct push_delivery {
    jri_outbox_item item; /* first */
    jrpc_peer *peer;      /* one reference */
    jri_parcel *parcel;   /* one reference */
} push_delivery;

void jri_parcel_unref(jri_parcel *parcel)
{
    if (!parcel || atomic_fetch_sub(&parcel->n_refs, 1) > 1)
        return;
    jri_buf_fini(&parcel->buf);
    free(parcel);
}

json_t *jri_notification_new(const char *method, json_t *params)
{
    json_t *name = json_string(method);

    if (params)
        return json_pack("{s:s, s:o, s:o}", "jsonrpc", "2.0", "method", name, "params", params);
    return json_pack("{s:s, s:o}", "jsonrpc", "2.0", "method", name);
}

int jri_parcel_new(const jrpc_server *server, const jrpc_codec *codec, const json_t *value,
                   jri_parcel **out)
{
    jri_parcel *parcel = calloc(1, sizeof(*parcel));
    if (!parcel)
        return -ENOMEM;

    atomic_init(&parcel->n_refs, 1);
    jri_buf_init(&parcel->buf, (size_t)server->settings.reply_max);
    int status = codec ? codec->serialize(value, &parcel->buf, codec->user)
                       : jri_write_json(&parcel->buf, value);
    if (status) {
        jri_parcel_unref(parcel);
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
    jri_parcel_unref(delivery->parcel);
    jrpc_peer_unref(peer);
    free(delivery);
}

int jri_parcel_send(jri_parcel *parcel, jrpc_peer *peer)
{
    size_t len = parcel->buf.len, max = peer->queue_max;

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
        jri_parcel_unref(parcel);
        jrpc_peer_unref(peer);
        free(delivery);
    }
    return status;
}

/* Another thread may be swapping the service. */
jrpc_codec jri_peer_codec(jrpc_peer *peer)
{
    uv_mutex_lock(&peer->server->topics_lock);
    jrpc_codec codec = peer->codec;
    uv_mutex_unlock(&peer->server->topics_lock);
    return codec;
}

int jrpc_peer_notify(jrpc_peer *peer, const char *method, json_t *params)
{
    bool is_valid = peer && method && (!params || json_is_array(params) || json_is_object(params));
    jri_parcel *parcel = NULL;
    json_t *value;

    if (!is_valid || !jrpc_peer_has_push(peer)) {
        json_decref(params);
        return is_valid ? -EOPNOTSUPP : -EINVAL;
    }
    jrpc_codec codec = jri_peer_codec(peer);
    value = jri_notification_new(method, params);
    int status = value
                     ? jri_parcel_new(peer->server, codec.serialize ? &codec : NULL, value, &parcel)
                     : -ENOMEM;
    json_decref(value);
    if (!status)
        status = jri_parcel_send(parcel, peer);
    jri_parcel_unref(parcel);
    return status;
}

static void do_hang_up(jri_outbox_item *item)
{
    jrpc_peer *peer = (jrpc_peer *)((char *)item - offsetof(jrpc_peer, hang_up));

    jri_peer_drop(peer, 0);
    jrpc_peer_unref(peer);
}

void jrpc_peer_close(jrpc_peer *peer)
{
    if (!jrpc_peer_is_open(peer) || atomic_exchange(&peer->is_hanging_up, true))
        return;
    peer->hang_up.run = do_hang_up;
    jrpc_peer_ref(peer);
    if (jri_outbox_put(&peer->server->outbox, &peer->hang_up))
        jrpc_peer_unref(peer);
}
