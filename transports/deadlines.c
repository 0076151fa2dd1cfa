/* SPDX-License-Identifier: MIT */
/*
 * deadlines.c - when the next of many things is due: a binary heap
 */
#include "deadlines.h"

#include <errno.h>
#include <stdlib.h>

enum { CAP_MIN = 16 };

void jri_deadlines_fini(jri_deadlines *deadlines)
{
    free(deadlines->heap);
    *deadlines = (jri_deadlines){0};
}

int jri_deadlines_reserve(jri_deadlines *deadlines)
{
    if (deadlines->n + 1 < deadlines->cap)
        return 0;

    size_t cap = deadlines->cap ? 2 * deadlines->cap : CAP_MIN;
    jri_deadline **heap = realloc(deadlines->heap, cap * sizeof(jri_deadline *));
    if (!heap)
        return -ENOMEM;
    deadlines->heap = heap;
    deadlines->cap = cap;
    return 0;
}

static void put(jri_deadlines *deadlines, size_t place, jri_deadline *deadline)
{
    deadlines->heap[place] = deadline;
    deadline->place = place;
}

/* Up or down from that place, to where it belongs. */
static void sift(jri_deadlines *deadlines, size_t place, jri_deadline *deadline)
{
    jri_deadline **heap = deadlines->heap;
    size_t n = deadlines->n, child;

    for (; place > 1 && heap[place / 2]->at_ns > deadline->at_ns; place /= 2)
        put(deadlines, place, heap[place / 2]);
    for (; (child = 2 * place) <= n; place = child) {
        if (child < n && heap[child + 1]->at_ns < heap[child]->at_ns)
            child++;
        if (heap[child]->at_ns >= deadline->at_ns)
            break;
        put(deadlines, place, heap[child]);
    }
    put(deadlines, place, deadline);
}

void jri_deadlines_set(jri_deadlines *deadlines, jri_deadline *deadline, uint64_t at_ns)
{
    size_t place = deadline->place;

    deadline->at_ns = at_ns;
    if (at_ns != UINT64_MAX) {
        sift(deadlines, place ? place : ++deadlines->n, deadline);
    } else if (place) {
        jri_deadline *last = deadlines->heap[deadlines->n--];
        deadline->place = 0;
        if (last != deadline)
            sift(deadlines, place, last);
    }
}
