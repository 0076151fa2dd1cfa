/* SPDX-License-Identifier: MIT */
/*
 * chaos.c - every allocation counted, and one of them failing
 *
 * The linker gives every call of malloc() in our objects to __wrap_malloc(), and __real_malloc() is
 * the one that was meant. What libc allocates inside of other functions is not seen, so those that
 * do so and are used by the core are wrapped as well.
 */
#define _GNU_SOURCE
#include "chaos.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
char *__real_strdup(const char *text);
int __real_vasprintf(char **out, const char *format, va_list args);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
char *__wrap_strdup(const char *text);
int __wrap_vasprintf(char **out, const char *format, va_list args);

static struct {
    atomic_bool is_counting;
    bool is_lasting;
    atomic_uint n;
    unsigned n_failing;
} chaos;

static _Thread_local bool is_spared;

static bool is_failing(void)
{
    if (is_spared || !atomic_load(&chaos.is_counting))
        return false;

    unsigned n = atomic_fetch_add(&chaos.n, 1) + 1;
    return n == chaos.n_failing || (chaos.is_lasting && chaos.n_failing && n > chaos.n_failing);
}

void *__wrap_malloc(size_t size)
{
    return is_failing() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return is_failing() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t size)
{
    return is_failing() ? NULL : __real_realloc(p, size);
}

char *__wrap_strdup(const char *text)
{
    return is_failing() ? NULL : __real_strdup(text);
}

int __wrap_vasprintf(char **out, const char *format, va_list args)
{
    return is_failing() ? -1 : __real_vasprintf(out, format, args);
}

void chaos_install(void)
{
    json_set_alloc_funcs(__wrap_malloc, free);
}

void chaos_begin(unsigned n, bool is_lasting)
{
    atomic_store(&chaos.n, 0);
    chaos.n_failing = n;
    chaos.is_lasting = is_lasting;
    atomic_store(&chaos.is_counting, true);
}

unsigned chaos_end(void)
{
    atomic_store(&chaos.is_counting, false);
    return atomic_load(&chaos.n);
}

bool chaos_spare(bool is_to_be)
{
    bool was = is_spared;

    is_spared = is_to_be;
    return was;
}
