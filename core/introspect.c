/* SPDX-License-Identifier: MIT */
/*
 * introspect.c - the methods that a service has of itself: rpc.discover and rpc.methods
 *
 * They are rows like any other, only that no registry holds them: hooks, batches, limits and codecs
 * apply. Their answers are texts that are made when first asked for. Set-up drops them; between two
 * set-up calls, on however many threads, every answer is the same.
 */
#include "introspect.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "call.h"
#include "discover.h"
#include "json_write.h"

/* value is stolen; NULL: out of memory. new text, NUL-terminated. */
static int write_text(json_t *value, char **out)
{
    jrpc_buf buf;
    int status = value ? 0 : -ENOMEM;

    jri_buf_init(&buf, SIZE_MAX); /* reply_max is looked at when it is sent */
    if (!status)
        status = jri_write_json(&buf, value);
    if (!status)
        status = jri_buf_put(&buf, '\0');
    json_decref(value);
    if (status)
        jri_buf_fini(&buf);
    else
        *out = buf.data;
    return status;
}

static int make_text(jrpc_service *service, jri_text_kind kind, char **out)
{
    json_t *value = NULL;

    if (kind == JRI_TEXT_METHODS)
        return write_text(jri_discover_names(&service->registry), out);
    int status = jrpc_service_describe(service, &value);
    return status ? status : write_text(value, out);
}

/* What was made first counts, whichever thread made it. */
static int find_text(jrpc_service *service, jri_text_kind kind, const char **out)
{
    char *text = atomic_load_explicit(&service->texts[kind], memory_order_acquire), *made = NULL;

    if (!text) {
        int status = make_text(service, kind, &made);
        if (status)
            return status;
        if (atomic_compare_exchange_strong(&service->texts[kind], &text, made))
            text = made;
        else
            free(made);
    }
    *out = text;
    return 0;
}

static int reply_text(jrpc_call *call, jri_text_kind kind)
{
    const char *text = NULL;
    int status = find_text(call->message->service, kind, &text);

    return status ? status : jrpc_reply_raw(call, text, strlen(text));
}

static int run_discover(jrpc_call *call, void *user)
{
    (void)user;
    return reply_text(call, JRI_TEXT_DOCUMENT);
}

static int run_methods(jrpc_call *call, void *user)
{
    (void)user;
    return reply_text(call, JRI_TEXT_METHODS);
}

/* Not const only because those of methods are not. */
static jri_signature no_params = {.result_types = JRI_TYPES_ANY};
static char discover_name[] = JRI_DISCOVER, methods_name[] = JRI_METHODS;

static const jri_row rows[] = {
    {.handler = run_discover,
     .signature = &no_params,
     .name = discover_name,
     .name_len = sizeof(discover_name) - 1},
    {.handler = run_methods,
     .signature = &no_params,
     .name = methods_name,
     .name_len = sizeof(methods_name) - 1},
};

int jri_introspect_document(jrpc_service *service, const char **out)
{
    if (!service->settings.introspection ||
        jri_registry_find(&service->registry, discover_name, sizeof(discover_name) - 1))
        return -ENOENT;
    return find_text(service, JRI_TEXT_DOCUMENT, out);
}

const jri_row *jri_introspect_find(const jrpc_service *service, const char *name, size_t len)
{
    if (!service->settings.introspection)
        return NULL;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (rows[i].name_len == len && !memcmp(rows[i].name, name, len))
            return &rows[i];
    return NULL;
}
