/* SPDX-License-Identifier: MIT */
/*
 * introspect.h - the methods that a service has of itself: rpc.discover and rpc.methods
 */
#ifndef JRI_INTROSPECT_H
#define JRI_INTROSPECT_H

#include <stddef.h>

#include "registry.h"
#include "service.h"

/* Of a name that is not registered: the service's own method; NULL: none. */
const jri_row *jri_introspect_find(const jrpc_service *service, const char *name, size_t len);

/* The document that rpc.discover answers, NUL-terminated, until set-up changes the service.
 * -ENOENT: it answers none, or one of the program's own; -ENOMEM. */
int jri_introspect_document(jrpc_service *service, const char **out);

#endif
