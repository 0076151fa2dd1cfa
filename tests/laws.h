/* SPDX-License-Identifier: MIT */
/*
 * laws.h - what every answer must look like, whatever was asked
 *
 * Looks at the text of an answer, so that numbers no double can hold are seen as they are.
 */
#ifndef TEST_LAWS_H
#define TEST_LAWS_H

#include <stddef.h>

/* JSON-RPC 2.0, section 5: one answer, or a batch of at least one. Why it is none; NULL: it is. */
const char *answer_fault(const char *answer, size_t len);

/* Every answer's id is null or, byte for byte, that of a request, in the order of the requests.
 * Both are JSON or, if a request is not, all ids are null. Why not; NULL: it is so. */
const char *id_fault(const char *sent, size_t sent_len, const char *answer, size_t len);

#endif
