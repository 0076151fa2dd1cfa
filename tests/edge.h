/* SPDX-License-Identifier: MIT */
/*
 * edge.h - bytes that begin or end where memory does
 *
 * A copy placed flush against an unmapped page: one byte touched beyond it is a crash, also
 * without a sanitizer.
 */
#ifndef TEST_EDGE_H
#define TEST_EDGE_H

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct edge {
    char *start, *end; /* of what may be touched */
};

static inline struct edge edge_new(size_t len_max)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t size = (len_max + page - 1) / page * page;
    char *whole =
        mmap(NULL, size + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, /* fd */ -1, 0);

    if (whole == MAP_FAILED || mprotect(whole + page, size, PROT_READ | PROT_WRITE)) {
        perror("edge_new");
        abort();
    }
    return (struct edge){whole + page, whole + page + size};
}

static inline void edge_free(struct edge *edge)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    munmap(edge->start - page, (size_t)(edge->end - edge->start) + 2 * page);
}

/* Ends at the edge. Valid until the next call, as below. */
static inline const char *edge_place(struct edge *edge, const char *data, size_t len)
{
    if (len)
        memcpy(edge->end - len, data, len);
    return edge->end - len;
}

/* Begins at the edge. */
static inline const char *edge_place_first(struct edge *edge, const char *data, size_t len)
{
    if (len)
        memcpy(edge->start, data, len);
    return edge->start;
}

#endif
