/* SPDX-License-Identifier: MIT */
/*
 * response.c - what came out of a dispatch
 */
#include "response.h"

#include <errno.h>
#include <stdlib.h>

static jrpc_response *new_response(void)
{
    jrpc_response *response = calloc(1, sizeof(*response));
    if (!response)
        return NULL;

    response->message = jri_message_new();
    if (!response->message) {
        free(response);
        return NULL;
    }
    jri_buf_init(&response->call.scratch, 0);
    return response;
}

/* A message of its own: held calls of the last one may still be at work with theirs. */
static int own_message(jrpc_response *response)
{
    if (atomic_load_explicit(&response->message->n_refs, memory_order_acquire) == 1)
        return 0;
    jri_message *message = jri_message_new();
    if (!message)
        return -ENOMEM;
    jri_message_unref(response->message);
    response->message = message;
    return 0;
}

int jri_response_begin_slow(jrpc_response **inout, jrpc_service *service, jrpc_buf *lender)
{
    jrpc_response *response = *inout ? *inout : new_response();
    if (!response)
        return -ENOMEM;

    json_decref(response->json);
    response->json = NULL;
    int status = own_message(response);
    if (!status)
        status = jri_message_begin(response->message, service, lender);
    if (status)
        jri_message_give_back(response->message);
    if (status && !*inout)
        jrpc_response_free(response);
    if (!status)
        *inout = response;
    return status;
}

void jrpc_response_free(jrpc_response *response)
{
    if (!response)
        return;
    json_decref(response->json);
    jri_buf_fini(&response->call.scratch);
    jri_message_unref(response->message);
    free(response);
}

bool jrpc_response_is_wanted(const jrpc_response *response)
{
    return response && response->message->n_answers;
}

const char *jrpc_response_text(const jrpc_response *response, size_t *len)
{
    bool is_wanted = jrpc_response_is_wanted(response);

    if (len)
        *len = is_wanted ? response->message->out->len - response->message->base : 0;
    if (!response)
        return NULL;
    return is_wanted ? response->message->out->data + response->message->base : "";
}

json_t *jrpc_response_json(jrpc_response *response)
{
    if (!jrpc_response_is_wanted(response))
        return NULL;
    if (response->message->out_value)
        return response->message->out_value;

    const jrpc_buf *out = response->message->out;
    if (!response->json && jri_json_build(out->data + response->message->base,
                                          out->len - response->message->base, &response->json))
        return NULL;
    return response->json;
}

int jrpc_response_http_status(const jrpc_response *response)
{
    return response ? jri_message_http_status(response->message) : 0;
}

size_t jrpc_response_count(const jrpc_response *response)
{
    return response ? response->message->n_answers : 0;
}

int jrpc_response_code(const jrpc_response *response, size_t i)
{
    return i < jrpc_response_count(response) ? response->message->codes[i] : 0;
}

/* One answer object, borrowed; NULL: none of that number. */
static json_t *answer_at(jrpc_response *response, size_t i)
{
    json_t *json = jrpc_response_json(response);

    if (i >= jrpc_response_count(response))
        return NULL;
    return json_is_array(json) ? json_array_get(json, i) : json;
}

static json_t *error_at(jrpc_response *response, size_t i)
{
    return json_object_get(answer_at(response, i), "error");
}

json_t *jrpc_response_result(jrpc_response *response, size_t i)
{
    return json_object_get(answer_at(response, i), "result");
}

const char *jrpc_response_message(jrpc_response *response, size_t i)
{
    return json_string_value(json_object_get(error_at(response, i), "message"));
}

json_t *jrpc_response_data(jrpc_response *response, size_t i)
{
    return json_object_get(error_at(response, i), "data");
}
