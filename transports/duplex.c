/* SPDX-License-Identifier: MIT */
/*
 * duplex.c - framed messages on a pair of descriptors
 *
 * Input: a chunk is read, and all whole messages in it are delivered from where they stand; what is
 * not consumed is kept in a buffer of the peer's own, which grows to a whole message and is given
 * back when it is empty, so that idle peers have none. Output: answers are written one behind the
 * other into one buffer, and what is ready of it goes out once for a turn of the loop.
 *
 * What is polled for follows from the state, by update_polls(): whoever changes the state calls it.
 *
 * The end: whoever is hung up on after an answer still gets it. A socket that is closed while
 * something is unread makes the kernel throw away what is unsent; so its sending side is closed
 * first, and what comes is read and dropped until the peer hangs up, too, or a time is over.
 */
#define _GNU_SOURCE
#include "duplex.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    KEPT_SENT = 1 << 20,   /* bytes written that may stand before those that are not */
    KEPT_OUTPUT = 1 << 14, /* of a peer that is not busy: a buffer that has held more is freed */
};

static void deliver(jri_duplex *duplex);
static void polled(uv_poll_t *poll, int status, int events);
static void idled(uv_idle_t *idle);

static size_t unsent(const jri_duplex *duplex)
{
    return duplex->ready - duplex->sent;
}

/*
 * What is waited for
 */

static bool wants_input(const jri_duplex *duplex)
{
    return duplex->is_lingering ||
           (!duplex->is_paused && !duplex->is_at_end && !duplex->is_closing);
}

/* Where nothing is read only the other direction can tell that nobody waits for the answers.
 * Errors and hang-ups are told whatever is asked for; urgent data there is none. */
static int wanted_output(const jri_duplex *duplex)
{
    if (duplex->is_blocked)
        return UV_WRITABLE;
    return wants_input(duplex) || duplex->is_closing || duplex->is_deaf ? 0 : UV_PRIORITIZED;
}

/* Asked the same anew, libuv would tell the kernel anew. */
static void poll_for(uv_poll_t *poll, int *events, int wanted)
{
    if (*events == wanted)
        return;
    *events = wanted;
    if (wanted)
        uv_poll_start(poll, wanted, polled);
    else
        uv_poll_stop(poll);
}

static void update_polls(jri_duplex *duplex)
{
    bool has_input = wants_input(duplex);
    int in_events = has_input ? UV_READABLE : 0, out_events = wanted_output(duplex);

    if (duplex->n_handles)
        return;
    if (duplex->is_single) {
        poll_for(&duplex->in_poll, &duplex->in_events, in_events | out_events);
        return;
    }
    if (!duplex->out_is_file)
        poll_for(&duplex->out_poll, &duplex->out_events, out_events);
    if (!duplex->in_is_file)
        poll_for(&duplex->in_poll, &duplex->in_events, in_events);
    else if (has_input && !duplex->is_idling)
        uv_idle_start(&duplex->idle, idled);
    else if (!has_input)
        uv_idle_stop(&duplex->idle);
    duplex->is_idling = duplex->in_is_file && has_input;
}

/*
 * The end
 */

static void handle_closed(uv_handle_t *handle)
{
    jri_duplex *duplex = handle->data;

    if (--duplex->n_handles == 0)
        duplex->closed(duplex);
}

static void close_handles(jri_duplex *duplex)
{
    if (duplex->n_handles)
        return;
    duplex->n_handles = 1 + !duplex->in_is_file + !duplex->out_is_file + duplex->has_timer;
    uv_close((uv_handle_t *)&duplex->idle, handle_closed);
    if (!duplex->in_is_file)
        uv_close((uv_handle_t *)&duplex->in_poll, handle_closed);
    if (!duplex->out_is_file)
        uv_close((uv_handle_t *)&duplex->out_poll, handle_closed);
    if (duplex->has_timer)
        uv_close((uv_handle_t *)&duplex->timer, handle_closed);
}

/* Reading or writing failed: nothing can be said to the peer any more. */
static void fail(jri_duplex *duplex, int reason)
{
    duplex->is_broken = true;
    jri_duplex_drop(duplex, reason);
}

static void waited_long_enough(uv_timer_t *timer)
{
    jri_duplex *duplex = timer->data;

    if (unsent(duplex)) {
        jrpc_listener_log(duplex->owner, duplex, JRPC_LOG_WARNING,
                          "nothing of %zu last bytes was read for %d s, closing", unsent(duplex),
                          JRI_DUPLEX_LINGER_MS / 1000);
        duplex->reason = -ETIMEDOUT;
    }
    close_handles(duplex);
}

/* Only sockets: who reads a pipe may be a person who turns pages. */
static void start_timer(jri_duplex *duplex)
{
    if (!duplex->is_socket || duplex->n_handles)
        return;
    if (!duplex->has_timer)
        uv_timer_init(duplex->idle.loop, &duplex->timer);
    duplex->has_timer = true;
    duplex->timer.data = duplex;
    uv_timer_start(&duplex->timer, waited_long_enough, JRI_DUPLEX_LINGER_MS, /* once */ 0);
}

static bool has_unread(const jri_duplex *duplex)
{
    int n = 0;

    if (!duplex->is_single || !duplex->is_socket || duplex->has_eof)
        return false;
    return duplex->framing.reason || ioctl(duplex->in, FIONREAD, &n) || n > 0;
}

/* All is written. */
static void finish(jri_duplex *duplex)
{
    if (duplex->is_lingering)
        return;
    if (!has_unread(duplex) || shutdown(duplex->out, SHUT_WR)) {
        close_handles(duplex);
        return;
    }
    duplex->is_lingering = true;
    start_timer(duplex);
    update_polls(duplex);
}

void jri_duplex_drop(void *peer, int reason)
{
    jri_duplex *duplex = peer;

    if (!duplex->is_closing)
        duplex->reason = reason;
    duplex->is_closing = true;
    if (reason || duplex->is_broken) {
        close_handles(duplex);
    } else if (unsent(duplex)) {
        start_timer(duplex);
        jri_duplex_flush(duplex);
    } else {
        finish(duplex);
    }
}

void jri_duplex_fini(jri_duplex *duplex)
{
    jrpc_buf_free(duplex->input);
    jrpc_buf_free(duplex->output);
}

/*
 * Output
 */

static ssize_t write_some(const jri_duplex *duplex, const char *data, size_t len)
{
    ssize_t n;

    do
        n = duplex->is_socket ? send(duplex->out, data, len, MSG_NOSIGNAL | MSG_DONTWAIT)
                              : write(duplex->out, data, len);
    while (n < 0 && errno == EINTR);
    return n;
}

/* Takes what was written out of the buffer; an answer that is being written moves along. */
static void forget_sent(jri_duplex *duplex)
{
    bool is_busy = duplex->n_read > JRI_DUPLEX_CHUNK / 2;
    size_t len;

    if (unsent(duplex) && duplex->sent < KEPT_SENT)
        return;
    jrpc_buf_data(duplex->output, &len);
    if (len == duplex->sent && len > KEPT_OUTPUT && !is_busy)
        free(jrpc_buf_detach(duplex->output, &len));
    else
        jrpc_buf_consume(duplex->output, duplex->sent);
    duplex->ready -= duplex->sent;
    duplex->sent = 0;
}

void jri_duplex_flush(void *peer)
{
    jri_duplex *duplex = peer;
    ssize_t n = 0;

    if (duplex->n_handles)
        return;
    while (unsent(duplex) && n >= 0) {
        const char *data = jrpc_buf_data(duplex->output, NULL);
        n = write_some(duplex, data + duplex->sent, unsent(duplex));
        if (n < 0 && errno != EAGAIN) {
            fail(duplex, -errno);
            return;
        }
        if (n > 0)
            duplex->sent += (size_t)n;
        if (n > 0 && duplex->is_closing)
            start_timer(duplex); /* it does read */
    }
    forget_sent(duplex);
    duplex->is_blocked = unsent(duplex);
    update_polls(duplex);
    if (duplex->is_closing && !unsent(duplex))
        finish(duplex);
    jrpc_transport_writable(duplex, unsent(duplex));
}

/* Whoever read our answers is gone: a pipe without a reader, a socket closed at both ends. */
static bool is_abandoned(const jri_duplex *duplex)
{
    struct pollfd out = {.fd = duplex->out};

    return poll(&out, 1, /* timeout */ 0) > 0 && out.revents & (POLLERR | POLLHUP);
}

/*
 * Input
 */

/* Where the next bytes go: into the chunk, or behind those that are kept. */
static char *room_for_input(jri_duplex *duplex, bool *is_kept)
{
    size_t n_kept;

    jrpc_buf_data(duplex->input, &n_kept);
    *is_kept = n_kept && !duplex->is_lingering;
    return *is_kept ? jrpc_buf_reserve(duplex->input, JRI_DUPLEX_CHUNK) : duplex->chunk;
}

static void read_more(jri_duplex *duplex)
{
    bool is_kept;
    char *to = room_for_input(duplex, &is_kept);
    ssize_t n;

    if (!to) {
        fail(duplex, -ENOMEM);
        return;
    }
    do
        n = read(duplex->in, to, JRI_DUPLEX_CHUNK);
    while (n < 0 && errno == EINTR);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0 && duplex->is_lingering)
        close_handles(duplex);
    else if (n < 0)
        fail(duplex, -errno);
    if (n < 0 || duplex->is_lingering)
        return;

    duplex->n_read = (size_t)n;
    duplex->has_eof = duplex->is_at_end = !n;
    if (is_kept) {
        jrpc_buf_advance(duplex->input, (size_t)n);
    } else {
        duplex->fresh = to;
        duplex->n_fresh = (size_t)n;
    }
    deliver(duplex);
}

static void idled(uv_idle_t *idle)
{
    read_more(idle->data);
}

static void polled(uv_poll_t *poll, int status, int events)
{
    jri_duplex *duplex = poll->data;
    int *asked = poll == &duplex->in_poll ? &duplex->in_events : &duplex->out_events;

    if (status < 0) { /* libuv has stopped it; reading or writing will tell why */
        events = *asked;
        *asked = 0;
    }
    if (events & UV_PRIORITIZED) {
        duplex->is_deaf = true;
        if (is_abandoned(duplex))
            fail(duplex, -EPIPE);
    }
    if (events & UV_WRITABLE)
        jri_duplex_flush(duplex);
    if (events & UV_READABLE && wants_input(duplex) && !duplex->n_handles)
        read_more(duplex);
    update_polls(duplex);
}

/* One message or failure of the input: what the server says. */
static int deliver_frame(jri_duplex *duplex, int found, const jri_frame *frame)
{
    if (found > 0)
        return jrpc_transport_received(duplex, /* exchange */ NULL, frame->text, frame->len);
    if (found == -EPROTO) {
        /* An answer would be as foreign to the peer as this is to us. */
        jrpc_listener_log(duplex->owner, duplex, JRPC_LOG_WARNING, "%s, closing", frame->reason);
        fail(duplex, -EPROTO);
        return -EPIPE;
    }
    int status = jrpc_transport_failed(duplex, /* exchange */ NULL, found, frame->reason);
    if (found == -EBADMSG && status >= 0) {
        duplex->is_at_end = true; /* no boundary can be trusted any more */
        return 1;
    }
    return status;
}

/* What of the bytes at hand was not consumed. */
static int keep_rest(jri_duplex *duplex, const char *data, size_t done, size_t len)
{
    bool is_fresh = duplex->fresh;

    duplex->fresh = NULL;
    if (is_fresh)
        return done < len ? jrpc_buf_append(duplex->input, data + done, len - done) : 0;
    if (done == len)
        free(jrpc_buf_detach(duplex->input, &len));
    else
        jrpc_buf_consume(duplex->input, done);
    return 0;
}

/* The server is told what an unfinished message takes; what waits because of a pause is not its
 * peer's fault. */
static void tell_buffered(jri_duplex *duplex, size_t len)
{
    if (len == duplex->n_buffered)
        return;
    duplex->n_buffered = len;
    jrpc_transport_buffered(duplex, len);
}

/* All whole messages at hand, until the server has enough. */
static void deliver(jri_duplex *duplex)
{
    int found = 1, status = 0;
    size_t done = 0, len = duplex->n_fresh;

    if (duplex->is_delivering)
        return;
    duplex->is_delivering = true;
    const char *data = duplex->fresh ? duplex->fresh : jrpc_buf_data(duplex->input, &len);
    while (found && !status && !duplex->is_closing && !duplex->is_paused) {
        jri_frame frame;
        found = jri_framing_next(&duplex->framing, data ? data + done : data, len - done,
                                 duplex->is_at_end, &frame);
        if (found)
            status = deliver_frame(duplex, found, &frame);
        done += frame.consumed;
    }
    duplex->is_delivering = false;
    if (keep_rest(duplex, data, done, len))
        fail(duplex, -ENOMEM);
    if (!duplex->is_closing)
        tell_buffered(duplex, found ? 0 : len - done);
    update_polls(duplex);
    bool is_done = !found || duplex->framing.reason;
    if (duplex->is_at_end && is_done && !duplex->is_closing && !duplex->has_ended) {
        duplex->has_ended = true;
        jrpc_transport_ended(duplex);
    }
}

void jri_duplex_pause(void *peer, bool is_paused)
{
    jri_duplex *duplex = peer;

    duplex->is_paused = is_paused;
    if (is_paused)
        update_polls(duplex);
    else
        deliver(duplex);
}

/*
 * The beginning
 */

static bool is_socket(int fd)
{
    int type;
    socklen_t len = sizeof(type);

    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0;
}

/* A regular file cannot be polled; a socket can, unless something is wrong. */
static int init_polls(jri_duplex *duplex, uv_loop_t *loop)
{
    int status = uv_poll_init(loop, &duplex->in_poll, duplex->in);

    if (status && duplex->is_single && duplex->is_socket)
        return status;
    duplex->in_is_file = status != 0;
    duplex->out_is_file =
        duplex->is_single || uv_poll_init(loop, &duplex->out_poll, duplex->out) != 0;
    duplex->is_single &= !duplex->in_is_file;
    return 0;
}

int jri_duplex_start(jri_duplex *duplex, const jri_duplex_options *options)
{
    long long message_max = jrpc_listener_limit(options->owner, "message_max");

    duplex->owner = options->owner;
    duplex->in = options->in;
    duplex->out = options->out;
    duplex->chunk = options->chunk;
    duplex->closed = options->closed;
    duplex->is_single = options->in == options->out;
    duplex->is_socket = is_socket(options->out);
    jri_framing_begin(&duplex->framing, options->mode, (size_t)message_max);
    int status = jrpc_buf_new((size_t)-1, &duplex->input);
    if (!status)
        status = jrpc_buf_new((size_t)-1, &duplex->output);
    if (!status)
        status = init_polls(duplex, options->loop);
    if (status) {
        jri_duplex_fini(duplex);
        return status;
    }
    uv_idle_init(options->loop, &duplex->idle);
    duplex->idle.data = duplex->in_poll.data = duplex->out_poll.data = duplex;
    update_polls(duplex);
    return 0;
}
