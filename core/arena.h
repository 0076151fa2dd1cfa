/* SPDX-License-Identifier: MIT */
/*
 * arena.h - memory that lives as long as one message or one call, and goes in one stroke
 *
 * Allocation is a pointer bump. Nothing is freed singly; jri_arena_reset() keeps the newest
 * chunk if it is small, so that in the steady state no call allocates.
 */
#ifndef JRI_ARENA_H
#define JRI_ARENA_H

#include <stddef.h>

typedef struct jri_arena {
    char *at, *end;
    char *base;               /* where the only chunk begins, if it may be kept; else NULL */
    struct jri_chunk *chunks; /* newest first */
} jri_arena;

void jri_arena_init(jri_arena *arena);
void jri_arena_fini(jri_arena *arena);
void jri_arena_reset_slow(jri_arena *arena);
void *jri_arena_grow(jri_arena *arena, size_t size);

/* size bytes aligned for anything, not cleared; NULL: no memory. size 0 gives a valid pointer. */
static inline void *jri_arena_alloc(jri_arena *arena, size_t size)
{
    size_t room = (size_t)(arena->end - arena->at);
    size_t rounded = (size + !size + 15) & ~(size_t)15;
    if (rounded > room || rounded < size)
        return jri_arena_grow(arena, size + !size);
    void *p = arena->at;
    arena->at += rounded;
    return p;
}

static inline void jri_arena_reset(jri_arena *arena)
{
    if (arena->base)
        arena->at = arena->base;
    else
        jri_arena_reset_slow(arena);
}

/* A NUL-terminated copy; NULL: no memory. */
char *jri_arena_copy(jri_arena *arena, const char *text, size_t len);

#endif
