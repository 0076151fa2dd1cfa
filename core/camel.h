/* SPDX-License-Identifier: MIT */
/*
 * camel.h - camelCase to snake_case
 *
 * The rule, ASCII only: "_" before a capital that starts a lower-case run (not at the beginning),
 * "_" between a lower-case letter or digit and a capital, then all in lower case:
 * HTTPServer -> http_server, getHTTPResponse -> get_http_response, user2Name -> user2_name.
 * An underscore that stands there already counts as any other character: get_Name -> get__name,
 * but get_NAME -> get_name. Only names with a capital in them change.
 */
#ifndef JRI_CAMEL_H
#define JRI_CAMEL_H

#include "arena.h"
#include "envelope.h"

/* name converted; *len in and out. The same pointer if there is nothing to convert; NULL: no
 * memory. */
const char *jri_camel_name(const char *name, size_t *len, jri_arena *arena);

/**
 * jri_camel_request() - convert a request's method, argument names and all names inside
 * @seed:    of the hash of names
 * @reason:  NULL, or where to say which names collide, JRI_REASON_MAX bytes
 *
 * Arguments in which nothing changes keep their value. Otherwise a text is rewritten into the
 * arena, all but the names byte for byte, and a codec's value is copied into jri_arg.built;
 * what the codec made is never changed. A name twice is not our business: only two that differ
 * and become the same collide. request->params stays as sent; request->is_converted tells that
 * it no longer says what the arguments say.
 *
 * Return: 0; -EINVAL two names of one object became the same (-32602); -ENOMEM.
 */
int jri_camel_request(jri_request *request, jri_arena *arena, uint64_t seed, char *reason);

#endif
