/* SPDX-License-Identifier: MIT */
/*
 * envelope.h - a message to requests, or the reason it is none; executes nothing
 *
 * JSON-RPC 2.0, sections 4 and 6. The text path reads in one pass: everything is validated once
 * and what is needed later is kept as slices of the text. The value path fills the same structs
 * from a jansson value. Nothing is run here, so a message is wholly read before its first member
 * is.
 */
#ifndef JRI_ENVELOPE_H
#define JRI_ENVELOPE_H

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "arena.h"
#include "json_read.h"
#include "options.h"

/* One argument: as sent, then as bound. Aligned as the arena is, on every machine: usual.h lays
 * them out there one by one. */
typedef struct jri_arg {
    alignas(16) jri_value value; /* type JRPC_ABSENT: a declared parameter that was not given */
    const char *name;            /* unescaped; NULL if positional and undeclared; not NUL-terminated
                                    unless has_c_name */
    uint32_t name_len;
    bool has_c_name;
    bool is_given; /* the peer sent it: not a default */
    uint32_t string_len;
    const char *string; /* a string decoded, NUL-terminated; NULL until asked for */
    json_t *built;      /* text path: the value built on demand, owned */
} jri_arg;

/* One member of a message. Slices point into the message's text or its arena. */
typedef struct jri_request {
    int status;         /* 0 a call; -EBADMSG an Invalid Request; -ENOENT a name over method_max;
                           -E2BIG more than args_max; -ENOMSG a response, to be dropped */
    const char *reason; /* static text: why status is not 0 */
    bool is_notification, is_named, has_params;
    bool has_built;    /* some argument owns a value */
    bool is_converted; /* args have other names in them than params */
    jri_value id;      /* JRPC_ABSENT: a notification. Only to be echoed if status allows it */
    jri_value params;
    const char *method; /* unescaped, not NUL-terminated */
    size_t method_len;
    jri_arg *args;
    uint32_t n_args;
    struct jri_request *next; /* of a batch */
} jri_request;

/* Nothing is known of it yet. Field by field: what compilers make of a large struct of zeroes takes
 * longer than all of reading a short request. */
static inline void jri_request_begin(jri_request *request)
{
    request->status = 0;
    request->reason = NULL;
    request->is_notification = request->is_named = request->has_params = false;
    request->has_built = request->is_converted = false;
    request->id = (jri_value){0};
    request->params = (jri_value){0};
    request->method = NULL;
    request->method_len = 0;
    request->args = NULL;
    request->n_args = 0;
    request->next = NULL;
}

typedef struct jri_envelope {
    bool is_batch;
    uint32_t n_requests;
    jri_request *requests;
} jri_envelope;

/**
 * jri_envelope_read() - text to requests
 * @arena:    where requests, arguments and unescaped names go
 * @out:      valid as long as @text and @arena
 * @problem:  why the message as a whole is none; may be NULL
 *
 * Return: 0; -EBADMSG not JSON (-32700); -E2BIG more than values_max (-32002); -EOVERFLOW more
 * members than batch_max (-32004); -ENOMEM. An empty batch, and a message that is neither array
 * nor object, is one request with status -EBADMSG.
 */
int jri_envelope_read(const char *text, size_t len, const jri_settings *settings, jri_arena *arena,
                      jri_envelope *out, jrpc_problem *problem);

/* The same from a value, borrowed. Depth and number of values are checked before any recursion:
 * -EBADMSG and -E2BIG. */
int jri_envelope_read_value(json_t *root, const jri_settings *settings, jri_arena *arena,
                            jri_envelope *out, jrpc_problem *problem);

/* A jansson value as a jri_value. */
jri_value jri_value_of(json_t *json);

#endif
