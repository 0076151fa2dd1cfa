/* SPDX-License-Identifier: MIT */
/*
 * discover.h - what is told of a service
 */
#ifndef JRI_DISCOVER_H
#define JRI_DISCOVER_H

#include <jansson.h>

#include "registry.h"

/* The names of the methods that are described, sorted by their bytes: new; NULL: no memory. */
json_t *jri_discover_names(const jri_registry *registry);

#endif
