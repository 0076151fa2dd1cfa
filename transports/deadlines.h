/* SPDX-License-Identifier: MIT */
/*
 * deadlines.h - when the next of many things is due: a binary heap
 *
 * Entries are embedded in what is due. Room for one more is reserved before, so that adding cannot
 * fail.
 */
#ifndef JRI_DEADLINES_H
#define JRI_DEADLINES_H

#include <stddef.h>
#include <stdint.h>

typedef struct jri_deadline {
    uint64_t at_ns;
    size_t place; /* in the heap, from 1 on; 0: not in it */
} jri_deadline;

typedef struct jri_deadlines {
    jri_deadline **heap; /* from index 1 on */
    size_t n, cap;
} jri_deadlines;

void jri_deadlines_fini(jri_deadlines *deadlines);

/* Room for one more: 0 or -ENOMEM. */
int jri_deadlines_reserve(jri_deadlines *deadlines);

/* Adds it, moves it, or, with UINT64_MAX, takes it out. */
void jri_deadlines_set(jri_deadlines *deadlines, jri_deadline *deadline, uint64_t at_ns);

/* The earliest, or NULL. */
static inline jri_deadline *jri_deadlines_first(const jri_deadlines *deadlines)
{
    return deadlines->n ? deadlines->heap[1] : NULL;
}

#endif
