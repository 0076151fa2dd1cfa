/* SPDX-License-Identifier: MIT */
/*
 * service.h - what a service is made of
 *
 * Everything but the two counts and the texts is written by set-up only and read without locks.
 */
#ifndef JRI_SERVICE_H
#define JRI_SERVICE_H

#include <stdatomic.h>

#include <jrpc/service.h>

#include "log.h"
#include "options.h"
#include "registry.h"

/* What a service tells of itself, as JSON. */
typedef enum { JRI_TEXT_DOCUMENT, JRI_TEXT_METHODS, JRI_N_TEXTS } jri_text_kind;

struct jrpc_service {
    jri_settings settings;
    jri_registry registry;
    jri_log log;
    jrpc_hooks hooks;
    void *hooks_user;
    jrpc_codec codec;                    /* deserialize NULL: none */
    char *title, *version, *description; /* NULL: none was set */
    _Atomic(char *) texts[JRI_N_TEXTS];  /* NULL until somebody asks; set-up drops them */
    jrpc_problem problem;
    atomic_uint n_refs;  /* the user's, held calls', listeners' */
    atomic_uint n_users; /* listeners: while there are any, set-up is refused */
};

jrpc_service *jri_service_ref(jrpc_service *service);

#endif
