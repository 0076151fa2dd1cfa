/* SPDX-License-Identifier: MIT */
/*
 * arena.c - memory that lives as long as one message or one call: chunks
 */
#include "arena.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_MIN = 4096, CHUNK_KEPT = 65536 };

struct jri_chunk {
    struct jri_chunk *next;
    size_t size; /* of data */
    alignas(16) char data[];
};

void jri_arena_init(jri_arena *arena)
{
    *arena = (jri_arena){0};
}

static void free_chunks(struct jri_chunk *chunk)
{
    while (chunk) {
        struct jri_chunk *next = chunk->next;
        free(chunk);
        chunk = next;
    }
}

void jri_arena_fini(jri_arena *arena)
{
    free_chunks(arena->chunks);
    jri_arena_init(arena);
}

static void set_base(jri_arena *arena)
{
    const struct jri_chunk *chunk = arena->chunks;
    bool is_kept = chunk && !chunk->next && chunk->size <= CHUNK_KEPT;

    arena->base = is_kept ? arena->chunks->data : NULL;
}

void jri_arena_reset_slow(jri_arena *arena)
{
    struct jri_chunk *kept = arena->chunks;

    if (!kept)
        return;
    if (kept->size > CHUNK_KEPT) {
        jri_arena_fini(arena);
        return;
    }
    free_chunks(kept->next);
    kept->next = NULL;
    arena->at = kept->data;
    arena->end = kept->data + kept->size;
    set_base(arena);
}

void *jri_arena_grow(jri_arena *arena, size_t size)
{
    /* Twice the last one: the number of chunks stays logarithmic in what a call takes. */
    size_t chunk_size = arena->chunks ? arena->chunks->size * 2 : CHUNK_MIN;
    size_t rounded = (size + 15) & ~(size_t)15;

    if (rounded < size || rounded > SIZE_MAX / 2)
        return NULL;
    if (chunk_size < rounded)
        chunk_size = rounded;

    struct jri_chunk *chunk = malloc(sizeof(*chunk) + chunk_size);
    if (!chunk)
        return NULL;
    chunk->next = arena->chunks;
    chunk->size = chunk_size;
    arena->chunks = chunk;
    arena->at = chunk->data + rounded;
    arena->end = chunk->data + chunk_size;
    set_base(arena);
    return chunk->data;
}

char *jri_arena_copy(jri_arena *arena, const char *text, size_t len)
{
    char *copy = jri_arena_alloc(arena, len + 1);
    if (!copy)
        return NULL;
    if (len)
        memcpy(copy, text, len);
    copy[len] = '\0';
    return copy;
}
