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

#endif
