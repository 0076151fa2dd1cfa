/* SPDX-License-Identifier: MIT */
/*
 * naive_cjson.h - JSON-RPC 2.0 as one writes it in an afternoon with cJSON, to compare with
 */
#ifndef NAIVE_CJSON_H
#define NAIVE_CJSON_H

#include <stddef.h>

/**
 * naive_cjson() - answer one message
 * @size:  of @out; an answer that does not fit is dropped
 *
 * Methods: those of methods.h. No batches.
 *
 * Return: bytes of the answer; 0: none.
 */
size_t naive_cjson(const char *text, size_t len, char *out, size_t size);

#endif
