/* SPDX-License-Identifier: MIT */
/*
 * held.c - calls that outlive their handler: deferring, cancelling, freeing
 *
 * A held call belongs to its owner, who alone frees it. Somebody else who answers it, because its
 * time is up or nobody wants it any more, pins it meanwhile: freeing waits for the pin, unless it
 * happens on the pinning thread, which then frees it when done. A call whose blocking handler is
 * still running is freed when that returns.
 */
#define _GNU_SOURCE
#include "call.h"

#include <errno.h>
#include <stdlib.h>

/* A slice of one text, as the same slice of its copy. */
static const char *rebase(const char *slice, const char *from, size_t len, const char *to)
{
    if (!slice || (uintptr_t)slice < (uintptr_t)from || (uintptr_t)slice > (uintptr_t)(from + len))
        return slice;
    return to + (slice - from);
}

/* What the call points to in the text that was dispatched moves to the message's arena. */
static int keep_request(jrpc_call *call)
{
    jri_request *request = call->request;
    const char *from = request->params.text;

    call->c_method = jri_arena_copy(&call->message->arena, request->method, request->method_len);
    if (!call->c_method)
        return -ENOMEM;
    request->method = call->c_method;
    if (!from)
        return 0;

    size_t len = request->params.len;
    char *copy = jri_arena_copy(&call->message->arena, from, len);
    if (!copy)
        return -ENOMEM;
    request->params.text = copy;
    for (uint32_t i = 0; i < request->n_args; i++) {
        jri_arg *arg = &request->args[i];
        arg->value.text = rebase(arg->value.text, from, len, copy);
        arg->name = rebase(arg->name, from, len, copy);
    }
    return 0;
}

/* The nearest of what the dispatch, the method and the options say. */
static uint64_t deadline_of(const jrpc_call *call)
{
    int64_t ms = call->message->timeout_ms;

    if (!ms && call->row)
        ms = call->row->timeout_ms;
    if (!ms)
        ms = call->message->settings->call_timeout_ms;
    return ms < 0 ? UINT64_MAX : jri_now_ns() + (uint64_t)ms * 1000000u;
}

/* A blocking handler keeps the call that was held for it. */
static int keep(jrpc_call *held, jrpc_call **out)
{
    jri_message *message = held->message;
    int status = -EALREADY;

    pthread_mutex_lock(&message->lock);
    if (held->is_running && !held->is_kept && pthread_equal(held->runner, pthread_self())) {
        held->is_kept = true;
        *out = held;
        status = 0;
    }
    pthread_mutex_unlock(&message->lock);
    return status;
}

int jrpc_call_defer(jrpc_call *call, jrpc_call **out)
{
    if (!call || !out)
        return -EINVAL;
    if (call->is_held)
        return keep(call, out);
    if (call->state != JRI_OPEN)
        return -EALREADY;
    if (!call->may_defer)
        return -EOPNOTSUPP;
    return jri_held_new(call, out);
}

int jri_held_new(jrpc_call *call, jrpc_call **out)
{
    jri_message *message = call->message;
    jrpc_call *held = malloc(sizeof(*held));
    if (!held || keep_request(call) || jri_message_open_slots(message, call->index)) {
        free(held);
        return -ENOMEM;
    }
    *held = *call;
    held->is_held = true;
    held->deadline_ns = deadline_of(call);
    jri_arena_init(&held->own_arena);
    held->arena = &held->own_arena;
    jri_buf_init(&held->scratch, 0);
    atomic_init(&held->is_cancelled, false);
    jri_message_ref(message);
    jri_service_ref(message->service);

    pthread_mutex_lock(&message->lock);
    message->slots[call->index].held = held;
    message->slots[call->index].row = call->row;
    message->slots[call->index].begun_ns = call->begun_ns;
    message->n_pending++;
    pthread_mutex_unlock(&message->lock);
    call->state = JRI_DEFERRED;
    *out = held;
    return 0;
}

static void destroy(jrpc_call *held)
{
    jri_message *message = held->message;
    jrpc_service *service = message->service;

    jri_call_release(held);
    jri_arena_fini(&held->own_arena);
    jri_buf_fini(&held->scratch);
    free(held);
    jri_message_unref(message);
    jrpc_service_free(service);
}

void jrpc_call_free(jrpc_call *held)
{
    if (!held || !held->is_held)
        return;

    jri_message *message = held->message;
    jri_error error = {.code = JRPC_INTERNAL_ERROR};
    if (message->service->settings.debug)
        error.text = "the call was freed without an answer";
    jri_call_fail(held, &error);

    pthread_mutex_lock(&message->lock);
    while (held->is_pinned && !pthread_equal(held->pinner, pthread_self()))
        pthread_cond_wait(&message->changed, &message->lock);
    message->slots[held->index].held = NULL;
    held->is_freed = true;
    bool is_idle = !held->is_pinned && !held->is_running;
    pthread_mutex_unlock(&message->lock);
    if (is_idle)
        destroy(held);
}

void jri_held_run(jrpc_call *held)
{
    jri_message *message = held->message;
    int status = 0;

    pthread_mutex_lock(&message->lock);
    bool is_open = held->state == JRI_OPEN;
    held->is_running = true;
    held->runner = pthread_self();
    pthread_mutex_unlock(&message->lock);
    if (is_open)
        status = held->row->handler(held, held->row->user);

    pthread_mutex_lock(&message->lock);
    bool is_kept = held->is_kept;
    pthread_mutex_unlock(&message->lock);
    if (!is_kept || status)
        jri_call_answer_for(held, status);
    if (!is_kept)
        jrpc_call_free(held);

    pthread_mutex_lock(&message->lock);
    held->is_running = false;
    bool is_last = held->is_freed && !held->is_pinned;
    pthread_mutex_unlock(&message->lock);
    if (is_last)
        destroy(held);
}

bool jrpc_call_is_cancelled(const jrpc_call *call)
{
    return call && call->is_held && atomic_load(&call->is_cancelled);
}

int jrpc_call_on_cancelled(jrpc_call *held, void (*fn)(jrpc_call *held, void *user), void *user)
{
    if (!held || !held->is_held || !fn)
        return -EINVAL;

    bool is_late = false;
    int status = 0;
    pthread_mutex_lock(&held->message->lock);
    if (held->on_cancelled) {
        status = -EALREADY;
    } else {
        held->on_cancelled = fn;
        held->on_cancelled_user = user;
        is_late = held->is_told;
    }
    pthread_mutex_unlock(&held->message->lock);
    if (is_late)
        fn(held, user);
    return status;
}

/* Claims the slot's call for another than its owner. The lock is held. */
static jrpc_call *pin(jri_slot *slot)
{
    jrpc_call *held = slot->held;

    if (!held || held->state != JRI_OPEN)
        return NULL;
    held->state = JRI_CLAIMED;
    held->is_pinned = true;
    held->pinner = pthread_self();
    return held;
}

/* The lock is held, and is so again afterwards. */
static void unpin(jri_message *message, jrpc_call *held)
{
    held->is_pinned = false;
    pthread_cond_broadcast(&message->changed);
    if (held->is_freed && !held->is_running) {
        pthread_mutex_unlock(&message->lock);
        destroy(held);
        pthread_mutex_lock(&message->lock);
    }
}

static void answer_pinned(jrpc_call *held, const jri_error *error)
{
    if (jri_request_is_due(held->request))
        jri_call_close_error(held, error);
    else
        jri_call_drop(held, error->code);
}

void jri_held_fail(jri_message *message, uint32_t index, const jri_error *error)
{
    pthread_mutex_lock(&message->lock);
    jrpc_call *held = pin(&message->slots[index]);
    if (held) {
        pthread_mutex_unlock(&message->lock);
        answer_pinned(held, error);
        pthread_mutex_lock(&message->lock);
        unpin(message, held);
    }
    pthread_mutex_unlock(&message->lock);
}

/* One call, answered for its owner, who is told. The lock is held, and is so again afterwards. */
static void abandon(jri_message *message, jrpc_call *held, const jri_error *error)
{
    atomic_store(&held->is_cancelled, true);
    pthread_mutex_unlock(&message->lock);
    answer_pinned(held, error);

    pthread_mutex_lock(&message->lock);
    held->is_told = true;
    void (*fn)(jrpc_call *, void *) = held->on_cancelled;
    pthread_mutex_unlock(&message->lock);
    if (fn && !held->is_freed)
        fn(held, held->on_cancelled_user);
    pthread_mutex_lock(&message->lock);
    unpin(message, held);
}

/* The same id: null, a number as it was spelled, or the same string. */
static bool is_same_id(const jri_value *a, const jri_value *b)
{
    if (a->json || b->json)
        return a->json && b->json && json_equal(a->json, b->json);
    return a->len == b->len && !memcmp(a->text, b->text, a->len);
}

bool jri_held_cancel(jri_message *message, const jri_value *id)
{
    jri_error error = {.code = JRPC_CANCELLED};
    bool is_found = false;

    jri_message_ref(message);
    pthread_mutex_lock(&message->lock);
    for (uint32_t i = 0; message->slots && i < message->envelope.n_requests; i++) {
        jri_slot *slot = &message->slots[i];
        if (!slot->held || slot->held->state != JRI_OPEN ||
            !jri_request_is_due(slot->held->request) || !is_same_id(&slot->held->request->id, id))
            continue;
        abandon(message, pin(slot), &error);
        is_found = true;
    }
    pthread_mutex_unlock(&message->lock);
    jri_message_unref(message);
    return is_found;
}

void jri_held_orphan(jri_message *message)
{
    pthread_mutex_lock(&message->lock);
    message->is_gone = true;
    pthread_mutex_unlock(&message->lock);
    jri_held_abandon(message, JRPC_CANCELLED, /* only_expired */ false, /* now */ 0);
}

uint64_t jri_held_abandon(jri_message *message, int code, bool only_expired, uint64_t now_ns)
{
    jri_error error = {.code = code};
    uint64_t earliest = UINT64_MAX;

    jri_message_ref(message); /* the last held call may go meanwhile */
    pthread_mutex_lock(&message->lock);
    for (uint32_t i = 0; message->slots && i < message->envelope.n_requests; i++) {
        jri_slot *slot = &message->slots[i];
        if (!slot->held || slot->held->state != JRI_OPEN)
            continue;
        if (only_expired && slot->held->deadline_ns > now_ns) {
            if (slot->held->deadline_ns < earliest)
                earliest = slot->held->deadline_ns;
            continue;
        }
        abandon(message, pin(slot), &error);
    }
    pthread_mutex_unlock(&message->lock);
    jri_message_unref(message);
    return earliest;
}
