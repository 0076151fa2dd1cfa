/* SPDX-License-Identifier: MIT */
/*
 * web.h - what the files of the web transport share
 *
 * A site has a socket and a libwebsockets context on the server's loop. Listeners that differ only
 * in their path share one; requests go to the listener of their path. A link is a connection. It is
 * the server's peer from its first POST, or from its upgrade to WebSocket on, and that of the
 * listener that it has called last.
 *
 * libwebsockets frees a connection when it likes and calls back while it does. So nothing here
 * closes one but by returning from a callback, or by a timer of libwebsockets' that does.
 */
#ifndef JRI_WEB_H
#define JRI_WEB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libwebsockets.h>
#include <uv.h>

#include <jrpc/transport.h>

#include "stream.h"
#include "web_check.h"
#include "web_frame.h"

enum {
    JRI_WEB_CHUNK = 262144,    /* bytes given to the kernel at once */
    JRI_WEB_PATIENCE_S = 10,   /* for headers, TLS handshakes, between two pieces of a body */
    JRI_HTTP_HEAD_MAX = 1024,  /* reserved before an answer over HTTP; an origin is in it */
    JRI_WEBSOCKET_RESERVED = 4 /* before an answer over WebSocket: a header for 64 KiB */
};

typedef struct jri_web_link jri_web_link;

typedef struct jri_web_listener jri_web_listener;

/* Of connections that are all given the same time, whose is over first. */
typedef struct jri_web_queue {
    jri_web_link *first, **end;
} jri_web_queue;

typedef struct jri_web_site {
    uv_loop_t *loop;
    jri_web_listener *listeners;  /* the oldest first */
    jri_web_listener *last;       /* waits for all to be closed */
    size_t n_serving;             /* listeners that are not stopped */
    char *cert, *key, *client_ca; /* files, for TLS */
    bool is_tls;
    size_t handshakes_max;
    int64_t idle_ms;

    jri_stream_place place; /* the socket that listens */
    bool has_mode;          /* place.mode was asked for */
    uint16_t port;          /* the real one */
    int spare_fd;           /* for when no other descriptor is left; -1: none */
    uv_poll_t accept;
    bool is_open, is_accepting;
    struct lws_context *context;
    struct lws_vhost *vhost;
    uv_timer_t undertaker; /* waits for those who part, then for libwebsockets' handles */
    bool is_destroyed;
    uint64_t closing_since;
    int n_handles; /* not closed yet: undertaker, and accept when it is being closed */

    size_t n_strangers; /* links that never were peers */
    jri_web_link *parting;
    jri_web_queue quiet, asked; /* WebSocket: to be pinged, and those that were */
    lws_sorted_usec_list_t tick;
    jrpc_buf *spare; /* an empty buffer, for who needs one next */
} jri_web_site;

/* As libwebsockets wants it: in lower case, with a colon. */
enum { JRI_WEB_FIELD_MAX = 64 };
typedef struct jri_web_field {
    char name[JRI_WEB_FIELD_MAX + 2];
    size_t len; /* without the colon */
    int token;  /* by which it is known; -1: it is not */
} jri_web_field;

struct jri_web_listener {
    jrpc_listener *owner;
    jri_web_site *site; /* until it has started one that would be its own */
    jri_web_listener *next;
    const jrpc_url *url;            /* until it has started */
    char *path;                     /* of the service */
    char *hosts, *origins, *tokens; /* tokens: each ended by LF; NULL: none is asked for */
    jri_web_field *headers;         /* that methods may ask for */
    size_t n_headers;
    bool is_websocket_only, has_console, has_document, has_metrics;
    bool is_stopped;
    int64_t idle_ms;
    size_t message_max;
};

typedef enum {
    JRI_HTTP_IDLE,      /* between two requests */
    JRI_HTTP_BODY,      /* is being read */
    JRI_HTTP_RUNNING,   /* the server has it */
    JRI_HTTP_ANSWERING, /* the answer is being sent */
    JRI_HTTP_LINGERING  /* answered; the rest of the body is read, so that the answer is, too */
} jri_http_phase;

/* The request of a link. */
typedef struct jri_http_request {
    jri_http_phase phase;
    size_t left; /* bytes of the body that have not come */
    bool is_1_0, is_head, keeps_alive, is_chunked;
    bool has_ended;        /* all of the body came */
    bool is_cut;           /* it is answered though it did not */
    bool is_pipelined;     /* more came before the answer was sent */
    bool is_looked_behind; /* so much as there was, was seen by now */
    bool has_head;         /* of the answer: in front of it */
    uint16_t status;       /* of the answer */
    jri_web_chunks chunks;
    char *origin; /* to be told that it is listed; NULL: none */
} jri_http_request;

struct jri_web_link {
    struct lws *wsi;
    jri_web_listener *listener; /* of the peer, or of a request at hand; NULL: none */
    void *peer;                 /* the server's; NULL: none */
    jri_http_request *http;     /* NULL when it is a WebSocket */
    bool is_stranger;           /* was never a peer */
    bool is_websocket;
    bool is_dropped; /* to be hung up when all is sent */
    bool is_killed;  /* at once */
    bool is_parting; /* all was said; the other end is given time to notice before it is closed */
    bool is_watched, is_asked; /* in a queue of the site, and in which */
    uint16_t close_code;       /* WebSocket: to be sent when all else is; 0: none */
    int reason;
    uint32_t due_ms;       /* of the queue, when it is over */
    uint32_t acknowledged; /* bytes, when it was looked at last */
    uint32_t lent;         /* bytes of output written last, which libwebsockets may have kept */
    union {
        struct {
            jrpc_buf *input;  /* part of a message; NULL: none */
            jrpc_buf *output; /* NULL: none */
        };
        struct {
            jri_web_link *next, **link; /* of those of the site that part */
        };
    };
    size_t sent, ready;             /* of output: bytes written, bytes of whole answers */
    jri_web_link *later, **earlier; /* of the queue */
    char *headers;                  /* of the request, or of that which was upgraded; NULL: none */
};

/* web_context.c: libwebsockets */
int jri_web_context_new(jri_web_site *site, jrpc_problem *problem);
bool jri_web_context_destroy(jri_web_site *site); /* until it is true */
void jri_web_adopt(jri_web_site *site, int fd);

/* web_options.c: of the listener, and of the site that it may have to open */
int jri_web_options_read(jri_web_listener *listener, const jrpc_url *url, jrpc_problem *problem);
void jri_web_options_free(jri_web_listener *listener);

/* web_socket.c: the socket that listens */
int jri_web_socket_open(jri_web_site *site, const jrpc_url *url, jrpc_problem *problem);
void jri_web_socket_accept(jri_web_site *site); /* starts and goes on */
void jri_web_socket_close(jri_web_site *site, uv_close_cb closed);

/* web_site.c: who shares a port */
jri_web_site *jri_web_site_new(uv_loop_t *loop);
void jri_web_site_free(jri_web_site *site);
jri_web_site *jri_web_site_of(const jri_web_link *link);
int jri_web_site_enter(jri_web_listener *listener, jrpc_problem *problem);
void jri_web_site_stop(jri_web_listener *listener);
void jri_web_site_leave(jri_web_listener *listener); /* jri_web_left() follows, at once or later */
void jri_web_route(jri_web_link *link, const char *path);

/* web.c */
void jri_web_left(jri_web_listener *listener);
bool jri_web_is_binary(const jri_web_listener *listener);
const char *jri_web_type(const jri_web_listener *listener); /* NULL: JSON */

/* web_link.c: connections */
jri_web_link *jri_web_link_new(struct lws *wsi);
void jri_web_link_free(jri_web_link *link);
void jri_web_link_end_http(jri_web_link *link);
bool jri_web_link_is_local(const jri_web_link *link);
int jri_web_link_open_peer(jri_web_link *link, bool is_websocket);
void jri_web_link_close_peer(jri_web_link *link);
void jri_web_link_kill(jri_web_link *link, int reason);
void jri_web_link_part(jri_web_link *link, int patience_ms);
bool jri_web_link_has_heard(const jri_web_link *link);
/* Reads and loses what has come. -1: nobody is there. */
int jri_web_link_drain(const jri_web_link *link);
jrpc_buf *jri_web_link_output(jri_web_link *link);
size_t jri_web_link_unsent(const jri_web_link *link);
int jri_web_link_write_some(jri_web_link *link); /* whether or not libwebsockets wants it */
int jri_web_link_write(jri_web_link *link); /* what there is; 1 all went, 0 not, -1 it is broken */
void jri_web_link_drop_buffer(jri_web_link *link, jrpc_buf **buf);
int jri_web_link_keep_input(jri_web_link *link, const char *data, size_t len);
size_t jri_web_header(jri_web_link *link, enum lws_token_indexes token, char *to, size_t size);

/* What a request is told that is not the server's to answer. */
typedef struct jri_http_verdict {
    int status;          /* 0: go on */
    const char *headers; /* of the answer, each line ended; "" none */
    const char *text;
    const char *type; /* of a body; NULL: plain text */
} jri_http_verdict;

/* web_http.c */
int jri_http_begin(jri_web_link *link, const char *path);
int jri_http_body(jri_web_link *link, const char *data, size_t len);
int jri_http_body_ended(jri_web_link *link);
int jri_http_writable(jri_web_link *link);
int jri_http_flush(jri_web_link *link);
int jri_http_timer(jri_web_link *link);
int jri_http_answer_end(jri_web_link *link, jrpc_buf *buf, size_t start, int status);
void jri_http_drop(jri_web_link *link, int reason);
size_t jri_http_put_head(const jri_web_link *link, const jri_http_verdict *verdict, size_t body_len,
                         char to[JRI_HTTP_HEAD_MAX]);
int jri_http_say(jri_web_link *link, const jri_http_verdict *verdict);

/* web_page.c: 1: there is none of that path */
int jri_http_page(jri_web_link *link, const char *path);
bool jri_web_is_document(const jri_web_listener *listener, const char *path);

/* web_request.c: what a request must have before its body is looked at */
void jri_http_check_version(jri_web_link *link, jri_http_verdict *verdict);
void jri_http_check_source(jri_web_link *link, jri_http_verdict *verdict);
bool jri_http_has_token(jri_web_link *link, const jri_web_listener *listener);
void jri_http_check_token(jri_web_link *link, jri_http_verdict *verdict);
void jri_http_examine(jri_web_link *link, const char *path, jri_http_verdict *verdict);
void jri_http_examine_upgrade(jri_web_link *link, jri_http_verdict *verdict);

/* web_headers.c */
int jri_web_headers_read(jri_web_listener *listener, const jrpc_url *url, jrpc_problem *problem);
int jri_web_headers_keep(jri_web_link *link);
const char *jri_web_headers_find(const jri_web_link *link, const char *name);

/* web_liveness.c: pings */
void jri_web_liveness_begin(jri_web_link *link);
void jri_web_liveness_heard(jri_web_link *link);
void jri_web_liveness_forget(jri_web_link *link);

/* web_websocket.c */
int jri_websocket_upgrade(jri_web_link *link);
int jri_websocket_received(jri_web_link *link, const char *data, size_t len);
int jri_websocket_left(jri_web_link *link, const char *data, size_t len);
void jri_websocket_closing(jri_web_link *link);
int jri_websocket_writable(jri_web_link *link);
int jri_websocket_answer_end(jri_web_link *link, jrpc_buf *buf, size_t start);
void jri_websocket_drop(jri_web_link *link, int reason);

#endif
