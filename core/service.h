/* SPDX-License-Identifier: MIT */
/*
 * service.h - what a service is made of
 *
 * Everything but the two counts is written by set-up only and read without locks.
 */
#ifndef JRI_SERVICE_H
#define JRI_SERVICE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <jrpc/service.h>

#include "log.h"
#include "options.h"
#include "registry.h"

struct jrpc_service {
    jri_settings settings;
    jri_registry registry;
    jri_log log;
    jrpc_hooks hooks;
    void *hooks_user;
    jrpc_codec codec; /* deserialize NULL: none */
    jrpc_problem problem;
    atomic_uint n_refs;  /* the user's, held calls', listeners' */
    atomic_uint n_users; /* listeners: while there are any, set-up is refused */
};

jrpc_service *jri_service_ref(jrpc_service *service);

#endif
