/* SPDX-License-Identifier: MIT */
/*
 * service.c - a service's set-up: methods, codec, hooks, information
 */
#include "service.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "json_write.h"

int jrpc_service_new(const jrpc_options *options, jrpc_service **out)
{
    if (!out)
        return -EINVAL;

    jrpc_service *service = calloc(1, sizeof(*service));
    if (!service)
        return -ENOMEM;
    jri_options_resolve(options, &service->settings);
    jri_registry_init(&service->registry, jri_random_seed());
    service->log.is_basic = service->settings.basic_logging;
    service->log.is_trimming = service->settings.trim_log_values;
    atomic_init(&service->n_refs, 1);
    atomic_init(&service->n_users, 0);
    *out = service;
    return 0;
}

jrpc_service *jri_service_ref(jrpc_service *service)
{
    atomic_fetch_add_explicit(&service->n_refs, 1, memory_order_relaxed);
    return service;
}

static void drop_texts(jrpc_service *service)
{
    for (int kind = 0; kind < JRI_N_TEXTS; kind++)
        free(atomic_exchange(&service->texts[kind], NULL));
}

void jrpc_service_free(jrpc_service *service)
{
    if (!service)
        return;
    if (atomic_fetch_sub_explicit(&service->n_refs, 1, memory_order_acq_rel) > 1)
        return;
    jri_registry_fini(&service->registry);
    drop_texts(service);
    free(service->title);
    free(service->version);
    free(service->description);
    free(service);
}

static int set_problem(jrpc_service *service, int status, const char *text)
{
    service->problem = (jrpc_problem){.code = status};
    snprintf(service->problem.text, sizeof(service->problem.text), "%s", text);
    return status;
}

/* Every set-up call begins here: 0, or why it may not be made now. */
static int begin_setup(jrpc_service *service)
{
    if (!service)
        return -EINVAL;
    service->problem = (jrpc_problem){0};
    if (atomic_load(&service->n_users))
        return set_problem(service, -EBUSY, "a listener uses the service");
    drop_texts(service);
    return 0;
}

int jrpc_service_put_rows(jrpc_service *service, const jrpc_method *rows, size_t n_rows,
                          size_t row_size, bool is_replacing, void *user)
{
    int status = begin_setup(service);
    if (status)
        return status;
    if (!rows || row_size < offsetof(jrpc_method, signature))
        return set_problem(service, -EINVAL, "no method rows");

    return jri_registry_add(&service->registry, rows, n_rows, row_size, is_replacing,
                            (size_t)service->settings.method_max, user, &service->problem);
}

int jrpc_service_add_prefix(jrpc_service *service, const char *prefix, jrpc_handler_fn handler,
                            void *user)
{
    jrpc_method method = {.name = prefix, .handler = handler};
    int status = begin_setup(service);
    if (status)
        return status;

    return jri_registry_add_prefix(&service->registry, &method,
                                   (size_t)service->settings.method_max, user, &service->problem);
}

int jrpc_service_remove(jrpc_service *service, const char *name)
{
    int status = begin_setup(service);
    if (status)
        return status;
    if (!name)
        return set_problem(service, -EINVAL, "no name");

    status = jri_registry_remove(&service->registry, name);
    if (status) {
        set_problem(service, status, "no method or prefix of this name");
        snprintf(service->problem.source, sizeof(service->problem.source), "%s", name);
    }
    return status;
}

int jrpc_service_set_codec(jrpc_service *service, const jrpc_codec *codec)
{
    int status = begin_setup(service);
    if (status)
        return status;
    if (codec && (codec->size < sizeof(*codec) || !codec->deserialize || !codec->serialize))
        return set_problem(service, -EINVAL, "a codec needs its size and both functions");

    service->codec = codec ? *codec : (jrpc_codec){0};
    return 0;
}

int jrpc_service_set_hooks(jrpc_service *service, const jrpc_hooks *hooks, void *user)
{
    int status = begin_setup(service);
    if (status)
        return status;
    if (hooks && hooks->size < sizeof(*hooks))
        return set_problem(service, -EINVAL, "hooks need their size");

    service->hooks = hooks ? *hooks : (jrpc_hooks){0};
    service->hooks_user = user;
    service->log.logged = service->hooks.logged;
    service->log.user = user;
    return 0;
}

static bool is_utf8(const char *text)
{
    return !text || jri_utf8_check(text, strlen(text)) == strlen(text);
}

int jrpc_service_set_info(jrpc_service *service, const char *title, const char *version,
                          const char *description)
{
    int status = begin_setup(service);
    if (status)
        return status;
    if (!is_utf8(title) || !is_utf8(version) || !is_utf8(description))
        return set_problem(service, -EINVAL, "the information is not UTF-8");

    char **fields[] = {&service->title, &service->version, &service->description};
    const char *texts[] = {title, version, description};
    char *copies[3] = {NULL};
    for (int i = 0; i < 3 && !status; i++)
        if (texts[i] && !(copies[i] = strdup(texts[i])))
            status = set_problem(service, -ENOMEM, "out of memory");
    for (int i = 0; i < 3; i++) {
        free(status ? copies[i] : *fields[i]);
        if (!status)
            *fields[i] = copies[i];
    }
    return status;
}

const jrpc_problem *jrpc_service_problem(const jrpc_service *service)
{
    return service && service->problem.code ? &service->problem : NULL;
}
