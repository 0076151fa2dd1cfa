/* SPDX-License-Identifier: MIT */
/*
 * message.c - one message under way: its requests, and their answers in order
 */
#define _GNU_SOURCE
#include "message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

uint64_t jri_now_ns(void)
{
    struct timespec now = {0};

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

jri_message *jri_message_new(void)
{
    jri_message *message = calloc(1, sizeof(*message));
    pthread_condattr_t attributes;

    if (!message)
        return NULL;
    jri_arena_init(&message->arena);
    jri_buf_init(&message->own, 0);
    message->out = &message->own;
    pthread_mutex_init(&message->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&message->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    atomic_init(&message->n_refs, 1);
    return message;
}

void jri_message_ref(jri_message *message)
{
    atomic_fetch_add_explicit(&message->n_refs, 1, memory_order_relaxed);
}

/* Gives back what the arena does not hold. */
void jri_message_clear(jri_message *message)
{
    if (message->slots) {
        for (uint32_t i = 0; i < message->envelope.n_requests; i++) {
            jri_buf_fini(&message->slots[i].buf);
            json_decref(message->slots[i].value);
        }
        message->slots = NULL;
    }
    json_decref(message->root);
    json_decref(message->out_value);
    message->root = message->out_value = NULL;
    if (message->released)
        message->released(message);
    message->released = NULL;
    message->peer = NULL;
}

void jri_message_unref(jri_message *message)
{
    if (!message || atomic_fetch_sub_explicit(&message->n_refs, 1, memory_order_acq_rel) > 1)
        return;
    jri_message_clear(message);
    jri_arena_fini(&message->arena);
    jri_buf_fini(&message->own);
    pthread_cond_destroy(&message->changed);
    pthread_mutex_destroy(&message->lock);
    free(message);
}

/* The buffer is wanted by others from now on: what was written into it moves to one of its own. */
static int take_own_out(jri_message *message)
{
    const jrpc_buf *lent = message->out;
    jrpc_buf *own = &message->own;
    size_t len = lent->len - message->base;

    if (lent == own)
        return 0;
    own->max = lent->max - message->base;
    int status = jri_buf_set_tail(own, len + lent->tail);
    if (status)
        return status;
    own->tail = lent->tail;
    memcpy(own->data, lent->data + message->base, len);
    own->len = len;
    jri_buf_truncate(message->out, message->base);
    jri_message_give_back(message);
    message->base = 0;
    return 0;
}

int jri_message_promise_batch(jri_message *message)
{
    const jri_request *request = message->envelope.requests;
    size_t tail = JRI_CLOSING;

    int *codes = jri_arena_alloc(&message->arena, message->envelope.n_requests * sizeof(int));
    if (!codes)
        return -ENOMEM;
    message->codes = codes;
    message->out->max -= 1; /* the closing bracket */
    for (; request; request = request->next)
        if (jri_request_is_due(request))
            tail += jri_answer_room(jri_request_id(request));
    return jri_buf_set_tail(message->out, tail);
}

/* Slots outlive the text that was dispatched, so the ids still to be echoed move to the arena. */
static int keep_ids(jri_message *message, uint32_t index)
{
    jri_request *request = message->envelope.requests;

    for (uint32_t i = 0; request; request = request->next, i++) {
        if (i < index || !request->id.text)
            continue;
        const char *copy = jri_arena_copy(&message->arena, request->id.text, request->id.len);
        if (!copy)
            return -ENOMEM;
        request->id.text = copy;
    }
    return 0;
}

int jri_message_open_slots(jri_message *message, uint32_t index)
{
    uint32_t n_slots = message->envelope.n_requests;
    jri_slot *slots;

    if (message->slots)
        return 0;
    slots = jri_arena_alloc(&message->arena, n_slots * sizeof(*slots));
    if (!slots || keep_ids(message, index) || take_own_out(message))
        return -ENOMEM;
    memset(slots, 0, n_slots * sizeof(*slots));
    for (uint32_t i = 0; i < n_slots; i++) {
        jri_buf_init(&slots[i].buf, message->out->max);
        slots[i].code = JRPC_INTERNAL_ERROR;
    }
    message->first_slot = index;
    message->slots = slots;
    message->n_slot_bytes = 0;
    message->is_gone = false;
    message->n_pending = 1;
    return 0;
}

void jri_message_settle(jri_message *message)
{
    void (*completed)(jri_message *, void *) = NULL;
    void *user = NULL;

    pthread_mutex_lock(&message->lock);
    if (--message->n_pending == 0) {
        completed = message->completed;
        user = message->completed_user;
    }
    pthread_cond_broadcast(&message->changed);
    pthread_mutex_unlock(&message->lock);
    if (completed)
        completed(message, user);
}

bool jri_message_wait(jri_message *message, uint64_t deadline_ns)
{
    struct timespec until = {.tv_sec = (time_t)(deadline_ns / 1000000000u),
                             .tv_nsec = (long)(deadline_ns % 1000000000u)};

    pthread_mutex_lock(&message->lock);
    if (message->n_pending && deadline_ns == UINT64_MAX)
        pthread_cond_wait(&message->changed, &message->lock);
    else if (message->n_pending)
        pthread_cond_timedwait(&message->changed, &message->lock, &until);
    bool is_waiting = message->n_pending;
    pthread_mutex_unlock(&message->lock);
    return is_waiting;
}

/* One slot's answer behind the others. */
static void append_slot(jri_message *message, const jri_request *request, jri_slot *slot)
{
    jrpc_buf *out = message->out;
    size_t start = out->len;
    const jri_value *id = jri_request_id(request);
    char separator = message->n_answers ? ',' : '[';
    int status = slot->buf.len ? 0 : -ENODATA;

    /* The sum of the slots was held within reply_max when they were written. */
    out->max = SIZE_MAX;
    if (!status && message->envelope.is_batch)
        status = jri_buf_put(out, separator);
    if (!status)
        status = jri_buf_append(out, slot->buf.data, slot->buf.len);
    if (!status) {
        out->tail -= jri_answer_room(id);
    } else {
        jri_buf_truncate(out, start);
        if (slot->buf.len)
            slot->code = JRPC_INTERNAL_ERROR;
        if (message->envelope.is_batch)
            out->data[out->len++] = separator; /* part of the room promised */
        jri_answer_plain(out, id, slot->code);
    }
    message->codes[message->n_answers++] = slot->code;
}

static void append_slots(jri_message *message)
{
    const jri_request *request = message->envelope.requests;

    for (uint32_t i = 0; request; request = request->next, i++)
        if (i >= message->first_slot && jri_request_is_due(request))
            append_slot(message, request, &message->slots[i]);
}

/* The last resort, JSON whatever the codec: plain errors for all. */
static void append_plain(jri_message *message)
{
    const jri_request *request = message->envelope.requests;

    jri_buf_truncate(message->out, message->base);
    message->n_answers = 0;
    for (uint32_t i = 0; request; request = request->next, i++) {
        if (!jri_request_is_due(request))
            continue;
        jri_slot *slot = &message->slots[i];
        jri_buf_truncate(&slot->buf, 0);
        if (!slot->code)
            slot->code = JRPC_INTERNAL_ERROR;
        append_slot(message, request, slot);
    }
}

/* The slot's answer as a value, made if there is none; borrowed; NULL: no memory. */
static json_t *slot_value(const jri_request *request, jri_slot *slot)
{
    jri_error error = {.code = slot->code};

    if (!slot->value)
        slot->value = jri_answer_error_value(jri_request_id(request), &error);
    return slot->value;
}

/* All answers as one value, new; NULL: no memory, or nothing is due. */
static json_t *collect_values(jri_message *message)
{
    const jri_request *request = message->envelope.requests;
    json_t *all = message->envelope.is_batch ? json_array() : NULL;

    message->n_answers = 0;
    for (uint32_t i = 0; request; request = request->next, i++) {
        jri_slot *slot = &message->slots[i];
        if (!jri_request_is_due(request))
            continue;
        json_t *value = json_incref(slot_value(request, slot));
        message->codes[message->n_answers++] = slot->code;
        if (!message->envelope.is_batch)
            return value;
        if (json_array_append_new(all, value)) {
            json_decref(all);
            return NULL;
        }
    }
    if (message->n_answers)
        return all;
    json_decref(all);
    return NULL;
}

static int serialize(jri_message *message, const json_t *value, jrpc_buf *to)
{
    size_t start = to->len;
    int status = message->codec->serialize(value, to, message->codec->user);

    if (!status && to->len == start)
        status = -ENODATA; /* silence is no answer */
    if (status)
        jri_buf_truncate(to, start);
    return status;
}

/* The codec cannot serialize the slot's answer, or there is no room for it. */
static void replace_value(jri_slot *slot, int status)
{
    json_decref(slot->value);
    slot->value = NULL; /* becomes a plain error */
    if (status != -EMSGSIZE)
        slot->code = JRPC_INTERNAL_ERROR;
    else if (!slot->is_simple)
        slot->code = JRPC_REPLY_TOO_LARGE;
}

/* Finds the answers that the codec cannot serialize, or that do not fit any more, as if they were
 * written one behind the other with a separator each, and makes them errors. */
static void replace_failing(jri_message *message)
{
    const jri_request *request = message->envelope.requests;
    size_t separator = message->envelope.is_batch;
    bool is_spent = false;
    jrpc_buf scratch;

    jri_buf_init(&scratch, message->out->max - message->base);
    for (uint32_t i = 0; request; request = request->next, i++) {
        jri_slot *slot = &message->slots[i];
        if (!jri_request_is_due(request) || !slot_value(request, slot))
            continue;
        jri_buf_truncate(&scratch, 0);
        int status = is_spent ? -EMSGSIZE : serialize(message, slot->value, &scratch);
        if (!status && scratch.len + separator > scratch.max)
            status = -EMSGSIZE;
        if (!status) {
            scratch.max -= scratch.len + separator;
            continue;
        }
        if (is_spent)
            slot->is_simple = false;
        is_spent |= status == -EMSGSIZE && !slot->is_simple && separator;
        replace_value(slot, status);
    }
    jri_buf_fini(&scratch);
}

static void serialize_slots(jri_message *message)
{
    jrpc_buf *out = message->out;
    size_t tail = out->tail;

    message->out_value = collect_values(message);
    if (!message->n_answers)
        return;
    out->max += message->envelope.is_batch; /* the codec closes by itself */
    int status = message->out_value ? serialize(message, message->out_value, out) : -ENOMEM;
    out->max -= message->envelope.is_batch;
    if (!status)
        return;

    replace_failing(message);
    json_decref(message->out_value);
    message->out_value = collect_values(message);
    out->max = SIZE_MAX; /* errors get out, however many */
    status = message->out_value ? serialize(message, message->out_value, out) : -ENOMEM;
    if (!status)
        return;

    json_decref(message->out_value);
    message->out_value = NULL;
    out->tail = tail;
    append_plain(message);
}

void jri_message_assemble_slots(jri_message *message)
{
    if (message->codec)
        serialize_slots(message);
    else
        append_slots(message);
}

int jri_message_http_status_slow(const jri_message *message)
{
    if (!message->n_answers)
        return 204;
    if (message->envelope.is_batch || message->is_http_200 || !message->codes[0])
        return 200;
    return jri_code_status(message->codes[0]);
}
