/* SPDX-License-Identifier: MIT */
/*
 * escape.h - foreign text made safe to be shown on one line
 *
 * What a peer, a file or the environment sent must not end a line, move a terminal's cursor or
 * turn the reading direction, or it could forge what a person sees. Line ends and tabs become \n,
 * \r and \t; other control bytes and bytes that are not UTF-8 \xNN; control characters beyond
 * ASCII, line separators and direction marks \uNNNN. A backslash stays as it is: JSON text, the
 * usual subject, remains readable, and nobody reads the result back.
 */
#ifndef JRI_ESCAPE_H
#define JRI_ESCAPE_H

#include <stddef.h>

/* As snprintf(): returns the bytes that all of it takes without the NUL, writes whole characters
 * as long as they fit, and a NUL if size is not 0. text may be NULL if len is 0. */
size_t jri_escape(char *to, size_t size, const char *text, size_t len);

#endif
