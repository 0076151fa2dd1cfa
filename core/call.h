/* SPDX-License-Identifier: MIT */
/*
 * call.h - one member being served: answered exactly once, now, later, or for it
 *
 * There are two kinds. The *running* call is one struct used for one member after the other by
 * the thread that runs a message; only that thread touches it, and nothing is locked. A *held*
 * call is made by jrpc_call_defer() and may be answered by its owner, a time-out or a
 * cancellation, whoever claims it first under the message's lock.
 *
 * An answer is: claim, write, settle. Whoever has claimed a call must settle it.
 */
#ifndef JRI_CALL_H
#define JRI_CALL_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

#include <jrpc/call.h>
#include <jrpc/service.h>

#include "message.h"

typedef enum {
    JRI_OPEN,     /* unanswered */
    JRI_CLAIMED,  /* somebody is writing the answer */
    JRI_ANSWERED, /* settled */
    JRI_DEFERRED  /* a running call whose held one lives on */
} jri_state;

struct jrpc_call {
    jri_message *message; /* a held call has a reference */
    jri_request *request; /* in the message's arena */
    const jri_row *row;   /* NULL until it is looked up */
    jri_arena *arena;     /* the message's, or own_arena */
    uint32_t index;       /* of the request, and of its slot */
    jri_state state;      /* held: under the lock */
    bool is_held;
    bool may_defer;
    int code;             /* of the answer: 0 a result */
    size_t start;         /* where in the target buffer the answer begins */
    size_t len;           /* of the answer as text */
    uint64_t begun_ns;    /* 0 unless somebody wants to know */
    const char *c_method; /* NUL-terminated; NULL until asked for */
    json_t *params;       /* jrpc_call_params(), owned */
    jrpc_buf scratch;     /* value path: results are written here and built from it */

    /* held calls only */
    jri_arena own_arena;
    uint64_t deadline_ns;     /* UINT64_MAX: none */
    atomic_bool is_cancelled; /* cancelled, timed out: set under the lock */
    bool is_pinned;           /* another than its owner answers it; under the lock */
    pthread_t pinner;         /* on this thread */
    bool is_told;             /* on_cancelled has been, or is being called; under the lock */
    bool is_running;          /* its blocking handler has not returned; under the lock */
    pthread_t runner;         /* on this thread */
    bool is_kept;             /* the blocking handler deferred it; under the lock */
    bool is_freed;            /* by its owner, while pinned or running; under the lock */
    void (*on_cancelled)(jrpc_call *held, void *user); /* under the lock */
    void *on_cancelled_user;
};

/* The running call, for the next member. */
static inline void jri_call_begin(jrpc_call *call, jri_message *message, jri_request *request,
                                  uint32_t index)
{
    call->message = message;
    call->request = request;
    call->row = NULL;
    call->arena = &message->arena;
    call->index = index;
    call->state = JRI_OPEN;
    call->is_held = false;
    call->may_defer = false;
    call->c_method = NULL;
    call->params = NULL;
    call->begun_ns = message->is_timed ? jri_now_ns() : 0;
}

/* The handler, or whoever ran instead, returned `status`: sees to it that the member is answered,
 * or will be, and frees what the call owned. */
void jri_call_end_slow(jrpc_call *call, int status);

static inline void jri_call_end(jrpc_call *call, int status)
{
    if (call->state != JRI_ANSWERED || call->request->has_built || call->params)
        jri_call_end_slow(call, status);
}

int jri_call_claim_held(jrpc_call *call);
jrpc_buf *jri_call_open_slow(jrpc_call *call, int *status);
int jri_call_close_slow(jrpc_call *call, int status);
void jri_call_report(jrpc_call *call);

/**
 * jri_call_claim() - begin an answer
 *
 * Return: 0; 1 claimed, but nobody wants to read it (a notification); -EALREADY; of a held call
 * also -ECANCELED and -EPIPE.
 */
static inline int jri_call_claim(jrpc_call *call)
{
    if (call->is_held)
        return jri_call_claim_held(call);
    if (call->state != JRI_OPEN)
        return -EALREADY;
    call->state = JRI_CLAIMED;
    return !jri_request_is_due(call->request);
}

/* The answer is all that goes to out: what nearly every call is. */
static inline bool jri_call_is_alone(const jrpc_call *call)
{
    return !call->message->slots && !call->message->envelope.is_batch;
}

/* Where the claimed call's result text goes, the answer opened. NULL: out of memory or too large,
 * the reason in *status. */
static inline jrpc_buf *jri_call_open(jrpc_call *call, int *status)
{
    jrpc_buf *out = call->message->out;

    call->start = out->len;
    if (!jri_call_is_alone(call) || jri_answer_open(out))
        return jri_call_open_slow(call, status);
    return out;
}

/* Ends the result: `status` is what writing it gave. Settles; on failure with an error instead.
 * Returns status, or what ending the answer gave. */
static inline int jri_call_close(jrpc_call *call, int status)
{
    jri_message *message = call->message;

    if (status || !jri_call_is_alone(call) || jri_answer_close(message->out, &call->request->id))
        return jri_call_close_slow(call, status);
    message->codes[0] = 0;
    message->n_answers = 1;
    call->code = 0;
    call->len = message->out->len - call->start;
    call->state = JRI_ANSWERED;
    if (call->begun_ns)
        jri_call_report(call);
    return 0;
}

/*
 * The short way, for an answer that goes to out and whose result or error takes n bytes at most:
 * all is written with one look at the buffer. Nothing is claimed before the end, so that whoever
 * cannot write it after all takes the other way. NULL: only the other way is left.
 */
static inline char *jri_call_open_short(jrpc_call *call, const jri_value *id, size_t n)
{
    enum { SEPARATOR = 1, BRACE = 1 };
    jri_message *message = call->message;
    jrpc_buf *out = message->out;
    char *to;

    if (call->is_held || call->state != JRI_OPEN || message->slots || !id->text ||
        jri_buf_reserve(out, SEPARATOR + n + JRI_ANSWER_ID_LEN + id->len + BRACE))
        return NULL;
    to = out->data + out->len;
    if (message->envelope.is_batch)
        *to++ = message->n_answers ? ',' : '[';
    call->start = (size_t)(to - out->data);
    return to;
}

/* to: behind the result or error, of which `code` is told. */
static inline int jri_call_close_short(jrpc_call *call, const jri_value *id, char *to, int code)
{
    jri_message *message = call->message;

    to += jri_answer_put_close(to, id);
    message->out->len = (size_t)(to - message->out->data);
    message->out->tail -= jri_answer_room(id);
    message->codes[message->n_answers++] = code;
    call->code = code;
    call->len = message->out->len - call->start;
    call->state = JRI_ANSWERED;
    if (call->begun_ns)
        jri_call_report(call);
    return 0;
}

/* A result that is a value already; stolen. */
int jri_call_close_value(jrpc_call *call, json_t *result);

/* Ends the claimed call, for which nothing could be written because of `status`, with the error
 * that fits. Returns status. */
int jri_call_close_failed(jrpc_call *call, int status);

/* Ends the claimed call with an error. Returns 0, or why it became a plainer one. */
int jri_call_close_error(jrpc_call *call, const jri_error *error);

/* Ends a claimed notification. */
void jri_call_drop(jrpc_call *call, int code);

/* Claims the call and ends it with an error, which is not sent if it is a notification: 0, or what
 * claiming gives. */
int jri_call_fail(jrpc_call *call, const jri_error *error);

/* What a call owns besides itself: values built for its arguments. */
void jri_call_release(jrpc_call *call);

/* Runs the handler of a call that was held for it; ends the call as the handler's end does. Any
 * thread, once. */
void jri_held_run(jrpc_call *held);

/* Answers for the call if nobody has: null if status is 0, else an internal error. */
void jri_call_answer_for(jrpc_call *call, int status);

/* Holds the running call; as jrpc_call_defer(). */
int jri_held_new(jrpc_call *call, jrpc_call **out);

/* The held calls of requests with that id are answered with -32800; true if there were any. */
bool jri_held_cancel(jri_message *message, const jri_value *id);

/* Nobody is left to answer: every held call is cancelled, later replies give -EPIPE. */
void jri_held_orphan(jri_message *message);

/* The held call of a member whose handler failed after deferring it. */
void jri_held_fail(jri_message *message, uint32_t index, const jri_error *error);

/* Every held call of the message that is open and, with only_expired, past its deadline: answered
 * with `code`. Returns the earliest deadline left, UINT64_MAX if none. */
uint64_t jri_held_abandon(jri_message *message, int code, bool only_expired, uint64_t now_ns);

#endif
