/* SPDX-License-Identifier: MIT */
/*
 * outbox.c - what other threads have for the loop: one queue, one wake-up
 */
#include "outbox.h"

#include <errno.h>
#include <stddef.h>

static void woken(uv_async_t *wake)
{
    jri_outbox *outbox = (jri_outbox *)((char *)wake - offsetof(jri_outbox, wake));

    jri_outbox_drain(outbox);
}

int jri_outbox_init(jri_outbox *outbox, uv_loop_t *loop)
{
    int status = uv_mutex_init(&outbox->lock);
    if (status)
        return status;

    status = uv_async_init(loop, &outbox->wake, woken);
    if (status) {
        uv_mutex_destroy(&outbox->lock);
        return status;
    }
    outbox->first = NULL;
    outbox->last = &outbox->first;
    outbox->is_open = true;
    return 0;
}

int jri_outbox_put(jri_outbox *outbox, jri_outbox_item *item)
{
    uv_mutex_lock(&outbox->lock);
    bool is_open = outbox->is_open;
    if (is_open) {
        bool was_empty = !outbox->first;
        item->next = NULL;
        *outbox->last = item;
        outbox->last = &item->next;
        /* Under the lock, so that the handle cannot be closed meanwhile. */
        if (was_empty)
            uv_async_send(&outbox->wake);
    }
    uv_mutex_unlock(&outbox->lock);
    return is_open ? 0 : -EPIPE;
}

bool jri_outbox_drain(jri_outbox *outbox)
{
    uv_mutex_lock(&outbox->lock);
    jri_outbox_item *item = outbox->first;
    outbox->first = NULL;
    outbox->last = &outbox->first;
    uv_mutex_unlock(&outbox->lock);

    bool was_any = item;
    while (item) {
        jri_outbox_item *next = item->next; /* the item may be gone afterwards */
        item->run(item);
        item = next;
    }
    return was_any;
}

void jri_outbox_close(jri_outbox *outbox, uv_close_cb closed)
{
    uv_mutex_lock(&outbox->lock);
    outbox->is_open = false;
    uv_mutex_unlock(&outbox->lock);
    while (jri_outbox_drain(outbox))
        continue;
    uv_close((uv_handle_t *)&outbox->wake, closed);
}

void jri_outbox_fini(jri_outbox *outbox)
{
    uv_mutex_destroy(&outbox->lock);
}
