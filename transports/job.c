/* SPDX-License-Identifier: MIT */
/*
 * job.c - one message of a peer: run at once, answered at once or later
 *
 * Nearly every message is answered before it is left again: its answer is written straight into
 * the transport's buffer. If a member is deferred or blocks, the message becomes a job. Whoever
 * gives its last answer, on whatever thread, sends it back to the loop by the outbox.
 */
#include "server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../core/text.h"
#include "inbox.h"

static jrpc_server *server_of(jri_host *host)
{
    return (jrpc_server *)host; /* its first member */
}

static int start_blocking(jri_host *host, jrpc_call *held)
{
    return jri_workers_add(&server_of(host)->workers, held);
}

/* The peer whose message is being run asks to cancel: in this message, among its jobs, and among
 * what waits. */
static void cancel(jri_host *host, const jri_value *id)
{
    jrpc_server *server = server_of(host);

    jri_held_cancel(server->scratch->message, id);
    for (jri_job *job = server->running->jobs; job; job = job->next)
        jri_held_cancel(job->response->message, id);
    jri_inbox_cancel(server->running, id);
}

static void answered(jri_host *host, const jri_row *row, int code, uint64_t ns)
{
    jri_metrics_count(server_of(host)->metrics, row, code, ns);
}

void jri_host_init(jri_host *host)
{
    *host = (jri_host){.start_blocking = start_blocking, .cancel = cancel, .answered = answered};
}

/* So many bytes of answers are the transport's now. Only the loop writes n_unsent, so that it takes
 * no locked addition, which would cost more than all else here. */
static inline void count_out(jrpc_peer *peer, size_t len)
{
    size_t n_unsent = atomic_load_explicit(&peer->n_unsent, memory_order_relaxed);

    atomic_store_explicit(&peer->n_unsent, n_unsent + len, memory_order_relaxed);
    peer->server->counts.bytes_out += len;
    jri_peer_flush_later(peer);
}

int jri_peer_answer(jrpc_peer *peer, const void *exchange, const char *text, size_t len,
                    int http_status)
{
    void *copy = (void *)(uintptr_t)exchange; /* the transport's own bytes, kept for it */
    jrpc_buf *buf = peer->transport->answer_begin(peer->state, copy);
    if (!buf)
        return -ENOMEM;

    size_t start = buf->len;
    int status = jrpc_buf_append(buf, text, len);
    if (!status)
        status = jri_buf_set_tail(buf, 1); /* answer_end() may take it */
    if (!status)
        buf->tail = 0;
    if (!status)
        status = peer->transport->answer_end(peer->state, copy, buf, start, http_status);
    count_out(peer, len);
    return status;
}

/*
 * Spares: most jobs are short, and come in numbers
 */

enum { SPARES_MAX = 256 };

/* A job, and maybe a response with all its memory. */
static jri_job *take_spare(jrpc_server *server)
{
    jri_job *job = server->spare_jobs;

    server->spare_jobs = job->next;
    server->n_spare_jobs--;
    return job;
}

/* There is one. 0 or -ENOMEM. */
static int reserve_spare(jrpc_server *server)
{
    jri_job *job;

    if (JRI_LIKELY(server->spare_jobs))
        return 0;
    job = calloc(1, sizeof(*job) + server->exchange_max);
    if (!job)
        return -ENOMEM;
    server->spare_jobs = job;
    server->n_spare_jobs = 1;
    return 0;
}

static void free_job(jri_job *job)
{
    jrpc_response_free(job->response);
    free(job);
}

static void keep_spare(jrpc_server *server, jri_job *job)
{
    jri_message *message = job->response->message;

    if (server->n_spare_jobs >= SPARES_MAX) {
        free_job(job);
        return;
    }
    if (atomic_load(&message->n_refs) == 1) {
        jri_message_clear(message);
    } else { /* the owner of a held call is still at it */
        jrpc_response_free(job->response);
        job->response = NULL;
    }
    job->next = server->spare_jobs;
    server->spare_jobs = job;
    server->n_spare_jobs++;
}

void jri_job_free_spares(jrpc_server *server)
{
    while (server->spare_jobs)
        free_job(take_spare(server));
}

/*
 * Jobs
 */

/* Calls that were answered on whatever thread are counted here. */
static void count_held(jrpc_server *server, const jri_message *message)
{
    uint64_t now_ns = jri_now_ns();

    for (uint32_t i = 0; i < message->envelope.n_requests; i++) {
        const jri_slot *slot = &message->slots[i];
        if (slot->row)
            jri_metrics_count(server->metrics, slot->row, slot->code, now_ns - slot->begun_ns);
    }
    jri_metrics_forget_rows(server->metrics); /* their service may go with the job */
}

/* [loop] The last answer was given. */
static void job_done(jri_outbox_item *item)
{
    jri_job *job = (jri_job *)item;
    jrpc_peer *peer = job->peer;
    jrpc_server *server = peer->server;
    jri_message *message = job->response->message;
    int status = 0;

    if (server->metrics)
        count_held(server, message);
    if (jrpc_peer_is_open(peer) && !peer->is_dropped) {
        size_t len;
        jri_dispatch_finish(message);
        const char *text = jrpc_response_text(job->response, &len);
        status = jri_peer_answer(peer, job->exchange, text, len,
                                 jrpc_response_http_status(job->response));
    }
    *job->link = job->next;
    if (job->next)
        job->next->link = job->link;
    jri_deadlines_set(&server->deadlines, &job->deadline, UINT64_MAX);
    peer->n_pending -= job->n_calls;
    peer->n_running -= job->len;
    server->memory -= job->len;
    server->n_calls -= job->n_calls;
    server->n_jobs--;
    jrpc_service_free(job->service);
    keep_spare(server, job);

    if (status)
        jri_peer_drop(peer, status);
    jri_peer_settle(peer);
    jrpc_peer_unref(peer); /* the job's */
    jri_server_settle(server);
}

/* [any] */
static void completed(jri_message *message, void *user)
{
    jri_job *job = user;

    (void)message;
    /* The outbox is open: a server ends only when it has no jobs. */
    jri_outbox_put(&job->peer->server->outbox, &job->item);
}

/* The timer is set for the first of all deadlines. */
static void start_timer(jrpc_server *server)
{
    const jri_deadline *first = jri_deadlines_first(&server->deadlines);
    uint64_t now_ns = jri_now_ns();

    server->timer_ns = first ? first->at_ns : UINT64_MAX;
    if (!first)
        return;
    uint64_t ms = first->at_ns > now_ns ? (first->at_ns - now_ns + 999999) / 1000000 : 0;
    uv_update_time(server->loop);
    uv_timer_start(&server->timer, jri_job_timed_out, ms, /* once */ 0);
}

/* Only an earlier one than all before moves the timer, so that it may fire in vain. */
static void set_deadline(jri_job *job, uint64_t at_ns)
{
    jrpc_server *server = job->peer->server;

    jri_deadlines_set(&server->deadlines, &job->deadline, at_ns);
    if (at_ns < server->timer_ns)
        start_timer(server);
}

void jri_job_timed_out(uv_timer_t *timer)
{
    jrpc_server *server = timer->data;
    uint64_t now_ns = jri_now_ns();
    jri_deadline *first;

    while ((first = jri_deadlines_first(&server->deadlines)) && first->at_ns <= now_ns) {
        jri_job *job = (jri_job *)((char *)first - offsetof(jri_job, deadline));
        uint64_t next = jri_held_abandon(job->response->message, JRPC_TIMED_OUT,
                                         /* only_expired */ true, now_ns);
        jri_deadlines_set(&server->deadlines, first, next);
    }
    start_timer(server);
}

/* [any] Nobody needs the message any more. */
static void released(jri_message *message)
{
    jrpc_peer_unref(message->peer);
}

/* The message that was run has answers outstanding: it becomes a job. */
static void make_job(jrpc_peer *peer, const void *exchange, size_t len)
{
    jrpc_server *server = peer->server;
    jri_job *job = take_spare(server);
    jrpc_response *spare = job->response;
    jri_message *message = server->scratch->message;

    job->item.run = job_done;
    job->peer = jrpc_peer_ref(peer);
    job->service = jri_service_ref(message->service);
    job->response = server->scratch;
    server->scratch = spare;
    if (exchange)
        memcpy(job->exchange, exchange, peer->transport->exchange_size);
    job->next = peer->jobs;
    job->link = &peer->jobs;
    if (job->next)
        job->next->link = &job->next;
    peer->jobs = job;

    job->len = len;
    peer->n_running += len;
    server->memory += len;
    jrpc_peer_ref(peer);
    message->released = released;
    message->completed = completed;
    message->completed_user = job;
    pthread_mutex_lock(&message->lock);
    job->n_calls = message->n_pending - 1;
    pthread_mutex_unlock(&message->lock);
    peer->n_pending += job->n_calls;
    server->n_calls += job->n_calls;
    server->n_jobs++;
    server->counts.deferred += job->n_calls;
    set_deadline(job, jri_held_abandon(message, JRPC_TIMED_OUT, /* only_expired */ true, 0));
    jri_message_settle(message);
}

/* Why calls are not taken now; 0: they are. */
JRI_INLINE int refusal_of(const jrpc_peer *peer)
{
    const jrpc_server *server = peer->server;

    if (server->phase != JRI_SERVING || peer->listener->is_closing ||
        server->n_calls >= (uint64_t)server->settings.calls_max || jri_peer_is_greedy(peer))
        return -EBUSY;
    return peer->refusal;
}

/* What a message is read by. */
static inline void set_up(const jrpc_listener *listener, jri_message *message)
{
    if (listener->has_codec)
        message->codec = &listener->codec;
    if (listener->limits)
        jri_message_limit(message, &listener->service_settings);
}

jri_message *jri_peer_parse(jrpc_peer *peer, const char *text, size_t len)
{
    jrpc_server *server = peer->server;
    jrpc_problem problem;

    if (jri_dispatch_begin(peer->listener->service, &jri_no_dispatch_options, /* lender */ NULL,
                           &server->reader))
        return NULL;
    jri_message *message = server->reader->message;
    set_up(peer->listener, message);
    return jri_dispatch_parse(message, text, len, &problem) ? NULL : message;
}

/* All that is the same for each message of a listener, and what a job would need. It stays until a
 * message makes use of it. */
static __attribute__((noinline)) int make_ready(jrpc_server *server, const jrpc_listener *listener,
                                                jrpc_buf *buf)
{
    server->ready_for = NULL;
    int status =
        jri_dispatch_begin(listener->service, &jri_no_dispatch_options, buf, &server->scratch);
    if (status)
        return status;
    if (reserve_spare(server) || jri_deadlines_reserve(&server->deadlines)) {
        jri_message_give_back(server->scratch->message);
        return -ENOMEM;
    }

    jri_message *message = server->scratch->message;
    set_up(listener, message);
    message->context = listener->context;
    message->has_context = listener->has_context;
    message->is_timed |= server->metrics != NULL;
    server->ready_for = listener;
    return 0;
}

/* Everything that one message needs, before anything is run that cannot be taken back. What of it
 * is answered at once goes to *buf. */
JRI_INLINE int begin(jrpc_peer *peer, const void *exchange, jrpc_buf **buf)
{
    jrpc_server *server = peer->server;
    int status;

    *buf = peer->transport->answer_begin(peer->state, (void *)(uintptr_t)exchange);
    if (!*buf)
        return -ENOMEM;
    if (JRI_LIKELY(server->ready_for == peer->listener))
        status = jri_message_begin_again(server->scratch->message, *buf);
    else
        status = make_ready(server, peer->listener, *buf);
    if (JRI_UNLIKELY(status))
        return status;

    jri_message *message = server->scratch->message;
    server->host.refusal = refusal_of(peer);
    server->host.n_cancelled = 0;
    if (JRI_UNLIKELY(peer->letter)) { /* read by other rules when a call was cancelled, maybe */
        server->host.cancelled = peer->letter->cancelled;
        server->host.n_cancelled = peer->letter->n_members;
    }
    message->host = &server->host;
    message->peer = peer;
    return 0;
}

/* Answers stand in slots: some will be given later, or all were, and a codec writes them. */
static int run_slots(jrpc_peer *peer, const void *exchange, size_t in_len)
{
    jrpc_response *response = peer->server->scratch;
    jri_message *message = response->message;
    size_t len;

    peer->server->ready_for = NULL;
    if (atomic_load(&message->n_refs) > 1) { /* a held call's */
        make_job(peer, exchange, in_len);
        return 0;
    }
    jri_dispatch_finish(message);
    message->peer = NULL;
    const char *text = jrpc_response_text(response, &len);
    return jri_peer_answer(peer, exchange, text, len, jri_message_http_status(message));
}

/* Runs what was read, if that went well: to the answer, or to a job. */
JRI_INLINE int run(jrpc_peer *peer, const void *exchange, jrpc_buf *buf, size_t in_len, int status)
{
    jrpc_server *server = peer->server;
    jri_message *message = server->scratch->message;
    size_t start = buf->len;

    if (JRI_UNLIKELY(status)) {
        jri_message_give_back(message);
        server->ready_for = NULL;
        return status;
    }
    bool was_loop_thread = jri_is_loop_thread;
    jri_is_loop_thread = true;
    server->counts.messages++;
    server->running = peer;
    jri_dispatch_run(server->scratch);
    server->running = NULL;
    jri_is_loop_thread = was_loop_thread;
    message->host = NULL;
    if (message->slots)
        return run_slots(peer, exchange, in_len);
    jri_dispatch_finish(message);
    jri_message_give_back(message);
    message->peer = NULL;
    count_out(peer, buf->len - start);
    return peer->transport->answer_end(peer->state, (void *)(uintptr_t)exchange, buf, start,
                                       jri_message_http_status(message));
}

JRI_INLINE int run_one(jrpc_peer *peer, const void *exchange, const char *data, size_t len)
{
    jrpc_buf *buf;
    int status = begin(peer, exchange, &buf);
    if (JRI_UNLIKELY(status))
        return status;

    status = jri_dispatch_read(peer->server->scratch->message, data, len);
    return run(peer, exchange, buf, len, status);
}

/* Calls that were cancelled before they were run, answered so. */
static int answer_withdrawn(jrpc_peer *peer)
{
    int status = 0, refusal = peer->refusal;
    const jri_letter *waited = peer->letter;
    jri_letter *letter;

    peer->refusal = -ECANCELED;
    peer->letter = NULL;
    while (!status && (letter = jri_inbox_take_withdrawn(peer))) {
        status = run_one(peer, letter->data, jri_letter_text(peer, letter), letter->len);
        jri_letter_free(letter);
    }
    peer->refusal = refusal;
    peer->letter = waited;
    return status;
}

int jri_peer_run(jrpc_peer *peer, const void *exchange, const char *data, size_t len)
{
    int status = run_one(peer, exchange, data, len);

    return status || !peer->withdrawn ? status : answer_withdrawn(peer);
}

/* The same with what has just come; what its transport is to do next. */
int jri_peer_receive(jrpc_peer *peer, const void *exchange, const char *data, size_t len)
{
    int status = run_one(peer, exchange, data, len);

    if (JRI_LIKELY(!status && !peer->withdrawn && jri_peer_is_at_ease(peer)))
        return 0;
    if (!status && peer->withdrawn)
        status = answer_withdrawn(peer);
    return jri_peer_go_on(peer, status);
}

int jri_peer_refuse(jrpc_peer *peer, const void *exchange, int failure, const char *reason)
{
    jrpc_buf *buf;
    int status = begin(peer, exchange, &buf);
    if (status)
        return status;

    status = jri_dispatch_refuse(peer->server->scratch->message, failure, reason);
    return run(peer, exchange, buf, /* in_len */ 0, status);
}
