/* SPDX-License-Identifier: MIT */
/*
 * web_echo.c - servers of bare libwebsockets, to compare with
 *
 * Written as its own examples are. Options are its defaults: no limits, UTF-8 is not looked at,
 * headers are not either. Only an idle connection is kept for longer, for a side waits while others
 * have their turn.
 */
#include "web_echo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libwebsockets.h>

#include "bench.h"
#include "process.h"

enum { HEAD_MAX = 1024, KEEPALIVE_S = 600 };

typedef struct message {
    struct message *next;
    size_t len;
    unsigned char data[]; /* behind LWS_PRE bytes of libwebsockets' */
} message;

/* What libwebsockets keeps for each connection. */
typedef struct session {
    message *first, *last; /* to be sent */
    message *partial;      /* is coming */
} session;

static web_echo_plan plan;

/* Pieces of one message come one after the other. */
static int append(message **to, const void *data, size_t len)
{
    size_t had = *to ? (*to)->len : 0;
    message *grown = realloc(*to, sizeof(*grown) + LWS_PRE + had + len);

    if (!grown)
        return -1;
    memcpy(grown->data + LWS_PRE + had, data, len);
    grown->next = NULL;
    grown->len = had + len;
    *to = grown;
    return 0;
}

static void queue_partial(session *it)
{
    if (it->last)
        it->last->next = it->partial;
    else
        it->first = it->partial;
    it->last = it->partial;
    it->partial = NULL;
}

static void drop_first(session *it)
{
    message *sent = it->first;

    it->first = sent->next;
    if (!it->first)
        it->last = NULL;
    free(sent);
}

static void drop_all(session *it)
{
    while (it && it->first)
        drop_first(it);
    if (it)
        free(it->partial);
}

/*
 * WebSocket
 */

static int received(struct lws *wsi, session *it, const void *in, size_t len)
{
    if (append(&it->partial, in, len))
        return -1;
    if (!lws_is_final_fragment(wsi) || lws_remaining_packet_payload(wsi))
        return 0;
    queue_partial(it);
    lws_callback_on_writable(wsi);
    return 0;
}

static int writable(struct lws *wsi, session *it)
{
    while (it->first) {
        message *first = it->first;
        if (lws_write(wsi, first->data + LWS_PRE, first->len, LWS_WRITE_TEXT) < (int)first->len)
            return -1;
        drop_first(it);
        if (!plan.writes_at_once || lws_send_pipe_choked(wsi))
            break;
    }
    if (it->first)
        lws_callback_on_writable(wsi);
    return 0;
}

/*
 * HTTP
 */

/* Head, and body if there is one. */
static int write_head(struct lws *wsi, size_t body_len, const message *body)
{
    unsigned char buffer[LWS_PRE + HEAD_MAX * 2], *begin = buffer + LWS_PRE, *at = begin;
    unsigned char *end = begin + HEAD_MAX;

    if (lws_add_http_common_headers(wsi, HTTP_STATUS_OK, "application/json", body_len, &at, end) ||
        lws_finalize_http_header(wsi, &at, end) || body_len > HEAD_MAX)
        return -1;
    if (body) {
        memcpy(at, body->data + LWS_PRE, body_len);
        at += body_len;
    }
    return lws_write(wsi, begin, (size_t)(at - begin), LWS_WRITE_HTTP_HEADERS) < 0 ? -1 : 0;
}

static int body_ended(struct lws *wsi, session *it)
{
    if (!it->partial)
        return -1;
    queue_partial(it);
    if (write_head(wsi, it->first->len, plan.writes_at_once ? it->first : NULL))
        return -1;
    if (!plan.writes_at_once) {
        lws_callback_on_writable(wsi);
        return 0;
    }
    drop_first(it);
    return lws_http_transaction_completed(wsi) ? -1 : 0;
}

static int write_body(struct lws *wsi, session *it)
{
    if (!it || !it->first)
        return 0;
    int len = (int)it->first->len;
    if (lws_write(wsi, it->first->data + LWS_PRE, it->first->len, LWS_WRITE_HTTP_FINAL) != len)
        return -1;
    drop_first(it);
    return lws_http_transaction_completed(wsi) ? -1 : 0;
}

/*
 * Both
 */

static int called_back(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                       size_t len)
{
    switch (reason) {
    case LWS_CALLBACK_RECEIVE:
        return received(wsi, user, in, len);
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return writable(wsi, user);
    case LWS_CALLBACK_HTTP:
        return plan.is_http ? 0 : -1;
    case LWS_CALLBACK_HTTP_BODY:
        return append(&((session *)user)->partial, in, len);
    case LWS_CALLBACK_HTTP_BODY_COMPLETION:
        return body_ended(wsi, user);
    case LWS_CALLBACK_HTTP_WRITEABLE:
        return write_body(wsi, user);
    case LWS_CALLBACK_CLOSED:
    case LWS_CALLBACK_CLOSED_HTTP:
        drop_all(user);
        return 0;
    default:
        return 0;
    }
}

void web_echo(const void *user)
{
    static const struct lws_protocols protocols[] = {
        {.name = "echo", .callback = called_back, .per_session_data_size = sizeof(session)},
        {.name = NULL},
    };
    struct lws_context_creation_info info = {
        .port = 0,
        .iface = "127.0.0.1",
        .protocols = protocols,
        .options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS,
        .vhost_name = "echo",
        .keepalive_timeout = KEEPALIVE_S,
        .gid = (gid_t)-1,
        .uid = (uid_t)-1,
    };
    char url[64];

    plan = *(const web_echo_plan *)user;
    if (plan.is_uv)
        info.options |= LWS_SERVER_OPTION_LIBUV;
    lws_set_log_level(LLL_ERR, NULL);
    struct lws_context *context = lws_create_context(&info);
    struct lws_vhost *vhost = context ? lws_create_vhost(context, &info) : NULL;
    if (!vhost)
        bench_fail("libwebsockets does not start");
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/", lws_get_vhost_listen_port(vhost));
    process_ready(url, /* stop */ NULL, /* user */ NULL);
    while (lws_service(context, 0) >= 0)
        ;
    bench_fail("libwebsockets does not run");
}
