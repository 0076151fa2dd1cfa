/* SPDX-License-Identifier: MIT */
/*
 * web_http.c - messages by POST
 *
 * One request of a connection is in hand at a time. What is read together with it, behind its body,
 * libwebsockets 4.1 keeps and cannot read as a request: lws_http_action() would take its headers
 * for its body, out of memory that is freed meanwhile. So a transaction is completed only when
 * nothing is kept. If something is, its client has not waited: the answer says that it is the last,
 * what else comes is thrown away, and the connection is closed. To answer at once, at the end of
 * the turn, we must know that nothing is kept; libwebsockets tells that of all connections
 * together. Else it is known in the next turn, in which it shows what it keeps before it asks for
 * output.
 *
 * A connection is closed as well behind a request that the server did not see, an empty body, one
 * in chunks, and when the client or the end of the server ask for it. If anything has not been read
 * by then it is read for a while and thrown away, else the kernel would take the answer back from
 * the client together with the connection.
 */
#define _GNU_SOURCE
#include "web.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { LINGER_MS = 2000, SOON_US = 2000 };

/*
 * What is sent
 */

static const char *phrase_of(int status)
{
    static const struct {
        int status;
        const char *phrase;
    } rows[] = {
        {200, "OK"},
        {204, "No Content"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {411, "Length Required"},
        {413, "Content Too Large"},
        {415, "Unsupported Media Type"},
        {421, "Misdirected Request"},
        {426, "Upgrade Required"},
        {500, "Internal Server Error"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        if (rows[i].status == status)
            return rows[i].phrase;
    return "Status";
}

/* 0: it does not fit. Status 204 stands for no body. */
size_t jri_http_put_head(const jri_web_link *link, const jri_http_verdict *verdict, size_t body_len,
                         char to[JRI_HTTP_HEAD_MAX])
{
    const jri_http_request *http = link->http;
    bool is_plain = http->keeps_alive && !http->is_1_0;
    const char *connection =
        http->keeps_alive ? "Connection: keep-alive\r\n" : "Connection: close\r\n";
    char length[160] = "";

    if (verdict->status != 204)
        snprintf(length, sizeof(length), "Content-Type: %s\r\nContent-Length: %zu\r\n",
                 verdict->type ? verdict->type : "text/plain; charset=utf-8", body_len);
    int n =
        snprintf(to, JRI_HTTP_HEAD_MAX, "HTTP/1.1 %d %s\r\n%s%s%s%s%s%s\r\n", verdict->status,
                 phrase_of(verdict->status), length, is_plain ? "" : connection, verdict->headers,
                 http->origin ? "Vary: Origin\r\nAccess-Control-Allow-Origin: " : "",
                 http->origin ? http->origin : "", http->origin ? "\r\n" : "");
    return n < JRI_HTTP_HEAD_MAX ? (size_t)n : 0;
}

int jri_http_say(jri_web_link *link, const jri_http_verdict *verdict)
{
    char text[LWS_PRE + JRI_HTTP_HEAD_MAX + 128], *at = text + LWS_PRE;
    size_t body_len = strlen(verdict->text);
    size_t n = jri_http_put_head(link, verdict, body_len, at);

    if (!n || body_len > 128)
        return -1;
    if (verdict->status != 204 && !link->http->is_head) {
        memcpy(at + n, verdict->text, body_len);
        n += body_len;
    }
    return lws_write(link->wsi, (unsigned char *)at, n, LWS_WRITE_RAW) < (int)n ? -1 : 0;
}

/* Its head waits until it is written, as it tells whether the connection is kept. */
int jri_http_answer_end(jri_web_link *link, jrpc_buf *buf, size_t start, int status)
{
    jri_http_request *http = link->http;
    size_t end;

    jrpc_buf_data(buf, &end);
    if (http->phase != JRI_HTTP_RUNNING) { /* there is nobody to get it */
        jrpc_buf_truncate(buf, link->ready);
        return 0;
    }
    http->status = (uint16_t)(end == start ? 204 : status);
    http->has_head = false;
    http->phase = JRI_HTTP_ANSWERING;
    http->keeps_alive &= !link->listener->is_stopped;
    link->sent = start;
    link->ready = end;
    return 0;
}

static int put_answers_head(jri_web_link *link)
{
    const char *type = jri_web_type(link->listener);
    const jri_http_verdict verdict = {link->http->status, "", NULL,
                                      type ? type : "application/json"};
    char head[JRI_HTTP_HEAD_MAX];
    size_t len = jri_http_put_head(link, &verdict, link->ready - link->sent, head);

    if (!len)
        return -1;
    link->sent -= len; /* there is room in front */
    memcpy(jrpc_buf_data(link->output, NULL) + link->sent, head, len);
    link->http->has_head = true;
    return 0;
}

/*
 * The body
 */

/* The server has it from here on. */
static void set_running(jri_web_link *link)
{
    link->http->phase = JRI_HTTP_RUNNING;
    /* Behind the last chunk libwebsockets waits for more, for a time only: that is to end. */
    lws_set_timer_usecs(link->wsi, link->http->is_chunked ? 1 : LWS_SET_TIMER_USEC_CANCEL);
}

static int deliver(jri_web_link *link, const char *data, size_t len)
{
    set_running(link);
    jrpc_transport_received(link->peer, /* exchange */ NULL, len ? data : "", len);
    return 0;
}

static int deliver_input(jri_web_link *link)
{
    jrpc_buf *input = link->input;
    size_t len = 0;
    const char *data = jrpc_buf_data(input, &len);

    link->input = NULL;
    jrpc_transport_buffered(link->peer, 0);
    deliver(link, data, len);
    jri_web_link_drop_buffer(link, &input);
    return 0;
}

static int refuse(jri_web_link *link, int status, const char *what)
{
    jri_web_link_drop_buffer(link, &link->input);
    jrpc_transport_buffered(link->peer, 0);
    link->http->keeps_alive = false;
    link->http->is_cut = true;
    set_running(link);
    jrpc_transport_failed(link->peer, /* exchange */ NULL, status, what);
    return 0;
}

static int keep(jri_web_link *link, const char *data, size_t len)
{
    size_t had = 0;

    if (link->input)
        jrpc_buf_data(link->input, &had);
    if (len > link->listener->message_max || had > link->listener->message_max - len)
        return refuse(link, -EMSGSIZE, "a body is longer than message_max");
    return jri_web_link_keep_input(link, data, len);
}

static int read_chunks(jri_web_link *link, const char *at, size_t len)
{
    const char *end = at + len, *piece;
    size_t piece_len;
    int found = 1, status = 0;

    while (found == 1 && !status && link->http->phase == JRI_HTTP_BODY) {
        found = jri_web_chunks_next(&link->http->chunks, &at, end, &piece, &piece_len);
        if (found == 1)
            status = keep(link, piece, piece_len);
    }
    if (found < 0)
        return refuse(link, -EBADMSG, "the chunks of a body are broken");
    if (jri_web_chunks_due(&link->http->chunks) > link->listener->message_max)
        return refuse(link, -EMSGSIZE, "a chunk of a body is longer than message_max");
    if (found == 2)
        return deliver_input(link);
    return status;
}

int jri_http_body(jri_web_link *link, const char *data, size_t len)
{
    jri_http_request *http = link->http;

    if (http->phase != JRI_HTTP_BODY)
        return 0; /* thrown away */
    if (http->is_chunked)
        return read_chunks(link, data, len);
    http->left -= len < http->left ? len : http->left;
    if (!http->left && !link->input)
        return deliver(link, data, len);
    if (keep(link, data, len))
        return -1;
    return http->left || !link->input ? 0 : deliver_input(link);
}

/* Called anew, in this turn or the next, whenever more has come. */
int jri_http_body_ended(jri_web_link *link)
{
    jri_http_request *http = link->http;

    http->is_cut = false;
    if (!http->has_ended) {
        http->has_ended = true;
        return 0;
    }
    if (http->phase == JRI_HTTP_IDLE)
        return -1; /* the answer is on its way, too late to say anything */
    http->keeps_alive = false;
    http->is_pipelined = true;
    bool is_there = jri_web_link_drain(link) == 0;
    if (!is_there && http->phase == JRI_HTTP_ANSWERING && jri_http_writable(link) == 0)
        while (link->sent < link->ready && !jri_web_link_write_some(link))
            continue; /* it may have closed just its own side */
    return is_there ? 0 : -1;
}

/*
 * The request
 */

static void read_connection(jri_web_link *link)
{
    jri_http_request *http = link->http;
    char text[256];

    jri_web_header(link, WSI_TOKEN_HTTP, text, sizeof(text));
    http->is_1_0 = strcmp(text, "HTTP/1.1") != 0;
    http->is_head = lws_hdr_total_length(link->wsi, WSI_TOKEN_HEAD_URI) > 0;
    size_t len = jri_web_header(link, WSI_TOKEN_CONNECTION, text, sizeof(text));
    http->keeps_alive = len < sizeof(text) && !jri_web_list_has(text, len, "close") &&
                        (!http->is_1_0 || jri_web_list_has(text, len, "keep-alive"));
}

/* The answer is sent; the rest of the body has its time to come, and then the end. */
static int linger(jri_web_link *link)
{
    link->http->phase = JRI_HTTP_LINGERING;
    shutdown(lws_get_socket_fd(link->wsi), SHUT_WR);
    jri_web_link_part(link, LINGER_MS);
    return 0;
}

static bool expects_body(const jri_web_link *link)
{
    return lws_hdr_total_length(link->wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH) ||
           lws_hdr_total_length(link->wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING);
}

/* A request that is answered without the server. */
static int end_here(jri_web_link *link, const jri_http_verdict *verdict)
{
    bool has_body = expects_body(link) || lws_hdr_total_length(link->wsi, WSI_TOKEN_POST_URI);

    link->http->keeps_alive = false; /* what stands behind it is not known yet */
    if (jri_http_say(link, verdict))
        return -1;
    return has_body ? linger(link) : -1;
}

static int begin(jri_web_link *link, const char *path)
{
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    jri_http_verdict verdict = {0};
    char expect[64];

    free(link->http->origin);
    *link->http = (jri_http_request){0};
    read_connection(link);
    jri_web_route(link, path);
    jri_http_check_version(link, &verdict);
    if (!verdict.status)
        jri_http_check_source(link, &verdict);
    int found = verdict.status ? 1 : jri_http_page(link, path);
    if (found <= 0)
        return found;
    if (!verdict.status)
        jri_http_examine(link, path, &verdict);
    if (!verdict.status && jri_web_headers_keep(link))
        return -1;
    if (!verdict.status && !link->peer && jri_web_link_open_peer(link, /* is_websocket */ false))
        verdict = (jri_http_verdict){503, "", "Server busy\n", NULL};
    if (verdict.status)
        return end_here(link, &verdict);

    link->http->phase = JRI_HTTP_BODY;
    link->http->keeps_alive &= !link->http->is_chunked && link->http->left;
    if (link->http->left > link->listener->message_max)
        return refuse(link, -EMSGSIZE, "a body is longer than message_max");
    size_t len = jri_web_header(link, WSI_TOKEN_HTTP_EXPECT, expect, sizeof(expect));
    if (len < sizeof(expect) && jri_web_list_has(expect, len, "100-continue") &&
        lws_write(link->wsi, (unsigned char *)(uintptr_t)go_on, sizeof(go_on) - 1, LWS_WRITE_RAW) <
            0)
        return -1;
    if (link->listener->idle_ms >= 0)
        lws_set_timer_usecs(link->wsi, link->listener->idle_ms * LWS_US_PER_MS);
    return 0;
}

int jri_http_begin(jri_web_link *link, const char *path)
{
    int status = begin(link, path);

    if (!link->peer)
        link->listener = NULL; /* which may end without notice to who is no peer of it */
    return status;
}

/* Nothing is kept of what was read together with a request, of this connection or any other. */
static bool is_nothing_kept(const jri_web_link *link)
{
    return lws_service_adjust_timeout(lws_get_context(link->wsi), /* ms */ 1, /* thread */ 0);
}

/* It is known whether anything is kept of this one: nothing is, or there was a turn to show it. */
static bool is_looked_behind(jri_web_link *link)
{
    jri_http_request *http = link->http;

    if (!http->keeps_alive || http->is_looked_behind || is_nothing_kept(link))
        return true;
    http->is_looked_behind = true;
    return false;
}

int jri_http_flush(jri_web_link *link)
{
    jri_http_request *http = link->http;

    if (http->phase == JRI_HTTP_ANSWERING && http->has_ended && http->keeps_alive &&
        !link->is_dropped && is_nothing_kept(link))
        return jri_http_writable(link);
    if (http->phase == JRI_HTTP_ANSWERING)
        lws_callback_on_writable(link->wsi);
    jrpc_transport_writable(link->peer, jri_web_link_unsent(link));
    return 0;
}

static void await_next(const jri_web_link *link)
{
    int64_t idle_ms = link->listener->idle_ms;

    if (idle_ms < 0)
        lws_set_timeout(link->wsi, NO_PENDING_TIMEOUT, 0);
    else
        lws_set_timeout(link->wsi, PENDING_TIMEOUT_HTTP_KEEPALIVE_IDLE,
                        (int)((idle_ms + 999) / 1000));
}

int jri_http_writable(jri_web_link *link)
{
    jri_http_request *http = link->http;

    if (http->phase != JRI_HTTP_ANSWERING)
        return 0;
    if (!http->has_head && !is_looked_behind(link)) {
        lws_callback_on_writable(link->wsi);
        return 0;
    }
    if (!http->has_head && put_answers_head(link))
        return -1;
    int status = jri_web_link_write(link);
    if (status < 0)
        return -1;
    if (!link->peer) /* a page: its reader is awaited as long as it reads */
        lws_set_timeout(link->wsi, PENDING_TIMEOUT_HTTP_CONTENT, JRI_WEB_PATIENCE_S);
    bool is_last = !http->keeps_alive || link->is_dropped;
    /* A client that has its answer may send the next request: it must be awaited by then. So the
     * transaction is completed though libwebsockets may have the last bytes still to send. */
    if (!is_last && !link->output) {
        http->phase = JRI_HTTP_IDLE;
        if (lws_http_transaction_completed(link->wsi))
            return -1;
        if (!lws_partial_buffered(link->wsi)) /* else libwebsockets sees to it, when all is sent */
            await_next(link);
    }
    jrpc_transport_writable(link->peer, jri_web_link_unsent(link));
    if (http->phase == JRI_HTTP_IDLE)
        return 0;
    if (!status) {
        lws_callback_on_writable(link->wsi);
        return 0;
    }
    return http->is_cut || http->is_pipelined ? linger(link) : -1;
}

int jri_http_timer(jri_web_link *link)
{
    static const jri_http_verdict late = {408, "", "The body did not come in time\n", NULL};

    switch (link->http->phase) {
    case JRI_HTTP_BODY:
        link->http->keeps_alive = false;
        jri_http_say(link, &late);
        return -1;
    case JRI_HTTP_RUNNING:
    case JRI_HTTP_ANSWERING:
        lws_set_timeout(link->wsi, NO_PENDING_TIMEOUT, 0);
        return 0;
    default:
        if (link->is_dropped && !lws_partial_buffered(link->wsi))
            return -1;
        if (link->is_dropped)
            lws_set_timer_usecs(link->wsi, SOON_US);
        return 0;
    }
}

void jri_http_drop(jri_web_link *link, int reason)
{
    jri_http_request *http = link->http;

    link->is_dropped = true;
    /* An answer that was given in the last moment: there is no other turn for it. */
    if (reason && http->phase == JRI_HTTP_ANSWERING && !http->has_head && !link->is_killed) {
        http->keeps_alive = false;
        if (!put_answers_head(link))
            jri_web_link_write(link);
    }
    if (reason || (http->phase != JRI_HTTP_ANSWERING && !lws_partial_buffered(link->wsi))) {
        jri_web_link_kill(link, reason);
    } else if (http->phase == JRI_HTTP_IDLE) {
        lws_set_timer_usecs(link->wsi, SOON_US);
        lws_cancel_service(lws_get_context(link->wsi));
    }
}
