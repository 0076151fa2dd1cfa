/* SPDX-License-Identifier: MIT */
/*
 * web_context.c - libwebsockets on the server's loop: made, called back by, and destroyed
 *
 * Destroying on a loop that is not its own takes two calls of lws_context_destroy(). The first
 * closes all that it has on the loop; the second frees, and unloads the plug-in whose functions
 * libuv calls until then. So the second waits until the last of its handles is closed.
 */
#include "web.h"

#include <errno.h>
#include <stdio.h>

enum {
    HEADERS_MAX = 16384, /* bytes of a request's headers; more is hung up on */
    NEVER_S = 1000000000
};

static int run_callback(jri_web_link *link, enum lws_callback_reasons reason, void *in, size_t len)
{
    switch (reason) {
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
        return jri_websocket_upgrade(link);
    case LWS_CALLBACK_ESTABLISHED:
        link->is_websocket = true;
        jri_web_link_end_http(link);
        lws_set_wsi_user(link->wsi, link); /* else it does not tell that it closes */
        jri_web_liveness_begin(link);
        return 0;
    case LWS_CALLBACK_RECEIVE:
        jri_web_liveness_heard(link);
        return jri_websocket_received(link, in, len);
    case LWS_CALLBACK_RECEIVE_PONG:
        jri_web_liveness_heard(link);
        return 0;
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        return jri_websocket_left(link, in, len);
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return jri_websocket_writable(link);
    case LWS_CALLBACK_HTTP:
        return jri_http_begin(link, in);
    case LWS_CALLBACK_HTTP_BODY:
        return jri_http_body(link, in, len);
    case LWS_CALLBACK_HTTP_BODY_COMPLETION:
        return jri_http_body_ended(link);
    case LWS_CALLBACK_HTTP_WRITEABLE:
        return jri_http_writable(link);
    case LWS_CALLBACK_TIMER:
        return link->is_websocket ? 0 : jri_http_timer(link);
    default:
        return 0;
    }
}

/* Whoever parts is only waited for. */
static int run_last_callback(const jri_web_link *link, enum lws_callback_reasons reason)
{
    switch (reason) {
    case LWS_CALLBACK_HTTP_BODY_COMPLETION:
        return link->http->is_pipelined ? jri_web_link_drain(link) : -1;
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
    case LWS_CALLBACK_TIMER:
        return -1;
    default:
        return 0;
    }
}

static int called_back(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                       size_t len)
{
    jri_web_link *link;

    (void)user;
    switch (reason) {
    case LWS_CALLBACK_SERVER_NEW_CLIENT_INSTANTIATED:
        link = jri_web_link_new(wsi);
        lws_set_opaque_user_data(wsi, link);
        return link ? 0 : -1;
    case LWS_CALLBACK_WS_SERVER_DROP_PROTOCOL:
        link = lws_get_opaque_user_data(wsi);
        if (link)
            jri_websocket_closing(link);
        return 0;
    case LWS_CALLBACK_CLOSED:
    case LWS_CALLBACK_CLOSED_HTTP:
        link = lws_get_opaque_user_data(wsi);
        if (link)
            jri_web_link_close_peer(link);
        return 0;
    case LWS_CALLBACK_WSI_DESTROY:
        jri_web_link_free(lws_get_opaque_user_data(wsi));
        lws_set_opaque_user_data(wsi, NULL);
        return 0;
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
    case LWS_CALLBACK_ESTABLISHED:
    case LWS_CALLBACK_RECEIVE:
    case LWS_CALLBACK_RECEIVE_PONG:
    case LWS_CALLBACK_SERVER_WRITEABLE:
    case LWS_CALLBACK_HTTP:
    case LWS_CALLBACK_HTTP_BODY:
    case LWS_CALLBACK_HTTP_BODY_COMPLETION:
    case LWS_CALLBACK_HTTP_WRITEABLE:
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
    case LWS_CALLBACK_TIMER:
        link = lws_get_opaque_user_data(wsi);
        if (!link || link->is_killed)
            return -1;
        return link->is_parting ? run_last_callback(link, reason)
                                : run_callback(link, reason, in, len);
    case LWS_CALLBACK_RAW_ADOPT: /* what becomes of CONNECT */
    case LWS_CALLBACK_RAW_RX:
        return -1;
    default:
        return 0; /* some come without a connection */
    }
}

/* The first is for clients that ask for no subprotocol. */
static const struct lws_protocols protocols[] = {
    {.name = "jsonrpc-2.0", .callback = called_back, .tx_packet_size = JRI_WEB_CHUNK},
    {.name = "jsonrpc2.0", .callback = called_back, .tx_packet_size = JRI_WEB_CHUNK},
    {.name = "jsonrpc", .callback = called_back, .tx_packet_size = JRI_WEB_CHUNK},
    {.name = NULL},
};

/* web_liveness.c does that. */
static const lws_retry_bo_t no_liveness = {0};

static void emit_nothing(int level, const char *line)
{
    (void)level;
    (void)line;
}

static int fail(jri_web_site *site, int status, jrpc_problem *problem, const char *what)
{
    problem->code = status;
    snprintf(problem->source, sizeof(problem->source), "%s",
             jrpc_listener_address(site->listeners->owner));
    snprintf(problem->text, sizeof(problem->text), "%s", what);
    return status;
}

int jri_web_context_new(jri_web_site *site, jrpc_problem *problem)
{
    void *loops[] = {site->loop};
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN_SERVER,
        .options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS,
        .foreign_loops = loops,
        .protocols = protocols,
        .user = site,
        .vhost_name = "jrpc",
        .max_http_header_data = HEADERS_MAX,
        .timeout_secs = JRI_WEB_PATIENCE_S,
        .keepalive_timeout = site->idle_ms < 0 ? NEVER_S : (int)((site->idle_ms + 999) / 1000),
        .retry_and_idle_policy = &no_liveness,
        .gid = (gid_t)-1,
        .uid = (uid_t)-1,
    };

    if (site->is_tls) {
        /* The system's authorities are for clients, and take their time. */
        info.options |=
            LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT | LWS_SERVER_OPTION_DISABLE_OS_CA_CERTS;
        info.ssl_cert_filepath = site->cert;
        info.ssl_private_key_filepath = site->key;
        info.ssl_ca_filepath = site->client_ca;
        info.alpn = "http/1.1"; /* its HTTP/2 has known faults, and hides some headers */
    }
    if (site->client_ca)
        info.options |= LWS_SERVER_OPTION_REQUIRE_VALID_OPENSSL_CLIENT_CERT;

    /* It has one log for the whole process, and would print there. */
    lws_set_log_level(0, emit_nothing);
    site->context = lws_create_context(&info);
    if (!site->context)
        return fail(site, -ENOMEM, problem,
                    "libwebsockets does not start; is libwebsockets-evlib-uv installed?");
    site->vhost = lws_create_vhost(site->context, &info);
    if (!site->vhost && site->is_tls)
        return fail(site, -EINVAL, problem, "the certificate or its key cannot be used");
    if (!site->vhost)
        return fail(site, -ENOMEM, problem, "libwebsockets makes no virtual host");
    return 0;
}

void jri_web_adopt(jri_web_site *site, int fd)
{
    /* On failure it has closed the descriptor. */
    lws_adopt_socket_vhost(site->vhost, fd);
}

typedef struct handle_search {
    const void *context;
    bool is_found;
} handle_search;

static void look_at_handle(uv_handle_t *handle, void *user)
{
    handle_search *search = user;

    search->is_found |= handle->data == search->context;
}

/* Its own two handles, which are closed when all those of connections are. */
static bool has_handles(const jri_web_site *site)
{
    handle_search search = {.context = site->context};

    uv_walk(site->loop, look_at_handle, &search);
    return search.is_found;
}

bool jri_web_context_destroy(jri_web_site *site)
{
    if (!site->is_destroyed) {
        site->is_destroyed = true;
        lws_sul_cancel(&site->tick);
        lws_context_destroy(site->context);
        return false;
    }
    if (has_handles(site))
        return false;
    lws_context_destroy(site->context);
    site->context = NULL;
    return true;
}
