/* SPDX-License-Identifier: MIT */
/*
 * server.h - a service says what, a listener where, a server is the loop and the workers
 *
 * A server runs on one libuv loop: its own, on the calling thread or on one of its own, or the
 * application's. All handlers run on that thread, so users' code needs no locks; blocking methods
 * run on the server's bounded pool.
 *
 * [setup] before the loop runs, or on its thread; [loop] on the loop's thread; [any] anywhere.
 * A NULL object gives -EINVAL, NULL, 0 or false.
 */
#ifndef JRPC_SERVER_H
#define JRPC_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include <jrpc/call.h>
#include <jrpc/codec.h>
#include <jrpc/error.h>
#include <jrpc/export.h>
#include <jrpc/options.h>
#include <jrpc/service.h>

#ifdef __cplusplus
extern "C" {
#endif

struct uv_loop_s;

/** typedef jrpc_server - the loop, its listeners and its workers */
typedef struct jrpc_server jrpc_server;

/** typedef jrpc_listener - an endpoint that is served; lives until listener_closed() returns */
typedef struct jrpc_listener jrpc_listener;

/** typedef jrpc_topic - a list of peers */
typedef struct jrpc_topic jrpc_topic;

/**
 * jrpc_serve() - serve until SIGINT or SIGTERM, or until the last listener has closed
 * @urls:  endpoints, separated by blanks
 *
 * Prints a line "listening on URL" for each to standard error. The first signal stops: calls in
 * flight are answered for drain_ms; a second one quits at once.
 *
 * Threads: the program's main one. Blocks: yes.
 * Return: 0; -EINVAL bad URL or option; -ENOTSUP no such scheme in this build; what binding gives
 * (-EADDRINUSE …); -ENOMEM. The reason was printed in one line.
 */
JRPC_API int jrpc_serve(jrpc_service *service, const char *urls);

/**
 * jrpc_server_new() - a server without listeners
 * @options:  limits and flags of all its listeners, copied; NULL: the defaults
 * @loop:     the application's loop; NULL: one of its own
 * @out:      new; end with jrpc_server_stop() and jrpc_server_free()
 *
 * Threads: the loop's. Return: 0; -EINVAL; -ENOMEM; what libuv gives.
 */
JRPC_API int jrpc_server_new(const jrpc_options *options, struct uv_loop_s *loop,
                             jrpc_server **out);

/**
 * struct jrpc_listen_options - about one listener
 * @size:         sizeof(jrpc_listen_options)
 * @context:      handed to every handler by jrpc_call_context()
 * @has_context:  tells a NULL context from none
 * @codec:        copied; NULL: the service's
 * @limits:       those given a value count here instead of the server's and the service's; copied,
 *                may be NULL. What is counted for the whole server (calls_max, memory_max, workers,
 *                drain_ms) and flags are not looked at, and peers_max only adds to the server's
 */
typedef struct jrpc_listen_options {
    size_t size;
    void *context;
    bool has_context;
    const jrpc_codec *codec;
    const jrpc_options *limits;
} jrpc_listen_options;

#define JRPC_LISTEN_OPTIONS_INIT                                                                   \
    {                                                                                              \
        sizeof(jrpc_listen_options), NULL, false, NULL, NULL                                       \
    }

/**
 * jrpc_server_listen() - serve a service at an endpoint, from now on
 * @url:      see docs/endpoints.md; NULL is -EINVAL
 * @options:  NULL: none
 * @out:      the listener, owned by the server; NULL if it is not needed
 *
 * While it listens, the service's set-up is refused (-EBUSY).
 *
 * Threads: setup. Return: 0; -EINVAL; -ENOTSUP no such scheme in this build; -EBUSY stopping;
 * -ENOMEM; what binding gives. Why: jrpc_server_problem().
 */
JRPC_API int jrpc_server_listen(jrpc_server *server, jrpc_service *service, const char *url,
                                const jrpc_listen_options *options, jrpc_listener **out);

/**
 * struct jrpc_server_hooks - functions called on the loop; any may be NULL
 * @size:             sizeof(jrpc_server_hooks)
 * @peer_opened:      < 0 refuses the peer
 * @peer_closed:      once for every peer that was opened; @reason 0 or negative errno
 * @listener_closed:  once for every listener
 */
typedef struct jrpc_server_hooks {
    size_t size;
    int (*peer_opened)(jrpc_peer *peer, void *user);
    void (*peer_closed)(jrpc_peer *peer, int reason, void *user);
    void (*listener_closed)(jrpc_listener *listener, int reason, void *user);
} jrpc_server_hooks;

#define JRPC_SERVER_HOOKS_INIT                                                                     \
    {                                                                                              \
        sizeof(jrpc_server_hooks), NULL, NULL, NULL                                                \
    }

/** jrpc_server_set_hooks() - @hooks is copied; NULL: none. [setup] Return: 0; -EINVAL */
JRPC_API int jrpc_server_set_hooks(jrpc_server *server, const jrpc_server_hooks *hooks, void *user);

/** jrpc_server_problem() - what the last set-up call found wrong, borrowed until the next one; NULL
 * if nothing. [setup] */
JRPC_API const jrpc_problem *jrpc_server_problem(const jrpc_server *server);

/** jrpc_server_run() - run the loop on this thread until the server has stopped. Blocks: yes.
 * Return: 0; -EBUSY it runs already; -EINVAL nothing listens */
JRPC_API int jrpc_server_run(jrpc_server *server);

/** jrpc_server_start() - the same on a thread of its own, joined by jrpc_server_free(); only with
 * the server's own loop. Return: as jrpc_server_run(); what creating the thread gives */
JRPC_API int jrpc_server_start(jrpc_server *server);

/** jrpc_server_loop() - the loop; borrowed from the server. [any] */
JRPC_API struct uv_loop_s *jrpc_server_loop(const jrpc_server *server);

/** jrpc_server_post() - call @fn on the loop, once, soon; if the server is stopping maybe only when
 * its listeners are closed and gone. [any] Return: 0; -EINVAL; -ENOMEM; -EPIPE it has stopped */
JRPC_API int jrpc_server_post(jrpc_server *server, void (*fn)(jrpc_server *server, void *user),
                              void *user);

/**
 * jrpc_server_stop() - no new peers, no new calls, what is in flight is answered
 * @stopped:  called on the loop when every handle is closed; may be NULL
 *
 * New requests get -32000; after drain_ms what is left gets -32001; then everything is closed.
 * A second call adds nothing: -EALREADY.
 *
 * Threads: any. Blocks: never. Return: 0; -EALREADY; -EINVAL.
 */
JRPC_API int jrpc_server_stop(jrpc_server *server, void (*stopped)(jrpc_server *server, void *user),
                              void *user);

/**
 * jrpc_server_free() - free a server that has stopped
 *
 * With the server's own loop it stops it first if need be, and waits. With the application's loop
 * a server that has not stopped is not freed: that is a programming error, reported as a log line.
 * NULL is fine. Threads: any but the loop's own thread made by jrpc_server_start().
 */
JRPC_API void jrpc_server_free(jrpc_server *server);

/** jrpc_server_stats() - counters as a JSON object, new. [loop] Return: 0; -ENOMEM; -EINVAL */
JRPC_API int jrpc_server_stats(jrpc_server *server, json_t **out);

/** jrpc_listener_address() - the URL it really listens on, with the port the kernel chose; borrowed
 * from the listener. [setup] */
JRPC_API const char *jrpc_listener_address(const jrpc_listener *listener);

/** jrpc_listener_close() - stop this one; as jrpc_server_stop() for its peers only. [loop] Return:
 * 0, also the second time; -EINVAL */
JRPC_API int jrpc_listener_close(jrpc_listener *listener);

/** jrpc_listener_set_service() - calls from now on go to another service; the old one lives until
 * its last call ends. [loop] Return: 0; -EINVAL */
JRPC_API int jrpc_listener_set_service(jrpc_listener *listener, jrpc_service *service);

/*
 * Peers
 *
 * What a hook or a call gives is borrowed: while the peer is open, in the loop's thread. Texts
 * about it live as long as a reference to it.
 */

/** jrpc_peer_ref() - keep the peer's handle; returns it. [any] */
JRPC_API jrpc_peer *jrpc_peer_ref(jrpc_peer *peer);

/** jrpc_peer_unref() - give it back; NULL is fine. [any] */
JRPC_API void jrpc_peer_unref(jrpc_peer *peer);

/** jrpc_peer_id() - never used again for another peer of this server. [any] */
JRPC_API uint64_t jrpc_peer_id(const jrpc_peer *peer);

/** jrpc_peer_is_open() - it may still be heard and answered. [any] */
JRPC_API bool jrpc_peer_is_open(const jrpc_peer *peer);

/** jrpc_peer_transport() - "stdio" … [any] */
JRPC_API const char *jrpc_peer_transport(const jrpc_peer *peer);

/** jrpc_peer_address() - where it is, in the transport's words; "" if unknown. [any] */
JRPC_API const char *jrpc_peer_address(const jrpc_peer *peer);

/** jrpc_peer_identity() - who it proved to be; NULL if nobody asked. [any] */
JRPC_API const char *jrpc_peer_identity(const jrpc_peer *peer);

/**
 * jrpc_peer_header() - a header of the peer's request
 * @name:  in any case
 *
 * Over HTTP the request at hand, over WebSocket the one that was upgraded; of both only headers
 * that the endpoint's option `headers=` names. Borrowed: while the call that came with it is
 * unanswered, over WebSocket while the peer is open.
 *
 * Threads: the loop's. Return: its value; NULL if there is none, or the transport has no headers.
 */
JRPC_API const char *jrpc_peer_header(const jrpc_peer *peer, const char *name);

/** jrpc_peer_listener() - where it came in; borrowed while the peer is open. [loop] */
JRPC_API jrpc_listener *jrpc_peer_listener(const jrpc_peer *peer);

/** jrpc_peer_has_push() - it can be sent what it did not ask for. [any] */
JRPC_API bool jrpc_peer_has_push(const jrpc_peer *peer);

/** jrpc_peer_set_user() - a pointer of the application's; @release is called when it is replaced or
 * the peer's last reference goes. [loop] */
JRPC_API void jrpc_peer_set_user(jrpc_peer *peer, void *user, void (*release)(void *user));

/** jrpc_peer_user() - that pointer; NULL: none was set. [loop] */
JRPC_API void *jrpc_peer_user(const jrpc_peer *peer);

/** jrpc_peer_close() - hang up after what is unsent; calls in flight are cancelled. [any] */
JRPC_API void jrpc_peer_close(jrpc_peer *peer);

/**
 * jrpc_peer_notify() - send a notification
 * @params:  array, object or NULL for none; stolen, also on failure
 *
 * Goes out between answers, never inside one, in the order of these calls.
 *
 * Threads: any. Return: 0 queued; -EPIPE gone; -EAGAIN its queue is full (queue_max);
 * -EOPNOTSUPP it cannot be sent any; -EINVAL; -EILSEQ; -ENOMEM.
 */
JRPC_API int jrpc_peer_notify(jrpc_peer *peer, const char *method, json_t *params);

/* Topics: lists of peers to be notified together */

/** jrpc_topic_new() - [any] Return: 0; -EINVAL; -ENOMEM */
JRPC_API int jrpc_topic_new(jrpc_server *server, jrpc_topic **out);

/** jrpc_topic_add() - closed peers leave by themselves. [any] Return: 0; -EEXIST; -EOPNOTSUPP;
 * -EPIPE; -ENOMEM; -EINVAL */
JRPC_API int jrpc_topic_add(jrpc_topic *topic, jrpc_peer *peer);

/** jrpc_topic_remove() - [any] Return: 0; -ENOENT; -EINVAL */
JRPC_API int jrpc_topic_remove(jrpc_topic *topic, jrpc_peer *peer);

/** jrpc_topic_notify() - as jrpc_peer_notify() to every member; encoded once. [any] Return: the
 * number of peers it was queued for; negative errno as there */
JRPC_API int jrpc_topic_notify(jrpc_topic *topic, const char *method, json_t *params);

/** jrpc_topic_free() - NULL is fine. [any] */
JRPC_API void jrpc_topic_free(jrpc_topic *topic);

#ifdef __cplusplus
}
#endif

#endif
