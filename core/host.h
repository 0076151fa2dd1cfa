/* SPDX-License-Identifier: MIT */
/*
 * host.h - what surrounds a dispatch: nobody, or a server
 *
 * A host lends the buffer that answers are written into, decides whether calls are taken at all,
 * runs blocking methods elsewhere, and cancels. It is asked on the thread that runs the message,
 * while it runs it.
 */
#ifndef JRI_HOST_H
#define JRI_HOST_H

#include <stdint.h>

#include <jrpc/call.h>

#include "buf.h"
#include "json_read.h"

struct jri_row;

typedef struct jri_host {
    int refusal;           /* 0, or why calls are refused now: -EBUSY, -ECANCELED */
    const bool *cancelled; /* by member: cancelled before it could be run */
    uint32_t n_cancelled;  /* members that it tells of; the others are not */

    /* Runs the held call's handler on another thread, by jri_held_run(): 0, or -EBUSY. */
    int (*start_blocking)(struct jri_host *host, jrpc_call *held);

    /* A call that was not held has its answer; only if the message is timed. */
    void (*answered)(struct jri_host *host, const struct jri_row *row, int code, uint64_t ns);

    /* The peer does not want the answer to its request of that id any more. */
    void (*cancel)(struct jri_host *host, const jri_value *id);
} jri_host;

#endif
