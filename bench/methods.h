/* SPDX-License-Identifier: MIT */
/*
 * methods.h - the service that is measured, and messages for it
 *
 *     ping() -> "pong"
 *     subtract(minuend, subtrahend): integers stay integers
 *     echo(...) -> its params, as a jansson value
 *     echo_json(value) -> the value, as a jansson value
 *     echo_raw(value) -> the value, as it was written
 */
#ifndef METHODS_H
#define METHODS_H

#include <stddef.h>

#include <jrpc/jrpc.h>

/* With default options. New; the program ends if there is no memory, as with all here. */
jrpc_service *methods_service_new(void);

/* A service of n methods that answer as ping does, named by methods_name(). */
jrpc_service *methods_service_of(size_t n);
void methods_name(size_t i, char out[32]);

/* The specification's own requests. */
#define METHODS_PING "{\"jsonrpc\": \"2.0\", \"method\": \"ping\", \"id\": 1}"
#define METHODS_POSITIONAL                                                                         \
    "{\"jsonrpc\": \"2.0\", \"method\": \"subtract\", \"params\": [42, 23], \"id\": 1}"
#define METHODS_NAMED                                                                              \
    "{\"jsonrpc\": \"2.0\", \"method\": \"subtract\","                                             \
    " \"params\": {\"subtrahend\": 23, \"minuend\": 42}, \"id\": 3}"

/* New texts, for free(). */

/* n mixed objects of about 100 bytes each; as params, or as the first of them. */
char *methods_message_echo(const char *method, size_t n, size_t *len);

/* One request n times in an array. */
char *methods_message_batch(const char *request, size_t n, size_t *len);

#endif
