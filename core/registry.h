/* SPDX-License-Identifier: MIT */
/*
 * registry.h - method name to row
 *
 * A hash table that only set-up changes; look-ups take no lock and their cost does not depend on
 * the number of methods. Prefixes are few and tried longest first, after the exact name.
 */
#ifndef JRI_REGISTRY_H
#define JRI_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jrpc/service.h>

#include "hash.h"
#include "short.h"
#include "signature.h"
#include "text.h"

/* A method as it was registered; immutable. */
typedef struct jri_row {
    jrpc_handler_fn handler;
    void *user;
    jri_signature *signature; /* NULL: anything */
    char *name;
    size_t name_len;
    uint64_t hash;
    char *summary; /* NULL: none */
    unsigned flags;
    int timeout_ms;
} jri_row;

typedef struct jri_registry {
    jri_row **slots; /* open addressing; n_slots is 0 or a power of two over 2 * n_rows */
    size_t n_slots, n_rows;
    jri_row **prefixes; /* longest first */
    size_t n_prefixes;
    uint64_t seed;
    uint64_t stamp; /* another one in every registry, and whenever a row is freed */
} jri_registry;

/* The row that was found last: calls of one method come in numbers. */
typedef struct jri_row_memo {
    const jri_row *row; /* NULL: none yet; not to be looked at if the stamp is another */
    uint64_t stamp;
} jri_row_memo;

/* What a service tells of itself: the only names in "rpc." that may be registered. */
#define JRI_DISCOVER "rpc.discover"
#define JRI_METHODS "rpc.methods"

void jri_registry_init(jri_registry *registry, uint64_t seed);
void jri_registry_fini(jri_registry *registry);

/* It begins with "rpc.". */
bool jri_registry_is_reserved(const char *name, size_t len);

/* The slot of that name, or the empty one where it would go. There is always an empty one. */
static inline size_t jri_registry_slot(const jri_registry *registry, const char *name, size_t len,
                                       uint64_t hash)
{
    size_t mask = registry->n_slots - 1;
    size_t i = hash & mask;
    const jri_row *row;

    while ((row = registry->slots[i])) {
        if (row->hash == hash && row->name_len == len && jri_short_is_same(row->name, name, len))
            break;
        i = (i + 1) & mask;
    }
    return i;
}

const jri_row *jri_registry_find_prefix(const jri_registry *registry, const char *name, size_t len);

/* The method of that name, or of the longest prefix; NULL: none. */
static inline const jri_row *jri_registry_find(const jri_registry *registry, const char *name,
                                               size_t len)
{
    const jri_row *row = NULL;

    if (registry->n_slots) {
        uint64_t hash = jri_hash(name, len, registry->seed);
        row = registry->slots[jri_registry_slot(registry, name, len, hash)];
    }
    return row || !registry->n_prefixes ? row : jri_registry_find_prefix(registry, name, len);
}

/* The same, and quickly if it is the one that was found last. */
static inline const jri_row *jri_registry_find_again(const jri_registry *registry,
                                                     jri_row_memo *memo, const char *name,
                                                     size_t len)
{
    const jri_row *row = memo->row;

    if (JRI_LIKELY(row && memo->stamp == registry->stamp && row->name_len == len &&
                   jri_short_is_same(row->name, name, len)))
        return row;
    row = jri_registry_find(registry, name, len);
    if (row && row->name_len == len) /* not by a prefix, which may give way to another row */
        *memo = (jri_row_memo){row, registry->stamp};
    return row;
}

/**
 * jri_registry_add() - add all methods or none
 * @row_size:    of a row of @methods as the caller was compiled with
 * @name_max:    longest name in bytes
 * @problem:     on failure which method and why
 *
 * Return: 0; -EINVAL; -EEXIST; -ENOMEM.
 */
int jri_registry_add(jri_registry *registry, const jrpc_method *methods, size_t n_methods,
                     size_t row_size, bool is_replacing, size_t name_max, void *user,
                     jrpc_problem *problem);

int jri_registry_add_prefix(jri_registry *registry, const jrpc_method *method, size_t name_max,
                            void *user, jrpc_problem *problem);

/* A method or a prefix: 0 or -ENOENT. */
int jri_registry_remove(jri_registry *registry, const char *name);

#endif
