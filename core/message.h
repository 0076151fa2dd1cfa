/* SPDX-License-Identifier: MIT */
/*
 * message.h - one message under way: its requests, and their answers in order
 *
 * Without deferred calls all answers are written straight into `out`, one behind the other, and
 * nothing here is locked or allocated. The first deferral (and any codec) opens slots: from then
 * on each member's answer goes to its own, and the last answer given puts them together. So a
 * message has two users at most at any time that touch the same thing: see `lock`.
 *
 * Counted: the response holds one reference and each held call one. The arena, and with it every
 * request and argument, lives until the last is gone.
 *
 * out may be lent by a host, with other answers before `base`. As soon as an answer has to wait,
 * the message takes a buffer of its own, so that others may go on writing.
 *
 * Every member that is due an answer has room promised for a plain error in out's tail, before the
 * first is run: running out of memory costs a member its result, never its answer.
 */
#ifndef JRI_MESSAGE_H
#define JRI_MESSAGE_H

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "answer.h"
#include "arena.h"
#include "buf.h"
#include "envelope.h"
#include "host.h"
#include "service.h"

/* Where one member's answer goes when it cannot go straight to out. */
typedef struct jri_slot {
    jrpc_buf buf;              /* text path: the answer; empty: a plain error with `code` */
    json_t *value;             /* value path: the answer; NULL likewise */
    int code;                  /* 0: a result */
    bool is_simple;            /* an error that loses nothing if it becomes a plain one */
    jrpc_call *held;           /* while its owner has not freed it; under the lock */
    const struct jri_row *row; /* of a call that was held; else NULL */
    uint64_t begun_ns;         /* likewise, if it is timed */
} jri_slot;

typedef struct jri_message {
    jrpc_service *service;        /* borrowed; a held call has a reference of its own */
    const jri_settings *settings; /* what limits it: the service's, or its host's; borrowed while
                                     members are run */
    const jrpc_codec *codec;      /* NULL: the text path */
    jri_host *host;               /* borrowed, while members are run; NULL: none */
    jrpc_peer *peer;              /* NULL without a server */
    void (*released)(struct jri_message *message); /* the last reference, or the next message: the
                                                      peer is not needed any more; may be NULL */
    void *context;
    bool has_context;
    int timeout_ms; /* of the dispatch; 0: each method's own */

    jri_row_memo memo;
    jri_arena arena;
    jri_envelope envelope;
    jri_request failure; /* stands in for a message that could not be read */
    json_t *root;        /* value path: the message, owned; arguments borrow from it */

    jrpc_buf *out; /* the answer, from base on: in own, or lent by a host */
    size_t base;
    jrpc_buf own;
    size_t lender_max; /* the limit of the buffer that is lent */
    size_t reply_max;  /* of the settings, which may be gone later */
    json_t *out_value; /* value path: the same as a value, owned */
    int *codes;        /* of each answer in out: 0 a result; in the arena, or &code */
    int code;
    uint32_t n_answers;
    bool is_http_200; /* http_200_errors of the service, which may be gone later */
    bool is_timed;    /* somebody wants to know how long calls take */
    bool is_spent;    /* reply_max is used up: what is left of the batch is not run */

    jri_slot *slots;     /* one for each request, in the arena; NULL: not needed so far */
    uint32_t first_slot; /* requests before it are answered in out */
    size_t n_slot_bytes; /* under the lock */

    pthread_mutex_t lock;   /* guards the states of held calls and what is marked so */
    pthread_cond_t changed; /* a held call was answered, or a cancellation function returned */
    bool is_gone;           /* nobody is left to answer; under the lock */
    uint32_t n_pending;     /* unanswered held calls, and 1 while members are still being run */
    void (*completed)(struct jri_message *message, void *user); /* NULL: somebody waits */
    void *completed_user;
    atomic_uint n_refs;
} jri_message;

/* Outside of time but for two things: how long a call took, and waiting without a server. */
uint64_t jri_now_ns(void);

enum {
    JRI_CLOSING = 8,           /* besides the answers: the closing bracket and a NUL behind all */
    JRI_OUT_KEPT = 256 * 1024, /* memory for answers that is kept from one message to the next */
};

jri_message *jri_message_new(void); /* one reference; NULL: no memory */
void jri_message_ref(jri_message *message);
void jri_message_unref(jri_message *message); /* NULL is fine */

/* Other limits than the service's, before anything is read. */
static inline void jri_message_limit(jri_message *message, const jri_settings *settings)
{
    message->settings = settings;
    message->reply_max = (size_t)settings->reply_max;
    message->out->max = message->base + message->reply_max;
}

void jri_message_clear(jri_message *message);

/* What is each message's own, to its beginning, with the limits that were set before. */
static inline int jri_message_rewind(jri_message *message, jrpc_buf *lender)
{
    jri_arena_reset(&message->arena);
    if (lender) {
        message->out = lender;
        message->lender_max = lender->max;
    }
    message->base = message->out->len;
    message->out->max = message->base + message->reply_max;
    message->codes = &message->code;
    message->n_answers = 0;
    message->is_spent = false;
    return jri_buf_set_tail(message->out, JRI_CLOSING + jri_answer_room(&jri_no_id));
}

/* Ready for the next message; only the caller may hold a reference. 0 or -ENOMEM: out has no room
 * for even one plain error.
 * lender: the buffer to append the answer to, given back by jri_message_give_back(); NULL: none */
static inline int jri_message_begin(jri_message *message, jrpc_service *service, jrpc_buf *lender)
{
    if (message->slots || message->root || message->out_value || message->peer)
        jri_message_clear(message);
    jri_buf_clear(&message->own, JRI_OUT_KEPT);
    message->settings = &service->settings;
    message->reply_max = (size_t)service->settings.reply_max;
    message->host = NULL;
    message->service = service;
    message->is_http_200 = service->settings.http_200_errors;
    message->is_timed = service->hooks.call_answered != NULL;
    return jri_message_rewind(message, lender);
}

/* The lender has its buffer again, with what was appended. Nothing if it was not needed so long. */
static inline void jri_message_give_back(jri_message *message)
{
    if (message->out == &message->own)
        return;
    message->out->max = message->lender_max;
    message->out->tail = 0;
    message->out = &message->own;
}

/* Ready for one more message, with what was set up for the one before, by the same host for the
 * same service, and with nothing of it left: its answers went to the lender, without slots. */
static inline int jri_message_begin_again(jri_message *message, jrpc_buf *lender)
{
    int status = jri_message_rewind(message, lender);

    if (status)
        jri_message_give_back(message);
    return status;
}

/* It was understood well enough to know whom to answer. */
static inline bool jri_request_is_known(const jri_request *request)
{
    return !request->status || request->status == -ENOENT || request->status == -E2BIG;
}

/* The member is owed an answer. */
static inline bool jri_request_is_due(const jri_request *request)
{
    if (jri_request_is_known(request))
        return !request->is_notification;
    return request->status != -ENOMSG;
}

/* The id to answer with. */
static inline const jri_value *jri_request_id(const jri_request *request)
{
    return jri_request_is_known(request) ? &request->id : &jri_no_id;
}

int jri_message_promise_batch(jri_message *message);

/* After reading: promises room for a plain error to every member. 0 or -ENOMEM. */
static inline int jri_message_promise(jri_message *message)
{
    if (message->envelope.is_batch)
        return jri_message_promise_batch(message);
    return jri_buf_set_tail(
        message->out, JRI_CLOSING + jri_answer_room(jri_request_id(message->envelope.requests)));
}

/* Opens slots for the members from `index` on: 0 or -ENOMEM. The thread that runs members only. */
int jri_message_open_slots(jri_message *message, uint32_t index);

/* One answer less is awaited; the last one completes the message. The lock is not held. */
void jri_message_settle(jri_message *message);

/* Waits for something to change, or until then; false: everything is answered. */
bool jri_message_wait(jri_message *message, uint64_t deadline_ns);

void jri_message_assemble_slots(jri_message *message);

/* All members are settled: puts out together, with the codec if there is one. */
static inline void jri_message_assemble(jri_message *message)
{
    jrpc_buf *out = message->out;

    if (message->slots)
        jri_message_assemble_slots(message);
    out->tail = 0; /* what was promised for the closing is used now */
    if (message->envelope.is_batch && message->n_answers && !message->out_value)
        out->data[out->len++] = ']';
    out->data[out->len] = '\0';
}

/* As jrpc_response_http_status(). */
int jri_message_http_status_slow(const jri_message *message);

static inline int jri_message_http_status(const jri_message *message)
{
    bool is_plain = message->n_answers == 1 && !message->codes[0];

    return is_plain ? 200 : jri_message_http_status_slow(message);
}

#endif
