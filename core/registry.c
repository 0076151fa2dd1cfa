/* SPDX-License-Identifier: MIT */
/*
 * registry.c - method name to row
 *
 * Adding a table makes all its rows first, reserves the slots for all, and only then moves them
 * in: it happens wholly or not at all.
 */
#include "registry.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json_write.h"

enum { SLOTS_MIN = 16 };

void jri_registry_init(jri_registry *registry, uint64_t seed)
{
    *registry = (jri_registry){.seed = seed, .stamp = seed};
}

static void free_row(jri_row *row)
{
    if (!row)
        return;
    jri_signature_free(row->signature);
    free(row->name);
    free(row->summary);
    free(row);
}

/* Whoever remembers it has to look again. */
static void drop_row(jri_registry *registry, jri_row *row)
{
    registry->stamp++;
    free_row(row);
}

void jri_registry_fini(jri_registry *registry)
{
    for (size_t i = 0; i < registry->n_slots; i++)
        free_row(registry->slots[i]);
    for (size_t i = 0; i < registry->n_prefixes; i++)
        free_row(registry->prefixes[i]);
    free(registry->slots);
    free(registry->prefixes);
    jri_registry_init(registry, registry->seed);
}

/* JSON-RPC 2.0, section 4.3. */
bool jri_registry_is_reserved(const char *name, size_t len)
{
    return len >= 4 && !memcmp(name, "rpc.", 4);
}

/* Reserved for just what a program may do better than we do. */
static bool is_ours(const char *name)
{
    return !strcmp(name, JRI_DISCOVER) || !strcmp(name, JRI_METHODS);
}

const jri_row *jri_registry_find_prefix(const jri_registry *registry, const char *name, size_t len)
{
    if (jri_registry_is_reserved(name, len))
        return NULL; /* whatever a prefix would take */
    for (size_t i = 0; i < registry->n_prefixes; i++) {
        const jri_row *row = registry->prefixes[i];
        if (row->name_len <= len && !memcmp(row->name, name, row->name_len))
            return row;
    }
    return NULL;
}

/* Slots for n more rows: at most half are ever used. */
static int reserve_slots(jri_registry *registry, size_t n)
{
    size_t n_slots = registry->n_slots ? registry->n_slots : SLOTS_MIN;
    while (n_slots / 2 < registry->n_rows + n)
        n_slots *= 2;
    if (n_slots == registry->n_slots)
        return 0;

    jri_registry bigger = *registry;
    bigger.n_slots = n_slots;
    bigger.slots = calloc(n_slots, sizeof(*bigger.slots));
    if (!bigger.slots)
        return -ENOMEM;
    for (size_t i = 0; i < registry->n_slots; i++) {
        jri_row *row = registry->slots[i];
        if (row)
            bigger.slots[jri_registry_slot(&bigger, row->name, row->name_len, row->hash)] = row;
    }
    free(registry->slots);
    *registry = bigger;
    return 0;
}

static int refuse(jrpc_problem *problem, const char *name, int status, const char *text)
{
    int column = status == -EINVAL ? problem->column : 0;

    *problem = (jrpc_problem){.code = status, .column = column};
    snprintf(problem->source, sizeof(problem->source), "%s", name ? name : "");
    snprintf(problem->text, sizeof(problem->text), "%s", text);
    return status;
}

/* Why a row cannot be a method; NULL: it can. */
static const char *fault_of(const jrpc_method *method, size_t name_max)
{
    size_t len;

    if (!method->name || !(len = strlen(method->name)))
        return "a method needs a name";
    if (len > name_max)
        return "the name is longer than method_max";
    if (jri_utf8_check(method->name, len) != len)
        return "the name is not UTF-8";
    if (jri_registry_is_reserved(method->name, len) && !is_ours(method->name))
        return "names that begin with \"rpc.\" are reserved";
    if (method->summary &&
        jri_utf8_check(method->summary, strlen(method->summary)) != strlen(method->summary))
        return "the summary is not UTF-8";
    if (!method->handler)
        return "a method needs a handler";
    if (method->flags & ~(unsigned)(JRPC_BLOCKING | JRPC_HIDDEN))
        return "unknown flags";
    if (method->timeout_ms < -1)
        return "timeout_ms is neither positive, 0 nor -1";
    return NULL;
}

static int make_row(const jri_registry *registry, const jrpc_method *method, size_t name_max,
                    void *user, jri_row **out, jrpc_problem *problem)
{
    const char *fault = fault_of(method, name_max);
    int status = -ENOMEM;

    *problem = (jrpc_problem){0};
    if (fault)
        return refuse(problem, method->name, -EINVAL, fault);

    jri_row *row = calloc(1, sizeof(*row));
    if (!row)
        goto out;
    row->handler = method->handler;
    row->user = user;
    row->flags = method->flags;
    row->timeout_ms = method->timeout_ms;
    row->name = strdup(method->name);
    row->summary = method->summary ? strdup(method->summary) : NULL;
    if (!row->name || (method->summary && !row->summary))
        goto out;
    row->name_len = strlen(row->name);
    row->hash = jri_hash(row->name, row->name_len, registry->seed);
    if (method->signature) {
        status = jri_signature_parse(method->signature, &row->signature, problem);
        if (status)
            goto out;
    }
    *out = row;
    return 0;

out:
    free_row(row);
    if (status == -ENOMEM)
        return refuse(problem, method->name, status, "out of memory");
    char text[sizeof(problem->text)];
    memcpy(text, problem->text, sizeof(text));
    return refuse(problem, method->name, status, text);
}

/* Whether the name is taken, by the registry or by an earlier row of the same table. */
static bool is_taken(const jri_registry *registry, jri_row *const *rows, size_t n_rows,
                     const jri_row *row, bool is_replacing)
{
    for (size_t i = 0; i < n_rows; i++)
        if (rows[i]->hash == row->hash && !strcmp(rows[i]->name, row->name))
            return true;
    return !is_replacing && registry->n_slots &&
           registry->slots[jri_registry_slot(registry, row->name, row->name_len, row->hash)];
}

static void put_row(jri_registry *registry, jri_row *row)
{
    size_t i = jri_registry_slot(registry, row->name, row->name_len, row->hash);

    registry->n_rows += !registry->slots[i];
    drop_row(registry, registry->slots[i]);
    registry->slots[i] = row;
}

int jri_registry_add(jri_registry *registry, const jrpc_method *methods, size_t n_methods,
                     size_t row_size, bool is_replacing, size_t name_max, void *user,
                     jrpc_problem *problem)
{
    jri_row **rows = calloc(n_methods ? n_methods : 1, sizeof(jri_row *));
    size_t n_rows = 0;
    int status = 0;

    if (!rows || reserve_slots(registry, n_methods))
        status = refuse(problem, NULL, -ENOMEM, "out of memory");
    while (!status && n_rows < n_methods) {
        jrpc_method method = {0}; /* rows compiled with an older header are shorter */
        const char *from = (const char *)methods + n_rows * row_size;
        memcpy(&method, from, row_size < sizeof(method) ? row_size : sizeof(method));

        status = make_row(registry, &method, name_max, user, &rows[n_rows], problem);
        if (status)
            break;
        n_rows++;
        if (is_taken(registry, rows, n_rows - 1, rows[n_rows - 1], is_replacing))
            status = refuse(problem, method.name, -EEXIST, "there is a method of this name");
    }
    for (size_t i = 0; i < n_rows; i++)
        if (status)
            free_row(rows[i]);
        else
            put_row(registry, rows[i]);
    free(rows);
    return status;
}

int jri_registry_add_prefix(jri_registry *registry, const jrpc_method *method, size_t name_max,
                            void *user, jrpc_problem *problem)
{
    jri_row *row = NULL;
    int status = make_row(registry, method, name_max, user, &row, problem);
    if (status)
        return status;
    if (is_ours(row->name)) {
        free_row(row);
        return refuse(problem, method->name, -EINVAL,
                      "names that begin with \"rpc.\" are reserved");
    }

    for (size_t i = 0; i < registry->n_prefixes; i++)
        if (!strcmp(registry->prefixes[i]->name, row->name)) {
            free_row(row);
            return refuse(problem, method->name, -EEXIST, "there is a prefix of this name");
        }
    jri_row **prefixes =
        realloc(registry->prefixes, (registry->n_prefixes + 1) * sizeof(jri_row *));
    if (!prefixes) {
        free_row(row);
        return refuse(problem, method->name, -ENOMEM, "out of memory");
    }
    registry->prefixes = prefixes;

    size_t at = 0;
    while (at < registry->n_prefixes && prefixes[at]->name_len >= row->name_len)
        at++;
    memmove(prefixes + at + 1, prefixes + at, (registry->n_prefixes - at) * sizeof(*prefixes));
    prefixes[at] = row;
    registry->n_prefixes++;
    return 0;
}

/* Takes a row out and closes the gap, so that every other row is still found from its slot. */
static void remove_slot(jri_registry *registry, size_t hole)
{
    size_t mask = registry->n_slots - 1;

    drop_row(registry, registry->slots[hole]);
    registry->slots[hole] = NULL;
    registry->n_rows--;
    for (size_t i = (hole + 1) & mask; registry->slots[i]; i = (i + 1) & mask) {
        size_t home = registry->slots[i]->hash & mask;
        if (((i - home) & mask) < ((i - hole) & mask))
            continue; /* its home lies behind the hole */
        registry->slots[hole] = registry->slots[i];
        registry->slots[i] = NULL;
        hole = i;
    }
}

int jri_registry_remove(jri_registry *registry, const char *name)
{
    size_t len = strlen(name);

    if (registry->n_slots) {
        size_t i = jri_registry_slot(registry, name, len, jri_hash(name, len, registry->seed));
        if (registry->slots[i]) {
            remove_slot(registry, i);
            return 0;
        }
    }
    for (size_t i = 0; i < registry->n_prefixes; i++) {
        if (strcmp(registry->prefixes[i]->name, name))
            continue;
        drop_row(registry, registry->prefixes[i]);
        registry->n_prefixes--;
        memmove(registry->prefixes + i, registry->prefixes + i + 1,
                (registry->n_prefixes - i) * sizeof(jri_row *));
        return 0;
    }
    return -ENOENT;
}
