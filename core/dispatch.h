/* SPDX-License-Identifier: MIT */
/*
 * dispatch.h - the steps of a dispatch, for those who do not wait
 */
#ifndef JRI_DISPATCH_H
#define JRI_DISPATCH_H

#include "response.h"
#include "text.h"

/* The thread is a server's loop, which may not wait. */
extern __attribute__((tls_model("initial-exec"))) _Thread_local bool jri_is_loop_thread;

extern const jrpc_dispatch_options jri_no_dispatch_options;

const jrpc_dispatch_options *jri_dispatch_options_copy(const jrpc_dispatch_options *given,
                                                       jrpc_dispatch_options *copy);

/* Options as this version knows them, whatever the caller was compiled with: in `copy` or
 * constant; NULL: not valid. */
static inline const jrpc_dispatch_options *jri_dispatch_options(const jrpc_dispatch_options *given,
                                                                jrpc_dispatch_options *copy)
{
    return given ? jri_dispatch_options_copy(given, copy) : &jri_no_dispatch_options;
}

/* A response ready to work in: 0 or -ENOMEM, then *inout is as it was. */
static inline int jri_dispatch_begin(jrpc_service *service, const jrpc_dispatch_options *options,
                                     jrpc_buf *lender, jrpc_response **inout)
{
    int status = jri_response_begin(inout, service, lender);
    if (JRI_UNLIKELY(status))
        return status;

    jri_message *message = (*inout)->message;
    message->codec = options->codec               ? options->codec
                     : service->codec.deserialize ? &service->codec
                                                  : NULL;
    message->context = options->context;
    message->has_context = options->has_context || options->context;
    message->timeout_ms = options->timeout_ms;
    message->completed = NULL;
    return 0;
}

/* Only takes it apart, for its ids: neither logged nor answered. 0 or negative errno. */
int jri_dispatch_parse(jri_message *message, const char *text, size_t len, jrpc_problem *problem);

int jri_dispatch_read_slow(jri_message *message, const char *text, size_t len);
int jri_dispatch_read_end(jri_message *message, int status);

/* Reads a message. Whatever it is, there are members to run afterwards: 0 or -ENOMEM. */
static inline int jri_dispatch_read(jri_message *message, const char *text, size_t len)
{
    const jrpc_service *service = message->service;
    const jri_settings *settings = message->settings;

    if (JRI_UNLIKELY(message->codec || len > (uint64_t)settings->message_max ||
                     service->settings.debug || service->log.is_basic))
        return jri_dispatch_read_slow(message, text, len);
    int status = jri_envelope_read(text, len, settings, &message->arena, &message->envelope,
                                   /* problem */ NULL);
    if (JRI_LIKELY(!status && !message->envelope.is_batch && !jri_message_promise(message)))
        return 0;
    return jri_dispatch_read_end(message, status);
}

/* Instead of reading: what came was no message. -EMSGSIZE too large, -EBADMSG no JSON, -EINVAL no
 * request. */
int jri_dispatch_refuse(jri_message *message, int status, const char *reason);

/* Runs all members. If there are slots afterwards, answers may be outstanding. */
void jri_dispatch_run(jrpc_response *response);

void jri_dispatch_log_answer(const jri_message *message);

/* Every member is answered: puts the answer together and logs it. */
static inline void jri_dispatch_finish(jri_message *message)
{
    jri_message_assemble(message);
    if (JRI_UNLIKELY(message->service->log.is_basic) && message->n_answers)
        jri_dispatch_log_answer(message);
}

#endif
