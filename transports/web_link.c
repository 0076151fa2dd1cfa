/* SPDX-License-Identifier: MIT */
/*
 * web_link.c - connections: what HTTP and WebSocket have in common
 *
 * Answers are written one behind the other into one buffer, which goes out once for a turn of the
 * loop. Bytes that libwebsockets takes and the kernel does not are copied by it; so it is given no
 * more until it has none left. An idle connection has no buffers.
 */
#define _GNU_SOURCE
#include "web.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "../core/buf.h"

enum {
    KEPT_SPARE = 65536,    /* bytes of memory that an empty buffer may keep */
    WORTH_TELLING = 16384, /* bytes of a part of a message */
    KEPT_SENT = 1 << 20,   /* bytes written that may stand before those that are not */
    DRAINED_AT_ONCE = 16,  /* pieces */
};

jri_web_link *jri_web_link_new(struct lws *wsi)
{
    jri_web_link *link = calloc(1, sizeof(*link));
    if (!link)
        return NULL;

    link->http = calloc(1, sizeof(*link->http));
    if (!link->http) {
        free(link);
        return NULL;
    }
    link->wsi = wsi;
    link->is_stranger = true;
    jri_web_site_of(link)->n_strangers++;
    return link;
}

/* It counts as a stranger no more: there is room for another. */
static void admit(jri_web_link *link)
{
    if (!link->is_stranger)
        return;
    link->is_stranger = false;
    jri_web_site_of(link)->n_strangers--;
    jri_web_socket_accept(jri_web_site_of(link));
}

/* It becomes a WebSocket, of which there may be many that say nothing. */
void jri_web_link_end_http(jri_web_link *link)
{
    if (link->http)
        free(link->http->origin);
    free(link->http);
    link->http = NULL;
}

void jri_web_link_free(jri_web_link *link)
{
    if (!link)
        return;
    jri_web_link_close_peer(link);
    admit(link);
    if (link->is_parting) {
        *link->link = link->next;
        if (link->next)
            link->next->link = link->link;
    }
    jri_web_link_end_http(link);
    free(link->headers);
    free(link);
}

bool jri_web_link_is_local(const jri_web_link *link)
{
    char address[JRI_STREAM_ADDRESS_SIZE], identity[JRI_STREAM_ADDRESS_SIZE];

    if (jri_web_site_of(link)->place.is_unix)
        return true;
    jri_stream_welcome(&jri_web_site_of(link)->place, lws_get_socket_fd(link->wsi), address,
                       identity);
    return !strncmp(address, "127.", 4) || !strncmp(address, "[::1]", 5);
}

/* Who the client's certificate says it is; "" if nobody asked for one. */
static void read_certificate(const jri_web_link *link, char identity[JRI_STREAM_ADDRESS_SIZE])
{
    union lws_tls_cert_info_results *info;

    if (!jri_web_site_of(link)->client_ca)
        return;
    info = malloc(sizeof(*info) + JRI_STREAM_ADDRESS_SIZE);
    if (info && !lws_tls_peer_cert_info(link->wsi, LWS_TLS_CERT_INFO_COMMON_NAME, info,
                                        JRI_STREAM_ADDRESS_SIZE))
        snprintf(identity, JRI_STREAM_ADDRESS_SIZE, "%.*s", info->ns.len, info->ns.name);
    free(info);
}

int jri_web_link_open_peer(jri_web_link *link, bool is_websocket)
{
    char address[JRI_STREAM_ADDRESS_SIZE], identity[JRI_STREAM_ADDRESS_SIZE];
    jrpc_peer_info info = {
        .size = sizeof(info), .address = address, .has_push = is_websocket, .state = &link};

    jri_stream_welcome(&jri_web_site_of(link)->place, lws_get_socket_fd(link->wsi), address,
                       identity);
    read_certificate(link, identity);
    info.identity = *identity ? identity : NULL;
    int status = jrpc_transport_opened(link->listener->owner, &info, &link->peer);
    if (status) {
        link->peer = NULL;
        return status;
    }
    admit(link);
    return 0;
}

void jri_web_link_drop_buffer(jri_web_link *link, jrpc_buf **buf)
{
    jri_web_site *site = jri_web_site_of(link);
    jrpc_buf *dropped = *buf;

    *buf = NULL;
    if (dropped && !site->spare && dropped->cap <= KEPT_SPARE) {
        jrpc_buf_truncate(dropped, 0);
        site->spare = dropped;
    } else {
        jrpc_buf_free(dropped);
    }
}

static jrpc_buf *take_buffer(jri_web_link *link)
{
    jri_web_site *site = jri_web_site_of(link);
    jrpc_buf *buf = site->spare;

    site->spare = NULL;
    return buf || !jrpc_buf_new((size_t)-1, &buf) ? buf : NULL;
}

/* The listener may end with its last peer. */
void jri_web_link_close_peer(jri_web_link *link)
{
    void *peer = link->peer;

    jri_web_liveness_forget(link);
    link->peer = NULL;
    link->listener = NULL;
    if (!link->is_parting) {
        jri_web_link_drop_buffer(link, &link->input);
        jri_web_link_drop_buffer(link, &link->output);
    }
    link->sent = link->ready = 0;
    if (peer)
        jrpc_transport_closed(peer, link->reason);
}

/* From outside its callbacks a connection can only be closed by a time-out, and libwebsockets looks
 * at its timers only when it is woken. */
void jri_web_link_kill(jri_web_link *link, int reason)
{
    if (!link->reason)
        link->reason = reason;
    if (link->is_killed)
        return;
    link->is_killed = true;
    lws_set_timeout(link->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
    lws_cancel_service(lws_get_context(link->wsi));
}

/* The server is done with it. */
void jri_web_link_part(jri_web_link *link, int patience_ms)
{
    jri_web_site *site = jri_web_site_of(link);

    jri_web_link_close_peer(link);
    link->is_parting = true;
    link->next = site->parting;
    link->link = &site->parting;
    if (link->next)
        link->next->link = &link->next;
    site->parting = link;
    lws_set_timer_usecs(link->wsi, patience_ms * LWS_US_PER_MS);
    lws_cancel_service(site->context); /* to see the timer */
}

/* It has got all that was sent, and closing takes nothing of that back: it would if there were
 * bytes from it that nobody read. */
bool jri_web_link_has_heard(const jri_web_link *link)
{
    int fd = lws_get_socket_fd(link->wsi), n_unread = 0, n_unsent = 0;

    return !lws_partial_buffered(link->wsi) && !ioctl(fd, FIONREAD, &n_unread) && !n_unread &&
           !ioctl(fd, TIOCOUTQ, &n_unsent) && !n_unsent;
}

int jri_web_link_drain(const jri_web_link *link)
{
    char waste[16384];
    ssize_t n = 1;

    for (int i = 0; i < DRAINED_AT_ONCE && n > 0; i++)
        n = recv(lws_get_socket_fd(link->wsi), waste, sizeof(waste), MSG_DONTWAIT);
    return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)) ? 0 : -1;
}

jrpc_buf *jri_web_link_output(jri_web_link *link)
{
    if (!link->output)
        link->output = take_buffer(link);
    else
        jrpc_buf_truncate(link->output, link->ready); /* what was begun and not ended */
    return link->output;
}

size_t jri_web_link_unsent(const jri_web_link *link)
{
    return link->ready - link->sent + (lws_partial_buffered(link->wsi) ? link->lent : 0);
}

int jri_web_link_write_some(jri_web_link *link)
{
    unsigned char *data = (unsigned char *)jrpc_buf_data(link->output, NULL) + link->sent;
    size_t n = link->ready - link->sent;

    /* Where a part of a frame was sent and no more is left with libwebsockets, it puts its pings
     * and pongs. */
    if (n > JRI_WEB_CHUNK)
        n = link->is_websocket ? jri_web_frames_end(data, n, JRI_WEB_CHUNK) : JRI_WEB_CHUNK;
    if (lws_write(link->wsi, data, n, LWS_WRITE_RAW) < (int)n)
        return -1;
    link->sent += n;
    link->lent = (uint32_t)n;
    return 0;
}

int jri_web_link_write(jri_web_link *link)
{
    while (link->sent < link->ready && !lws_partial_buffered(link->wsi))
        if (jri_web_link_write_some(link))
            return -1;
    if (link->sent == link->ready) {
        jri_web_link_drop_buffer(link, &link->output);
        link->sent = link->ready = 0;
        return !lws_partial_buffered(link->wsi);
    }
    if (link->sent >= KEPT_SENT) {
        jrpc_buf_consume(link->output, link->sent);
        link->ready -= link->sent;
        link->sent = 0;
    }
    return 0;
}

int jri_web_link_keep_input(jri_web_link *link, const char *data, size_t len)
{
    size_t total;

    if (!link->input)
        link->input = take_buffer(link);
    int status = link->input ? jrpc_buf_append(link->input, data, len) : -ENOMEM;
    jrpc_buf_data(link->input, &total);
    if (!status && total >= WORTH_TELLING)
        jrpc_transport_buffered(link->peer, total);
    return status;
}

size_t jri_web_header(jri_web_link *link, enum lws_token_indexes token, char *to, size_t size)
{
    int len = lws_hdr_copy(link->wsi, to, (int)size, token);

    if (len < 0) {
        to[0] = '\0';
        return size; /* too long */
    }
    return (size_t)len;
}
