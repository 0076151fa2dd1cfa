/* SPDX-License-Identifier: MIT */
/*
 * response.h - what a response is made of
 *
 * It owns what a dispatch works with, so that a response that is used again brings all memory
 * along. If a held call still needs the message, the next dispatch takes a new one.
 */
#ifndef JRI_RESPONSE_H
#define JRI_RESPONSE_H

#include <jrpc/response.h>

#include "call.h"
#include "message.h"
#include "text.h"

struct jrpc_response {
    jri_message *message;  /* one reference */
    jrpc_call call;        /* the running call */
    json_t *json;          /* the answer's text as a value, built on demand */
    jrpc_response_fn done; /* of an asynchronous dispatch */
    void *user;
};

int jri_response_begin_slow(jrpc_response **inout, jrpc_service *service, jrpc_buf *lender);

/* Ready for the next message; *inout is made if NULL, and as it was on failure: -ENOMEM. lender as
 * for jri_message_begin(). */
static inline int jri_response_begin(jrpc_response **inout, jrpc_service *service, jrpc_buf *lender)
{
    jrpc_response *response = *inout;

    if (!response || response->json ||
        atomic_load_explicit(&response->message->n_refs, memory_order_acquire) > 1)
        return jri_response_begin_slow(inout, service, lender);
    int status = jri_message_begin(response->message, service, lender);
    if (JRI_UNLIKELY(status))
        jri_message_give_back(response->message);
    return status;
}

#endif
