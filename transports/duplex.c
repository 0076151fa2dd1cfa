/* SPDX-License-Identifier: MIT */
/*
 * duplex.c - framed messages on a pair of descriptors
 *
 * Input: what was read and not consumed yet stands in one buffer; all whole messages in it are
 * delivered before more is read. Output: answers are written one behind the other into one buffer,
 * and what is ready of it goes out once for a turn of the loop.
 */
#include "duplex.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    CHUNK = 65536,       /* bytes read at once: a pipe's capacity */
    KEPT_SENT = 1 << 20, /* bytes written that may stand before those that are not */
};

static void deliver(jri_duplex *duplex);

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
    duplex->n_handles = 1 + !duplex->in_is_file + !duplex->out_is_file;
    uv_close((uv_handle_t *)&duplex->idle, handle_closed);
    if (!duplex->in_is_file)
        uv_close((uv_handle_t *)&duplex->in_poll, handle_closed);
    if (!duplex->out_is_file)
        uv_close((uv_handle_t *)&duplex->out_poll, handle_closed);
}

static size_t unsent(const jri_duplex *duplex)
{
    return duplex->ready - duplex->sent;
}

/* Reading or writing failed: nothing can be said to the peer any more. */
static void fail(jri_duplex *duplex, int reason)
{
    duplex->is_broken = true;
    jri_duplex_drop(duplex, reason);
}

void jri_duplex_drop(void *peer, int reason)
{
    jri_duplex *duplex = peer;

    if (!duplex->is_closing)
        duplex->reason = reason;
    duplex->is_closing = true;
    if (reason || duplex->is_broken || !unsent(duplex))
        close_handles(duplex);
    else
        jri_duplex_flush(duplex);
}

void jri_duplex_fini(jri_duplex *duplex)
{
    jrpc_buf_free(duplex->input);
    jrpc_buf_free(duplex->output);
}

/*
 * Output
 */

jrpc_buf *jri_duplex_answer_begin(void *peer, void *exchange)
{
    jri_duplex *duplex = peer;

    (void)exchange;
    jrpc_buf_truncate(duplex->output, duplex->ready); /* what was begun and not ended */
    if (duplex->framing.mode == JRI_FRAMING_HEADER) {
        if (!jrpc_buf_reserve(duplex->output, JRI_FRAMING_HEADER_MAX))
            return NULL;
        jrpc_buf_advance(duplex->output, JRI_FRAMING_HEADER_MAX);
    }
    return duplex->output;
}

int jri_duplex_answer_end(void *peer, void *exchange, jrpc_buf *buf, size_t start, int http_status)
{
    jri_duplex *duplex = peer;
    char header[JRI_FRAMING_HEADER_MAX];
    size_t end;
    char *data = jrpc_buf_data(buf, &end);

    (void)exchange;
    (void)http_status;
    if (end == start) {
        jrpc_buf_truncate(buf, duplex->ready);
        return 0;
    }
    if (duplex->framing.mode == JRI_FRAMING_HEADER) {
        size_t header_len = jri_framing_header(duplex->framing.mode, end - start, header);
        memcpy(data + duplex->ready, header, header_len);
        memmove(data + duplex->ready + header_len, data + start, end - start);
        jrpc_buf_truncate(buf, duplex->ready + header_len + (end - start));
    } else {
        jri_framing_flatten(data + start, end - start);
    }
    char *trailer = jrpc_buf_reserve(buf, JRI_FRAMING_TRAILER_MAX);
    if (!trailer)
        return -ENOMEM;
    jrpc_buf_advance(buf, jri_framing_trailer(duplex->framing.mode, trailer));
    jrpc_buf_data(buf, &duplex->ready);
    return 0;
}

static ssize_t write_some(const jri_duplex *duplex, const char *data, size_t len)
{
    ssize_t n;

    do
        n = duplex->is_socket ? send(duplex->out, data, len, MSG_NOSIGNAL | MSG_DONTWAIT)
                              : write(duplex->out, data, len);
    while (n < 0 && errno == EINTR);
    return n;
}

static void out_ready(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    jri_duplex_flush(poll->data);
}

/* Whoever read our answers is gone: a pipe without a reader, a socket closed at both ends. */
static bool is_abandoned(const jri_duplex *duplex)
{
    struct pollfd out = {.fd = duplex->out};

    return poll(&out, 1, /* timeout */ 0) > 0 && out.revents & (POLLERR | POLLHUP);
}

static void out_changed(uv_poll_t *poll, int status, int events)
{
    jri_duplex *duplex = poll->data;

    (void)status;
    (void)events;
    uv_poll_stop(&duplex->out_poll);
    if (is_abandoned(duplex))
        fail(duplex, -EPIPE);
}

/* Behind the end of the input only calls in flight are left, which nobody may wait for. Errors and
 * hang-ups are told whatever is asked for; urgent data there is none. */
static void watch_out(jri_duplex *duplex)
{
    bool is_watching = duplex->is_at_end && !duplex->is_closing;

    if (!duplex->out_is_file && !duplex->is_polling_out && is_watching)
        uv_poll_start(&duplex->out_poll, UV_PRIORITIZED, out_changed);
}

static void poll_out(jri_duplex *duplex, bool is_wanted)
{
    if (duplex->out_is_file || is_wanted == duplex->is_polling_out)
        return;
    duplex->is_polling_out = is_wanted;
    if (is_wanted)
        uv_poll_start(&duplex->out_poll, UV_WRITABLE, out_ready);
    else
        uv_poll_stop(&duplex->out_poll);
    watch_out(duplex);
}

/* Takes what was written out of the buffer; an answer that is being written moves along. */
static void forget_sent(jri_duplex *duplex)
{
    if (unsent(duplex) && duplex->sent < KEPT_SENT)
        return;
    jrpc_buf_consume(duplex->output, duplex->sent);
    duplex->ready -= duplex->sent;
    duplex->sent = 0;
}

void jri_duplex_flush(void *peer)
{
    jri_duplex *duplex = peer;

    if (duplex->n_handles)
        return;
    while (unsent(duplex)) {
        const char *data = jrpc_buf_data(duplex->output, NULL);
        ssize_t n = write_some(duplex, data + duplex->sent, unsent(duplex));
        if (n < 0 && errno != EAGAIN) {
            fail(duplex, -errno);
            return;
        }
        if (n < 0)
            break;
        duplex->sent += (size_t)n;
    }
    forget_sent(duplex);
    poll_out(duplex, unsent(duplex));
    if (duplex->is_closing && !unsent(duplex))
        close_handles(duplex);
    jrpc_transport_writable(duplex, unsent(duplex));
}

/*
 * Input
 */

static void read_more(jri_duplex *duplex)
{
    char *to = jrpc_buf_reserve(duplex->input, CHUNK);
    ssize_t n;

    if (!to) {
        fail(duplex, -ENOMEM);
        return;
    }
    do
        n = read(duplex->in, to, CHUNK);
    while (n < 0 && errno == EINTR);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n < 0) {
        fail(duplex, -errno);
        return;
    }
    jrpc_buf_advance(duplex->input, (size_t)n);
    duplex->is_at_end = !n;
    deliver(duplex);
}

static void in_ready(uv_poll_t *poll, int status, int events)
{
    (void)status; /* the read will tell */
    (void)events;
    read_more(poll->data);
}

static void idled(uv_idle_t *idle)
{
    read_more(idle->data);
}

static void update_reading(jri_duplex *duplex)
{
    bool is_wanted = !duplex->is_paused && !duplex->is_at_end && !duplex->is_closing;

    if (duplex->n_handles || is_wanted == duplex->is_reading)
        return;
    duplex->is_reading = is_wanted; /* asked anew, libuv would tell the kernel anew */
    if (duplex->in_is_file && is_wanted)
        uv_idle_start(&duplex->idle, idled);
    else if (duplex->in_is_file)
        uv_idle_stop(&duplex->idle);
    else if (is_wanted)
        uv_poll_start(&duplex->in_poll, UV_READABLE, in_ready);
    else
        uv_poll_stop(&duplex->in_poll);
}

/* One message or failure of the input: what the server says. */
static int deliver_frame(jri_duplex *duplex, int found, const jri_frame *frame)
{
    if (found > 0)
        return jrpc_transport_received(duplex, /* exchange */ NULL, frame->text, frame->len);
    int status = jrpc_transport_failed(duplex, /* exchange */ NULL, found, frame->reason);
    if (found == -EBADMSG && status >= 0) {
        duplex->is_at_end = true; /* no boundary can be trusted any more */
        return 1;
    }
    return status;
}

/* All whole messages at hand, until the server has enough. */
static void deliver(jri_duplex *duplex)
{
    int found = 1, status = 0;
    size_t len;

    if (duplex->is_delivering)
        return;
    duplex->is_delivering = true;
    while (found && !status && !duplex->is_closing && !duplex->is_paused) {
        const char *data = jrpc_buf_data(duplex->input, &len);
        jri_frame frame;
        found = jri_framing_next(&duplex->framing, data ? data + duplex->done : data,
                                 len - duplex->done, duplex->is_at_end, &frame);
        if (found)
            status = deliver_frame(duplex, found, &frame);
        duplex->done += frame.consumed;
    }
    duplex->is_delivering = false;
    jrpc_buf_consume(duplex->input, duplex->done);
    duplex->done = 0;
    update_reading(duplex);
    bool is_done = !found || duplex->framing.reason;
    if (duplex->is_at_end && is_done && !duplex->is_closing && !duplex->has_ended) {
        duplex->has_ended = true;
        watch_out(duplex);
        jrpc_transport_ended(duplex);
    }
}

void jri_duplex_pause(void *peer, bool is_paused)
{
    jri_duplex *duplex = peer;

    duplex->is_paused = is_paused;
    if (is_paused)
        update_reading(duplex);
    else
        deliver(duplex);
}

/*
 * The beginning
 */

static int is_socket(int fd)
{
    int type;
    socklen_t len = sizeof(type);

    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0;
}

int jri_duplex_start(jri_duplex *duplex, const jri_duplex_options *options)
{
    long long message_max = jrpc_listener_limit(options->owner, "message_max");

    duplex->owner = options->owner;
    duplex->in = options->in;
    duplex->out = options->out;
    duplex->closed = options->closed;
    duplex->is_socket = is_socket(options->out);
    jri_framing_begin(&duplex->framing, options->mode, (size_t)message_max);
    if (jrpc_buf_new((size_t)-1, &duplex->input) || jrpc_buf_new((size_t)-1, &duplex->output)) {
        jri_duplex_fini(duplex);
        return -ENOMEM;
    }
    uv_idle_init(options->loop, &duplex->idle);
    duplex->in_is_file = uv_poll_init(options->loop, &duplex->in_poll, options->in) != 0;
    int out = options->out;
    duplex->out_is_file =
        out == options->in || uv_poll_init(options->loop, &duplex->out_poll, out) != 0;
    duplex->idle.data = duplex->in_poll.data = duplex->out_poll.data = duplex;
    update_reading(duplex);
    return 0;
}
