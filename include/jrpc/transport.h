/* SPDX-License-Identifier: MIT */
/*
 * transport.h - for transport authors only: how messages come in and answers go out
 *
 * A transport moves whole messages and never looks inside them. It is a table of functions, given
 * with the sizes of its states, which the server allocates; it calls the server back by the
 * functions below. Everything happens on the loop's thread and nothing may block. The transports of
 * the library have no other powers than this.
 *
 * A listener: open (options are read, no I/O), start (it listens), stop (no new peers), close
 * (release everything, then call jrpc_listener_closed()). A peer: jrpc_transport_opened(), any
 * number of jrpc_transport_received(), then drop() by the server or an end of the transport's own;
 * in either case jrpc_transport_closed() once, when the peer's state is not needed any more. The
 * server closes a listener only when all its peers are closed.
 *
 * An answer: answer_begin() gives the buffer to append it to, answer_end() tells that it is whole.
 * Between the two the server appends and nothing else happens to that buffer. If the answer has to
 * wait there is no answer_end(): what was appended counts for nothing, and answer_begin() comes
 * again. After answers flush() follows, once for a turn of the loop, however many there were.
 */
#ifndef JRPC_TRANSPORT_H
#define JRPC_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jrpc/codec.h>
#include <jrpc/error.h>
#include <jrpc/export.h>
#include <jrpc/server.h>

#ifdef __cplusplus
extern "C" {
#endif

struct uv_loop_s;

/*
 * Reading the URL
 */

/**
 * struct jrpc_url_pair - an option of a URL
 * @name:      letters, digits, "_", "-" and "."
 * @value:     decoded, may be empty
 * @column:    of the name in the URL
 * @is_taken:  somebody asked for it
 */
typedef struct jrpc_url_pair {
    const char *name, *value;
    int column;
    bool is_taken;
} jrpc_url_pair;

/**
 * struct jrpc_url - a URL in parts, none of them NULL but @host
 * @text:      as it was given
 * @scheme:    in lower case
 * @host:      without brackets, maybe with a zone (fe80::1%eth0); NULL: there is none
 * @port:      0 to 65535; 0 without @has_port
 * @has_port:  it was given, be it 0
 * @path:      decoded; behind a host it begins with "/" or is empty, without host it is @rest
 * @rest:      decoded: all between the scheme, its ":" or "://", and the options
 * @options:   in their order
 *
 * For transports it does not change but for the marks of the options taken.
 */
typedef struct jrpc_url {
    const char *text, *scheme, *host, *path, *rest;
    uint16_t port;
    bool has_port;
    size_t n_options;
    jrpc_url_pair *options;
} jrpc_url;

/**
 * jrpc_url_option() - take an option; one that nobody takes is an unknown one
 *
 * Return: its value, borrowed from @url; NULL if it is not given.
 */
JRPC_API const char *jrpc_url_option(const jrpc_url *url, const char *name);

/*
 * These take an option, too, and check it. If it is not given they return 0 and leave @out as it
 * is: with the default. Else 0, or -EINVAL with the reason in @problem.
 */

/* Not empty. @out borrows from @url. */
JRPC_API int jrpc_url_string(const jrpc_url *url, const char *name, const char **out,
                             jrpc_problem *problem);

/* yes/no, true/false, on/off, 1/0, in upper or lower case. */
JRPC_API int jrpc_url_boolean(const jrpc_url *url, const char *name, bool *out,
                              jrpc_problem *problem);

typedef struct jrpc_url_range {
    int64_t min, max;
} jrpc_url_range;

/* Decimal digits, maybe behind a "-". */
JRPC_API int jrpc_url_integer(const jrpc_url *url, const char *name, jrpc_url_range range,
                              int64_t *out, jrpc_problem *problem);

/* The permissions of a file: octal digits, 0 to 0777. */
JRPC_API int jrpc_url_mode(const jrpc_url *url, const char *name, unsigned *out,
                           jrpc_problem *problem);

/* One of the words in "auto|line|header", as spelled there: its index. */
JRPC_API int jrpc_url_choice(const jrpc_url *url, const char *name, const char *words, int *out,
                             jrpc_problem *problem);

/* "a,b,c", none of them empty, for jrpc_url_list_next(). @out borrows from @url. */
JRPC_API int jrpc_url_list(const jrpc_url *url, const char *name, const char **out,
                           jrpc_problem *problem);

/* The next item, of *len bytes and not NUL-terminated; NULL behind the last, also of a NULL list.
 */
JRPC_API const char *jrpc_url_list_next(const char **list, size_t *len);

/**
 * jrpc_url_check() - there is no option that nobody took
 * @known:  names of all options that the transport takes, ended by NULL; may be NULL
 *
 * To be called when all options were taken, before anything is set up. @known is for "did you mean
 * …?". Limits are options of the server, not of its endpoints: they are refused as such.
 *
 * Return: 0; -EINVAL, @problem says which and what was probably meant.
 */
JRPC_API int jrpc_url_check(const jrpc_url *url, const char *const *known, jrpc_problem *problem);

/**
 * jrpc_url_fault() - say what is wrong with a URL
 * @url:      only its text is looked at
 * @column:   in that text; 0: none
 * @problem:  filled; may be NULL
 *
 * The source becomes the URL without its options and whatever stands before an "@", cut if need be.
 * It and the text are made plain ASCII, other bytes written as %XX, so foreign texts may be in
 * them.
 *
 * Return: -EINVAL.
 */
JRPC_API int jrpc_url_fault(const jrpc_url *url, int column, jrpc_problem *problem,
                            const char *format, ...) JRPC_PRINTF(4, 5);

enum {
    /* Peers share one line: none can be paused without all others, so calls beyond its limits are
     * refused, not kept, and pause() is never called. */
    JRPC_TRANSPORT_SHARED = 1
};

/**
 * struct jrpc_transport - one kind of endpoint
 * @size:           sizeof(jrpc_transport)
 * @name:           for logs and jrpc_peer_transport()
 * @schemes:        of its URLs, ended by NULL
 * @flags:          JRPC_TRANSPORT_SHARED or 0
 * @listener_size, @peer_size: bytes of state, cleared
 * @exchange_size:  bytes kept with a message until its answer: an HTTP stream, a ZeroMQ envelope
 * @open:           reads the options. 0 or negative errno with @problem filled in
 * @start:          begins to listen. 0 or negative errno, with the reason in @problem
 * @stop:           no new peers; may be called again
 * @close:          releases; jrpc_listener_closed() follows, at once or later
 * @answer_begin:   the buffer to append to; @exchange NULL: a notification. NULL: no memory
 * @answer_end:     the answer stands from @start to the buffer's end; nothing there means that none
 *                  is due. Behind an answer is room for a byte, for jrpc_buf_advance().
 *                  0 or negative errno: the peer is dropped
 * @flush:          send what there is, report by jrpc_transport_writable()
 * @pause:          stop reading, or go on with what is buffered already; NULL if SHARED
 * @drop:           hang up; 0: after what is unsent, negative errno: at once, which may also come
 *                  while that is waited for
 * @header:         for jrpc_peer_header(), while the peer is open; NULL: there are none
 */
typedef struct jrpc_transport {
    size_t size;
    const char *name;
    const char *const *schemes;
    unsigned flags;
    size_t listener_size, peer_size, exchange_size;
    int (*open)(void *listener, const jrpc_url *url, struct uv_loop_s *loop, jrpc_listener *owner,
                jrpc_problem *problem);
    int (*start)(void *listener, jrpc_problem *problem);
    void (*stop)(void *listener);
    void (*close)(void *listener);
    jrpc_buf *(*answer_begin)(void *peer, void *exchange);
    int (*answer_end)(void *peer, void *exchange, jrpc_buf *buf, size_t start, int http_status);
    void (*flush)(void *peer);
    void (*pause)(void *peer, bool is_paused);
    void (*drop)(void *peer, int reason);
    const char *(*header)(void *peer, const char *name);
} jrpc_transport;

/** jrpc_server_add_transport() - @transport must outlive the server. [setup] Return: 0; -EINVAL;
 * -EEXIST a scheme is taken; -ENOMEM */
JRPC_API int jrpc_server_add_transport(jrpc_server *server, const jrpc_transport *transport);

/** jrpc_listener_limit() - a limit of the listener by its name in options.h; -1 unknown */
JRPC_API long long jrpc_listener_limit(const jrpc_listener *listener, const char *name);

/** jrpc_listener_codec() - what its messages are written in, until a service is swapped; NULL: JSON
 */
JRPC_API const jrpc_codec *jrpc_listener_codec(const jrpc_listener *listener);

/** jrpc_listener_service() - what it serves, borrowed until it is swapped */
JRPC_API jrpc_service *jrpc_listener_service(const jrpc_listener *listener);

/** jrpc_listener_document() - its service as an OpenRPC document, the text that rpc.discover
 * answers; *text is borrowed until the service is swapped. Return: 0; -ENOENT the option
 * introspection is off, or the program answers rpc.discover itself; -EINVAL; -ENOMEM */
JRPC_API int jrpc_listener_document(const jrpc_listener *listener, const char **text, size_t *len);

/** jrpc_listener_is_serving() - calls are taken: neither it nor its server is stopping */
JRPC_API bool jrpc_listener_is_serving(const jrpc_listener *listener);

/** jrpc_listener_next() - the states of all listeners of its transport on its server, one by one,
 * for those that share something; they are there until they call jrpc_listener_closed().
 * @state: the one before; NULL: the first. Return: NULL: there are no more */
JRPC_API void *jrpc_listener_next(const jrpc_listener *listener, const void *state);

/** jrpc_listener_measure() - from now on the server counts and times calls by method, which costs
 * two looks at the clock a call. Return: 0; -ENOMEM; -EINVAL */
JRPC_API int jrpc_listener_measure(jrpc_listener *listener);

/** jrpc_listener_metrics() - the server's numbers in Prometheus' text format 0.0.4, appended.
 * Return: 0; -ENOMEM; -EMSGSIZE over the buffer's limit; -EINVAL */
JRPC_API int jrpc_listener_metrics(jrpc_listener *listener, jrpc_buf *to);

/** jrpc_listener_set_address() - the real URL, copied; in start(). Return: 0; -ENOMEM */
JRPC_API int jrpc_listener_set_address(jrpc_listener *listener, const char *url);

/** jrpc_listener_log() - one line about the listener or, if not NULL, one of its peers */
JRPC_API void jrpc_listener_log(jrpc_listener *listener, void *peer, int level, const char *format,
                                ...) JRPC_PRINTF(4, 5);

/**
 * struct jrpc_peer_info - who a new peer is
 * @size:      sizeof(jrpc_peer_info)
 * @address:   where it is, for logs and jrpc_peer_address(); copied; NULL stands for ""
 * @identity:  who it is, as the transport has verified it: a key, a user id; copied; NULL: unknown
 * @has_push:  it can be sent notifications; false where it would take one for its answer
 * @state:     peer_size bytes that its state begins as, before any hook sees it; NULL: cleared
 */
typedef struct jrpc_peer_info {
    size_t size;
    const char *address, *identity;
    bool has_push;
    const void *state;
} jrpc_peer_info;

#define JRPC_PEER_INFO_INIT                                                                        \
    {                                                                                              \
        .size = sizeof(jrpc_peer_info)                                                             \
    }

/** jrpc_transport_opened() - a peer is there: its state in @peer. Return: 0; -EBUSY peers_max, or
 * stopping; -ECONNREFUSED by the hook; -ENOMEM; -EINVAL */
JRPC_API int jrpc_transport_opened(jrpc_listener *listener, const jrpc_peer_info *info,
                                   void **peer);

/** jrpc_transport_is_needed() - the peer has calls in flight, messages waiting, or is held by the
 * application. If not, a transport without connections may forget it by jrpc_transport_closed(). */
JRPC_API bool jrpc_transport_is_needed(void *peer);

/** jrpc_transport_received() - one whole message; @exchange is copied, NULL if there is none.
 * Return: 0; 1 paused: keep what comes next until pause(peer, false); -EPIPE the peer was dropped
 */
JRPC_API int jrpc_transport_received(void *peer, const void *exchange, const char *data,
                                     size_t len);

/** jrpc_transport_failed() - something came that is no message: answer it. @status: -EMSGSIZE over
 * message_max (-32002), -EBADMSG broken framing (-32700), after which the transport closes, -EINVAL
 * a message that cannot be a request (-32600). Return: as jrpc_transport_received() */
JRPC_API int jrpc_transport_failed(void *peer, const void *exchange, int status,
                                   const char *reason);

/** jrpc_transport_buffered() - so many bytes of a message that is not whole yet are kept; 0 when it
 * is. They count as the peer's memory. The peer may be dropped meanwhile: too much for memory_max
 */
JRPC_API void jrpc_transport_buffered(void *peer, size_t len);

/** jrpc_transport_ended() - the peer sends nothing more but is answered; it is dropped with 0 when
 * nothing is in flight */
JRPC_API void jrpc_transport_ended(void *peer);

/** jrpc_transport_writable() - so many bytes are unsent now */
JRPC_API void jrpc_transport_writable(void *peer, size_t unsent);

/** jrpc_transport_closed() - the peer is gone and its state not needed any more; @reason 0 or
 * negative errno */
JRPC_API void jrpc_transport_closed(void *peer, int reason);

/** jrpc_listener_closed() - the listener has released everything */
JRPC_API void jrpc_listener_closed(jrpc_listener *listener, int reason);

/* Buffers, besides jrpc_buf_append() */

/** jrpc_buf_data() - its bytes; @len may be NULL; valid until it changes */
JRPC_API char *jrpc_buf_data(jrpc_buf *buf, size_t *len);

/** jrpc_buf_reserve() - room for @len more bytes at the end: where they go; NULL: no memory, or
 * over its limit. Then jrpc_buf_advance() */
JRPC_API char *jrpc_buf_reserve(jrpc_buf *buf, size_t len);

/** jrpc_buf_advance() - so many bytes were put there */
JRPC_API void jrpc_buf_advance(jrpc_buf *buf, size_t len);

/** jrpc_buf_truncate() - keep only the first @len bytes */
JRPC_API void jrpc_buf_truncate(jrpc_buf *buf, size_t len);

/** jrpc_buf_consume() - take the first @len bytes away */
JRPC_API void jrpc_buf_consume(jrpc_buf *buf, size_t len);

/** jrpc_buf_detach() - take its bytes away without copying: *@len of them, to be freed by free().
 * The buffer is empty then. Return: NULL if it was empty already */
JRPC_API char *jrpc_buf_detach(jrpc_buf *buf, size_t *len);

/** jrpc_buf_new() - @max: the most it takes. Return: 0; -ENOMEM; -EINVAL */
JRPC_API int jrpc_buf_new(size_t max, jrpc_buf **out);

/** jrpc_buf_free() - NULL is fine */
JRPC_API void jrpc_buf_free(jrpc_buf *buf);

#ifdef __cplusplus
}
#endif

#endif
