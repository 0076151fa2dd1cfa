/* SPDX-License-Identifier: MIT */
/*
 * workers.h - a bounded pool of threads for blocking methods
 *
 * Not uv_queue_work(): that pool is the whole process's, unbounded, and shared with file I/O and
 * name look-ups. Threads are started when they are first needed.
 */
#ifndef JRI_WORKERS_H
#define JRI_WORKERS_H

#include <stdbool.h>
#include <stddef.h>

#include <uv.h>

#include <jrpc/call.h>

typedef struct jri_work jri_work;

typedef struct jri_workers {
    uv_mutex_t lock;
    uv_cond_t changed; /* there is work, or the end */
    uv_thread_t *threads;
    size_t n_threads, n_idle, max; /* threads */
    jri_work *first, **last;
    size_t n_queued;
    bool is_ending;
} jri_workers;

int jri_workers_init(jri_workers *workers, size_t max); /* 0 or -ENOMEM or what libuv gives */

/* [loop] Runs the held call by jri_held_run() on a thread: 0; -EBUSY no thread could be started;
 * -ENOMEM. */
int jri_workers_add(jri_workers *workers, jrpc_call *held);

size_t jri_workers_queued(jri_workers *workers);

/* [loop] Ends all threads and waits for those that are at work; what is queued is run by nobody but
 * ended. */
void jri_workers_fini(jri_workers *workers);

#endif
