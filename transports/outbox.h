/* SPDX-License-Identifier: MIT */
/*
 * outbox.h - what other threads have for the loop: one queue, one wake-up
 *
 * Items are embedded in what is sent and run on the loop in the order they were put. The queue
 * keeps no memory of its own, so that putting cannot fail for want of it.
 */
#ifndef JRI_OUTBOX_H
#define JRI_OUTBOX_H

#include <stdbool.h>

#include <uv.h>

typedef struct jri_outbox_item {
    struct jri_outbox_item *next;
    void (*run)(struct jri_outbox_item *item); /* on the loop; the item is the function's to free */
} jri_outbox_item;

typedef struct jri_outbox {
    uv_mutex_t lock;
    uv_async_t wake; /* its data is the owner's */
    jri_outbox_item *first, **last;
    bool is_open; /* under the lock: the wake-up may be sent */
} jri_outbox;

int jri_outbox_init(jri_outbox *outbox, uv_loop_t *loop); /* 0 or what libuv gives */

/* [any] 0; -EPIPE: the loop has ended, the item is still the caller's. */
int jri_outbox_put(jri_outbox *outbox, jri_outbox_item *item);

/* [loop] Runs what is there now; true if there was anything. */
bool jri_outbox_drain(jri_outbox *outbox);

/* [loop] Nothing more can be put; what was is run; then the wake-up's handle is closed. */
void jri_outbox_close(jri_outbox *outbox, uv_close_cb closed);

void jri_outbox_fini(jri_outbox *outbox);

#endif
