/* SPDX-License-Identifier: MIT */
/*
 * bind.h - params to argument positions
 *
 * Both call styles end in the same positions: declared parameters at 0 to n_params - 1, given,
 * defaulted or absent; then the values of *rest, or **fields with their names.
 */
#ifndef JRI_BIND_H
#define JRI_BIND_H

#include "arena.h"
#include "envelope.h"
#include "signature.h"

/**
 * jri_bind() - check a request's arguments against a signature and put them in order
 * @signature:  NULL: anything; the arguments stay as sent, but a name twice is refused
 * @request:    its args and n_args are replaced by the bound ones
 * @arena:      for the new array, decoded strings and the set of names
 * @seed:       of the hash of names, so that a peer cannot choose colliding ones
 * @reason:     NULL, or where to say what does not fit, JRI_REASON_MAX bytes
 *
 * Arguments that were sent come marked as given; what is added here is not. Every `built` is
 * still found in request->args, also after a failure.
 *
 * Strings of parameters declared otherwise than `any` are decoded here, so that
 * jrpc_arg_string() cannot fail for them later. Linear in the number of arguments.
 *
 * Return: 0; -EINVAL (-32602); -ENOMEM.
 */
int jri_bind(const jri_signature *signature, jri_request *request, jri_arena *arena, uint64_t seed,
             char *reason);

/* Decodes a string argument into the arena, NUL-terminated: 0 or -ENOMEM. A codec's string stays
 * where it is. */
int jri_arg_decode(jri_arg *arg, jri_arena *arena);

#endif
