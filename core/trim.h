/* SPDX-License-Identifier: MIT */
/*
 * trim.h - JSON text shortened for the log
 */
#ifndef JRI_TRIM_H
#define JRI_TRIM_H

#include "buf.h"

enum {
    JRI_TRIM_MAX = 30,  /* longer strings (characters) and arrays (elements) are shortened */
    JRI_TRIM_KEPT = 10, /* to so many at either end, with "..." between them */
};

/* Appends text, trimmed and without white space; it never gets longer. Names of members are not
 * touched; what stays keeps its spelling. Takes any bytes at all. 0; -EBADMSG not JSON, or nested
 * deeper than JRI_READ_DEPTH; -ENOMEM; -EMSGSIZE. On failure buf is as it was. */
int jri_trim_json(jrpc_buf *buf, const char *text, size_t len);

#endif
