/* SPDX-License-Identifier: MIT */
/*
 * web_request.c - what a request must have before its body is looked at, and what it is told else
 */
#define _GNU_SOURCE
#include "web.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    VALUE_MAX = 512,        /* bytes of a header that is looked at */
    SUBPROTOCOLS_MAX = 126, /* of Sec-WebSocket-Protocol: libwebsockets takes no more */
    LENGTH_MAX = 31         /* of Content-Length: libwebsockets reads no more of it */
};

static void judge(jri_http_verdict *verdict, int status, const char *headers, const char *text)
{
    *verdict = (jri_http_verdict){.status = status, .headers = headers, .text = text};
}

static bool has(const jri_web_link *link, enum lws_token_indexes token)
{
    return lws_hdr_total_length(link->wsi, token) > 0;
}

/* libwebsockets takes whatever stands behind the target. */
void jri_http_check_version(jri_web_link *link, jri_http_verdict *verdict)
{
    char text[16];
    size_t len = jri_web_header(link, WSI_TOKEN_HTTP, text, sizeof(text));

    if (len != 8 || memcmp(text, "HTTP/1.", 7) != 0 || text[7] < '0' || text[7] > '9')
        judge(verdict, 400, "", "HTTP/1.1 is spoken here\n");
}

/* Does it come from where it may? A listed origin is kept, for the answer to name it. */
static void check_source(jri_web_link *link, const jri_web_listener *listener,
                         jri_http_verdict *verdict)
{
    const char *scheme = jri_web_site_of(link)->is_tls ? "https" : "http";
    char host[VALUE_MAX], origin[VALUE_MAX];
    size_t host_len = jri_web_header(link, WSI_TOKEN_HOST, host, sizeof(host));
    size_t origin_len = jri_web_header(link, WSI_TOKEN_ORIGIN, origin, sizeof(origin));

    if (host_len >= sizeof(host) || !jri_web_host_is_known(host, host_len, listener->hosts)) {
        judge(verdict, 421, "", "This host is not served here\n");
        return;
    }
    jri_web_origin kind =
        origin_len < sizeof(origin)
            ? jri_web_origin_of(origin, origin_len, scheme, host, listener->origins)
            : JRI_ORIGIN_REFUSED;
    if (kind == JRI_ORIGIN_LISTED)
        link->http->origin = strdup(origin);
    if (kind == JRI_ORIGIN_REFUSED || (kind == JRI_ORIGIN_LISTED && !link->http->origin))
        judge(verdict, 403, "", "Pages of this origin may not call\n");
}

/* What belongs to no listener is for whoever one of them lets in. */
void jri_http_check_source(jri_web_link *link, jri_http_verdict *verdict)
{
    const jri_web_listener *listener = link->listener;

    free(link->http->origin);
    link->http->origin = NULL;
    if (!listener)
        listener = jri_web_site_of(link)->listeners;
    for (; listener; listener = listener->next) {
        *verdict = (jri_http_verdict){0};
        check_source(link, listener, verdict);
        if (link->listener || !verdict->status)
            return;
    }
}

/* The token of a handshake, where browsers can give it. 0: none. */
static size_t read_socket_token(jri_web_link *link, char to[VALUE_MAX])
{
    char list[VALUE_MAX];
    size_t len = jri_web_header(link, WSI_TOKEN_PROTOCOL, list, sizeof(list));

    len = len < sizeof(list) ? jri_web_bearer(list, len, to) : 0;
    explicit_bzero(list, sizeof(list));
    if (len)
        return len;
    const char *token = lws_get_urlarg_by_name(link->wsi, "access_token=", to, VALUE_MAX);
    if (token)
        len = strlen(token);
    if (token)
        memmove(to, token, len);
    return len;
}

/* One of the listener's tokens. */
bool jri_http_has_token(jri_web_link *link, const jri_web_listener *listener)
{
    static const char scheme[] = "Bearer ";
    char text[VALUE_MAX], *token = text;
    size_t len = jri_web_header(link, WSI_TOKEN_HTTP_AUTHORIZATION, text, sizeof(text));

    if (!len)
        len = has(link, WSI_TOKEN_UPGRADE) ? read_socket_token(link, text) : 0;
    else if (len < sizeof(text) && !strncasecmp(text, scheme, sizeof(scheme) - 1))
        len -= sizeof(scheme) - 1, token += sizeof(scheme) - 1;
    else
        len = 0;
    bool is_known = jri_web_token_is_known(token, len, listener->tokens);
    explicit_bzero(text, sizeof(text));
    return is_known;
}

/* Is there a token, if one is needed? */
void jri_http_check_token(jri_web_link *link, jri_http_verdict *verdict)
{
    if (link->listener->tokens && !jri_http_has_token(link, link->listener))
        judge(verdict, 401, "WWW-Authenticate: Bearer\r\n", "A token is needed\n");
}

/* How the body comes: in chunks, or with a length. */
static void check_body(jri_web_link *link, jri_http_verdict *verdict)
{
    char text[LENGTH_MAX + 1];
    size_t len;

    if (has(link, WSI_TOKEN_HTTP_TRANSFER_ENCODING)) {
        len = jri_web_header(link, WSI_TOKEN_HTTP_TRANSFER_ENCODING, text, sizeof(text));
        /* With both headers, others on the way may see another message than we do. */
        bool is_clear = !has(link, WSI_TOKEN_HTTP_CONTENT_LENGTH) && !link->http->is_1_0;
        link->http->is_chunked = true;
        if (len != 7 || strcasecmp(text, "chunked") != 0 || !is_clear)
            judge(verdict, 400, "", "Bad Transfer-Encoding\n");
        return;
    }
    len = jri_web_header(link, WSI_TOKEN_HTTP_CONTENT_LENGTH, text, LENGTH_MAX);
    if (!len)
        judge(verdict, 411, "", "Content-Length is needed\n");
    else if (len >= LENGTH_MAX || jri_web_length(text, len, &link->http->left))
        judge(verdict, 400, "", "Bad Content-Length\n");
}

/* A page asks before it calls. */
static bool is_preflight(const jri_web_link *link)
{
    return has(link, WSI_TOKEN_OPTIONS_URI) && link->http->origin;
}

#define ALLOW_ORIGIN_TO(method)                                                                    \
    "Access-Control-Allow-Methods: " method "\r\n"                                                 \
    "Access-Control-Allow-Headers: Content-Type, Authorization\r\n"                                \
    "Access-Control-Max-Age: 600\r\n"

/* Another method than POST: what it gets. */
static void answer_other(const jri_web_link *link, jri_http_verdict *verdict)
{
    if (is_preflight(link))
        judge(verdict, 204, ALLOW_ORIGIN_TO("POST"), "");
    else
        judge(verdict, 405, "Allow: POST\r\n", "JSON-RPC is served here: POST it\n");
}

/* The service's document, when it was not sent. */
static void answer_for_document(const jri_web_link *link, jri_http_verdict *verdict)
{
    const char *text;
    size_t len;

    if (jrpc_listener_document(link->listener->owner, &text, &len) == -ENOENT)
        judge(verdict, 404, "", "Not found\n");
    else if (is_preflight(link))
        judge(verdict, 204, ALLOW_ORIGIN_TO("GET"), "");
    else
        judge(verdict, 405, "Allow: GET, HEAD\r\n", "This is to be read: GET it\n");
}

static void check_type(jri_web_link *link, jri_http_verdict *verdict)
{
    char type[VALUE_MAX];
    size_t len = jri_web_header(link, WSI_TOKEN_HTTP_CONTENT_TYPE, type, sizeof(type));

    if (len >= sizeof(type) || !jri_web_type_is(type, len, jri_web_type(link->listener)))
        judge(verdict, 415, "", "Unknown Content-Type\n");
}

void jri_http_examine(jri_web_link *link, const char *path, jri_http_verdict *verdict)
{
    if (!link->listener)
        judge(verdict, 404, "", "Not found\n");
    else if (jri_web_is_document(link->listener, path))
        answer_for_document(link, verdict);
    else if (link->listener->is_websocket_only)
        judge(verdict, 426, "Upgrade: websocket\r\n", "Only WebSocket is served here\n");
    else if (!has(link, WSI_TOKEN_POST_URI))
        answer_other(link, verdict);
    else
        jri_http_check_token(link, verdict);
    if (!verdict->status)
        check_type(link, verdict);
    if (!verdict->status)
        check_body(link, verdict);
}

/* A subprotocol may be agreed upon, if any is offered. */
static void check_subprotocols(jri_web_link *link, jri_http_verdict *verdict)
{
    char text[SUBPROTOCOLS_MAX + 1];
    size_t len = jri_web_header(link, WSI_TOKEN_PROTOCOL, text, sizeof(text));

    if (len >= sizeof(text))
        judge(verdict, 400, "", "Sec-WebSocket-Protocol is too long\n");
    else if (len && !jri_web_offers_ours(text, len))
        judge(verdict, 400, "", "jsonrpc-2.0 is spoken here: offer it, before a token\n");
    explicit_bzero(text, sizeof(text));
}

static void check_handshake(jri_web_link *link, jri_http_verdict *verdict)
{
    char text[VALUE_MAX];
    size_t len = jri_web_header(link, WSI_TOKEN_VERSION, text, sizeof(text));

    if (len != 2 || memcmp(text, "13", 2) != 0) {
        judge(verdict, 426, "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n",
              "Sec-WebSocket-Version must be 13\n");
        return;
    }
    len = jri_web_header(link, WSI_TOKEN_CONNECTION, text, sizeof(text));
    bool asks = len < sizeof(text) && jri_web_list_has(text, len, "upgrade");
    len = jri_web_header(link, WSI_TOKEN_KEY, text, sizeof(text));
    if (!asks || len != 24) /* 16 bytes in base64 */
        judge(verdict, 400, "", "Bad WebSocket handshake\n");
}

void jri_http_examine_upgrade(jri_web_link *link, jri_http_verdict *verdict)
{
    jri_http_check_version(link, verdict);
    if (!verdict->status)
        jri_http_check_source(link, verdict);
    if (!verdict->status && !has(link, WSI_TOKEN_GET_URI))
        judge(verdict, 405, "Allow: GET\r\n", "WebSocket begins with GET\n");
    if (!verdict->status && !link->listener)
        judge(verdict, 404, "", "Not found\n");
    if (!verdict->status)
        jri_http_check_token(link, verdict);
    if (!verdict->status)
        check_subprotocols(link, verdict);
    if (!verdict->status)
        check_handshake(link, verdict);
}
