/* SPDX-License-Identifier: MIT */
/*
 * response.h - what came out of a dispatch
 *
 * A response is the answer's text, ready to be sent, and the same as values. Everything borrowed
 * from it lives until it is freed or used for another dispatch. A NULL response gives NULL, 0 or
 * false.
 *
 * Threads: one at a time.
 */
#ifndef JRPC_RESPONSE_H
#define JRPC_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include <jrpc/export.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct jrpc_response jrpc_response;

/** typedef jrpc_response_fn - an answer has come
 * @status:    0; negative errno: no answer came
 * @response:  borrowed until it returns; NULL if @status is negative */
typedef void (*jrpc_response_fn)(int status, jrpc_response *response, void *user);

/** jrpc_response_is_wanted() - there is something to send; false for notifications */
JRPC_API bool jrpc_response_is_wanted(const jrpc_response *response);

/** jrpc_response_text() - what to send: NUL-terminated JSON, or the codec's bytes; "" if nothing is
 * wanted; @len may be NULL */
JRPC_API const char *jrpc_response_text(const jrpc_response *response, size_t *len);

/** jrpc_response_json() - the whole answer as a value, borrowed; NULL if nothing is wanted, out of
 * memory, or if jansson cannot hold it (an id or a number in a result beyond double, U+0000 in a
 * member's name): then result, message and data are NULL, too */
JRPC_API json_t *jrpc_response_json(jrpc_response *response);

/** jrpc_response_http_status() - the status to send over HTTP: 200, 204 if nothing is wanted, or
 * the error's (error.h), 200 for a batch and with http_200_errors */
JRPC_API int jrpc_response_http_status(const jrpc_response *response);

/** jrpc_response_count() - number of answers: 0, 1, or those of a batch */
JRPC_API size_t jrpc_response_count(const jrpc_response *response);

/** jrpc_response_code() - of answer @i: 0 a result, else the error's code; 0 if out of range */
JRPC_API int jrpc_response_code(const jrpc_response *response, size_t i);

/** jrpc_response_result() - borrowed; NULL if it is an error, out of range or out of memory */
JRPC_API json_t *jrpc_response_result(jrpc_response *response, size_t i);

/** jrpc_response_message() - the error's message; NULL if it is a result */
JRPC_API const char *jrpc_response_message(jrpc_response *response, size_t i);

/** jrpc_response_data() - the error's data; NULL if absent, a JSON null if it is null */
JRPC_API json_t *jrpc_response_data(jrpc_response *response, size_t i);

/** jrpc_response_free() - NULL is fine */
JRPC_API void jrpc_response_free(jrpc_response *response);

#ifdef __cplusplus
}
#endif

#endif
