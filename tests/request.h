/* SPDX-License-Identifier: MIT */
/*
 * request.h - one request in the hand, for tests of what comes after the envelope
 *
 * Params are given as text and read by the envelope's reader, as slices or, as if a codec had
 * made them, as values; afterwards arguments are shown as text, the same for both.
 */
#ifndef TEST_REQUEST_H
#define TEST_REQUEST_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/envelope.h"

struct sample {
    jri_arena arena;
    char *text;
    json_t *root; /* if values were asked for */
    jri_request *request;
};

static inline void free_sample(struct sample *sample)
{
    for (uint32_t i = 0; sample->request && i < sample->request->n_args; i++)
        json_decref(sample->request->args[i].built);
    jri_arena_fini(&sample->arena);
    json_decref(sample->root);
    free(sample->text);
}

/* params: their text, NULL for none. 0, or what the reading failed with: nothing to free then. */
static inline int new_sample(const char *method, const char *params, bool as_values,
                             struct sample *sample)
{
    jri_settings settings;
    jri_envelope envelope;
    int len, status = 0;

    *sample = (struct sample){.text = NULL};
    jri_options_resolve(NULL, &settings);
    settings.args_max = 100000;
    len = asprintf(&sample->text, "{\"jsonrpc\":\"2.0\",\"method\":\"%s\"%s%s,\"id\":1}", method,
                   params ? ",\"params\":" : "", params ? params : "");
    if (len < 0)
        return -1;
    jri_arena_init(&sample->arena);
    status =
        jri_envelope_read(sample->text, (size_t)len, &settings, &sample->arena, &envelope, NULL);
    if (!status && as_values)
        status = jri_json_build(sample->text, (size_t)len, &sample->root);
    if (!status && as_values)
        status = jri_envelope_read_value(sample->root, &settings, &sample->arena, &envelope, NULL);
    if (!status)
        status = envelope.requests->status;
    if (status) {
        free_sample(sample);
        return status;
    }
    sample->request = envelope.requests;
    return 0;
}

/* Compact JSON of a value, as jansson has it. New. */
static inline char *show_value(const jri_value *value)
{
    json_t *json = value->json ? json_incref(value->json) : NULL;
    char *text;

    if (!json && jri_json_build(value->text, value->len, &json))
        return strdup("(no jansson value)");
    text = json_dumps(json, JSON_ENCODE_ANY | JSON_COMPACT);
    json_decref(json);
    return text;
}

/* name=value, name~value for a default, name? for nothing; a string that was decoded as 'string'.
 */
static inline void show_args(const jri_request *request, char *to, size_t size)
{
    size_t len = 0;

    to[0] = '\0';
    for (uint32_t i = 0; i < request->n_args && len < size; i++) {
        const jri_arg *arg = &request->args[i];
        char *text = arg->value.type == JRPC_ABSENT ? NULL : show_value(&arg->value);
        len += (size_t)snprintf(to + len, size - len, "%s%.*s%s", i ? " " : "", (int)arg->name_len,
                                arg->name ? arg->name : "",
                                !text           ? "?"
                                : arg->is_given ? "="
                                                : "~");
        if (len < size && arg->string)
            len += (size_t)snprintf(to + len, size - len, "'%s'", arg->string);
        else if (len < size && text)
            len += (size_t)snprintf(to + len, size - len, "%s", text);
        free(text);
    }
}

#endif
