/* SPDX-License-Identifier: MIT */
/*
 * naive_jansson.h - JSON-RPC 2.0 as one writes it in an afternoon with jansson, to compare with
 */
#ifndef NAIVE_JANSSON_H
#define NAIVE_JANSSON_H

#include <stddef.h>

/**
 * naive_jansson() - answer one message
 * @size:  of @out; an answer that does not fit is dropped
 *
 * Methods: those of methods.h.
 *
 * Return: bytes of the answer; 0: none.
 */
size_t naive_jansson(const char *text, size_t len, char *out, size_t size);

#endif
