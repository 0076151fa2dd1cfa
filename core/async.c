/* SPDX-License-Identifier: MIT */
/*
 * async.c - dispatching without waiting
 *
 * The response belongs to the dispatch until `done` has returned; whoever gives the last answer
 * calls it. A handle is a reference to the message, for cancelling.
 */
#include "dispatch.h"

#include <errno.h>
#include <stdlib.h>

struct jrpc_pending {
    jri_message *message; /* one reference */
};

static void complete(jri_message *message, void *user)
{
    jrpc_response *response = user;

    jri_dispatch_finish(message);
    response->done(0, response, response->user);
    jrpc_response_free(response);
}

static int new_pending(jri_message *message, jrpc_pending **out)
{
    jrpc_pending *pending = malloc(sizeof(*pending));
    if (!pending)
        return -ENOMEM;
    jri_message_ref(message);
    pending->message = message;
    *out = pending;
    return 0;
}

int jrpc_dispatch_async(jrpc_service *service, const char *text, size_t len,
                        const jrpc_dispatch_options *options, jrpc_pending **out)
{
    jrpc_dispatch_options copy;
    const jrpc_dispatch_options *known = jri_dispatch_options(options, &copy);
    if (!service || (!text && len) || !known || !known->done)
        return -EINVAL;
    if (known->timeout_ms > 0)
        return -EOPNOTSUPP;

    jrpc_response *response = NULL;
    jrpc_pending *pending = NULL;
    int status = jri_dispatch_begin(service, known, /* lender */ NULL, &response);
    if (!status)
        status = jri_dispatch_read(response->message, text, len);
    if (!status && out)
        status = new_pending(response->message, &pending);
    if (status) {
        jrpc_response_free(response);
        return status;
    }
    response->done = known->done;
    response->user = known->user;
    if (out)
        *out = pending;

    jri_message *message = response->message;
    message->completed = complete;
    message->completed_user = response;
    jri_dispatch_run(response);
    if (message->slots)
        jri_message_settle(message); /* no more members to run */
    else
        complete(message, response);
    return 0;
}

void jrpc_pending_cancel(jrpc_pending *pending)
{
    if (pending)
        jri_held_abandon(pending->message, JRPC_CANCELLED, /* only_expired */ false, /* now */ 0);
}

void jrpc_pending_free(jrpc_pending *pending)
{
    if (!pending)
        return;
    jri_message_unref(pending->message);
    free(pending);
}
