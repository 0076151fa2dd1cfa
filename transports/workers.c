/* SPDX-License-Identifier: MIT */
/*
 * workers.c - a bounded pool of threads for blocking methods
 */
#include "workers.h"

#include <errno.h>
#include <stdlib.h>

#include "../core/call.h"

struct jri_work {
    jri_work *next;
    jrpc_call *held;
};

int jri_workers_init(jri_workers *workers, size_t max)
{
    *workers = (jri_workers){.max = max};
    workers->last = &workers->first;
    workers->threads = calloc(max, sizeof(*workers->threads));
    if (!workers->threads)
        return -ENOMEM;
    int status = uv_mutex_init(&workers->lock);
    if (!status) {
        status = uv_cond_init(&workers->changed);
        if (status)
            uv_mutex_destroy(&workers->lock);
    }
    if (status)
        free(workers->threads);
    return status;
}

/* The next work, NULL at the end. */
static jri_work *take(jri_workers *workers)
{
    uv_mutex_lock(&workers->lock);
    workers->n_idle++;
    while (!workers->first && !workers->is_ending)
        uv_cond_wait(&workers->changed, &workers->lock);
    workers->n_idle--;

    jri_work *work = workers->is_ending ? NULL : workers->first;
    if (work) {
        workers->first = work->next;
        workers->n_queued--;
        if (!workers->first)
            workers->last = &workers->first;
    }
    uv_mutex_unlock(&workers->lock);
    return work;
}

static void run(void *user)
{
    jri_work *work;

    while ((work = take(user))) {
        jri_held_run(work->held);
        free(work);
    }
}

/* The lock is held. One thread more if all are busy: 0, or what creating it gives. */
static int start_thread(jri_workers *workers)
{
    if (workers->n_idle > workers->n_queued || workers->n_threads == workers->max)
        return 0;
    int status = uv_thread_create(&workers->threads[workers->n_threads], run, workers);
    if (!status)
        workers->n_threads++;
    return status;
}

int jri_workers_add(jri_workers *workers, jrpc_call *held)
{
    jri_work *work = malloc(sizeof(*work));
    if (!work)
        return -ENOMEM;

    *work = (jri_work){.held = held};
    uv_mutex_lock(&workers->lock);
    int status = start_thread(workers);
    if (workers->n_threads) {
        status = 0; /* those that there are will do it */
        *workers->last = work;
        workers->last = &work->next;
        workers->n_queued++;
        uv_cond_signal(&workers->changed);
    }
    uv_mutex_unlock(&workers->lock);
    if (status)
        free(work);
    return status ? -EBUSY : 0;
}

size_t jri_workers_queued(jri_workers *workers)
{
    uv_mutex_lock(&workers->lock);
    size_t n = workers->n_queued;
    uv_mutex_unlock(&workers->lock);
    return n;
}

void jri_workers_fini(jri_workers *workers)
{
    uv_mutex_lock(&workers->lock);
    workers->is_ending = true;
    uv_cond_broadcast(&workers->changed);
    uv_mutex_unlock(&workers->lock);
    for (size_t i = 0; i < workers->n_threads; i++)
        uv_thread_join(&workers->threads[i]);

    while (workers->first) {
        jri_work *work = workers->first;
        workers->first = work->next;
        jrpc_call_free(work->held);
        free(work);
    }
    free(workers->threads);
    uv_cond_destroy(&workers->changed);
    uv_mutex_destroy(&workers->lock);
}
